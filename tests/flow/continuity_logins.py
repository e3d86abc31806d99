"""Logins of `continuity_machine`: honest ones, moves, numbers issued anew, lies, and time."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.domain.ids import SchoolId
from tests.flow.continuity_actors import Actors
from tests.flow.continuity_known import LIAR_NUMBERS, PARTIES, PUPILS, TEACHER, TEACHER_NUMBER
from tests.flow.continuity_parties import HONEST, LIAR, SUPPLIER_OF, eck_id_at
from tests.flow.continuity_promises import must

PUPIL = st.sampled_from(PUPILS)
SCHOOL = st.sampled_from(HONEST)
PARTY = st.sampled_from(PARTIES)
WORKER = st.integers(0, 1)
STATES = st.sampled_from(("both", "eck id", "number", "list"))


class Logins(Actors):
    """Logins, moves and time."""

    @rule(pupil=PUPIL, school=SCHOOL, states=STATES, party=PARTY, worker=WORKER)
    def honest_login(
        self, pupil: str, school: SchoolId, states: str, party: str, worker: int
    ) -> None:
        both = states == "list" or (pupil, school) in self.must_state_both
        if both and not self.is_listed(pupil, school):
            states = "both"
        arrived = self.log_in(
            pupil,
            school,
            eck_id=None if states in ("number", "list") else eck_id_at(pupil, school),
            number=None if states in ("eck id", "list") else self.numbers[pupil, school],
            party=party,
            worker=worker,
        )
        if arrived.received is not None:
            self.must_state_both.discard((pupil, school))

    @rule(pupil=PUPIL, party=PARTY, school=st.sampled_from(HONEST[1:]))
    def honest_logins_at_once(self, pupil: str, party: str, school: SchoolId) -> None:
        """A double click that reaches both workers: they find, or make, the same account."""
        login = (pupil, eck_id_at(pupil, school), self.numbers[pupil, school])
        arrived = self.at_once(school, (login, login), party=party)
        if arrived[0].received is not None:
            self.must_state_both.discard((pupil, school))

    @rule(first=PUPIL, second=PUPIL, sector_of=SCHOOL, party=PARTY)
    def malicious_logins_at_once(
        self, first: str, second: str, sector_of: SchoolId, party: str
    ) -> None:
        """Two pupils of others at once, one of whom may be one too many."""
        if first != second:
            logins = [(each, eck_id_at(each, sector_of), None) for each in (first, second)]
            self.at_once(LIAR, logins, party=party)

    @rule(school=SCHOOL, party=PARTY, worker=WORKER)
    def teacher_logs_in(self, school: SchoolId, party: str, worker: int) -> None:
        """A teacher's number is also a pupil's."""
        arrived = self.attempt(
            TEACHER,
            school,
            eck_id=None,
            number=TEACHER_NUMBER,
            party=party,
            worker=worker,
            staff=True,
        )
        must(arrived.received is not None, "way on: a teacher logs in")
        account = self.looked_at(arrived, supplier=SUPPLIER_OF[party])
        must(self.ledger.owners.get(account) == TEACHER, "own account: the teacher's")

    @rule(
        victim=st.sampled_from((None, *PUPILS)),
        sector_of=SCHOOL,
        number=st.sampled_from((None, *LIAR_NUMBERS)),
        party=PARTY,
        worker=WORKER,
    )
    def malicious_login(
        self, victim: str | None, sector_of: SchoolId, number: str | None, party: str, worker: int
    ) -> None:
        """State any ECK iD that was learnt, of either sector, with a number or without."""
        if victim is None and number is None:
            return
        eck_id = None if victim is None else eck_id_at(victim, sector_of)
        self.log_in(
            victim or "fiction", LIAR, eck_id=eck_id, number=number, party=party, worker=worker
        )

    @rule(victim=PUPIL, number=st.sampled_from(LIAR_NUMBERS), party=PARTY, patient=st.booleans())
    def malicious_plan(self, victim: str, number: str, party: str, patient: bool) -> None:
        """Make an account by a number of its own, and tie it to an ECK iD first."""
        eck_id = eck_id_at(victim, LIAR)
        self.log_in("fiction", LIAR, eck_id=None, number=number, party=party)
        if not patient:
            self.log_in(victim, LIAR, eck_id=eck_id, number=None, party=party)
        for _ in range(6 if patient else 1):
            self.log_in(victim, LIAR, eck_id=eck_id, number=number, party=party)
            self.world.wait(days=7 if patient else 0)
        self.honest_login(victim, HONEST[0], "eck id", party, 0)

    @rule(party=PARTY, number=st.sampled_from((None, *LIAR_NUMBERS)))
    def malicious_crowd(self, party: str, number: str | None) -> None:
        """State everybody whom the honest schools know, one after the other."""
        for pupil in PUPILS:
            for school in (HONEST[0], HONEST[-1]):
                self.honest_login(pupil, school, "eck id", party, 0)
        for eck_id, stated in self.ledger.stated.items():
            self.log_in(stated.pupil, LIAR, eck_id=eck_id, number=number, party=party)

    @rule(pupil=PUPIL, party=PARTY, old=SCHOOL, new=SCHOOL)
    def moves(self, pupil: str, party: str, old: SchoolId, new: SchoolId) -> None:
        """Log in at one school by what it knows, and at another one."""
        for school, states in ((old, "number"), (old, "both"), (new, "eck id"), (new, "both")):
            self.honest_login(pupil, school, states, party, 0)

    @rule(days=st.sampled_from((1, 1, 8, 31, 120)))
    def days_pass(self, days: int) -> None:
        self.world.wait(days=days)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(old=PUPIL, new=PUPIL, school=SCHOOL)
    def number_is_issued_anew(self, old: str, new: str, school: SchoolId) -> None:
        """Only one that came with an ECK iD before; without, nothing can tell its holders apart."""
        number = self.numbers[old, school]
        if old == new or self.bound.get((school, number)) != eck_id_at(old, school):
            return
        if not self.may_issue_anew(school, number):
            return
        fresh = f"88{len(self.ledger.owners)}"
        self.numbers[old, school] = fresh
        self.own(self.world.by_number(school, fresh), old)
        self.numbers[new, school] = number
        self.must_state_both.add((new, school))
        self.numbers_moved(school)
