"""A demo supplier's system that speaks OpenID Connect, on Authlib's client.

The authorization request goes plainly by redirect, with PKCE S256; the client proves itself with
`private_key_jwt`, the broker's issuer as sole audience. Algorithms, issuer, audience and nonce of
the ID token are checked here with what was registered, not with what discovery would allow.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from broker.demo.pages import chosen_language
from broker.demo.peers import TIMEOUT_SECONDS, PeerDocument, PeerUnreachable, tls_trust
from broker.demo.supplier import (
    HOME_TARGET,
    NO_STORE,
    Received,
    SupplierPages,
    SupplierSession,
)

PASSED_ON = ("login_hint", "idp_hint", "acr_values", "prompt", "max_age", "ui_locales")
"""Parameters of `/login` that go into the authorization request as they are."""

SKEW_SECONDS = 60
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
ASSERTION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class OidcSupplierSettings:
    """How this system speaks OpenID Connect.

    Attributes:
        key: proves the client at the token endpoint.
        id_token_algorithms: the only ones accepted, whatever discovery says.
    """

    client_id: str
    base_url: str
    issuer: str
    key: ECKey = field(repr=False)
    id_token_algorithms: tuple[str, ...] = ("ES256",)
    ca_file: Path | None = None

    @property
    def redirect_uri(self) -> str:
        return f"{self.base_url}/callback"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """An authorization request under way."""

    nonce: str
    code_verifier: str = field(repr=False)
    target: str


class AnswerRefused(Exception):  # noqa: N818 -- becomes a page
    """The broker's answer does not hold; the text names the check."""


