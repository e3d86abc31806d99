"""What people decide in `continuity_machine`: about persons by two operators, about keys by one."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.operators.two_persons import Action
from broker.flow.persons.person_changes import PlanPorts, plan_change
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    Plan,
    plan_confirmation,
    plan_protection,
    plan_split,
)
from broker.flow.persons.person_records import Presented
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.person_withdrawal import plan_withdrawal
from broker.flow.persons.register import derive_tag
from broker.pseudonyms.derivation import root_apart
from tests.flow import continuity_promises as promises
from tests.flow.continuity_known import LIAR_NUMBERS, PUPILS, Left, Number
from tests.flow.continuity_logins import Logins
from tests.flow.continuity_parties import (
    HONEST,
    LIAR,
    eck_id_at,
)
from tests.flow.continuity_promises import SETTLED_DAYS, Stated, must
from tests.flow.login_parties import REKENRIJK
from tests.flow.operators import ANNA, BEA, a_desk

PUPIL = st.sampled_from(PUPILS)
ANY_SCHOOL = st.sampled_from((*HONEST, LIAR))

Opened = dict[tuple[str, SchoolId], str | None]
Planner = Callable[..., Plan]


class PeopleDecide(Logins):
    """Two operators decide about one person, on the word of one school, which may be the liar."""

    def __init__(self) -> None:
        super().__init__()
        self.operators = a_desk(ANNA, BEA)

    def what_honest_pupils_open(self) -> Opened:
        """Return by which names Rekenrijk knows each honest pupil, at each school of theirs."""
        opened: Opened = {}
        for eck_id, stated in self.ledger.stated.items():
            for school in [each for each in stated.arrivals if each in HONEST]:
                arrived = self.attempt(
                    stated.pupil, school, eck_id=eck_id, number=None, party=REKENRIJK, worker=0
                )
                self.take_in(
                    stated.pupil, school, arrived, eck_id=eck_id, number=None, party=REKENRIJK
                )
                received = arrived.received
                opened[stated.pupil, school] = None if received is None else received.subject
        return opened

    @invariant()
    def the_register_holds_what_was_stated(self) -> None:
        """Looked at after each step, so that what went wrong is found where it did."""
        roots = {self.world.by_eck_id(each): each for each in self.ledger.stated}
        found = self.world.run(
            find_records(tuple(roots), register=self.world.register, keys=self.world.keys.register)
        )
        for root, eck_id in roots.items():
            stated = self.ledger.stated[eck_id]
            opens = {school: self.opened_at(stated, school) for school in stated.arrivals}
            promises.the_register_holds_what_was_stated(stated, found.get(root), opens=opens)

    def decided(
        self, action: Action, plan: Planner, presented: Presented, *, school: SchoolId
    ) -> bool:
        """Let one operator prepare and another confirm; False when it is refused."""
        world = self.world
        self.operators.now = world.now
        deciding = Deciding(
            school=school,
            today=self.today,
            settled_after_days=SETTLED_DAYS,
            tag_of=lambda root: derive_tag(world.keys.register, root),
            fresh_account=lambda root, at: root_apart(root, at, key=world.keys.root),
        )

        def decide(opened: OpenedPerson) -> Plan:
            return plan(opened, by=deciding)

        async def both() -> None:
            ports = PlanPorts(world.register, world.keys.register, world.random)
            prepared, _ = await self.operators.at.prepare_change(
                action,
                school=school,
                by=ANNA,
                plan=lambda: plan_change(presented, decide, ports=ports),
            )
            await self.operators.at.confirm(prepared, by=BEA, register=world.register)

        try:
            world.run(both())
        except Refusal:
            return False
        return True

    def present(self, *, eck_id: str | None, number: Number | None) -> Presented:
        return Presented(
            Population.PUPIL,
            eck_id=None if eck_id is None else self.world.by_eck_id(eck_id),
            local=None if number is None else self.world.by_number(*number),
        )

    def number_at(self, pupil: str, school: SchoolId, liar_s: str) -> Number:
        return school, liar_s if school == LIAR else self.numbers[pupil, school]

    @rule(pupil=PUPIL, sector_of=ANY_SCHOOL, school=ANY_SCHOOL)
    def object_to_transfers(self, pupil: str, sector_of: SchoolId, school: SchoolId) -> None:
        """A school objects to later arrivals; the liar tries it for pupils of others."""
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        later = self.later_than(stated, school) - stated.shut_by.keys()
        presented = self.present(eck_id=stated.eck_id, number=None)
        done = self.decided(Action.OBJECT_TRANSFER, plan_objection, presented, school=school)
        must(done == bool(later), "decided: a school objects to arrivals later than its own")
        for other in later:
            self.shut_out(stated, other, by=school)

    @rule(pupil=PUPIL, sector_of=ANY_SCHOOL, school=ANY_SCHOOL)
    def withdraw_objections(self, pupil: str, sector_of: SchoolId, school: SchoolId) -> None:
        """The school that objected takes it back, or one of before it does."""
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        of_others = {
            at: by
            for at, by in stated.shut_by.items()
            if at in self.later_than(stated, school) and self.is_of_before(stated, school, by)
        }
        void = {at for at, by in of_others.items() if by in stated.closed_to}
        presented = self.present(eck_id=stated.eck_id, number=None)
        done = self.decided(Action.WITHDRAW_OBJECTION, plan_withdrawal, presented, school=school)
        must(done == bool(of_others), "decided: who objected takes it back")
        self.give_back(stated, void or {*of_others}, by=school)

    def is_of_before(self, stated: Stated, school: SchoolId, objector: SchoolId) -> bool:
        if school == objector or school in stated.first_at:
            return True
        is_later = stated.arrivals[school] < stated.arrivals[objector]
        return objector not in stated.first_at and is_later

    @rule(pupil=PUPIL, sector_of=ANY_SCHOOL, school=ANY_SCHOOL)
    def confirm_transfers(self, pupil: str, sector_of: SchoolId, school: SchoolId) -> None:
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        presented = self.present(eck_id=stated.eck_id, number=None)
        done = self.decided(Action.CONFIRM_TRANSFER, plan_confirmation, presented, school=school)
        if school not in stated.arrivals or school in stated.closed_to:
            must(not done, "decided: who was never there confirms nothing")
            return
        if school not in (*stated.first_at, *stated.confirmed):
            must(done != stated.protected, "decided: a protected pupil needs both sides")
            if done:
                self.confirm_at(stated, {school})
            return
        later = self.later_than(stated, school) - stated.closed_to - stated.confirmed
        in_vain = self.later_than(stated, school) & stated.closed_to - stated.shut_by.keys()
        in_vain = set() if later else in_vain
        must(done == bool(later | in_vain), "decided: a school of before confirms what waits")
        self.confirm_at(stated, later)
        self.give_back(stated, in_vain, by=school)

    @rule(pupil=PUPIL, sector_of=ANY_SCHOOL, school=ANY_SCHOOL, protected=st.booleans())
    def protect(self, pupil: str, sector_of: SchoolId, school: SchoolId, protected: bool) -> None:
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        action = Action.PROTECT_PERSON if protected else Action.UNPROTECT_PERSON
        done = self.decided(
            action,
            lambda opened, by: plan_protection(opened, protected=protected, by=by),
            self.present(eck_id=stated.eck_id, number=None),
            school=school,
        )
        may = school in stated.arrivals and school not in stated.closed_to
        settled = {*stated.first_at, *stated.confirmed}
        settled |= self.settled_by_days(stated) if protected else set()
        waits = school not in settled
        changes = stated.protected != protected and not waits
        must(done == (may and changes), "decided: protection, and not by who waits for it")
        if done:
            self.confirm_at(stated, self.settled_by_days(stated))
            stated.protected = protected

    @rule(pupil=PUPIL, old=ANY_SCHOOL, new=ANY_SCHOOL, objects=st.booleans())
    def protected_pupil_moves(
        self, pupil: str, old: SchoolId, new: SchoolId, objects: bool
    ) -> None:
        """Daily logins at the school of before let nobody in, and what it objects to stays so."""
        eck_id = eck_id_at(pupil, old)
        if eck_id != eck_id_at(pupil, new):
            return
        self.log_in(pupil, old, eck_id=eck_id, number=None)
        if not objects:
            self.protect(pupil, old, old, True)
        for school in (new, old, new):
            self.log_in(pupil, school, eck_id=eck_id, number=None)
        if objects:
            self.object_to_transfers(pupil, old, old)
            self.log_in(pupil, new, eck_id=eck_id, number=None)

    @rule(
        pupil=PUPIL,
        school=ANY_SCHOOL,
        liar_s=st.sampled_from(LIAR_NUMBERS),
        only_joins=st.booleans(),
    )
    def split(self, pupil: str, school: SchoolId, liar_s: str, only_joins: bool) -> None:
        """Part a number from its ECK iD, or undo what brought an account."""
        number = self.number_at(pupil, school, liar_s)
        done = self.decided(
            Action.UNDO_JOIN if only_joins else Action.SPLIT_PERSON,
            lambda opened, by: plan_split(opened, only_joins=only_joins, by=by),
            self.present(eck_id=None, number=number),
            school=school,
        )
        eck_id = self.bound.get(number)
        if eck_id is None:
            must(not done, "decided: what is not bound is not split")
            return
        if self.joined_of.get(number) not in (None, eck_id):
            must(not done, "decided: a number issued anew does not lead to who had it before")
            return
        must(done or only_joins, "decided: what is bound can be split")
        if done:
            self.parted(number, self.ledger.stated[eck_id])

    def parted(self, number: Number, stated: Stated) -> None:
        of_number = self.of_number(number)
        self.split_from.add((number, stated.eck_id))
        del self.bound[number]
        self.joined_of.pop(number, None)
        self.owned_from_now_on(number, stated.pupil)
        if stated.protected:
            self.protected_numbers.add(number)
        for at in [each for each, was in stated.before.items() if was == of_number]:
            stated.before[at] = self.of_eck_id(stated)
        joined = stated.opens.get(number[0]) == of_number
        told = {
            supplier
            for (eck_id, supplier), left in self.left.items()
            if eck_id == stated.eck_id and left.account == of_number
        }
        for key, left in list(self.left.items()):
            if key[0] == stated.eck_id and of_number in (left.account, left.beside):
                del self.left[key]
        if joined:
            along = {each for each, opened in stated.opens.items() if opened == of_number}
            stated.changed |= along
            stated.joined = None
            told = set(stated.known_at)
        self.own_account[number] = told

    @rule(
        pupil=PUPIL,
        sector_of=ANY_SCHOOL,
        school=ANY_SCHOOL,
        liar_s=st.sampled_from(LIAR_NUMBERS),
    )
    def join(self, pupil: str, sector_of: SchoolId, school: SchoolId, liar_s: str) -> None:
        """Let a number's own account be left behind for the ECK iD's."""
        number = self.number_at(pupil, school, liar_s)
        if school in HONEST:
            sector_of = school
            if self.ledger.owners.get(self.of_number(number)) != pupil:
                return  # two honest operators look whose number it is
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        done = self.decided(
            Action.JOIN_PERSON,
            plan_join,
            self.present(eck_id=stated.eck_id, number=number),
            school=school,
        )
        if not done:
            return
        must(school in stated.arrivals, "decided: a school joins who was there")
        must(school not in stated.closed_to, "decided: who was objected to joins nobody")
        must(number in self.own_account, "decided: a bound number is joined to nobody else")
        self.split_from.discard((number, stated.eck_id))
        of_number = self.of_number(number)
        stated.known_at |= self.own_account[number]
        for supplier in self.own_account.pop(number):
            self.left[stated.eck_id, supplier] = Left(
                of_number, told_at=school, beside=self.opened_at(stated, school)
            )
        self.joined_of[number] = stated.eck_id
        stated.protected |= number in self.protected_numbers
        self.bound[number] = stated.eck_id
        self.bound_onward(number, stated)
