"""What must be the same at each start: a wrong key or a lost database never goes unseen."""

import hashlib
import hmac
import shutil
from pathlib import Path

import pytest

from broker.adapters.databases.data_folder import DatabasesLost, DataFolder, find_open_files
from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_upgrade import Database, upgrade_database
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import KeysUnusable, derive_key_check, load_keys
from broker.flow.federation.snapshots import RegistryUnreadable
from tests.builders_saml import NOW

LASTING = ["root/root.hex", "pairwise/a.hex", "register/register.hex", "receipts/receipts.hex"]
PASSING = ["storage/storage.hex", "cookie/cookie.hex"]
OTHERS: tuple[Database, ...] = ("register", "receipts")


@pytest.fixture(scope="module")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    init_keys(folder, now=NOW, issuer_name="Test")
    return folder


@pytest.fixture
def place(tmp_path: Path, made_keys: Path) -> Path:
    """A folder with keys, and databases as the first start leaves them."""
    shutil.copytree(made_keys, tmp_path / "keys")
    data_of(tmp_path).open()
    return tmp_path


def data_of(place: Path) -> DataFolder:
    return DataFolder(place / "data", place / "keys", load_keys(place / "keys"))


def lose(place: Path, name: str) -> None:
    for file in (place / "data").glob(f"{name}.db*"):
        file.rename(f"{file}.away")


def bring_back(place: Path, name: str) -> None:
    for file in (place / "data").glob(f"{name}.db*"):
        if file.suffix != ".away":
            file.unlink()
    for file in (place / "data").glob(f"{name}.db*.away"):
        file.rename(str(file).removesuffix(".away"))


def losses_of(place: Path) -> list[str]:
    return [each.name for each in data_of(place).find_losses()]


def run(place: Path, statement: str, database: Database = "registry") -> None:
    connection = open_sqlite(place / "data" / f"{database}.db")
    connection.execute(statement)
    connection.close()


FIRST_TABLES: dict[Database, set[str]] = {
    "registry": {"versions", "documents", "pins"},
    "register": {"persons"},
    "receipts": {"receipts", "receipt_writers", "receipt_heads"},
}
"""What the first revision of each database made."""

LATER_COLUMNS: dict[Database, set[tuple[str, str]]] = {"register": {("persons", "life")}}
"""Table and column of what later revisions added to those."""


def put_back(place: Path, database: Database, tables: set[str]) -> None:
    """Make a database what its first revision made."""
    connection = open_sqlite(place / "data" / f"{database}.db")
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in rows:
        if name not in tables | {"alembic_version"} and not name.startswith("sqlite_"):
            connection.execute(f"DROP TABLE {name}")
    for table, column in LATER_COLUMNS.get(database, ()):
        connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute(f"UPDATE alembic_version SET version_num = '{database}_0001'")
    connection.close()


def test_starting_again_finds_nothing_lost(place: Path) -> None:
    data_of(place).open()
    assert losses_of(place) == []


@pytest.mark.parametrize("name", LASTING)
def test_another_key_that_lasts_is_told_until_the_right_one_is_back(place: Path, name: str) -> None:
    file = place / "keys" / name
    right = file.read_text()
    file.write_text("0f" * 32)
    with pytest.raises(KeysUnusable) as found:
        data_of(place).open()
    (problem,) = found.value.problems
    assert (problem.file, problem.problem) == (file, "is not the key that was in use before")
    assert problem.remedy.startswith(f"Restore {name} from the backup")
    assert losses_of(place) == [name]
    file.write_text(right)
    data_of(place).open()


def test_keys_that_were_exchanged_are_told(place: Path) -> None:
    root, storage = (place / "keys" / each for each in (LASTING[0], PASSING[0]))
    texts = root.read_text(), storage.read_text()
    storage.write_text(texts[0])
    root.write_text(texts[1])
    assert losses_of(place) == [LASTING[0]]


@pytest.mark.parametrize("name", PASSING)
def test_a_key_that_may_be_replaced_is_not_compared(place: Path, name: str) -> None:
    (place / "keys" / name).write_text("0f" * 32)
    data_of(place).open()
    assert losses_of(place) == []


