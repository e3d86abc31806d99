"""The port to the login store: what lives between two requests of one login.

Every backend keeps this contract (`tests/adapters/storage_suite.py` runs it, races included) and
nothing else may be assumed. The store sees only 32-byte locators and sealed bytes; what they mean
is `broker.flow.held_state.sealed_state`'s business. Sources: RFC 6749 4.1.2 (a code is used once,
a second use revokes), RFC 7523 3 (jti), SAML 2.0 profiles 4.1.4.5 (an assertion is used once).

A locator is in one of three states:

    nothing    -- never there, or past its TTL
    record     -- sealed bytes, put and not yet taken
    tombstone  -- used up: a record that was taken or deleted, or a one-shot value that was claimed

A tombstone lasts until its own TTL ends. Nothing replaces it before: no put, no claim, no delete
with a shorter TTL. After its end the locator is nothing again, so TTLs are chosen past the window
in which the handle or value could still be accepted.

Each method is one atomic round trip. Of any number of concurrent callers exactly one takes a
record or claims a value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol

Locator = NewType("Locator", bytes)
"""Where a record or one-shot value is found: 32 bytes that tell nothing without the storage key."""

LOCATOR_BYTES = 32  # an HMAC-SHA-256 tag
MAX_TTL_SECONDS = 400 * 24 * 60 * 60  # a school year and a summer; what lives longer is no login
MAX_SEALED_BYTES = (
    32 * 1024
)  # a record with every parameter at its own limit needs less than 16 KiB

MAX_CLAIM_AGE_MILLISECONDS = 62 * 60 * 1000  # a client's assertion lives an hour at most, and skew


class LoginStoreRefusal(Exception):  # noqa: N818 -- an answer of the store, which the flow words
    """Base of every answer but success. Carries no locator, handle or value."""


class Absent(LoginStoreRefusal):
    """Nothing is there: it never was, it expired, or it is not readable as what was asked for."""


class TakenBefore(LoginStoreRefusal):
    """A tombstone is there: the handle was used or ended before. A second use of a code revokes."""


class ClaimedBefore(LoginStoreRefusal):
    """A one-shot value was shown before.

    Args:
        index: which of the call's claims, counted from 0; the first one when there are several.
    """

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Unstorable(LoginStoreRefusal):
    """A record is over `MAX_SEALED_BYTES` or holds text that is no Unicode; nothing was stored."""


class StoreUnsure(LoginStoreRefusal):
    """The backend is down, slow, full, or did not answer clearly. The flow refuses.

    It may or may not have done what was asked: never retry a take or a claim with the same
    handle or value and believe the second answer.
    """


@dataclass(frozen=True, slots=True)
class Put:
    """One record to store.

    Attributes:
        locator: 32 bytes.
        sealed: 1 to `MAX_SEALED_BYTES` bytes, returned by `get` and `take` as they are.
        ttl_seconds: whole seconds from now, 1 to `MAX_TTL_SECONDS`; then the record is absent.

    Raises:
        Unstorable: `sealed` is over its limit.
        ValueError: the caller broke the contract otherwise.
    """

    locator: Locator = field(repr=False)
    sealed: bytes = field(repr=False)
    ttl_seconds: int

    def __post_init__(self) -> None:
        check_locator(self.locator)
        check_ttl(self.ttl_seconds)
        if not self.sealed:
            raise ValueError("a record has at least one byte")
        if len(self.sealed) > MAX_SEALED_BYTES:
            raise Unstorable


@dataclass(frozen=True, slots=True)
class Claim:
    """One one-shot value (assertion id, client `jti`) to use up.

    Attributes:
        locator: 32 bytes, of the value under its issuer.
        ttl_seconds: whole seconds, 1 to `MAX_TTL_SECONDS`: how long a second showing is refused.
            At least as long as the message that carries the value could still be accepted.
        made_within_milliseconds: how long ago the value was made at most; None where nobody can
            tell. A store that may have forgotten claims refuses (`StoreUnsure`) to put one that
            may have been made before it began to remember; what is taken beside a claim proves by
            itself that it was issued since.

    Raises:
        ValueError: the caller broke the contract.
    """

    locator: Locator = field(repr=False)
    ttl_seconds: int
    made_within_milliseconds: int | None = None

    def __post_init__(self) -> None:
        check_locator(self.locator)
        check_ttl(self.ttl_seconds)


def claim_seconds(until: datetime, *, now: datetime) -> int:
    """Return a claim's whole seconds, one at least, that outlast what refuses itself at `until`."""
    return max(1, int((until - now).total_seconds()) + 1)


class LoginStore(Protocol):
    """Sealed records and one-shot values, taken atomically. All methods may raise `StoreUnsure`.

    The locators of one call are distinct (`check_distinct`, ValueError): no call depends on the
    order in which a backend carries out its parts.
    """

    async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
        """Store every record and make every claim, or do nothing at all.

        A record that is there is replaced, with its TTL: the last writer wins.

        Raises:
            ClaimedBefore: a claim's locator was not free. Comes before `TakenBefore`.
            TakenBefore: a record's locator holds a tombstone; what was ended stays ended.
            ValueError: neither records nor claims were given, or a locator twice.
        """

    async def take(
        self, locator: Locator, *, tombstone_ttl_seconds: int, claims: Sequence[Claim] = ()
    ) -> bytes:
        """Return the record and leave a tombstone in its place, in the same operation.

        Whatever was shown is used up, in one step and also when the call is refused: a record is
        taken although a claim fails, and claims are made although the record is absent or taken.
        A handle that arrives with a replayed one-shot value is in the wrong hands or in a broken
        client, and leaving it usable would give whoever holds it another try. So nobody learns
        by trying, and a login that is caught in it costs the pupil one button.

        An absent locator gets no tombstone, so that guesses cost no memory.

        Raises:
            TakenBefore: a tombstone is there. Comes first, because a second use must revoke.
            ClaimedBefore: a claim failed; the record, if any, is now taken.
            Absent: nothing is there.
            ValueError: a TTL out of range, or a locator twice.
        """

    async def get(self, locator: Locator) -> bytes:
        """Return the record and leave it.

        Raises:
            Absent: nothing or a tombstone is there.
        """

    async def get_all(self, locators: Sequence[Locator]) -> list[bytes | None]:
        """Return what is at each locator and leave it; None where nothing or a tombstone is.

        Raises:
            ValueError: no locator, or a locator twice.
        """

    async def delete(self, locators: Sequence[Locator], *, tombstone_ttl_seconds: int) -> None:
        """Put a tombstone at every locator, whatever is there, so that no late put revives it.

        Idempotent; a tombstone that would last longer keeps its own end.

        Raises:
            ValueError: no locator, a locator twice, or a TTL out of range.
        """


def check_locator(locator: bytes) -> None:
    """Refuse anything but 32 bytes with ValueError."""
    if len(locator) != LOCATOR_BYTES:
        raise ValueError(f"a locator is {LOCATOR_BYTES} bytes")


def check_ttl(ttl_seconds: int) -> None:
    """Refuse a TTL out of range with ValueError: a store must never keep something for ever."""
    if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
        raise ValueError(f"a TTL is 1 to {MAX_TTL_SECONDS} seconds")


def check_distinct(locators: Iterable[Locator]) -> None:
    """Refuse a call that names nothing or one locator twice, with ValueError."""
    named = list(locators)
    if not named:
        raise ValueError("nothing to do")
    if len(set(named)) != len(named):
        raise ValueError("a locator twice in one call")
