"""Agreements from one version of the registry to the next, at the cost of what changed.

A worker holds two hundred thousand of them packed. A school that decides changes one; so the packed
ones stay, and what changed since lies beside them until that is much, and all is packed anew.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic

from sqlalchemy import bindparam, select

from broker.adapters.databases.document_rows import IN_FORCE
from broker.adapters.databases.packed_agreements import (
    PackedAgreements,
    Signer,
    of_board,
    of_school,
)
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.tables_registry import documents
from broker.domain.agreements import Agreement
from broker.domain.documents import Kind
from broker.domain.ids import BoardId, SchoolId, SupplierId

SCHOOL_SIDE, BOARD_SIDE = "school/", "board/"
"""How the ids of agreements begin."""

BESIDE_AT_MOST = 5_000
"""Agreements that lie beside the packed ones; more of them are packed with all others, which takes
half a second for two hundred thousand."""

_of_kind = documents.c.kind == bindparam("of_kind")
_ALL = prepare(
    select(documents.c.id, documents.c.compiled).where(_of_kind, IN_FORCE).order_by(documents.c.id)
)
_ONE = prepare(
    select(documents.c.compiled).where(_of_kind, documents.c.id == bindparam("of_id"), IN_FORCE)
)


class AgreementsInForce(Mapping[tuple[Signer, SupplierId], Agreement], Generic[Signer]):
    """Packed agreements, and what changed since they were packed.

    Args:
        changed: None for one that is gone.
    """

    def __init__(
        self,
        packed: PackedAgreements[Signer],
        changed: Mapping[tuple[Signer, SupplierId], Agreement | None],
    ) -> None:
        self.packed: PackedAgreements[Signer] = packed
        self.changed: Mapping[tuple[Signer, SupplierId], Agreement | None] = changed

    def __getitem__(self, key: tuple[Signer, SupplierId]) -> Agreement:
        if key in self.changed:
            found = self.changed[key]
            if found is None:
                raise KeyError(key)
            return found
        return self.packed[key]

    def __iter__(self) -> Iterator[tuple[Signer, SupplierId]]:
        yield from (each for each in self.packed if each not in self.changed)
        yield from (each for each, found in self.changed.items() if found is not None)

    def __len__(self) -> int:
        replaced = sum(each in self.packed for each in self.changed)
        there = sum(found is not None for found in self.changed.values())
        return len(self.packed) - replaced + there


@dataclass(frozen=True, slots=True)
class FollowedAgreements:
    """All agreements of one version."""

    version: int
    of_schools: AgreementsInForce[SchoolId] = field(repr=False)
    of_boards: AgreementsInForce[BoardId] = field(repr=False)


def load_agreements(connection: sqlite3.Connection, *, version: int) -> FollowedAgreements:
    """Read and pack all agreements in force."""
    return FollowedAgreements(
        version,
        AgreementsInForce(PackedAgreements(_all(connection, SCHOOL_SIDE), unpack=of_school), {}),
        AgreementsInForce(PackedAgreements(_all(connection, BOARD_SIDE), unpack=of_board), {}),
    )


def follow_agreements(
    connection: sqlite3.Connection,
    before: FollowedAgreements,
    ids: Collection[str],
    *,
    version: int,
) -> FollowedAgreements:
    """Return the agreements of a later version, from those of an earlier one of the same history.

    Args:
        ids: of the agreements that changed since.
        version: in force, in the view of this connection.
    """
    beside = len(before.of_schools.changed) + len(before.of_boards.changed)
    if beside + len(ids) > BESIDE_AT_MOST:
        return load_agreements(connection, version=version)
    schools = dict(before.of_schools.changed)
    boards = dict(before.of_boards.changed)
    for id_ in ids:
        row = connection.execute(_ONE, {"of_kind": Kind.AGREEMENT, "of_id": id_}).fetchone()
        packed = None if row is None else bytearray(row[0])
        side, signer, supplier = id_.split("/")
        of = SupplierId(supplier)
        if side + "/" == SCHOOL_SIDE:
            school = SchoolId(signer)
            schools[school, of] = None if packed is None else of_school(school, of, packed)
        else:
            board = BoardId(signer)
            boards[board, of] = None if packed is None else of_board(board, of, packed)
    return FollowedAgreements(
        version,
        AgreementsInForce(before.of_schools.packed, schools),
        AgreementsInForce(before.of_boards.packed, boards),
    )


def _all(connection: sqlite3.Connection, side: str) -> Iterator[tuple[str, bytes]]:
    for id_, compiled in connection.execute(_ALL, {"of_kind": Kind.AGREEMENT}):
        if id_.startswith(side):
            yield id_.removeprefix(side), compiled
