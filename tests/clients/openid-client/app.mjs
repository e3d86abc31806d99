// Log in and out with openid-client, on Node's own server.
import { webcrypto } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import * as client from "openid-client";

globalThis.crypto ??= webcrypto; // Node 18
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const issuer = process.env.ISSUER ?? "http://localhost:8000";
const self = process.env.SELF ?? "http://localhost:5001";

// Our key. We keep the private half and publish the other; a new one needs no word with the broker.
const ES256 = { name: "ECDSA", namedCurve: "P-256" };
if (!existsSync("key.json")) {
  const made = await crypto.subtle.generateKey(ES256, true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", made.privateKey);
  const kid = crypto.randomUUID();
  writeFileSync("key.json", JSON.stringify({ ...jwk, kid }), { mode: 0o600 });
}
const { d, key_ops, ext, ...publicKey } = JSON.parse(readFileSync("key.json"));
const key = await crypto.subtle.importKey("jwk", { ...publicKey, d }, ES256, false, ["sign"]);

const broker = await client.discovery(
  new URL(issuer),
  "example-openid-client",
  {},
  client.PrivateKeyJwt({ key, kid: publicKey.kid }),
  { execute: issuer.startsWith("https:") ? [] : [client.allowInsecureRequests] },
);

const sessions = new Map(); // in real life: your own sessions

const pages = {
  "/": (session) => ({ body: session.pupil ?? "nobody is logged in: /login" }),

  "/jwks.json": () => ({ body: { keys: [publicKey] } }),

  // Also the initiate_login_uri of supplier.toml: a link of the broker says where to begin and end.
  "/login": async (session, url) => {
    const link = url.searchParams;
    if ((link.get("iss") ?? issuer) !== issuer) throw new Error("not our broker");
    const target = link.get("target_link_uri") ?? "";
    session.target = target.startsWith(`${self}/lessons/`) ? target : "/";
    session.verifier = client.randomPKCECodeVerifier();
    session.state = client.randomState();
    session.nonce = client.randomNonce();
    const to = client.buildAuthorizationUrl(broker, {
      redirect_uri: `${self}/callback`,
      scope: "openid",
      state: session.state,
      nonce: session.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(session.verifier),
      code_challenge_method: "S256",
      ...(link.has("login_hint") && { login_hint: link.get("login_hint") }),
    });
    return { to };
  },

  "/callback": async (session, url) => {
    const tokens = await client.authorizationCodeGrant(broker, url, {
      pkceCodeVerifier: session.verifier,
      expectedState: session.state,
      expectedNonce: session.nonce,
      idTokenExpected: true,
    });
    session.pupil = tokens.claims(); // `sub` is the pupil's name for you, for good
    session.idToken = tokens.id_token;
    return { to: session.target };
  },

  "/lessons/3": (session) => (session.pupil ? { body: "lesson 3" } : { to: "/login" }),

  "/logout": (session) => {
    const to = client.buildEndSessionUrl(broker, {
      id_token_hint: session.idToken,
      post_logout_redirect_uri: `${self}/`,
    });
    session.pupil = session.idToken = undefined;
    return { to };
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, self);
  const id = /example-openid-client=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const session = sessions.get(id) ?? {};
  const name = sessions.has(id) ? id : crypto.randomUUID();
  sessions.set(name, session);
  try {
    const { to, body } = await (pages[url.pathname] ?? (() => ({ body: "not found" })))(session, url);
    const cookie = `example-openid-client=${name}; HttpOnly; SameSite=Lax; Path=/`;
    response.writeHead(to ? 303 : 200, { ...(to && { location: `${to}` }), "set-cookie": cookie });
    response.end(body && JSON.stringify(body));
  } catch (error) {
    response.writeHead(502).end(`${error.error ?? error.message}`);
  }
}).listen(new URL(self).port, "127.0.0.1", () => console.log(`open ${self}`));
