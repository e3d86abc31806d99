"""A published sheet in force: a narrow change of the supplier's document, or nothing at all."""

from pathlib import Path

import msgspec
import pytest

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_sheets import SqliteSheets
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.console import console_compiler
from broker.domain.console_roles import Role
from broker.domain.documents import SupplierDocument
from broker.domain.sheets import with_sheet
from broker.flow.console.console_audit import entry_of
from broker.flow.federation.change import check_apply
from broker.flow.federation.discovery import FetchFailed
from broker.flow.sheets.sheet_publication import NarrowPublisher
from broker.flow.sheets.sheet_refusals import SheetEditedMeanwhile, SheetNotAccepted
from broker.flow.sheets.sheet_store import StoredForm
from tests.builders_saml import NOW
from tests.flow.federation_builders import a_compiler, a_federation
from tests.flow.sheet_builders import a_sheet, an_attribute
from tests.flow.sheet_desk_builders import REKENRIJK, an_actor

ENTRY = entry_of(
    an_actor(), Role.SUPPLIER_ADMIN, "sheet-published", at=NOW, supplier=REKENRIJK, after="{}"
)


class PublishedRegistry:
    """A registry with Rekenrijk, which has no sheet yet."""

    def __init__(self, path: Path) -> None:
        upgrade_database(path, "registry")
        self.registry = SqliteRegistry(path)
        change = check_apply(self.registry, a_federation(), prune=False, compiler=a_compiler())
        self.registry.write(change, by="tester", at=NOW)
        self.sheets = SqliteSheets(path)
        self.audit = SqliteConsoleAudit(path)
        self.publisher = NarrowPublisher(self.registry, console_compiler(), lambda: NOW)

    def form(self) -> StoredForm:
        found = self.sheets.read(REKENRIJK)
        assert found is not None
        return found

    async def publish(self, document: SupplierDocument, instead_of: StoredForm) -> None:
        await self.publisher.publish(document, instead_of=instead_of, entry=ENTRY)


@pytest.fixture
def world(tmp_path: Path) -> PublishedRegistry:
    return PublishedRegistry(tmp_path / "registry.db")


async def test_a_published_sheet_is_what_logins_go_by(world: PublishedRegistry) -> None:
    before = world.form()
    asked = an_attribute("sn", required=True, required_since=1)
    await world.publish(with_sheet(before.document, a_sheet(asked)), before)
    supplier = world.registry.load().suppliers[REKENRIJK]
    assert supplier.sheet_version == 1
    assert [(each.name, each.required_since) for each in supplier.attributes] == [("sn", 1)]
    assert supplier.relying_parties
    assert world.form().sheet == a_sheet(asked)
    assert world.audit.look(supplier=REKENRIJK).found == 1


async def test_a_sheet_over_another_form_than_was_read_is_refused(
    world: PublishedRegistry,
) -> None:
    before = world.form()
    await world.publish(with_sheet(before.document, a_sheet()), before)
    late = with_sheet(before.document, a_sheet(an_attribute("mail")))
    with pytest.raises(SheetEditedMeanwhile):
        await world.publish(late, before)
    assert world.form().sheet == a_sheet()
    assert world.audit.look(supplier=REKENRIJK).found == 1


async def test_a_sheet_changes_nothing_else_of_its_supplier(world: PublishedRegistry) -> None:
    before = world.form()
    other = msgspec.structs.replace(before.document, legal_name="Somebody else B.V.")
    with pytest.raises(SheetNotAccepted):
        await world.publish(with_sheet(other, a_sheet()), before)
    assert world.form() == before


async def test_a_sheet_that_the_federation_refuses_is_not_in_force(
    world: PublishedRegistry,
) -> None:
    before = world.form()
    with pytest.raises(SheetNotAccepted) as refused:
        await world.publish(with_sheet(before.document, a_sheet(an_attribute("eckId"))), before)
    assert any("not entitled" in each for each in refused.value.why)
    assert world.form() == before
    assert world.audit.look(supplier=REKENRIJK).found == 0


def test_nothing_is_fetched_for_a_document_of_the_console() -> None:
    with pytest.raises(FetchFailed):
        console_compiler().fetch("https://somewhere.example")
