"""Log in and out with Authlib, on Starlette; it is the same in FastAPI."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from authlib.integrations.starlette_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
SELF = os.environ.get("SELF", "http://localhost:5003")

# Our key. We keep the private half and publish the other; a new one needs no word with the broker.
KEY_FILE = Path("key.pem")
if not KEY_FILE.exists():
    KEY_FILE.touch(mode=0o600)
    KEY_FILE.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
key = ECKey.import_key(KEY_FILE.read_bytes(), {"use": "sig", "alg": "ES256"})
key.ensure_kid()

broker = OAuth().register(
    "broker",
    client_id="example-authlib",
    client_secret=key,
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    # Authlib would name the token endpoint as audience; the broker wants its issuer, and it alone.
    client_auth_methods=[PrivateKeyJWT(ISSUER, headers={"kid": key.kid}, alg="ES256")],
    client_kwargs={
        "scope": "openid",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "private_key_jwt",
    },
)


async def home(request: Request) -> Response:
    return JSONResponse(request.session.get("pupil", "nobody is logged in: /login"))


async def jwks(_: Request) -> Response:
    return JSONResponse({"keys": [key.as_dict(private=False)]})


async def log_in(request: Request) -> Response:
    return await broker.authorize_redirect(request, f"{SELF}/callback")


async def callback(request: Request) -> Response:
    token = await broker.authorize_access_token(request)  # checks state, nonce and ID token
    request.session["pupil"] = token["userinfo"]  # `sub` is the pupil's name for you, for good
    request.session["id_token"] = token["id_token"]
    return RedirectResponse("/")


async def log_out(request: Request) -> Response:
    id_token = request.session.get("id_token")
    request.session.clear()
    return await broker.logout_redirect(request, f"{SELF}/", id_token_hint=id_token)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/jwks.json", jwks),
        Route("/login", log_in),
        Route("/callback", callback),
        Route("/logout", log_out),
    ],
    middleware=[
        Middleware(SessionMiddleware, secret_key=os.urandom(32), session_cookie="example-authlib")
    ],
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=urlsplit(SELF).port or 80)
