"""Two hundred thousand agreements in some twenty megabytes: packed, and unpacked one at a time.

As objects in a dictionary they would take ten times as much in every worker. Packed, a look-up
costs a few microseconds whatever their number.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TypeVar

import msgspec

from broker.domain.agreements import Agreement, GroupRule, NoticeMode, Stopped
from broker.domain.attributes import AttributeName
from broker.domain.ids import BoardId, SchoolId, SupplierId

Signer = TypeVar("Signer", SchoolId, BoardId)


class _Terms(msgspec.Struct, frozen=True, array_like=True):
    """An agreement without its parties, which are its key. New fields go to the end."""

    version: int
    first_day: date
    last_day: date | None
    approved: frozenset[AttributeName]
    notice: NoticeMode
    approved_staff: frozenset[AttributeName] | None = None
    group_rules: tuple[GroupRule, ...] = ()
    sheet: int = 0
    stopped: Stopped | None = None


_DECODER = msgspec.msgpack.Decoder(_Terms)


def pack_agreement(agreement: Agreement) -> bytes:
    """Return all of an agreement but its parties."""
    return msgspec.msgpack.encode(
        _Terms(
            agreement.version,
            agreement.first_day,
            agreement.last_day,
            agreement.approved,
            agreement.notice,
            agreement.approved_staff,
            agreement.group_rules,
            agreement.sheet,
            agreement.stopped,
        )
    )


def of_school(school: SchoolId, supplier: SupplierId, packed: bytearray) -> Agreement:
    """Return the agreement that a school signed."""
    return _agreement(school, None, supplier, _DECODER.decode(packed))


def of_board(board: BoardId, supplier: SupplierId, packed: bytearray) -> Agreement:
    """Return the agreement that a board signed for all its schools."""
    return _agreement(None, board, supplier, _DECODER.decode(packed))


def _agreement(
    school: SchoolId | None, board: BoardId | None, supplier: SupplierId, terms: _Terms
) -> Agreement:
    return Agreement(
        school=school,
        board=board,
        supplier=supplier,
        version=terms.version,
        first_day=terms.first_day,
        last_day=terms.last_day,
        approved=terms.approved,
        notice=terms.notice,
        approved_staff=terms.approved_staff,
        group_rules=terms.group_rules,
        sheet=terms.sheet,
        stopped=terms.stopped,
    )


class PackedAgreements(Mapping[tuple[Signer, SupplierId], Agreement]):
    """Agreements by who signed them and their supplier.

    Args:
        packed: (`signer/supplier`, what `pack_agreement` returned), in order of the first.
        unpack: `of_school` or `of_board`.

    Raises:
        ValueError: they are not in order.
    """

    def __init__(
        self,
        packed: Iterable[tuple[str, bytes]],
        *,
        unpack: Callable[[Signer, SupplierId, bytearray], Agreement],
    ) -> None:
        self._unpack: Callable[[Signer, SupplierId, bytearray], Agreement] = unpack
        self._keys, self._terms = bytearray(), bytearray()
        self._key_ends, self._terms_ends = array("L", [0]), array("L", [0])
        last = b""
        for key, terms in packed:
            encoded = key.encode()
            if encoded <= last:
                raise ValueError("the agreements are not in order of their keys")
            last = encoded
            self._keys += encoded
            self._terms += terms
            self._key_ends.append(len(self._keys))
            self._terms_ends.append(len(self._terms))

    def __len__(self) -> int:
        return len(self._key_ends) - 1

    def __getitem__(self, key: tuple[Signer, SupplierId]) -> Agreement:
        wanted = bytearray("/".join(key), "utf-8")
        index = bisect_left(range(len(self)), wanted, key=self._key_at)
        if index == len(self) or self._key_at(index) != wanted:
            raise KeyError(key)
        begin, end = self._terms_ends[index : index + 2]
        signer, supplier = key
        return self._unpack(signer, supplier, self._terms[begin:end])

    def __iter__(self) -> Iterator[tuple[Signer, SupplierId]]:
        for index in range(len(self)):
            signer, _, supplier = self._key_at(index).decode().partition("/")
            yield signer, SupplierId(supplier)  # type: ignore[misc]  # both are names for str

    def _key_at(self, index: int) -> bytearray:
        return self._keys[self._key_ends[index] : self._key_ends[index + 1]]
