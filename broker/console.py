"""Part of the composition root: the console. One small function for each of its flows."""

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_role_book import SqliteRoleBook
from broker.flow.console.at_work import ConsoleDesk, SigningRules
from broker.flow.console.console_sessions import ConsoleSessions, SessionTimes
from broker.flow.console.sign_in import SignIn, SignInPorts
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.ports import FlowKeys
from broker.programs import ProgramTools
from broker.settings import LoadedSettings
from broker.web.console.wiring import ConsoleWeb


def wire_console(
    loaded: LoadedSettings, keys: FlowKeys, tools: ProgramTools, *, state: SealedState
) -> ConsoleWeb:
    """Return what the console's routes work with."""
    path = loaded.data_folder / "registry.db"
    roles = SqliteRoleBook(path)
    desk = wire_desk(loaded, tools, roles, state=state)
    return ConsoleWeb(
        desk=desk,
        sign_in=SignIn(
            SignInPorts(sessions=desk.sessions, key=keys.register.tag, audit=tools.audit)
        ),
        audit=SqliteConsoleAudit(path),
        roles=roles,
    )


def wire_desk(
    loaded: LoadedSettings, tools: ProgramTools, roles: SqliteRoleBook, *, state: SealedState
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
        clock=tools.clock,
    )
