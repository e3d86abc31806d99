"""The release decision of today over what a login released: of that, it can only take away."""

from collections.abc import Collection, Mapping
from datetime import datetime

from broker.domain.dutch_days import day_of
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import (
    AgreementNotInForce,
    NoAgreement,
    ReleaseDecision,
    RequiredAttributeNotApproved,
    RequiredAttributeNotStated,
    WithheldBecause,
    decide_release,
    keep_asked,
)
from broker.domain.shielded_release import PersonShielded, shield_release
from broker.domain.shielding import Shield
from broker.domain.stopped_agreements import AgreementStopped
from broker.domain.takeover_scope import is_taken_over
from broker.flow.asked import keep_what_is_asked
from broker.flow.held_state.records import RefreshFamily
from broker.flow.naming import PseudonymsRotated, check_epoch_unchanged
from broker.flow.parties import Parties, check_school_open, find_idp, find_parties
from broker.flow.refusals import SchoolNotOpen, SupplierNotOpen
from broker.flow.still_allowed import is_unchanged
from broker.flow.tokens.access import CLOSED
from broker.oidc_op.token import GrantRefused

_REFUSED = (
    *CLOSED,
    *(NoAgreement, AgreementNotInForce, AgreementStopped, PseudonymsRotated),
    *(RequiredAttributeNotApproved, RequiredAttributeNotStated, PersonShielded),
)


def decide_anew(
    family: RefreshFamily, *, shields: Mapping[str, Shield], registry: Registry, now: datetime
) -> tuple[Parties, ReleaseDecision]:
    """Return to whom a refresh releases, and what.

    The supplier's pseudonyms must be of the epoch of the login: OIDC Core 12.2 wants the same
    `sub`, and after a rotation only a new login can tell the new one beside `previous_sub`.

    Args:
        shields: of this person, by id.

    Raises:
        GrantRefused: somebody who stands behind the login was switched off, the school decided
            that nothing goes out, or less than the supplier's material needs.
    """
    try:
        parties = _check_open(family, registry=registry)
        check_epoch_unchanged(family.grant.pseudonym, supplier=parties.supplier)
        return parties, _decide(family, parties, shields.values(), registry=registry, now=now)
    except _REFUSED as refused:
        raise GrantRefused(refused.check) from None


def _check_open(family: RefreshFamily, *, registry: Registry) -> Parties:
    between = family.between
    parties = find_parties(registry, between.relying_party)
    if parties.supplier.id != between.supplier:
        raise SupplierNotOpen("check_supplier_unchanged")
    school, idp = registry.schools.get(between.school), find_idp(registry, between.idp)
    if school is None or school.id not in idp.schools:
        raise SchoolNotOpen("check_school_of_idp")
    check_school_open(school, parties.supplier, idp)
    return parties


def _decide(
    family: RefreshFamily,
    parties: Parties,
    shields: Collection[Shield],
    *,
    registry: Registry,
    now: datetime,
) -> ReleaseDecision:
    school, supplier, today = (
        registry.schools[family.between.school],
        parties.supplier,
        day_of(now),
    )
    found = find_agreement(registry, school, supplier.id, today)
    before = family.decision
    # What the login stated and the supplier did not ask for is not held, and not missing either.
    not_asked = {each.name for each in before.withheld if each.reason is WithheldBecause.NOT_ASKED}
    held = {each.name: each.values for each in before.released}
    decision = decide_release(
        supplier=supplier,
        school=school.id,
        agreement=None if found is None else found.agreement,
        carried_from=() if found is None else found.carried_from,
        population=family.population,
        # By another version other groups count, and of which the person is, is not held.
        rules=before.rules if found is not None and is_unchanged(before, found) else None,
        stated=dict.fromkeys(not_asked, ()) | held,
        today=today,
        taken_over=is_taken_over(registry, school.id, supplier.id, today=today),
    )
    if shields and found is not None:
        decision = shield_release(
            *(decision, shields),
            supplier=supplier,
            agreement=found.agreement,
            population=family.population,
        )
    return keep_what_is_asked(
        keep_asked(decision, held.keys()),
        family.asked_claims,
        claims=parties.relying_party.claims,
    )
