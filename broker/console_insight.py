"""Part of the composition root: what schools see before they decide, and registers."""

from functools import partial

from broker.adapters.databases.sql_decisions import SqliteDecisions
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.databases.sql_sheets import SqliteSheets
from broker.adapters.documents.typeset_documents import TypesetDocuments
from broker.adapters.keys.key_facts import read_login_certificates
from broker.domain.ids import SupplierId
from broker.domain.sheets import ServiceSheet
from broker.flow.insight.drafted import find_drafted
from broker.flow.insight.list_meter import ListMeter
from broker.flow.insight.registers import RegisterPorts, Registers
from broker.flow.insight.shown_answers import ShownNames
from broker.flow.insight.simulator import Simulator, SimulatorPorts
from broker.flow.ports import Snapshots
from broker.programs import ProgramTools
from broker.settings import LoadedSettings
from broker.web.console.wiring import InsightWeb
from broker.web.own_documents import OwnAddresses


def wire_insight(loaded: LoadedSettings, tools: ProgramTools, snapshots: Snapshots) -> InsightWeb:
    """Return what these pages work with."""
    return InsightWeb(
        simulator=wire_simulator(loaded, tools, snapshots),
        list_meter=ListMeter(snapshots=snapshots, clock=tools.clock),
        registers=wire_registers(loaded, tools, snapshots),
        typeset=TypesetDocuments().typeset,
    )


def wire_registers(loaded: LoadedSettings, tools: ProgramTools, snapshots: Snapshots) -> Registers:
    """Return what reads registers."""
    sheets = SqliteSheets(loaded.data_folder / "registry.db")

    def find_sheet(supplier: SupplierId) -> ServiceSheet | None:
        form = sheets.read(supplier)
        return None if form is None else form.sheet

    return Registers(
        RegisterPorts(
            snapshots=snapshots,
            find_sheet=find_sheet,
            counts=SqliteSchoolCounts(loaded.data_folder / "register.db"),
            read_certificates=read_login_certificates,
            clock=tools.clock,
        )
    )


def wire_simulator(loaded: LoadedSettings, tools: ProgramTools, snapshots: Snapshots) -> Simulator:
    """Return what shows what would be sent."""
    settings = loaded.settings
    decisions = SqliteDecisions(loaded.data_folder / "registry.db")
    return Simulator(
        SimulatorPorts(
            snapshots=snapshots,
            names=ShownNames(
                issuer=settings.issuer,
                entity_id=OwnAddresses(settings.issuer).idp_entity_id,
                pairwise_scope=settings.pairwise_scope_in_force,
            ),
            find_draft=partial(find_drafted, draft_for=decisions.draft_for, clock=tools.clock),
            clock=tools.clock,
            random=tools.random,
        )
    )
