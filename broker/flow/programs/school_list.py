"""Which schools a supplier may expect: those with an agreement with it, and nothing of others.

A supplier learns what it agreed to anyway, as it stands in the registry now: which version counts,
from when until when, for which attributes, and whether pupils of that school can log in today.
"""

from datetime import date
from enum import StrEnum

import msgspec

from broker.domain.federation import School, Sector, State, Supplier
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement


class SchoolStatus(StrEnum):
    """What comes of a login at that school today."""

    OPEN = "open"
    BEGINS_LATER = "begins_later"
    ENDED = "ended"
    CLOSED = "closed"  # the agreement is in force, and the school has no login or is switched off


class ListedAgreement(msgspec.Struct, frozen=True, kw_only=True, rename={"from_day": "from"}):
    """The version that counts. `by` says who agreed: the school, or its board for all of its own.

    `until` is the last day; None is without end.
    """

    version: int
    by: str
    from_day: date
    until: date | None
    approved: tuple[str, ...]


class ListedSchool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One school, as the chooser shows it. `school` is what `login_hint` and `/start` take."""

    school: str
    name: str
    place: str
    brin: str
    branch: str | None = None
    sector: Sector
    state: State
    status: SchoolStatus
    agreement: ListedAgreement


def list_schools(
    registry: Registry, supplier: Supplier, *, today: date
) -> tuple[ListedSchool, ...]:
    """Return the schools of a supplier's state that have an agreement with it, by id.

    Args:
        today: in the Netherlands.
    """
    schools = sorted(registry.schools.values(), key=lambda each: each.id)
    found = (
        _list(registry, each, supplier, today=today)
        for each in schools
        if each.state is supplier.state
    )
    return tuple(each for each in found if each is not None)


def _list(
    registry: Registry, school: School, supplier: Supplier, *, today: date
) -> ListedSchool | None:
    found = find_agreement(registry, school, supplier.id, today)
    if found is None:
        return None
    agreed = found.agreement
    if today < agreed.first_day:
        status = SchoolStatus.BEGINS_LATER
    elif not agreed.is_in_force(today):
        status = SchoolStatus.ENDED
    elif school.enabled and registry.has_login(school.id):
        status = SchoolStatus.OPEN
    else:
        status = SchoolStatus.CLOSED
    return ListedSchool(
        school=school.id,
        name=school.name,
        place=school.place,
        brin=school.brin,
        branch=school.branch,
        sector=school.sector,
        state=school.state,
        status=status,
        agreement=ListedAgreement(
            version=agreed.version,
            by="board" if agreed.school is None else "school",
            from_day=agreed.first_day,
            until=agreed.last_day,
            approved=tuple(sorted(agreed.approved_of_anybody)),
        ),
    )
