"""A school that makes up pupils in `continuity_machine`: ECK iDs that no school stated before.

Whoever is first to state an ECK iD is taken to be that pupil's school, so a school that lies wants
to be first for as many as it can.
"""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from broker.demo.people import made_up_eck_id
from tests.flow.continuity_known import LIAR_NUMBERS, PUPILS
from tests.flow.continuity_logins import PARTY, PUPIL, Logins
from tests.flow.continuity_parties import HONEST, LIAR, eck_id_at
from tests.flow.continuity_promises import Stated

NUMBER = st.sampled_from((None, *LIAR_NUMBERS))


class MakesUpPupils(Logins):
    """The liar states whom nobody knows, and whom nobody stated yet."""

    made_up = 0

    @rule(
        many=st.sampled_from((1, 3)), number=NUMBER, days=st.sampled_from((0, 1, 120)), party=PARTY
    )
    def make_up_pupils(self, many: int, number: str | None, days: int, party: str) -> None:
        for _ in range(many):
            self.made_up += 1
            pupil = f"made up {self.made_up}"
            eck_id = made_up_eck_id(pupil)
            self.ledger.stated[eck_id] = Stated(pupil, eck_id)
            self.own(self.world.by_eck_id(eck_id), pupil)
            self.own(self.world.apart(eck_id, LIAR), pupil)
            self.log_in(pupil, LIAR, eck_id=eck_id, number=number, party=party)
        self.world.wait(days=days)

    @rule(number=st.sampled_from(LIAR_NUMBERS), party=PARTY)
    def log_in_by_number(self, number: str, party: str) -> None:
        self.log_in("fiction", LIAR, eck_id=None, number=number, party=party)

    @rule(pupils=st.sampled_from((PUPILS, PUPILS[:1])), number=NUMBER, party=PARTY)
    def be_first(self, pupils: tuple[str, ...], number: str | None, party: str) -> None:
        """State other schools' pupils before their schools do; those let everybody in."""
        for pupil in pupils:
            eck_id = eck_id_at(pupil, HONEST[0])
            self.log_in(pupil, LIAR, eck_id=eck_id, number=number, party=party)
            self.honest_login(pupil, HONEST[0], "both", party, 0)

    @rule(pupil=PUPIL, party=PARTY)
    def honest_pupil_is_new(self, pupil: str, party: str) -> None:
        for school in HONEST:
            self.honest_login(pupil, school, "both", party, 1)
