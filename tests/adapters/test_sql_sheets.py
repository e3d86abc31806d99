"""The history of suppliers' sheets, and drafts, on SQLite."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_sheets import SqliteSheets
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.console_roles import Role
from broker.domain.documents import Kind
from broker.flow.console.console_audit import entry_of
from broker.flow.federation.change import check_apply
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.sheets.sheet_store import SheetDraft
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    a_compiler,
    a_federation,
    a_supplier,
    an_agreement,
    stated,
    without,
)
from tests.flow.sheet_builders import a_sheet, an_attribute
from tests.flow.sheet_desk_builders import BIOSFEER, REKENRIJK, an_actor

ENTRY = entry_of(
    an_actor(), Role.SUPPLIER_ADMIN, "sheet-draft-saved", at=NOW, supplier=REKENRIJK, after="{}"
)
DRAFT = SheetDraft(REKENRIJK, 1, 1, a_sheet(), "2026-11-27T13Z")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    return path


@pytest.fixture
def sheets(path: Path) -> SqliteSheets:
    return SqliteSheets(path)


def apply_sheet(path: Path, version: int) -> None:
    sheet = msgspec.to_builtins(a_sheet(version=version).sheet)
    store = SqliteRegistry(path)
    documents = a_federation(supplier=a_supplier(sheet=sheet))
    change = check_apply(store, documents, prune=False, compiler=a_compiler())
    store.write(change, by="tester", at=NOW)


def test_every_form_of_a_supplier_s_document_is_read(path: Path, sheets: SqliteSheets) -> None:
    apply_sheet(path, 1)
    apply_sheet(path, 2)
    forms = sheets.versions(REKENRIJK)
    assert [each.sheet_version for each in forms] == [1, 2]
    assert [each.first_version for each in forms] == [1, 2]
    assert forms[0].applied_in == f"{NOW:%Y-%m-%dT%HZ}"
    assert sheets.read(REKENRIJK) == forms[1]
    assert forms[1].stated.key == (Kind.SUPPLIER, REKENRIJK)
    sheet = msgspec.to_builtins(a_sheet(version=2).sheet)
    assert forms[1].stated == stated(Kind.SUPPLIER, a_supplier(sheet=sheet))


def test_a_supplier_that_is_not_there_has_no_form(path: Path, sheets: SqliteSheets) -> None:
    apply_sheet(path, 1)
    assert sheets.read(BIOSFEER) is None
    assert sheets.versions(BIOSFEER) == ()


async def test_a_draft_is_kept_with_its_entry(path: Path, sheets: SqliteSheets) -> None:
    assert sheets.find(REKENRIJK) is None
    assert await sheets.save(DRAFT, entry=ENTRY)
    assert sheets.find(REKENRIJK) == DRAFT
    assert sheets.find(BIOSFEER) is None
    changed = replace(DRAFT, revision=2, content=a_sheet(an_attribute("sn")))
    assert await sheets.save(changed, entry=ENTRY)
    assert sheets.find(REKENRIJK) == changed
    assert SqliteConsoleAudit(path).look(supplier=REKENRIJK).found == 2


async def test_a_draft_that_somebody_else_saved_stays(path: Path, sheets: SqliteSheets) -> None:
    assert await sheets.save(DRAFT, entry=ENTRY)
    for late in (DRAFT, replace(DRAFT, revision=3)):
        assert not await sheets.save(late, entry=ENTRY)
    assert not await sheets.discard(REKENRIJK, revision=2, entry=ENTRY)
    assert sheets.find(REKENRIJK) == DRAFT
    assert SqliteConsoleAudit(path).look(supplier=REKENRIJK).found == 1


async def test_a_draft_is_removed_once(path: Path, sheets: SqliteSheets) -> None:
    await sheets.save(DRAFT, entry=ENTRY)
    assert await sheets.discard(REKENRIJK, revision=1, entry=ENTRY)
    assert not await sheets.discard(REKENRIJK, revision=1, entry=ENTRY)
    assert sheets.find(REKENRIJK) is None
    assert SqliteConsoleAudit(path).look(supplier=REKENRIJK).found == 2


async def test_a_draft_that_this_program_does_not_understand_is_said_so(
    path: Path, sheets: SqliteSheets
) -> None:
    await sheets.save(DRAFT, entry=ENTRY)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE sheet_drafts SET content = '[]'")
        connection.commit()
    with pytest.raises(RegistryUnreadable):
        sheets.find(REKENRIJK)


async def test_agreements_of_a_supplier_are_read_of_schools_and_boards(
    path: Path, sheets: SqliteSheets
) -> None:
    store = SqliteRegistry(path)
    of_board = without(an_agreement(board="stichting", version=3), "school")
    more = [stated(Kind.AGREEMENT, of_board)]
    change = check_apply(store, a_federation(more=more), prune=False, compiler=a_compiler())
    store.write(change, by="tester", at=NOW)
    found = await sheets.agreements_of(REKENRIJK)
    assert [(each.school, each.board, each.version) for each in found] == [
        (None, "stichting", 3),
        ("vuurvogel", None, 1),
    ]
    assert await sheets.agreements_of(BIOSFEER) == ()
