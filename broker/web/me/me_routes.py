"""`/me`: choose a school, log in there, look, and leave. One session in a browser at a time."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, State
from broker.domain.ids import SchoolId
from broker.domain.school_search import search_schools
from broker.flow.me.me_refusals import MeClosed
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.web.begin import count_start, is_framed, show_new_tab
from broker.web.csrf import make_token
from broker.web.login_pages import LoginChoice
from broker.web.me.me_arriving import ME
from broker.web.me.me_cards import DECISION, decision_page_of, page_of
from broker.web.me.me_doors import find_visit, read_own_form, send_file, show_own, token_of
from broker.web.me.me_files import write_json
from broker.web.me.me_pages import MeBeginPage, MeClosedPage, MeLoginsPage
from broker.web.me.me_request_pages import row_of
from broker.web.me.me_request_routes import me_request_routes
from broker.web.me.parent_routes import parent_routes
from broker.web.own_login_routes import send_to_own_login
from broker.web.pages import MAX_SCHOOLS_SHOWN
from broker.web.rehearsal_routes import FORM_BYTES, check_form
from broker.web.requests import Parameters, only, read_form, read_query
from broker.web.responses import redirect, show
from broker.web.school_choice import choice_of
from broker.web.wiring import Web

LOGIN, LEAVE, CLOSED, DOWNLOAD = "/me/login", "/me/leave", "/me/closed", "/me/download"


def me_routes(web: Web) -> list[Route]:
    """Return the routes of `/me`."""

    async def look(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        query = read_query(request)
        try:
            visit = await find_visit(web, request)
        except MeClosed:
            return _begin(web, request, query)
        found = await web.me.visits.show(visit, unverified_year=only(query, "year"))
        registry, today = web.snapshots.registry, day_of(web.clock())
        hidden = web.me.visits.hidden_from(visit)
        asked = await web.me.requests.list_own(visit.session.presented, school=visit.school)
        page = page_of(
            found,
            registry=registry,
            csrf=token_of(web, request),
            requests=tuple(
                row_of(each, registry=registry, today=today)
                for each in asked
                if each.supplier not in hidden
            ),
            letters=web.me.visits.letters_about(visit),
        )
        return show_own(web, request, visit, page)

    async def log_in(request: Request) -> Response:
        counted = count_start(web, request)
        form = await read_form(request, max_bytes=web.max_body_bytes)
        check_form(web, request, form, bound_to=web.cookies.read_form(request))
        school, idp = only(form, "school"), only(form, "idp")
        if not idp and len(web.own_logins.logins_at(_place_of(school))) > 1:
            return redirect(f"{ME}?{urlencode({'school': school})}")
        response = await _send_to_login(web, request, school, idp=idp)
        response.raw_headers.append(counted)
        return response

    async def leave(request: Request) -> Response:
        visit, form = await read_own_form(web, request)
        handle = web.cookies.read_me(request)
        if only(form, "soon"):
            await web.me.visits.let_go(visit, handle)
            return Response(status_code=204)
        if only(form, "stay"):
            return Response(status_code=204)
        if only(form, "not-me"):
            return await _send_to_login(web, request, visit.school.id, other_account=True)
        await web.me.visits.leave(handle)
        response = redirect(CLOSED)
        web.cookies.open_me(response, "")
        return response

    async def closed(request: Request) -> Response:
        return show(web, request, MeClosedPage(), again=True)

    async def explain(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        query = read_query(request)
        try:
            visit = await find_visit(web, request)
        except MeClosed:
            return redirect(ME)
        decision = await web.me.visits.explain(
            visit,
            unverified_school=only(query, "school"),
            unverified_supplier=only(query, "supplier"),
            unverified_version=only(query, "version"),
            unverified_day=only(query, "day"),
        )
        page = decision_page_of(
            decision, registry=web.snapshots.registry, csrf=token_of(web, request)
        )
        return show_own(web, request, visit, page)

    async def download(request: Request) -> Response:
        try:
            visit = await find_visit(web, request)
        except MeClosed:
            return redirect(ME)
        years = await web.me.visits.gather(visit)
        body = write_json(visit, years, registry=web.snapshots.registry, at=web.clock())
        return send_file(body, name="schuilnaam.json", media_type="application/json")

    return [
        Route(ME, look, methods=["GET"]),
        Route(LOGIN, log_in, methods=["POST"]),
        Route(LEAVE, leave, methods=["POST"]),
        Route(CLOSED, closed, methods=["GET"]),
        Route(DECISION, explain, methods=["GET"]),
        Route(DOWNLOAD, download, methods=["GET"]),
        *me_request_routes(web),
        *parent_routes(web),
    ]


def _begin(web: Web, request: Request, query: Parameters) -> Response:
    bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
    csrf = make_token(web.cookie_keys, bound_to)
    school = web.snapshots.registry.schools.get(SchoolId(only(query, "school")))
    page = (
        _search(web, request, only(query, "q"), csrf=csrf)
        if school is None
        else _logins(web, school, csrf=csrf)
    )
    response = show(web, request, page, onward=True, again=True)
    web.cookies.bind_forms(response, bound_to)
    if web.cookies.read_me(request):
        web.cookies.open_me(response, "")
    return response


def _search(web: Web, request: Request, query: str, *, csrf: str) -> MeBeginPage:
    index = web.snapshots.index
    states = {school.state for _, _, school in index.entries}
    state = State.PRODUCTION if State.PRODUCTION in states else State.TEST
    found = search_schools(index, query, state=state)
    shown = found[:MAX_SCHOOLS_SHOWN] if query or len(found) <= MAX_SCHOOLS_SHOWN else []
    remembered = index.registry.schools.get(SchoolId(web.cookies.read(request, "school")))
    return MeBeginPage(
        csrf=csrf,
        query=query,
        schools=tuple(map(choice_of, shown)),
        found_count=len(found),
        remembered=choice_of(remembered) if remembered is not None and remembered.enabled else None,
        was_open=bool(web.cookies.read_me(request)),
    )


def _logins(web: Web, school: School, *, csrf: str) -> MeLoginsPage:
    logins = web.own_logins.logins_at(_place_of(school.id))
    return MeLoginsPage(
        csrf=csrf,
        school=school.id,
        school_name=school.name,
        choices=tuple(LoginChoice(id=each.id, name=each.name, place=each.place) for each in logins),
    )


async def _send_to_login(
    web: Web, request: Request, school: str, *, idp: str = "", other_account: bool = False
) -> Response:
    """Send a browser to a school's login; whoever looked before looks no more.

    Where pupils share devices the login is to ask who this is: the one before may still be logged
    in there.
    """
    found = web.snapshots.registry.schools.get(SchoolId(school))
    await web.me.visits.leave(web.cookies.read_me(request))
    begun = await web.own_logins.begin(
        OwnPurpose.ME,
        _place_of(school),
        unverified_idp=idp,
        other_account=other_account or (found is not None and found.shared_devices),
        back=ME,
    )
    response = send_to_own_login(web, request, OwnPurpose.ME, begun)
    web.cookies.open_me(response, "")
    return response


def _place_of(school: str) -> LoginPlace:
    return LoginPlace(PlaceKind.SCHOOL, school)
