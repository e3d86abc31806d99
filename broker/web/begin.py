"""Beginning a login or logout, for every protocol: in a tab of its own, and not in circles."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.domain.refusals import Refusal, WhoseTask
from broker.web.cookies import MAX_LOGINS_AT_ONCE
from broker.web.headers import Header
from broker.web.pages import NewTabPage
from broker.web.responses import show
from broker.web.wiring import Web

MAX_STARTS_A_MINUTE = 20
"""Of one browser: a supplier that sends a pupil back at once would otherwise do so for ever."""

MAX_LOGINS_FOR_A_FRAME = MAX_LOGINS_AT_ONCE // 2
"""A login without a page may be in a frame that nobody sees, so it never pushes out another one."""

Endpoint = Callable[[Request], Awaitable[Response]]

_DOCUMENT = "document"
_FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})


class GoingInCircles(Refusal):
    """This browser began too many logins within a minute."""

    code = "E-HTTP-4"
    whose_task = WhoseTask.SUPPLIER
    what = "Your browser is going round in circles between us and your learning material."
    remedy = "Close this page, wait a minute and open your learning material again."
    http_status = 429


class NoNavigation(Refusal):
    """A picture, script or fetch of some page asked for a login; nobody would see it."""

    code = "E-HTTP-7"
    whose_task = WhoseTask.SUPPLIER
    what = "A page tried to begin a login that you would not see, so we did nothing."
    remedy = "Open your learning material in a tab of its own."
    http_status = 403


def check_destination(request: Request) -> None:
    """Refuse what a browser does not fetch to show it (Fetch Metadata 2.1, Sec-Fetch-Dest).

    Any page can hold pictures with our address. Each would begin a login in the visitor's browser
    and push out the cookies of those under way.

    Raises:
        NoNavigation: it is for no tab and no frame. Who does not say what it is for may go on.
    """
    destination = request.headers.get("sec-fetch-dest", _DOCUMENT)
    if destination != _DOCUMENT and destination not in _FRAMES:
        raise NoNavigation("check_destination")


def check_room_for_frame(web: Web, request: Request) -> None:
    """Refuse a login in a frame where many are under way.

    A frame of another site does not even show the cookie that counts starts (SameSite).

    Raises:
        GoingInCircles: nothing more may begin in frames until some of those are done.
    """
    if web.cookies.count_logins(request) >= MAX_LOGINS_FOR_A_FRAME:
        raise GoingInCircles("check_room_for_frame")


def count_start(web: Web, request: Request) -> Header:
    """Count a supplier's request, also one that will be refused; return the cookie that counts.

    Raises:
        GoingInCircles: this browser brought too many.
    """
    starts, cookie = web.cookies.count_starts(request, now_seconds=int(web.clock().timestamp()))
    if starts > MAX_STARTS_A_MINUTE:
        raise GoingInCircles("check_starts_a_minute")
    return cookie


def count_end(web: Web, request: Request) -> Header:
    """Count a logout that begins, as `count_start` counts logins: each leaves a record for a while.

    Raises:
        GoingInCircles: this browser began too many.
    """
    ends, cookie = web.cookies.count_ends(request, now_seconds=int(web.clock().timestamp()))
    if ends > MAX_STARTS_A_MINUTE:
        raise GoingInCircles("check_ends_a_minute")
    return cookie


def step_route(path: str, endpoint: Endpoint, *, methods: Sequence[str]) -> Route:
    """Return a route on which a GET takes a step: HEAD, which asks for none, is refused."""
    route = Route(path, endpoint, methods=methods)
    (route.methods or set()).discard("HEAD")
    return route


def is_framed(request: Request) -> bool:
    """Tell whether this page would be shown inside another (Fetch metadata)."""
    return request.headers.get("sec-fetch-dest", "") in _FRAMES


def show_new_tab(web: Web, request: Request) -> Response:
    """Offer to open this same address in a tab of its own; a form that was posted is lost."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    page = NewTabPage(url=f"{path}{'?' if query else ''}{query}")
    return show(web, request, page, framed=True)
