"""Letters to parents in `register.db`: found by a keyed part of their code, opened by all of it."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import bindparam, select

from broker.adapters.databases.register_file import RegisterFile
from broker.adapters.databases.sql import prepare
from broker.adapters.databases.tables_register import parent_letters
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.parents.parent_codes import LetterBatch, NewLetter, ParentRules, StoredLetter

_ADD = """INSERT INTO parent_letters (tag, person, sealed, school, batch, household, issued_on,
    last_day, once, withdrawn, uses, used_today) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)
    ON CONFLICT (tag) DO NOTHING"""
_table = parent_letters
_letters = select(
    *(_table.c.tag, _table.c.person, _table.c.sealed, _table.c.school, _table.c.batch),
    *(_table.c.household, _table.c.issued_on, _table.c.last_day, _table.c.once),
    *(_table.c.withdrawn, _table.c.uses, _table.c.used_on),
)
_FIND = prepare(_letters.where(_table.c.tag == bindparam("of_tag")))
_OF_PERSON = prepare(_letters.where(_table.c.person == bindparam("of_person")))
_USE = """UPDATE parent_letters SET sealed = :new, uses = uses + 1,
    used_today = CASE WHEN used_on = :today THEN used_today + 1 ELSE 1 END, used_on = :today
    WHERE tag = :tag AND sealed = :old AND NOT withdrawn AND last_day >= :today
    AND (uses = 0 OR NOT once) AND (used_on IS NOT :today OR used_today < :most)"""
_BATCHES = """SELECT batch, min(issued_on), max(last_day), count(*), sum(uses > 0), sum(withdrawn)
    FROM parent_letters WHERE school = ? GROUP BY batch ORDER BY min(issued_on) DESC, batch"""
_WITHDRAW_BATCH = """UPDATE parent_letters SET withdrawn = 1 WHERE NOT withdrawn
    AND school = :school AND batch = :batch AND (:household = 0 OR household = :household)"""
_WITHDRAW_PERSON = """UPDATE parent_letters SET withdrawn = 1 WHERE NOT withdrawn
    AND school = :school AND person = :person AND (:household = 0 OR household = :household)"""
_EXCLUDE = """INSERT INTO parent_exclusions (person, household, school) VALUES (?, ?, ?)
    ON CONFLICT DO NOTHING"""
_INCLUDE = "DELETE FROM parent_exclusions WHERE person = ? AND household = ? AND school = ?"
_EXCLUDED = "SELECT household FROM parent_exclusions WHERE person = ?"
_RULES = "SELECT rules FROM parent_rules WHERE school = ?"
_SET_RULES = """INSERT INTO parent_rules (school, rules) VALUES (?, ?)
    ON CONFLICT (school) DO UPDATE SET rules = excluded.rules"""
_FORGET = (
    "DELETE FROM parent_letters WHERE person = ?",
    "DELETE FROM parent_exclusions WHERE person = ?",
)


@dataclass(frozen=True, slots=True)
class SqliteLetters:
    """`broker.flow.parents.parent_codes.LetterBook`.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    path: Path
    _file: RegisterFile = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_file", RegisterFile(self.path))

    async def add(self, letters: Sequence[NewLetter]) -> Collection[bytes]:
        """Store letters durably; return the tags of those whose tag is taken."""

        def add(connection: sqlite3.Connection) -> list[bytes]:
            return [
                each.tag
                for each in letters
                if connection.execute(_ADD, _row_of(each)).rowcount == 0
            ]

        return await self._file.write(add)

    def find(self, tag: bytes) -> StoredLetter | None:
        """Return a letter."""

        def find(connection: sqlite3.Connection) -> StoredLetter | None:
            row = connection.execute(_FIND, {"of_tag": tag}).fetchone()
            return None if row is None else _letter(row)

        return self._file.read(find)

    async def use(self, letter: StoredLetter, *, sealed: bytes, today: date, most: int) -> bool:
        """Count a use, durably; False when it may not be used any more, or changed meanwhile."""
        values = {
            "tag": letter.tag,
            "old": letter.sealed,
            "new": sealed,
            "today": today.isoformat(),
            "most": most,
        }
        return await self._file.write(
            lambda connection: connection.execute(_USE, values).rowcount == 1
        )

    def of_persons(self, persons: Sequence[bytes]) -> Sequence[StoredLetter]:
        """Return the letters about these pupils, the newest first."""

        def look(connection: sqlite3.Connection) -> list[StoredLetter]:
            found = [
                _letter(row)
                for each in persons
                for row in connection.execute(_OF_PERSON, {"of_person": each})
            ]
            return sorted(found, key=lambda each: each.issued_on, reverse=True)

        return self._file.read(look)

    def batches(self, school: SchoolId) -> Sequence[LetterBatch]:
        """Return the batches of a school, the newest first."""

        def look(connection: sqlite3.Connection) -> list[LetterBatch]:
            return [
                LetterBatch(row[0], _day(row[1]), _day(row[2]), *row[3:])
                for row in connection.execute(_BATCHES, (school,))
            ]

        return self._file.read(look)

    async def withdraw(
        self,
        school: SchoolId,
        *,
        batch: str = "",
        persons: Sequence[bytes] = (),
        household: int = 0,
    ) -> int:
        """Let letters of a batch, or about these pupils, open nothing any more."""
        values = {"school": school, "batch": batch, "household": household}

        def withdraw(connection: sqlite3.Connection) -> int:
            if batch:
                return connection.execute(_WITHDRAW_BATCH, values).rowcount
            return sum(
                connection.execute(_WITHDRAW_PERSON, {**values, "person": each}).rowcount
                for each in persons
            )

        return await self._file.write(withdraw)

    async def exclude(
        self, school: SchoolId, persons: Sequence[bytes], *, household: int, on: bool
    ) -> None:
        """Let nobody make letters about these pupils, or for one household; or again."""

        def exclude(connection: sqlite3.Connection) -> None:
            rows = [(each, household, school) for each in persons]
            connection.executemany(_EXCLUDE if on else _INCLUDE, rows)

        await self._file.write(exclude)

    def excluded(self, persons: Sequence[bytes]) -> Mapping[bytes, Collection[int]]:
        """Return which households of which of these pupils are excluded; 0 is all."""

        def look(connection: sqlite3.Connection) -> dict[bytes, set[int]]:
            found: dict[bytes, set[int]] = defaultdict(set)
            for each in persons:
                rows = connection.execute(_EXCLUDED, (each,))
                found[each].update(household for (household,) in rows)
            return dict(found)

        return self._file.read(look)

    def rules(self, school: SchoolId) -> ParentRules:
        """Return what a school decided."""

        def look(connection: sqlite3.Connection) -> ParentRules:
            row = connection.execute(_RULES, (school,)).fetchone()
            if row is None:
                return ParentRules()
            told = json.loads(row[0])
            return ParentRules(frozenset(map(SupplierId, told["hidden"])), told["pupils_see"])

        return self._file.read(look)

    async def set_rules(self, school: SchoolId, rules: ParentRules) -> None:
        """Put rules in force."""
        told = json.dumps({"hidden": sorted(rules.hidden), "pupils_see": rules.pupils_see})
        await self._file.write(lambda connection: connection.execute(_SET_RULES, (school, told)))


def remove_letters(connection: sqlite3.Connection, person: bytes) -> None:
    """Delete what rests about somebody who is erased, in the caller's transaction."""
    for statement in _FORGET:
        connection.execute(statement, (person,))


def _row_of(each: NewLetter) -> tuple[object, ...]:
    days = (each.issued_on.isoformat(), each.last_day.isoformat())
    return (
        *(each.tag, each.person, each.sealed, each.school, each.batch, each.household),
        *(*days, each.once),
    )


def _letter(row: Sequence[object]) -> StoredLetter:
    tag, person, sealed, school, batch, household, issued_on, last_day, once, withdrawn = row[:10]
    return StoredLetter(  # the columns' types are those of the table
        *(tag, person, sealed, school, batch, household),  # type: ignore[arg-type]
        _day(issued_on),
        _day(last_day),
        bool(once),
        bool(withdrawn),
        row[10],  # type: ignore[arg-type]
        None if row[11] is None else _day(row[11]),
    )


def _day(text: object) -> date:
    return date.fromisoformat(str(text))
