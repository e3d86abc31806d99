"""A demo supplier's system that speaks SAML: a service provider on pysaml2.

The AuthnRequest goes by the redirect binding, the response comes by POST. Signatures, encryption,
audience, times and InResponseTo are pysaml2's checks; attributes are read under the names that the
wire carries, because pysaml2's converters would rename or drop them.
"""

import secrets
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.demo.keys import KeyPair
from broker.demo.peers import PeerDocument, PeerUnreachable
from broker.demo.pysaml2 import (
    BINDING_HTTP_POST,
    BINDING_HTTP_REDIRECT,
    XMLSEC1,
    AuthnResponse,
    Saml2Client,
    SPConfig,
    StatusError,
    entity_descriptor,
    samlp,
    xmldsig,
)
from broker.demo.saml_logout import (
    Ended,
    ask_to_log_out,
    logout_endpoints,
    take_by_browser,
    take_by_soap,
)
from broker.demo.supplier import (
    HOME_TARGET,
    LEFT_TARGET,
    Received,
    SupplierPages,
    SupplierSession,
)

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True, slots=True)
class SamlSupplierSettings:
    """How this system speaks SAML.

    Attributes:
        system: slug, e.g. `biosfeer-saml`.
        sign_requests: sign AuthnRequests, and say so in the metadata.
        encryption_keys: publish this certificate for encryption.
        soap_logout: take messages about logging out without a browser, too.
    """

    system: str
    base_url: str
    keys: KeyPair
    sign_requests: bool = False
    encryption_keys: KeyPair | None = None
    soap_logout: bool = False


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """An AuthnRequest under way; `relay_state` must come back as it went out."""

    request_id: str
    relay_state: str
    target: str


def sp_config(settings: SamlSupplierSettings, *, broker_metadata: str | None) -> SPConfig:
    """Return pysaml2's configuration; without the broker's metadata only for our own metadata."""
    service: dict[str, Any] = {
        "endpoints": {
            "assertion_consumer_service": [(f"{settings.base_url}/saml/acs", BINDING_HTTP_POST)],
            "single_logout_service": logout_endpoints(settings.base_url, soap=settings.soap_logout),
        },
        "authn_requests_signed": settings.sign_requests,
        "want_response_signed": False,
        "want_assertions_signed": False,
        "want_assertions_or_response_signed": True,
        "allow_unsolicited": False,
        "name_id_policy_format": PERSISTENT,
        "name_id_format": [PERSISTENT],
    }
    config: dict[str, Any] = {
        "entityid": f"{settings.base_url}/saml/metadata",
        "xmlsec_binary": XMLSEC1,
        "key_file": str(settings.keys.key_file),
        "cert_file": str(settings.keys.certificate_file),
        "accepted_time_diff": 60,
        "allow_unknown_attributes": True,
        "service": {"sp": service},
    }
    if settings.encryption_keys is not None:
        config["encryption_keypairs"] = [
            {
                "key_file": str(settings.encryption_keys.key_file),
                "cert_file": str(settings.encryption_keys.certificate_file),
            }
        ]
    if broker_metadata is not None:
        config["metadata"] = {"inline": [broker_metadata]}
    return SPConfig().load(config)


def sp_metadata(settings: SamlSupplierSettings) -> str:
    """Return the system's own metadata as XML, unsigned."""
    return str(entity_descriptor(sp_config(settings, broker_metadata=None)))


