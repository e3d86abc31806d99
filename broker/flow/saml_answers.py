"""Answers to SAML suppliers: what a release or a refusal looks like at a service provider."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broker.domain.refusals import Refusal
from broker.domain.release import lint_claims
from broker.domain.relying_parties import SamlServiceProvider
from broker.flow.answers import PostMessage
from broker.flow.asked import told_moment
from broker.flow.held_state.records import PreparedRelease
from broker.flow.parties import Parties
from broker.flow.ports import FlowKeys, Random
from broker.flow.random_texts import make_xml_id
from broker.flow.refusals import AgreementChanged, SupplierNotOpen
from broker.flow.sessions.sessions import Part
from broker.saml_idp.assertion import ResponseIds, Told
from broker.saml_idp.attributes import attribute_names, build_attributes
from broker.saml_idp.name_ids import NameIdKind, choose_name_id, tells_pseudonym
from broker.saml_idp.refusals import AnswerTo
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_idp.response import build_error_response, build_response
from broker.saml_xml.forms import PostForm
from broker.saml_xml.names import AUTHN_UNSPECIFIED, NAMEID_PERSISTENT, NAMEID_TRANSIENT
from broker.saml_xml.security import XmlSecurity


@dataclass(frozen=True, slots=True)
class GivenName:
    """By what a service provider knows somebody after this login.

    Attributes:
        text: its NameID; for an answer without one, what its session is known by here.
        transient: a name of this login alone, whether it is used or not.
        format: of the NameID.
    """

    text: str = field(repr=False)
    transient: str = field(repr=False)
    format: str


class SamlAnswers:
    """Builds answers to service providers; keeps nothing."""

    def __init__(
        self,
        *,
        entity_id: str,
        pairwise_scope: str,
        keys: FlowKeys,
        xml: XmlSecurity,
        random: Random,
    ) -> None:
        self._entity_id = entity_id
        self._pairwise_scope = pairwise_scope
        self._keys = keys
        self._xml = xml
        self._random = random

    def choose_name_id(
        self, request: CheckedAuthnRequest, prepared: PreparedRelease, parties: Parties
    ) -> GivenName:
        """Return the name by which logging out finds this login again.

        Raises:
            SupplierNotOpen: the relying party speaks another protocol by now.
            AgreementChanged: it wants the pseudonym by now, and none was derived.
        """
        provider = service_provider_of(parties)
        transient_asked = request.name_id_transient
        if prepared.pseudonym is None and tells_pseudonym(
            provider, transient_asked=transient_asked
        ):
            raise AgreementChanged("check_name_id_unchanged", subject=parties.supplier.display_name)
        transient = make_xml_id(self._random)
        kind = choose_name_id(provider, transient_asked=transient_asked)
        named = prepared.pseudonym if kind is NameIdKind.PERSISTENT else None
        name_format = NAMEID_TRANSIENT if named is None else NAMEID_PERSISTENT
        return GivenName(named or transient, transient, name_format)

    def build(
        self,
        request: CheckedAuthnRequest,
        prepared: PreparedRelease,
        parties: Parties,
        *,
        name_id: GivenName,
        part: Part | None,
        now: datetime,
    ) -> PostMessage:
        """Return the answer that releases, linted.

        Args:
            part: the relying party's in the session of this login, if there is one.

        Raises:
            ClaimsBeyondDecision: more was built than decided; a fault of ours.
            CannotEncrypt, ValueUnwritable: of `saml_idp`.
        """
        provider = service_provider_of(parties)
        until = None if part is None else now + timedelta(seconds=part.reach_seconds)
        told = build_told(
            prepared, parties, pairwise_scope=self._pairwise_scope, session_until=until, now=now
        )
        form = build_response(
            request,
            told,
            service_provider=provider,
            entity_id=self._entity_id,
            ids=ResponseIds(
                response_id=make_xml_id(self._random),
                assertion_id=make_xml_id(self._random),
                session_index=make_xml_id(self._random) if part is None else f"_{part.sid}",
                transient_name_id=name_id.transient,
            ),
            now=now,
            signing_key=self._keys.saml_signing,
            xml=self._xml,
        )
        return _post(form, parties)

    def refuse(
        self, answer_to: AnswerTo, refusal: Refusal, *, parties: Parties, now: datetime
    ) -> PostMessage:
        """Return the answer that tells a service provider of a refusal."""
        form = build_error_response(
            answer_to,
            refusal=refusal,
            entity_id=self._entity_id,
            response_id=make_xml_id(self._random),
            now=now,
            signing_key=self._keys.saml_signing,
            xml=self._xml,
        )
        return _post(form, parties)


def build_told(
    prepared: PreparedRelease,
    parties: Parties,
    *,
    pairwise_scope: str,
    session_until: datetime | None,
    now: datetime,
) -> Told:
    """Return what an answer to a service provider tells, linted.

    Args:
        session_until: from when on no logout reaches it; None without a session.

    Raises:
        ClaimsBeyondDecision: more was built than decided; a fault of ours.
        SupplierNotOpen: the relying party speaks another protocol by now.
    """
    naming = service_provider_of(parties).answers.attribute_names
    attributes = build_attributes(prepared.decision, naming)
    lint_claims(attributes, decision=prepared.decision, names=attribute_names(naming))
    return Told(
        pseudonym=prepared.pseudonym or "",
        previous_pseudonym=prepared.previous,
        pairwise_scope=pairwise_scope,
        attributes=attributes,
        authenticated_at=told_moment(prepared, now=now),
        authn_context=prepared.acr or AUTHN_UNSPECIFIED,
        session_until=session_until,
    )


def service_provider_of(parties: Parties) -> SamlServiceProvider:
    """Return the relying party as a service provider.

    Raises:
        SupplierNotOpen: it speaks another protocol by now.
    """
    provider = parties.relying_party.protocol
    if not isinstance(provider, SamlServiceProvider):
        raise SupplierNotOpen("check_protocol_unchanged")
    return provider


def _post(form: PostForm, parties: Parties) -> PostMessage:
    return PostMessage(form.action, form.fields, destination_name=parties.supplier.display_name)
