"""Which school signed which version of a sheet."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.flow.sheets.signed_sheets import SignedSheet, Standing
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.sheet_pages import SignedPage, SignedRow
from broker.web.console.sheet_places import PAGE_ROWS, SHEETS, find_place, read_first, read_query
from broker.web.texts import N_
from broker.web.wiring import Web

STANDING_WORDS: Mapping[Standing, tuple[str, str]] = MappingProxyType(
    {
        Standing.IN_FORCE: (N_("In force"), "good"),
        Standing.TO_COME: (N_("Begins later"), "busy"),
        Standing.ENDED: (N_("Ended"), "plain"),
        Standing.STOPPED: (N_("Stopped"), "bad"),
    }
)
"""Message id and tone of a tag."""


def sheet_signed_routes(web: Web) -> list[Route]:
    """Return the route of who signed which version."""
    desk = web.console.sheets

    async def signed(request: Request, seat: Seat) -> Response:
        view = desk.look(seat.actor, request.path_params["supplier"])
        found = await desk.signed.read(seat.actor, view.supplier.id)
        place, query = find_place(web, seat, view), read_query(request)
        wanted = [each for each in found.signed if query.casefold() in each.signer.casefold()]
        first = read_first(request, total=len(wanted))
        shown = wanted[first : first + PAGE_ROWS]
        after = first + len(shown)

        def page_at(begin: int) -> str:
            return f"{place.url}/signed?{urlencode({'q': query, 'from': begin})}"

        page = SignedPage(
            place=place,
            counts=tuple(found.in_force.items()),
            rows=tuple(map(_row, shown)),
            query=query,
            first=first + 1 if shown else 0,
            last=after,
            total=len(wanted),
            previous_url=page_at(max(0, first - PAGE_ROWS)) if first else "",
            next_url=page_at(after) if after < len(wanted) else "",
        )
        return show_console(web, request, seat, page)

    return [console_route(web, f"{SHEETS}/{{supplier}}/signed", signed)]


def _row(each: SignedSheet) -> SignedRow:
    words, tone = STANDING_WORDS[each.standing]
    return SignedRow(
        signer=each.signer,
        is_board=each.is_board,
        version=each.version,
        first_day=each.first_day.isoformat(),
        last_day="" if each.last_day is None else each.last_day.isoformat(),
        standing=words,
        tone=tone,
    )
