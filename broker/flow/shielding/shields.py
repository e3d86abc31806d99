"""Where shields rest.

A login pays for this only at a school that has any: which do is known in memory, at most a second
old. There it is one look-up more, of the tags of the roots that the login presents. It cannot be
the register's: the decision comes before it, for who may not go on leaves no trace there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from broker.domain.ids import SchoolId
from broker.domain.shielding import ShieldedBy
from broker.flow.ports import Random
from broker.flow.shielding.shield_records import ShieldKeys


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

    @classmethod
    def own(cls, tag: bytes, of: str, sealed: bytes) -> "StoredShield":
        """Return a row of the school's own decision."""
        return cls(tag, of, ShieldedBy.SCHOOL, sealed)


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

    async def add(self, school: SchoolId, rows: Sequence[StoredShield]) -> None:
        """Store rows of shields that are there already, under another tag of the same person.

        Raises:
            RegisterUnavailable: nobody knows whether they are stored.
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
    """Where shields rest, and what opens and seals them."""

    book: ShieldBook
    keys: ShieldKeys = field(repr=False)
    random: Random
