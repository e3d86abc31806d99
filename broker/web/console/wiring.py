"""What the console's routes work with: one field for each flow. `broker.console` makes it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from broker.domain.printed_documents import PrintedDocument
from broker.flow.console.at_work import ConsoleDesk
from broker.flow.console.audit_reading import AuditReading
from broker.flow.console.broken_logins import BrokenLogins
from broker.flow.console.console_audit import ConsoleAudit
from broker.flow.console.invitations import PeopleDesk
from broker.flow.console.role_book import RoleBook
from broker.flow.console.sign_in import SignIn
from broker.flow.decisions.decision_desk import DecisionDesk
from broker.flow.insight.list_meter import ListMeter
from broker.flow.insight.registers import Registers
from broker.flow.insight.simulator import Simulator
from broker.flow.me.school_reading import SchoolReading
from broker.flow.own_pupils.pseudonym_finder import PseudonymFinder
from broker.flow.parents.letter_desk import LetterDesk
from broker.flow.requests.deciding import OfficerDesk
from broker.flow.sheets.sheet_desk import SheetDesk
from broker.flow.shielding.shield_desk import ShieldDesk


class DocumentTypesetter(Protocol):
    """Makes PDF of what is printed and kept."""

    async def typeset(self, document: PrintedDocument) -> bytes:
        """Return the document as PDF, beside the event loop.

        Raises:
            DocumentTooLong
        """
        ...


@dataclass(frozen=True, slots=True)
class InsightWeb:
    """What would be sent, who could be recognised, and registers."""

    simulator: Simulator
    list_meter: ListMeter
    registers: Registers
    typeset: Callable[[PrintedDocument], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class ConsoleWeb:
    """The flows of the console."""

    desk: ConsoleDesk
    sign_in: SignIn
    audit: ConsoleAudit
    audit_reading: AuditReading
    roles: RoleBook
    sheets: SheetDesk
    shields: ShieldDesk
    officer: OfficerDesk
    finder: PseudonymFinder
    letters: LetterDesk
    reading: SchoolReading
    insight: InsightWeb
    decisions: DecisionDesk
    people: PeopleDesk
    links: BrokenLogins
    documents: DocumentTypesetter
