"""Part of the composition root: `/me`."""

from broker.adapters.databases.sql_agreement_history import SqliteAgreementHistory
from broker.adapters.databases.sql_letters import SqliteLetters
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.me.me_visits import MePorts, MeVisits
from broker.flow.parents.parent_visits import ParentPorts, ParentVisits
from broker.flow.persons.person_joins import JoinRules
from broker.flow.ports import FlowKeys
from broker.flow.requests.filing import RequestDesk
from broker.programs import ProgramTools
from broker.resources import Resources
from broker.settings import LoadedSettings
from broker.web.me.wiring import MeWeb


def wire_me(
    loaded: LoadedSettings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    rules: JoinRules,
    *,
    state: SealedState,
    lists: SchoolLists,
) -> MeWeb:
    """Return what the routes of `/me` work with."""
    letters = SqliteLetters(loaded.data_folder / "register.db")
    return MeWeb(
        visits=MeVisits(
            MePorts(
                snapshots=resources.snapshots,
                state=state,
                register=resources.register,
                receipts=resources.receipts,
                history=SqliteAgreementHistory(SqliteRegistry(loaded.data_folder / "registry.db")),
                lists=lists,
                keys=keys,
                rules=rules,
                letters=letters,
                audit=tools.audit,
                clock=tools.clock,
            )
        ),
        parents=ParentVisits(
            ParentPorts(
                snapshots=resources.snapshots,
                state=state,
                register=resources.register,
                letters=letters,
                keys=keys,
                rules=rules,
                audit=tools.audit,
                clock=tools.clock,
                random=tools.random,
            )
        ),
        requests=RequestDesk(
            book=resources.requests,
            keys=keys.shields,
            clock=tools.clock,
            random=tools.random,
            audit=tools.audit,
            days=loaded.settings.pupils.request_days,
        ),
    )
