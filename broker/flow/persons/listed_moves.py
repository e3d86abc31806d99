"""What a school's list says of pupils whom the register knows: one came, one is protected.

The list of the school that a pupil came to ends the hold of that arrival. Being listed at the
school of before confirms nothing: a list that is sent every night would settle whatever arrives
elsewhere. A school can list anybody, so a list confirms only while it holds no more pupils than
the school can have (`confirms_moves`). A protected pupil's arrival is no list's to confirm, and no
list takes protection away: that takes two persons.

A list protects whom its school stated first, as long as no other school states that pupil, and who
arrived there some 30 days ago (`mature_after_days`; who was there first: in a school year before).
Login days do not count: a school that lies makes as many as it likes. In a school year it protects
at most 5, or 2 % of the head count (settings); by `broker person protect` two persons protect more.
So a school that states others' pupils first locks few of them out, and none for good: a protected
pupil whom the list of the new school names, and for whom no school of before said anything within
`settled_after_days`, opens a fresh account there. It is as if a school of before had objected:
nothing of the protected account is opened. But no people decided it (`SeenAt.in_vain`): a school of
before may still confirm, which opens what the pupil waited for (`person_withdrawal`).

A join of number and ECK iD is not confirmed by a list: whoever states both for a pupil whom nobody
has seen yet would have the account at the pupil's next school at once, instead of in a month.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum, auto

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.federation import School
from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules, budget_of
from broker.flow.persons.person_arrivals import confirm_arrivals, is_settled, waits
from broker.flow.persons.person_fresh import account_row, own_account, unused_account
from broker.flow.persons.person_records import (
    Change,
    PersonRecord,
    Presented,
    SeenAt,
    school_year_of,
)
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.register import (
    PersonRegister,
    RegisterKeys,
    RegisterUnavailable,
    derive_tag,
)
from broker.flow.persons.school_counts import Count, CountFull, CountKind, year_day
from broker.pseudonyms.derivation import PersonRoot, RootKey, root_apart

WHOLE_PERCENT = 100
MAX_ATTEMPTS = 8  # races with logins end at the second; more means something is broken


@dataclass(frozen=True, slots=True)
class ListOfSchool:
    """Whose list it is, and how far it counts.

    Attributes:
        confirms: whether it ends holds; of `confirms_moves`.
        settled_after_days: without objection an arrival is settled then.
        protects_at_most: pupils in a school year.
    """

    school: SchoolId
    today: date
    confirms: bool
    settled_after_days: int
    protects_at_most: int = 5
    mature_after_days: int = 30


class Noted(Enum):
    """What a list changed about one pupil."""

    NOTHING = auto()
    CHANGED = auto()
    PROTECTS_TOO_MANY = auto()


@dataclass(frozen=True, slots=True)
class ListedMoves:
    """Tells the register what lists say."""

    register: PersonRegister
    keys: RegisterKeys = field(repr=False)
    rules: ArrivalRules
    random: Callable[[int], bytes] = field(repr=False)
    root: RootKey = field(repr=False)

    async def note_listed(self, root: PersonRoot, *, of: ListOfSchool, protected: bool) -> Noted:
        """Note that a pupil is listed; tell what that changed.

        Raises:
            RegisterUnavailable: nobody knows whether it is noted; the next list notes it.
        """
        presented = Presented(Population.PUPIL, eck_id=root, local=None)
        for _ in range(MAX_ATTEMPTS):
            looked_up = await look_up(presented, register=self.register, keys=self.keys)
            before = looked_up.records.eck_id
            if before is None:
                return Noted.NOTHING
            after = note_listed(before, of=of, protected=protected)
            changes: tuple[Change, ...] = (Change(root, after),)
            rows = looked_up.rows
            if waits_in_vain(after, of=of):
                changes = self._open_fresh(root, after, of=of)
                fresh = changes[-1].root
                tag = derive_tag(self.keys, fresh)
                found = await self.register.find([tag])
                if tag in found:
                    rows = {**rows, fresh: found[tag]}
            elif after == before:
                return Noted.NOTHING
            year = year_day(of.today)
            protects = after.protected and not before.protected
            counts = (Count(of.school, year, CountKind.PROTECTED, at_most=of.protects_at_most),)
            try:
                if await store_changes(
                    changes,
                    rows,
                    register=self.register,
                    keys=self.keys,
                    random=self.random,
                    counts=counts if protects else (),
                ):
                    return Noted.CHANGED
            except CountFull:
                await self.note_listed(root, of=of, protected=False)
                return Noted.PROTECTS_TOO_MANY
        raise RegisterUnavailable("check_register_converges")

    def _open_fresh(
        self, root: PersonRoot, record: PersonRecord, *, of: ListOfSchool
    ) -> tuple[Change, ...]:
        here = record.seen[of.school]
        account = unused_account(
            own_account(root, record),
            here,
            tag_of=lambda each: derive_tag(self.keys, each),
            fresh_account=lambda each: root_apart(each, of.school, key=self.root),
        )
        here = replace(
            here,
            account=account,
            aliases=(*here.aliases, derive_tag(self.keys, account)),
            objected=True,
            in_vain=True,
            before=here.account,
        )
        return (
            Change(root, replace(record, seen={**record.seen, of.school: here})),
            account_row(root, record, account=account),
        )


def waits_in_vain(record: PersonRecord, *, of: ListOfSchool) -> bool:
    """Tell whether a protected pupil waited at the list's school for as long as a school of before
    has to say something."""
    here = record.seen.get(of.school)
    return (
        of.confirms
        and here is not None
        and here.held_since is not None
        and waits(record, of.school)
        and is_settled(here, protected=False, today=of.today, after_days=of.settled_after_days)
    )


def protects_at_most(school: School, *, rules: ArrivalRules) -> int:
    """Return how many pupils a school's list may protect in a school year."""
    return max(rules.daily_minimum, (school.pupils or 0) * rules.daily_percent // WHOLE_PERCENT)


def confirms_moves(school: School, *, pupils: int, rules: ArrivalRules, today: date) -> bool:
    """Tell whether a list of so many pupils ends holds: not more than the school can have.

    A school that states no head count cannot have its list measured.
    """
    in_all = budget_of(school.pupils, rules=rules, today=today).in_all
    return in_all is not None and pupils <= in_all


def note_listed(record: PersonRecord, *, of: ListOfSchool, protected: bool) -> PersonRecord:
    """Return the record of a pupil whom a school lists."""
    here = record.seen.get(of.school)
    if here is None or here.objected:
        return record
    if here.held_since is not None and not here.confirmed and of.confirms and not record.protected:
        record = confirm_arrivals(record, frozenset({of.school}))
        here = record.seen[of.school]
    if not protected or record.protected or not _may_protect(record, here, of=of):
        return record
    # What was settled by days stays so: of a protected pupil no days settle anything.
    by_days = frozenset(
        school
        for school, seen in record.seen.items()
        if is_settled(seen, protected=False, today=of.today, after_days=of.settled_after_days)
    )
    return replace(confirm_arrivals(record, by_days), protected=True)


def _may_protect(record: PersonRecord, here: SeenAt, *, of: ListOfSchool) -> bool:
    """Tell whether the list of this school protects: it stated the pupil first and alone, or the
    pupil is there for long."""
    if here.held_since is not None:
        long_ago = of.today - timedelta(days=of.mature_after_days)
        return here.held_since <= long_ago and is_settled(
            here, protected=False, today=of.today, after_days=of.settled_after_days
        )
    alone = all(each.objected for school, each in record.seen.items() if school != of.school)
    since_year = school_year_of(of.today) if here.since_year is None else here.since_year
    return alone or since_year < school_year_of(of.today)