class SamlSupplier:
    """One SAML system of a supplier."""

    def __init__(
        self, settings: SamlSupplierSettings, *, pages: SupplierPages, broker_metadata: PeerDocument
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._broker_metadata = broker_metadata
        self._client: Saml2Client | None = None
        self._loaded_metadata = ""
        pages.find_logout = self.find_logout

    def app(self) -> Starlette:
        """Return the system as an ASGI application."""
        return Starlette(
            routes=[
                Route("/login", self.log_in),
                Route("/saml/acs", self.consume, methods=["POST"]),
                Route("/saml/slo", self.log_out_by_browser, methods=["GET", "POST"]),
                Route("/saml/slo/soap", self.log_out_by_soap, methods=["POST"]),
                Route("/saml/metadata", self.metadata),
                *self._pages.routes(),
            ]
        )

    async def metadata(self, _request: Request) -> Response:
        return Response(sp_metadata(self._settings), media_type="application/samlmetadata+xml")

    async def log_in(self, request: Request) -> Response:
        """Send the browser to the broker.

        Query: `target` is the deep link; `idp_hint` (entity id, BRIN or realm) goes out as
        Scoping; `force_authn=1` and `is_passive=1` as the attributes of that name.
        """
        try:
            client = await self._load_client()
        except PeerUnreachable:
            return self._pages.unavailable(request)
        target = self._pages.find_target(request, "target")
        asked = request.query_params
        arguments: dict[str, Any] = {
            name: "true" for name in ("force_authn", "is_passive") if asked.get(name)
        }
        if hint := asked.get("idp_hint"):
            entry = samlp.IDPEntry(provider_id=hint)
            arguments["scoping"] = samlp.Scoping(idp_list=samlp.IDPList(idp_entry=[entry]))
        relay_state = secrets.token_urlsafe(16)
        request_id, location = await anyio.to_thread.run_sync(
            self._authn_request, client, relay_state, arguments
        )
        pending = PendingLogin(request_id, relay_state, target)
        return self._pages.begin(request, to=location, key=request_id, pending=pending)

    def _authn_request(
        self, client: Saml2Client, relay_state: str, arguments: dict[str, Any]
    ) -> tuple[str, str]:
        request_id, http = client.prepare_for_authenticate(
            relay_state=relay_state,
            binding=BINDING_HTTP_REDIRECT,
            sign=self._settings.sign_requests,
            sigalg=xmldsig.SIG_RSA_SHA256,
            **arguments,
        )
        return request_id, dict(http["headers"])["Location"]

    async def consume(self, request: Request) -> Response:
        """Take the broker's response at the assertion consumer service."""
        form = await request.form()
        message = form.get("SAMLResponse")
        session = self._pages.sessions.find(request)
        pending: dict[str, PendingLogin] = dict(session.pending) if session else {}
        if not isinstance(message, str) or session is None:
            return self._pages.refuse(request, reason="no_login_under_way")
        try:
            client = await self._load_client()
            response = await anyio.to_thread.run_sync(self._verify, client, message, pending)
        except PeerUnreachable:
            return self._pages.unavailable(request)
        except StatusError as refusal:
            asked = [
                each for each in pending.values() if each.relay_state == form.get("RelayState")
            ]
            target = asked[0].target if asked else HOME_TARGET
            return self._pages.refuse(request, reason=type(refusal).__name__, target=target)
        except Exception as error:  # pysaml2 raises bare exceptions for bad responses
            self._broker_metadata.expire()
            return self._pages.refuse(request, reason=f"not_verified ({type(error).__name__})")
        login: PendingLogin = session.pending.pop(response.in_response_to)
        if form.get("RelayState") != login.relay_state:
            return self._pages.refuse(request, reason="relay_state_mismatch", target=login.target)
        return self._pages.finish(request, read_received(response), target=login.target)

    def _verify(
        self, client: Saml2Client, message: str, pending: dict[str, PendingLogin]
    ) -> AuthnResponse:
        outstanding = {request_id: login.target for request_id, login in pending.items()}
        return client.parse_authn_request_response(message, BINDING_HTTP_POST, outstanding)

    async def find_logout(self, received: Received) -> str:
        """Return where a person logs out at the broker: there, with a signed LogoutRequest."""
        try:
            return await ask_to_log_out(
                await self._load_client(),
                name_id=received.name_id,
                session_index=received.session_index,
                relay_state=secrets.token_urlsafe(16),
            )
        except PeerUnreachable:
            return LEFT_TARGET

    async def log_out_by_browser(self, request: Request) -> Response:
        """Take a message about logging out that a browser brings."""
        client = await self._load_client()
        return await take_by_browser(client, request, end=self._end, left=LEFT_TARGET)

    async def log_out_by_soap(self, request: Request) -> Response:
        """Take the broker's own."""
        return await take_by_soap(await self._load_client(), request, end=self._end)

    def _end(self, ended: Ended) -> None:
        """End the sessions that the broker means."""

        def is_meant(session: SupplierSession) -> bool:
            received = session.received
            return (
                received is not None
                and received.subject == ended.name_id
                and received.session_index in (ended.session_indexes or (received.session_index,))
            )

        self._pages.sessions.end_where(is_meant)

    async def _load_client(self) -> Saml2Client:
        """Return pysaml2's client that knows the broker's metadata of this minute."""
        metadata = await self._broker_metadata.read()
        if self._client is None or metadata != self._loaded_metadata:
            config = sp_config(self._settings, broker_metadata=metadata)
            self._client = await anyio.to_thread.run_sync(lambda: Saml2Client(config=config))
            self._loaded_metadata = metadata
        return self._client


def read_received(response: AuthnResponse) -> Received:
    """Return what a verified response states, attributes by their names on the wire."""
    claims: dict[str, list[str]] = {}
    for statement in response.assertion.attribute_statement:
        for attribute in statement.attribute:
            values = [(value.text or "") for value in attribute.attribute_value]
            claims[attribute.name] = claims.get(attribute.name, []) + values
    return Received(
        subject=response.name_id.text,
        claims=claims,
        protocol="saml",
        name_id=response.name_id,
        session_index=response.assertion.authn_statement[0].session_index or "",
    )
