"""Who is let in and who is not in `continuity_machine`: budgets, holds and their refusals."""

from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.persons.arrival_budgets import WAITS_A_DAY, ArrivalsSpent, ArrivalWaits, budget_of
from broker.flow.persons.person_joins import TooManyNumbers
from broker.flow.persons.person_records import school_year_of
from broker.flow.persons.person_rules import EckIdMissing
from broker.pseudonyms.derivation import PersonRoot
from tests.flow import continuity_promises as promises
from tests.flow.continuity_known import WhoIsWho
from tests.flow.continuity_parties import LIAR, LIAR_PUPILS, RULES
from tests.flow.continuity_promises import Stated, Violated, must


class Refusals(WhoIsWho):
    """Holds that a refusal has its cause, and the liar to its budget."""

    def pinned_at(self, stated: Stated, school: SchoolId, number: str | None) -> PersonRoot:
        """Return what an ECK iD will open at a school where it waits."""
        joined = stated.joined
        alone = number is None or (school, number) not in self.own_account
        if joined is not None and joined.mature and alone and school not in stated.promised_at:
            return joined.account
        return self.of_eck_id(stated)

    def is_foreign(self, school: SchoolId, stated: Stated | None) -> bool:
        return stated is not None and bool(stated.arrivals) and school not in stated.arrivals

    def counts(self, stated: Stated | None, number: str | None) -> bool:
        year = school_year_of(self.today)
        names = {f"eck {stated.eck_id}" if stated else None, f"number {number}" if number else None}
        return not any((year, each) in self.ledger.counted for each in names if each)

    def count(self, school: SchoolId, stated: Stated | None, *, number: str | None) -> None:
        """Hold the liar's budget, and count what it spent."""
        if school != LIAR:
            return
        counts = self.counts(stated, number)
        if self.is_first(stated):
            first_in_all = self.first_in_all()
            promises.made_up_pupils_stay_within_budget(
                self.ledger, today=self.today, in_all=first_in_all
            )
            self.ledger.stated_first[school_year_of(self.today)] += 1
        if self.is_foreign(school, stated):
            a_day, in_all = self.budget()
            promises.lies_stay_within_budget(
                self.ledger, today=self.today, a_day=a_day, in_all=in_all, counts=counts
            )
            self.ledger.let_in[self.today] += 1
        year = school_year_of(self.today)
        self.ledger.pupils[year] += counts
        if stated is not None:
            self.ledger.counted.add((year, f"eck {stated.eck_id}"))
        if number is not None:
            self.ledger.counted.add((year, f"number {number}"))

    def is_first(self, stated: Stated | None) -> bool:
        """Tell whether no school stated this ECK iD before."""
        return stated is not None and not stated.arrivals

    def first_in_all(self) -> int:
        return budget_of(LIAR_PUPILS, rules=RULES, today=self.today).first_in_all

    def first_is_spent(self, school: SchoolId, stated: Stated | None) -> bool:
        """Tell whether this ECK iD is one too many whom nobody stated."""
        spent = self.ledger.stated_first[school_year_of(self.today)] >= self.first_in_all()
        return school == LIAR and self.is_first(stated) and spent

    def is_put_off(self, school: SchoolId, eck_id: str | None, number: str | None) -> bool:
        """Tell whether an ECK iD is left aside: it is one too many, and the number is known."""
        if eck_id is None or number is None or (school, number) in self.bound:
            return False
        known = (school, number) in self.own_account
        return known and self.first_is_spent(school, self.ledger.stated[eck_id])

    def budget(self) -> tuple[int, int]:
        budget = budget_of(LIAR_PUPILS, rules=RULES, today=self.today)
        return budget.a_day, budget.in_all or 0

    def refused(
        self,
        school: SchoolId,
        eck_id: str | None,
        refusal: Refusal | None,
        *,
        number: str | None,
    ) -> None:
        """Hold that a refusal has its cause; honest pupils are refused for few."""
        stated = None if eck_id is None else self.ledger.stated[eck_id]
        if isinstance(refusal, ArrivalWaits):
            if eck_id is None and number is not None:
                self.last_years[school, number] = school_year_of(self.today)
                stated = self.ledger.stated.get(self.bound.get((school, number), ""))
            must(stated is not None and stated.protected, "way on: nothing waits for no reason")
            assert stated is not None
            must(school not in stated.first_at, "way on: the first school never waits")
            must(school not in stated.confirmed, "way on: who is confirmed does not wait")
            if school not in stated.arrivals:
                stated.arrivals[school] = self.today
                stated.opens[school] = self.pinned_at(stated, school, number)
            return
        if isinstance(refusal, ArrivalsSpent):
            must(school == LIAR, "way on: an honest school has its budget")
            self.waited[self.today] = self.waited.get(self.today, 0) + 1
            if self.waited[self.today] > WAITS_A_DAY and not self.is_foreign(school, stated):
                return
            if self.first_is_spent(school, stated):
                return
            must(self.is_foreign(school, stated), "budget: it is for pupils of other schools")
            a_day, in_all = self.budget()
            promises.refused_for_budget_only_when_spent(
                self.ledger,
                today=self.today,
                a_day=a_day,
                in_all=in_all,
                counts=self.counts(stated, number),
            )
            return
        if isinstance(refusal, EckIdMissing):
            must(eck_id is None and number is not None, "way on: the ECK iD is there")
            must(self.went_on((school, number or "")), "way on: the number is whose it was")
            return
        if isinstance(refusal, TooManyNumbers):
            return
        raise Violated(f"way on: refused by {refusal!r}")
