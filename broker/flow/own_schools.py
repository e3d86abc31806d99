"""Two schools at once: which of a person's schools a login is for, and what is remembered of it.

A login may state several schools (a pupil of two schools, a teacher at two). Those that let the
person go to this supplier are offered: open, with an agreement in force, and with what the
supplier's material needs. One needs no page; of several the person chooses one.

The choice is remembered for the person at this supplier (`SupplierSeen.school`), never in the
device, so it holds at every device and nobody else's on the same one. A teacher is another account
at each school, for staff hang on the school: then each account's row remembers, and where they
disagree the person is asked again.
"""

from collections.abc import Callable, Sequence
from datetime import date

from msgspec.structs import replace

from broker.domain.agreements import rules_met
from broker.domain.attributes import UNIT
from broker.domain.federation import School, SchoolIdp, Supplier
from broker.domain.identity import Identity, StatedLogin, identity_at
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.membership import state_membership
from broker.domain.refusals import Refusal
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import (
    AgreementNotInForce,
    NoAgreement,
    ReleaseDecision,
    RequiredAttributeNotApproved,
    RequiredAttributeNotStated,
    decide_release,
)
from broker.domain.shielded_release import PersonShielded, shield_release
from broker.domain.shielding import Shield
from broker.domain.stopped_agreements import AgreementStopped
from broker.domain.takeover_scope import is_taken_over
from broker.flow.enrolment.enrolments import SchoolLists, meet_list
from broker.flow.held_state.records import DecidedRelease, SchoolsOffered
from broker.flow.parties import check_school_open
from broker.flow.persons.person_records import Change, Presented, as_root
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.person_suppliers import Holder, holder_found
from broker.flow.persons.persons import MAX_ATTEMPTS
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.flow.persons.successors import derive_old_roots
from broker.flow.refusals import SchoolNotOpen, SchoolUnknown, StatesDiffer
from broker.flow.shielding.shielded_logins import find_shields, hold_shields
from broker.flow.shielding.shields import Shielding
from broker.pseudonyms.derivation import RootKey

_NOT_OFFERED = (
    *(SchoolNotOpen, StatesDiffer, NoAgreement, AgreementNotInForce, AgreementStopped),
    *(RequiredAttributeNotApproved, RequiredAttributeNotStated, PersonShielded),
)
"""By these a school says that its people do not go to this supplier; another one's may."""


async def decide_schools(
    stated: StatedLogin,
    *,
    idp: SchoolIdp,
    supplier: Supplier,
    registry: Registry,
    today: date,
    lists: SchoolLists,
    shielding: Shielding,
    key: RootKey,
) -> tuple[DecidedRelease, ...]:
    """Return what each school that a login states would release; at least one.

    Args:
        today: the day in the Netherlands.

    Raises:
        Refusal: of `domain.identity`, `enrolments`, `domain.release`, `shielded_release` or
            `parties`; what only one school refuses, when no other is left.
    """
    decided: list[DecidedRelease] = []
    refusals: list[Refusal] = []
    for school in stated.schools:
        try:
            decided.append(
                await _decide_at(
                    stated, school, idp=idp, supplier=supplier, registry=registry, today=today,
                    lists=lists, shielding=shielding, key=key,
                )
            )  # fmt: skip
        except _NOT_OFFERED as refusal:
            refusals.append(refusal)
    if not decided:
        raise refusals[0]
    return tuple(decided)


async def _decide_at(
    stated: StatedLogin,
    school_id: SchoolId,
    *,
    idp: SchoolIdp,
    supplier: Supplier,
    registry: Registry,
    today: date,
    lists: SchoolLists,
    shielding: Shielding,
    key: RootKey,
) -> DecidedRelease:
    school = registry.schools[school_id]
    identity = identity_at(stated, school_id, schools=registry.schools_of(idp))
    check_school_open(school, supplier, idp)
    identity, presented, listed = await meet_list(
        identity, idp=idp, lists=lists, root=key, today=today
    )
    old_roots = {**listed, **derive_old_roots(identity, registry, today, key)}
    found = await find_shields(
        presented, school=school.id, old_roots=old_roots, shielding=shielding
    )
    decision = decide_of(
        *(identity, school),
        supplier=supplier,
        registry=registry,
        shields=found.at(supplier.id),
        today=today,
    )
    decided = DecidedRelease(
        decision=decision,
        population=presented.population,
        role=identity.population,
        eck_root=presented.eck_id,
        local_root=presented.local,
        old_roots=old_roots,
    )
    return hold_shields(decided, found=found, supplier=supplier.id)


