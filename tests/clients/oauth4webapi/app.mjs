// Log in and out with oauth4webapi, on Node's own server.
import { webcrypto } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import * as oauth from "oauth4webapi";

globalThis.crypto ??= webcrypto; // Node 18
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const issuer = new URL(process.env.ISSUER ?? "http://localhost:8000");
const self = process.env.SELF ?? "http://localhost:5002";
const demo = { [oauth.allowInsecureRequests]: issuer.protocol === "http:" };

// Our key. We keep the private half and publish the other; a new one needs no word with the broker.
const ES256 = { name: "ECDSA", namedCurve: "P-256" };
if (!existsSync("key.json")) {
  const made = await oauth.generateKeyPair("ES256", { extractable: true });
  const jwk = await crypto.subtle.exportKey("jwk", made.privateKey);
  const kid = crypto.randomUUID();
  writeFileSync("key.json", JSON.stringify({ ...jwk, kid }), { mode: 0o600 });
}
const { d, key_ops, ext, ...publicKey } = JSON.parse(readFileSync("key.json"));
const key = await crypto.subtle.importKey("jwk", { ...publicKey, d }, ES256, false, ["sign"]);

const client = { client_id: "example-oauth4webapi" };
const proof = oauth.PrivateKeyJwt({ key, kid: publicKey.kid });
const found = await oauth.discoveryRequest(issuer, demo);
const broker = await oauth.processDiscoveryResponse(issuer, found);

const sessions = new Map(); // in real life: your own sessions

const pages = {
  "/": (session) => ({ body: session.pupil ?? "nobody is logged in: /login" }),

  "/jwks.json": () => ({ body: { keys: [publicKey] } }),

  "/login": async (session) => {
    session.verifier = oauth.generateRandomCodeVerifier();
    session.state = oauth.generateRandomState();
    session.nonce = oauth.generateRandomNonce();
    const to = new URL(broker.authorization_endpoint);
    to.search = new URLSearchParams({
      client_id: client.client_id,
      response_type: "code",
      redirect_uri: `${self}/callback`,
      scope: "openid",
      state: session.state,
      nonce: session.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(session.verifier),
      code_challenge_method: "S256",
    });
    return { to };
  },

  "/callback": async (session, url) => {
    const { state, nonce, verifier } = session;
    const answer = oauth.validateAuthResponse(broker, client, url, state);
    const redirectUri = `${self}/callback`;
    const tokens = await oauth.processAuthorizationCodeResponse(
      broker,
      client,
      await oauth.authorizationCodeGrantRequest(
        broker, client, proof, answer, redirectUri, verifier, demo,
      ),
      { expectedNonce: nonce, requireIdToken: true },
    );
    session.pupil = oauth.getValidatedIdTokenClaims(tokens); // `sub` is the pupil's name for you
    session.idToken = tokens.id_token;
    return { to: "/" };
  },

  "/logout": (session) => {
    const to = new URL(broker.end_session_endpoint); // the library leaves this one to you
    to.search = new URLSearchParams({
      id_token_hint: session.idToken,
      post_logout_redirect_uri: `${self}/`,
    });
    session.pupil = session.idToken = undefined;
    return { to };
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, self);
  const id = /example-oauth4webapi=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const session = sessions.get(id) ?? {};
  const name = sessions.has(id) ? id : crypto.randomUUID();
  sessions.set(name, session);
  try {
    const { to, body } = await (pages[url.pathname] ?? (() => ({ body: "not found" })))(session, url);
    const cookie = `example-oauth4webapi=${name}; HttpOnly; SameSite=Lax; Path=/`;
    response.writeHead(to ? 303 : 200, { ...(to && { location: `${to}` }), "set-cookie": cookie });
    response.end(body && JSON.stringify(body));
  } catch (error) {
    response.writeHead(502).end(`${error.error ?? error.message}`);
  }
}).listen(new URL(self).port, "127.0.0.1", () => console.log(`open ${self}`));
