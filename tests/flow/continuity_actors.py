"""Who acts in `continuity_machine`, and what their logins mean: pupils, and a school that lies.

Every answer is held against `continuity_promises`; nothing here assumes what the broker decided.
"""

from collections.abc import Sequence
from datetime import date

from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.arrival_budgets import ArrivalWaits
from broker.flow.persons.person_records import school_year_of
from broker.pseudonyms.derivation import PersonRoot
from tests.flow import continuity_promises as promises
from tests.flow.continuity_known import (
    TOLD_DAYS,
    Left,
    Number,
)
from tests.flow.continuity_parties import (
    BIOSFEER_ID,
    LIAR,
    SUPPLIER_OF,
    a_person,
    eck_id_at,
)
from tests.flow.continuity_promises import (
    Joined,
    Stated,
    Violated,
    must,
)
from tests.flow.continuity_refusals import Refusals
from tests.flow.continuity_world import Arrived
from tests.flow.login_parties import REKENRIJK


class Actors(Refusals):
    """Lets everybody log in, and holds what comes of it. Rules are added by subclasses."""

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
    ) -> Sequence[Arrived]:
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
        return arrived

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
        if self.is_put_off(school, eck_id, number):
            must(arrived.received is not None, "way on: who is known goes on by the number")
            eck_id = None
        supplier = SUPPLIER_OF[party]
        promises.no_school_learns_of_another(arrived, school=school)
        if arrived.received is not None or isinstance(arrived.refusal, ArrivalWaits):
            self.comes_along(school, None if eck_id is None else self.ledger.stated[eck_id], number)
        if arrived.received is None:
            self.refused(school, eck_id, arrived.refusal, number=number)
            return
        if number is not None:
            self.last_years[school, number] = school_year_of(self.today)
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
        if school != LIAR:
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

    def stated_at(
        self, school: SchoolId, stated: Stated, *, number: str | None, account: PersonRoot
    ) -> None:
        """Take in what an ECK iD opened, with a number or without."""
        own = self.of_eck_id(stated, None if stated.arrivals else account)
        of_number = None if number is None else (school, number)
        beside_own = of_number in self.own_account
        was_there = school in stated.arrivals
        others = stated.arrivals.keys() - stated.closed_to - self.here(school)
        promises.protected_pupils_need_both_sides(stated, school=school)
        promises.objection_shuts_out(
            stated,
            school=school,
            account=account,
            fresh=self.fresh_at(stated, school),
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
        is_first = not stated.arrivals
        if is_first:
            stated.first_at.add(school)
        stated.arrivals.setdefault(school, self.today)
        stated.opens[school] = account
        joined_here = stated.joined
        at_home = joined_here is not None and joined_here.school in self.here(school)
        if joined_here is not None and at_home and (was_there or is_first) and not others:
            joined_here.ripen(self.today)
        if was_there:
            self.confirm_later(stated, school)
        if of_number is not None:
            self.bind(of_number, stated, account, kept_apart=beside_own and bool(others))

    def bind(
        self, number: Number, stated: Stated, account: PersonRoot, *, kept_apart: bool
    ) -> None:
        """Take in that a number came with an ECK iD."""
        if kept_apart or self.was_parted(number, stated):
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
                before = self.left.get((stated.eck_id, supplier))
                said = before.said_at if before is not None and before.account == of_number else ()
                also = None if before is None or said else before.account
                self.left[stated.eck_id, supplier] = Left(
                    of_number,
                    told_at=number[0],
                    beside=account,
                    said_at=(*said, number[0]),
                    also=also,
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
        if left is not None and (len(left.said_at) > 1 or left.also is not None):
            may = (None, left.account, left.also)
            must(previous in may, "previous: of what was left behind")
            return
        if left is None or left.told_at not in (None, *self.here(school)):
            must(previous is None, "previous: nobody is told of what was not left behind")
            return
        if left.beside != account:
            must(previous is None, "previous: it is told beside the account that it was left for")
            return
        if left.until is None:
            left.until = date.fromordinal(self.today.toordinal() + TOLD_DAYS)
        if self.today > left.until:
            must(previous is None, "previous: it is told for a bounded time")
            del self.left[stated.eck_id, supplier]
            return
        if left.account == account:
            must(previous is None, "previous: it is another account")
            return
        must(previous == left.account, "previous: the supplier is told of what was left behind")
