// Log in and out with node-saml, on Node's own server.
import { SAML } from "@node-saml/node-saml";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const issuer = process.env.ISSUER ?? "http://localhost:8000";
const self = process.env.SELF ?? "http://localhost:5009";
const certificate = readFileSync("sp-cert.pem", "utf8");

// The broker's keys: all that its metadata name, so that a new one is known before it is used.
let known = { at: 0, certificates: [] };
async function brokerKeys() {
  if (Date.now() - known.at > 3600_000) {
    const metadata = await (await fetch(`${issuer}/saml/idp/metadata`)).text();
    const found = metadata.matchAll(/<ds:X509Certificate>([^<]+)</g);
    known = { at: Date.now(), certificates: [...found].map(([, each]) => each) };
  }
  return known.certificates;
}

const saml = new SAML({
  issuer: `${self}/saml`,
  callbackUrl: `${self}/login/callback`,
  entryPoint: `${issuer}/saml/idp/sso`,
  logoutUrl: `${issuer}/saml/idp/slo`,
  logoutCallbackUrl: `${self}/saml/slo`,
  idpCert: (done) => brokerKeys().then((keys) => done(null, keys), done),
  idpIssuer: `${issuer}/saml/idp/metadata`,
  privateKey: readFileSync("sp-key.pem", "utf8"),
  publicCert: certificate,
  signatureAlgorithm: "sha256", // its default is SHA-1, which is not accepted
  validateInResponseTo: "always",
});

const sessions = new Map(); // in real life: your own sessions

const pages = {
  "/": (session) => ({ body: session.pupil ?? "nobody is logged in: /login" }),

  "/saml": () => ({ body: saml.generateServiceProviderMetadata(null, certificate), xml: true }),

  "/login": async () => ({ to: await saml.getAuthorizeUrlAsync("", undefined, {}) }),

  "/login/callback": async (session, url, form) => {
    const { profile } = await saml.validatePostResponseAsync(Object.fromEntries(form));
    session.profile = profile;
    // The NameID is the pupil's name for you, for good.
    session.pupil = { sub: profile.nameID, given_name: profile.attributes.givenName };
    return { to: "/" };
  },

  "/logout": async (session) => {
    const to = await saml.getLogoutUrlAsync(session.profile, "", {});
    session.pupil = session.profile = undefined;
    return { to };
  },

  // The broker's answer to that, or its word that the pupil logged out elsewhere.
  "/saml/slo": async (session, url) => {
    const message = Object.fromEntries(url.searchParams);
    const { profile } = await saml.validateRedirectAsync(message, url.search.slice(1));
    if (!message.SAMLRequest) return { to: "/" };
    session.pupil = session.profile = undefined;
    return { to: await saml.getLogoutResponseUrlAsync(profile, message.RelayState, {}, true) };
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, self);
  const id = /example-node-saml=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const session = sessions.get(id) ?? {};
  const name = sessions.has(id) ? id : randomUUID();
  sessions.set(name, session);
  try {
    let text = "";
    for await (const part of request) text += part;
    const page = pages[url.pathname] ?? (() => ({ body: "not found" }));
    const { to, body, xml } = await page(session, url, new URLSearchParams(text));
    const cookie = `example-node-saml=${name}; HttpOnly; SameSite=Lax; Path=/`;
    response.writeHead(to ? 303 : 200, { ...(to && { location: to }), "set-cookie": cookie });
    response.end(xml ? body : body && JSON.stringify(body));
  } catch (error) {
    response.writeHead(502).end(error.message);
  }
}).listen(new URL(self).port, "127.0.0.1", () => console.log(`open ${self}`));
