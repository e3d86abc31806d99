"""Lists as a school of the journeys sends them."""

from collections.abc import Mapping
from typing import Any

from broker.domain.dutch_days import day_of
from broker.domain.enrolment import FeedLine
from broker.domain.federation import School
from broker.domain.relations import number_schools
from broker.flow.enrolment.enrolment_feed import EnrolmentDesk, FeedPlan
from broker.flow.enrolment.enrolments import EnrolmentRules
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.listed_moves import ListedMoves
from tests.flow.login_world import LoginWorld


def a_desk(world: LoginWorld, **rules: Any) -> EnrolmentDesk:
    return EnrolmentDesk(
        book=world.enrolments,
        root=world.keys.root,
        keys=world.keys.enrolment,
        rules=EnrolmentRules(**rules),
        audit=world.audit,
        random=world.random,
        moves=ListedMoves(
            world.register,
            world.keys.register,
            ArrivalRules(),
            world.random,
            world.keys.root,
        ),
    )


def lines_of(*rows: Mapping[str, str]) -> list[FeedLine]:
    return [FeedLine(number, row) for number, row in enumerate(rows, 2)]


async def feed(
    world: LoginWorld,
    *rows: Mapping[str, str],
    school: str = "kompas",
    desk: EnrolmentDesk | None = None,
    allow_vanishing: bool = False,
) -> FeedPlan:
    """Send a list and put it in force."""
    at: School = world.records[school]
    desk = desk or a_desk(world)
    plan = await desk.plan(
        lines_of(*rows),
        school=at,
        today=day_of(world.now),
        number_schools=number_schools(world.snapshots.registry, at.id),
    )
    await desk.put_in_force(plan, school=at, allow_vanishing=allow_vanishing)
    return plan
