"""Converting a supplier's pseudonyms in bulk, while its window is open.

Each text is answered by itself: the pseudonym of the other epoch, or why there is none. Only a
person whom this supplier knows is converted: the text leads to a root, the root to a row of the
register, which it opens, and the row (or that of the ECK iD which the account belongs to) names
the supplier. A text of another supplier, or made up, leads to no row: it is unknown, as a person
whom nobody has seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from broker.domain.ids import SupplierId
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.held_state.framing import NONCE_BYTES, UnreadableRecord
from broker.flow.persons.person_fresh import accounts_of, is_closed_to
from broker.flow.persons.person_records import PersonRecord, as_root
from broker.flow.persons.person_suppliers import holder_root
from broker.flow.persons.register import (
    RegisterKeys,
    RegisterUnavailable,
    StoredRow,
    derive_tag,
    open_record,
    way_root,
)
from broker.flow.persons.supplier_counts import Converted, derive_mark
from broker.pseudonyms.conversion import Conversion, OtherEpoch, find_root, name_root
from broker.pseudonyms.derivation import InvalidPseudonym, PersonRoot, Pseudonym


class NotConverted(StrEnum):
    """Why a text has no answer. All but `UNKNOWN` are refusals: the text should not be there."""

    UNKNOWN = "unknown"
    MALFORMED = "malformed"
    OTHER_EPOCH = "other-epoch"
    DOUBLED = "doubled"


Answer = Pseudonym | NotConverted

REFUSED = (NotConverted.MALFORMED, NotConverted.OTHER_EPOCH, NotConverted.DOUBLED)


CONVERTED = "converted"


def kind_of(answer: Answer) -> str:
    """Return as what an answer is counted: the pseudonym itself is told to nobody else."""
    return answer.value if isinstance(answer, NotConverted) else CONVERTED


def audit_conversion(audit: AuditLog, *, supplier: SupplierId, tally: Mapping[str, int]) -> None:
    """Write one conversion down: how many answers of which kind."""
    counts = tuple(sorted(tally.items()))
    audit.record(AuditEvent(action="pseudonyms-converted", supplier=supplier, counts=counts))


class RegisterRows(Protocol):
    """Rows of the register, many at once. Blocks."""

    def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        """Return the rows that are there, by tag.

        Raises:
            RegisterUnavailable: the register cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConvertedBatch:
    """What became of some texts.

    Attributes:
        answers: one for each text, in order.
        converted: what is noted once the answers are handed out.
    """

    answers: tuple[Answer, ...] = field(repr=False)
    converted: tuple[Converted, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Held:
    """The row in which a person's suppliers stand."""

    root: PersonRoot = field(repr=False)
    row: StoredRow = field(repr=False)
    record: PersonRecord = field(repr=False)


def convert_batch(
    unverified_texts: Sequence[str],
    *,
    conversion: Conversion,
    rows: RegisterRows,
    keys: RegisterKeys,
) -> ConvertedBatch:
    """Return the answers to some texts; few look-ups for all of them.

    Args:
        unverified_texts: no text twice; the caller knows those of other batches.

    Raises:
        RegisterUnavailable: the register cannot be read, or a row does not open.
    """
    roots = [_read(each, conversion) for each in unverified_texts]
    read = [each for each in roots if isinstance(each, bytes)]
    held = _find_holders(read, rows, keys, supplier=conversion.supplier)
    answers: list[Answer] = []
    converted = []
    for root in roots:
        if isinstance(root, NotConverted):
            answers.append(root)
            continue
        holder = held.get(root)
        seen = None if holder is None else holder.record.suppliers.get(conversion.supplier)
        if holder is None or seen is None:
            answers.append(NotConverted.UNKNOWN)
            continue
        answers.append(name_root(root, conversion=conversion))
        converted.append(
            Converted(
                tag=derive_tag(keys, holder.root),
                nonce=holder.row.sealed[1 : 1 + NONCE_BYTES],
                mark=derive_mark(keys, supplier=conversion.supplier, root=holder.root),
                row_epoch=seen.epoch,
            )
        )
    return ConvertedBatch(tuple(answers), tuple(converted))


def _read(unverified_text: str, conversion: Conversion) -> PersonRoot | NotConverted:
    try:
        return find_root(unverified_text, conversion=conversion)
    except InvalidPseudonym:
        return NotConverted.MALFORMED
    except OtherEpoch:
        return NotConverted.OTHER_EPOCH


def _find_holders(
    roots: Sequence[PersonRoot], rows: RegisterRows, keys: RegisterKeys, *, supplier: SupplierId
) -> dict[PersonRoot, _Held]:
    """Return for each account's root that has a row the one in which its suppliers stand."""
    held = {
        root: each
        for root, each in _open_rows(roots, rows, keys).items()
        if not is_closed_to(root, each.record)
    }
    while True:  # from an old school's number to the new one's, and from there to an ECK iD
        onwards = {
            root: holder_root(each.root, each.record, supplier=supplier)
            for root, each in held.items()
        }
        moved = [onwards[root] for root, each in held.items() if onwards[root] != each.root]
        others = _open_rows(moved, rows, keys)
        if not others:
            break
        held = {root: others.get(onwards[root], each) for root, each in held.items()}
    lost = [
        root for root in roots if root not in held or supplier not in held[root].record.suppliers
    ]
    ways = {root: (root, onwards.get(root, root)) for root in lost}
    return held | _find_by_ways(ways, rows, keys)


def _find_by_ways(
    ways: Mapping[PersonRoot, tuple[PersonRoot, PersonRoot]], rows: RegisterRows, keys: RegisterKeys
) -> dict[PersonRoot, _Held]:
    """Return the holders of accounts whose number somebody else had, who was erased.

    Args:
        ways: by account, the roots that may be one end of the way to its holder.
    """
    ends = {way_root(keys, end): account for account, both in ways.items() for end in both}
    found = _open_rows(list(ends), rows, keys)
    to = {ends[way]: as_root(each.record.held_by or b"") for way, each in found.items()}
    holders = _open_rows(list(to.values()), rows, keys)
    return {
        account: holders[root]
        for account, root in to.items()
        if root in holders and account in accounts_of(holders[root].record)
    }


def _open_rows(
    roots: Sequence[PersonRoot], rows: RegisterRows, keys: RegisterKeys
) -> dict[PersonRoot, _Held]:
    if not roots:
        return {}
    tags = {derive_tag(keys, root): root for root in roots}
    found = {}
    for tag, row in rows.find(list(tags)).items():
        if row.is_closed:
            continue
        root = tags[tag]
        found[root] = _Held(root, row, _open(row, root, keys))
    return found


def _open(row: StoredRow, root: PersonRoot, keys: RegisterKeys) -> PersonRecord:
    try:
        return open_record(row, root=root, keys=keys)
    except UnreadableRecord:
        pass  # "unknown" would hide the damage
    raise RegisterUnavailable("check_register_row_opens")
