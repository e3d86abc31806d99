"""What every demo supplier does with a login, whatever protocol brought it.

It keeps work in accounts (`broker.demo.accounts`), shows exactly what it received, and tells it to
programs at `/received.json`. A supplier with two systems keeps one book of work for both.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from broker.demo import pages
from broker.demo.accounts import Exercises as Exercises
from broker.demo.sessions import BrowserSessions
from broker.demo.start_scenarios import Text

HOME_TARGET = "/"
LEFT_TARGET = "/?left"
"""The home page for who logged out; the broker leads back with a `state` instead."""


@dataclass(frozen=True, slots=True)
class Received:
    """What one login brought, complete and unchanged.

    Attributes:
        subject: OIDC `sub` or SAML NameID: the pseudonym.
        claims: OIDC claims, or SAML attribute name -> list of values.
        protocol: `oidc` or `saml`.
        id_token: as it came, for logging out; "" where the protocol has none.
        name_id, session_index: the same of SAML, the first as pysaml2 has it.
    """

    subject: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    protocol: str
    id_token: str = field(default="", repr=False)
    name_id: Any = field(default=None, repr=False)
    session_index: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "claims": dict(self.claims), "protocol": self.protocol}


@dataclass(slots=True)
class SupplierSession:
    """One browser at one system of a supplier.

    Attributes:
        pending: logins under way, by OIDC `state` or SAML request id; several tabs at once.
        refused: why the last login did not succeed, as the protocol's error says it.
        target: the deep link that the last login asked for.
    """

    pending: dict[str, Any] = field(default_factory=dict, repr=False)
    received: Received | None = None
    refused: str | None = None
    target: str = HOME_TARGET


def safe_target(target: str) -> str:
    """Return the deep link when it is a path of our own, else the home page.

    >>> safe_target("/les/3?deel=2"), safe_target("https://evil.test/"), safe_target("//evil.test")
    ('/les/3?deel=2', '/', '/')
    """
    own = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if own else HOME_TARGET


class SupplierPages:
    """The pages of one system of a supplier.

    Args:
        system: slug; names the cookie and the look (up to its first hyphen).
        name: what people read.
        base_url: where the system is.
        exercises: the supplier's book of work, shared by all its systems.
        start_page: where the demo's start page is.
        log_out_elsewhere: the broker's page of logging out, where the protocol leads not there.
    """

    def __init__(
        self,
        system: str,
        *,
        name: str,
        tagline: Text,
        base_url: str,
        exercises: Exercises,
        start_page: str = HOME_TARGET,
        log_out_elsewhere: str = "",
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._look = system.partition("-")[0]
        self._tagline = tagline
        self._exercises = exercises
        self._start_page = start_page
        self._log_out_elsewhere = log_out_elsewhere
        self.find_logout: Callable[[Received], Awaitable[str]] = self._stay
        self.sessions: BrowserSessions[SupplierSession] = BrowserSessions(
            system.replace("-", "_"), base_url=base_url, empty=SupplierSession
        )

    def routes(self) -> list[BaseRoute]:
        """Return the routes that do not depend on the protocol."""
        return [
            Route("/", self.home),
            Route("/les/{number:int}", self.home),
            Route("/received.json", self.received_json),
            Route("/work", self.work, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            pages.STATIC,
        ]

    async def home(self, request: Request) -> Response:
        """Show what was received and the work that is kept under the pseudonym."""
        session = self.sessions.find(request)
        received = session.received if session else None
        if received is None and request.url.path != HOME_TARGET:
            return RedirectResponse(f"/login?target={request.url.path}", status_code=303)
        language = pages.choose_language(request)
        return pages.render_page(
            "supplier.html",
            party=self.name,
            kind="supplier",
            look=self._look,
            lang=language,
            start_page=self._start_page,
            tagline=self._tagline.in_language(language),
            received=received,
            is_left=not {"left", "state"}.isdisjoint(request.query_params),
            log_out_elsewhere=self._log_out_elsewhere,
            first_name=_first_name(received),
            exercises=self._exercises.count(received.subject) if received else 0,
            target=request.url.path if request.url.path != HOME_TARGET else "",
        )

    async def received_json(self, request: Request) -> Response:
        """Tell a program what this session received; 404 when nothing."""
        session = self.sessions.find(request)
        if session is None or session.received is None:
            reason = session.refused if session and session.refused else "nothing_received"
            return JSONResponse({"error": reason}, status_code=404, headers=NO_STORE)
        return JSONResponse(session.received.as_json(), headers=NO_STORE)

    async def work(self, request: Request) -> Response:
        """Make an exercise. The cookie's SameSite keeps other sites from doing it."""
        session = self.sessions.find(request)
        if session is not None and session.received is not None:
            self._exercises.add(session.received.subject)
        return RedirectResponse("/", status_code=303)

    async def log_out(self, request: Request) -> Response:
        """End this system's own session, and log out at the broker where the protocol can."""
        session = self.sessions.find(request)
        received = session.received if session else None
        to = LEFT_TARGET if received is None else await self.find_logout(received)
        answer = RedirectResponse(to, status_code=303)
        self.sessions.end(request, answer)
        return answer

    async def _stay(self, _received: Received) -> str:
        return LEFT_TARGET

    def forget_everybody(self) -> None:
        """Log out whoever is logged in, in any browser."""
        self.sessions.end_where(lambda _: True)

    def find_target(self, request: Request, name: str) -> str:
        """Return the deep link of a login: our own query's, or the broker's, which is a whole URL.

        Args:
            name: of the parameter by which the broker says it.
        """
        asked = request.query_params
        linked = asked.get(name, "").removeprefix(self._base_url)
        return safe_target(linked or asked.get("target", HOME_TARGET))

    def begin(self, request: Request, *, to: str, key: str, pending: Any) -> Response:
        """Send the browser away to log in, and remember `pending` in its session by `key`."""
        answer = RedirectResponse(to, status_code=303, headers=NO_STORE)
        session = self.sessions.find(request) or self.sessions.start(answer)
        session.pending[key] = pending
        return answer

    def finish(self, request: Request, received: Received, *, target: str) -> Response:
        """Accept a login: keep what it brought under a new session handle, go to its target."""
        self._exercises.arrive(received.subject, received.claims)
        answer = RedirectResponse(safe_target(target), status_code=303, headers=NO_STORE)
        before = self.sessions.find(request) or SupplierSession()
        session = SupplierSession(pending=before.pending, received=received, target=target)
        self.sessions.renew(answer, session, replaces=request)
        return answer

    def refuse(self, request: Request, *, reason: str, target: str = HOME_TARGET) -> Response:
        """Tell that the login did not succeed, with a way to try again."""
        session = self.sessions.find(request)
        if session is not None:
            session.received = None
            session.refused = reason
        again = "/login" if target == HOME_TARGET else f"/login?target={safe_target(target)}"
        return pages.render_page(
            "refused.html",
            status=403,
            party=self.name,
            kind="supplier",
            look=self._look,
            lang=pages.choose_language(request),
            start_page=self._start_page,
            reason=reason,
            again=again,
        )

    def unavailable(self, request: Request) -> Response:
        """Tell that the broker cannot be reached."""
        language = pages.choose_language(request)
        title = Text("Inloggen kan even niet", "You cannot log in for a moment")
        text = Text("De inlogdienst antwoordt niet.", "The login service does not answer.")
        return pages.render_notice(
            party=self.name,
            kind="supplier",
            look=self._look,
            title=title.in_language(language),
            text=text.in_language(language),
            lang=language,
            status=503,
            again="/login",
        )


NO_STORE = {"Cache-Control": "no-store"}


def _first_name(received: Received | None) -> str | None:
    if received is None:
        return None
    for name in ("given_name", "givenName"):
        stated = received.claims.get(name)
        if stated:
            return str(stated[0] if isinstance(stated, list) else stated)
    return None
