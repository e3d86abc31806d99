"""A copy of a database is one moment of it, while others write."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from broker.adapters.backups import sql_copy
from broker.adapters.backups.sql_copy import DatabaseDamaged, copy_database
from broker.adapters.databases.sql import open_sqlite, transaction
from broker.adapters.databases.sql_upgrade import known_revisions, upgrade_database

ROWS = 200


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A database of many pages, whose one number says how many rows there are."""
    path = tmp_path / "source.db"
    path.touch()
    with closing(open_sqlite(path)) as connection, transaction(connection):
        connection.execute("CREATE TABLE rows (content BLOB)")
        connection.execute("CREATE TABLE total (rows INTEGER)")
        connection.execute("INSERT INTO total VALUES (0)")
        add_rows(connection, ROWS)
    return path


def add_rows(connection: sqlite3.Connection, count: int) -> None:
    connection.executemany("INSERT INTO rows VALUES (randomblob(4000))", [()] * count)
    connection.execute("UPDATE total SET rows = rows + ?", (count,))


def counted(path: Path) -> tuple[int, int]:
    with closing(open_sqlite(path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM rows").fetchone()
        (total,) = connection.execute("SELECT rows FROM total").fetchone()
        return rows, total


def test_a_copy_is_the_moment_at_which_it_began(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes between all steps of the copying, which would begin anew without end."""
    monkeypatch.setattr(sql_copy, "PAGES_AT_ONCE", 16)
    copied: list[int] = []
    with closing(open_sqlite(source)) as writer:

        def write_meanwhile(done: int) -> None:
            copied.append(done)
            with transaction(writer):
                add_rows(writer, 5)

        copy_database(source, tmp_path / "copy.db", progress=write_meanwhile)
    assert len(copied) > 10
    assert sum(copied) == (tmp_path / "copy.db").stat().st_size
    assert counted(tmp_path / "copy.db") == (ROWS, ROWS)
    assert counted(source) == (ROWS + 5 * len(copied),) * 2


def test_a_copy_is_one_file_of_its_owner(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "new/copy.db"
    target.parent.mkdir()
    copy_database(source, target)
    assert [each.name for each in target.parent.iterdir()] == ["copy.db"]
    assert target.stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_over(source: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(FileExistsError):
        copy_database(source, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_damaged_database_is_no_backup(source: Path, tmp_path: Path) -> None:
    with closing(open_sqlite(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(source.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    source.write_bytes(content)
    with pytest.raises((DatabaseDamaged, sqlite3.DatabaseError)):
        copy_database(source, tmp_path / "copy.db")


def test_the_revision_is_told(tmp_path: Path, source: Path) -> None:
    upgrade_database(tmp_path / "register.db", "register")
    revision = copy_database(tmp_path / "register.db", tmp_path / "copy.db")
    assert revision in known_revisions("register")
    assert revision not in known_revisions("receipts")
    assert copy_database(source, tmp_path / "other.db") == ""
