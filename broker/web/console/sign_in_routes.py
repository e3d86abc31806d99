"""Logging in to the console, once more for signing, and out."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.assurance import words_for
from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.dutch_days import NETHERLANDS
from broker.domain.federation import SchoolIdp
from broker.domain.refusals import Refusal
from broker.domain.school_search import search_schools
from broker.flow.at_school import LevelAsked
from broker.flow.console.person_codes import person_code
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.web.begin import check_destination, count_start, is_framed, show_new_tab
from broker.web.console.arriving import STEP_UP, own_place
from broker.web.console.doors import (
    SIGN_IN,
    ConsoleFrame,
    Seat,
    console_route,
    read_own_form,
    show_console,
)
from broker.web.console.role_words import name_place, show_roles
from broker.web.console.sign_in_pages import (
    SignedOutPage,
    SignInLogin,
    SignInPage,
    SignInPlace,
    StepUpPage,
    WhoAmIPage,
)
from broker.web.csrf import make_token
from broker.web.own_login_routes import send_to_own_login
from broker.web.pages import MAX_SCHOOLS_SHOWN
from broker.web.rehearsal_routes import FORM_BYTES, check_form
from broker.web.requests import only, read_form, read_query
from broker.web.responses import show
from broker.web.wiring import Web

SIGN_OUT, WHO_AM_I = "/console/sign-out", "/console/me"
FEDERATION = LoginPlace(PlaceKind.FEDERATION)


def sign_in_routes(web: Web) -> list[Route]:
    """Return the routes of logging in and out."""

    async def sign_in(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            form = await read_form(request, max_bytes=web.max_body_bytes)
            check_form(web, request, form, bound_to=web.cookies.read_form(request))
            return await _begin(web, request, login=only(form, "login"), back=only(form, "back"))
        query = read_query(request)
        if login := only(query, "login"):  # a tile or a bookmark: it begins at once
            check_destination(request)
            return await _begin(web, request, login=login, back=only(query, "back"))
        bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
        page = _choose(web, bound_to, query=only(query, "q"), back=only(query, "back"))
        response = show(web, request, page, onward=True, again=True, around=ConsoleFrame())
        web.cookies.bind_forms(response, bound_to)
        return response

    async def step_up(request: Request, seat: Seat) -> Response:
        if request.method == "POST":
            form = await read_own_form(web, request, seat)
            return await _begin_step_up(web, request, seat, back=own_place(only(form, "back")))
        query = read_query(request)
        page = _step_up_page(
            web, seat, back=own_place(only(query, "back")), has_failed=only(query, "failed") == "1"
        )
        return show_console(web, request, seat, page, onward=True)

    async def sign_out(request: Request, seat: Seat) -> Response:
        await read_own_form(web, request, seat)
        await web.console.desk.sessions.end(seat.handle)
        response = show(web, request, SignedOutPage(), around=ConsoleFrame())
        web.cookies.open_console(response, "")
        return response

    async def who_am_i(request: Request, seat: Seat) -> Response:
        session, registry = seat.session, web.snapshots.registry
        page = WhoAmIPage(
            csrf=seat.csrf,
            code=person_code(seat.actor.id),
            place_name=name_place(session.login_kind, session.login_place, registry=registry),
            since=f"{session.logged_in_at.astimezone(NETHERLANDS):%d-%m-%Y %H:%M}",
            may_sign=(end := seat.actor.may_sign_until) is not None and web.clock() <= end,
            by_link=session.by_link,
            roles=show_roles(seat.actor.held, registry=registry),
        )
        return show_console(web, request, seat, page)

    return [
        Route(SIGN_IN, sign_in, methods=["GET", "POST"]),
        console_route(web, STEP_UP, step_up, methods=["GET", "POST"]),
        console_route(web, SIGN_OUT, sign_out, methods=["POST"]),
        console_route(web, WHO_AM_I, who_am_i),
    ]


async def _begin(web: Web, request: Request, *, login: str, back: str) -> Response:
    counted = count_start(web, request)
    kind, _, rest = login.partition("/")
    place, _, idp = rest.partition("/")
    begun = await web.own_logins.begin(
        OwnPurpose.CONSOLE,
        LoginPlace(PlaceKind(kind) if kind in set(PlaceKind) else PlaceKind.BOARD, place),
        unverified_idp=idp,
        back=own_place(back),
    )
    response = send_to_own_login(web, request, OwnPurpose.CONSOLE, begun)
    response.raw_headers.append(counted)
    return response


async def _begin_step_up(web: Web, request: Request, seat: Seat, *, back: str) -> Response:
    session = seat.session
    counted = count_start(web, request)
    begun = await web.own_logins.begin(
        OwnPurpose.CONSOLE,
        LoginPlace(session.login_kind, session.login_place),
        unverified_idp=session.idp,
        asked=LevelAsked(force_login=True, levels=web.console.desk.signing.levels),
        back=f"{STEP_UP}?{urlencode({'back': back})}",
    )
    response = send_to_own_login(web, request, OwnPurpose.CONSOLE, begun)
    response.raw_headers.append(counted)
    return response


def _step_up_page(web: Web, seat: Seat, *, back: str, has_failed: bool) -> StepUpPage:
    session, signing = seat.session, web.console.desk.signing
    registry = web.snapshots.registry
    idp = registry.idps.get(session.idp)
    return StepUpPage(
        csrf=seat.csrf,
        back=back,
        place_name=name_place(session.login_kind, session.login_place, registry=registry),
        minutes=signing.seconds // 60,
        has_failed=has_failed,
        can_be_asked=idp is not None and bool(words_for(signing.levels, meanings=idp.acr)),
        by_link=session.by_link,
    )


def _choose(web: Web, bound_to: str, *, query: str, back: str) -> SignInPage:
    found = _find_places(web, query)
    return SignInPage(
        csrf=make_token(web.cookie_keys, bound_to),
        back=own_place(back),
        query=query,
        places=tuple(_show_place(each) for each in found[:MAX_SCHOOLS_SHOWN]),
        found_count=len(found),
    )


def _find_places(web: Web, query: str) -> list[tuple[LoginPlace, str, str, tuple[SchoolIdp, ...]]]:
    """Return what fits a query: suppliers, schools, and the federation when nothing is asked."""
    registry, wanted = web.snapshots.registry, query.strip().casefold()
    places = [
        (LoginPlace(PlaceKind.SUPPLIER, each), registry.suppliers[each].display_name, "")
        for each in registry.idps_of_supplier
        if each in registry.suppliers and wanted in registry.suppliers[each].display_name.casefold()
    ]
    if not wanted:
        places.append((FEDERATION, "", ""))
    schools = search_schools(web.snapshots.index, query, state=None)
    places += [(LoginPlace(PlaceKind.SCHOOL, each.id), each.name, each.place) for each in schools]
    found = []
    for place, name, where in places[: MAX_SCHOOLS_SHOWN * 2]:
        try:
            found.append((place, name, where, web.own_logins.logins_at(place)))
        except Refusal:  # no login there today
            continue
    return found


def _show_place(found: tuple[LoginPlace, str, str, tuple[SchoolIdp, ...]]) -> SignInPlace:
    place, name, where, logins = found
    return SignInPlace(
        name=name,
        where=where,
        logins=tuple(
            SignInLogin(
                value=f"{place.kind}/{place.place}/{each.id}",
                name=(each.name or each.place) if len(logins) > 1 else "",
            )
            for each in logins
        ),
    )
