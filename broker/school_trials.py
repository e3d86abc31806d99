"""Part of the composition root: logins to pages of our own, and those that schools try."""

from broker.adapters.databases.sql_login_tests import SqliteLoginTests
from broker.adapters.databases.sql_switches import SqliteRehearsalLog
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.login_tests.login_tests import LoginTestFlow, LoginTestPorts
from broker.flow.own_logins.own_logins import OwnLoginFlow, OwnLoginPorts
from broker.flow.persons.person_joins import JoinRules
from broker.flow.ports import FlowKeys
from broker.flow.school_side import SchoolSide
from broker.flow.switching.volunteers import VolunteerFlow, VolunteerPorts
from broker.programs import ProgramTools
from broker.resources import Resources
from broker.settings import LoadedSettings


def wire_volunteers(
    loaded: LoadedSettings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    schools: SchoolSide,
    *,
    state: SealedState,
    rules: JoinRules,
) -> VolunteerFlow:
    """Return the journey of a rehearsal's volunteers."""
    return VolunteerFlow(
        VolunteerPorts(
            snapshots=resources.snapshots,
            schools=schools,
            state=state,
            register=resources.register,
            log=SqliteRehearsalLog(loaded.data_folder / "registry.db"),
            keys=keys,
            rules=rules,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )


def wire_login_tests(
    loaded: LoadedSettings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    schools: SchoolSide,
    *,
    state: SealedState,
    lists: SchoolLists,
) -> LoginTestFlow:
    """Return the journey of a school's test page."""
    return LoginTestFlow(
        LoginTestPorts(
            snapshots=resources.snapshots,
            schools=schools,
            state=state,
            lists=lists,
            log=SqliteLoginTests(loaded.data_folder / "registry.db"),
            keys=keys,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )


def wire_own_logins(
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    schools: SchoolSide,
    *,
    state: SealedState,
    lists: SchoolLists,
) -> OwnLoginFlow:
    """Return the journey of a login to pages of our own."""
    return OwnLoginFlow(
        OwnLoginPorts(
            snapshots=resources.snapshots,
            schools=schools,
            state=state,
            lists=lists,
            keys=keys,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        )
    )
