"""A register with persons whom a supplier knows, and the pseudonyms that the supplier has."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from broker.adapters.databases.sql import open_sqlite, transaction
from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_records import PersonRecord, SeenAt, SupplierSeen
from broker.flow.persons.register import RegisterKeys, StoredRow, derive_tag, seal_record
from broker.pseudonyms.derivation import (
    PersonRoot,
    Pseudonym,
    PseudonymKey,
    derive_pseudonym,
)
from broker.pseudonyms.group import map_to_element

SCHOOL = SchoolId("vuurvogel")


@dataclass(frozen=True)
class KnownRow:
    """One person's row."""

    root: PersonRoot
    tag: bytes
    row: StoredRow


def a_root() -> PersonRoot:
    """Return the root of somebody new."""
    return PersonRoot(map_to_element(secrets.token_bytes(64)))


def a_record(root: PersonRoot, suppliers: Mapping[str, str], **changes: object) -> PersonRecord:
    """Return what a row holds of somebody known to suppliers, by the epoch of each."""
    fields: dict[str, object] = {
        "population": Population.PUPIL,
        "account": root,
        "salt": bytes(16),
        "seen": {SCHOOL: SeenAt(account=root, since_year=2026, last_year=2026)},
        "school_year": 2026,
        "suppliers": {SupplierId(each): SupplierSeen(epoch=at) for each, at in suppliers.items()},
    }
    return PersonRecord(**(fields | changes))  # type: ignore[arg-type]


def a_row(root: PersonRoot, record: PersonRecord, *, keys: RegisterKeys) -> KnownRow:
    """Return the row of a root."""
    row = seal_record(record, root=root, keys=keys, nonce=secrets.token_bytes(12))
    return KnownRow(root, derive_tag(keys, root), row)


def known_persons(
    count: int, *, supplier: SupplierId, key: PseudonymKey, keys: RegisterKeys
) -> Iterator[tuple[Pseudonym, KnownRow]]:
    """Yield pseudonyms at a supplier, each with the row of the person."""
    for _ in range(count):
        root = a_root()
        row = a_row(root, a_record(root, {supplier: key.epoch}), keys=keys)
        yield derive_pseudonym(root, supplier=supplier, key=key), row


def store_rows(path: Path, rows: Iterator[KnownRow] | list[KnownRow]) -> None:
    """Put rows into a register that `upgrade_database` made; of the counts nothing is known."""
    connection = open_sqlite(path)
    try:
        with transaction(connection):
            connection.executemany(
                "INSERT INTO persons (tag, sealed, school_year) VALUES (?, ?, ?)",
                ((each.tag, each.row.sealed, each.row.school_year) for each in rows),
            )
    finally:
        connection.close()
