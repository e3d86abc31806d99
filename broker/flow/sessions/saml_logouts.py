"""What a logout says and hears by SAML: reads messages of parties, and writes ours to them.

Values that go to a party are its own: its name for the person, its SessionIndex, and an id and a
RelayState that are derived for it alone. No two parties of one logout get anything in common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from broker.flow.held_state.handles import Handle
from broker.flow.held_state.login_store import Claim, claim_seconds
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import Clock, FlowKeys, Random, SchoolUnanswered, Snapshots
from broker.flow.random_texts import make_xml_id
from broker.flow.sessions.logout_courier import LogoutCalls
from broker.flow.sessions.logout_records import LogoutRecord, SamlAsked
from broker.flow.sessions.saml_peers import Place, SamlNames, SamlPeer, Side, find_peer
from broker.flow.sessions.session_records import NamedSession
from broker.saml_xml.bindings import MessageKind
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.forms import PostForm, build_post_form, build_redirect
from broker.saml_xml.logout.building import (
    build_envelope,
    build_logout_answer,
    build_logout_request,
)
from broker.saml_xml.logout.messages import (
    ArrivedLogout,
    LogoutAnswer,
    LogoutRequest,
    NameIdentifier,
    SignedLogout,
    authenticate_logout,
    decode_envelope,
    read_issuer,
)
from broker.saml_xml.logout.reading import read_logout_answer, read_logout_request
from broker.saml_xml.logout.refusals import LogoutMalformed
from broker.saml_xml.names import STATUS_PARTIAL_LOGOUT, STATUS_SUCCESS
from broker.saml_xml.registered_keys import verification_keys
from broker.saml_xml.security import XmlSecurity

LOGOUT_ID = "saml-logout-id"
"""Kind of one-shot value: the ID of a party's LogoutRequest."""

RELAY_CHARACTERS = 43  # of base64url: 256 bits, within the 80 bytes of SAML bindings 3.4.3
SUCCESS = (STATUS_SUCCESS,)
PARTIAL = (STATUS_SUCCESS, STATUS_PARTIAL_LOGOUT)
SOAP_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "SOAPAction": '"http://www.oasis-open.org/committees/security"',  # SAML bindings 3.2.3.2
}


@dataclass(frozen=True, slots=True)
class BrowserForm:
    """A form by which the browser brings a message to a party.

    Attributes:
        url: for the redirect binding, the whole address instead; "" for POST.
        action, fields: for the redirect binding its query, in order. A form makes the same bytes of
            it, which are signed, as long as RelayState is one of ours.
    """

    action: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AskedBySaml:
    """A request that passed every check, with what uses it up."""

    peer: SamlPeer
    request: LogoutRequest
    record: LogoutRecord = field(repr=False)
    claims: tuple[Claim, ...] = field(repr=False)


