"""A school sends its list: planned, bounded, and in force whole or not at all."""

from typing import Any

import pytest

from broker.domain.dutch_days import day_of
from broker.domain.enrolment import FeedRefused
from broker.domain.ids import Brin
from broker.flow.enrolment.enrolment_feed import FeedOvertaken, TooManyVanish
from broker.flow.persons.register import RegisterUnavailable
from tests.builders import AN_ECK_ID
from tests.flow.feeding import a_desk, feed, lines_of
from tests.flow.login_world import LoginWorld


def a_row(at: int, /, **changes: str) -> dict[str, str]:
    eck_id = AN_ECK_ID[:-4] + f"{at:04x}"
    return {"login": f"sub-{at}", "eck_id": eck_id, "number": f"{at}", **changes}


def rows(count: int, start: int = 0) -> list[dict[str, str]]:
    return [a_row(number) for number in range(start, start + count)]


async def test_a_plan_counts_and_changes_nothing(world: LoginWorld) -> None:
    await feed(world, *rows(20))
    before = dict(world.enrolments.rows)
    told: list[int] = []
    sent = [*rows(18), a_row(18, groups="7B"), a_row(30)]
    plan = await a_desk(world).plan(
        lines_of(*sent),
        school=world.records["kompas"],
        today=day_of(world.now),
        progress=told.append,
    )
    assert plan.counts() == {"new": 1, "changed": 1, "unchanged": 18, "gone": 1}
    assert (plan.resting, plan.others, sum(told)) == (20, 0, 20)
    assert world.enrolments.rows == before
    assert "sub-30" not in repr(plan)


async def test_in_force_it_is_what_was_planned(world: LoginWorld) -> None:
    await feed(world, *rows(20))
    before = dict(world.enrolments.rows)
    plan = await feed(world, *rows(19), a_row(30))
    assert plan.counts() == {"new": 1, "changed": 0, "unchanged": 19, "gone": 1}
    after = world.enrolments.rows
    assert len(after) == 20
    assert sum(before.get(tag) == row for tag, row in after.items()) == 19  # not written again
    assert [each.action for each in world.audit.events] == ["enrolled", "enrolled"]


async def test_a_second_time_changes_nothing_but_the_day(world: LoginWorld) -> None:
    await feed(world, *rows(3))
    before = dict(world.enrolments.rows)
    world.wait(days=3)
    plan = await feed(world, *rows(3))
    assert (plan.new, plan.changed, plan.gone) == (0, 0, 0)
    assert world.enrolments.rows == before
    ((version, sent_on),) = world.enrolments.feeds.values()
    assert (version, sent_on) == (2, day_of(world.now))


async def test_each_school_has_its_own(world: LoginWorld) -> None:
    await feed(world, *rows(3))
    plan = await feed(world, *rows(3), school="regenboog")
    assert plan.counts() == {"new": 3, "changed": 0, "unchanged": 0, "gone": 0}
    assert len(world.enrolments.rows) == 6


class TestVanishing:
    async def test_up_to_a_tenth(self, world: LoginWorld) -> None:
        await feed(world, *rows(20))
        await feed(world, *rows(18))
        with pytest.raises(TooManyVanish):
            await feed(world, *rows(16))
        assert len(world.enrolments.rows) == 18
        await feed(world, *rows(16), allow_vanishing=True)
        assert len(world.enrolments.rows) == 16

    async def test_an_empty_list_is_half_a_file(self, world: LoginWorld) -> None:
        await feed(world, *rows(1))
        with pytest.raises(TooManyVanish):
            await feed(world)
        await feed(world, allow_vanishing=True)
        assert world.enrolments.rows == {}

    async def test_a_list_that_slipped_by_a_line_is_no_list(self, world: LoginWorld) -> None:
        """Every login would be its neighbour's, and nobody would vanish."""
        await feed(world, *rows(20))
        slipped = [a_row(each + 1, login=f"sub-{each}") for each in range(20)]
        plan = await a_desk(world).plan(
            lines_of(*slipped), school=world.records["kompas"], today=day_of(world.now)
        )
        assert (plan.changed, plan.others, plan.gone) == (20, 20, 0)
        with pytest.raises(TooManyVanish):
            await feed(world, *slipped)

    @pytest.mark.parametrize(
        ("changes", "others"),
        [
            ({"eck_id": ""}, 1),
            ({"number": ""}, 1),
            ({"number": "99"}, 1),
            ({"role": "staff"}, 1),
            ({"groups": "7B"}, 0),
            ({"protected": "yes"}, 0),
        ],
    )
    async def test_who_is_somebody_else(
        self, world: LoginWorld, changes: dict[str, str], others: int
    ) -> None:
        await feed(world, a_row(1))
        plan = await a_desk(world).plan(
            lines_of(a_row(1, **changes)), school=world.records["kompas"], today=day_of(world.now)
        )
        assert (plan.changed, plan.others) == (1, others)

    async def test_who_gets_more_stays_the_same(self, world: LoginWorld) -> None:
        await feed(world, a_row(1, eck_id=""))
        plan = await feed(world, a_row(1))
        assert (plan.changed, plan.others) == (1, 0)


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"eck_id": "https://ketenid.nl/201703/5a"}, "eck_id is not in the agreed form"),
            ({"eck_id": AN_ECK_ID.upper()}, "eck_id is not in the agreed form"),
            ({"branch": "11AA00"}, "branch belongs to another school"),
        ],
    )
    async def test_one_line_refuses_all(
        self, world: LoginWorld, changes: dict[str, str], reason: str
    ) -> None:
        with pytest.raises(FeedRefused) as caught:
            await feed(world, a_row(1), a_row(2, **changes))
        assert [(each.line, each.reason) for each in caught.value.problems] == [(3, reason)]
        assert world.enrolments.rows == {}
        assert world.audit.events == []
        await feed(world, a_row(1), a_row(2))

    async def test_a_school_that_goes_on_for_another_lists_its_locations(
        self, world: LoginWorld
    ) -> None:
        lines = lines_of(a_row(1, branch="11AA00"))
        at: Any = {"school": world.records["kompas"], "today": day_of(world.now)}
        with pytest.raises(FeedRefused):
            await a_desk(world).plan(lines, **at)
        assert (await a_desk(world).plan(lines, former={Brin("11AA")}, **at)).new == 1

    async def test_another_list_came_between(self, world: LoginWorld) -> None:
        desk, school = a_desk(world), world.records["kompas"]
        late = await desk.plan(lines_of(*rows(2)), school=school, today=day_of(world.now))
        await feed(world, *rows(3))
        with pytest.raises(FeedOvertaken):
            await desk.put_in_force(late, school=school)
        assert len(world.enrolments.rows) == 3

    @pytest.mark.parametrize("fails_at", [1, 2])
    async def test_a_book_that_is_away(self, world: LoginWorld, fails_at: int) -> None:
        world.faults.start(fails_at=fails_at)
        with pytest.raises(RegisterUnavailable):
            await feed(world, *rows(2))
        assert world.enrolments.rows == {}
        world.faults.start()
        await feed(world, *rows(2))

    async def test_rows_under_another_key(self, world: LoginWorld) -> None:
        await feed(world, a_row(1))
        for tag, (of, sealed) in world.enrolments.rows.items():
            world.enrolments.rows[tag] = (of, sealed[:-1] + bytes([sealed[-1] ^ 1]))
        with pytest.raises(RegisterUnavailable):
            await feed(world, a_row(1))
