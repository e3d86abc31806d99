"""Through which every request to the console comes in, and every page of it goes out.

A page is for somebody who is logged in (`enter`), in a tab of its own, and offers what they may do.
A form is one of ours, of this very session (`read_own_form`): its token hangs on the session's
handle, so neither another site nor another person's page can send it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from broker.flow.audit import make_reference, note_refusal
from broker.flow.console.actors import Actor, check_may_sign
from broker.flow.console.at_work import AtWork
from broker.flow.console.console_refusals import LevelNeeded
from broker.flow.console.console_sessions import SignedOut
from broker.flow.console.session_record import ConsoleSession
from broker.web.begin import is_framed, show_new_tab
from broker.web.console.navigation import Shown, find_entries
from broker.web.csrf import check_own_form, make_token
from broker.web.pages import Frame, Page
from broker.web.requests import Parameters, only, read_form
from broker.web.responses import redirect, show
from broker.web.uploads import Upload, read_upload
from broker.web.wiring import Web

SIGN_IN, STEP_UP = "/console/sign-in", "/console/step-up"

Answer = Callable[[Request, "Seat"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at work in the console, with one request.

    Attributes:
        csrf: token of every form on a page of this session.
        first_name: as the login stated it, or "".
    """

    actor: Actor
    session: ConsoleSession
    csrf: str = field(repr=False)
    handle: str = field(repr=False)

    @property
    def first_name(self) -> str:
        """Return how to greet; "" when the login does not say."""
        return self.session.first_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFrame(Frame):
    """What stands around every page of the console."""

    entries: tuple[Shown, ...] = ()
    csrf: str = field(default="", repr=False)
    first_name: str = field(default="", repr=False)


class SignInFirst(Exception):  # noqa: N818 -- said of a browser, not an error
    """Nobody is logged in in this browser: to the sign-in, and back here."""


async def enter(web: Web, request: Request) -> Seat:
    """Return who is at work in this browser.

    Raises:
        SignInFirst: nobody, and a page was asked for; `console_route` sends the browser there.
        SignedOut: nobody, and something was to be done.
        StoreUnavailable, RegistryUnreadable
    """
    found = await web.console.desk.find(web.cookies.read_console(request))
    if found is not None:
        return _seat(web, found)
    if request.method == "POST":
        raise SignedOut("check_console_session")
    raise SignInFirst


def console_route(
    web: Web, path: str, answer: Answer, *, methods: Sequence[str] = ("GET",)
) -> Route:
    """Return the route of a page, whose `answer` is given the request and who is at work."""

    async def door(request: Request) -> Response:
        if is_framed(request):
            return show_new_tab(web, request)
        try:
            seat = await enter(web, request)
        except SignInFirst:
            return redirect(f"{SIGN_IN}?{urlencode({'back': _place(request)})}")
        try:
            return await answer(request, seat)
        except LevelNeeded as refusal:
            return _to_step_up(web, request, refusal)

    return Route(path, door, methods=list(methods))


async def read_own_form(
    web: Web, request: Request, seat: Seat, *, max_bytes: int | None = None
) -> Parameters:
    """Return the fields of a form of ours, sent from a page of this session.

    Args:
        max_bytes: of the whole form; the setting for every form when None.

    Raises:
        ForeignForm, RequestUnreadable, RequestTooLarge
    """
    form = await read_form(request, max_bytes=max_bytes or web.max_body_bytes)
    check_own_form(
        request,
        cookie_keys=web.cookie_keys,
        bound_to=seat.handle,
        token=only(form, "csrf"),
        issuer=web.issuer,
    )
    return form


async def read_own_upload(web: Web, request: Request, seat: Seat, *, max_file_bytes: int) -> Upload:
    """Return the fields and files of a form of ours, sent from a page of this session.

    Args:
        max_file_bytes: of all its files together.

    Raises:
        ForeignForm, RequestUnreadable, RequestTooLarge
    """
    upload = await read_upload(request, max_file_bytes=max_file_bytes)
    check_own_form(
        request,
        cookie_keys=web.cookie_keys,
        bound_to=seat.handle,
        token=only(upload.fields, "csrf"),
        issuer=web.issuer,
    )
    return upload


def require_level(web: Web, seat: Seat) -> None:
    """Refuse to show what signs to somebody whose login is not sure or not new enough.

    A page before the signing calls this, and so does the flow that signs; the browser is then sent
    to log in once more, and back to the page.

    Raises:
        LevelNeeded
    """
    check_may_sign(seat.actor, now=web.clock())


def show_console(
    web: Web, request: Request, seat: Seat, page: Page, *, status: int = 200, onward: bool = False
) -> Response:
    """Return a page of the console; `onward`: it has a form that leads to a school's login."""
    frame = ConsoleFrame(
        entries=find_entries(seat.actor, path=request.scope["path"]),
        csrf=seat.csrf,
        first_name=seat.first_name,
    )
    again = request.method == "GET"
    return show(web, request, page, status=status, onward=onward, again=again, around=frame)


def _seat(web: Web, found: AtWork) -> Seat:
    csrf = make_token(web.cookie_keys, found.handle)
    return Seat(found.actor, found.session, csrf, found.handle)


def _to_step_up(web: Web, request: Request, refusal: LevelNeeded) -> Response:
    """Send somebody to log in once more, and back to the page that wants it."""
    note_refusal(web.audit, refusal, reference=make_reference(web.random))
    came_from = urlsplit(request.headers.get("referer", ""))
    back = _place(request)
    if request.method == "POST":  # the page whose form it was; browsers tell it to our own pages
        back = f"{came_from.path}{'?' if came_from.query else ''}{came_from.query}"
    return redirect(f"{STEP_UP}?{urlencode({'back': back})}")


def _place(request: Request) -> str:
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    return f"{path}{'?' if query else ''}{query}"
