"""Where a privacy officer reads what the school shared of one pupil; no number in any address."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.flow.me.school_reading import ReadingNotPossible
from broker.web.console.doors import Seat, console_route, read_own_form, show_console
from broker.web.console.pupils_places import choose_school, place_of, school_here, trouble_of
from broker.web.console.reading_pages import ReadingPage
from broker.web.me.me_cards import page_of
from broker.web.requests import only
from broker.web.texts import N_
from broker.web.wiring import Web

READING = "/console/receipts"
_PERMISSION = Permission.DECIDE_REQUEST


def reading_routes(web: Web) -> list[Route]:
    """Return the routes of reading receipts."""

    async def choose(request: Request, seat: Seat) -> Response:
        title = N_("What was shared of a pupil?")
        return choose_school(
            *(web, request, seat), here=READING, title=title, permission=_PERMISSION
        )

    async def read(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, _PERMISSION)
        place = place_of(READING, school)
        if request.method == "GET":
            return show_console(web, request, seat, ReadingPage(place=place))
        form = await read_own_form(web, request, seat)
        try:
            found = await web.console.reading.read(
                seat.actor,
                school.id,
                number=only(form, "number"),
                unverified_reason=only(form, "reason"),
                unverified_year=only(form, "year"),
            )
        except ReadingNotPossible as refusal:
            page = ReadingPage(place=place, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        shown = page_of(found, registry=web.snapshots.registry, csrf="")
        return show_console(web, request, seat, ReadingPage(place=place, found=shown))

    return [
        console_route(web, READING, choose),
        console_route(web, f"{READING}/{{school}}", read, methods=["GET", "POST"]),
    ]
