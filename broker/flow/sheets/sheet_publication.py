"""Putting a published sheet in force: a narrow change of the supplier's document."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from broker.domain.documents import SupplierDocument
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.change import Compiler
from broker.flow.federation.documents import FederationProblems
from broker.flow.federation.narrow_change import (
    EditedMeanwhile,
    NarrowPut,
    NarrowStore,
    NotNarrow,
    change_narrowly,
)
from broker.flow.sheets.sheet_refusals import SheetEditedMeanwhile, SheetNotAccepted
from broker.flow.sheets.sheet_store import StoredForm

NOTE = "sheet"
"""In the list of the registry's versions."""

BY = "console"
"""Who changed the registry; who it was stands in the audit."""


@dataclass(frozen=True, slots=True)
class NarrowPublisher:
    """`SheetPublisher` over the registry."""

    store: NarrowStore
    compiler: Compiler
    clock: Callable[[], datetime]

    async def publish(
        self, document: SupplierDocument, *, instead_of: StoredForm, entry: ConsoleEntry
    ) -> None:
        """Put it in force in place of the form that it was made of, with the entry of the audit.

        Raises:
            SheetEditedMeanwhile: another form is in force by now.
            SheetNotAccepted: the federation would not hold together.
            RegistryUnreadable
        """
        try:
            await change_narrowly(
                self.store,
                [NarrowPut(document, instead_of.first_version)],
                schools_of_board=lambda _: (),  # it leans on none
                compiler=self.compiler,
                note=NOTE,
                by=BY,
                at=self.clock(),
                entries=[entry],
            )
        except EditedMeanwhile as moved:
            raise SheetEditedMeanwhile("check_document_unchanged") from moved
        except NotNarrow as refused:
            raise SheetNotAccepted("check_document_narrow", why=[str(refused)]) from refused
        except FederationProblems as found:
            why = [f"{each.path} {each.problem} {each.remedy}" for each in found.problems]
            raise SheetNotAccepted("check_document_sound", why=why) from found
