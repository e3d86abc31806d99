// openid-client 5, with its defaults: many sites still have it.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Issuer, generators } from "openid-client-5";

const self = process.env.SELF;
const broker = await Issuer.discover(process.env.ISSUER);
const client = new broker.Client({
  client_id: "example-others",
  client_secret: "only-for-the-demo",
  redirect_uris: [`${self}/callback`],
  response_types: ["code"],
});
const sessions = new Map();

const pages = {
  "/": (session) => ({ body: session.pupil ?? "nobody is logged in" }),
  "/login": (session) => {
    Object.assign(session, { state: generators.state(), nonce: generators.nonce() });
    const { state, nonce } = session;
    return { to: client.authorizationUrl({ scope: "openid", state, nonce }) };
  },
  "/callback": async (session, request) => {
    const { state, nonce } = session;
    const answer = client.callbackParams(request);
    const tokens = await client.callback(`${self}/callback`, answer, { state, nonce });
    session.pupil = await client.userinfo(tokens);
    session.idToken = tokens.id_token;
    return { to: "/" };
  },
  "/logout": (session) => {
    const asked = { id_token_hint: session.idToken, post_logout_redirect_uri: `${self}/` };
    session.pupil = undefined;
    return { to: client.endSessionUrl(asked) };
  },
};

createServer(async (request, response) => {
  const sent = /example-others=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const name = sessions.has(sent) ? sent : randomUUID();
  const session = sessions.get(name) ?? {};
  sessions.set(name, session);
  const { to, body } = await pages[new URL(request.url, self).pathname](session, request);
  response.writeHead(to ? 303 : 200, {
    ...(to && { location: to }),
    "set-cookie": `example-others=${name}; HttpOnly; SameSite=Lax; Path=/`,
  });
  response.end(body && JSON.stringify(body));
}).listen(new URL(self).port, "127.0.0.1");
