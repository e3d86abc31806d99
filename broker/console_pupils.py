"""Part of the composition root: the console's desks about single pupils of a school."""

from dataclasses import dataclass

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.own_pupils.known_pupils import OwnPupils
from broker.flow.own_pupils.pseudonym_finder import PseudonymFinder
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_reading import PersonReader
from broker.flow.ports import FlowKeys
from broker.flow.requests.deciding import OfficerDesk
from broker.flow.shielding.shield_desk import ShieldDesk
from broker.flow.shielding.shields import Shielding
from broker.programs import ProgramTools
from broker.resources import Resources
from broker.settings import LoadedSettings


@dataclass(frozen=True, slots=True)
class PupilDesks:
    """Where a school shields, decides and finds."""

    shields: ShieldDesk
    officer: OfficerDesk
    finder: PseudonymFinder


def wire_pupil_desks(
    loaded: LoadedSettings,
    resources: Resources,
    keys: FlowKeys,
    tools: ProgramTools,
    *,
    lists: SchoolLists,
    rules: JoinRules,
) -> PupilDesks:
    """Return them over the register."""
    snapshots = resources.snapshots
    console_audit = SqliteConsoleAudit(loaded.data_folder / "registry.db")
    pupils = OwnPupils(lists, resources.register, keys.register, keys.root)
    return PupilDesks(
        shields=ShieldDesk(
            pupils=pupils,
            shielding=Shielding(resources.shields, keys.shields, tools.random),
            snapshots=snapshots,
            console_audit=console_audit,
            audit=tools.audit,
            clock=tools.clock,
            random=tools.random,
        ),
        officer=OfficerDesk(
            book=resources.requests,
            keys=keys.shields,
            pupils=pupils,
            snapshots=snapshots,
            console_audit=console_audit,
            audit=tools.audit,
            clock=tools.clock,
        ),
        finder=PseudonymFinder(
            pupils=pupils,
            reader=PersonReader(resources.register, keys.register, rules),
            pairwise=keys.pairwise,
            quotas=resources.quotas,
            snapshots=snapshots,
            console_audit=console_audit,
            audit=tools.audit,
            clock=tools.clock,
            lines_a_day=loaded.settings.pupils.looked_up_daily,
        ),
    )
