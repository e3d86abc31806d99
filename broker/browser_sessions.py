"""Browsers' sessions and their end, wired."""

from broker.flow.held_state.sealed_state import SealedState
from broker.flow.sessions.sessions import Sessions, SessionTimes
from broker.settings import Settings


def wire_sessions(settings: Settings, state: SealedState) -> Sessions:
    """Return what begins and finds sessions."""
    return Sessions(
        state,
        times=SessionTimes(
            seconds=settings.sessions.minutes * 60,
            logout_seconds=settings.sessions.logout_minutes * 60,
        ),
    )
