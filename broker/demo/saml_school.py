"""A demo school with a SAML identity provider on pysaml2.

It reads AuthnRequests by redirect and POST, shows the login form, and answers by a page that
passes a signed and encrypted response on. Signature checks of requests, when it wants them, and
the choice of the assertion consumer service are pysaml2's.
"""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from broker.demo import pages, saml_messages
from broker.demo.keys import KeyPair
from broker.demo.peers import PeerDocument, PeerUnreachable
from broker.demo.people import DemoSchool, people_at
from broker.demo.pysaml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from broker.demo.saml_logout import Ended, ask_to_log_out, take_by_browser
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
    REQUEST_WRONG,
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

MACE_PREFIX = "urn:mace:dir:attribute-def:"


@dataclass(frozen=True, slots=True)
class SamlSchoolSettings:
    """How this school speaks SAML; the demo's two schools differ, as schools do.

    Attributes:
        want_signed_requests: refuse unsigned AuthnRequests, and say so in the metadata.
        sign_response: sign the Response besides the assertion.
        attribute_prefix: before each attribute's name.
    """

    school: DemoSchool
    base_url: str
    keys: KeyPair
    want_signed_requests: bool = False
    sign_response: bool = False
    attribute_prefix: str = ""


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An AuthnRequest that was read and waits for the form."""

    request_id: str
    sp_entity_id: str
    acs_url: str
    relay_state: str | None
    force_authn: bool
    is_passive: bool
    level: str = ""


class SamlSchool:
    """One school: its requests that wait, and the browsers it remembers."""

    def __init__(self, settings: SamlSchoolSettings, *, broker_metadata: PeerDocument) -> None:
        self._settings = settings
        self._school = settings.school
        self._people = people_at(settings.school)
        self._broker_metadata = broker_metadata
        self._servers: dict[bool, saml_messages.SchoolServer] = {}
        self._loaded_metadata = ""
        self._pending: Kept[PendingRequest] = Kept()
        self._sessions: BrowserSessions[RememberedLogin | None] = BrowserSessions(
            settings.school.id, base_url=settings.base_url, empty=lambda: None
        )

    def app(self) -> Starlette:
        """Return the school as an ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/saml/metadata", self.metadata),
                Route("/saml/sso", self.single_sign_on, methods=["GET", "POST"]),
                Route("/login", self.log_in, methods=["POST"]),
                Route("/logout", self.log_out, methods=["POST"]),
                Route("/saml/slo", self.log_out_by_browser, methods=["GET", "POST"]),
                pages.STATIC,
            ]
        )

    async def home(self, request: Request) -> Response:
        is_in = self._sessions.find(request) is not None
        return render_home(self._school, request, may_log_out=is_in)

    async def log_out(self, request: Request) -> Response:
        """End this browser's session, and log out at the broker too."""
        login = self._sessions.find(request)
        to = "/"
        if login is not None:
            to = await ask_to_log_out(
                await self._server(),
                name_id=saml.NameID(
                    format=saml_messages.UNSPECIFIED_NAME_ID, text=login.statement.name_id
                ),
                session_index=login.session_index,
                relay_state=secrets.token_urlsafe(16),
            )
        answer = RedirectResponse(to, status_code=303)
        self._sessions.end(request, answer)
        return answer

    async def log_out_by_browser(self, request: Request) -> Response:
        """Take a message of the broker about logging out."""

        def end(ended: Ended) -> None:
            self._sessions.end_where(
                lambda login: login is not None and login.statement.name_id == ended.name_id
            )

        return await take_by_browser(await self._server(), request, end=end, left="/")

    async def metadata(self, _request: Request) -> Response:
        settings = self._settings
        xml = saml_messages.idp_metadata(
            settings.base_url,
            keys=settings.keys,
            want_signed_requests=settings.want_signed_requests,
        )
        return Response(xml, media_type="application/samlmetadata+xml")

    async def single_sign_on(self, request: Request) -> Response:
        """Take an AuthnRequest; answer with the form, or at once when a form is forbidden."""
        if request.method == "POST":
            binding, parameters = BINDING_HTTP_POST, dict(fields_of(await request.form()))
        else:
            binding, parameters = BINDING_HTTP_REDIRECT, dict(request.query_params)
        try:
            server = await self._server()
        except PeerUnreachable:
            return render_down(self._school, request)
        try:
            pending = await anyio.to_thread.run_sync(read_request, server, parameters, binding)
        except Exception:  # pysaml2 raises bare exceptions for bad requests
            return render_refused(self._school, request, reason=REQUEST_WRONG)
        if pending.is_passive:
            return await self._answer_passively(pending, self._sessions.find(request))
        known = find_known_person(request, self._people)
        if known is not None:
            return await self._log_in(request, pending, choose_fine(known))
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
            return await self._refuse(pending, saml_messages.CANCELLED, "cancelled by the user")
        return await self._log_in(request, pending, choice)

    async def _log_in(
        self, request: Request, pending: PendingRequest, choice: LoginChoice
    ) -> Response:
        login = RememberedLogin(
            decide_statement(choice), datetime.now(UTC), f"_{secrets.token_hex(16)}"
        )
        answer = await self._answer(pending, login)
        self._sessions.renew(answer, login, replaces=request)
        forget_known_person(answer)
        return answer

    async def _answer_passively(
        self, pending: PendingRequest, login: RememberedLogin | None
    ) -> Response:
        if login is None or pending.force_authn:
            return await self._refuse(pending, saml_messages.NO_PASSIVE, "a form would be needed")
        return await self._answer(pending, login)

    async def _answer(self, pending: PendingRequest, login: RememberedLogin) -> Response:
        server = await self._server(tampering=login.statement.tampered)
        xml = await anyio.to_thread.run_sync(self._build_response, server, pending, login)
        return self._pass_on(pending, xml)

    def _build_response(
        self, server: saml_messages.SchoolServer, pending: PendingRequest, login: RememberedLogin
    ) -> str:
        return saml_messages.build_response(
            server,
            login.statement,
            request_id=pending.request_id,
            sp_entity_id=pending.sp_entity_id,
            acs_url=pending.acs_url,
            sign_response=self._settings.sign_response,
            attribute_prefix=self._settings.attribute_prefix,
            authenticated_at=login.authenticated_at,
            session_index=login.session_index,
            level=pending.level,
        )

    async def _refuse(self, pending: PendingRequest, status: str, text: str) -> Response:
        server = await self._server()
        xml = await anyio.to_thread.run_sync(
            lambda: saml_messages.build_refusal(
                server,
                request_id=pending.request_id,
                acs_url=pending.acs_url,
                status=status,
                text=text,
            )
        )
        return self._pass_on(pending, xml)

    def _pass_on(self, pending: PendingRequest, xml: str) -> Response:
        fields = {"SAMLResponse": base64.b64encode(xml.encode()).decode()}
        if pending.relay_state is not None:
            fields["RelayState"] = pending.relay_state
        return pages.render_post(
            party=self._school.name,
            look=self._school.id,
            action=pending.acs_url,
            fields=fields,
        )

    async def _server(self, *, tampering: bool = False) -> saml_messages.SchoolServer:
        """Return pysaml2's server that knows the broker's metadata of this minute."""
        metadata = await self._broker_metadata.read()
        if metadata != self._loaded_metadata:
            self._servers = await anyio.to_thread.run_sync(self._build_servers, metadata)
            self._loaded_metadata = metadata
        return self._servers[tampering]

    def _build_servers(self, metadata: str) -> dict[bool, saml_messages.SchoolServer]:
        settings = self._settings
        config = saml_messages.idp_config(
            settings.base_url,
            keys=settings.keys,
            want_signed_requests=settings.want_signed_requests,
            broker_metadata=metadata,
        )
        return {
            False: saml_messages.SchoolServer(config=config),
            True: saml_messages.TamperingServer(config=config),
        }


def read_request(
    server: saml_messages.SchoolServer, parameters: Mapping[str, str], binding: str
) -> PendingRequest:
    """Return what an AuthnRequest asks, after pysaml2's checks.

    Raises:
        Exception: whatever pysaml2 raises for a bad request.
    """
    parsed = server.parse_authn_request(
        parameters["SAMLRequest"],
        binding,
        relay_state=parameters.get("RelayState"),
        sigalg=parameters.get("SigAlg"),
        signature=parameters.get("Signature"),
    )
    message = parsed.message
    answer_to = server.response_args(message, [BINDING_HTTP_POST])
    return PendingRequest(
        request_id=message.id,
        sp_entity_id=answer_to["sp_entity_id"],
        acs_url=answer_to["destination"],
        relay_state=parameters.get("RelayState"),
        force_authn=message.force_authn in {"true", "1"},
        is_passive=message.is_passive in {"true", "1"},
        level=_level_asked(message),
    )


def _level_asked(message: Any) -> str:
    """Return the first level that a request names; "" for none."""
    asked = message.requested_authn_context
    named = [] if asked is None else [each.text for each in asked.authn_context_class_ref]
    return named[0] if named else ""
