"""Schools that go on as others in `continuity_machine`: renumbered, merged, split, and back again.

De Vuurvogel goes on as De Feniks, alone, with De Regenboog, or in part; the relation ends by its
last day, or an operator takes it back and pupils are at De Vuurvogel again. What a pupil opened at
the school of before is what opens at the one that goes on for it.
"""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.domain.federation import Relation, RelationKind
from broker.domain.ids import SchoolId
from broker.flow.persons.person_records import school_year_of
from broker.pseudonyms.derivation import PersonRoot
from tests.flow import continuity_promises as promises
from tests.flow.continuity_changes import SchoolsChange
from tests.flow.continuity_known import PARTIES, PUPILS, Number
from tests.flow.continuity_parties import (
    FENIKS,
    LIAR,
    REGENBOOG,
    SUPPLIER_OF,
    VUURVOGEL,
    eck_id_at,
)
from tests.flow.continuity_promises import Stated
from tests.flow.login_parties import REKENRIJK

PUPIL, PARTY = st.sampled_from(PUPILS), st.sampled_from(PARTIES)
STATES = st.sampled_from(("both", "eck id", "number"))
WAYS = {
    "renumber": (RelationKind.RENUMBER, (VUURVOGEL,), (FENIKS,), True),
    "merge": (RelationKind.MERGE, (VUURVOGEL, REGENBOOG), (FENIKS,), True),
    "merge, new numbers": (RelationKind.MERGE, (VUURVOGEL, REGENBOOG), (FENIKS,), False),
    "split": (RelationKind.SPLIT, (VUURVOGEL,), (VUURVOGEL, FENIKS), False),
}
"""Kind, schools of before and of now, and whether De Vuurvogel's numbers go on at De Feniks."""
WAY = st.sampled_from(tuple(WAYS))
DAYS = 100
RECENT_YEARS = 1
RELATION = "feniks"


