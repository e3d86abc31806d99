"""Our cookies: which there are, what each holds, and how each is bound to this host.

| name | holds | lives | SameSite |
|---|---|---|---|
| `login.<state>` | handle of one step of one login | until the step is taken | None (Lax on http) |
| `school` | id of the school chosen last | a setting | Lax |
| `lang` | `nl` or `en` | a year | Lax |
| `starts` | when the first of the last starts was, and how many | a minute | Lax |

All are HttpOnly; on https all are Secure and begin with `__Host-`. The login's cookie must survive
the school's cross-site post, hence None; forms of our own carry a token besides (`csrf.py`).
On loopback http a browser would drop SameSite=None without Secure; there Lax does, since a port
is no part of a site.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from broker.flow.answers import LoginCookie

LANGUAGE_SECONDS = 365 * 24 * 60 * 60
STARTS_SECONDS = 60
MAX_LOGINS_AT_ONCE = 12
"""A browser that opens more tabs than this loses the cookies of some that it left."""

STATE_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_LOGIN = "login."


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
        return request.cookies.get(self._name(name), "")

    def read_login(self, request: Request, state: str) -> str:
        """Return the handle that this browser holds for a login, or ""."""
        if not STATE_PATTERN.match(state):
            return ""
        return self.read(request, _LOGIN + state)

    def open_login(self, response: Response, cookie: LoginCookie) -> None:
        """Bind one step of a login to this browser."""
        self._set(
            response,
            _LOGIN + cookie.name,
            cookie.handle.text,
            seconds=cookie.ttl_seconds,
            cross_site=True,
        )

    def close_login(self, response: Response, state: str) -> None:
        """Forget a step that was taken."""
        self._set(response, _LOGIN + state, "", seconds=0, cross_site=True)

    def close_left_logins(self, request: Request, response: Response) -> None:
        """Forget what is too much, so that headers stay small in a browser with many tabs."""
        prefix = self._name(_LOGIN)
        held = [each for each in request.cookies if each.startswith(prefix)]
        for name in held[: max(0, len(held) - MAX_LOGINS_AT_ONCE)]:
            state = name.removeprefix(prefix)
            if STATE_PATTERN.match(state):
                self.close_login(response, state)

    def remember_school(self, response: Response, school: str) -> None:
        """Remember the choice in this browser; an empty one forgets it."""
        seconds = self.remembered_school_seconds if school else 0
        self._set(response, "school", school, seconds=seconds)

    def remember_language(self, response: Response, language: str) -> None:
        """Remember the language that was asked for."""
        self._set(response, "lang", language, seconds=LANGUAGE_SECONDS)

    def count_starts(self, request: Request, response: Response, *, now_seconds: int) -> int:
        """Count this start of a login and return how many there were within a minute."""
        first, count = _read_starts(self.read(request, "starts"), now_seconds=now_seconds)
        self._set(response, "starts", f"{first}-{count + 1}", seconds=STARTS_SECONDS)
        return count + 1

    def _set(
        self, response: Response, name: str, value: str, *, seconds: int, cross_site: bool = False
    ) -> None:
        response.set_cookie(
            self._name(name),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="none" if cross_site and self.secure else "lax",
        )


def _read_starts(value: str, *, now_seconds: int) -> tuple[int, int]:
    """Return when the window began and how many starts it held; a window lasts a minute."""
    match = re.fullmatch(r"([0-9]{1,12})-([0-9]{1,4})", value)
    if match is None or not 0 <= now_seconds - int(match[1]) < STARTS_SECONDS:
        return now_seconds, 0
    return int(match[1]), int(match[2])
