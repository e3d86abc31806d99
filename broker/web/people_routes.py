"""Pages for people: the chooser, the buttons of the page between, and static files."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.dutch_days import day_of
from broker.domain.federation import School, State, Supplier
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, search_schools
from broker.flow.answers import Refused
from broker.flow.held_state.browser_steps import BrowserStep
from broker.web.assets import CACHE_CONTROL
from broker.web.begin import is_framed, show_new_tab
from broker.web.csrf import ForeignForm, check_own_form, make_token
from broker.web.held_steps import find_held_step, read_wish
from broker.web.kept_hints import NOTHING_ANNOUNCED
from broker.web.login_pages import LoginChoice, LoginsPage
from broker.web.pages import (
    MAX_SCHOOLS_SHOWN,
    ChooserPage,
    MessagePage,
)
from broker.web.requests import Parameters, only, read_form, read_query
from broker.web.responses import answer, redirect, show
from broker.web.school_choice import choice_of
from broker.web.texts import (
    NOTHING_HERE,
    OWN_SCHOOL_AGAIN,
    SCHOOL_FORGOTTEN,
    SCHOOL_REMEMBERED,
    MessageText,
)
from broker.web.wiring import Web

FORM_BYTES = 16
"""Of the random value that the forms of a chooser without a login are bound to."""


def people_routes(web: Web) -> list[Route]:
    """Return the routes of pages for people."""

    async def chooser(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        parameters = read_query(request)
        login = only(parameters, "login")
        query, supplier = only(parameters, "q"), None
        if login:
            step = find_held_step(web, request, login)
            bound_to = step.unverified_handle
            supplier = (await web.login.read_choosing(step)).supplier
            logins = _logins_page(
                web, request, login, bound_to=bound_to, school=only(parameters, "school")
            )
            if logins is not None:
                return show(web, request, logins, onward=True, again=True)
        else:
            bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
        page = _chooser_page(
            web, request, login=login, bound_to=bound_to, supplier=supplier, query=query
        )
        response = show(web, request, page, onward=True, again=True)
        if not login:
            web.cookies.bind_forms(response, bound_to)
        return response

    async def choose(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        login, school = only(form, "login"), only(form, "school")
        if not login:
            return _remember(web, request, form, school=school)
        held = find_held_step(web, request, login)
        _check_form(web, request, form, bound_to=held.unverified_handle)
        if not school:
            return redirect(f"/schools?login={login}")
        clicked = only(form, "idp")
        wish = read_wish(web, request, clicked=clicked)
        step = await web.login.choose(held, unverified_school=school, wish=wish)
        response = answer(web, request, step, from_page=True)
        if step.opened is not None and not isinstance(step.answer, Refused):
            web.cookies.remember_school(response, school)
            web.cookies.keep_announced(response, NOTHING_ANNOUNCED)
            if SchoolIdpId(clicked) in web.snapshots.registry.idps:
                web.cookies.remember_idp(response, clicked)
        return response

    async def schools(request: Request) -> Response:
        return await (choose if request.method == "POST" else chooser)(request)

    async def forget(request: Request) -> Response:
        response = await _back_to_chooser(web, request, said=SCHOOL_FORGOTTEN)
        web.cookies.remember_school(response, "")
        web.cookies.remember_idp(response, "")
        web.cookies.keep_announced(response, NOTHING_ANNOUNCED)
        return response

    async def go_on(request: Request) -> Response:
        step = await web.login.go_on(await _own_step(web, request))
        return answer(web, request, step, from_page=True)

    async def not_me(request: Request) -> Response:
        step = await web.login.not_me(await _own_step(web, request))
        return answer(web, request, step, from_page=True)

    async def own_school(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        held = find_held_step(web, request, only(form, "login"))
        _check_form(web, request, form, bound_to=held.unverified_handle)
        if only(form, "not-me"):
            step = await web.login.not_me_at_schools(held)
            return answer(web, request, step, from_page=True)
        step = await web.login.choose_own(held, unverified_school=only(form, "school"))
        response = answer(web, request, step, from_page=True)
        web.cookies.choose_again(response, wish=False)
        return response

    async def choose_again(request: Request) -> Response:
        response = await _back_to_chooser(web, request, said=OWN_SCHOOL_AGAIN)
        web.cookies.choose_again(response, wish=True)
        return response

    async def static(request: Request) -> Response:
        asset = web.pages.assets.by_url_path.get(request.scope["path"])
        if asset is None:
            return show(web, request, MessagePage(text=NOTHING_HERE), status=404)
        return Response(
            asset.body, headers={"cache-control": CACHE_CONTROL, "content-type": asset.media_type}
        )

    return [
        Route("/schools", schools, methods=["GET", "POST"]),
        Route("/schools/forget", forget, methods=["POST"]),
        Route("/schools/again", choose_again, methods=["POST"]),
        Route("/login/school", own_school, methods=["POST"]),
        Route("/login/continue", go_on, methods=["POST"]),
        Route("/login/not-me", not_me, methods=["POST"]),
        Route("/static/{name}", static, methods=["GET"]),
    ]


def _chooser_page(
    web: Web,
    request: Request,
    *,
    login: str,
    bound_to: str,
    supplier: Supplier | None,
    query: str,
) -> ChooserPage:
    index = web.snapshots.index
    state = _state_without_login(index) if supplier is None else supplier.state
    found = search_schools(index, query, state=state)
    shown = found[:MAX_SCHOOLS_SHOWN] if query or len(found) <= MAX_SCHOOLS_SHOWN else []
    remembered = index.registry.schools.get(SchoolId(web.cookies.read(request, "school")))
    may_continue = remembered is not None and remembered in found
    return ChooserPage(
        login=login,
        csrf=make_token(web.cookie_keys, bound_to),
        supplier_name="" if supplier is None else supplier.display_name,
        query=query,
        schools=tuple(map(choice_of, shown)),
        found_count=len(found),
        remembered=choice_of(remembered) if remembered is not None and may_continue else None,
        has_logins=bool(login)
        and remembered is not None
        and len(_offered(web, index.registry, remembered)) > 1,
    )


def _offered(web: Web, registry: Registry, school: School) -> tuple[LoginChoice, ...]:
    offered = registry.offered_logins(school.id, today=day_of(web.clock()))
    return tuple(LoginChoice(id=each.id, name=each.name, place=each.place) for each in offered)


def _logins_page(
    web: Web, request: Request, login: str, *, bound_to: str, school: str
) -> LoginsPage | None:
    """Return the page that asks by which login; None where there is nothing to choose."""
    registry = web.snapshots.registry
    found = registry.schools.get(SchoolId(school))
    choices = () if found is None else _offered(web, registry, found)
    if found is None or len(choices) < 2:  # one is no choice
        return None
    return LoginsPage(
        login=login,
        csrf=make_token(web.cookie_keys, bound_to),
        school=found.id,
        school_name=found.name,
        choices=choices,
        remembered=web.cookies.read(request, "idp"),
    )


def _state_without_login(index: SchoolIndex) -> State:
    """Test and production never meet: test schools are shown only where there is nothing else."""
    states = (school.state for _, _, school in index.entries)
    return State.PRODUCTION if State.PRODUCTION in states else State.TEST


async def _back_to_chooser(web: Web, request: Request, *, said: MessageText) -> Response:
    """Lead back into the login that a form belongs to; without one only say what was done."""
    form = await read_form(request, max_bytes=web.max_body_bytes)
    login = only(form, "login")
    held = find_held_step(web, request, login) if login else None
    bound_to = _form_value(web, request) if held is None else held.unverified_handle
    _check_form(web, request, form, bound_to=bound_to)
    if held is None:
        return show(web, request, MessagePage(text=said))
    return redirect(f"/schools?login={login}")


def _remember(web: Web, request: Request, form: Parameters, *, school: str) -> Response:
    """Without a login a choice is only remembered, for the next time."""
    _check_form(web, request, form, bound_to=_form_value(web, request))
    if SchoolId(school) not in web.snapshots.registry.schools:
        return redirect("/schools")
    response = show(web, request, MessagePage(text=SCHOOL_REMEMBERED))
    web.cookies.remember_school(response, school)
    return response


def _form_value(web: Web, request: Request) -> str:
    value = web.cookies.read_form(request)
    if not value:
        raise ForeignForm("check_form_cookie")
    return value


async def _own_step(web: Web, request: Request) -> BrowserStep:
    """Return the step that a form of our own is about, after checking that it is our own."""
    form = await read_form(request, max_bytes=web.max_body_bytes)
    step = find_held_step(web, request, only(form, "login"))
    _check_form(web, request, form, bound_to=step.unverified_handle)
    return step


def _check_form(web: Web, request: Request, form: Parameters, *, bound_to: str) -> None:
    check_own_form(
        request,
        cookie_keys=web.cookie_keys,
        bound_to=bound_to,
        token=only(form, "csrf"),
        issuer=web.issuer,
    )
