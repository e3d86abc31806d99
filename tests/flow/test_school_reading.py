"""A school's privacy officer reads what that school shared of one pupil, and nobody else does."""

import pytest

from broker.domain.console_roles import Role
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.me.school_reading import ReadingNotPossible, SchoolReading
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK
from tests.flow.login_world import SANNE_ELSEWHERE
from tests.flow.me_desk import MeDesk
from tests.flow.test_parents import NUMBER, SCHOOL, WrittenAudit, an_actor

OFFICER = an_actor(role=Role.PRIVACY_OFFICER)


class Reading:
    def __init__(self) -> None:
        self.desk, self.audit = MeDesk(), WrittenAudit()

    async def read(self, actor: object = OFFICER, place: str = SCHOOL, **changes: str) -> list[str]:
        world = self.desk.world
        reading = SchoolReading(
            world.snapshots, self.desk.visits, world.keys, self.audit, world.clock  # type: ignore[arg-type]
        )  # fmt: skip
        asked = {"number": NUMBER, "unverified_reason": "request", "unverified_year": "", **changes}
        found = await reading.read(actor, place, **asked)  # type: ignore[arg-type]
        return [each.supplier for each in found.shares]


async def test_officer_reads_what_went_through_this_school() -> None:
    reading = Reading()
    await reading.desk.world.log_in(REKENRIJK)
    await reading.desk.world.log_in(BIOSFEER_OIDC, SANNE_ELSEWHERE)
    assert await reading.read() == ["rekenrijk"]
    (entry,) = reading.audit.entries
    assert (entry.action, entry.after) == ("receipts-read", '{"reason":"request"}')
    assert NUMBER not in repr(entry)
    assert await reading.read(number="somebody else") == []


@pytest.mark.parametrize("changes", [{"number": " "}, {"unverified_reason": "curious"}])
async def test_nothing_is_read_without_number_and_reason(changes: dict[str, str]) -> None:
    reading = Reading()
    with pytest.raises(ReadingNotPossible):
        await reading.read(**changes)
    assert reading.audit.entries == []
    assert await reading.read() == []


@pytest.mark.parametrize(
    ("actor", "place"),
    [(an_actor(), SCHOOL), (OFFICER, "kompas"), (OFFICER, "nowhere")],
)
async def test_nobody_but_the_officer_of_this_school_reads(actor: object, place: str) -> None:
    reading = Reading()
    with pytest.raises(NotAllowed):
        await reading.read(actor, place)
    assert reading.audit.entries == []
    assert await reading.read() == []
