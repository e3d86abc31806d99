// passport-openidconnect, with its defaults: it discovers nothing, and posts its secret.
import express from "express";
import session from "express-session";
import passport from "passport";
import Strategy from "passport-openidconnect";

const { ISSUER: issuer, SELF: self } = process.env;
passport.use(
  new Strategy(
    {
      issuer,
      authorizationURL: `${issuer}/oidc/authorize`,
      tokenURL: `${issuer}/oidc/token`,
      userInfoURL: `${issuer}/oidc/userinfo`,
      clientID: "example-others-post",
      clientSecret: "only-for-the-demo",
      callbackURL: `${self}/callback`,
      scope: [],
    },
    (_issuer, profile, _context, idToken, done) => {
      done(null, { sub: profile.id, given_name: profile.name?.givenName, idToken });
    },
  ),
);
passport.serializeUser((pupil, done) => done(null, pupil));
passport.deserializeUser((pupil, done) => done(null, pupil));

const app = express();
app.use(session({ name: "example-others", secret: "x", resave: false, saveUninitialized: false }));
app.use(passport.authenticate("session"));
app.get("/", ({ user }, response) => {
  response.json(user ? { sub: user.sub, given_name: user.given_name } : "nobody is logged in");
});
app.get("/login", passport.authenticate("openidconnect"));
app.get("/callback", passport.authenticate("openidconnect", { successRedirect: "/" }));
app.get("/logout", (request, response) => {
  const asked = new URLSearchParams({
    id_token_hint: request.user.idToken,
    post_logout_redirect_uri: `${self}/`,
  });
  request.logout(() => response.redirect(303, `${issuer}/oidc/end-session?${asked}`));
});
app.listen(new URL(self).port, "127.0.0.1");
