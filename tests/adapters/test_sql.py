"""The databases: durable, for the owner alone, up to date, and every column says what it holds."""

import importlib
import pkgutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, Table, bindparam, select, text

import broker.adapters.databases
from broker.adapters.databases.sql import (
    BUSY_TIMEOUT_MS,
    open_sqlite,
    prepare,
    sqlite_engine,
    transaction,
)
from broker.adapters.databases.sql_upgrade import (
    Database,
    known_revisions,
    newest_revision,
    read_revision,
    upgrade_database,
)
from broker.adapters.databases.tables_receipts import RECEIPTS_METADATA
from broker.adapters.databases.tables_register import REGISTER_METADATA, persons

KINDS = ("plain: ", "keyed: ", "sealed: ")

PERSONS: list[tuple[Database, MetaData]] = [
    ("receipts", RECEIPTS_METADATA),
    ("register", REGISTER_METADATA),
]


def every_table() -> list[Table]:
    """Of every module `broker.adapters.databases.tables_*`."""
    modules = [
        importlib.import_module(f"broker.adapters.databases.{each.name}")
        for each in pkgutil.iter_modules(broker.adapters.databases.__path__)
        if each.name.startswith("tables_")
    ]
    catalogs = [
        value for each in modules for value in vars(each).values() if isinstance(value, MetaData)
    ]
    return [table for catalog in catalogs for table in catalog.sorted_tables]


def test_every_stored_column_is_labelled() -> None:
    tables = every_table()
    assert {"receipts", "persons"} <= {table.name for table in tables}
    for table in tables:
        assert table.comment, table.name
        for column in table.columns:
            assert (column.comment or "").startswith(KINDS), f"{table.name}.{column.name}"


@pytest.mark.parametrize(("database", "metadata"), PERSONS)
def test_upgrade_makes_what_the_tables_say(
    tmp_path: Path, database: Database, metadata: MetaData
) -> None:
    path = tmp_path / "100%.db"
    upgrade_database(path, database)
    engine = sqlite_engine(path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_upgrade_is_idempotent_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    connection = open_sqlite(path)
    connection.execute("INSERT INTO persons VALUES (x'01', x'02', 2026, NULL)")
    upgrade_database(path, "register")
    assert connection.execute(prepare(select(persons))).fetchall() == [
        (b"\x01", b"\x02", 2026, None)
    ]
    connection.close()


@pytest.mark.parametrize("database", ["registry", "register", "receipts"])
def test_the_newest_revision_is_the_one_that_upgrading_leads_to(
    tmp_path: Path, database: Database
) -> None:
    assert read_revision(tmp_path / "none.db") is None
    upgrade_database(tmp_path / "one.db", database)
    assert read_revision(tmp_path / "one.db") == newest_revision(database)
    assert newest_revision(database) in known_revisions(database)


def test_what_is_up_to_date_needs_no_migrations(tmp_path: Path) -> None:
    upgrade_database(tmp_path / "one.db", "register")
    program = (
        "import sys, pathlib\n"
        "from broker.adapters.databases.sql_upgrade import upgrade_database\n"
        f"upgrade_database(pathlib.Path({str(tmp_path / 'one.db')!r}), 'register')\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_two_processes_may_upgrade_at_once(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    with ThreadPoolExecutor(2) as threads:
        made = [threads.submit(upgrade_in_a_process, path) for _ in range(2)]
        assert [each.result() for each in made] == [0, 0]
    connection = open_sqlite(path)
    assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def upgrade_in_a_process(path: Path) -> int:
    program = (
        "import sys; from pathlib import Path; "
        "from broker.adapters.databases.sql_upgrade import upgrade_database; "
        "upgrade_database(Path(sys.argv[1]), 'register')"
    )
    return subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode


def test_database_is_the_owner_s_alone_with_all_its_files(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    path.touch(mode=0o644)
    upgrade_database(path, "register")
    connection = open_sqlite(path)
    connection.execute("INSERT INTO persons VALUES (x'01', x'02', 2026, NULL)")
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["register.db", "register.db-shm", "register.db-wal"]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    connection.close()


def test_connection_is_durable_and_strict(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    connection = open_sqlite(path)
    for pragma, expected in (
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("trusted_schema", 0),
        ("busy_timeout", 5000),
    ):
        assert connection.execute(f"PRAGMA {pragma}").fetchone() == (expected,), pragma
    connection.close()
    engine = sqlite_engine(path)
    with engine.connect() as checked:
        assert checked.execute(text("PRAGMA synchronous")).scalar_one() == 2
    engine.dispose()


def test_missing_database_is_not_made_by_opening(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        open_sqlite(tmp_path / "register.db")
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        open_sqlite(path)


def test_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "register.db"
    upgrade_database(path, "register")
    connection = open_sqlite(path)
    add = "INSERT INTO persons VALUES (?, x'02', 2026, NULL)"
    with transaction(connection):
        connection.execute(add, (b"1",))
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.executemany(add, [(b"2",), (b"1",)])
    assert connection.execute("SELECT tag FROM persons").fetchall() == [(b"1",)]
    connection.close()


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    upgrade_database(tmp_path / "one.db", "register")
    one, other = (open_sqlite(tmp_path / "one.db") for _ in range(2))
    wrote = Event()

    def write() -> None:
        with transaction(other):
            wrote.set()

    with ThreadPoolExecutor(1) as thread, transaction(one):
        waiting = thread.submit(write)
        assert not wrote.is_set()
        one.execute("COMMIT")
        waiting.result()
        one.execute("BEGIN")
    assert wrote.is_set()
    for each in (one, other):
        assert each.execute("PRAGMA busy_timeout").fetchone() == (BUSY_TIMEOUT_MS,)
        each.close()


def test_a_writer_does_not_wait_for_ever(tmp_path: Path) -> None:
    upgrade_database(tmp_path / "one.db", "register")
    one = open_sqlite(tmp_path / "one.db")
    other = open_sqlite(tmp_path / "one.db", busy_timeout_ms=1)
    locked = pytest.raises(sqlite3.OperationalError, match="locked")
    with transaction(one), locked, transaction(other):
        pass
    with transaction(other):
        pass
    one.close()
    other.close()


def test_prepared_statement_holds_names_and_no_values() -> None:
    by_name = select(persons.c.sealed).where(persons.c.tag == bindparam("of"))
    assert prepare(by_name).endswith("WHERE persons.tag = :of")
    with pytest.raises(ValueError, match="names"):
        prepare(select(persons.c.sealed).where(persons.c.tag == b"1"))
