// express-openid-connect; by default it asks for the implicit flow, which we do not have.
import express from "express";
import expressOidc from "express-openid-connect";

const app = express();
app.use(
  expressOidc.auth({
    issuerBaseURL: process.env.ISSUER,
    baseURL: process.env.SELF,
    clientID: "example-others",
    clientSecret: "only-for-the-demo",
    secret: "only for sessions of the demo",
    authorizationParams: { response_type: "code", scope: "openid" },
    authRequired: false,
    idpLogout: true,
    session: { name: "example-others" },
  }),
);
app.get("/", async ({ oidc }, response) => {
  response.json(oidc.isAuthenticated() ? await oidc.fetchUserInfo() : "nobody is logged in");
});
app.listen(new URL(process.env.SELF).port, "127.0.0.1");
