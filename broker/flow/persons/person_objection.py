"""What an objection of a school of before does, as a pure plan (`person_plans`).

Later arrivals elsewhere open a fresh account there, and so do numbers that are bound there. When
several schools stated a pupil since, one of them may be where the pupil went: the plan says on
which days they did, which names no school, and an objection may be to those of one day alone.
"""

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.persons.person_arrivals import later_arrivals
from broker.flow.persons.person_given_back import (
    name_schools,
    opens_fresh,
    shut_out,
    waited_in_vain,
)
from broker.flow.persons.person_plan_refusals import NothingToDecide
from broker.flow.persons.person_plans import Deciding, OpenedPerson, Plan, eck_id_of, open_fresh
from broker.flow.persons.person_records import Change, PersonRecord


def plan_objection(person: OpenedPerson, *, by: Deciding, arrived: date | None = None) -> Plan:
    """Return what an objection of a school of before does.

    Args:
        arrived: to schools that first stated the pupil on this day alone; None: to all.

    Raises:
        PersonNotKnown: this school never stated this pupil's ECK iD, or was objected to itself.
        NothingToDecide: no other school stated it later, or none on that day.
    """
    root, record = eck_id_of(person, by.school)
    later = later_arrivals(record, by.school, today=by.today, after_days=by.settled_after_days)
    later -= {at for at, each in record.seen.items() if each.objected and not waited_in_vain(each)}
    hit = [at for at in sorted(later) if arrived in (None, record.seen[at].held_since)]
    if not hit:
        raise NothingToDecide("check_arrival_to_object_to")
    seen, fresh, days = dict(record.seen), list[Change](), _name_days(record, hit)
    for school in hit:
        here = record.seen[school]
        if not opens_fresh(record, school):
            here, change = open_fresh(root, record, school, by=by)
            fresh.append(change)
        seen[school] = shut_out(here, record.seen[school], by=by.school)
    return Plan(
        changes=(Change(root, replace(record, seen=seen)), *fresh),
        lines=(
            f"{name_schools(len(hit))} stated this pupil after this one did, first on {days}.",
            *_of_others(len(later) - len(hit)),
            "There this ECK iD opens a fresh account from now on, and no work of before.",
            "At this school nothing changes.",
        ),
    )


def _name_days(record: PersonRecord, schools: Iterable[SchoolId]) -> str:
    """Return on which days schools first stated a pupil, each school's."""
    days = sorted(day for school in schools if (day := record.seen[school].held_since) is not None)
    return ", ".join(day.isoformat() for day in days)


def _of_others(count: int) -> tuple[str, ...]:
    if count == 0:
        return ()
    return (f"{name_schools(count)} stated this pupil on other days; nothing changes there.",)
