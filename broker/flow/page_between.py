"""Whether a page stands between school and supplier, and what it must show."""

from dataclasses import dataclass, field

from broker.domain.agreements import Agreement, NoticeMode
from broker.domain.attributes import GIVEN_NAME, AttributeName, Population
from broker.domain.federation import School
from broker.domain.identity import StatedLogin
from broker.flow.held_state.records import PreparedRelease


@dataclass(frozen=True, slots=True)
class PageNeeded:
    """What the page between school and supplier must show, if one must be shown.

    Attributes:
        first_name: to be shown and forgotten.
        notice: whether it tells what is shared.
        may_switch: whether it offers "that is not me".
    """

    first_name: str = field(repr=False)
    notice: bool
    may_switch: bool


def first_name_of(stated: StatedLogin) -> str:
    """Return the first name that a login states, or ""."""
    return stated.attributes.get(GIVEN_NAME, ("",))[0]


def find_page_needed(
    first_name: str,
    *,
    population: Population | None,
    school: School,
    agreement: Agreement | None,
    seen: int,
    greeted: bool = False,
    asks_who: bool = False,
) -> PageNeeded | None:
    """Return what a page must show before anything leaves, or None when none is needed.

    Args:
        first_name: that the login states, or "".
        population: that the login states.
        seen: newest version of the notice that this person saw.
        greeted: a page of this login has shown who it is for already.
        asks_who: a session goes on, whose school wants its person to be seen first.
    """
    notice = (
        agreement is not None
        and agreement.notice is NoticeMode.INFORM
        and population is not Population.STAFF
        and seen < agreement.version
    )
    if not (notice or asks_who or (school.shared_devices and not greeted)):
        return None
    shows_who = school.shared_devices or asks_who
    return PageNeeded(
        first_name=first_name if shows_who else "", notice=notice, may_switch=shows_who
    )


def released_names(prepared: PreparedRelease) -> tuple[AttributeName, ...]:
    """Return the names of what goes out, for the page that tells so."""
    return tuple(each.name for each in prepared.decision.released)
