"""Steps and counts in memory, and a desk at which a school's login is changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from broker.domain.federation import School, SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.switches import LoginSwitch, find_running, gather_switches
from broker.flow.audit import AuditEvent
from broker.flow.switching.rehearsal import Counts
from broker.flow.switching.switch_checks import LoginPair, Rehearsed, SwitchState
from broker.flow.switching.switching import Decide, PastStep, SwitchDesk
from tests.domain.federation_records import a_school
from tests.domain.test_switches import NEW, NOW, OLD


@dataclass
class MemorySwitches:
    """`SwitchStore` in memory."""

    school: School = field(default_factory=a_school)
    idps: dict[SchoolIdpId, SchoolIdp] = field(default_factory=lambda: {OLD.id: OLD, NEW.id: NEW})
    steps: list[LoginSwitch] = field(default_factory=list)
    listed: dict[LoginPair, Counts] = field(default_factory=dict)

    def take_step(
        self, school: SchoolId, pair: LoginPair | None, decide: Decide, *, by: str, at: datetime
    ) -> LoginSwitch:
        step = decide(self.read(school, pair))
        self.steps.append(step)
        return step

    def read(self, school: SchoolId, pair: LoginPair | None) -> SwitchState:
        steps = gather_switches(self.steps).get(school, ())
        running = find_running(steps)
        if pair is None and running is not None:
            pair = LoginPair(school, running.from_idp, running.to_idp)
        return SwitchState(
            school=self.school if self.school.id == school else None,
            idps=self.idps,
            steps=steps,
            rehearsed=Rehearsed() if pair is None else Rehearsed(self.listed.get(pair, {})),
        )

    def history(self, school: SchoolId) -> tuple[PastStep, ...]:
        return tuple(PastStep(each, by="op", version=1) for each in self.steps)

    def keep_list(self, pair: LoginPair, counts: Counts, *, at: datetime) -> None:
        self.listed[pair] = counts


@dataclass
class Events:
    """`AuditLog` in memory."""

    events: list[AuditEvent] = field(default_factory=list)

    def record(self, event: AuditEvent) -> None:
        self.events.append(event)


def a_switch_desk(
    store: MemorySwitches, events: Events, *, clock: Callable[[], datetime] = lambda: NOW
) -> SwitchDesk:
    return SwitchDesk(store=store, most_changed_percent=1, audit=events, by="op", clock=clock)