class OidcSupplier:
    """One OpenID Connect system of a supplier."""

    def __init__(
        self, settings: OidcSupplierSettings, *, pages: SupplierPages, discovery: PeerDocument
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._discovery = discovery
        self._jwks: PeerDocument | None = None
        pages.find_logout = self.find_logout

    def app(self) -> Starlette:
        """Return the system as an ASGI application."""
        return Starlette(
            routes=[
                Route("/login", self.log_in),
                Route("/callback", self.callback),
                Route("/jwks.json", self.jwks),
                Route("/backchannel-logout", self.backchannel_logout, methods=["POST"]),
                *self._pages.routes(),
            ]
        )

    async def jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._settings.key.as_dict(private=False)]})

    def _client(self) -> AsyncOAuth2Client:
        settings = self._settings
        client = AsyncOAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.key,
            redirect_uri=settings.redirect_uri,
            scope="openid",
            code_challenge_method="S256",
            token_endpoint_auth_method="private_key_jwt",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            verify=tls_trust(settings.ca_file),
        )
        client.register_client_auth_method(
            PrivateKeyJWT(
                settings.issuer,
                claims={"exp": int(time.time()) + ASSERTION_SECONDS},  # Authlib's own is an hour
                headers={"kid": settings.key.kid},
                alg="ES256",
            )
        )
        return client

    async def _endpoints(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(await self._discovery.read())
        if document.get("issuer") != self._settings.issuer:
            raise PeerUnreachable  # OIDC Discovery 4.3
        return document

    async def log_in(self, request: Request) -> Response:
        """Send the browser to the broker; query `target` is the deep link to come back to.

        As `initiate_login_uri` it hears from the broker who that is and where to (OIDC Core 4).
        """
        if request.query_params.get("iss", self._settings.issuer) != self._settings.issuer:
            return self._pages.refuse(request, reason="issuer_of_the_link")
        try:
            endpoints = await self._endpoints()
        except PeerUnreachable:
            return self._pages.unavailable(request)
        pending = PendingLogin(
            nonce=generate_token(32),
            code_verifier=generate_token(48),
            target=self._pages.find_target(request, "target_link_uri"),
        )
        extra = {
            name: request.query_params[name] for name in PASSED_ON if name in request.query_params
        }
        if language := chosen_language(request):
            extra.setdefault("ui_locales", language)
        async with self._client() as client:
            location, state = client.create_authorization_url(
                endpoints["authorization_endpoint"],
                code_verifier=pending.code_verifier,
                nonce=pending.nonce,
                **extra,
            )
        return self._pages.begin(request, to=location, key=state, pending=pending)

    async def find_logout(self, received: Received) -> str:
        """Return where the browser logs out at the broker (RP-Initiated Logout 1.0 2)."""
        try:
            place = (await self._endpoints())["end_session_endpoint"]
        except (PeerUnreachable, KeyError):
            return HOME_TARGET
        query = {
            "id_token_hint": received.id_token,
            "post_logout_redirect_uri": f"{self._settings.base_url}/",
            "state": generate_token(16),
        }
        return f"{place}?{urlencode(query)}"

    async def backchannel_logout(self, request: Request) -> Response:
        """End the sessions that the broker ended (Back-Channel Logout 1.0 2.6)."""
        form = await request.form()
        try:
            claims = await self._check_logout_token(str(form.get("logout_token", "")))
        except (AnswerRefused, PeerUnreachable):
            return JSONResponse({"error": "invalid_request"}, status_code=400, headers=NO_STORE)

        def is_meant(session: SupplierSession) -> bool:
            received = session.received
            return (
                received is not None
                and received.subject == claims["sub"]
                and received.claims.get("sid") == claims["sid"]
            )

        self._pages.sessions.end_where(is_meant)
        return JSONResponse({}, headers=NO_STORE)

    async def _check_logout_token(self, token: str) -> dict[str, Any]:
        keys = await self._keys(await self._endpoints())
        try:
            verified = jwt.decode(token, keys, algorithms=list(self._settings.id_token_algorithms))
            jwt.JWTClaimsRegistry(
                leeway=SKEW_SECONDS,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                iat={"essential": True},
                exp={"essential": True},
                jti={"essential": True},
                sub={"essential": True},
                sid={"essential": True},
            ).validate(verified.claims)
        except (JoseError, ValueError):
            raise AnswerRefused("logout_token") from None
        told = dict(verified.claims)
        is_logout = verified.header.get("typ") == "logout+jwt" and LOGOUT_EVENT in told["events"]
        if not is_logout or "nonce" in told:
            raise AnswerRefused("logout_token")
        return told

    async def callback(self, request: Request) -> Response:
        """Take the broker's answer at the redirect URI."""
        session = self._pages.sessions.find(request)
        answer = request.query_params
        pending: PendingLogin | None = (
            session.pending.pop(answer.get("state", ""), None) if session else None
        )
        if pending is None:
            return self._pages.refuse(request, reason="no_login_under_way")
        if answer.get("iss") != self._settings.issuer:  # RFC 9207 2.4
            return self._pages.refuse(request, reason="issuer_of_the_answer", target=pending.target)
        if "error" in answer:
            return self._pages.refuse(request, reason=answer["error"], target=pending.target)
        try:
            received = await self._redeem(answer.get("code", ""), pending)
        except PeerUnreachable:
            return self._pages.unavailable(request)
        except (AnswerRefused, OAuthError) as refusal:
            return self._pages.refuse(request, reason=str(refusal), target=pending.target)
        return self._pages.finish(request, received, target=pending.target)

    async def _redeem(self, code: str, pending: PendingLogin) -> Received:
        """Turn a code into what was received.

        `claims` are those of the ID token, and besides them what only userinfo says: where both
        speak, the signed token does.
        """
        endpoints = await self._endpoints()
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    endpoints["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=pending.code_verifier,
                )
                told = await client.get(endpoints["userinfo_endpoint"])
        except httpx2.HTTPError:
            raise PeerUnreachable from None
        claims = await self._check_id_token(token.get("id_token", ""), endpoints, pending)
        if told.status_code != 200 or told.json().get("sub") != claims["sub"]:  # OIDC Core 5.3.2
            raise AnswerRefused("subject_of_userinfo")
        return Received(
            subject=claims["sub"],
            claims=told.json() | claims,
            protocol="oidc",
            id_token=token["id_token"],
        )

    async def _check_id_token(
        self, id_token: str, endpoints: dict[str, Any], pending: PendingLogin
    ) -> dict[str, Any]:
        """Return the claims of an ID token that holds (OIDC Core 3.1.3.7)."""
        keys = await self._keys(endpoints)
        try:
            verified = jwt.decode(
                id_token, keys, algorithms=list(self._settings.id_token_algorithms)
            )
            jwt.JWTClaimsRegistry(
                leeway=SKEW_SECONDS,
                iss={"essential": True, "value": self._settings.issuer},
                aud={"essential": True, "value": self._settings.client_id},
                nonce={"essential": True, "value": pending.nonce},
                sub={"essential": True, "allow_blank": False},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(verified.claims)
        except (JoseError, ValueError) as error:
            self._expire_keys()
            raise AnswerRefused(f"id_token ({type(error).__name__})") from None
        return dict(verified.claims)

    async def _keys(self, endpoints: dict[str, Any]) -> KeySet:
        if self._jwks is None or self._jwks.url != endpoints["jwks_uri"]:
            self._jwks = PeerDocument(endpoints["jwks_uri"], ca_file=self._settings.ca_file)
        return KeySet.import_key_set(json.loads(await self._jwks.read()))

    def _expire_keys(self) -> None:
        if self._jwks is not None:
            self._jwks.expire()
