"""Coming in by an invitation, or by a one-time link."""

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.federation import SchoolIdp
from broker.flow.console.console_refusals import InvitationOver
from broker.flow.console.role_book import Invitation
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.flow.refusals import SchoolNotOpen
from broker.web.begin import count_start, is_framed, show_new_tab
from broker.web.console.arriving import HOME, INVITED
from broker.web.console.doors import ConsoleFrame
from broker.web.console.people_pages import InvitationPage, LinkPage
from broker.web.console.people_routes import INVITATION
from broker.web.console.role_words import ROLE_WORDS, name_place
from broker.web.csrf import make_token
from broker.web.own_login_routes import send_to_own_login
from broker.web.pages import Page
from broker.web.rehearsal_routes import FORM_BYTES, check_form
from broker.web.requests import Parameters, only, read_form, read_query
from broker.web.responses import redirect, show
from broker.web.wiring import Web

LINK = "/console/link"


def invitation_routes(web: Web) -> list[Route]:
    """Return the routes of who has no role, or no login, yet."""

    async def invitation(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            return await _accept(web, request)
        code = only(read_query(request), "code")
        return _show(web, request, lambda csrf: _invitation_page(web, code, csrf))

    async def link(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            form = await _read_form(web, request)
            before = web.cookies.read_console(request)
            opened = await web.console.links.enter(
                only(form, "link"), sessions=web.console.desk.sessions, before=before
            )
            response = redirect(HOME)
            web.cookies.open_console(response, opened.handle.text)
            return response
        code = only(read_query(request), "code")
        web.console.links.check(code)
        return _show(web, request, lambda csrf: LinkPage(csrf=csrf, link=code))

    return [
        Route(INVITATION, invitation, methods=["GET", "POST"]),
        Route(LINK, link, methods=["GET", "POST"]),
    ]


def link_address(issuer: str, code: str) -> str:
    """Return the address of a one-time link."""
    return f"{issuer}{LINK}?{urlencode({'code': code})}"


async def _accept(web: Web, request: Request) -> Response:
    counted = count_start(web, request)
    form = await _read_form(web, request)
    code = only(form, "invitation")
    waiting = web.console.people.read(code)
    place, _, idp = only(form, "login").partition("/")
    found = _logins_for(web, waiting)
    chosen = next((at for at, each in found if (at.place, each.id) == (place, idp)), None)
    if chosen is None:
        raise InvitationOver("check_login_of_invitation")
    begun = await web.own_logins.begin(
        OwnPurpose.CONSOLE, chosen, unverified_idp=idp, back=HOME, carried=INVITED + code
    )
    response = send_to_own_login(web, request, OwnPurpose.CONSOLE, begun)
    response.raw_headers.append(counted)
    return response


async def _read_form(web: Web, request: Request) -> Parameters:
    form = await read_form(request, max_bytes=web.max_body_bytes)
    check_form(web, request, form, bound_to=web.cookies.read_form(request))
    return form


def _show(web: Web, request: Request, make: Callable[[str], Page]) -> Response:
    bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
    page = make(make_token(web.cookie_keys, bound_to))
    response = show(web, request, page, onward=True, again=True, around=ConsoleFrame())
    web.cookies.bind_forms(response, bound_to)
    return response


def _invitation_page(web: Web, code: str, csrf: str) -> InvitationPage:
    waiting, registry = web.console.people.read(code), web.snapshots.registry
    return InvitationPage(
        csrf=csrf,
        invitation=code,
        role=ROLE_WORDS[waiting.role],
        places=tuple(name_place(waiting.kind, each, registry=registry) for each in waiting.places),
        login_name=name_place(waiting.login.kind, waiting.login.place, registry=registry),
        logins=tuple(
            (
                f"{at.place}/{each.id}",
                name_place(at.kind, at.place, registry=registry) or each.name or each.place,
            )
            for at, each in _logins_for(web, waiting)
        ),
        last_day="" if waiting.last_day is None else waiting.last_day.isoformat(),
    )


def _logins_for(web: Web, waiting: Invitation) -> list[tuple[LoginPlace, SchoolIdp]]:
    """Return where an invitation can be accepted: of a board's, at any of its schools."""
    places = [waiting.login]
    if waiting.login.kind is PlaceKind.BOARD:
        schools = web.snapshots.registry.schools.values()
        places = [
            LoginPlace(PlaceKind.SCHOOL, each.id)
            for each in schools
            if each.board == waiting.login.place
        ]
    found = []
    for place in places:
        try:
            found += [(place, each) for each in web.own_logins.logins_at(place)]
        except SchoolNotOpen:  # switched off, or without a login today
            continue
    return found
