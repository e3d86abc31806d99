"""Where the pages about single pupils are, and at which of somebody's schools."""

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.console_roles import Permission
from broker.domain.federation import School, Supplier
from broker.domain.refusals import Refusal
from broker.flow.console.actors import find_school, schools_of
from broker.flow.own_pupils.pupil_lists import ListedPupil, read_pupils
from broker.web.console.doors import Seat, show_console
from broker.web.console.pupils_pages import ChooseSchoolPage, PupilsPlace, Trouble
from broker.web.responses import redirect
from broker.web.uploads import Upload
from broker.web.wiring import Web

SHIELDS, REQUESTS, PSEUDONYMS = "/console/pupils", "/console/requests", "/console/pseudonyms"
PAGE_ROWS = 50
MAX_QUERY_CHARACTERS = 100
MAX_DIGITS = 6


def choose_school(
    web: Web, request: Request, seat: Seat, *, here: str, title: str, permission: Permission
) -> Response:
    """Return to the one school at which somebody may do this, or the page that asks which."""
    schools = schools_of(seat.actor, web.snapshots.registry, permission)
    if len(schools) == 1:
        return redirect(f"{here}/{schools[0].id}")
    query = request.query_params.get("q", "")[:MAX_QUERY_CHARACTERS].strip()
    found = [each for each in schools if query.casefold() in each.name.casefold()]
    first = read_first(request, total=len(found))
    shown = found[first : first + PAGE_ROWS]
    page = ChooseSchoolPage(
        title=title,
        here=here,
        schools=tuple((f"{here}/{each.id}", each.name) for each in shown),
        query=query,
        first=first,
        total=len(found),
        previous_url=page_url(here, first - PAGE_ROWS, total=len(found), q=query),
        next_url=page_url(here, first + PAGE_ROWS, total=len(found), q=query),
    )
    return show_console(web, request, seat, page)


def school_here(web: Web, request: Request, seat: Seat, permission: Permission) -> School:
    """Return the school that the address names, where somebody may do this.

    Raises:
        NotAllowed
    """
    return find_school(
        seat.actor,
        permission,
        unverified_school=request.path_params["school"],
        registry=web.snapshots.registry,
    )


def place_of(here: str, school: School) -> PupilsPlace:
    """Return what a page of a school carries."""
    return PupilsPlace(url=f"{here}/{school.id}", school_name=school.name)


def name_suppliers(found: tuple[Supplier, ...]) -> tuple[tuple[str, str], ...]:
    """Return id and name of each."""
    return tuple((each.id, each.display_name) for each in found)


def listed_of(upload: Upload, value: Callable[[str], str]) -> tuple[ListedPupil, ...]:
    """Return the list that a form brought, as a file or as pasted lines.

    Raises:
        CsvUnreadable, CsvTooLarge, CsvFaulty
    """
    return read_pupils(uploaded=upload.file("file"), pasted=value("pasted"))


def trouble_of(refusal: Refusal) -> Trouble:
    """Return a refusal as the page of its own form tells it."""
    return Trouble(what=refusal.what, remedy=refusal.remedy)


def read_first(request: Request, *, total: int) -> int:
    """Return from which row on a list is shown; what is no number, or beyond it, is the first."""
    text = request.query_params.get("from", "")
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    first = int(text) if is_number else 0
    return first if first < total else 0


def page_url(path: str, first: int, *, total: int, **fields: str) -> str:
    """Return the address of another part of a list, "" when there is none."""
    if first <= -PAGE_ROWS or first >= total:
        return ""
    kept = {name: each for name, each in fields.items() if each}
    return f"{path}?{urlencode({**kept, 'from': max(first, 0)})}"
