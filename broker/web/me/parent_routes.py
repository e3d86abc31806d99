"""A parent opens `/me` with the code of a letter. The code never stands in an address: a letter's
QR code holds it behind `#`, which browsers keep to themselves."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.flow.parents.parent_codes import CodeNotOpen
from broker.web.begin import count_start, is_framed, show_new_tab
from broker.web.csrf import make_token
from broker.web.me.me_arriving import ME
from broker.web.me.me_pages import ParentPage
from broker.web.rehearsal_routes import FORM_BYTES, check_form
from broker.web.requests import only, read_form
from broker.web.responses import redirect, show
from broker.web.wiring import Web

PARENT = "/me/parent"


def parent_routes(web: Web) -> list[Route]:
    """Return the route of the page that asks for the code."""

    async def ask(request: Request) -> Response:
        if request.method == "POST":
            return await enter(request)
        if is_framed(request):
            return show_new_tab(web, request)
        return _show(web, request)

    async def enter(request: Request) -> Response:
        counted = count_start(web, request)
        form = await read_form(request, max_bytes=web.max_body_bytes)
        check_form(web, request, form, bound_to=web.cookies.read_form(request))
        await web.me.visits.leave(web.cookies.read_me(request))
        try:
            session = await web.me.parents.enter(only(form, "code"))
        except CodeNotOpen as refused:
            response = _show(web, request, error=refused)
        else:
            opened = await web.me.visits.open(session)
            response = redirect(ME)
            web.cookies.open_me(response, opened.handle.text)
        response.raw_headers.append(counted)
        return response

    return [Route(PARENT, ask, methods=["GET", "POST"])]


def _show(web: Web, request: Request, *, error: CodeNotOpen | None = None) -> Response:
    bound_to = web.cookies.read_form(request) or web.random(FORM_BYTES).hex()
    page = ParentPage(
        csrf=make_token(web.cookie_keys, bound_to),
        what="" if error is None else error.what,
        remedy="" if error is None else error.remedy,
    )
    again = request.method == "GET"
    response = show(web, request, page, status=200 if error is None else 403, again=again)
    web.cookies.bind_forms(response, bound_to)
    return response
