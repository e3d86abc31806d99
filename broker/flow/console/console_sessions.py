"""Sessions of the console: sealed in the login store, opened by the handle in the browser's cookie.

A session says who logged in, where and how surely, and nothing of what they may: roles are read
anew for every request, so one that is withdrawn is gone at once. It ends after some idle minutes,
after some hours in all, and when somebody signs out. Every login makes a new one under a new
handle; what was in the browser before opens nothing more.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.console.session_record import (
    CONSOLE_SESSION,
    LONGEST_CONSOLE_SECONDS,
    ConsoleSession,
)
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, TakenBefore
from broker.flow.held_state.sealed_state import SealedState

SEEN_AGAIN_AFTER = timedelta(minutes=1)
"""A session that is in use is written anew no more often than this."""


class SignedOut(Refusal):
    """There is no session any more, and something was to be done in it."""

    code = "E-CONSOLE-3"
    whose_task = WhoseTask.SCHOOL
    what = "You were not logged in to the console any more, so nothing was changed."
    remedy = "Open the console, log in, and do it once more."
    http_status = 403


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long sessions last."""

    idle_seconds: int = 30 * 60
    longest_seconds: int = LONGEST_CONSOLE_SECONDS


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session with what opens it."""

    handle: Handle = field(repr=False)
    session: ConsoleSession


class ConsoleSessions:
    """Opens, reads and ends sessions. Keeps nothing itself."""

    def __init__(self, state: SealedState, times: SessionTimes) -> None:
        self._state = state
        self._times = times

    async def open(self, session: ConsoleSession, *, before: str) -> OpenedSession:
        """Keep a session under a new handle, and end the one that the browser had before.

        Raises:
            StoreUnavailable
        """
        await self.end(before)
        with store_in_words():
            handle, put = self._state.seal(
                CONSOLE_SESSION, session, ttl_seconds=self._ttl(session, session.began_at)
            )
            await self._state.put(put)
        return OpenedSession(handle, session)

    async def find(self, unverified_handle: str, *, now: datetime) -> OpenedSession | None:
        """Return the session that a browser holds; None when it is over, or none of ours.

        Raises:
            StoreUnavailable
        """
        if not unverified_handle:
            return None
        with store_in_words(known=(Absent, TakenBefore)):
            try:
                handle = parse_handle(unverified_handle)
                session = await self._state.get(CONSOLE_SESSION, handle)
                if now >= self._end(session):  # the store's own clock may be another one
                    return None
                if now - session.seen_at >= SEEN_AGAIN_AFTER:
                    session = replace(session, seen_at=now)
                    put = self._state.seal_under(
                        handle, CONSOLE_SESSION, session, ttl_seconds=self._ttl(session, now)
                    )
                    await self._state.put(put)
            except (Absent, TakenBefore):
                return None
        return OpenedSession(handle, session)

    async def end(self, unverified_handle: str) -> None:
        """End a session; one that is over or none of ours is no matter.

        Raises:
            StoreUnavailable
        """
        if not unverified_handle:
            return
        with store_in_words(known=(Absent, TakenBefore)):
            try:
                await self._state.take(CONSOLE_SESSION, parse_handle(unverified_handle))
            except (Absent, TakenBefore):
                return

    def _end(self, session: ConsoleSession) -> datetime:
        idle = session.seen_at + timedelta(seconds=self._times.idle_seconds)
        return min(idle, session.began_at + timedelta(seconds=self._times.longest_seconds))

    def _ttl(self, session: ConsoleSession, now: datetime) -> int:
        return max(1, int((self._end(session) - now).total_seconds()))
