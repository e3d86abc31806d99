"""Who acts in `continuity_machine`, and what their logins mean: pupils, and a school that lies.

Every answer is held against `continuity_promises`; nothing here assumes what the broker decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis.stateful import RuleBasedStateMachine

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.flow.persons.arrival_budgets import WAITS_A_DAY, ArrivalsSpent, ArrivalWaits, budget_of
from broker.flow.persons.person_joins import TooManyNumbers
from broker.flow.persons.person_records import as_root, school_year_of
from broker.flow.release import day_of
from broker.pseudonyms.derivation import PersonRoot
from tests.flow import continuity_promises as promises
from tests.flow.continuity_promises import (
    LIAR_NAME,
    Joined,
    Ledger,
    SignedFor,
    Stated,
    Violated,
    must,
    previous_of,
)
from tests.flow.continuity_world import (
    BIOSFEER_ID,
    HONEST,
    KOMPAS,
    LIAR,
    LIAR_PUPILS,
    RULES,
    SUPPLIER_OF,
    VUURVOGEL,
    Arrived,
    ContinuityWorld,
    a_person,
    eck_id_at,
)
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN

PUPILS = ("an", "bo", "cy")
PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML)
LIAR_NUMBERS = ("x", "y")
TEACHER, TEACHER_NUMBER = "els", "77an"
"""As in life: a pupil has that number too."""
TOLD_DAYS = 365
BELIEVED_DAYS = 400

Number = tuple[SchoolId, str]


@dataclass
class Left:
    """An account that was left behind for an ECK iD's, and where that is told; of a transfer
    anywhere."""

    account: PersonRoot
    told_at: SchoolId | None
    beside: PersonRoot | None
    until: date | None = None


class Actors(RuleBasedStateMachine):
    """Everybody around the broker, and what they were told. Rules are added by subclasses."""

    world_type: type[ContinuityWorld] = ContinuityWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_type()
        self.ledger = Ledger()
        self.numbers = {(pupil, at): f"77{pupil}" for pupil in PUPILS for at in HONEST}
        self.bound: dict[Number, str] = {}
        self.own_account: dict[Number, set[SupplierId]] = {}
        self.split_from: set[tuple[Number, str]] = set()
        self.closed: set[Number | str] = set()
        self.fresh: dict[Number | str, PersonRoot] = {}
        self.waited: dict[date, int] = {}
        self.left: dict[tuple[str, SupplierId], Left] = {}
        self.joined_of: dict[Number, str] = {}
        self.protected_numbers: set[Number] = set()
        self.listed: set[str] = set()
        self.listed_on = date.min
        self.signed: dict[SchoolId, SignedFor] = {}
        self.must_state_both: set[tuple[str, SchoolId]] = set()
        for pupil in PUPILS:
            for at in HONEST:
                self.own(self.world.by_number(at, self.numbers[pupil, at]), pupil)
                eck_id = eck_id_at(pupil, at)
                self.own(self.world.by_eck_id(eck_id), pupil)
                self.ledger.stated.setdefault(eck_id, Stated(pupil, eck_id))
                for school in (*HONEST, LIAR):
                    self.own(self.world.apart(eck_id, school), pupil)
        for number in LIAR_NUMBERS:
            self.own(self.world.by_number(LIAR, number), LIAR_NAME)
        for at in HONEST:
            self.own(self.world.of_staff(at, TEACHER_NUMBER), TEACHER)

    def teardown(self) -> None:
        self.world.close()

    def own(self, account: PersonRoot, who: str) -> None:
        self.ledger.owners[account] = who

    def of_number(self, number: Number, opened: PersonRoot | None = None) -> PersonRoot:
        """Return a number's own account; once its owner was erased one that nobody had before.

        Args:
            opened: what it opens now, which tells the fresh one.
        """
        holder = next((who for (who, at), text in self.numbers.items() if (at, text) == number), "")
        root = self.world.by_number(*number)
        return self._account_of(number, root, opened=opened, holder=holder or LIAR_NAME)

    def of_eck_id(self, stated: Stated, opened: PersonRoot | None = None) -> PersonRoot:
        """Return an ECK iD's own account; see `of_number`."""
        root = self.world.by_eck_id(stated.eck_id)
        return self._account_of(stated.eck_id, root, opened=opened, holder=stated.pupil)

    def _account_of(
        self, of: Number | str, root: PersonRoot, *, opened: PersonRoot | None, holder: str
    ) -> PersonRoot:
        if of not in self.closed:
            return root
        if of not in self.fresh and opened is not None:
            must(opened not in self.ledger.owners, "own account: one that nobody had before")
            self.fresh[of] = opened
            self.own(opened, holder)
        return self.fresh.get(of, as_root(bytes(32)))

    @property
    def today(self) -> date:
        return day_of(self.world.now)

    # Logins ----------------------------------------------------------------------------------

    def attempt(
        self,
        who: str,
        school: SchoolId,
        *,
        eck_id: str | None,
        number: str | None,
        party: str,
        worker: int,
        staff: bool = False,
    ) -> Arrived:
        """Run one login, its second half at the other worker; nothing but refusals may come."""
        person = a_person(who, school, eck_id=eck_id, number=number, staff=staff)
        try:
            return self.world.run(
                self.world.log_in_at(school, person, party=party, first=worker, second=worker + 1)
            )
        except AssertionError:
            raise
        except Exception as unexpected:
            raise Violated("way on: an exception instead of a page") from unexpected

    def at_once(
        self, school: SchoolId, stated: Sequence[tuple[str, str | None, str | None]], *, party: str
    ) -> None:
        """Let both workers take in a login at once; each is (who, ECK iD, number)."""
        persons = [
            a_person(who, school, eck_id=eck_id, number=number) for who, eck_id, number in stated
        ]
        try:
            arrived = self.world.run(self.world.log_in_at_once(school, persons, party=party))
        except AssertionError:
            raise
        except Exception as unexpected:
            raise Violated("way on: an exception instead of a page") from unexpected
        # Who was refused for the budget's sake came after who was let in, whichever it was.
        order = sorted(range(len(stated)), key=lambda each: arrived[each].received is None)
        for each in order:
            who, eck_id, number = stated[each]
            self.take_in(who, school, arrived[each], eck_id=eck_id, number=number, party=party)

    def log_in(
        self,
        who: str,
        school: SchoolId,
        *,
        eck_id: str | None,
        number: str | None,
        party: str = REKENRIJK,
        worker: int = 0,
    ) -> Arrived:
        """Let a pupil log in, or the liar in a pupil's name, and look at what came.

        Args:
            eck_id, number: that the login states; a list may say what it leaves out.
        """
        arrived = self.attempt(
            who, school, eck_id=eck_id, number=number, party=party, worker=worker
        )
        self.take_in(who, school, arrived, eck_id=eck_id, number=number, party=party)
        return arrived

    def take_in(
        self,
        who: str,
        school: SchoolId,
        arrived: Arrived,
        *,
        eck_id: str | None,
        number: str | None,
        party: str,
    ) -> None:
        """Look at what came of a login that stated this, and hold it against the promises."""
        if self.is_listed(who, school):
            eck_id, number = eck_id_at(who, school), self.numbers[who, school]
        supplier = SUPPLIER_OF[party]
        promises.no_school_learns_of_another(arrived, school=school)
        if arrived.received is None:
            self.refused(school, eck_id, arrived.refusal, number=number)
            return
        must(not arrived.received.error, "way on: an error to the supplier")
        account = self.looked_at(arrived, supplier=supplier)
        if supplier != BIOSFEER_ID or self.withholds(school):
            promises.old_keys_stay_in(arrived.received)
        stated = None if eck_id is None else self.ledger.stated[eck_id]
        self.count(school, stated, number=number)
        if stated is not None:
            account_of_before = stated.opens.get(school)
            self.stated_at(school, stated, number=number, account=account)
        else:
            assert number is not None
            stated, account_of_before = self.number_alone(school, number, account, supplier)
        self.announced(stated, arrived, account, supplier=supplier, school=school)
        if stated is not None:
            stated.known_at.add(supplier)
            told = self.previous_account(arrived, supplier) == account_of_before
            if account_of_before is not None:
                before = stated.opens[school]
                stated.opens[school] = account_of_before
                promises.work_is_kept(stated, school=school, account=account, told=told)
                stated.opens[school] = before
            stated.changed.discard(school)
        if school in HONEST:
            promises.nobody_gets_anothers_account(
                self.ledger, pupil=who, account=account, stated=stated
            )
        self.ledger.told[supplier].add(account)

    def looked_at(self, arrived: Arrived, *, supplier: SupplierId) -> PersonRoot:
        """Look at what every answer must be; returns the account."""
        assert arrived.received is not None
        named = self.world.sights[0].registry.suppliers[supplier]
        epoch, previous_epoch = self.epochs_of(supplier)
        must(named.epoch == epoch, "epoch: the registry says what the desk did")
        promises.names_come_from_the_pinned_key(
            arrived.received, epoch=epoch, previous_epoch=previous_epoch
        )
        promises.nothing_links_two_suppliers(self.ledger, arrived, supplier=supplier)
        return self.world.account_of(arrived.received.subject, supplier)

    def is_listed(self, pupil: str, school: SchoolId) -> bool:
        """Tell whether a list of the school says the rest of what a login leaves out."""
        believed = self.listed_on >= date.min + timedelta(days=BELIEVED_DAYS)
        believed = believed and self.today <= self.listed_on + timedelta(days=BELIEVED_DAYS)
        return school == KOMPAS and pupil in self.listed and believed

    def numbers_moved(self, school: SchoolId) -> None:
        """A school's numbers are others now: whatever else it sent must say so."""

    def withholds(self, school: SchoolId) -> bool:
        """Tell whether no ECK iD may go out to Biosfeer."""
        signed = self.signed.get(school)
        if school not in (VUURVOGEL, LIAR):
            return True
        return signed is not None and (signed.state == "on" or self.today > signed.last_day)

    def epochs_of(self, supplier: SupplierId) -> tuple[str, str | None]:
        """Return the letters in use, as the operators of this machine left them."""
        return "a", None

    def previous_account(self, arrived: Arrived, supplier: SupplierId) -> PersonRoot | None:
        assert arrived.received is not None
        previous = previous_of(arrived.received)
        return None if previous is None else self.world.account_of(previous, supplier)

    def stated_at(
        self, school: SchoolId, stated: Stated, *, number: str | None, account: PersonRoot
    ) -> None:
        """Take in what an ECK iD opened, with a number or without."""
        own = self.of_eck_id(stated, None if stated.arrivals else account)
        of_number = None if number is None else (school, number)
        beside_own = of_number in self.own_account
        was_there = school in stated.arrivals
        others = stated.arrivals.keys() - stated.closed_to - {school}
        promises.protected_pupils_need_both_sides(stated, school=school)
        promises.objection_shuts_out(
            stated,
            school=school,
            account=account,
            fresh=self.world.apart(stated.eck_id, school),
        )
        if school in stated.promised_at and not was_there:
            must(account == own, "mapping: a promise is kept at its school")
        elif not stated.arrivals and beside_own and number is not None:
            if stated.eck_id in self.closed:
                self.split_from.add(((school, number), stated.eck_id))
                must(account == own, "own account: an erased ECK iD joins no number")
            else:
                joined = self.of_number((school, number), account)
                must(account == joined, "kept: a number's account is joined at its school")
                stated.joined = Joined(school, account)
        elif not was_there:
            promises.one_person_one_pseudonym(
                stated, school=school, account=account, own=own, beside_own=beside_own
            )
        stated.arrivals.setdefault(school, self.today)
        stated.opens[school] = account
        joined_here = stated.joined
        if joined_here is not None and joined_here.school == school and not others:
            joined_here.ripen(self.today)
        if was_there:
            self.confirm_later(stated, school)
        if of_number is not None:
            self.bind(of_number, stated, account, kept_apart=beside_own and bool(others))

    def bind(
        self, number: Number, stated: Stated, account: PersonRoot, *, kept_apart: bool
    ) -> None:
        """Take in that a number came with an ECK iD."""
        if kept_apart or (number, stated.eck_id) in self.split_from:
            if number not in self.bound:
                self.own_account.setdefault(number, set())
            return
        kept_own = number in self.own_account
        knew = self.own_account.pop(number, set())
        stated.known_at |= knew
        of_number = self.of_number(number)
        if kept_own:
            self.joined_of[number] = stated.eck_id
            stated.protected |= number in self.protected_numbers
        if account != of_number:
            for supplier in knew:
                self.left[stated.eck_id, supplier] = Left(
                    of_number, told_at=number[0], beside=account
                )
        self.bound[number] = stated.eck_id

    def number_alone(
        self, school: SchoolId, number: str, account: PersonRoot, supplier: SupplierId
    ) -> tuple[Stated | None, PersonRoot | None]:
        """Take in what a number opened; returns the ECK iD that it is bound to."""
        eck_id = self.bound.get((school, number))
        if eck_id is None:
            own = self.of_number((school, number), account)
            must(account == own, "kept: a number opens its own account")
            self.own_account.setdefault((school, number), set()).add(supplier)
            return None, None
        stated = self.ledger.stated[eck_id]
        if school in stated.changed:
            must(account == self.opened_at(stated, school), "kept: a number follows its ECK iD")
            stated.opens[school] = account
        return stated, stated.opens.get(school)

    def opened_at(self, stated: Stated, school: SchoolId) -> PersonRoot | None:
        """Return what an ECK iD opens at a school now, after what people decided."""
        if school not in stated.changed:
            return stated.opens.get(school)
        if school in stated.closed_to:
            return self.world.apart(stated.eck_id, school)
        return self.of_eck_id(stated)

    def confirm_later(self, stated: Stated, school: SchoolId) -> None:
        """A daily login confirms arrivals since, unless the pupil is protected."""
        if not stated.protected:
            self.confirm_at(stated, self.later_than(stated, school))

    def is_settled(self, stated: Stated, school: SchoolId) -> bool:
        """Tell whether nobody's word about this school is waited for any more."""
        if school not in stated.arrivals or school in stated.closed_to:
            return False
        if school == stated.first_by or school in stated.confirmed:
            return True
        return not stated.protected and school in self.settled_by_days(stated)

    def settled_by_days(self, stated: Stated) -> set[SchoolId]:
        return {
            each
            for each, day in stated.arrivals.items()
            if each != stated.first_by and (self.today - day).days >= promises.SETTLED_DAYS
        }

    def later_than(self, stated: Stated, school: SchoolId) -> set[SchoolId]:
        """Return where this ECK iD arrived later than at a school that has a say in it."""
        if not self.is_settled(stated, school):
            return set()
        own, is_first = stated.arrivals[school], stated.first_by == school
        return {
            other
            for other, day in stated.arrivals.items()
            if other not in (school, stated.first_by) and (is_first or own < day)
        }

    def confirm_at(self, stated: Stated, schools: set[SchoolId]) -> None:
        stated.confirmed |= schools - stated.closed_to

    def announced(
        self,
        stated: Stated | None,
        arrived: Arrived,
        account: PersonRoot,
        *,
        supplier: SupplierId,
        school: SchoolId,
    ) -> None:
        """Hold what `previous_sub` says, and that it says what it must."""
        previous = self.previous_account(arrived, supplier)
        window_open = self.epochs_of(supplier)[1] is not None
        if previous is not None or window_open:
            promises.previous_is_own_and_known(
                self.ledger,
                pupil="" if stated is None else stated.pupil,
                school=school,
                account=account,
                previous=previous,
                supplier=supplier,
                window_open=window_open,
            )
        if stated is None or window_open:
            return
        left = self.left.get((stated.eck_id, supplier))
        if left is None or left.told_at not in (None, school):
            must(previous is None, "previous: nobody is told of what was not left behind")
            return
        if left.beside != account:
            must(previous is None, "previous: it is told beside the account that it was left for")
            return
        if left.until is None:
            left.until = date.fromordinal(self.today.toordinal() + TOLD_DAYS)
        if left.account == account or self.today > left.until:
            must(previous is None, "previous: it is told for a bounded time")
            return
        must(previous == left.account, "previous: the supplier is told of what was left behind")

    # Budgets, and what is refused ------------------------------------------------------------

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
                stated = self.ledger.stated.get(self.bound.get((school, number), ""))
            must(stated is not None and stated.protected, "way on: nothing waits for no reason")
            assert stated is not None
            must(stated.first_by != school, "way on: the first school never waits")
            must(school not in stated.confirmed, "way on: who is confirmed does not wait")
            stated.arrivals.setdefault(school, self.today)
            return
        if isinstance(refusal, ArrivalsSpent):
            must(school == LIAR, "way on: an honest school has its budget")
            self.waited[self.today] = self.waited.get(self.today, 0) + 1
            if self.waited[self.today] > WAITS_A_DAY and not self.is_foreign(school, stated):
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
        if isinstance(refusal, TooManyNumbers):
            return
        raise Violated(f"way on: refused by {refusal!r}")
