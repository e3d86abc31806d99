"""Reading a sheet and choosing: the form, the draft that it makes, and stopping a service."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.dutch_days import day_of
from broker.domain.ids import BoardId, SchoolId
from broker.flow.decisions.decision_refusals import DecisionEditedMeanwhile, DecisionUnusable
from broker.flow.decisions.decision_types import (
    Decider,
    DecisionView,
    Standing,
)
from broker.web.console.choose_catalogue import STATES, State
from broker.web.console.choose_draft_pages import DonePage, StopPage
from broker.web.console.choose_form import (
    ChosenForm,
    FieldFault,
    draft_of,
    read_chosen,
    read_small_number,
)
from broker.web.console.choose_places import SERVICE_PATH, Place, read_place, words_for
from broker.web.console.choose_review_pages import begin_form, build_review, with_fault
from broker.web.console.doors import Seat, console_route, read_own_form, show_console
from broker.web.requests import only, read_query
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web

UNPROCESSABLE = 422  # RFC 9110 15.5.21: the form is read, and not all of it makes sense
CONFLICT = 409


def review_routes(web: Web) -> list[Route]:
    """Return the routes of a service: its review, its form, and stopping it."""

    async def review(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view = look(web, request, seat, place)
        if request.method == "POST":
            return await choose(request, seat, place, view)
        preset = only(read_query(request), "preset")
        chosen = begin_form(view, preset=preset, today=day_of(web.clock()))
        return show_review(web, request, seat, place, view, chosen)

    async def choose(request: Request, seat: Seat, place: Place, view: DecisionView) -> Response:
        form = await read_own_form(web, request, seat)
        chosen = read_chosen(form)
        if only(form, "add-group"):
            chosen = replace(chosen, faults=())
            return show_review(web, request, seat, place, view, chosen, adds_group=True)
        if chosen.faults:
            return show_review(web, request, seat, place, view, chosen, status=UNPROCESSABLE)
        draft = draft_of(
            chosen,
            decider=decider_of(place),
            supplier=view.supplier,
            today=day_of(web.clock()),
        )
        try:
            prepared = await web.console.decisions.prepare(
                seat.actor, draft, replaces=chosen.replaces
            )
        except DecisionUnusable as unusable:
            told = with_fault(chosen, _fault_of(unusable))
            return show_review(web, request, seat, place, view, told, status=UNPROCESSABLE)
        except DecisionEditedMeanwhile:
            return show_stale(web, request, seat, place, chosen)
        return redirect(f"/console/decide/drafts/{prepared.number}")

    async def stop(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view = look(web, request, seat, place)
        url = place.service(view.supplier)
        if request.method == "POST":
            form = await read_own_form(web, request, seat)
            await web.console.decisions.stop(
                seat.actor,
                **place.names,
                unverified_supplier=view.supplier,
                based_on=read_small_number(only(form, "based-on")),
            )
            return redirect(f"{url}/stopped")
        if not view.may_stop or (view.own is not None and view.own.stopped is not None):
            return redirect(url)
        page = StopPage(place=place, name=name_of(view), url=url, based_on=view.version)
        return show_console(web, request, seat, page)

    async def stopped(request: Request, seat: Seat) -> Response:
        place = read_place(web, request, seat.actor)
        view = look(web, request, seat, place)
        url = place.service(view.supplier)
        if view.own is None or view.own.stopped is None:
            return redirect(url)
        page = DonePage(place=place, name=name_of(view), url=url, is_stopped=True)
        return show_console(web, request, seat, page)

    return [
        console_route(web, SERVICE_PATH, review, methods=("GET", "POST")),
        console_route(web, SERVICE_PATH + "/stop", stop, methods=("GET", "POST")),
        console_route(web, SERVICE_PATH + "/stopped", stopped),
    ]


def look(web: Web, request: Request, seat: Seat, place: Place) -> DecisionView:
    """Return the service that an address names, as this place stands with it.

    Raises:
        NotAllowed: there is none, or not for this actor.
    """
    return web.console.decisions.look(
        seat.actor, **place.names, unverified_supplier=request.path_params["supplier"]
    )


def decider_of(place: Place) -> Decider:
    """Return who decides at a place."""
    if place.is_board:
        return Decider(board=BoardId(place.id))
    return Decider(school=SchoolId(place.id))


def name_of(view: DecisionView) -> str:
    """Return the name of a service for people."""
    return view.document.display_name or view.document.legal_name


def state_of_view(view: DecisionView) -> str:
    """Return which of `STATES` a service is in."""
    if view.draft is not None:
        return "signature"
    if view.standing is not Standing.IN_FORCE:
        return view.standing.value
    return "new-sheet" if view.waiting else "in-force"


def show_review(
    web: Web,
    request: Request,
    seat: Seat,
    place: Place,
    view: DecisionView,
    chosen: ChosenForm,
    *,
    meanwhile: tuple[str, ...] = (),
    adds_group: bool = False,
    status: int = 200,
) -> Response:
    """Return the page on which somebody reads and chooses."""
    draft_url = "" if view.draft is None else f"/console/decide/drafts/{view.draft.number}"
    page = build_review(
        place,
        view,
        chosen,
        words_for(web, request),
        state=state_of_view(view),
        draft_url=draft_url,
        exceptions=tuple(_exceptions(web, view)),
        meanwhile=meanwhile,
        adds_group=adds_group,
    )
    return show_console(web, request, seat, page, status=status)


def show_stale(
    web: Web, request: Request, seat: Seat, place: Place, chosen: ChosenForm
) -> Response:
    """Return the form once more, as it stands now, with what was changed since it was opened."""
    view, words = look(web, request, seat, place), words_for(web, request)
    now = begin_form(view, preset="", today=day_of(web.clock()))
    told = words.changes(chosen.choice, now.choice)
    meanwhile = (
        (words.say(N_("Beside what you chose, it now stands so:")), *told)
        if told
        else (words.say(N_("The dates, the notice or the sheet are others by now.")),)
    )
    return show_review(web, request, seat, place, view, now, meanwhile=meanwhile, status=CONFLICT)


def _fault_of(unusable: DecisionUnusable) -> FieldFault:
    """Return at which field of the form a rule is broken that the flow found."""
    path = unusable.subject
    if path in ("from", "until"):
        return FieldFault(path, N_("The last day lies before today, or before the first one."))
    return FieldFault("choose", N_("This cannot be decided so. Choose something else."))


def _exceptions(web: Web, view: DecisionView) -> list[tuple[str, State]]:
    schools = web.snapshots.registry.schools
    return [
        (schools[each].name if each in schools else each, STATES[standing.value])
        for each, standing in sorted(view.exceptions.items())
    ]
