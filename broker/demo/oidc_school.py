"""A demo school with an OpenID Provider, written on joserfc alone.

Code flow with PKCE (S256), `private_key_jwt` or, when given a secret, `client_secret_basic`. It
knows one client, the broker. Claims carry the names that such providers use in the field; the
mapping to the Entree names is in the identity provider's federation document.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from broker.demo import oidc_tokens, pages
from broker.demo.oidc_tokens import ClientRefused, OidcClientSettings
from broker.demo.peers import PeerDocument, PeerUnreachable
from broker.demo.people import DemoSchool, people_at
from broker.demo.scenarios import (
    LoginChoice,
    Scenario,
    UnknownChoice,
    choose_fine,
    decide_statement,
    read_login_choice,
)
from broker.demo.school_form import (
    NOBODY_HERE,
    SERVICE_UNKNOWN,
    USED,
    RememberedLogin,
    fields_of,
    find_known_person,
    forget_known_person,
    render_down,
    render_home,
    render_login_form,
    render_refused,
)
from broker.demo.sessions import BrowserSessions, Kept

CODE_SECONDS = 60  # RFC 6749 4.1.2 recommends at most ten minutes

CLAIM_NAMES: Mapping[str, str] = {
    "givenName": "given_name",
    "sn": "family_name",
    "mail": "email",
    "birthDate": "birthdate",
    "uid": "preferred_username",
    "eduPersonAffiliation": "roles",
    "nlEduPersonHomeOrganizationId": "brin",
    "nlEduPersonHomeOrganization": "school",
    "nlEduPersonUnit": "groups",
    "employeeNumber": "pupil_number",
    "eckId": "eck_id",
}
"""Entree name -> claim of this provider. The federation document has the reverse."""

MULTI_VALUED = frozenset({"eduPersonAffiliation", "nlEduPersonUnit"})


@dataclass(frozen=True, slots=True)
class OidcSchoolSettings:
    """How this school speaks OpenID Connect.

    Attributes:
        key: signs ID tokens with ES256.
        client: the broker as this school registered it.
    """

    school: DemoSchool
    base_url: str
    key: ECKey = field(repr=False)
    client: OidcClientSettings


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An authorization request that was read and waits for the form."""

    redirect_uri: str
    state: str | None
    nonce: str | None
    code_challenge: str
    level: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for."""

    request: PendingRequest
    login: RememberedLogin = field(repr=False)
    expires_at: float


class RequestRefused(Exception):  # noqa: N818 -- an answer to the client
    """An authorization request that is answered with an error.

    Args:
        error: RFC 6749 4.1.2.1 or OIDC Core 3.1.2.6.
    """

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class OidcSchool:
    """One school: its requests that wait, its codes, its access tokens."""

    def __init__(
        self,
        settings: OidcSchoolSettings,
        *,
        broker_jwks: PeerDocument,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._school = settings.school
        self._people = people_at(settings.school)
        self._broker_jwks = broker_jwks
        self._now = now
        self._pending: Kept[PendingRequest] = Kept()
        self._codes: Kept[Code] = Kept()
        self._access_tokens: Kept[RememberedLogin] = Kept()
        self._sessions: BrowserSessions[RememberedLogin | None] = BrowserSessions(
            settings.school.id, base_url=settings.base_url, empty=lambda: None
        )

    def app(self) -> Starlette:
        """Return the school as an ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/jwks.json", self.jwks),
                Route("/authorize", self.authorize, methods=["GET", "POST"]),
                Route("/login", self.log_in, methods=["POST"]),
                Route("/token", self.token, methods=["POST"]),
                Route("/userinfo", self.userinfo),
                pages.STATIC,
            ]
        )

    async def home(self, request: Request) -> Response:
        return render_home(self._school, request)

    async def discovery(self, _request: Request) -> Response:
        return JSONResponse(discovery_document(self._settings))

    async def jwks(self, _request: Request) -> Response:
        return JSONResponse(public_jwks(self._settings.key))

    async def authorize(self, request: Request) -> Response:
        """Take an authorization request; answer with the form, or at once for `prompt=none`."""
        asked = dict(
            fields_of(await request.form())
            if request.method == "POST"
            else request.query_params.multi_items()
        )
        client = self._settings.client
        if asked.get("client_id") != client.client_id or (
            asked.get("redirect_uri") != client.redirect_uri
        ):
            return render_refused(self._school, request, reason=SERVICE_UNKNOWN)
        try:
            pending = read_request(asked)
        except RequestRefused as refusal:
            return self._refuse(client.redirect_uri, asked.get("state"), refusal.error)
        if asked.get("prompt") == "none":
            login = self._sessions.find(request)
            if login is None:
                return self._refuse(pending.redirect_uri, pending.state, "login_required")
            return self._answer(pending, login)
        known = find_known_person(request, self._people)
        if known is not None:
            return self._log_in(request, pending, choose_fine(known))
        return render_login_form(self._school, request, handle=self._pending.put(pending))

    async def log_in(self, request: Request) -> Response:
        """Take the form and answer the request that it belongs to."""
        fields = fields_of(await request.form())
        try:
            choice = read_login_choice(fields, people=self._people)
        except UnknownChoice:
            return render_refused(self._school, request, reason=NOBODY_HERE)
        if choice.scenario is Scenario.DOWN:
            return render_down(self._school, request)
        pending = self._pending.take(dict(fields).get("login", ""))
        if pending is None:
            return render_refused(self._school, request, reason=USED)
        if choice.scenario is Scenario.CANCELLED:
            return self._refuse(pending.redirect_uri, pending.state, "access_denied")
        return self._log_in(request, pending, choice)

    def _log_in(self, request: Request, pending: PendingRequest, choice: LoginChoice) -> Response:
        login = RememberedLogin(decide_statement(choice), datetime.now(UTC))
        answer = self._answer(pending, login)
        self._sessions.renew(answer, login, replaces=request)
        forget_known_person(answer)
        return answer

    def _answer(self, pending: PendingRequest, login: RememberedLogin) -> Response:
        code = self._codes.put(Code(pending, login, self._now() + CODE_SECONDS))
        return self._redirect(pending.redirect_uri, pending.state, {"code": code})

    def _refuse(self, redirect_uri: str, state: str | None, error: str) -> Response:
        return self._redirect(redirect_uri, state, {"error": error})

    def _redirect(self, redirect_uri: str, state: str | None, values: dict[str, str]) -> Response:
        parameters = values | {"iss": self._settings.base_url}  # RFC 9207
        if state is not None:
            parameters["state"] = state
        return RedirectResponse(f"{redirect_uri}?{urlencode(parameters)}", status_code=303)

    async def token(self, request: Request) -> Response:
        """Redeem a code, once (RFC 6749 4.1.3, RFC 7636 4.5)."""
        form = dict(fields_of(await request.form()))
        try:
            await self._authenticate_client(request, form)
        except ClientRefused:
            return _json({"error": "invalid_client"}, status=401)
        except PeerUnreachable:
            return _json({"error": "temporarily_unavailable"}, status=503)
        code = self._codes.take(form.get("code", ""))
        if (
            form.get("grant_type") != "authorization_code"
            or code is None
            or code.expires_at < self._now()
            or code.request.redirect_uri != form.get("redirect_uri")
            or code.request.code_challenge
            != oidc_tokens.code_challenge_of(form.get("code_verifier", ""))
        ):
            return _json({"error": "invalid_grant"}, status=400)
        id_token = oidc_tokens.sign_id_token(
            claims_of(code.login)
            | {"aud": self._settings.client.client_id, "nonce": code.request.nonce}
            | {"acr": code.request.level or None},
            issuer=self._settings.base_url,
            statement=code.login.statement,
            authenticated_at=code.login.authenticated_at,
            key=self._settings.key,
            now=self._now(),
        )
        return _json(
            {
                "access_token": self._access_tokens.put(code.login),
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": id_token,
            }
        )

    async def _authenticate_client(self, request: Request, form: Mapping[str, str]) -> None:
        client = self._settings.client
        if client.client_secret is not None:
            oidc_tokens.check_client_secret_basic(
                request.headers.get("authorization", ""), client=client
            )
            return
        oidc_tokens.check_private_key_jwt(
            form,
            client=client,
            jwks=json.loads(await self._broker_jwks.read()),
            audiences={self._settings.base_url, f"{self._settings.base_url}/token"},
            now=self._now(),
        )

    async def userinfo(self, request: Request) -> Response:
        """Tell the same claims as the ID token to the bearer (OIDC Core 5.3)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        login = self._access_tokens.find(token) if scheme.lower() == "bearer" else None
        if login is None:
            return _json({"error": "invalid_token"}, status=401)
        return _json(claims_of(login))


def discovery_document(settings: OidcSchoolSettings) -> dict[str, Any]:
    """Return the provider's configuration (OIDC Discovery 3)."""
    base_url = settings.base_url
    basic = settings.client.client_secret is not None
    return {
        "issuer": base_url,
        "authorization_endpoint": f"{base_url}/authorize",
        "token_endpoint": f"{base_url}/token",
        "userinfo_endpoint": f"{base_url}/userinfo",
        "jwks_uri": f"{base_url}/jwks.json",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic" if basic else "private_key_jwt"
        ],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["sub", *CLAIM_NAMES.values()],
    }


