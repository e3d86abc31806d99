"""What schools change in `continuity_machine`: lists, logins, take-overs; and who is erased.

The liar sends lists of other schools' pupils, signs for them, and asks for their mapping.
"""

from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.operators.erased_beside import BesideRows
from broker.flow.persons.arrival_budgets import budget_of
from broker.flow.persons.person_records import school_year_of
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switching import SwitchDesk
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from tests.flow import continuity_promises as promises
from tests.flow.continuity_known import PUPILS
from tests.flow.continuity_parties import (
    BIOSFEER_ID,
    HONEST,
    KOMPAS,
    LIAR,
    LIAR_PUPILS,
    NEW_IDP,
    RULES,
    VUURVOGEL,
    eck_id_at,
)
from tests.flow.continuity_promises import Stated, must
from tests.flow.continuity_rotations import KeysRotate
from tests.flow.feeding import feed
from tests.flow.login_parties import SAML_IDP
from tests.flow.operators import ANNA, BEA

PUPIL = st.sampled_from(PUPILS)
PROTECTS_AT_MOST = 5
"""By lists of a school of this size, in a school year."""

PAIR = LoginPair(VUURVOGEL, SAML_IDP, NEW_IDP)


class SchoolsChange(KeysRotate):
    """Lists are sent, logins switched and switched back, persons erased."""

    def __init__(self) -> None:
        super().__init__()
        self.switched = False
        self.protected_by_list: dict[tuple[SchoolId, int], int] = {}

    @rule()
    def send_list(self) -> None:
        """Het Kompas sends who its logins are; arrivals there are confirmed by it."""
        rows = [
            {
                "login": f"{pupil}-{KOMPAS}",
                "eck_id": eck_id_at(pupil, KOMPAS),
                "number": self.numbers[pupil, KOMPAS],
            }
            for pupil in PUPILS
        ]
        self.world.work(0)
        self.world.run(feed(self.world, *rows, school=KOMPAS, allow_vanishing=True))
        self.listed, self.listed_on = set(PUPILS), self.today
        for pupil in PUPILS:
            self.noted(self.ledger.stated[eck_id_at(pupil, KOMPAS)], KOMPAS, protected=False)

    @rule(protected=st.booleans(), too_many=st.booleans())
    def malicious_list(self, protected: bool, too_many: bool) -> None:
        """List whom other schools have; it confirms only while it fits the school's size."""
        rows = [
            {"login": f"login-{index}", "eck_id": eck_id, "protected": "yes" if protected else "no"}
            for index, eck_id in enumerate(self.ledger.stated)
        ]
        if too_many:
            rows += [{"login": f"more-{index}", "number": f"9{index}"} for index in range(3)]
        self.world.work(0)
        self.world.run(feed(self.world, *rows, school=LIAR, allow_vanishing=True))
        in_all = budget_of(LIAR_PUPILS, rules=RULES, today=self.today).in_all or 0
        for stated in self.ledger.stated.values():
            self.noted(stated, LIAR, protected=protected, confirms=len(rows) <= in_all)

    def noted(
        self, stated: Stated, school: SchoolId, *, protected: bool, confirms: bool = True
    ) -> None:
        """Take in what a list says: it ends its own school's hold, and protects who is settled."""
        if school not in stated.arrivals or school in stated.closed_to:
            return
        if confirms and not stated.protected and school not in stated.first_at:
            self.confirm_at(stated, {school})
        if protected and not stated.protected and self.may_protect(stated, school):
            spent = (school, school_year_of(self.today))
            if self.protected_by_list.get(spent, 0) < PROTECTS_AT_MOST:
                self.protected_by_list[spent] = self.protected_by_list.get(spent, 0) + 1
                self.confirm_at(stated, self.settled_by_days(stated))
                stated.protected = True
        in_vain = stated.protected and school in self.settled_by_days(stated)
        if confirms and in_vain and school not in (*stated.first_at, *stated.confirmed):
            self.shut_out(stated, school, by=None)  # as if a school of before had objected

    def may_protect(self, stated: Stated, school: SchoolId) -> bool:
        """Tell whether a school's list protects: it was first and is alone, or there for long."""
        since = stated.arrivals[school]
        if school in stated.first_at:
            alone = stated.arrivals.keys() - stated.closed_to == {school}
            return alone or school_year_of(since) < school_year_of(self.today)
        return (self.today - since).days >= promises.MATURE_DAYS

    def numbers_moved(self, school: SchoolId) -> None:
        if school == KOMPAS and self.listed_on > date.min:
            self.send_list()

    @rule(classes=st.sampled_from(((), ("groep 7",))), back=st.booleans())
    def switch_login(self, classes: tuple[str, ...], back: bool) -> None:
        """De Vuurvogel goes to another login, by class or all, or back: no account is another."""
        desk = SwitchDesk(
            store=SqliteSwitches(self.world.folder / "registry.db"),
            most_changed_percent=1,
            audit=self.world.audit,
            by="root",
            clock=self.world.clock,
        )
        try:
            if back:
                desk.roll_back(VUURVOGEL)
            else:
                desk.switch(PAIR, classes=classes, first_day=None, despite_changes=True)
        except Refusal:
            must(back and not self.switched, "decided: a switch can be made and taken back")
            return
        self.switched = not back
        self.world.look()

    @rule(pupil=PUPIL, sector_of=st.sampled_from((*HONEST, LIAR)), by_liar=st.booleans())
    def erase(self, pupil: str, sector_of: SchoolId, by_liar: bool) -> None:
        """Erase a person; a school that never stated the pupil cannot."""
        school = LIAR if by_liar else sector_of
        stated = self.ledger.stated[eck_id_at(pupil, sector_of)]
        world = self.world
        self.operators.now = world.now
        lists = [ListOf(ListKind.PUPILS, each, BIOSFEER_ID) for each in (VUURVOGEL, LIAR)]
        keys = world.keys
        beside = BesideRows(keys.register, keys.enrolment, keys.shields, school, lists)

        async def both() -> None:
            prepared = await self.operators.at.prepare_erasure(
                self.present(eck_id=stated.eck_id, number=None),
                school=school,
                by=ANNA,
                register=world.register,
                keys=world.keys.register,
                beside=beside.tags,
            )
            await self.operators.at.confirm(prepared, by=BEA, register=world.register)

        try:
            world.run(both())
        except Refusal:
            must(
                school not in (*stated.arrivals, *stated.promised_at),
                "decided: a school erases its own pupil",
            )
            return
        must(
            school in (*stated.arrivals, *stated.promised_at),
            "decided: only a school that has a pupil can have it erased",
        )
        self.erased(stated)

    @rule(pupil=PUPIL, school=st.sampled_from(HONEST))
    def begin_anew_after_erasure(self, pupil: str, school: SchoolId) -> None:
        for states in ("number", "both"):
            self.honest_login(pupil, school, states, "rekenrijk", 0)
        self.erase(pupil, school, False)
        self.honest_login(pupil, school, "number", "rekenrijk", 1)

    @rule(pupil=PUPIL, protected=st.booleans(), too_many=st.booleans())
    def malicious_list_of_a_known_pupil(self, pupil: str, protected: bool, too_many: bool) -> None:
        eck_id = eck_id_at(pupil, VUURVOGEL)
        for school in (VUURVOGEL, LIAR):
            self.log_in(pupil, school, eck_id=eck_id, number=None)
        self.malicious_list(protected, too_many)

    def erased(self, stated: Stated) -> None:
        """Forget what the register forgets; what suppliers were told they know still."""
        for at in (*stated.arrivals, *stated.promised_at):
            if at in self.signed:
                self.signed[at].listed.discard(stated.eck_id)
            if at == KOMPAS:
                self.listed.discard(stated.pupil)
        for number, eck_id in list(self.bound.items()):
            if eck_id == stated.eck_id:
                del self.bound[number]
                self.joined_of.pop(number, None)
                self.closed.add(number)
                self.fresh.pop(number, None)
                self.ledger.counted -= {
                    each for each in self.ledger.counted if each[1] == f"number {number[1]}"
                }
        parted = {each for each in self.split_from if each[1] == stated.eck_id}
        if parted or stated.closed_to or stated.used_at or stated.protected:
            self.closed.add(stated.eck_id)
        self.fresh.pop(stated.eck_id, None)
        self.split_from -= parted
        for key in [each for each in self.left if each[0] == stated.eck_id]:
            del self.left[key]
        self.ledger.counted -= {
            each for each in self.ledger.counted if each[1] == f"eck {stated.eck_id}"
        }
        self.ledger.stated[stated.eck_id] = Stated(stated.pupil, stated.eck_id)