class SamlLogouts:
    """Reads and writes messages about logging out. Keeps nothing.

    Attributes:
        names: by which parties know us.
    """

    def __init__(
        self,
        *,
        names: SamlNames,
        snapshots: Snapshots,
        state: SealedState,
        keys: FlowKeys,
        xml: XmlSecurity,
        clock: Clock,
        random: Random,
    ) -> None:
        self.names = names
        self._snapshots = snapshots
        self._state = state
        self._keys = keys
        self._xml = xml
        self._clock = clock
        self._random = random

    # What arrives ----------------------------------------------------------------------------

    def authenticate(self, arrived: ArrivedLogout, *, side: Side) -> tuple[SamlPeer, SignedLogout]:
        """Return from whom a message is, proven by a registered key.

        Raises:
            LogoutMessageRefused, XmlRefusal
        """
        peer = find_peer(side, read_issuer(arrived), registry=self._snapshots.registry)
        keys = verification_keys(peer.certificates)
        return peer, authenticate_logout(arrived, keys=keys, xml=self._xml)

    def read_request(self, arrived: ArrivedLogout, *, side: Side) -> AskedBySaml:
        """Return what a party asks. Raises as `authenticate`."""
        peer, signed = self.authenticate(arrived, side=side)
        now = self._clock()
        at = self.names.soap_url if arrived.binding == "soap" else self.names.slo_urls[side]
        request = read_logout_request(
            signed,
            binding=arrived.binding,
            url=at,
            decryption_keys=self._keys.saml_decryption,
            xml=self._xml,
            now=now,
        )
        if not peer.names_us(request.name, own=self.names.of(side)):
            raise LogoutMalformed("check_name_qualifiers")
        claims = self._state.claims_for(
            LOGOUT_ID,
            issuer=peer.key,
            value=request.message_id,
            ttl_seconds=claim_seconds(request.usable_until, now=now),
            made_within=now - request.made_after,
        )
        record = LogoutRecord(
            relying_party=peer.relying_party,
            idp=peer.idp,
            is_proven=True,
            saml=SamlAsked(
                message_id=request.message_id,
                relay_state=arrived.relay_state,
                name_id=request.name.value,
                session_indexes=request.session_indexes,
                binding=arrived.binding,
                is_async=request.is_async,
            ),
        )
        return AskedBySaml(peer, request, record, claims)

    def read_answer(self, arrived: ArrivedLogout, *, asked: SamlPeer, handle: Handle) -> bool:
        """Tell whether the party that this logout asked says that it is out there.

        Raises:
            LogoutMessageRefused, XmlRefusal: it is not its answer to our question.
        """
        peer, signed = self.authenticate(arrived, side=asked.side)
        if peer.key != asked.key:
            raise LogoutMalformed("check_answer_of_who_was_asked")
        return read_logout_answer(
            signed,
            binding=arrived.binding,
            url=self.names.slo_urls[peer.side],
            request_id=self.request_id(handle, peer),
            now=self._clock(),
        ).is_out

    # What we send ----------------------------------------------------------------------------

    def request_id(self, handle: Handle, peer: SamlPeer) -> str:
        """Return the id of our request to a party in one logout, which only we can make."""
        return f"_{self._state.derive_handle(handle, f'logout-request/{peer.key}').text}"

    def relay_state(self, handle: Handle, peer: SamlPeer) -> str:
        """Return what comes back beside the party's answer; another one for each party."""
        derived = self._state.derive_handle(handle, f"logout-relay/{peer.key}")
        return derived.text[:RELAY_CHARACTERS]

    def build_request(
        self, peer: SamlPeer, place: Place, named: NamedSession, handle: Handle
    ) -> BrowserForm:
        """Return what brings our question to a party by the browser."""
        root = self._question(peer, place, named, message_id=self.request_id(handle, peer))
        return self._bring(root, place.url, place, relay_state=self.relay_state(handle, peer))

    def build_answer(
        self, record: LogoutRecord, peer: SamlPeer, *, everywhere: bool
    ) -> BrowserForm | None:
        """Return what brings our answer to who asked; None where nothing of the kind is wanted or
        possible."""
        asked = record.saml
        if asked is None or asked.is_async:
            return None
        place = peer.by_browser(asked.binding)
        if place is None:
            return None
        root = build_logout_answer(
            message_id=make_xml_id(self._random),
            entity_id=self.names.of(peer.side),
            destination=place.answers,
            in_response_to=asked.message_id,
            status=SUCCESS if everywhere else PARTIAL,
            now=self._clock(),
        )
        return self._bring(root, place.answers, place, relay_state=asked.relay_state, answers=True)

    def answer_by_soap(self, asked: AskedBySaml) -> bytes:
        """Return our answer on the connection on which the question came.

        It is the same whatever there was to end: nobody else is told without the browser, so it is
        partial, and nobody learns by asking.
        """
        root = build_logout_answer(
            message_id=make_xml_id(self._random),
            entity_id=self.names.of(asked.peer.side),
            destination=None,
            in_response_to=asked.request.message_id,
            status=PARTIAL,
            now=self._clock(),
        )
        self._xml.sign(root, key=self._keys.saml_signing)
        return build_envelope(root)

    async def call(
        self, calls: LogoutCalls, peer: SamlPeer, place: Place, named: NamedSession
    ) -> bool:
        """Ask a party without the browser; tell whether it says that it is out there.

        Raises:
            SchoolUnanswered: it does not answer, or nothing that we can believe.
            Refusal: likewise.
        """
        message_id = make_xml_id(self._random)
        root = self._question(peer, place, named, message_id=message_id)
        self._xml.sign(root, key=self._keys.saml_signing)
        body = await calls.post(place.url, headers=SOAP_HEADERS, content=build_envelope(root))
        arrived = decode_envelope(body, xml=self._xml)
        sender, signed = self.authenticate(arrived, side=peer.side)
        if sender.key != peer.key:
            raise SchoolUnanswered
        answer: LogoutAnswer = read_logout_answer(
            signed,
            binding="soap",
            url=self.names.soap_url,
            request_id=message_id,
            now=self._clock(),
        )
        return answer.is_out

    def _question(
        self, peer: SamlPeer, place: Place, named: NamedSession, *, message_id: str
    ) -> Element:
        return build_logout_request(
            message_id=message_id,
            entity_id=self.names.of(peer.side),
            destination=place.url,
            name=NameIdentifier(
                named.name_id, named.format, named.name_qualifier, named.sp_name_qualifier
            ),
            session_index=named.session_index,
            now=self._clock(),
        )

    def _bring(
        self,
        root: Element,
        url: str,
        place: Place,
        *,
        relay_state: str | None,
        answers: bool = False,
    ) -> BrowserForm:
        kind: MessageKind = "SAMLResponse" if answers else "SAMLRequest"
        key = self._keys.saml_signing
        if place.binding == "redirect":
            redirect = build_redirect(
                url,
                serialize(root),
                kind=kind,
                relay_state=relay_state,
                signing_key=key,
                xml=self._xml,
            )
            parts = urlsplit(redirect.url)
            fields = tuple(parse_qsl(parts.query, keep_blank_values=True))
            return BrowserForm(parts._replace(query="").geturl(), fields, redirect.url)
        self._xml.sign(root, key=key)
        form: PostForm = build_post_form(url, serialize(root), kind=kind, relay_state=relay_state)
        return BrowserForm(form.action, form.fields)
