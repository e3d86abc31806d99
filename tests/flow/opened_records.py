"""What a thief opens of sessions who has our keys, the whole store, and some handles of others."""

from contextlib import suppress

from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.held_state.sealed_state import SealedRecord, SealedState
from broker.flow.sessions.session_records import (
    PARTICIPATION,
    SESSION,
    SESSION_AT_SCHOOL,
    STANDING,
    TOLD_LOGIN,
)
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, REKENRIJK, TAALTUIN

KINDS = (SESSION, STANDING, PARTICIPATION, TOLD_LOGIN, SESSION_AT_SCHOOL)
CHILDREN = ("session-standing", "session-name", "told-login", "at-school")
PARTIES = (REKENRIJK, BIOSFEER_OIDC, BIOSFEER_SAML, TAALTUIN)
LABELS = (*CHILDREN, *(f"sid/{each}" for each in PARTIES))
"""By which handles are derived of one another."""


async def open_all(state: SealedState, handle: Handle) -> list[SealedRecord]:
    """Return every record of a session to which a handle leads, over any number of steps."""
    opened: list[SealedRecord] = []
    waiting, tried = [handle], set[bytes]()
    while waiting:
        each = waiting.pop()
        if each.secret in tried:
            continue
        tried.add(each.secret)
        found = await open_each(state, each)
        opened += found
        if found or each == handle:
            waiting += (state.derive_handle(each, label) for label in LABELS)
        waiting += (of for record in found for of in handles_in(record))
    return opened


async def open_each(state: SealedState, handle: Handle) -> list[SealedRecord]:
    found: list[SealedRecord] = []
    for kind in KINDS:
        with suppress(Absent):
            found.append(await state.get(kind, handle))  # type: ignore[arg-type]
    return found


def handles_in(record: SealedRecord) -> list[Handle]:
    """Return whatever may be a handle among the values of a record."""
    found: list[Handle] = []
    for value in (getattr(record, name) for name in record.__struct_fields__):
        with suppress(Absent, ValueError):
            if isinstance(value, str):
                found.append(parse_handle(value))
            elif isinstance(value, bytes):
                found.append(Handle(value))
    return found
