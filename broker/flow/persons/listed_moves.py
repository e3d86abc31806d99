"""What a school's list says of pupils whom the register knows: one came, one is protected.

The list of the school that a pupil came to ends the hold of that arrival. Being listed at the
school of before confirms nothing: a list that is sent every night would settle whatever arrives
elsewhere. A school can list anybody, so a list confirms only while it holds no more pupils than
the school can have (`confirms_moves`); and it protects only who is settled at that school, for an
arrival that protects itself would lock its school of before out. A protected pupil's arrival is no
list's to confirm, and no list takes protection away: that takes two persons.

A join of number and ECK iD is not confirmed by a list: whoever states both for a pupil whom nobody
has seen yet would have the account at the pupil's next school at once, instead of in a month.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.federation import School
from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules, budget_of
from broker.flow.persons.person_arrivals import confirm_arrivals, is_settled
from broker.flow.persons.person_records import Change, PersonRecord, Presented
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.pseudonyms.derivation import PersonRoot

MAX_ATTEMPTS = 8  # races with logins end at the second; more means something is broken


@dataclass(frozen=True, slots=True)
class ListOfSchool:
    """Whose list it is, and how far it counts.

    Attributes:
        confirms: whether it ends holds; of `confirms_moves`.
        settled_after_days: without objection an arrival is settled then.
    """

    school: SchoolId
    today: date
    confirms: bool
    settled_after_days: int


@dataclass(frozen=True, slots=True)
class ListedMoves:
    """Tells the register what lists say."""

    register: PersonRegister
    keys: RegisterKeys = field(repr=False)
    rules: ArrivalRules
    random: Callable[[int], bytes] = field(repr=False)

    async def note_listed(self, root: PersonRoot, *, of: ListOfSchool, protected: bool) -> bool:
        """Note that a pupil is listed; tell whether that changed anything.

        Raises:
            RegisterUnavailable: nobody knows whether it is noted; the next list notes it.
        """
        presented = Presented(Population.PUPIL, eck_id=root, local=None)
        for _ in range(MAX_ATTEMPTS):
            looked_up = await look_up(presented, register=self.register, keys=self.keys)
            before = looked_up.records.eck_id
            after = None if before is None else note_listed(before, of=of, protected=protected)
            if after is None or after == before:
                return False
            if await store_changes(
                (Change(root, after),),
                looked_up.rows,
                register=self.register,
                keys=self.keys,
                random=self.random,
            ):
                return True
        raise RegisterUnavailable("check_register_converges")


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
    settled = is_settled(
        here, protected=record.protected, today=of.today, after_days=of.settled_after_days
    )
    if not protected or record.protected or not settled:
        return record
    # What was settled by days stays so: of a protected pupil no days settle anything.
    by_days = frozenset(
        school
        for school, seen in record.seen.items()
        if is_settled(seen, protected=False, today=of.today, after_days=of.settled_after_days)
    )
    return replace(confirm_arrivals(record, by_days), protected=True)