def test_a_new_epoch_is_kept_from_its_first_start_on(place: Path) -> None:
    file = place / "keys/pairwise/b.hex"
    file.touch(mode=0o600)
    file.write_text("0f" * 32)
    data_of(place).open_registry()
    file.write_text("0e" * 32)
    assert losses_of(place) == ["pairwise/b.hex"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_database_that_is_missing_is_not_made_anew(place: Path, name: Database) -> None:
    lose(place, name)
    with pytest.raises(DatabasesLost, match=rf"{name}\.db.*backup"):
        data_of(place).open()
    assert not (place / "data" / f"{name}.db").exists()
    bring_back(place, name)
    data_of(place).open()


@pytest.mark.parametrize("name", OTHERS)
def test_another_database_in_its_place_is_told(place: Path, name: Database) -> None:
    lose(place, name)
    upgrade_database(place / "data" / f"{name}.db", name)
    assert losses_of(place) == [f"{name}.db"]
    bring_back(place, name)
    assert losses_of(place) == []


@pytest.mark.parametrize("empty", [True, False])
def test_a_registry_that_is_lost_is_not_made_anew(place: Path, empty: bool) -> None:
    lose(place, "registry")
    if empty:
        upgrade_database(place / "data/registry.db", "registry")
    assert losses_of(place) == ["registry.db"]
    with pytest.raises(DatabasesLost):
        data_of(place).open_registry()
    bring_back(place, "registry")
    data_of(place).open_registry()


def test_with_keys_of_several_epochs_nothing_is_an_installation_anew(place: Path) -> None:
    """Suppliers would be pinned to the newest, and pupils be strangers to those of an older one."""
    for each in ("registry", *OTHERS):
        lose(place, each)
    assert losses_of(place) == []  # the twin: with one epoch there is nothing to confuse
    file = place / "keys/pairwise/b.hex"
    file.touch(mode=0o600)
    file.write_text("0f" * 32)
    with pytest.raises(DatabasesLost, match=r"several epochs.*accept-loss registry\.db"):
        data_of(place).open_registry()
    assert not (place / "data/registry.db").exists()
    (loss,) = data_of(place).find_losses()
    data_of(place).accept(loss)
    data_of(place).open()
    assert losses_of(place) == []


def test_a_register_that_is_lost_with_the_registry_is_told_by_the_receipts(place: Path) -> None:
    lose(place, "registry")
    lose(place, "register")
    assert losses_of(place) == ["registry.db", "register.db"]


@pytest.mark.parametrize("lost", [("register",), ("receipts",), ("registry",), ("x", *OTHERS)])
def test_what_is_accepted_is_lost_no_more(place: Path, lost: tuple[str, ...]) -> None:
    for each in lost:
        lose(place, each.replace("x", "registry"))
    while losses := data_of(place).find_losses():
        data_of(place).accept(losses[-1])  # in whatever order
    data_of(place).open()
    assert losses_of(place) == []


def test_another_database_may_be_accepted(place: Path) -> None:
    lose(place, "register")
    upgrade_database(place / "data/register.db", "register")
    (loss,) = data_of(place).find_losses()
    data_of(place).accept(loss)
    assert losses_of(place) == []
    bring_back(place, "register")
    assert losses_of(place) == ["register.db"]


def test_another_key_may_be_accepted(place: Path) -> None:
    (place / "keys/root/root.hex").write_text("0f" * 32)
    (loss,) = data_of(place).find_losses()
    data_of(place).accept(loss)
    assert losses_of(place) == []


def test_databases_from_before_they_were_marked_are_taken_as_they_are(place: Path) -> None:
    for name, tables in FIRST_TABLES.items():
        put_back(place, name, tables)
    run(place, "INSERT INTO versions VALUES (1, '', '', '', 0, 0, 0)")
    data_of(place).open_registry()
    data_of(place).open()
    lose(place, "register")
    assert losses_of(place) == ["register.db"]


def test_a_database_that_lost_its_mark_is_another_one(place: Path) -> None:
    run(place, "DELETE FROM register_mark", "register")
    assert losses_of(place) == ["register.db"]


def test_a_registry_that_cannot_be_read_is_told(place: Path) -> None:
    lose(place, "registry")
    (place / "data/registry.db").write_bytes(b"no database" * 1000)
    with pytest.raises(RegistryUnreadable):
        data_of(place).check_nothing_lost()


def test_check_value_is_of_the_key_and_its_name() -> None:
    """What is stored: changing it would refuse every start."""
    key = bytes(range(32))
    expected = hmac.new(key, b"schuilnaam/key-check/v1root/root.hex", hashlib.sha256).digest()[:16]
    assert derive_key_check(key, name="root/root.hex") == expected
    assert derive_key_check(key, name="pairwise/a.hex") != expected


def test_registry_holds_no_key(place: Path) -> None:
    stored = b"".join(file.read_bytes() for file in (place / "data").iterdir())
    for name in LASTING:
        text = (place / "keys" / name).read_text().strip()
        assert bytes.fromhex(text) not in stored
        assert text.encode() not in stored


def test_databases_are_their_owner_s_alone(place: Path) -> None:
    assert list(find_open_files(place / "data")) == []
    (place / "data").chmod(0o750)
    (place / "data/register.db").chmod(0o644)
    assert list(find_open_files(place / "data")) == [
        (place / "data", 0o750),
        (place / "data/register.db", 0o644),
    ]
    assert list(find_open_files(place / "none")) == []
