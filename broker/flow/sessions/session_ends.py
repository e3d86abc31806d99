"""Which sessions a request to log out means, and their end.

What is ended: every session of this browser, when one of them is meant. Of a session that is meant
and is none of this browser's, only the part of who asks is ended, and nobody else is named or told.
An ID token proves to whom it was given and not who shows it: any relying party could show its own
from a server, read on our page where else its pupil was and at which school, and by the moment of
the message tell another supplier whom it means.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from broker.domain.ids import SchoolIdpId
from broker.domain.registry import Registry
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, Locator
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.sessions.logout_records import LogoutRecord
from broker.flow.sessions.session_records import PARTICIPATION, STANDING, ParticipationRecord
from broker.flow.sessions.sessions import part_of

LOOKED_UP_AT_ONCE = 250  # relying parties

FoundPart = tuple[Handle, ParticipationRecord]
"""A relying party's part in a session, and the handle that is its `sid`."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a request ends.

    Attributes:
        standings: whole sessions, all of this browser's own.
        parts: of who asks, in a session of another browser.
        is_elsewhere: this browser's own sessions go on.
    """

    standings: Sequence[Handle] = field(default=(), repr=False)
    parts: Sequence[FoundPart] = field(default=(), repr=False)
    is_elsewhere: bool = False


def read_standings(unverified: Sequence[str], *, state: SealedState) -> Iterator[Handle]:
    """Yield the handles that a browser shows, each once, without what is none of ours."""
    for each in dict.fromkeys(unverified):
        with suppress(Absent):
            handle = parse_handle(each)
            state.locate(STANDING, handle)  # of a key that we know
            yield handle


async def find_meant(
    record: LogoutRecord, own: Sequence[Handle], *, registry: Registry, state: SealedState
) -> Meant:
    """Return what a request means.

    Args:
        own: by what this browser's sessions are found.

    Raises:
        StoreUnavailable
    """
    if not record.is_proven:
        return Meant(own)
    elsewhere = Meant(is_elsewhere=bool(own))
    if not record.sid:
        return elsewhere
    try:
        with store_in_words(known=(Absent,)):
            sid = parse_handle(record.sid)
            part = await state.get(PARTICIPATION, sid)
    except Absent:
        return elsewhere
    if parse_handle(part.standing) in own:
        return Meant(own)
    is_own = part.relying_party == record.relying_party and _is_still_theirs(part, registry)
    return replace(elsewhere, parts=((sid, part),) if is_own else ())


async def end_meant(
    meant: Meant, *, registry: Registry, state: SealedState
) -> tuple[tuple[SchoolIdpId, ...], Sequence[FoundPart]]:
    """End what is meant; return whose logins the sessions were, and who took part.

    Raises:
        LoginStoreRefusal: as the store says it.
    """
    idps, found = await _end_sessions(meant.standings, registry=registry, state=state)
    found += meant.parts
    if found:
        await state.delete(PARTICIPATION, *(sid for sid, _ in found))
    return idps, found


async def _end_sessions(
    standings: Sequence[Handle], *, registry: Registry, state: SealedState
) -> tuple[tuple[SchoolIdpId, ...], list[FoundPart]]:
    """End sessions first, and only then look who took part: nobody can join any more.

    Their parts are still there. No work is done for what stands for nothing: a browser could
    show any number of such handles.
    """
    if not standings:
        return (), []
    shown = zip(standings, await state.gather(STANDING, standings), strict=True)
    stood = [(handle, each) for handle, each in shown if each is not None]
    ended = [state.locate(STANDING, each) for each in standings]
    ended += [Locator(each.session) for _, each in stood]
    ttl = STANDING.tombstone_ttl_seconds
    await state.end(*dict.fromkeys(ended), tombstone_ttl_seconds=ttl)
    sids = [
        part_of(state, handle, each) for handle, _ in stood for each in registry.relying_parties
    ]
    found: list[FoundPart] = []
    for begins in range(0, len(sids), LOOKED_UP_AT_ONCE):
        some = sids[begins : begins + LOOKED_UP_AT_ONCE]
        parts = await state.gather(PARTICIPATION, some)
        found += [
            (sid, each)
            for sid, each in zip(some, parts, strict=True)
            if each and _is_still_theirs(each, registry)
        ]
    return tuple(dict.fromkeys(each.idp for _, each in stood)), found


def _is_still_theirs(part: ParticipationRecord, registry: Registry) -> bool:
    """A pseudonym is a supplier's: who is another one's by now is told nothing of it."""
    party = registry.relying_parties.get(part.relying_party)
    return party is not None and party.supplier == part.supplier
