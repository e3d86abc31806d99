"""Lists of pupils for a take-over: read whole or refused by line, kept as tags that tell nobody.

Two lists rest, each of one school and one supplier: the pupils that the school signed for (an ECK
iD that no login stated yet may be asked about if it stands there), and the pilot. One row:

    tag = HMAC-SHA-256(register tag key, "schuilnaam/takeover-tag/v1"
          || lp(list, school, supplier, root of the person))

A tag says of a person whom one has before one that they are listed; without the keys, or without
that person's ECK iD or number, it says nothing, and tags of two lists do not match. So it is made
from a root, which rests nowhere: the tag of the person's row in the register rests beside it, and
who has all keys would learn from that which rows are of which school, and which of two.

Once the take-over is closed both lists are deleted.

The root is that of the ECK iD in the list of pupils, and that of the account at the school in the
pilot: who is erased by ECK iD leaves it too when the school listed a number, of which only the tag
of its row is known then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import ListUnusable
from broker.flow.held_state.framing import mac
from broker.flow.persons.register import RegisterKeys
from broker.pseudonyms.derivation import (
    EckIdUnusable,
    IdentifierNotDerivable,
    PersonRoot,
    RootKey,
    parse_eckid,
    root_from_eckid,
    root_from_local,
)

MAX_LINES = 200_000  # more pupils than any school has
MAX_LINE_CHARACTERS = 2048
MAX_PROBLEMS_TOLD = 20

_LABEL = b"schuilnaam/takeover-tag/v1"


class ListKind(StrEnum):
    """Which list."""

    PUPILS = "pupils"
    PILOT = "pilot"


@dataclass(frozen=True, slots=True)
class ListOf:
    """One list: its kind and its parties."""

    kind: ListKind
    school: SchoolId
    supplier: SupplierId


@dataclass(frozen=True, slots=True)
class ListedLine:
    """One line that was read.

    Attributes:
        number: of the line, from 1.
        root: of the person it names.
        key: what stands behind a comma: the supplier's own name for the account; "" when nothing.
    """

    number: int
    root: PersonRoot = field(repr=False)
    key: str = field(default="", repr=False)


class TakeoverLists(Protocol):
    """Where lists rest. Every method raises `TakeoversUnavailable` when it cannot do its work."""

    async def find(self, tags: Sequence[bytes]) -> Mapping[bytes, bool]:
        """Return those of a few tags that are listed, each with whether its person arrived."""
        ...

    async def replace(self, of: ListOf, tags: Sequence[bytes]) -> None:
        """Put a list in place of the one of before, all or nothing; who arrived, has arrived."""
        ...

    async def note_arrived(self, tags: Sequence[bytes]) -> None:
        """Note that somebody listed arrived at the supplier."""
        ...

    async def counts(self) -> Mapping[ListOf, tuple[int, int]]:
        """Return how many are listed, and how many of them arrived."""
        ...


async def forget_closed(
    lists: TakeoverLists, takeovers: Iterable[Takeover], *, today: date
) -> None:
    """Delete the lists of take-overs that are closed: nothing is answered by them any more.

    Args:
        today: in the Netherlands.

    Raises:
        TakeoversUnavailable: what was not deleted yet stays.
    """
    for each in takeovers:
        if each.state_on(today) is TakeoverState.CLOSED:
            for kind in ListKind:
                await lists.replace(ListOf(kind, each.school, each.supplier), ())


def derive_list_tag(keys: RegisterKeys, of: ListOf, root: PersonRoot) -> bytes:
    """Return by which a person is found in a list: 32 bytes."""
    return mac(keys.tag, _LABEL, of.kind, of.school, of.supplier, root)


def read_list(
    lines: Iterable[str], *, school: SchoolId, key: RootKey, numbers: bool = False
) -> list[ListedLine]:
    """Return whom a list names; all lines, or none.

    Args:
        lines: each an ECK iD, or with `numbers` also a pupil number of this school; what stands
            behind a comma is kept. Blank lines count and say nothing.

    Raises:
        ListUnusable: lines that are malformed, too long, or name somebody twice; or too many. It
            names lines by number and shows no value.
    """
    read: list[ListedLine] = []
    first_at: dict[PersonRoot, int] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        if number > MAX_LINES:
            raise ListUnusable("check_list_length", subject="it has too many lines")
        stated, _, own_key = line.strip().partition(",")
        if not stated:
            continue
        try:
            root = _root_of(stated.strip(), school=school, key=key, numbers=numbers)
        except (EckIdUnusable, IdentifierNotDerivable):
            problems.append(f"line {number} is malformed")
            continue
        if root in first_at:
            problems.append(f"line {number} is that of line {first_at[root]} again")
            continue
        first_at[root] = number
        read.append(ListedLine(number, root, own_key.strip()))
    refuse_lines(problems)
    if not read:
        raise ListUnusable("check_list_not_empty", subject="it is empty")
    return read


def refuse_lines(problems: Sequence[str], *, check: str = "check_lines") -> None:
    """Refuse a list that has problems; the first ones are told.

    Raises:
        ListUnusable: there are some.
    """
    if not problems:
        return
    told = list(problems[:MAX_PROBLEMS_TOLD])
    if len(problems) > len(told):
        told.append(f"and {len(problems) - len(told)} more")
    lines_told = ", ".join(told)
    raise ListUnusable(check, subject=lines_told)


def _root_of(stated: str, *, school: SchoolId, key: RootKey, numbers: bool) -> PersonRoot:
    if numbers and "://" not in stated and len(stated) <= MAX_LINE_CHARACTERS:
        return root_from_local(school, stated, key=key)
    return root_from_eckid(parse_eckid(stated), key=key)
