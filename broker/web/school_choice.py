"""How a school stands on a page where it can be chosen."""

from dataclasses import dataclass

from broker.domain.federation import School, State


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolChoice:
    """One school that can be chosen."""

    id: str
    name: str
    place: str
    brin: str
    is_test: bool = False


def choice_of(school: School) -> SchoolChoice:
    """Return how a school stands on a page where it can be chosen."""
    brin, is_test = school.branch or school.brin, school.state is State.TEST
    return SchoolChoice(
        id=school.id, name=school.name, place=school.place, brin=brin, is_test=is_test
    )
