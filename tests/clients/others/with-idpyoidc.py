"""idpyoidc, with its defaults; made by those who made the first library that was certified."""

import json
import os
from urllib.parse import urlencode, urlsplit

import uvicorn
from idpyoidc.client.rp_handler import RPHandler
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

ISSUER, SELF = os.environ["ISSUER"], os.environ["SELF"]

broker = RPHandler(
    base_url=SELF,
    client_configs={
        "broker": {
            "issuer": ISSUER,
            "client_type": "oidc",
            "client_id": "example-others",
            "client_secret": "only-for-the-demo",
            "redirect_uris": [f"{SELF}/callback"],
            "scope": ["openid"],
        }
    },
)


def home(request: Request) -> Response:
    return JSONResponse(request.session.get("pupil", "nobody is logged in"))


def log_in(request: Request) -> Response:
    begun = broker.begin("broker")
    return RedirectResponse(begun if isinstance(begun, str) else begun["url"], 303)


def callback(request: Request) -> Response:
    done = broker.finalize(ISSUER, dict(request.query_params))
    if "error" in done:
        return JSONResponse(done, 502)
    request.session["pupil"] = json.loads(done["userinfo"].to_json())
    return RedirectResponse("/", 303)


def log_out(request: Request) -> Response:
    """It logs out at no provider by itself; without an ID token the broker asks the pupil first."""
    request.session.clear()
    asked = {"client_id": "example-others", "post_logout_redirect_uri": f"{SELF}/"}
    return RedirectResponse(f"{ISSUER}/oidc/end-session?{urlencode(asked)}", 303)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/login", log_in),
        Route("/callback", callback),
        Route("/logout", log_out),
    ],
    middleware=[
        Middleware(
            SessionMiddleware, secret_key=os.urandom(32).hex(), session_cookie="example-others"
        )
    ],
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=urlsplit(SELF).port, log_level="warning")
