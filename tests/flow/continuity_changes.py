"""What schools change in `continuity_machine`: lists, logins, take-overs; and who is erased.

The liar sends lists of other schools' pupils, signs for them, and asks for their mapping.
"""

from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.takeover import TakeoverState
from broker.flow.operators.erased_beside import BesideRows
from broker.flow.persons.arrival_budgets import budget_of
from broker.flow.persons.person_records import school_year_of
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switching import SwitchDesk
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping
from broker.flow.takeover.takeover_pilot import ListDesk
from broker.flow.takeover.takeovers import TakeoverBounds, TakeoverDesk, TakeoverSigning
from tests.builders import a_takeover
from tests.flow import continuity_promises as promises
from tests.flow.continuity_actors import PARTIES, PUPILS
from tests.flow.continuity_operators import KeysRotate
from tests.flow.continuity_promises import SETTLED_DAYS, SignedFor, Stated, must
from tests.flow.continuity_world import (
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
from tests.flow.feeding import feed
from tests.flow.login_parties import SAML_IDP
from tests.flow.operators import ANNA, BEA

PUPIL, PARTY = st.sampled_from(PUPILS), st.sampled_from(PARTIES)
SIGNER = st.sampled_from((VUURVOGEL, LIAR))
DIGEST = bytes(range(32))
PROTECTS_AT_MOST = 5
"""By lists of a school of this size, in a school year."""

QUOTA = 24
WAYS = {
    "none": {"prepare"},
    "prepare": {"pilot", "on", "none"},
    "pilot": {"on", "prepare"},
    "on": {"back"},
    "back": {"on", "pilot"},
}
"""To which states a take-over may go."""
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
        if confirms and not stated.protected and school != stated.first_by:
            self.confirm_at(stated, {school})
        if protected and not stated.protected and self.may_protect(stated, school):
            spent = (school, school_year_of(self.today))
            if self.protected_by_list.get(spent, 0) < PROTECTS_AT_MOST:
                self.protected_by_list[spent] = self.protected_by_list.get(spent, 0) + 1
                self.confirm_at(stated, self.settled_by_days(stated))
                stated.protected = True
        in_vain = stated.protected and school in self.settled_by_days(stated)
        if confirms and in_vain and school not in (stated.first_by, *stated.confirmed):
            stated.closed_to.add(school)  # as if a school of before had objected
            stated.changed.add(school)

    def may_protect(self, stated: Stated, school: SchoolId) -> bool:
        """Tell whether a school's list protects: it was first and is alone, or there for long."""
        since = stated.arrivals[school]
        if school == stated.first_by:
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
        beside = BesideRows(world.keys.register, world.keys.enrolment, lists)

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
        if parted or stated.closed_to:
            self.closed.add(stated.eck_id)
        self.fresh.pop(stated.eck_id, None)
        self.split_from -= parted
        for key in [each for each in self.left if each[0] == stated.eck_id]:
            del self.left[key]
        self.ledger.counted -= {
            each for each in self.ledger.counted if each[1] == f"eck {stated.eck_id}"
        }
        self.ledger.stated[stated.eck_id] = Stated(stated.pupil, stated.eck_id)


class TakeOvers(SchoolsChange):
    """A school signs for the take-over of Biosfeer's accounts; so does the liar, for anybody's."""

    @property
    def store(self) -> SqliteTakeovers:
        return SqliteTakeovers(self.world.folder / "registry.db")

    def is_closed(self, school: SchoolId) -> bool:
        return school in self.signed and self.today > self.signed[school].last_day

    @rule(school=SIGNER)
    def sign_takeover(self, school: SchoolId) -> None:
        world = self.world
        self.operators.now = world.now
        signing = TakeoverSigning(
            world.sights[0].registry,
            self.store,
            TakeoverBounds(longest_days=400, asked_per_school=10_000),
        )
        last_day = self.today + timedelta(days=60)
        terms = a_takeover(
            TakeoverState.NONE,
            school=school,
            supplier=BIOSFEER_ID,
            last_day=last_day,
            quota=QUOTA,
            pupils=DIGEST,
        )

        async def both() -> None:
            prepared = self.operators.at.prepare_takeover(terms, by=ANNA, signing=signing)
            await self.operators.at.confirm(
                prepared, by=BEA, register=world.register, signing=signing
            )

        try:
            world.run(both())
        except Refusal:
            must(self.is_closed(school), "decided: a school can sign")
            return
        promises.closed_takeovers_stay_closed(self.is_closed(school))
        self.signed.setdefault(school, SignedFor(last_day)).last_day = last_day
        world.look()

    @rule(school=SIGNER, to=st.sampled_from(("prepare", "prepare", "pilot", "on", "back", "none")))
    def move_takeover(self, school: SchoolId, to: str) -> None:
        desk = TakeoverDesk(
            registry=self.world.sights[0].registry,
            store=self.store,
            audit=self.world.audit,
            clock=self.world.clock,
            random=self.world.random,
            by="root",
        )
        signed = self.signed.get(school)
        may = signed is not None and to in WAYS[signed.state]
        try:
            desk.set_state(school, BIOSFEER_ID, TakeoverState(to))
        except Refusal:
            must(not may or self.is_closed(school), "decided: the table of states leads there")
            return
        promises.closed_takeovers_stay_closed(self.is_closed(school))
        must(may, "decided: the table of states does not lead there")
        assert signed is not None
        signed.state = to
        self.world.look()

    @rule(school=SIGNER)
    def list_pupils(self, school: SchoolId) -> None:
        """List whom a school signed for: its own pupils; the liar lists everybody."""
        listed = [eck_id_at(each, school) for each in PUPILS]
        if school == LIAR:
            listed = list(self.ledger.stated)
        desk = ListDesk(
            registry=self.world.sights[0].registry,
            lists=self.world.takeover_lists,
            register=self.world.register,
            register_keys=self.world.keys.register,
            root=self.world.keys.root,
            audit=self.world.audit,
            clock=self.world.clock,
            random=self.world.random,
        )
        of = ListOf(ListKind.PUPILS, school, BIOSFEER_ID)
        try:
            self.world.run(desk.put_pupils(of, listed, digest=DIGEST, dry_run=False))
        except Refusal:
            must(
                school not in self.signed or self.is_closed(school),
                "decided: a school lists its pupils",
            )
            return
        promises.closed_takeovers_stay_closed(self.is_closed(school))
        self.signed[school].listed = set(listed)

    @rule(school=SIGNER)
    def ask_mapping(self, school: SchoolId) -> None:
        """Biosfeer asks about every ECK iD that it keeps, under each school that signed."""
        world = self.world
        mapping = TakeoverMapping(
            ports=MappingPorts(
                register=world.register,
                lists=world.takeover_lists,
                keys=world.keys.register,
                root=world.keys.root,
                pairwise=world.keys.pairwise,
                settled_after_days=SETTLED_DAYS,
                random=world.random,
            ),
            store=self.store,
            asked_per_school=10_000,
            audit=world.audit,
            clock=world.clock,
        )
        asked = list(self.ledger.stated)
        signed = self.signed.get(school)
        is_open = signed is not None and signed.state != "none" and not self.is_closed(school)
        try:
            answers = world.run(
                mapping.answer(
                    asked,
                    school=school,
                    supplier=BIOSFEER_ID,
                    registry=world.sights[0].registry,
                )
            )
        except Refusal:
            spent = signed is not None and signed.asked + len(asked) > QUOTA
            must(not is_open or spent, "decided: a supplier may ask")
            return
        promises.closed_takeovers_stay_closed(self.is_closed(school))
        must(is_open, "mapping: only while it is open")
        assert signed is not None
        signed.asked += len(asked)
        must(signed.asked <= QUOTA, "mapping: within its quota")
        for eck_id, (_, answer) in zip(asked, answers, strict=True):
            account = None if answer is None else world.account_of(answer, BIOSFEER_ID)
            self.mapped(self.ledger.stated[eck_id], school, account)

    @rule(pupil=PUPIL, number_first=st.booleans(), party=PARTY)
    def mapping_before_the_first_login(self, pupil: str, number_first: bool, party: str) -> None:
        """A mapping answers for who never logged in; the first login keeps what it promised."""
        if number_first:
            self.honest_login(pupil, VUURVOGEL, "number", party, 0)
        self.sign_takeover(VUURVOGEL)
        self.move_takeover(VUURVOGEL, "prepare")
        self.list_pupils(VUURVOGEL)
        self.ask_mapping(VUURVOGEL)
        self.honest_login(pupil, VUURVOGEL, "both", party, 1)

    @rule(school=SIGNER)
    def takeover_ends(self, school: SchoolId) -> None:
        """After its last day everything is tried once more, and nothing opens."""
        for days in (0, 61):
            self.world.wait(days=days)
            self.sign_takeover(school)
            self.move_takeover(school, "prepare")
            self.list_pupils(school)
            self.ask_mapping(school)
        self.honest_login(PUPILS[0], VUURVOGEL, "both", "biosfeer-web", 0)

    def mapped(self, stated: Stated, school: SchoolId, account: bytes | None) -> None:
        """Hold one answer of a mapping, and take in what it promises."""
        expected = None
        if stated.arrivals:
            if self.is_settled(stated, school):
                expected = self.opened_at(stated, school)
        elif stated.eck_id in self.signed[school].listed and stated.eck_id not in self.closed:
            expected = self.world.by_eck_id(stated.eck_id)
        promises.mapping_answers_for_own_pupils(account=account, expected=expected)
        if expected is not None:
            self.ledger.told[BIOSFEER_ID].add(expected)
            stated.known_at.add(BIOSFEER_ID)
            if not stated.arrivals:
                stated.promised_at.add(school)
