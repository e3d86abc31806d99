"""Where a supplier's people see their sheet: the list, where it stands, the preview, the history.

What changes it stands in `sheet_edit_routes`.
"""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import MAY, Permission, PlaceKind
from broker.domain.federation import Supplier
from broker.flow.console.actors import Actor, suppliers_of
from broker.web.console.doors import Seat, console_route, show_console
from broker.web.console.sheet_change_words import show_changes, show_problems
from broker.web.console.sheet_edit_routes import sheet_edit_routes
from broker.web.console.sheet_pages import (
    HistoryPage,
    ListedSheet,
    PreviewPage,
    SheetHomePage,
    SheetListPage,
    VersionPage,
    VersionRow,
)
from broker.web.console.sheet_places import (
    PAGE_ROWS,
    SHEETS,
    find_place,
    read_first,
    read_number,
    read_query,
    sheet_url,
)
from broker.web.console.sheet_signed_routes import sheet_signed_routes
from broker.web.console.sheet_words import day_of_hour, show_content
from broker.web.responses import read_language, redirect
from broker.web.wiring import Web


def sheet_routes(web: Web) -> list[Route]:
    """Return the routes of service sheets."""
    desk = web.console.sheets

    async def list_sheets(request: Request, seat: Seat) -> Response:
        suppliers = _suppliers(web, seat.actor)
        if len(suppliers) == 1:
            return redirect(sheet_url(suppliers[0].id))
        return show_console(web, request, seat, _list_page(web, request, suppliers))

    async def home(request: Request, seat: Seat) -> Response:
        view = desk.look(seat.actor, request.path_params["supplier"])
        readable = desk.reader.read(seat.actor, view.supplier.id)
        page = SheetHomePage(
            place=find_place(web, seat, view),
            published_on=day_of_hour(readable.published_in),
            has_draft=view.has_draft,
            is_overtaken=view.is_overtaken,
            changed_on=day_of_hour(view.changed_in),
            changes=len(view.changes.changes),
            problems=show_problems(view.problems),
        )
        return show_console(web, request, seat, page)

    async def preview(request: Request, seat: Seat) -> Response:
        view = desk.look(seat.actor, request.path_params["supplier"])
        sheet = show_content(
            view.content,
            read_language(web, request),
            supplier_name=view.supplier.display_name,
            legal_name=view.supplier.legal_name,
        )
        page = PreviewPage(
            place=find_place(web, seat, view), sheet=sheet, problems=show_problems(view.problems)
        )
        return show_console(web, request, seat, page)

    async def history(request: Request, seat: Seat) -> Response:
        view = desk.look(seat.actor, request.path_params["supplier"])
        found = desk.reader.history(seat.actor, view.supplier.id)
        rows = tuple(
            VersionRow(
                each.version,
                day_of_hour(each.published_in),
                len(each.changes.asks_more) if each.changes.from_version else 0,
                len(each.changes.changes),
            )
            for each in found
        )
        page = HistoryPage(place=find_place(web, seat, view), versions=rows)
        return show_console(web, request, seat, page)

    async def version(request: Request, seat: Seat) -> Response:
        view = desk.look(seat.actor, request.path_params["supplier"])
        number = read_number(request.path_params["version"])
        found = desk.reader.read_version(seat.actor, view.supplier.id, number)
        language = read_language(web, request)
        page = VersionPage(
            place=find_place(web, seat, view),
            sheet=show_content(
                found.sheet,
                language,
                supplier_name=view.supplier.display_name,
                legal_name=view.supplier.legal_name,
                published_on=day_of_hour(found.published_in),
            ),
            changes=show_changes(found.changes.changes, language),
            is_first=found.changes.from_version == 0,
            is_new="new" in request.query_params,
        )
        return show_console(web, request, seat, page)

    return [
        console_route(web, SHEETS, list_sheets),
        console_route(web, f"{SHEETS}/{{supplier}}", home),
        console_route(web, f"{SHEETS}/{{supplier}}/preview", preview),
        console_route(web, f"{SHEETS}/{{supplier}}/history", history),
        console_route(web, f"{SHEETS}/{{supplier}}/history/{{version}}", version),
        *sheet_edit_routes(web),
        *sheet_signed_routes(web),
    ]


def _suppliers(web: Web, actor: Actor) -> tuple[Supplier, ...]:
    """Return whose sheets somebody may see here; who runs the broker sees all."""
    registry = web.snapshots.registry
    of_all = any(
        each.kind is PlaceKind.FEDERATION and Permission.SEE_SUPPLIER in MAY[each.role]
        for each in actor.held
    )
    if not of_all:
        return suppliers_of(actor, registry)
    return tuple(sorted(registry.suppliers.values(), key=lambda each: each.display_name.casefold()))


def _list_page(web: Web, request: Request, suppliers: tuple[Supplier, ...]) -> SheetListPage:
    query = read_query(request)
    words = query.casefold()
    found = [each for each in suppliers if words in each.display_name.casefold()]
    first = read_first(request, total=len(found))
    shown = found[first : first + PAGE_ROWS]

    def page_at(begin: int) -> str:
        return f"{SHEETS}?{urlencode({'q': query, 'from': begin})}"

    after = first + len(shown)
    return SheetListPage(
        listed=tuple(
            ListedSheet(sheet_url(each.id), each.display_name, each.sheet_version) for each in shown
        ),
        query=query,
        first=first + 1 if shown else 0,
        last=after,
        total=len(found),
        previous_url=page_at(max(0, first - PAGE_ROWS)) if first else "",
        next_url=page_at(after) if after < len(found) else "",
    )
