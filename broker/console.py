"""Part of the composition root: the console. One small function for each of its flows."""

from pathlib import Path

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_decisions import SqliteDecisions
from broker.adapters.databases.sql_letters import SqliteLetters
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_role_book import SqliteRoleBook
from broker.adapters.databases.sql_sheets import SqliteSheets
from broker.adapters.documents.typeset_documents import TypesetDocuments
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.console_insight import wire_insight
from broker.console_pupils import PupilDesks
from broker.flow.console.at_work import ConsoleDesk, SigningRules
from broker.flow.console.audit_reading import AuditReading
from broker.flow.console.broken_logins import BrokenLogins, LinkPorts
from broker.flow.console.console_sessions import ConsoleSessions, SessionTimes
from broker.flow.console.invitations import PeopleDesk, PeoplePorts
from broker.flow.console.sign_in import SignIn, SignInPorts
from broker.flow.decisions.decision_desk import DecisionDesk
from broker.flow.decisions.decision_reading import DecisionReader
from broker.flow.decisions.decision_signing import DecisionPorts
from broker.flow.federation.change import Compiler
from broker.flow.federation.discovery import FetchFailed
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.me.me_visits import MeVisits
from broker.flow.me.school_reading import SchoolReading
from broker.flow.parents.letter_desk import LetterDesk
from broker.flow.ports import FlowKeys, Snapshots
from broker.flow.sheets.sheet_desk import SheetDesk
from broker.flow.sheets.sheet_publication import NarrowPublisher
from broker.flow.sheets.sheet_reading import SheetReader
from broker.flow.sheets.signed_sheets import SignedSheetReader
from broker.programs import ProgramTools
from broker.settings import LoadedSettings
from broker.web.console.wiring import ConsoleWeb


def wire_console(
    loaded: LoadedSettings,
    keys: FlowKeys,
    tools: ProgramTools,
    *,
    state: SealedState,
    snapshots: Snapshots,
    visits: MeVisits,
    pupils: PupilDesks,
) -> ConsoleWeb:
    """Return what the console's routes work with."""
    path = loaded.data_folder / "registry.db"
    roles, audit = SqliteRoleBook(path), SqliteConsoleAudit(path)
    desk = wire_desk(loaded, tools, roles, state=state, snapshots=snapshots)
    return ConsoleWeb(
        desk=desk,
        sign_in=SignIn(
            SignInPorts(
                snapshots=snapshots,
                sessions=desk.sessions,
                key=keys.register.tag,
                audit=tools.audit,
            )
        ),
        audit=audit,
        audit_reading=AuditReading(audit, snapshots),
        roles=roles,
        sheets=wire_sheets(path, snapshots, tools),
        shields=pupils.shields,
        officer=pupils.officer,
        finder=pupils.finder,
        reading=SchoolReading(snapshots, visits, keys, audit, tools.clock),
        letters=wire_letters(loaded, snapshots, keys, tools, audit, state=state),
        insight=wire_insight(loaded, tools, snapshots),
        decisions=wire_decisions(path, tools, snapshots),
        people=wire_people(loaded, snapshots, keys, tools, roles),
        links=wire_links(keys, tools, roles),
        documents=TypesetDocuments(),
    )


def wire_letters(
    loaded: LoadedSettings,
    snapshots: Snapshots,
    keys: FlowKeys,
    tools: ProgramTools,
    audit: SqliteConsoleAudit,
    *,
    state: SealedState,
) -> LetterDesk:
    """Return what makes letters for parents."""
    return LetterDesk(
        snapshots=snapshots,
        state=state,
        book=SqliteLetters(loaded.data_folder / "register.db"),
        keys=keys,
        audit=audit,
        clock=tools.clock,
        random=tools.random,
    )


def wire_people(
    loaded: LoadedSettings,
    snapshots: Snapshots,
    keys: FlowKeys,
    tools: ProgramTools,
    roles: SqliteRoleBook,
) -> PeopleDesk:
    """Return what invites people, and takes roles away."""
    return PeopleDesk(
        PeoplePorts(
            snapshots=snapshots,
            roles=roles,
            key=keys.register.tag,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
            invitation_days=loaded.settings.console.invitation_days,
        )
    )


def wire_links(keys: FlowKeys, tools: ProgramTools, roles: SqliteRoleBook) -> BrokenLogins:
    """Return what lets people in by one-time links."""
    return BrokenLogins(
        LinkPorts(
            roles=roles,
            key=keys.register.tag,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )


def wire_decisions(path: Path, tools: ProgramTools, snapshots: Snapshots) -> DecisionDesk:
    """Return with what schools decide."""
    store = SqliteDecisions(path)
    reader = DecisionReader(store, snapshots, tools.clock)
    return DecisionDesk(DecisionPorts(reader, store, console_compiler(), tools.audit, tools.random))


def wire_desk(
    loaded: LoadedSettings,
    tools: ProgramTools,
    roles: SqliteRoleBook,
    *,
    state: SealedState,
    snapshots: Snapshots,
) -> ConsoleDesk:
    """Return what finds who is at work."""
    settings = loaded.settings.console
    times = SessionTimes(
        idle_seconds=settings.idle_minutes * 60, longest_seconds=settings.longest_hours * 3600
    )
    return ConsoleDesk(
        sessions=ConsoleSessions(state, times),
        roles=roles,
        signing=SigningRules(settings.signing_levels, settings.signing_minutes * 60),
        snapshots=snapshots,
        clock=tools.clock,
    )


def wire_sheets(path: Path, snapshots: Snapshots, tools: ProgramTools) -> SheetDesk:
    """Return the desk at which suppliers write their service sheets."""
    sheets = SqliteSheets(path)
    reader = SheetReader(store=sheets, snapshots=snapshots)
    return SheetDesk(
        reader=reader,
        signed=SignedSheetReader(sheets, reader, snapshots, tools.clock),
        drafts=sheets,
        publisher=NarrowPublisher(SqliteRegistry(path), console_compiler(), tools.clock),
        snapshots=snapshots,
        audit=tools.audit,
        clock=tools.clock,
    )


def console_compiler() -> Compiler:
    """Return what documents of the console are compiled with: nothing is fetched for them, and
    none of them is a supplier that is new."""
    return Compiler(xml=LxmlSecurity(), newest_epoch="", fetch=_fetch_nothing)


def _fetch_nothing(url: str) -> str:
    raise FetchFailed(url)
