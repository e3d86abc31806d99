"""Pages for people: the chooser, the buttons of the page between, and static files."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.federation import School
from broker.domain.ids import SchoolId
from broker.domain.school_search import search_schools
from broker.flow.browser_steps import BrowserStep
from broker.flow.parties import Parties
from broker.flow.refusals import LoginStepAbsent
from broker.web.assets import CACHE_CONTROL
from broker.web.begin import is_framed, show_new_tab
from broker.web.csrf import check_own_form, make_token
from broker.web.pages import (
    MAX_SCHOOLS_SHOWN,
    ChooserPage,
    MessagePage,
    SchoolChoice,
)
from broker.web.requests import Parameters, only, read_form, read_query
from broker.web.responses import answer, redirect, show
from broker.web.texts import NOTHING_HERE, SCHOOL_FORGOTTEN, SCHOOL_REMEMBERED
from broker.web.wiring import Web

_NO_LOGIN = "no-login"
"""What the forms of a chooser without a login are bound to, besides the remembered school."""


def people_routes(web: Web) -> list[Route]:
    """Return the routes of pages for people."""

    async def chooser(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        parameters = read_query(request)
        login = only(parameters, "login")
        handle, parties = "", None
        if login:
            handle = _handle(web, request, login)
            parties = await web.login.read_choosing(BrowserStep(login, handle))
        page = _chooser_page(
            web, request, login=login, handle=handle, parties=parties, query=only(parameters, "q")
        )
        return show(web, request, page, onward=True, again=True)

    async def choose(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        login, school = only(form, "login"), only(form, "school")
        if not login:
            return _remember(web, request, form, school=school)
        handle = _handle(web, request, login)
        _check_form(web, request, form, bound_to=handle)
        if not school:
            return redirect(f"/schools?login={login}")
        step = await web.login.choose(BrowserStep(login, handle), unverified_school=school)
        response = answer(web, request, step)
        if SchoolId(school) in web.snapshots.registry.schools:
            web.cookies.remember_school(response, school)
        return response

    async def forget(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        login = only(form, "login")
        handle = _handle(web, request, login) if login else _NO_LOGIN
        _check_form(web, request, form, bound_to=handle)
        if login:
            response = redirect(f"/schools?login={login}")
        else:
            response = show(web, request, MessagePage(text=SCHOOL_FORGOTTEN))
        web.cookies.remember_school(response, "")
        return response

    async def go_on(request: Request) -> Response:
        return answer(web, request, await web.login.go_on(await _own_step(web, request)))

    async def not_me(request: Request) -> Response:
        return answer(web, request, await web.login.not_me(await _own_step(web, request)))

    async def static(request: Request) -> Response:
        asset = web.pages.assets.by_url_path.get(request.url.path)
        if asset is None:
            return show(web, request, MessagePage(text=NOTHING_HERE), status=404)
        return Response(
            asset.body, headers={"cache-control": CACHE_CONTROL, "content-type": asset.media_type}
        )

    return [
        Route("/schools", chooser, methods=["GET"]),
        Route("/schools", choose, methods=["POST"]),
        Route("/schools/forget", forget, methods=["POST"]),
        Route("/login/continue", go_on, methods=["POST"]),
        Route("/login/not-me", not_me, methods=["POST"]),
        Route("/static/{name}", static, methods=["GET"]),
    ]


def _chooser_page(
    web: Web,
    request: Request,
    *,
    login: str,
    handle: str,
    parties: Parties | None,
    query: str,
) -> ChooserPage:
    index = web.snapshots.index
    supplier = None if parties is None else parties.supplier
    state = None if supplier is None else supplier.state
    found = search_schools(index, query, state=state)
    shown = found[:MAX_SCHOOLS_SHOWN] if query or len(found) <= MAX_SCHOOLS_SHOWN else []
    remembered = index.registry.schools.get(SchoolId(web.cookies.read(request, "school")))
    may_continue = remembered is not None and remembered in found
    return ChooserPage(
        login=login,
        csrf=make_token(web.cookie_key, handle or _NO_LOGIN),
        supplier_name="" if supplier is None else supplier.display_name,
        query=query,
        schools=tuple(map(_choice, shown)),
        found_count=len(found),
        remembered=_choice(remembered) if remembered is not None and may_continue else None,
    )


def _choice(school: School) -> SchoolChoice:
    return SchoolChoice(
        id=school.id,
        name=school.name,
        place=school.place,
        brin=school.branch or school.brin,
        is_test=school.state.value == "test",
    )


def _remember(web: Web, request: Request, form: Parameters, *, school: str) -> Response:
    """Without a login a choice is only remembered, for the next time."""
    _check_form(web, request, form, bound_to=_NO_LOGIN)
    if SchoolId(school) not in web.snapshots.registry.schools:
        return redirect("/schools")
    response = show(web, request, MessagePage(text=SCHOOL_REMEMBERED))
    web.cookies.remember_school(response, school)
    return response


def _handle(web: Web, request: Request, login: str) -> str:
    handle = web.cookies.read_login(request, login)
    if not handle:
        raise LoginStepAbsent("check_browser_binding")
    return handle


async def _own_step(web: Web, request: Request) -> BrowserStep:
    """Return the step that a form of our own is about, after checking that it is our own."""
    form = await read_form(request, max_bytes=web.max_body_bytes)
    login = only(form, "login")
    handle = _handle(web, request, login)
    _check_form(web, request, form, bound_to=handle)
    return BrowserStep(login, handle)


def _check_form(web: Web, request: Request, form: Parameters, *, bound_to: str) -> None:
    check_own_form(
        request,
        cookie_key=web.cookie_key,
        bound_to=bound_to,
        token=only(form, "csrf"),
        issuer=web.issuer,
    )
