"""The steps in which a supplier's people write their sheet, throw a draft away and publish it.

Each form is sent, saved and answered by a redirect. A form that somebody else overtook is shown
again with what is there now: what was typed is kept, and is saved when it is sent once more.
"""

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.domain.sheets import ServiceSheet
from broker.flow.sheets.sheet_desk import DraftView
from broker.flow.sheets.sheet_refusals import (
    SheetEditedMeanwhile,
    SheetNotAccepted,
    SheetNotReady,
)
from broker.web.console.doors import Seat, console_route, read_own_form, show_console
from broker.web.console.sheet_change_words import ShownChange, show_changes, show_problems
from broker.web.console.sheet_forms import FormMistakes, Values, read_values
from broker.web.console.sheet_pages import PublishPage, RemovePage, ShownForm
from broker.web.console.sheet_places import SHEETS, find_place, read_basis
from broker.web.console.sheet_steps import (
    AttributeStep,
    ServiceStep,
    SubProcessorStep,
    TermsStep,
    remove_attribute,
    remove_sub_processor,
    show_asks,
)
from broker.web.pages import Page
from broker.web.responses import read_language, redirect
from broker.web.wiring import Web


class Step(Protocol):
    """One form of the draft."""

    def values(self, view: DraftView) -> Values:
        """Return what its fields hold before anybody types."""
        ...

    def fill(self, values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft with what the form says, or raise `FormMistakes`."""
        ...

    def page(self, web: Web, seat: Seat, view: DraftView, form: ShownForm) -> Page:
        """Return the page with the form."""
        ...

    def onward(self) -> str:
        """Return where one goes when it is saved, below the supplier's address."""
        ...


def sheet_edit_routes(web: Web) -> list[Route]:
    """Return the routes that change a draft or publish it."""
    desk = web.console.sheets

    def open_draft(request: Request, seat: Seat) -> DraftView:
        supplier = request.path_params["supplier"]
        desk.reader.own(seat.actor, supplier, Permission.EDIT_SHEET)
        return desk.look(seat.actor, supplier)

    def step_route(end: str, step_of: Callable[[Request, DraftView], Step]) -> Route:
        async def answer(request: Request, seat: Seat) -> Response:
            view = open_draft(request, seat)
            step = step_of(request, view)
            if request.method == "GET":
                page = step.page(web, seat, view, ShownForm(step.values(view)))
                return show_console(web, request, seat, page)
            values = read_values(await read_own_form(web, request, seat))
            try:
                content = step.fill(values, view)
                await desk.save(seat.actor, view.supplier.id, content, basis=read_basis(values))
            except FormMistakes as mistakes:
                page = step.page(web, seat, view, ShownForm(values, mistakes.errors))
                return show_console(web, request, seat, page, status=400)
            except SheetEditedMeanwhile as refusal:
                shown = ShownForm(values, others=_others(web, request, refusal))
                page = step.page(web, seat, open_draft(request, seat), shown)
                return show_console(web, request, seat, page, status=refusal.http_status)
            return redirect(f"{find_place(web, seat, view).url}/{step.onward()}")

        return console_route(web, f"{SHEETS}/{{supplier}}/{end}", answer, methods=("GET", "POST"))

    async def asks(request: Request, seat: Seat) -> Response:
        view = open_draft(request, seat)
        return show_console(web, request, seat, show_asks(find_place(web, seat, view), view))

    def remove_route(
        end: str,
        page_of: Callable[[Request, Seat, DraftView], RemovePage | None],
        content_of: Callable[[Values, DraftView], ServiceSheet],
        onward: str,
    ) -> Route:
        async def answer(request: Request, seat: Seat) -> Response:
            view = open_draft(request, seat)
            place = find_place(web, seat, view)
            if request.method == "POST":
                values = read_values(await read_own_form(web, request, seat))
                content = content_of(values, view)
                await desk.save(seat.actor, view.supplier.id, content, basis=read_basis(values))
                return redirect(f"{place.url}/{onward}")
            page = page_of(request, seat, view)
            if page is None:
                return redirect(f"{place.url}/{onward}")
            return show_console(web, request, seat, page)

        return console_route(web, f"{SHEETS}/{{supplier}}/{end}", answer, methods=("GET", "POST"))

    async def discard(request: Request, seat: Seat) -> Response:
        view = open_draft(request, seat)
        place = find_place(web, seat, view)
        if request.method == "POST":
            values = read_values(await read_own_form(web, request, seat))
            await desk.discard(seat.actor, view.supplier.id, basis=read_basis(values))
            return redirect(place.url)
        if not view.has_draft:
            return redirect(place.url)
        page = RemovePage(place=place, what="", action=f"{place.url}/discard", back=place.url)
        return show_console(web, request, seat, page)

    async def publish(request: Request, seat: Seat) -> Response:
        view = open_draft(request, seat)
        if request.method == "GET":
            return show_console(web, request, seat, publish_page(request, seat, view))
        values = read_values(await read_own_form(web, request, seat))
        try:
            version = await desk.publish(seat.actor, view.supplier.id, basis=read_basis(values))
        except SheetNotReady as refusal:
            page = publish_page(request, seat, view)
            return show_console(web, request, seat, page, status=refusal.http_status)
        except SheetEditedMeanwhile as refusal:
            others = _others(web, request, refusal)
            page = publish_page(request, seat, open_draft(request, seat), others=others)
            return show_console(web, request, seat, page, status=refusal.http_status)
        except SheetNotAccepted as refusal:
            page = publish_page(request, seat, view, why=refusal.why)
            return show_console(web, request, seat, page, status=refusal.http_status)
        return redirect(f"{find_place(web, seat, view).url}/history/{version}?new")

    def publish_page(
        request: Request,
        seat: Seat,
        view: DraftView,
        *,
        others: tuple[ShownChange, ...] | None = None,
        why: tuple[str, ...] = (),
    ) -> PublishPage:
        language = read_language(web, request)
        return PublishPage(
            place=find_place(web, seat, view),
            is_overtaken=view.is_overtaken,
            problems=show_problems(view.problems),
            asks_more=show_changes(view.changes.asks_more, language),
            asks_less=show_changes(view.changes.asks_less, language),
            to_read=show_changes(view.changes.to_read, language),
            has_draft=view.has_draft,
            others=others,
            why=why,
        )

    return [
        step_route("service", lambda request, view: ServiceStep(view.content)),
        console_route(web, f"{SHEETS}/{{supplier}}/asks", asks),
        step_route("asks/one", AttributeStep.of),
        remove_route(
            "asks/remove",
            lambda request, seat, view: remove_attribute(
                find_place(web, seat, view), view, request.query_params.get("name", "")
            ),
            AttributeStep.without,
            "asks",
        ),
        step_route("terms", lambda request, view: TermsStep(view.content)),
        step_route("terms/company", SubProcessorStep.of),
        remove_route(
            "terms/remove",
            lambda request, seat, view: remove_sub_processor(
                find_place(web, seat, view), view, request.query_params.get("number", "")
            ),
            SubProcessorStep.without,
            "terms",
        ),
        console_route(web, f"{SHEETS}/{{supplier}}/discard", discard, methods=("GET", "POST")),
        console_route(web, f"{SHEETS}/{{supplier}}/publish", publish, methods=("GET", "POST")),
    ]


def _others(web: Web, request: Request, refusal: SheetEditedMeanwhile) -> tuple[ShownChange, ...]:
    changes = () if refusal.others is None else refusal.others.changes
    return show_changes(changes, read_language(web, request))
