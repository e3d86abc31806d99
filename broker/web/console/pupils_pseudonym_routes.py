"""Where a school finds the pseudonyms of its own pupils, or whose one is: on the page or as CSV.

What was found is answered to the form that brought the list, and kept nowhere.
"""

from asyncio import sleep
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.csv_writing import write_table
from broker.domain.federation import School
from broker.domain.ids import SupplierId
from broker.flow.own_pupils.pseudonym_finder import (
    FoundPupil,
    FoundState,
    LookedUpTooMuch,
    Reason,
    ReasonMissing,
    SupplierNotOfSchool,
)
from broker.flow.own_pupils.pupil_lists import MAX_BYTES, read_pseudonyms
from broker.web.console.doors import Seat, console_route, read_own_upload, show_console
from broker.web.console.pupils_pages import (
    FOUND_WORDS,
    REASON_WORDS,
    FoundLine,
    PseudonymsPage,
    Trouble,
)
from broker.web.console.pupils_places import (
    PSEUDONYMS,
    choose_school,
    listed_of,
    name_suppliers,
    place_of,
    school_here,
    trouble_of,
)
from broker.web.me.me_doors import send_file
from broker.web.texts import N_
from broker.web.uploads import Upload
from broker.web.wiring import Web

_MENDED_ON_THE_PAGE = (
    *(CsvUnreadable, CsvTooLarge, CsvFaulty),
    *(ReasonMissing, SupplierNotOfSchool, LookedUpTooMuch),
)
CSV_HEADER = ("pupil", "pseudonym", "previous pseudonym", "state")


def pseudonym_routes(web: Web) -> list[Route]:
    """Return the routes of finding pseudonyms."""
    finder = web.console.finder

    async def choose(request: Request, seat: Seat) -> Response:
        return choose_school(
            *(web, request, seat),
            here=PSEUDONYMS,
            title=N_("Whose pseudonym is this?"),
            permission=Permission.FIND_PSEUDONYMS,
        )

    async def show(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.FIND_PSEUDONYMS)
        return show_console(web, request, seat, _page(web, seat, school))

    async def find(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.FIND_PSEUDONYMS)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        try:
            found, asked = await _find(web, seat, school, upload)
        except _MENDED_ON_THE_PAGE as refusal:
            page = _page(web, seat, school, upload=upload, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        if _value(upload, "as") == "csv":
            return _as_csv(found)
        page = _page(web, seat, school, upload=upload, found=found, asked=asked)
        return show_console(web, request, seat, page)

    async def _find(
        web: Web, seat: Seat, school: School, upload: Upload
    ) -> tuple[tuple[FoundPupil, ...], int]:
        rows = listed_of(upload, lambda name: _value(upload, name))
        pseudonyms = read_pseudonyms(_value(upload, "pseudonyms"))
        stated = _value(upload, "reason")
        reason = Reason(stated) if stated in {each.value for each in Reason} else None
        supplier = SupplierId(_value(upload, "supplier"))
        if not pseudonyms:
            found = await finder.find(
                *(seat.actor, rows),
                school=school,
                supplier=supplier,
                reason=reason,
                pause=_let_logins_go_between,
            )
        else:
            found = await finder.find_whose(
                *(seat.actor, pseudonyms, rows),
                school=school,
                supplier=supplier,
                reason=reason,
                pause=_let_logins_go_between,
            )
        return found, len(rows)

    here = f"{PSEUDONYMS}/{{school}}"
    return [
        console_route(web, PSEUDONYMS, choose),
        console_route(web, here, show),
        console_route(web, f"{here}/find", find, methods=["POST"]),
    ]


async def _let_logins_go_between() -> None:
    await sleep(0)


def _page(
    web: Web,
    seat: Seat,
    school: School,
    *,
    upload: Upload | None = None,
    found: Sequence[FoundPupil] | None = None,
    asked: int = 0,
    trouble: Trouble | None = None,
) -> PseudonymsPage:
    finder = web.console.finder
    return PseudonymsPage(
        place=place_of(PSEUDONYMS, school),
        suppliers=name_suppliers(finder.suppliers_of(seat.actor, school)),
        reasons=tuple((each.value, words) for each, words in REASON_WORDS.items()),
        is_teacher=finder.is_teacher(seat.actor, school),
        groups=seat.actor.groups,
        supplier="" if upload is None else _value(upload, "supplier"),
        reason="" if upload is None else _value(upload, "reason"),
        found=None if found is None else tuple(_line(each) for each in found),
        asked=asked,
        trouble=trouble,
    )


def _line(found: FoundPupil) -> FoundLine:
    return FoundLine(
        shown=found.listed.shown,
        pseudonym=found.pseudonym or "",
        previous=found.previous or "",
        state=N_("Found, not yet known at the supplier")
        if found.state is FoundState.FOUND and not found.is_known
        else FOUND_WORDS[found.state],
        is_known=found.is_known,
    )


def _as_csv(found: Sequence[FoundPupil]) -> Response:
    rows = [
        (each.listed.shown, each.pseudonym or "", each.previous or "", each.state.value)
        for each in found
    ]
    body = write_table(CSV_HEADER, rows)
    return send_file(body, name="pseudonyms.csv", media_type="text/csv; charset=utf-8")


def _value(upload: Upload, name: str) -> str:
    return next((value for field, value in upload.fields if field == name), "")
