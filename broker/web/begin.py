"""Beginning a login, the same for every protocol: not in a frame, and not in circles."""

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.records import SupplierRequest
from broker.web.pages import NewTabPage
from broker.web.responses import answer, show
from broker.web.wiring import Web

MAX_STARTS_A_MINUTE = 20
"""Of one browser: a supplier that sends a pupil back at once would otherwise do so for ever."""

_FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})


class GoingInCircles(Refusal):
    """This browser began too many logins within a minute."""

    code = "E-HTTP-4"
    whose_task = WhoseTask.SUPPLIER
    what = "Your browser is going round in circles between us and your learning material."
    remedy = "Close this page, wait a minute and open your learning material again."
    http_status = 429


async def begin(web: Web, request: Request, checked: SupplierRequest) -> Response:
    """Begin the login that a checked request asks for."""
    counted = Response()
    starts = web.cookies.count_starts(request, counted, now_seconds=int(web.clock().timestamp()))
    if starts > MAX_STARTS_A_MINUTE:
        raise GoingInCircles("check_starts_a_minute")
    response = answer(web, request, await web.login.begin(checked))
    response.raw_headers.extend(
        header for header in counted.raw_headers if header[0] == b"set-cookie"
    )
    return response


def is_framed(request: Request) -> bool:
    """Tell whether this page would be shown inside another (Fetch metadata)."""
    return request.headers.get("sec-fetch-dest", "") in _FRAMES


def show_new_tab(web: Web, request: Request) -> Response:
    """Offer to open this same address in a tab of its own; a form that was posted is lost."""
    query = request.url.query
    page = NewTabPage(url=f"{request.url.path}{'?' if query else ''}{query}")
    return show(web, request, page, framed=True)
