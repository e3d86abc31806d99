"""Volunteers try the logins of a school that is about to change: nothing leaves for a supplier."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.federation import School, SchoolIdp
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.refusals import LoginStepAbsent
from broker.flow.switching.volunteers import VolunteerStep
from broker.web.begin import is_framed, show_new_tab
from broker.web.csrf import ForeignForm, check_own_form, make_token
from broker.web.login_pages import LoginChoice, RehearsalPage
from broker.web.own_steps import OwnStep
from broker.web.requests import Parameters, only, read_form, read_query
from broker.web.responses import send_on, show
from broker.web.wiring import Web

BEGIN, GO_ON = "/rehearsal", "/rehearsal/next"
FORM_BYTES = 16  # as of a chooser without a login


def rehearsal_routes(web: Web) -> list[Route]:
    """Return the routes of rehearsals."""

    async def begin(request: Request) -> Response:
        if request.method == "POST":
            form = await read_form(request, max_bytes=web.max_body_bytes)
            check_form(web, request, form, bound_to=web.cookies.read_form(request))
            return show_volunteer(web, request, await web.volunteers.begin(only(form, "school")))
        if is_framed(request):
            return show_new_tab(web, request)
        school, _, new = web.volunteers.look(only(read_query(request), "school"))
        bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
        page = _page(web, school, new, action=BEGIN, bound_to=bound_to)
        response = show(web, request, page, onward=True, again=True)
        web.cookies.bind_forms(response, bound_to)
        return response

    async def go_on(request: Request) -> Response:
        form = await read_form(request, max_bytes=web.max_body_bytes)
        held = find_held_rehearsal(web, request, only(form, "login"))
        if held is None:
            raise LoginStepAbsent("check_browser_binding")
        check_form(web, request, form, bound_to=held.unverified_handle)
        return show_volunteer(web, request, await web.volunteers.go_on(held))

    return [
        Route(BEGIN, begin, methods=["GET", "POST"]),
        Route(GO_ON, go_on, methods=["POST"]),
    ]


def find_held_rehearsal(web: Web, request: Request, state: str) -> BrowserStep | None:
    """Return the step of a rehearsal that this browser holds; None when it holds none."""
    handle = web.cookies.read_step(request, OwnStep.REHEARSAL, state)
    return BrowserStep(state, handle) if handle else None


def show_volunteer(web: Web, request: Request, step: VolunteerStep) -> Response:
    """Return what a volunteer's browser shows next, and bind the next step to it."""
    opened = step.opened
    response = _answer(web, request, step)
    web.cookies.close_steps(request, response, OwnStep.REHEARSAL)
    if opened is not None:
        web.cookies.open_step(
            response,
            OwnStep.REHEARSAL,
            opened.name,
            opened.handle.text,
            seconds=opened.ttl_seconds,
        )
    return response


def _answer(web: Web, request: Request, step: VolunteerStep) -> Response:
    leads_to, opened = step.leads_to, step.opened
    if leads_to is not None:
        return send_on(web, request, leads_to)
    page = _page(
        web,
        step.school,
        step.new_login,
        action=BEGIN if opened is None else GO_ON,
        login="" if opened is None else opened.name,
        bound_to=web.cookies.read_form(request) if opened is None else opened.handle.text,
        step=step,
    )
    return show(web, request, page, onward=True)


def _page(
    web: Web,
    school: School,
    new: SchoolIdp,
    *,
    action: str,
    bound_to: str,
    login: str = "",
    step: VolunteerStep | None = None,
) -> RehearsalPage:
    return RehearsalPage(
        action=action,
        login=login,
        csrf=make_token(web.cookie_keys, bound_to),
        school=school.id,
        school_name=school.name,
        new_login=LoginChoice(id=new.id, name=new.name, place=new.place),
        is_between=bool(login),
        finding=None if step is None else step.finding,
    )


def check_form(web: Web, request: Request, form: Parameters, *, bound_to: str) -> None:
    """Refuse a form that is not one of ours, for this browser.

    Raises:
        ForeignForm
    """
    if not bound_to:
        raise ForeignForm("check_form_cookie")
    check_own_form(
        request,
        cookie_keys=web.cookie_keys,
        bound_to=bound_to,
        token=only(form, "csrf"),
        issuer=web.issuer,
    )