def public_jwks(key: ECKey) -> dict[str, Any]:
    """Return the JSON Web Key Set that others may read."""
    return {"keys": [key.as_dict(private=False)]}


def read_request(asked: Mapping[str, str]) -> PendingRequest:
    """Return what an authorization request asks.

    Raises:
        RequestRefused: not the code flow, no `openid`, no PKCE S256.
    """
    if asked.get("response_type") != "code":
        raise RequestRefused("unsupported_response_type")
    if "openid" not in asked.get("scope", "").split():
        raise RequestRefused("invalid_scope")
    if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
        raise RequestRefused("invalid_request")
    return PendingRequest(
        redirect_uri=asked["redirect_uri"],
        state=asked.get("state"),
        nonce=asked.get("nonce"),
        code_challenge=asked["code_challenge"],
        level=asked.get("acr_values", "").partition(" ")[0],
    )


def claims_of(login: RememberedLogin) -> dict[str, Any]:
    """Return the claims about the person, under this provider's names.

    A name that is no Entree name goes out as it is, so that a test can state any claim.
    """
    claims: dict[str, Any] = {"sub": login.statement.name_id}
    for name, values in login.statement.attributes.items():
        several = name in MULTI_VALUED or len(values) > 1
        claims[CLAIM_NAMES.get(name, name)] = list(values) if several else values[0]
    return claims


def _json(content: Mapping[str, Any], *, status: int = 200) -> JSONResponse:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JSONResponse(dict(content), status_code=status, headers=headers)
