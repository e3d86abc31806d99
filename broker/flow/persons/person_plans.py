"""What is decided about one person by people, as pure plans: from rows to other rows.

| Plan | Does |
|---|---|
| confirm | arrivals that wait are settled, and who waited in vain opens what was waited for |
| protect | arrivals elsewhere wait for both sides from now on, or do not any more |
| split | a number and an ECK iD open an account each, and stay apart; a join is undone |
| join | `broker.flow.persons.person_join_plan` |
| begin anew | `broker.flow.persons.person_anew` |
| object | `broker.flow.persons.person_objection`: later arrivals open a fresh account there |
| withdraw | `broker.flow.persons.person_withdrawal`: an objection is taken back |

A plan names no other school and no person; its lines are for the one who decides. Nothing merges
two ECK iDs: what would is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.operators.operator_refusals import PersonNotKnown
from broker.flow.persons.announcements import suppliers_of, suppliers_without
from broker.flow.persons.person_arrivals import (
    confirm_arrivals,
    is_settled,
    later_arrivals,
    waits,
)
from broker.flow.persons.person_fresh import account_row, own_account, unused_account
from broker.flow.persons.person_given_back import (
    give_back,
    given_back_lines,
    name_schools,
    waited_in_vain,
)
from broker.flow.persons.person_plan_refusals import (
    AliasRefused,
    NothingToDecide,
    NothingToSplit,
    SchoolOfBeforeDecides,
)
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    PersonRecord,
    SeenAt,
    as_root,
)
from broker.pseudonyms.derivation import PersonRoot


@dataclass(frozen=True, slots=True)
class OpenedPerson:
    """What rests of one person, as far as what was presented opens it.

    Attributes:
        found: as it was found, with the number at a school that it went on to.
    """

    eck_root: PersonRoot | None = field(repr=False)
    eck: PersonRecord | None = field(repr=False)
    local_root: PersonRoot | None = field(repr=False)
    local: PersonRecord | None = field(repr=False)
    found: FoundRecords = field(default=FoundRecords(), repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be.

    Attributes:
        lines: for the operator; name no person and no other school.
    """

    changes: tuple[Change, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deciding:
    """On whose behalf, when, and how tags and fresh accounts are made."""

    school: SchoolId
    today: date
    settled_after_days: int
    tag_of: Callable[[PersonRoot], bytes]
    fresh_account: Callable[[PersonRoot, SchoolId], PersonRoot]


def plan_confirmation(person: OpenedPerson, *, by: Deciding) -> Plan:
    """Return what a school's confirmation does: to its own arrival, or to later ones elsewhere.

    Raises:
        PersonNotKnown: this school never stated this pupil's ECK iD, or was objected to itself.
        SchoolOfBeforeDecides: the arrival is this school's own, of a protected pupil.
        NothingToDecide: nothing waits that this school has a say in.
    """
    root, record = eck_id_of(person, by.school)
    own = record.seen[by.school]
    if own.held_since is not None and not own.confirmed:
        if record.protected:
            raise SchoolOfBeforeDecides("check_confirmed_by_a_school_of_before")
        schools = frozenset({by.school})
    else:
        schools = later_arrivals(
            record, by.school, today=by.today, after_days=by.settled_after_days
        )
    confirmed = confirm_arrivals(record, schools)
    lifts = confirmed == record  # what waits goes first, and alone
    in_vain = frozenset(at for at in schools if lifts and waited_in_vain(record.seen[at]))
    confirmed = give_back(confirmed, in_vain, by=by.school)
    count = sum(each != record.seen[at] for at, each in confirmed.seen.items())
    if not count:
        raise NothingToDecide("check_arrival_to_confirm")
    who = name_schools(count, own=schools == {by.school})
    return Plan(
        changes=(Change(root, confirmed),),
        lines=(
            f"{who} stated this pupil; that is confirmed.",
            "If it is more than you know of, do not confirm it: nobody can tell which is which.",
            *given_back_lines(record, confirmed, in_vain),
            "Nothing else changes.",
        ),
    )


def plan_protection(person: OpenedPerson, *, protected: bool, by: Deciding) -> Plan:
    """Return what sets or takes away the flag; what was settled by days stays so.

    Raises:
        PersonNotKnown: this school never stated this pupil.
        NothingToDecide: the flag is so already.
        SchoolOfBeforeDecides: the arrival here waits for just that flag, or would.
    """
    root, record = person.eck_root, person.eck
    if root is None or record is None:
        root, record = person.local_root, person.local
    if root is None or record is None or not is_at(record, by.school):
        raise PersonNotKnown("check_person_known")
    if record.protected == protected:
        raise NothingToDecide("check_protection_changes")
    settled = frozenset(
        school
        for school, seen in record.seen.items()
        if is_settled(seen, protected=False, today=by.today, after_days=by.settled_after_days)
    )
    changed = replace(confirm_arrivals(record, settled), protected=protected)
    # Neither by who waits for it to be taken away, nor by who would wait once it is set.
    if waits(changed if protected else record, by.school):
        raise SchoolOfBeforeDecides("check_protection_by_a_school_of_before")
    way = "waits for both schools" if protected else "is held and settled like any other"
    line = f"From now on an arrival at another school {way}."
    return Plan((Change(root, changed),), lines=(line,))


def plan_split(person: OpenedPerson, *, only_joins: bool, by: Deciding) -> Plan:
    """Return what parts a school's number from the ECK iD that it is bound to, for good.

    What was joined opens as before the join. No supplier is told: whose work it is, is what was
    wrong.

    Args:
        only_joins: refuse when the number brought no account of its own.

    Raises:
        PersonNotKnown: this school never stated this pupil.
        NothingToSplit: the number is bound to no ECK iD, or brought no account of its own.
        AliasRefused: the number's account is that of its former owner.
    """
    eck_root, eck, local_root, local = person.eck_root, person.eck, person.local_root, person.local
    if local_root is None or local is None:
        raise PersonNotKnown("check_person_known")
    if eck_root is None or eck is None or local.bound_to != eck_root:
        raise NothingToSplit("check_number_bound")
    here = eck.seen[by.school]
    own = own_account(local_root, local)
    former = next((each for each in eck.former if each.root == own), None)
    joined = here.account == own
    if only_joins and former is None and not joined:
        raise NothingToSplit("check_join_there")
    if local.held_by not in (None, eck_root):  # it would open the work of another pupil
        raise AliasRefused("check_number_not_issued_anew")
    tag, of_number = by.tag_of(local_root), local.seen[by.school]
    parted = replace(
        here,
        account=eck.account if joined else here.account,
        aliases=tuple(each for each in here.aliases if each not in (tag, *of_number.aliases)),
        apart=(*here.apart, tag),
    )
    fresh: tuple[Change, ...] = ()
    if own != local_root:
        of_number = replace(
            of_number, aliases=tuple(dict.fromkeys((*of_number.aliases, by.tag_of(own))))
        )
        fresh = (account_row(local_root, local, account=own),)
    # A mature join went along to other schools: there as well the ECK iD opens its own again.
    along = {
        school: replace(
            each,
            account=eck.account if each.account == own else each.account,
            before=eck.account if each.before == own else each.before,
        )
        for school, each in eck.seen.items()
        if school != by.school
    }
    own_suppliers = suppliers_of(eck, own, joined=joined)
    changed_eck = replace(
        eck,
        seen={**eck.seen, **along, by.school: parted},
        join=None if joined else eck.join,
        former=tuple(each for each in eck.former if each != former),
        suppliers=suppliers_without(eck, own),
    )
    changed_local = replace(
        local,
        account=own,
        # Receipts of before the join open with the salt of then.
        salt=former.salt if former is not None else local.salt,
        seen={by.school: replace(of_number, account=own)},
        bound_to=None,
        held_by=None,
        protected=local.protected or eck.protected,
        suppliers=own_suppliers,
    )
    brought = former is not None or joined
    return Plan(
        changes=(Change(eck_root, changed_eck), Change(local_root, changed_local), *fresh),
        lines=(
            "The number opens the account that it had before."
            if brought
            else "The number opens a fresh account.",
            "The ECK iD keeps its own account, and the two stay apart from now on.",
            "No supplier is told.",
        ),
    )


def open_fresh(
    root: PersonRoot, record: PersonRecord, school: SchoolId, *, by: Deciding
) -> tuple[SeenAt, Change]:
    """Return what an ECK iD is at a school where it opens a fresh account, and that one's row.

    Not the one that it opened there once, before it was erased or was objected to: that may be
    another pupil's.
    """
    seen = record.seen[school]
    before = as_root(seen.account) if seen.objected else own_account(root, record)
    account = unused_account(
        before, seen, tag_of=by.tag_of, fresh_account=lambda each: by.fresh_account(each, school)
    )
    return (
        replace(seen, account=account, aliases=(*seen.aliases, by.tag_of(account))),
        account_row(root, record, account=account),
    )


def eck_id_of(person: OpenedPerson, school: SchoolId) -> tuple[PersonRoot, PersonRecord]:
    if person.eck_root is None or person.eck is None or not is_at(person.eck, school):
        raise PersonNotKnown("check_person_known")
    return person.eck_root, person.eck


def is_at(record: PersonRecord, school: SchoolId) -> bool:
    """Tell whether a school stated somebody, and nobody shut it out."""
    return school in record.seen and not record.seen[school].objected
