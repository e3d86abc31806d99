"""Our cookies: which there are, what each holds, and how each is bound to this host.

| name | holds | lives | SameSite |
|---|---|---|---|
| `login.<state>` | `<handle>.<relying party>.<second>` | until the step is done | None, or Lax |
| `rehearsal.<state>` and others of `OwnStep` | `<handle>` | until the step is done | None, or Lax |
| `logout.<state>` | `<handle>` | half an hour | None, or Lax |
| `session` | `<handle>`: logs in at the next supplier | until the browser closes | Lax |
| `session.<name>` | `<handle>.<second>`: finds where a session is logged in | the same | Lax |
| `console` | `<handle>`: who is logged in to the console | until the browser closes | Lax |
| `me` | `<handle>`: who looks at what was shared | until the browser closes | Lax |
| `school` | id of the school chosen last | a setting | Lax |
| `idp` | id of the login chosen last, of a school with several | a setting | Lax |
| `lang` | `nl` or `en` | a year | None, or Lax |
| `wished` | the same, as a supplier wished it for a login | 30 minutes | None, or Lax |
| `again` | `1`: a person of several schools wishes to say anew for which one | ten minutes | Lax |
| `start` | `<relying party>.<school>.<target>` of an opened link | 30 minutes | None, or Lax |
| `announced` | `<login>.<school>` that an ELO announced | 8 hours | Lax |
| `starts`, `ends` | when the first of the last logins, logouts was, and how many | a minute | Lax |
| `form` | random; binds the forms of a chooser that was opened without a login | a day | Lax |

All are HttpOnly; on https all are Secure and begin with `__Host-`. The login's cookie must survive
the school's cross-site post, hence None, as must the language chosen or wished for it and the link
that began it; forms of our own carry a token besides (`csrf.py`).
Beside a step's handle it says where the login began: when the step is lost, a page leads there;
and when the step did, so that of too many the oldest goes.
A session gets new cookies at each login. The one without name is the newest session; the named ones
are all that this browser began, for a logout must find what two tabs began side by side, and a
school's cross-site post does not show what was there before.
On loopback http a browser would drop SameSite=None without Secure; there Lax does, since a port
is no part of a site.

A name that arrives twice has no value: on http another port or path of this host could have set
the second one, and nobody can tell which is ours. Every value is one that we made and holds no
character that a cookie would quote (RFC 6265 4.1.1).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.answers import BrowserSession, LoginCookie
from broker.web.headers import Header
from broker.web.kept_hints import (
    NOTHING_ANNOUNCED,
    KeptAnnouncement,
    KeptStart,
    count_again,
    read_kept_announcement,
    read_kept_start,
)
from broker.web.own_steps import OwnStep
from broker.web.received_cookies import read_cookies

LANGUAGE_SECONDS = 365 * 24 * 60 * 60
WISHED_SECONDS = 30 * 60  # as long as a login may take
STARTS_SECONDS = 60
START_SECONDS = 30 * 60
ANNOUNCED_SECONDS = 8 * 60 * 60  # a school day
AGAIN_SECONDS = 10 * 60
FORM_SECONDS = 24 * 60 * 60
MAX_LOGINS_AT_ONCE = 12
"""A browser that opens more tabs than this loses the cookies of those that it left longest ago."""

MAX_LOGOUTS_AT_ONCE = 4
MAX_SESSIONS = 8
"""Begun in one browser; the one begun longest ago is not found by a logout any more."""

STATE_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}\Z")
FORM_PATTERN = re.compile(r"[0-9a-f]{32}\Z")
LOGIN_PATTERN = re.compile(
    r"(?P<handle>[A-Za-z0-9_-]{43}[a-z]?)"
    r"\.(?P<relying_party>[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)"
    r"\.(?P<opened>[0-9]{1,12})\Z"
)
_LOGIN = "login."
_SESSION = "session."
_LOGOUT = "logout."
STANDING_PATTERN = re.compile(r"(?P<handle>[A-Za-z0-9_-]{43}[a-z]?)\.(?P<begun>[0-9]{1,12})\Z")
HANDLE_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}[a-z]?\Z")


@dataclass(frozen=True, slots=True)
class HeldLogin:
    """What a browser shows of one step.

    Attributes:
        unverified_relying_party: where the login began, the browser says; good for a look-up of
            the way back and for nothing else.
    """

    handle: str = field(repr=False)
    unverified_relying_party: str


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and sets our cookies.

    Attributes:
        secure: whether the issuer is https.
        remembered_school_seconds: how long a choice is remembered.
    """

    secure: bool
    remembered_school_seconds: int

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.secure else name

    def read(self, request: Request, name: str) -> str:
        """Return the value of one of our cookies, or ""."""
        return read_cookies(request).get(self._name(name), "")

    def _read_handle(self, request: Request, name: str) -> str:
        value = self.read(request, name)
        return value if HANDLE_PATTERN.match(value) else ""

    def read_login(self, request: Request, state: str) -> HeldLogin | None:
        """Return what this browser holds for a login, or None when that is nothing that we set."""
        if not STATE_PATTERN.match(state):
            return None
        match = LOGIN_PATTERN.match(self.read(request, _LOGIN + state))
        return None if match is None else HeldLogin(match["handle"], match["relying_party"])

    def open_login(self, response: Response, cookie: LoginCookie, *, now_seconds: int) -> None:
        """Bind one step of a login to this browser; `now_seconds` since 1970."""
        response.raw_headers.append(
            self._header(
                _LOGIN + cookie.name,
                f"{cookie.handle.text}.{cookie.relying_party}.{now_seconds}",
                seconds=cookie.ttl_seconds,
                cross_site=True,
            )
        )

    def close_login(self, response: Response, state: str) -> None:
        """Forget a step that was taken."""
        response.raw_headers.append(self._header(_LOGIN + state, "", seconds=0, cross_site=True))

    def read_step(self, request: Request, kind: OwnStep, state: str) -> str:
        """Return the handle that this browser holds for a step of a kind, or ""."""
        return self._read_handle(request, kind + state) if STATE_PATTERN.match(state) else ""

    def open_step(
        self, response: Response, kind: OwnStep, name: str, handle: str, *, seconds: int
    ) -> None:
        """Bind one step to this browser."""
        response.raw_headers.append(
            self._header(kind + name, handle, seconds=seconds, cross_site=True)
        )

    def close_steps(self, request: Request, response: Response, kind: OwnStep) -> None:
        """Forget every step of a kind: one at a time is enough."""
        self._forget(response, kind, self._steps(request, kind))

    def _steps(self, request: Request, kind: str) -> list[str]:
        prefix = self._name(kind)
        named = (
            each.removeprefix(prefix) for each in read_cookies(request) if each.startswith(prefix)
        )
        return [each for each in named if STATE_PATTERN.match(each)]

    def _forget(self, response: Response, kind: str, states: Sequence[str]) -> None:
        for each in states:
            response.raw_headers.append(self._header(kind + each, "", seconds=0, cross_site=True))

    def count_logins(self, request: Request) -> int:
        """Return how many steps this browser holds."""
        return len(self._oldest_first(request))

    def _oldest_first(self, request: Request) -> list[str]:
        """Return the states of all cookies named as a login's; first those that we did not set.

        Of one second they stay as they came: browsers send older cookies first (RFC 6265 5.4).
        """
        prefix = self._name(_LOGIN)
        opened: list[tuple[int, str]] = []
        for name, value in read_cookies(request).items():
            state = name.removeprefix(prefix)
            if name.startswith(prefix) and STATE_PATTERN.match(state):
                match = LOGIN_PATTERN.match(value)
                opened.append((-1 if match is None else int(match["opened"]), state))
        opened.sort(key=lambda each: each[0])
        return [state for _, state in opened]

    def close_left_logins(self, request: Request, response: Response) -> None:
        """Forget what is too much, so that headers stay small in a browser with many tabs."""
        held = self._oldest_first(request)
        for state in held[: max(0, len(held) - MAX_LOGINS_AT_ONCE)]:
            self.close_login(response, state)

    def read_logout(self, request: Request, state: str) -> str:
        """Return the handle that this browser holds for a logout, or ""."""
        return self._read_handle(request, _LOGOUT + state) if STATE_PATTERN.match(state) else ""

    def read_logouts(self, request: Request) -> list[tuple[str, str]]:
        """Return state and handle of each logout that this browser holds."""
        return [(each, self.read_logout(request, each)) for each in self._steps(request, _LOGOUT)]

    def open_logout(
        self, request: Request, response: Response, name: str, handle: str, *, seconds: int
    ) -> None:
        """Bind a logout to this browser; of too many, those of before are forgotten.

        Any page can send a browser here until its headers are too large for us.
        """
        held = self._steps(request, _LOGOUT)
        if len(held) >= MAX_LOGOUTS_AT_ONCE:
            self._forget(response, _LOGOUT, held)
        header = self._header(_LOGOUT + name, handle, seconds=seconds, cross_site=True)
        response.raw_headers.append(header)

    def read_session(self, request: Request) -> str:
        """Return the handle of this browser's newest session, or ""."""
        return self._read_handle(request, "session")

    def read_standings(self, request: Request) -> list[str]:
        """Return by what each session is found that this browser began, the newest first.

        No more than we let a browser hold: each costs a look-up of every relying party.
        """
        return [handle for _, _, handle in self._sessions(request)[:MAX_SESSIONS]]

    def open_session(
        self, request: Request, response: Response, session: BrowserSession, *, now_seconds: int
    ) -> None:
        """Give this browser a new session, until it closes; `now_seconds` since 1970."""
        for _, name, _ in self._sessions(request)[MAX_SESSIONS - 1 :]:
            response.raw_headers.append(self._header(_SESSION + name, "", seconds=0))
        value = f"{session.standing.text}.{now_seconds}"
        response.raw_headers.append(self._header("session", session.handle.text, seconds=None))
        response.raw_headers.append(self._header(_SESSION + session.name, value, seconds=None))

    def leave_session(self, response: Response) -> None:
        """Let nobody go on by the newest session; a logout still finds where it was used."""
        response.raw_headers.append(self._header("session", "", seconds=0))

    def close_sessions(self, request: Request, response: Response) -> None:
        """Forget every session."""
        self.leave_session(response)
        for _, name, _ in self._sessions(request):
            response.raw_headers.append(self._header(_SESSION + name, "", seconds=0))

    def _sessions(self, request: Request) -> list[tuple[int, str, str]]:
        """Return second, name and handle of each session, the newest first."""
        prefix = self._name(_SESSION)
        found = []
        for cookie, value in read_cookies(request).items():
            name, match = cookie.removeprefix(prefix), STANDING_PATTERN.match(value)
            if cookie.startswith(prefix) and STATE_PATTERN.match(name) and match is not None:
                found.append((int(match["begun"]), name, match["handle"]))
        return sorted(found, reverse=True)

    def read_console(self, request: Request) -> str:
        """Return the handle of this browser's session in the console, or ""."""
        return self._read_handle(request, "console")

    def open_console(self, response: Response, handle: str) -> None:
        """Give this browser a session in the console, until it closes; an empty one ends it."""
        response.raw_headers.append(self._header("console", handle, seconds=None if handle else 0))

    def read_me(self, request: Request) -> str:
        """Return the handle of this browser's session at `/me`, or ""."""
        return self._read_handle(request, "me")

    def open_me(self, response: Response, handle: str) -> None:
        """Give this browser a session at `/me`, until it closes; an empty one ends it."""
        response.raw_headers.append(self._header("me", handle, seconds=None if handle else 0))

    def remember_school(self, response: Response, school: str) -> None:
        """Remember the choice in this browser; an empty one forgets it."""
        seconds = self.remembered_school_seconds if school else 0
        response.raw_headers.append(self._header("school", school, seconds=seconds))

    def remember_idp(self, response: Response, idp: str) -> None:
        """Remember which login of a school was chosen; an empty one forgets it."""
        seconds = self.remembered_school_seconds if idp else 0
        response.raw_headers.append(self._header("idp", idp, seconds=seconds))

    def choose_again(self, response: Response, *, wish: bool) -> None:
        """Note that somebody of several schools wishes to say anew for which one a login is."""
        seconds = AGAIN_SECONDS if wish else 0
        response.raw_headers.append(self._header("again", "1" if wish else "", seconds=seconds))

    def remember_language(self, response: Response, language: str) -> None:
        """Remember the language that was asked for, also where a school's post leads."""
        header = self._header("lang", language, seconds=LANGUAGE_SECONDS, cross_site=True)
        response.raw_headers.append(header)

    def wish_language(self, request: Request, language: str) -> Sequence[Header]:
        """Return what lets a supplier's wish hold for one login; an empty one ends it.

        It must survive the school's cross-site post, as the login's own cookie.
        """
        if not (language or self.read(request, "wished")):
            return ()
        seconds = WISHED_SECONDS if language else 0
        return (self._header("wished", language, seconds=seconds, cross_site=True),)

    def read_start(self, request: Request) -> KeptStart:
        """Return the link that this browser opened last, within half an hour."""
        return read_kept_start(self.read(request, "start"))

    def keep_start(self, start: KeptStart) -> Header:
        """Return what keeps the link that began a login until it is done."""
        return self._header("start", start.write(), seconds=START_SECONDS, cross_site=True)

    def read_announced(self, request: Request) -> KeptAnnouncement:
        """Return which school was announced to this browser today."""
        return read_kept_announcement(self.read(request, "announced"))

    def keep_announced(self, response: Response, announced: KeptAnnouncement) -> None:
        """Remember an announcement for a school day; nothing announced forgets it."""
        nothing = announced == NOTHING_ANNOUNCED
        value, seconds = ("", 0) if nothing else (announced.write(), ANNOUNCED_SECONDS)
        response.raw_headers.append(self._header("announced", value, seconds=seconds))

    def read_form(self, request: Request) -> str:
        """Return what forms without a login are bound to in this browser, or ""."""
        value = self.read(request, "form")
        return value if FORM_PATTERN.match(value) else ""

    def bind_forms(self, response: Response, value: str) -> None:
        """Bind forms without a login to this browser; `value` is 32 hex digits."""
        response.raw_headers.append(self._header("form", value, seconds=FORM_SECONDS))

    def count_starts(self, request: Request, *, now_seconds: int) -> tuple[int, Header]:
        """Count this start of a login: how many there were within a minute, and the cookie."""
        count, value = count_again(self.read(request, "starts"), now_seconds, STARTS_SECONDS)
        return count, self._header("starts", value, seconds=STARTS_SECONDS)

    def count_ends(self, request: Request, *, now_seconds: int) -> tuple[int, Header]:
        """Count the same of logouts, apart: who goes round in logins must be able to log out."""
        count, value = count_again(self.read(request, "ends"), now_seconds, STARTS_SECONDS)
        return count, self._header("ends", value, seconds=STARTS_SECONDS)

    def _header(
        self, name: str, value: str, *, seconds: int | None, cross_site: bool = False
    ) -> Header:
        """Return a cookie; without `seconds` it is gone when the browser closes (RFC 6265 5.3)."""
        secure = "; Secure" if self.secure else ""
        same_site = "None" if cross_site and self.secure else "Lax"
        lasts = "" if seconds is None else f" Max-Age={seconds};"
        cookie = f"{self._name(name)}={value};{lasts} Path=/; HttpOnly{secure}"
        return b"set-cookie", f"{cookie}; SameSite={same_site}".encode("ascii")
