"""Through which every request to a session at `/me` comes in, and every page of it goes out."""

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.me.me_views import Visit
from broker.web.csrf import check_own_form, make_token
from broker.web.me.me_arriving import ME
from broker.web.pages import Page
from broker.web.requests import Parameters, only, read_form
from broker.web.responses import show
from broker.web.wiring import Web


async def find_visit(web: Web, request: Request) -> Visit:
    """Return who looks in this browser.

    Raises:
        MeClosed: nobody.
        StoreUnavailable
    """
    return await web.me.visits.find(web.cookies.read_me(request))


async def read_own_form(web: Web, request: Request) -> tuple[Visit, Parameters]:
    """Return who looks, and the fields of a form of ours that a page of this session sent.

    Raises:
        MeClosed: the session ended, or another one began: nothing is done in another's name.
        ForeignForm, RequestUnreadable, RequestTooLarge
    """
    visit = await find_visit(web, request)
    form = await read_form(request, max_bytes=web.max_body_bytes)
    check_own_form(
        request,
        cookie_keys=web.cookie_keys,
        bound_to=web.cookies.read_me(request),
        token=only(form, "csrf"),
        issuer=web.issuer,
    )
    return visit, form


def token_of(web: Web, request: Request) -> str:
    """Return the token of the forms on a page of this session."""
    return make_token(web.cookie_keys, web.cookies.read_me(request))


def show_own(
    web: Web,
    request: Request,
    visit: Visit,
    page: Page,
    *,
    status: int = 200,
    onward: bool = False,
) -> Response:
    """Return a page that leaves the screen by itself when its session ends."""
    response = show(web, request, page, status=status, again=request.method == "GET", onward=onward)
    response.headers["refresh"] = f"{visit.seconds_left + 1};url={ME}"
    return response


def send_file(body: bytes, *, name: str, media_type: str) -> Response:
    """Return a file to save; its name names nobody."""
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}"',
    }
    return Response(body, headers=headers, media_type=media_type)
