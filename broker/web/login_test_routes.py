"""A school tests its login: `/saml/sp/test`, for SAML and OpenID Connect alike."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.school_search import search_schools
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.login_tests.login_tests import LoginTestResult
from broker.web.begin import count_start, is_framed, show_new_tab
from broker.web.csrf import make_token
from broker.web.login_pages import LoginChoice
from broker.web.login_test_pages import LoginTestPage, LoginTestSearchPage, page_of
from broker.web.own_steps import OwnStep
from broker.web.pages import MAX_SCHOOLS_SHOWN
from broker.web.rehearsal_routes import FORM_BYTES, check_form
from broker.web.requests import only, read_form, read_query
from broker.web.responses import send_on, show
from broker.web.school_choice import choice_of
from broker.web.wiring import Web

TEST_PAGE = "/saml/sp/test"


def login_test_routes(web: Web) -> list[Route]:
    """Return the route of the test page."""

    async def begin(request: Request) -> Response:
        counted = count_start(web, request)
        form = await read_form(request, max_bytes=web.max_body_bytes)
        check_form(web, request, form, bound_to=web.cookies.read_form(request))
        begun = await web.login_tests.begin(
            only(form, "school"),
            unverified_idp=only(form, "idp"),
            unverified_supplier=only(form, "supplier"),
        )
        opened = begun.opened
        response = send_on(web, request, begun.leads_to)
        web.cookies.close_steps(request, response, OwnStep.LOGIN_TEST)
        web.cookies.open_step(
            response,
            OwnStep.LOGIN_TEST,
            opened.name,
            opened.handle.text,
            seconds=opened.ttl_seconds,
        )
        response.raw_headers.append(counted)
        return response

    async def test(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        if request.method == "POST":
            return await begin(request)
        query = read_query(request)
        school = only(query, "school")
        return (
            _show_school(web, request, school)
            if school
            else _search(web, request, only(query, "q"))
        )

    return [Route(TEST_PAGE, test, methods=["GET", "POST"])]


def find_held_login_test(web: Web, request: Request, state: str) -> BrowserStep | None:
    """Return the login test that this browser holds; None when it holds none."""
    handle = web.cookies.read_step(request, OwnStep.LOGIN_TEST, state)
    return BrowserStep(state, handle) if handle else None


def show_login_test(web: Web, request: Request, result: LoginTestResult) -> Response:
    """Return the page of what came of a login test."""
    response = show(web, request, page_of(result))
    web.cookies.close_steps(request, response, OwnStep.LOGIN_TEST)
    return response


def _show_school(web: Web, request: Request, unverified_school: str) -> Response:
    school, logins = web.login_tests.look(unverified_school)
    bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
    page = LoginTestPage(
        csrf=make_token(web.cookie_keys, bound_to),
        school=school.id,
        school_name=school.name,
        choices=tuple(LoginChoice(id=each.id, name=each.name, place=each.place) for each in logins),
        suppliers=tuple(
            (each.id, each.display_name) for each in web.login_tests.suppliers_of(school)
        ),
    )
    response = show(web, request, page, onward=True, again=True)
    web.cookies.bind_forms(response, bound_to)
    return response


def _search(web: Web, request: Request, query: str) -> Response:
    found = search_schools(web.snapshots.index, query, state=None)
    shown = found if len(found) <= MAX_SCHOOLS_SHOWN else ()
    page = LoginTestSearchPage(
        query=query, schools=tuple(map(choice_of, shown)), found_count=len(found)
    )
    return show(web, request, page, again=True)
