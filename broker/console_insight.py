"""Part of the composition root: what schools see before they decide, and registers."""

from broker.flow.insight.list_meter import ListMeter
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
    )


def wire_simulator(loaded: LoadedSettings, tools: ProgramTools, snapshots: Snapshots) -> Simulator:
    """Return what shows what would be sent."""
    settings = loaded.settings
    return Simulator(
        SimulatorPorts(
            snapshots=snapshots,
            names=ShownNames(
                issuer=settings.issuer,
                entity_id=OwnAddresses(settings.issuer).idp_entity_id,
                pairwise_scope=settings.pairwise_scope_in_force,
            ),
            find_draft=lambda _school, _supplier: None,
            clock=tools.clock,
            random=tools.random,
        )
    )
