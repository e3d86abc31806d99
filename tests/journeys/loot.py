"""What a thief of every file of `data/` and `keys/` holds, and every value in it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.adapters.databases.tables_receipts import RECEIPTS_METADATA
from broker.adapters.databases.tables_register import REGISTER_METADATA
from broker.adapters.databases.tables_registry import REGISTRY_METADATA
from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys

DATABASES = {
    "register.db": REGISTER_METADATA,
    "registry.db": REGISTRY_METADATA,
    "receipts.db": RECEIPTS_METADATA,
}
Row = Mapping[str, Any]
Value = bytes | str


@dataclass(frozen=True, slots=True)
class Loot:
    """All that rests."""

    keys: BrokerKeys
    key_files: Mapping[str, bytes]
    tables: Mapping[str, tuple[Row, ...]]
    other_files: Mapping[str, bytes]

    def column(self, name: str) -> list[Any]:
        """Return all values of `table.column`."""
        table, column = name.split(".")
        return [row[column] for row in self.tables[table]]


def steal(config_folder: Path) -> Loot:
    """Return what every file of the keys and the data says, while the broker runs."""
    keys_folder, data = config_folder / "keys", config_folder / "data"
    tables: dict[str, tuple[Row, ...]] = {}
    for name, metadata in DATABASES.items():
        with closing(sqlite3.connect(data / name)) as connection:
            connection.row_factory = sqlite3.Row
            for table in metadata.sorted_tables:
                rows = connection.execute(f'SELECT * FROM "{table.name}"')
                tables[table.name] = tuple(dict(each) for each in rows)
    others = {
        str(file.relative_to(data)): file.read_bytes()
        for file in sorted(data.rglob("*"))
        if file.is_file() and file.name.split("-")[0] not in DATABASES
    }
    key_files = {
        str(file.relative_to(keys_folder)): file.read_bytes()
        for file in sorted(keys_folder.rglob("*"))
        if file.is_file()
    }
    return Loot(load_keys(keys_folder), key_files, tables, others)


def keyed_columns() -> list[str]:
    """Return `table.column` of what the schema calls keyed."""
    return columns_of_kind("keyed")


def columns_of_kind(kind: str) -> list[str]:
    """Return `table.column` of everything that the schemas say is of one kind."""
    return [
        f"{table.name}.{column.name}"
        for metadata in DATABASES.values()
        for table in metadata.sorted_tables
        for column in table.columns
        if (column.comment or "").startswith(f"{kind}: ")
    ]


def everything_in(loot: Loot) -> Iterator[Value]:
    """Yield every value that rests, and what is inside those that hold several."""
    for rows in loot.tables.values():
        for row in rows:
            yield from values_in(row)
    for content in (*loot.key_files.values(), *loot.other_files.values()):
        yield from values_in(content)


def values_in(value: object) -> Iterator[Value]:
    match value:
        case bytes():
            yield value
            if len(value) > 32:
                yield from (value[:32], value[-32:], value[13:45], value[1:13])
            with suppress(UnicodeDecodeError):
                yield from values_in(value.decode())
        case str():
            yield value
            with suppress(ValueError):
                yield bytes.fromhex(value.strip())
            if value[:1] in "[{":
                with suppress(ValueError):
                    yield from values_in(json.loads(value))
        case Mapping():
            for name, each in value.items():
                yield from values_in(name)
                yield from values_in(each)
        case list() | tuple():
            for each in value:
                yield from values_in(each)
        case int():
            yield str(value)


def texts_in(material: Iterable[Value]) -> list[str]:
    return [each for each in material if isinstance(each, str) and len(each) < 200]
