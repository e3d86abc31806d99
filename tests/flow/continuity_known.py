"""What `continuity_machine` knows of everybody: who is who, who was where, and what was decided."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis.stateful import RuleBasedStateMachine

from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_records import as_root
from broker.pseudonyms.derivation import PersonRoot, root_apart
from tests.flow import continuity_promises as promises
from tests.flow.continuity_parties import (
    FENIKS,
    HONEST,
    KOMPAS,
    LIAR,
    VUURVOGEL,
    eck_id_at,
)
from tests.flow.continuity_promises import (
    LIAR_NAME,
    Ledger,
    SignedFor,
    Stated,
    must,
    previous_of,
)
from tests.flow.continuity_world import Arrived, ContinuityWorld
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN

PUPILS = ("an", "bo", "cy")
PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML)
LIAR_NUMBERS = ("x", "y")
TEACHER, TEACHER_NUMBER = "els", "77an"
"""As in life: a pupil has that number too."""
TOLD_DAYS = 365
BELIEVED_DAYS = 400
NOT_OPENED_YET = as_root(bytes(32))
"""Stands for a fresh account that no login told yet."""

Number = tuple[SchoolId, str]


@dataclass
class Left:
    """An account that was left behind for an ECK iD's, and where that is told; of a transfer
    anywhere.

    Attributes:
        said_at: schools that said so, when several did: at which of them it is told is no matter.
        also: another one that is told before or after, when a transfer and a join met.
    """

    account: PersonRoot
    told_at: SchoolId | None
    beside: PersonRoot | None
    until: date | None = None
    said_at: tuple[SchoolId, ...] = ()
    also: PersonRoot | None = None


class WhoIsWho(RuleBasedStateMachine):
    """Everybody around the broker, and what schools stated and people decided about them."""

    world_type: type[ContinuityWorld] = ContinuityWorld

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_type()
        self.ledger = Ledger()
        self.numbers = {(pupil, at): f"77{pupil}" for pupil in PUPILS for at in HONEST}
        self.bound: dict[Number, str] = {}
        self.own_account: dict[Number, set[SupplierId]] = {}
        self.split_from: set[tuple[Number, str]] = set()
        self.left: dict[tuple[str, SupplierId], Left] = {}
        self.joined_of: dict[Number, str] = {}
        self.protected_numbers: set[Number] = set()
        self.closed: set[Number | str] = set()
        self.fresh: dict[Number | str, PersonRoot] = {}
        self.waited: dict[date, int] = {}
        self.carried: dict[Number, PersonRoot] = {}
        self.last_years: dict[Number, int] = {}
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
                for school in (*HONEST, FENIKS, LIAR):
                    self.own(self.world.apart(eck_id, school), pupil)
        for number in LIAR_NUMBERS:
            self.own(self.world.by_number(LIAR, number), LIAR_NAME)
        for at in HONEST:
            self.own(self.world.of_staff(at, TEACHER_NUMBER), TEACHER)

    def teardown(self) -> None:
        self.world.close()

    def own(self, account: PersonRoot, who: str) -> None:
        self.ledger.owners[account] = who

    def owned_from_now_on(self, number: Number, pupil: str) -> None:
        """A number that was issued anew is its new owner's when nobody opened its account yet."""
        of_number = self.world.by_number(*number)
        now = (
            each
            for each, school in self.numbers
            if self.numbers[each, school] == number[1] and school == number[0]
        )
        pupil = next(now, pupil)
        if number in self.closed:
            return
        if number[0] != LIAR and all(of_number not in each for each in self.ledger.told.values()):
            self.own(of_number, pupil)

    @property
    def today(self) -> date:
        return day_of(self.world.now)

    def is_listed(self, pupil: str, school: SchoolId) -> bool:
        """Tell whether a list of the school says the rest of what a login leaves out."""
        believed = self.listed_on >= date.min + timedelta(days=BELIEVED_DAYS)
        believed = believed and self.today <= self.listed_on + timedelta(days=BELIEVED_DAYS)
        return school == KOMPAS and pupil in self.listed and believed

    def here(self, school: SchoolId) -> frozenset[SchoolId]:
        """Return a school under all names that count as its own."""
        return frozenset({school})

    def of_number(self, number: Number, opened: PersonRoot | None = None) -> PersonRoot:
        """Return a number's own account; once its owner was erased one that nobody had before.

        Args:
            opened: what it opens now, which tells the fresh one.
        """
        if number in self.carried:
            if self.carried[number] == NOT_OPENED_YET:
                self.carried[number] = self.of_number((VUURVOGEL, number[1]), opened)
            return self.carried[number]
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
        return self.fresh.get(of, NOT_OPENED_YET)

    def was_parted(self, number: Number, stated: Stated) -> bool:
        """Tell whether two persons split a number from an ECK iD."""
        return (number, stated.eck_id) in self.split_from

    def went_on(self, number: Number) -> bool:
        """Tell whether a number went on to another school, where it may be somebody else's now."""
        return False

    def comes_along(self, school: SchoolId, stated: Stated | None, number: str | None) -> None:
        """Take in what a login brings along from the school that this one goes on for."""

    def bound_onward(self, number: Number, stated: Stated) -> None:
        """Take in that a number is bound where it went on to, as well."""

    def may_issue_anew(self, school: SchoolId, number: str) -> bool:
        """Tell whether an honest school may give a number to somebody else."""
        return True

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

    def opened_at(self, stated: Stated, school: SchoolId) -> PersonRoot | None:
        """Return what an ECK iD opens at a school now, after what people decided."""
        if school not in stated.changed:
            return stated.opens.get(school)
        if school in stated.closed_to:
            return self.fresh_at(stated, school)
        return self.of_eck_id(stated)

    def fresh_at(self, stated: Stated, school: SchoolId) -> PersonRoot:
        """Return what an ECK iD opens where it was objected to."""
        account = stated.fresh_at.get(school)
        if account is None:
            key = self.world.keys.root
            account = root_apart(self.of_eck_id(stated), school, key=key)
            while account in stated.used_at.get(school, ()):
                account = root_apart(account, school, key=key)
        self.ledger.owners.setdefault(account, stated.pupil)
        return account

    def shut_out(self, stated: Stated, school: SchoolId, *, by: SchoolId | None) -> None:
        if school not in stated.closed_to:
            stated.before[school] = self.opened_at(stated, school)
        if by is not None:
            stated.shut_by[school] = by
        stated.closed_to.add(school)
        stated.confirmed.discard(school)
        stated.changed.add(school)

    def give_back(self, stated: Stated, schools: set[SchoolId], *, by: SchoolId) -> None:
        """What was opened before opens again, as far as the deciding school has a say in it."""
        opened = {at: self.opened_at(stated, at) for at in stated.arrivals}
        before = dict(stated.before)
        for school in schools:
            was, fresh = before[school], self.fresh_at(stated, school)
            shared = {at for at in opened if was in (opened[at], before.get(at)) and at != school}
            again = was if was == opened[by] or shared <= schools else fresh
            stated.used_at.setdefault(school, set()).add(fresh)
            for each in (stated.fresh_at, stated.before, stated.shut_by, stated.opens):
                each.pop(school, None)  # type: ignore[attr-defined]
            stated.closed_to.discard(school)
            stated.changed.discard(school)
            stated.confirmed.add(school)
            if again is not None and None not in opened.values():
                stated.opens[school] = again

    def confirm_later(self, stated: Stated, school: SchoolId) -> None:
        """A daily login confirms arrivals since, unless the pupil is protected."""
        if not stated.protected:
            self.confirm_at(stated, self.later_than(stated, school))

    def is_settled(self, stated: Stated, school: SchoolId) -> bool:
        """Tell whether nobody's word about this school is waited for any more."""
        if school not in stated.arrivals or school in stated.closed_to:
            return False
        if school in stated.first_at or school in stated.confirmed:
            return True
        return not stated.protected and school in self.settled_by_days(stated)

    def settled_by_days(self, stated: Stated) -> set[SchoolId]:
        return {
            each
            for each, day in stated.arrivals.items()
            if each not in stated.first_at and (self.today - day).days >= promises.SETTLED_DAYS
        }

    def later_than(self, stated: Stated, school: SchoolId) -> set[SchoolId]:
        """Return where this ECK iD arrived later than at a school that has a say in it."""
        if not self.is_settled(stated, school):
            return set()
        own, is_first = stated.arrivals[school], school in stated.first_at
        return {
            other
            for other, day in stated.arrivals.items()
            if other not in (school, *stated.first_at) and (is_first or own < day)
        }

    def confirm_at(self, stated: Stated, schools: set[SchoolId]) -> None:
        stated.confirmed |= schools - stated.closed_to
