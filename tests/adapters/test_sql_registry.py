"""The registry on SQLite: every version, all or nothing, and what workers load."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from broker.adapters.databases import tables_console, tables_decisions, tables_sheets
from broker.adapters.databases.sql import open_sqlite, sqlite_engine
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.adapters.databases.tables_registry import REGISTRY_METADATA
from broker.domain.attributes import OIDC_NAMES
from broker.domain.documents import Kind
from broker.domain.ids import SchoolIdpId, SupplierId
from broker.flow.federation.change import RegistryMoved, check_apply, check_return
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.snapshots import RegistryUnreadable
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    a_compiler,
    a_federation,
    a_saml_login,
    a_school,
    a_supplier,
    an_agreement,
    an_oidc_login,
    discovery,
    idp_metadata,
    stated,
    without,
)

DECLARED = (tables_console, tables_decisions, tables_sheets)  # by their import


@pytest.fixture
def store(tmp_path: Path) -> SqliteRegistry:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    return SqliteRegistry(path)


def apply(
    store: SqliteRegistry,
    documents: Iterable[StatedDocument],
    *,
    prune: bool = False,
    at: datetime = NOW,
    **compiler: Any,
) -> int:
    change = check_apply(store, list(documents), prune=prune, compiler=a_compiler(**compiler))
    return store.write(change, by="tester", at=at)


def rows(store: SqliteRegistry, statement: str) -> list[Any]:
    connection = open_sqlite(store.path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_upgrade_makes_what_the_tables_say(store: SqliteRegistry) -> None:
    engine = sqlite_engine(store.path)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, REGISTRY_METADATA) == []
    engine.dispose()


def test_a_new_registry_is_empty(store: SqliteRegistry) -> None:
    assert store.version() == 0
    assert store.current().version == 0
    assert store.documents_at(1) is None
    assert (store.load().version, dict(store.load().schools)) == (0, {})


def test_what_is_applied_is_loaded(store: SqliteRegistry) -> None:
    assert apply(store, a_federation()) == 1
    registry = store.load()
    assert registry.version == store.version() == 1
    school = registry.schools["vuurvogel"]  # type: ignore[index]
    agreement = registry.agreement(school, SupplierId("rekenrijk"))
    assert agreement is not None
    assert agreement.approved == {"givenName"}
    assert registry.by_client_id["rekenrijk"].supplier == "rekenrijk"
    assert registry.idps[SchoolIdpId("vuurvogel")].attributes == dict(OIDC_NAMES)


def test_a_board_s_agreement_is_loaded(store: SqliteRegistry) -> None:
    signed = without(an_agreement(board="stichting"), "school")
    apply(store, a_federation(agreement=signed))
    registry = store.load()
    school = registry.schools["vuurvogel"]  # type: ignore[index]
    assert registry.agreement(school, SupplierId("rekenrijk")) is not None
    assert (len(registry.school_agreements), len(registry.board_agreements)) == (0, 1)


def test_documents_come_back_as_they_were_stated(store: SqliteRegistry) -> None:
    metadata = idp_metadata("https://login.vuurvogel.example")
    login = stated(
        Kind.IDENTITY_PROVIDER, a_saml_login(metadata="vuurvogel.xml"), metadata=metadata
    )
    documents = [stated(Kind.SCHOOL, a_school()), login]
    apply(store, documents)
    assert store.current().documents == {each.key: each for each in documents}


def test_what_was_fetched_is_kept(store: SqliteRegistry) -> None:
    login = without(an_oidc_login(), "token_endpoint")
    apply(store, a_federation(login=login), fetch=lambda _: discovery())
    kept = store.current().documents[Kind.IDENTITY_PROVIDER, "vuurvogel"]
    assert list(kept.fetched.values()) == [discovery()]


def test_every_version_is_kept(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    apply(store, [stated(Kind.SCHOOL, a_school(name="New"))])
    apply(store, a_federation()[:2], prune=True)
    first, second, third = (store.documents_at(version) for version in (1, 2, 3))
    assert first == {each.key: each for each in a_federation()}
    assert second is not None
    assert second[Kind.SCHOOL, "vuurvogel"].document.name == "New"  # type: ignore[union-attr]
    assert len(second) == 4
    assert third is not None
    assert len(third) == 2
    assert len(list(store.ever_stated([(Kind.SCHOOL, "vuurvogel")]))) == 3
    # Only what changed was written again.
    assert rows(store, "SELECT count(*) FROM documents") == [(6,)]


def test_going_back_is_a_version_of_its_own(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    apply(store, [stated(Kind.SCHOOL, a_school(name="New"))])
    change = check_return(store, version=1, compiler=a_compiler())
    assert store.write(change, by="tester", at=NOW) == 3
    assert store.documents_at(3) == store.documents_at(1)
    assert store.load().schools["vuurvogel"].name == "De Vuurvogel"  # type: ignore[index]


def test_pins_are_set_once(store: SqliteRegistry) -> None:
    apply(store, a_federation(), newest_epoch="a")
    apply(store, a_federation()[:2], prune=True, newest_epoch="b")
    apply(store, a_federation(supplier=a_supplier(legal_name="New")), newest_epoch="b")
    assert store.current().pins == {"rekenrijk": "a"}
    assert store.load().suppliers[SupplierId("rekenrijk")].epoch == "a"


def test_a_pin_that_a_rotation_moved_is_loaded(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    rows(store, "UPDATE pins SET epoch = 'b'")
    assert store.load().suppliers[SupplierId("rekenrijk")].epoch == "b"


def test_who_and_when_are_coarse(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    assert rows(store, "SELECT * FROM versions") == [
        (1, "2026-03-02T08Z", "tester", "apply", 4, 0, 0)
    ]


def test_a_change_checked_on_another_version_writes_nothing(store: SqliteRegistry) -> None:
    late = check_apply(store, a_federation(), prune=False, compiler=a_compiler())
    apply(store, a_federation()[:1])
    with pytest.raises(RegistryMoved):
        store.write(late, by="tester", at=NOW)
    assert store.version() == 1
    assert len(store.current().documents) == 1


def test_a_change_that_fails_half_way_writes_nothing(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    rows(
        store,
        "CREATE TRIGGER full BEFORE INSERT ON documents WHEN NEW.kind = 'suppliers' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END",
    )
    changes = [
        stated(Kind.SCHOOL, a_school(name="New")),
        stated(Kind.SUPPLIER, a_supplier(legal_name="New")),
    ]
    with pytest.raises(RegistryUnreadable, match="disk full"):
        apply(store, changes)
    assert store.version() == 1
    assert store.current().documents == {each.key: each for each in a_federation()}


def test_a_database_that_is_missing_or_damaged_is_told(tmp_path: Path) -> None:
    missing = SqliteRegistry(tmp_path / "none.db")
    with pytest.raises(RegistryUnreadable):
        missing.version()
    damaged = SqliteRegistry(tmp_path / "damaged.db")
    damaged.path.write_bytes(b"no database" * 1000)
    with pytest.raises(RegistryUnreadable):
        damaged.load()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET compiled = x'00'",
        "DELETE FROM pins",
    ],
)
def test_content_that_is_not_understood_is_told(store: SqliteRegistry, damage: str) -> None:
    apply(store, a_federation())
    assert store.load()
    rows(store, damage)
    with pytest.raises(RegistryUnreadable):
        SqliteRegistry(store.path).load()


def test_a_load_sees_one_version_whole(store: SqliteRegistry) -> None:
    apply(store, a_federation())
    reader = sqlite3.connect(store.path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT max(version) FROM versions").fetchone() == (1,)
    apply(store, [stated(Kind.SCHOOL, a_school(name="New"))])  # no reader holds a writer up
    assert reader.execute("SELECT max(version) FROM versions").fetchone() == (1,)
    reader.close()
    assert store.load().version == 2