class SchoolsGoOn(SchoolsChange):
    """De Vuurvogel goes on as De Feniks, and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.relation: Relation | None = None
        self.is_open = False
        self.holders: dict[Number, str] = {}
        self.came_along: set[str] = set()
        self.ever_along: set[str] = set()

    # What a relation means -------------------------------------------------------------------

    @property
    def in_force(self) -> Relation | None:
        relation = self.relation
        if relation is None or not relation.first_day <= self.today <= relation.last_day:
            return None
        return relation

    def here(self, school: SchoolId) -> frozenset[SchoolId]:
        relation = self.in_force
        before = relation.old if relation is not None and school == FENIKS else ()
        return frozenset({school, *before})

    def comes_along(self, school: SchoolId, stated: Stated | None, number: str | None) -> None:
        relation = self.in_force
        if school == VUURVOGEL and stated is not None and number is not None:
            self.comes_back(stated, number)
        if school != FENIKS or relation is None:
            return
        if number is not None and relation.numbers_of and self.may_go_on(number, relation):
            self.number_comes_along(number)
            if stated is None and (FENIKS, number) in self.bound:
                bound_to = self.ledger.stated[self.bound[FENIKS, number]]
                self.pin_comes_along(bound_to, relation.old)
                self.pin_comes_along(bound_to, relation.numbers_of)
        if stated is not None:
            self.pin_comes_along(stated, relation.old)

    def comes_back(self, stated: Stated, number: str) -> None:
        """Who met at De Feniks is one person at De Vuurvogel as well, and opens the work there."""
        old, new = (VUURVOGEL, number), (FENIKS, number)
        met = number in self.came_along and self.bound.get(new) == stated.eck_id
        if not met or old not in self.own_account or VUURVOGEL in stated.arrivals:
            return
        if FENIKS in stated.closed_to or self.opened_at(stated, FENIKS) != self.of_number(old):
            return
        for at in (stated.first_at, stated.confirmed):
            at |= {VUURVOGEL} if FENIKS in at else set()
        stated.arrivals[VUURVOGEL] = stated.arrivals[FENIKS]
        stated.opens[VUURVOGEL] = self.of_number(old)
        stated.known_at |= self.own_account.pop(old)
        stated.protected |= old in self.protected_numbers
        self.bound[old] = self.joined_of[old] = stated.eck_id

    def was_parted(self, number: Number, stated: Stated) -> bool:
        """What was parted from a number at the school of before stays so where it came along."""
        school, text = number
        came = school == FENIKS and text in self.came_along
        parted = ((VUURVOGEL, text), stated.eck_id) in self.split_from
        return super().was_parted(number, stated) or (came and parted)

    def went_on(self, number: Number) -> bool:
        return number[0] == VUURVOGEL and number[1] in self.ever_along

    def may_go_on(self, number: str, relation: Relation) -> bool:
        """Tell whether a number is what it was at the school of before, and not known here yet."""
        known = {*self.bound, *self.own_account}
        if (FENIKS, number) in known | self.closed or (VUURVOGEL, number) not in known:
            return False
        before = self.last_years[VUURVOGEL, number]
        return before >= school_year_of(relation.first_day) - RECENT_YEARS

    def number_comes_along(self, number: str) -> None:
        old, new = (VUURVOGEL, number), (FENIKS, number)
        self.came_along.add(number)
        self.ever_along.add(number)
        self.last_years[new] = self.last_years[old]
        if old in self.protected_numbers:
            self.protected_numbers.add(new)
        if old in self.joined_of:
            self.joined_of[new] = self.joined_of[old]
        if old in self.bound:
            self.bound[new] = self.bound[old]
            return
        self.own_account[new] = self.own_account[old]  # one account: who knows it, knows it
        self.carried[new] = self.of_number(old)

    def pin_comes_along(self, stated: Stated, schools: Sequence[SchoolId]) -> None:
        """Of what is open at the schools of before one account goes on, and none when it is two."""
        if FENIKS in stated.arrivals:
            return
        if stated.arrivals or stated.promised_at:
            stated.promised_at |= {FENIKS} if stated.promised_at & {*schools} else set()
        before = sorted(stated.arrivals.keys() & {*schools})
        before = [each for each in before if each not in stated.closed_to] or before
        accounts = {self.opened_at(stated, each) for each in before}
        if len(accounts) != 1:
            return
        pinned = min(before, key=lambda at: (at in stated.confirmed, at in stated.first_at))
        stated.arrivals[FENIKS] = stated.arrivals[pinned]
        for at in (stated.first_at, stated.confirmed, stated.closed_to):
            if pinned in at:
                at.add(FENIKS)
        (account,) = accounts
        assert account is not None
        stated.opens[FENIKS] = account
        if FENIKS in stated.closed_to:
            stated.fresh_at[FENIKS] = account
            stated.before[FENIKS] = stated.before[pinned]
            if pinned in stated.shut_by:
                stated.shut_by[FENIKS] = stated.shut_by[pinned]

    def bind(
        self, number: Number, stated: Stated, account: PersonRoot, *, kept_apart: bool
    ) -> None:
        """One that is bound anew, here or there, is not the same person's at both any more."""
        if self.bound.get(number, stated.eck_id) != stated.eck_id:
            self.came_along -= {number[1]} if number[0] in (VUURVOGEL, FENIKS) else set()
        had_own_account = number in self.own_account
        super().bind(number, stated, account, kept_apart=kept_apart)
        if had_own_account and number in self.bound:
            self.bound_onward(number, stated)

    def bound_onward(self, number: Number, stated: Stated) -> None:
        """One that came back and is bound, is bound where it went on to as well."""
        onward = FENIKS, number[1]
        came_along = number[0] == VUURVOGEL and number[1] in self.came_along
        if came_along and onward in self.own_account:
            stated.known_at |= self.own_account.pop(onward)
            stated.protected |= onward in self.protected_numbers
            self.bound[onward] = self.joined_of[onward] = stated.eck_id
            self.carried.pop(onward, None)

    def erased(self, stated: Stated) -> None:
        """Forget also where a number of this person's came from."""
        for number in self.came_along:
            old, is_there = (VUURVOGEL, number), self.bound.get((FENIKS, number))
            if is_there == stated.eck_id and self.own_account.pop(old, None) is not None:
                self.closed.add(old)
                self.fresh.pop(old, None)
        super().erased(stated)
        known = {*self.bound, *self.own_account}
        self.came_along = {each for each in self.came_along if (FENIKS, each) in known}
        self.carried = {each: account for each, account in self.carried.items() if each in known}

    # What happens ----------------------------------------------------------------------------

    def may_issue_anew(self, school: SchoolId, number: str) -> bool:
        """The school of before is closed meanwhile, and knows what its successor did since."""
        relation = self.in_force
        closed = relation is not None and bool(relation.numbers_of)
        return school != VUURVOGEL or not (closed or (FENIKS, number) in self.own_account)

    @rule(way=WAY)
    def go_on(self, way: str) -> None:
        if self.relation is not None:
            return
        kind, old, new, kept = WAYS[way]
        if not self.issue_numbers(kept=kept):
            return
        last_day = self.today + timedelta(days=DAYS)
        self.relation = Relation(
            id=RELATION,
            kind=kind,
            old=old,
            new=new,
            first_day=self.today,
            last_day=last_day,
            numbers_of=(VUURVOGEL,) if kept else (),
            numbers_at=FENIKS if kept else None,
            brins_last_day=last_day,
        )
        self.is_open = True
        self.world.apply(**{RELATION: self.relation})

    def issue_numbers(self, *, kept: bool) -> bool:
        """Give everybody a number at De Feniks; False when one is known there as another's."""
        for pupil in PUPILS if kept else ():
            known = FENIKS, self.numbers[pupil, VUURVOGEL]
            if self.holders.get(known, pupil) != pupil and known in self.own_account:
                return False
        for index, pupil in enumerate(PUPILS):
            if kept:
                number = self.numbers[pupil, VUURVOGEL]
            else:
                number = self.numbers.get((pupil, FENIKS), f"55{index}")
            of_other = self.holders.get((FENIKS, number), pupil) != pupil
            self.numbers[pupil, FENIKS] = number
            self.holders[FENIKS, number] = pupil
            self.owned_from_now_on((FENIKS, number), pupil)
            if kept and (of_other or (pupil, VUURVOGEL) in self.must_state_both):
                self.must_state_both.add((pupil, FENIKS))
        return True

    @rule()
    def go_back(self) -> None:
        """An operator takes the relation out: De Feniks is no more, whatever pupils did there."""
        if self.relation is not None:
            self.relation, self.is_open = None, False
            self.world.apply(**{RELATION: None})

    @rule(pupil=PUPIL, states=STATES, party=PARTY)
    def log_in_at_the_new_school(self, pupil: str, states: str, party: str) -> None:
        if self.is_open:
            self.honest_login(pupil, FENIKS, states, party, 0)

    @rule(pupil=PUPIL, before=STATES, after=STATES, way=WAY, party=PARTY)
    def works_on_at_the_new_school(
        self, pupil: str, before: str, after: str, way: str, party: str
    ) -> None:
        """What was opened before is opened after; and it is so again after going back."""
        self.honest_login(pupil, VUURVOGEL, before, party, 0)
        self.go_on(way)
        for states in (before, after):
            self.log_in_at_the_new_school(pupil, states, party)
        self.go_back()
        self.honest_login(pupil, VUURVOGEL, after, party, 0)

    @rule(pupil=PUPIL, way=WAY, years=st.sampled_from((1, 2)))
    def number_rests_for_years(self, pupil: str, way: str, years: int) -> None:
        """Whoever has a number that nobody used for that long may be another pupil."""
        self.go_back()
        self.honest_login(pupil, VUURVOGEL, "number", REKENRIJK, 0)
        self.world.wait(days=365 * years)
        self.go_on(way)
        self.log_in_at_the_new_school(pupil, "number", REKENRIJK)

    @rule(pupil=PUPIL, way=WAY)
    def relation_ends(self, pupil: str, way: str) -> None:
        """By its last day; who came over goes on, and who comes later is new."""
        self.go_on(way)
        self.log_in_at_the_new_school(pupil, "both", REKENRIJK)
        self.world.wait(days=DAYS + 1)
        for each in PUPILS:
            self.log_in_at_the_new_school(each, "number", REKENRIJK)

    @rule(pupil=PUPIL, way=WAY)
    def split_before_it_goes_on(self, pupil: str, way: str) -> None:
        """What two persons parted stays apart under the new name."""
        self.honest_login(pupil, VUURVOGEL, "number", REKENRIJK, 0)
        self.honest_login(pupil, VUURVOGEL, "both", REKENRIJK, 0)
        self.split(pupil, VUURVOGEL, "x", False)
        self.go_on(way)
        self.log_in_at_the_new_school(pupil, "both", REKENRIJK)
        self.log_in_at_the_new_school(pupil, "number", REKENRIJK)

    @rule(pupil=PUPIL, objects=st.booleans(), way=WAY)
    def held_before_it_goes_on(self, pupil: str, objects: bool, way: str) -> None:
        """An objection to De Vuurvogel, or a hold there, is one to De Feniks."""
        eck_id = eck_id_at(pupil, VUURVOGEL)
        for school in (REGENBOOG, VUURVOGEL):
            self.log_in(pupil, school, eck_id=eck_id, number=None)
        if objects:
            self.object_to_transfers(pupil, REGENBOOG, REGENBOOG)
        else:
            self.protect(pupil, REGENBOOG, REGENBOOG, True)
        self.go_on(way)
        self.log_in_at_the_new_school(pupil, "eck id", REKENRIJK)

    @rule(pupil=PUPIL, party=PARTY, other=PARTY, way=WAY)
    def comes_back_with_both(self, pupil: str, party: str, other: str, way: str) -> None:
        """A number that went on and came back is left behind for an ECK iD: who knew it is told."""
        for states in ("eck id", "number"):
            self.honest_login(pupil, VUURVOGEL, states, party, 0)
        self.go_on(way)
        self.log_in_at_the_new_school(pupil, "number", party)
        self.go_back()
        self.honest_login(pupil, VUURVOGEL, "number", other, 0)
        self.rotate_and_convert(SUPPLIER_OF[other], SUPPLIER_OF[other])
        self.turn_back(SUPPLIER_OF[other])
        self.close_window(SUPPLIER_OF[other])
        self.honest_login(pupil, VUURVOGEL, "both", party, 0)

    @rule(old=PUPIL, new=PUPIL, way=WAY, again=WAY)
    def issued_anew_after_coming_back(self, old: str, new: str, way: str, again: str) -> None:
        """Who has the number now is not erased with who had it, nor the other way round."""
        self.go_back()
        self.honest_login(old, VUURVOGEL, "both", REKENRIJK, 0)
        self.go_on(way)
        self.log_in_at_the_new_school(old, "both", REKENRIJK)
        self.go_back()
        self.number_is_issued_anew(old, new, VUURVOGEL)
        self.honest_login(new, VUURVOGEL, "both", REKENRIJK, 0)
        self.go_on(again)
        self.log_in_at_the_new_school(old, "both", REKENRIJK)
        self.erase(old, VUURVOGEL, False)
        self.honest_login(new, VUURVOGEL, "number", REKENRIJK, 0)

    @rule(pupil=PUPIL, what=st.sampled_from(("object", "confirm", "protect", "unprotect")))
    def the_new_school_decides(self, pupil: str, what: str) -> None:
        if not self.is_open:
            return
        if what == "object":
            self.object_to_transfers(pupil, FENIKS, FENIKS)
        elif what == "confirm":
            self.confirm_transfers(pupil, FENIKS, FENIKS)
        else:
            self.protect(pupil, FENIKS, FENIKS, what == "protect")

    @rule(victim=PUPIL, number=st.sampled_from((None, "x")), way=WAY)
    def malicious_login_meanwhile(self, victim: str, number: str | None, way: str) -> None:
        """The liar states a pupil between the old name and the new one."""
        eck_id = eck_id_at(victim, VUURVOGEL)
        self.log_in(victim, LIAR, eck_id=eck_id, number=number)
        self.go_on(way)
        self.log_in_at_the_new_school(victim, "both", REKENRIJK)
        self.log_in(victim, LIAR, eck_id=eck_id, number=number)

    @rule(way=WAY)
    def go_on_and_back(self, way: str) -> None:
        """After going back every pupil has the names of before."""
        if self.relation is not None:
            return
        self.what_honest_pupils_open()
        before = self.what_honest_pupils_open()
        self.go_on(way)
        for pupil in PUPILS:
            self.log_in_at_the_new_school(pupil, "eck id", REKENRIJK)
        self.go_back()
        promises.what_is_undone_leaves_no_trace(before, self.what_honest_pupils_open())
