"""Logins of schools by SAML: the request to their identity provider, and what comes back."""

from collections.abc import Sequence

from broker.domain.federation import SamlIdpEndpoints, School, SchoolIdp
from broker.flow.answers import PostMessage, Redirect
from broker.flow.at_school import Asked, AtSchool, SchoolAddresses, SchoolAnswer, Sent
from broker.flow.held_state.login_store import claim_seconds
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.hints_out import find_hint
from broker.flow.ports import Clock, FlowKeys, Random
from broker.flow.random_texts import make_xml_id
from broker.flow.sessions.session_records import NamedSession
from broker.flow.wanted_level import find_level_words
from broker.saml_sp.login import ExpectedResponse, SamlLogin
from broker.saml_sp.request import build_authn_request
from broker.saml_sp.response import read_response
from broker.saml_xml.forms import PostForm
from broker.saml_xml.security import XmlSecurity

ASSERTION_ID = "assertion-id"
"""Kind of one-shot value: the ID of a school's assertion."""


class SamlSchools:
    """Sends browsers to schools' SAML identity providers and reads their answers. Keeps nothing."""

    def __init__(
        self,
        *,
        addresses: SchoolAddresses,
        state: SealedState,
        keys: FlowKeys,
        xml: XmlSecurity,
        clock: Clock,
        random: Random,
    ) -> None:
        self._addresses = addresses
        self._state = state
        self._keys = keys
        self._xml = xml
        self._clock = clock
        self._random = random

    def send(
        self,
        request: Asked,
        endpoints: SamlIdpEndpoints,
        *,
        school: School | None,
        idp: SchoolIdp,
        state: str,
        other_account: bool,
    ) -> tuple[Sent, Redirect | PostMessage]:
        """Return how the browser goes to a school's provider; see `SchoolSide.dispatch`."""
        words = find_level_words(request, idp)
        sent = Sent(
            request_id=make_xml_id(self._random),
            sent_at=self._clock(),
            # SAML knows neither a choice of accounts nor a maximum age: each means a new login.
            force_login=(
                request.force_login or other_account or request.max_age_seconds is not None
            ),
        )
        message = build_authn_request(
            endpoints,
            request_id=sent.request_id,
            entity_id=self._addresses.saml_entity_id,
            acs_url=self._addresses.acs_url,
            relay_state=state,
            now=sent.sent_at,
            force_authn=sent.force_login,
            is_passive=request.passive,
            authn_contexts=words.asked,
            school_hint=find_hint(school, idp)[1],
            signing_key=self._keys.saml_signing,
            xml=self._xml,
        )
        if isinstance(message, PostForm):
            name = (idp.name or idp.place) if school is None else school.name
            return sent, PostMessage(message.action, message.fields, name)
        return sent, Redirect(message.url)

    def read(
        self, pending: AtSchool, idp: SchoolIdp, *, form: Sequence[tuple[str, str]]
    ) -> SchoolAnswer:
        """Return what a posted SAML response states, after every check."""
        now, words = self._clock(), find_level_words(pending.request, idp)
        login = read_response(
            form,
            xml=self._xml,
            expected=ExpectedResponse(
                idp=idp,
                request_id=pending.request_id,
                acs_url=self._addresses.acs_url,
                entity_id=self._addresses.saml_entity_id,
                force_authn_since=pending.sent_at if pending.force_login else None,
                max_age_seconds=pending.request.max_age_seconds,
                authn_contexts=words.honoured,
                level_asked=bool(words.asked),
            ),
            decryption_keys=self._keys.saml_decryption,
            now=now,
        )
        claims = self._state.claims_for(
            ASSERTION_ID,
            issuer=idp.id,
            value=login.assertion_id,
            ttl_seconds=claim_seconds(login.assertion_not_on_or_after, now=now),
            # It answers our request, so nobody made it before we sent that.
            made_within=now - pending.sent_at,
        )
        return SchoolAnswer(
            login.login, claims, exceptions=login.exceptions, named=_name_session(login, idp)
        )


def _name_session(login: SamlLogin, idp: SchoolIdp) -> NamedSession | None:
    """Return how the school's login knows this session; nothing where no logout asks for it."""
    name = login.name_id
    if name is None or not idp.single_logout:
        return None
    return NamedSession(
        name_id=name.value,
        format=name.format,
        name_qualifier=name.name_qualifier,
        sp_name_qualifier=name.sp_name_qualifier,
        session_index=login.session_index,
    )
