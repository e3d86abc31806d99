"""Where shields rest, and what a login finds of its person.

A login pays for this only at a school that has any: which do is known in memory, at most a second
old. There it is one look-up more, of the tags of the roots that the login presents. It cannot be
the register's: the decision comes before it, for who may not go on leaves no trace there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.ids import SchoolId
from broker.domain.shielding import Shield, ShieldedBy
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.persons.person_records import Presented
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.shielding.shield_records import ShieldKeys, ShieldPlace, open_shield, places_of


@dataclass(frozen=True, slots=True)
class StoredShield:
    """One row as it rests.

    Attributes:
        id: of a school's own decision a random text, of an objection its request's.
    """

    tag: bytes = field(repr=False)
    id: str
    by: ShieldedBy
    sealed: bytes = field(repr=False)


class ShieldBook(Protocol):
    """Where shields rest. Knows no person."""

    def has_any(self, school: SchoolId) -> bool:
        """Tell whether a school ever shielded anybody, or got an objection; costs no look-up.

        Raises:
            RegisterUnavailable: nobody knows.
        """
        ...

    async def find(self, tags: Sequence[bytes]) -> Sequence[StoredShield]:
        """Return what rests under a few tags and holds: decisions of the school, and objections
        that were granted or hold until they are decided.

        Raises:
            RegisterUnavailable: it cannot be read.
        """
        ...

    async def put(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        """Store a school's own decision, durably, in place of all that rest under these tags.

        Raises:
            RegisterUnavailable: nobody knows whether it is stored.
        """
        ...

    async def remove(self, tags: Sequence[bytes]) -> int:
        """Delete a school's own decisions under these tags, and return how many ids that were.

        Raises:
            RegisterUnavailable: nobody knows whether they are gone.
        """
        ...

    async def tags_of(self, school: SchoolId) -> Mapping[bytes, str]:
        """Return the tags that a school's own decisions have, with their ids.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shielding:
    """Where shields rest, and what opens them."""

    book: ShieldBook
    keys: ShieldKeys = field(repr=False)


async def find_shields(
    presented: Presented, *, school: SchoolId, shielding: Shielding
) -> tuple[Shield, ...]:
    """Return what shields a person at a school; nothing at a school that has none, at no cost.

    Raises:
        RegisterUnavailable: it cannot be read, or does not open under our key.
    """
    if not shielding.book.has_any(school):
        return ()
    places = places_of(presented, school=school, keys=shielding.keys)
    return await find_shields_at(places, school=school, book=shielding.book)


async def find_shields_at(
    places: Sequence[ShieldPlace], *, school: SchoolId, book: ShieldBook
) -> tuple[Shield, ...]:
    """Return what shields somebody of whom the places alone are known; as `find_shields`."""
    if not places or not book.has_any(school):
        return ()
    by_tag = {each.tag: each for each in places}
    rows = await book.find(list(by_tag))
    try:
        found = {
            each.id: open_shield(each.sealed, place=by_tag[each.tag], of=each.id, by=each.by)
            for each in rows
        }
    except UnreadableRecord:
        raise RegisterUnavailable("check_shield_opens") from None
    return tuple(found.values())
