"""Where a school's privacy officer sees what pupils ask, and decides."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import Permission
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.flow.console.actors import may
from broker.flow.own_pupils.pupil_lists import MAX_BYTES, ListedPupil
from broker.flow.requests.person_requests import (
    Grounds,
    PersonRequest,
    RequestId,
    RequestKind,
    RequestNotPossible,
    RequestState,
)
from broker.web.console.doors import (
    Seat,
    console_route,
    read_own_form,
    read_own_upload,
    show_console,
)
from broker.web.console.pupils_pages import (
    ANSWER_WORDS,
    ASKED_WORDS,
    EFFECT_WORDS,
    STANDING_TAGS,
    STANDING_WORDS,
    RequestLine,
    RequestPage,
    RequestsPage,
    Trouble,
)
from broker.web.console.pupils_places import (
    PAGE_ROWS,
    REQUESTS,
    choose_school,
    listed_of,
    page_url,
    place_of,
    read_first,
    school_here,
    trouble_of,
)
from broker.web.requests import Parameters
from broker.web.responses import redirect
from broker.web.texts import N_
from broker.web.wiring import Web


def request_routes(web: Web) -> list[Route]:
    """Return the routes of requests."""
    officer = web.console.officer

    async def choose(request: Request, seat: Seat) -> Response:
        return choose_school(
            *(web, request, seat),
            here=REQUESTS,
            title=N_("Requests of pupils"),
            permission=Permission.SEE_REQUESTS,
        )

    async def show(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_REQUESTS)
        return show_console(web, request, seat, await _list_page(web, request, seat, school))

    async def whose(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_REQUESTS)
        upload = await read_own_upload(web, request, seat, max_file_bytes=MAX_BYTES)
        try:
            rows = listed_of(upload, lambda name: _value(upload.fields, name))
        except (CsvUnreadable, CsvTooLarge, CsvFaulty) as refusal:
            page = await _list_page(web, request, seat, school, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        found = await officer.find_whose(seat.actor, rows, school=school)
        page = await _list_page(web, request, seat, school, whose=found)
        return show_console(web, request, seat, page)

    async def look(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.SEE_REQUESTS)
        found = await officer.look(seat.actor, school, _id(request))
        return show_console(web, request, seat, _page(web, seat, school, found))

    async def decide(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.DECIDE_REQUEST)
        form = await read_own_form(web, request, seat)
        try:
            granted, grounds = _read_answer(form)
            await officer.decide(seat.actor, school, _id(request), granted=granted, grounds=grounds)
        except RequestNotPossible as refusal:
            found = await officer.look(seat.actor, school, _id(request))
            page = _page(web, seat, school, found, trouble=trouble_of(refusal))
            return show_console(web, request, seat, page, status=refusal.http_status)
        return redirect(f"{REQUESTS}/{school.id}/{_id(request)}")

    async def end(request: Request, seat: Seat) -> Response:
        school = school_here(web, request, seat, Permission.DECIDE_REQUEST)
        await read_own_form(web, request, seat)
        await officer.end(seat.actor, school, _id(request))
        return redirect(f"{REQUESTS}/{school.id}/{_id(request)}")

    here = f"{REQUESTS}/{{school}}"
    return [
        console_route(web, REQUESTS, choose),
        console_route(web, here, show),
        console_route(web, f"{here}/whose", whose, methods=["POST"]),
        console_route(web, f"{here}/{{request}}", look),
        console_route(web, f"{here}/{{request}}/decide", decide, methods=["POST"]),
        console_route(web, f"{here}/{{request}}/end", end, methods=["POST"]),
    ]


async def _list_page(
    web: Web,
    request: Request,
    seat: Seat,
    school: School,
    *,
    whose: Mapping[RequestId, ListedPupil] | None = None,
    trouble: Trouble | None = None,
) -> RequestsPage:
    officer = web.console.officer
    found = await officer.list_for(seat.actor, school)
    counts = await officer.count_open(seat.actor, school)
    first = read_first(request, total=len(found))
    here = f"{REQUESTS}/{school.id}"
    known = {of: each.shown for of, each in (whose or {}).items()}
    return RequestsPage(
        place=place_of(REQUESTS, school),
        requests=tuple(
            _line(web, each, whose=known.get(each.id, ""))
            for each in found[first : first + PAGE_ROWS]
        ),
        overdue=counts.overdue,
        soon=counts.soon,
        total=len(found),
        first=first,
        previous_url=page_url(here, first - PAGE_ROWS, total=len(found)),
        next_url=page_url(here, first + PAGE_ROWS, total=len(found)),
        is_matched=whose is not None,
        trouble=trouble,
    )


def _page(
    web: Web, seat: Seat, school: School, found: PersonRequest, *, trouble: Trouble | None = None
) -> RequestPage:
    registry, permission = web.snapshots.registry, Permission.DECIDE_REQUEST
    may_decide = may(seat.actor, permission, school=school, registry=registry)
    is_open = found.state is RequestState.OPEN
    holds = found.kind is RequestKind.OBJECTION and found.state is RequestState.GRANTED
    is_granted = found.state is RequestState.GRANTED
    return RequestPage(
        place=place_of(REQUESTS, school),
        request=_line(web, found),
        effect=EFFECT_WORDS[found.kind],
        answers=tuple(
            (f"{'grant' if granted else 'refuse'}:{grounds}", words)
            for (granted, grounds), words in ANSWER_WORDS.items()
            if may_decide and is_open
        ),
        may_end=may_decide and holds,
        grounds="" if found.grounds is None else ANSWER_WORDS[(is_granted, found.grounds)],
        decided_on=found.decided_on,
        trouble=trouble,
    )


def _line(web: Web, found: PersonRequest, *, whose: str = "") -> RequestLine:
    registry, is_open = web.snapshots.registry, found.state is RequestState.OPEN
    supplier = None if found.supplier is None else registry.suppliers.get(found.supplier)
    return RequestLine(
        id=found.id,
        kind=ASKED_WORDS[found.kind],
        supplier_name=(found.supplier or "") if supplier is None else supplier.display_name,
        attribute=found.attribute or "",
        filed_on=found.filed_on,
        deadline=found.deadline,
        days_left=found.days_left(day_of(web.clock())) if is_open else None,
        standing=STANDING_WORDS[found.state],
        tag=STANDING_TAGS[found.state],
        by_parent=found.by_parent,
        blocks=found.blocks and is_open,
        whose=whose,
    )


def _id(request: Request) -> RequestId:
    return RequestId(request.path_params["request"])


def _read_answer(form: Parameters) -> tuple[bool, Grounds]:
    """Return what the form's one choice says.

    Raises:
        RequestNotPossible: nothing was chosen, or no choice of the page.
    """
    answer, _, grounds = _value(form, "answer").partition(":")
    if answer not in ("grant", "refuse") or grounds not in {each.value for each in Grounds}:
        raise RequestNotPossible("check_answer_chosen")
    return answer == "grant", Grounds(grounds)


def _value(form: Parameters, name: str) -> str:
    return next((value for field, value in form if field == name), "")
