"""Which sessions a request to log out means, and their end.

What is ended: every session of this browser, when one of them is meant. Of a session that is meant
and is none of this browser's, only the part of who asks is ended, and nobody else is named or told.
An ID token proves to whom it was given and not who shows it: any relying party could show its own
from a server, read on our page where else its pupil was and at which school, and by the moment of
the message tell another supplier whom it means. The same holds of a supplier's LogoutRequest,
signed by the supplier and sent by whoever: by SOAP there is no browser at all.
"""

import hmac
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from broker.domain.ids import RelyingPartyId, SchoolIdpId
from broker.domain.registry import Registry
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.handles import Handle, parse_handle
from broker.flow.held_state.login_store import Absent, Locator
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.sessions.logout_records import LogoutRecord, SamlAsked
from broker.flow.sessions.session_records import (
    PARTICIPATION,
    SESSION_AT_SCHOOL,
    STANDING,
    ParticipationRecord,
    SchoolSessionRecord,
)
from broker.flow.sessions.sessions import at_school_of, part_of

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


def read_standings(unverified: Iterable[str], *, state: SealedState) -> Iterator[Handle]:
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
    if record.idp is not None:
        is_meant = await _is_meant_by_school(record, own, state=state)
        return Meant(own) if is_meant else elsewhere
    found = await _find_named(record, own, registry=registry, state=state)
    if any(sid == part_of(state, each, part.relying_party) for sid, part in found for each in own):
        return Meant(own)
    return replace(
        elsewhere,
        parts=tuple(
            (sid, part)
            for sid, part in found
            if part.relying_party == record.relying_party and _is_still_theirs(part, registry)
        ),
    )


async def find_own_parts(
    asked: SamlAsked,
    relying_party: RelyingPartyId,
    own: Sequence[Handle],
    *,
    registry: Registry,
    state: SealedState,
) -> list[FoundPart]:
    """Return the sessions of the party that asks, of the very person whom it names, among those
    that it names; where it names none, among this browser's.

    Whoever else's an index is: nothing is found, and that is all that it learns.

    Raises:
        StoreUnavailable
    """
    sids = [
        *read_standings((each.removeprefix("_") for each in asked.session_indexes), state=state)
    ] or [part_of(state, each, relying_party) for each in own if not asked.session_indexes]
    if not sids:
        return []
    with store_in_words():
        parts = await state.gather(PARTICIPATION, sids)
    return [
        (sid, part)
        for sid, part in zip(sids, parts, strict=True)
        if part is not None
        and part.relying_party == relying_party
        and _is_still_theirs(part, registry)
        and hmac.compare_digest(part.subject.encode(), asked.name_id.encode())
    ]


async def _find_named(
    record: LogoutRecord, own: Sequence[Handle], *, registry: Registry, state: SealedState
) -> list[FoundPart]:
    """Return the parts that a supplier's proven request names."""
    if record.saml is not None and record.relying_party is not None:
        party = record.relying_party
        return await find_own_parts(record.saml, party, own, registry=registry, state=state)
    if not record.sid:
        return []
    try:
        with store_in_words(known=(Absent,)):
            sid = parse_handle(record.sid)
            return [(sid, await state.get(PARTICIPATION, sid))]
    except Absent:
        return []


async def _is_meant_by_school(
    record: LogoutRecord, own: Sequence[Handle], *, state: SealedState
) -> bool:
    """A school's login means the sessions that began there under the name that it gave itself."""
    asked = record.saml
    if asked is None or not own:
        return False
    with store_in_words():
        known = await state.gather(SESSION_AT_SCHOOL, [at_school_of(state, each) for each in own])
    return any(
        each.idp == record.idp
        and each.named.name_id == asked.name_id
        and (not asked.session_indexes or each.named.session_index in asked.session_indexes)
        for each in known
        if each is not None
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended.

    Attributes:
        idps: whose logins the sessions were.
        schools: how those of them know it that are asked to log out too.
        parts: who took part.
    """

    idps: tuple[SchoolIdpId, ...] = ()
    schools: tuple[SchoolSessionRecord, ...] = field(default=(), repr=False)
    parts: Sequence[FoundPart] = field(default=(), repr=False)


async def end_meant(meant: Meant, *, registry: Registry, state: SealedState) -> Ended:
    """End what is meant.

    Raises:
        LoginStoreRefusal: as the store says it.
    """
    ended = await _end_sessions(meant.standings, registry=registry, state=state)
    parts = [*ended.parts, *meant.parts]
    if parts:
        await state.delete(PARTICIPATION, *(sid for sid, _ in parts))
    return replace(ended, parts=parts)


async def leave_session(found: Sequence[FoundPart], *, state: SealedState) -> None:
    """End the parts of who asks, and let nobody go on by those sessions; who else takes part
    stays to be found by the browser's own logout.

    Raises:
        LoginStoreRefusal: as the store says it.
    """
    ended = [state.locate(PARTICIPATION, sid) for sid, _ in found]
    ended += [Locator(part.session) for _, part in found]
    await state.end(*dict.fromkeys(ended), tombstone_ttl_seconds=STANDING.tombstone_ttl_seconds)


async def _end_sessions(
    standings: Sequence[Handle], *, registry: Registry, state: SealedState
) -> Ended:
    """End sessions first, and only then look who took part: nobody can join any more.

    Their parts are still there. No work is done for what stands for nothing: a browser could
    show any number of such handles.
    """
    if not standings:
        return Ended()
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
    return Ended(
        idps=tuple(dict.fromkeys(each.idp for _, each in stood)),
        schools=await _find_at_school([handle for handle, _ in stood], state=state),
        parts=found,
    )


async def _find_at_school(
    standings: Sequence[Handle], *, state: SealedState
) -> tuple[SchoolSessionRecord, ...]:
    """Return how schools know these sessions, and forget it."""
    handles = [at_school_of(state, each) for each in standings]
    if not handles:
        return ()
    known = await state.gather(SESSION_AT_SCHOOL, handles)
    if any(known):
        await state.delete(SESSION_AT_SCHOOL, *handles)
    return tuple(each for each in known if each is not None)


def _is_still_theirs(part: ParticipationRecord, registry: Registry) -> bool:
    """A pseudonym is a supplier's: who is another one's by now is told nothing of it."""
    party = registry.relying_parties.get(part.relying_party)
    return party is not None and party.supplier == part.supplier
