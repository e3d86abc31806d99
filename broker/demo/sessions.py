"""What a demo party remembers of a browser: in memory, gone when the party stops."""

import secrets
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

T = TypeVar("T")

HANDLE_BYTES = 32
REMEMBERED_AT_MOST = 10_000  # the oldest goes first


class Kept(Generic[T]):
    """Values behind random handles, bounded in number."""

    def __init__(self) -> None:
        self._values: dict[str, T] = {}

    def put(self, value: T) -> str:
        """Keep `value` and return its new handle, 43 characters of base64url."""
        while len(self._values) >= REMEMBERED_AT_MOST:
            del self._values[next(iter(self._values))]
        handle = secrets.token_urlsafe(HANDLE_BYTES)
        self._values[handle] = value
        return handle

    def find(self, handle: str) -> T | None:
        """Return what was kept, or None."""
        return self._values.get(handle)

    def end_where(self, is_meant: Callable[[T], bool]) -> int:
        """Forget every value that is meant, and return how many there were."""
        meant = [handle for handle, value in self._values.items() if is_meant(value)]
        for handle in meant:
            del self._values[handle]
        return len(meant)

    def take(self, handle: str) -> T | None:
        """Return what was kept and forget it, or None."""
        return self._values.pop(handle, None)


class BrowserSessions(Generic[T]):
    """Sessions in a cookie of the party's own name: localhost shares cookies between ports.

    Args:
        party: gives the cookie its name.
        base_url: on https the cookie is `Secure` and `SameSite=None`, because a SAML answer is a
            POST from another site.
        empty: makes the session of a browser that comes for the first time.
    """

    def __init__(self, party: str, *, base_url: str, empty: Callable[[], T]) -> None:
        self.cookie_name = f"{party}_session"
        self._secure = base_url.startswith("https://")
        self._empty = empty
        self._kept: Kept[T] = Kept()

    def find(self, request: Request) -> T | None:
        """Return the browser's session, or None."""
        return self._kept.find(request.cookies.get(self.cookie_name, ""))

    def start(self, response: Response) -> T:
        """Begin a new session, set its cookie on `response` and return it."""
        session = self._empty()
        self.renew(response, session)
        return session

    def renew(self, response: Response, session: T, *, replaces: Request | None = None) -> None:
        """Give `session` a new handle; the handle in the cookie of `replaces` no longer works."""
        if replaces is not None:
            self._kept.take(replaces.cookies.get(self.cookie_name, ""))
        response.set_cookie(
            self.cookie_name,
            self._kept.put(session),
            httponly=True,
            secure=self._secure,
            samesite="none" if self._secure else "lax",
        )

    def end(self, request: Request, response: Response) -> None:
        """Forget the browser."""
        self._kept.take(request.cookies.get(self.cookie_name, ""))
        response.delete_cookie(self.cookie_name)

    def end_where(self, is_meant: Callable[[T], bool]) -> int:
        """End every session that is meant, whoever's browser it is in."""
        return self._kept.end_where(is_meant)
