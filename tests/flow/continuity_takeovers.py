"""Take-overs in `continuity_machine`: signed for, listed, asked about, ended; also by the liar."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.takeover import TakeoverState
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping
from broker.flow.takeover.takeover_pilot import ListDesk
from broker.flow.takeover.takeovers import TakeoverBounds, TakeoverDesk, TakeoverSigning
from tests.builders import a_takeover
from tests.flow import continuity_promises as promises
from tests.flow.continuity_changes import SchoolsChange
from tests.flow.continuity_known import PARTIES, PUPILS
from tests.flow.continuity_parties import (
    BIOSFEER_ID,
    LIAR,
    VUURVOGEL,
    eck_id_at,
)
from tests.flow.continuity_promises import SETTLED_DAYS, SignedFor, Stated, must
from tests.flow.operators import ANNA, BEA

PUPIL, PARTY = st.sampled_from(PUPILS), st.sampled_from(PARTIES)
SIGNER = st.sampled_from((VUURVOGEL, LIAR))
DIGEST = bytes(range(32))
QUOTA = 24
WAYS = {
    "none": {"prepare"},
    "prepare": {"pilot", "on", "none"},
    "pilot": {"on", "prepare"},
    "on": {"back"},
    "back": {"on", "pilot"},
}
"""To which states a take-over may go."""


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
