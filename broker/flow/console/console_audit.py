"""What people did in the console, with before and after: a chain that nobody changes unseen.

    link = SHA-256("schuilnaam/console-audit/v1" || link of the entry before || lp(each field))

The first entry follows 32 zeros. An entry is written in the transaction of what it tells where both
rest in `registry.db`, else before that takes effect. `before` and `after` are small JSON texts of
settings, never a value of a pupil, and nobody's name: who it was is a keyed hash. A chain that
somebody made anew as a whole follows on itself: only a copy of an earlier link shows that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from broker.domain.console_roles import Role
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.console.actors import Actor, ActorKind
from broker.pseudonyms.derivation import lp

LINK_BYTES = 32
FIRST_LINK = bytes(LINK_BYTES)
MAX_SETTING_CHARACTERS = 16_000
"""Of `before` and of `after`: `lp` takes parts of 65535 bytes."""
_LABEL = b"schuilnaam/console-audit/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleEntry:
    """One action.

    Attributes:
        at: aware; kept to the second.
        actor: whose; see `Actor.id`.
        role: by which they might; None where none was needed, as to accept an invitation.
        action: in the words of its flow, like `decision-signed`.
        school, board, supplier: whose matter it is; None for none. What a school or board does
            about a supplier is no matter of the supplier: drafts, classes, what pupils object to.
        before, after: JSON of the settings that changed, "" for nothing.
        document_hash: SHA-256 of a signed document in hexadecimal digits, "" for none.
    """

    at: datetime
    actor: str
    kind: ActorKind = ActorKind.PERSON
    role: Role | None
    action: str
    school: SchoolId | None = None
    board: BoardId | None = None
    supplier: SupplierId | None = None
    before: str = ""
    after: str = ""
    document_hash: str = ""

    def __post_init__(self) -> None:
        if max(len(self.before), len(self.after)) > MAX_SETTING_CHARACTERS:
            raise ValueError("an entry of the audit holds settings, not lists")


def entry_of(
    actor: Actor,
    role: Role | None,
    action: str,
    *,
    at: datetime,
    school: SchoolId | None = None,
    board: BoardId | None = None,
    supplier: SupplierId | None = None,
    before: str = "",
    after: str = "",
    document_hash: str = "",
) -> ConsoleEntry:
    """Return the entry of what an actor did."""
    return ConsoleEntry(
        at=at,
        actor=actor.id,
        kind=actor.kind,
        role=role,
        action=action,
        school=school,
        board=board,
        supplier=supplier,
        before=before,
        after=after,
        document_hash=document_hash,
    )


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it rests: its number counts from 1."""

    number: int
    entry: ConsoleEntry
    link: bytes


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, the newest first, and how many there are."""

    entries: tuple[KeptEntry, ...]
    found: int


class ConsoleAudit(Protocol):
    """Where the entries rest."""

    async def record(self, *entries: ConsoleEntry) -> None:
        """Write down, durably and in order, what is about to take effect elsewhere.

        Raises:
            RegistryUnreadable: it is not written, so nothing may take effect.
        """
        ...

    def look(
        self,
        *,
        schools: Iterable[SchoolId] | None = None,
        board: BoardId | None = None,
        supplier: SupplierId | None = None,
        action: str = "",
        first: int = 0,
        count: int = 50,
    ) -> AuditPage:
        """Return entries, the newest first.

        Args:
            schools: of any of these, or of `board`; all None: every entry.
            supplier: or what is this one's and of no school or board.
            action: those whose action begins so.
            first: how many to skip.

        Raises:
            RegistryUnreadable: they cannot be read.
        """
        ...

    def verify(self) -> int | None:
        """Return the number of the first entry that does not follow on its predecessor, or None.

        Raises:
            RegistryUnreadable: they cannot be read.
        """
        ...


def link_entry(entry: ConsoleEntry, *, after: bytes) -> bytes:
    """Return the link of an entry that follows on `after`: 32 bytes."""
    fields = (
        write_moment(entry.at),
        entry.actor,
        entry.kind.value,
        "" if entry.role is None else entry.role.value,
        entry.action,
        *(each or "" for each in (entry.school, entry.board, entry.supplier)),
        *(entry.before, entry.after, entry.document_hash),
    )
    return sha256(_LABEL + after + lp(*fields)).digest()


def write_moment(at: datetime) -> str:
    """Return a moment as it rests: UTC, to the second.

    >>> write_moment(datetime(2026, 8, 1, 12, 30, 5, 99, tzinfo=UTC))
    '2026-08-01T12:30:05Z'
    """
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def read_moment(text: str) -> datetime:
    """Return a moment that `write_moment` wrote.

    >>> read_moment("2026-08-01T12:30:05Z").isoformat()
    '2026-08-01T12:30:05+00:00'
    """
    return datetime.fromisoformat(text)