def decide_of(
    identity: Identity,
    school: School,
    *,
    supplier: Supplier,
    registry: Registry,
    shields: Sequence[Shield] = (),
    today: date,
) -> ReleaseDecision:
    """Return what a login releases to one supplier, by the agreement that its school has.

    Args:
        identity: as `meet_list` filled it in.
        shields: of this person at this school.
        today: the day in the Netherlands.

    Raises:
        Refusal: of `decide_release` and `shield_release`.
    """
    found = find_agreement(registry, school, supplier.id, today)
    groups = identity.attributes.get(UNIT, ())
    decision = decide_release(
        supplier=supplier,
        school=school.id,
        agreement=None if found is None else found.agreement,
        carried_from=() if found is None else found.carried_from,
        population=identity.population,
        rules=() if found is None else rules_met(found.agreement, groups),
        stated=state_membership(identity, school=school, supplier=supplier),
        elsewhere=identity.elsewhere,
        today=today,
        taken_over=is_taken_over(registry, school.id, supplier.id, today=today),
    )
    if not shields or found is None:
        return decision
    return shield_release(
        *(decision, shields),
        supplier=supplier,
        agreement=found.agreement,
        population=identity.population,
    )


def presented_by(decided: DecidedRelease) -> Presented:
    """Return what a login presents at the school of a decided release."""
    eck, local = decided.eck_root, decided.local_root
    return Presented(
        population=decided.population,
        eck_id=None if eck is None else as_root(eck),
        local=None if local is None else as_root(local),
    )


def find_offered(offered: SchoolsOffered, unverified_school: str) -> DecidedRelease:
    """Return what was decided for the school that was chosen.

    Raises:
        SchoolUnknown: it is none of those that this login stated and that were offered.
    """
    for each in offered.offered:
        if each.decision.school == unverified_school:
            return each
    raise SchoolUnknown("check_school_offered")


async def find_remembered(
    offered: Sequence[DecidedRelease],
    *,
    supplier: SupplierId,
    register: PersonRegister,
    keys: RegisterKeys,
) -> DecidedRelease | None:
    """Return what was decided for the school that this person chose for a supplier before.

    None when none was chosen, when it is not offered today, or when the person's accounts disagree.

    Raises:
        RegisterUnavailable: the register cannot be read.
    """
    chosen: set[SchoolId] = set()
    for each in offered:
        presented = presented_by(each)
        looked_up = await look_up(presented, register=register, keys=keys)
        holder = holder_found(presented, looked_up.records)
        seen = None if holder is None else holder.record.suppliers.get(supplier)
        if seen is not None and seen.school is not None:
            chosen.add(seen.school)
    found = [each for each in offered if {each.decision.school} == chosen]
    return found[0] if found else None


async def remember_at_others(
    offered: Sequence[DecidedRelease],
    *,
    chosen: SchoolId,
    supplier: SupplierId,
    register: PersonRegister,
    keys: RegisterKeys,
    random: Callable[[int], bytes],
) -> None:
    """Let the person's accounts at the other schools agree with a choice.

    Only accounts that remember another choice are written; at the chosen school the visit is.

    Raises:
        RegisterUnavailable: nobody knows whether it is stored.
    """
    for each in offered:
        if each.decision.school != chosen:
            await _remember(
                presented_by(each),
                chosen,
                supplier=supplier,
                register=register,
                keys=keys,
                random=random,
            )


async def _remember(
    presented: Presented,
    chosen: SchoolId,
    *,
    supplier: SupplierId,
    register: PersonRegister,
    keys: RegisterKeys,
    random: Callable[[int], bytes],
) -> None:
    for _ in range(MAX_ATTEMPTS):
        looked_up = await look_up(presented, register=register, keys=keys)
        holder = holder_found(presented, looked_up.records)
        if holder is None or not _disagrees(holder, chosen, supplier):
            return
        seen = replace(holder.record.suppliers[supplier], school=chosen)
        record = replace(holder.record, suppliers={**holder.record.suppliers, supplier: seen})
        if await store_changes(
            (Change(holder.root, record),),
            looked_up.rows,
            register=register,
            keys=keys,
            random=random,
        ):
            return
    raise RegisterUnavailable("check_register_converges")


def _disagrees(holder: Holder, chosen: SchoolId, supplier: SupplierId) -> bool:
    seen = holder.record.suppliers.get(supplier)
    return seen is not None and seen.school not in (None, chosen)
