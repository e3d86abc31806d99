"""Rows of the person register, many at once: for conversions, which ask for millions."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import bindparam, select

from broker.adapters.databases.sql import OpenedFile, prepare
from broker.adapters.databases.tables_register import persons
from broker.flow.persons.register import RegisterUnavailable, StoredRow

TAGS_AT_ONCE = 250

_NAMES = tuple(f"t{index}" for index in range(TAGS_AT_ONCE))
_FIND = prepare(
    select(persons.c.tag, persons.c.sealed, persons.c.school_year).where(
        persons.c.tag.in_([bindparam(name) for name in _NAMES])
    )
)


class SqliteRegisterRows:
    """`broker.flow.rotation.conversion.RegisterRows`. Used by one thread at a time.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: OpenedFile | None = None

    def find(self, tags: Sequence[bytes]) -> Mapping[bytes, StoredRow]:
        """Return the rows that are there, by tag.

        Raises:
            RegisterUnavailable: the register cannot be read.
        """
        found: dict[bytes, StoredRow] = {}
        ordered = sorted(tags)  # neighbours share pages
        try:
            if self._opened is None:
                self._opened = OpenedFile(self._path)
            connection = self._opened.connection()
            for start in range(0, len(ordered), TAGS_AT_ONCE):
                some = ordered[start : start + TAGS_AT_ONCE]
                some += some[-1:] * (TAGS_AT_ONCE - len(some))
                rows = connection.execute(_FIND, dict(zip(_NAMES, some, strict=True)))
                found |= {tag: StoredRow(sealed, year) for tag, sealed, year in rows}
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise RegisterUnavailable("check_readable") from error
        return found

    def close(self) -> None:
        """Close the database."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
