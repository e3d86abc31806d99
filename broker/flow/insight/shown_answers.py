"""The very message that one system of a supplier would get, for people to read.

Made by what answers logins: the same claims, the same assertion, linted as they are; then written
down instead of signed. Nothing is kept or sent, and the pseudonym is a sample that is nobody's.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from broker.domain.attributes import Population
from broker.domain.federation import SchoolIdp, Supplier
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry
from broker.domain.release import ReleaseDecision
from broker.domain.relying_parties import OidcClient, RelyingParty
from broker.flow.following.trail import LoginId
from broker.flow.held_state.records import PreparedRelease, SupplierRequest
from broker.flow.login_tests.supplier_outlook import make_sample
from broker.flow.oidc_answers import build_grant
from broker.flow.parties import Parties
from broker.flow.ports import Random
from broker.flow.random_texts import make_jti, make_xml_id
from broker.flow.receipts.receipts import SealedReceipt
from broker.flow.saml_answers import build_told, service_provider_of
from broker.oidc_op.claims import id_token_claims
from broker.oidc_op.clients import known_client_of
from broker.oidc_op.grants import userinfo_grant_of
from broker.oidc_op.request import CheckedAuthorizationRequest, begin_plain
from broker.oidc_op.userinfo import build_userinfo
from broker.saml_idp.assertion import ResponseIds
from broker.saml_idp.request import CheckedAuthnRequest, begin_unasked
from broker.saml_idp.response import show_assertion


class MessageKind(StrEnum):
    """What a supplier's system gets."""

    ID_TOKEN = "id-token"
    USERINFO = "userinfo"
    ASSERTION = "assertion"


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message: JSON or XML in lines, as it is before it is signed."""

    kind: MessageKind
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownNames:
    """By what names we speak to suppliers, as settings have them."""

    issuer: str
    entity_id: str
    pairwise_scope: str


def make_sample_request(relying_party: RelyingParty) -> SupplierRequest:
    """Return the plainest login that a system can ask for, as if it had passed every check."""
    protocol = relying_party.protocol
    if isinstance(protocol, OidcClient):
        return begin_plain(relying_party.id, protocol)
    return begin_unasked(relying_party.id, protocol, hints=(), relay_state=None)


def show_messages(
    decision: ReleaseDecision,
    request: SupplierRequest,
    *,
    parties: Parties,
    idp: SchoolIdp,
    population: Population,
    registry: Registry,
    names: ShownNames,
    now: datetime,
    random: Random,
) -> tuple[ShownMessage, ...]:
    """Return what the system that asks would get by this decision.

    Args:
        decision: what was asked of it (`asked.keep_asked_of`).

    Raises:
        ClaimsBeyondDecision, ValueUnwritable: as a login would.
    """
    prepared = _prepare(
        decision, request, parties.supplier, idp=idp, population=population, now=now, random=random
    )
    if isinstance(request, CheckedAuthorizationRequest):
        return _show_claims(
            request, prepared, parties, registry=registry, names=names, now=now, random=random
        )
    return _show_assertion(request, prepared, parties, names=names, now=now, random=random)


def _prepare(
    decision: ReleaseDecision,
    request: SupplierRequest,
    supplier: Supplier,
    *,
    idp: SchoolIdp,
    population: Population,
    now: datetime,
    random: Random,
) -> PreparedRelease:
    """Return a release of nobody: with a sample pseudonym, and without a receipt."""
    before = supplier.previous_epoch
    return PreparedRelease(
        login=LoginId(""),
        request=request,
        idp=idp.id,
        clicked=decision.school,
        decision=decision,
        pseudonym=make_sample(supplier.epoch, random),
        previous=None if before is None else make_sample(before, random),
        receipt=_no_receipt(decision.school),
        authenticated_at=now,
        population=population,
    )


def _no_receipt(school: SchoolId) -> SealedReceipt:
    return SealedReceipt(b"", b"", school, 0)


def _show_claims(
    request: CheckedAuthorizationRequest,
    prepared: PreparedRelease,
    parties: Parties,
    *,
    registry: Registry,
    names: ShownNames,
    now: datetime,
    random: Random,
) -> tuple[ShownMessage, ...]:
    grant = build_grant(request, prepared, parties, sid=None, told=None, now=now)
    profile = known_client_of(parties.relying_party, parties.supplier).profile
    claims = id_token_claims(
        grant, names.issuer, now=now, jti=make_jti(random),
        life_seconds=profile.id_token_ttl_seconds,
    )  # fmt: skip
    kept = userinfo_grant_of(
        grant, signed=False, issued_at=now, ttl_seconds=profile.access_token_ttl_seconds
    )
    _, told = build_userinfo(kept, registry=registry)
    return (
        ShownMessage(MessageKind.ID_TOKEN, _in_lines(claims)),
        ShownMessage(MessageKind.USERINFO, _in_lines(told)),
    )


def _show_assertion(
    request: CheckedAuthnRequest,
    prepared: PreparedRelease,
    parties: Parties,
    *,
    names: ShownNames,
    now: datetime,
    random: Random,
) -> tuple[ShownMessage, ...]:
    told = build_told(
        prepared, parties, pairwise_scope=names.pairwise_scope, session_until=None, now=now
    )
    text = show_assertion(
        request,
        told,
        service_provider=service_provider_of(parties),
        entity_id=names.entity_id,
        ids=ResponseIds(
            response_id=make_xml_id(random),
            assertion_id=make_xml_id(random),
            session_index=make_xml_id(random),
            transient_name_id=make_xml_id(random),
        ),
        now=now,
    )
    return (ShownMessage(MessageKind.ASSERTION, text),)


def _in_lines(claims: object) -> str:
    return json.dumps(claims, indent=2, ensure_ascii=False)
