"""Records that wait for a browser: found by the handle in its cookie, named by a random state.

The state travels (RelayState, `state`, a form field) and opens nothing; the handle stays in the
cookie. So a step can only go on in the browser that began it, and any number of
logins run side by side in one browser.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from broker.flow.answers import LoginCookie
from broker.flow.following.trail import current_trail
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    LoginStoreRefusal,
    Put,
    StoreUnsure,
    TakenBefore,
)
from broker.flow.held_state.records import (
    ChoosingLogin,
    PendingLogin,
    PreparedRelease,
    SchoolsOffered,
)
from broker.flow.held_state.sealed_state import SealedState, StateKind
from broker.flow.ports import Random
from broker.flow.random_texts import make_state
from broker.flow.refusals import (
    AssertionUsed,
    LoginStepAbsent,
    LoginStepUsed,
    StoreUnavailable,
)
from broker.saml_idp.request import CheckedAuthnRequest

WaitingT = TypeVar("WaitingT", ChoosingLogin, PendingLogin, SchoolsOffered, PreparedRelease)
"""What waits for a browser; each holds the request of the relying party where the login began."""


@dataclass(frozen=True, slots=True)
class BrowserStep:
    """What a browser shows of a step: the login's state, and the handle in its cookie."""

    state: str
    unverified_handle: str = field(repr=False)


class BrowserSteps:
    """Opens, looks at and takes records that wait for a browser; refuses in words for people."""

    def __init__(self, state: SealedState, *, random: Random) -> None:
        self._state = state
        self._random = random

    def make_state(self) -> str:
        """Return a fresh name for a step."""
        return make_state(self._random)

    async def open(
        self,
        kind: StateKind[WaitingT],
        record: WaitingT,
        *,
        state: str | None = None,
        claims: Sequence[Claim] = (),
        puts: Sequence[Put] = (),
    ) -> LoginCookie:
        """Keep a record until its browser comes back; one round trip, with what rides along.

        Raises:
            AssertionUsed: a claim was made before; nothing was kept.
            StoreUnavailable: nobody knows whether it was.
        """
        with store_in_words():
            handle, put = self._state.seal(kind, record)
            await self._state.put(put, *puts, claims=claims)
        return LoginCookie(
            state or self.make_state(), handle, record.request.relying_party, kind.ttl_seconds
        )

    async def look(self, kind: StateKind[WaitingT], step: BrowserStep) -> WaitingT:
        """Return a record and leave it, for a page that may be shown twice.

        Raises:
            LoginStepAbsent, StoreUnavailable
        """
        with store_in_words():
            record = await self._state.get(kind, parse_handle(step.unverified_handle))
        follow(record)
        return record

    async def take(self, kind: StateKind[WaitingT], step: BrowserStep) -> WaitingT:
        """Return a record that nobody gets again.

        Raises:
            LoginStepAbsent, LoginStepUsed, StoreUnavailable
        """
        with store_in_words():
            record = await self._state.take(kind, parse_handle(step.unverified_handle))
        follow(record)
        return record


def follow(record: ChoosingLogin | PendingLogin | SchoolsOffered | PreparedRelease) -> None:
    """Note to which login the request in hand belongs."""
    trail = current_trail()
    trail.login, trail.relying_party = record.login, record.request.relying_party
    is_saml = isinstance(record.request, CheckedAuthnRequest)
    trail.supplier_protocol = "saml" if is_saml else "oidc"
    if not isinstance(record, ChoosingLogin):
        trail.idp = record.idp


_WORDS = {
    Absent: LoginStepAbsent,
    TakenBefore: LoginStepUsed,
    ClaimedBefore: AssertionUsed,
    StoreUnsure: StoreUnavailable,
}


@contextmanager
def store_in_words(*, known: tuple[type[LoginStoreRefusal], ...] = ()) -> Iterator[None]:
    """Turn the store's answers into refusals in words for people; unsure is refused.

    Args:
        known: answers that the caller words itself.
    """
    try:
        yield
    except LoginStoreRefusal as answer:
        if isinstance(answer, known):
            raise
        raise _WORDS.get(type(answer), StoreUnavailable)("check_login_step") from None
