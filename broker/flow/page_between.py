"""Whether a page stands between school and supplier, and what it must show."""

from dataclasses import dataclass, field

from broker.domain.attributes import GIVEN_NAME, Population
from broker.domain.federation import Agreement, NoticeMode, School
from broker.domain.identity import StatedLogin


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
) -> PageNeeded | None:
    """Return what a page must show before anything leaves, or None when none is needed.

    Args:
        first_name: that the login states, or "".
        population: that the login states.
        seen: newest version of the notice that this person saw.
        greeted: a page of this login has shown who it is for already.
    """
    notice = (
        agreement is not None
        and agreement.notice is NoticeMode.INFORM
        and population is not Population.STAFF
        and seen < agreement.version
    )
    if not (notice or (school.shared_devices and not greeted)):
        return None
    return PageNeeded(
        first_name=first_name if school.shared_devices else "",
        notice=notice,
        may_switch=school.shared_devices,
    )
