"""Changing a school's login: rehearse, switch by class or all, go back at once, end.

No supplier is involved: pseudonyms hang on what identifies a person and not on the login that
states it. So a step only says which login the school offers (`broker.domain.switches`), and can be
taken back at once. Who would lose an account, or find another person's, is found by a rehearsal
before (`broker.flow.switching.rehearsal`).

A step is decided on what the registry holds at that moment, and both are one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Protocol

from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.switches import LoginSwitch, SwitchStage
from broker.flow.audit import AuditEvent, AuditLog, note_refusal
from broker.flow.switching.rehearsal import Counts
from broker.flow.switching.switch_checks import (
    LoginPair,
    SwitchState,
    check_documents_agree,
    check_may_switch,
    check_none_running,
    check_pair,
    check_rehearsed,
)
from broker.flow.switching.switch_refusals import DayPast, SwitchNotRunning


@dataclass(frozen=True, slots=True)
class PastStep:
    """One step as it was taken, for the history; `by` is a system account, `version` that of the
    registry."""

    step: LoginSwitch
    by: str
    version: int


class SwitchEvent(StrEnum):
    """What an operator did; of the audit."""

    REHEARSAL = "rehearsal-opened"
    LISTED = "rehearsed-by-list"
    CLASSES = "login-switched-by-class"
    ALL = "login-switched"
    BACK = "login-switched-back"
    DONE = "login-switch-ended"


_EVENTS = {each: SwitchEvent[each.name] for each in SwitchStage}

Decide = Callable[[SwitchState], LoginSwitch]
"""Returns the step to take, or refuses."""


class SwitchStore(Protocol):
    """Where steps and counts rest. Every method may raise `RegistryUnreadable`."""

    def take_step(
        self, school: SchoolId, pair: LoginPair | None, decide: Decide, *, by: str, at: datetime
    ) -> LoginSwitch:
        """Decide on what is there, and store the step, in one transaction; brokers follow.

        Args:
            pair: whose logins and findings `decide` looks at; None: those of the running switch.

        Raises:
            Refusal: of `decide`; then nothing was stored.
        """
        ...

    def read(self, school: SchoolId, pair: LoginPair | None) -> SwitchState:
        """Return what is there."""
        ...

    def history(self, school: SchoolId) -> tuple[PastStep, ...]:
        """Return every step that was ever taken, oldest first."""
        ...

    def keep_list(self, pair: LoginPair, counts: Counts, *, at: datetime) -> None:
        """Keep what a list showed, in place of what the list before showed."""
        ...


@dataclass(frozen=True, slots=True)
class SwitchDesk:
    """Where a school's login is changed; each step leaves one line in the audit.

    Attributes:
        most_changed_percent: of those who are known; more need two persons.
        by: system account of the operator.
        clock: returns the aware time.
    """

    store: SwitchStore
    most_changed_percent: int
    audit: AuditLog
    by: str
    clock: Callable[[], datetime]

    def open_rehearsal(self, pair: LoginPair) -> LoginSwitch:
        """Let volunteers try both logins from now on.

        Raises:
            SwitchRefusal: of the checks; RegistryUnreadable.
        """
        return self._take(pair.school, pair, partial(self._rehearse, pair=pair))

    def check_may_rehearse(self, pair: LoginPair) -> SwitchState:
        """Return what is there, when two persons may look at a list; whoever calls notes a refusal.

        Raises:
            SwitchRefusal: of the checks; RegistryUnreadable.
        """
        state = self.store.read(pair.school, pair)
        check_pair(state, pair)
        check_none_running(state)
        return state

    def keep_list(self, pair: LoginPair, counts: Counts) -> None:
        """Keep what a list showed."""
        self.store.keep_list(pair, counts, at=self.clock())
        self.audit.record(
            AuditEvent(action=SwitchEvent.LISTED, school=pair.school, idp=pair.to_idp)
        )

    def switch(
        self,
        pair: LoginPair,
        *,
        classes: tuple[str, ...],
        first_day: date | None,
        despite_changes: bool = False,
    ) -> LoginSwitch:
        """Offer the new login: to some classes, or, without any, to all.

        Args:
            first_day: in the Netherlands; None is today.
            despite_changes: two persons want it, whatever a rehearsal shows.

        Raises:
            SwitchRefusal: of the checks; RegistryUnreadable.
        """
        now = self.clock()
        step = LoginSwitch(
            school=pair.school,
            from_idp=pair.from_idp,
            to_idp=pair.to_idp,
            stage=SwitchStage.CLASSES if classes else SwitchStage.ALL,
            classes=classes,
            first_day=first_day or day_of(now),
            since=now,
        )

        def decide(state: SwitchState) -> LoginSwitch:
            check_may_switch(state, pair)
            if step.first_day < day_of(now):
                raise DayPast("check_day_to_come")
            if not despite_changes:
                check_rehearsed(state.rehearsed, most_changed_percent=self.most_changed_percent)
            return step

        return self._take(pair.school, pair, decide)

    def check_may_switch(self, pair: LoginPair) -> None:
        """Hold that two persons may decide on this change.

        Raises:
            SwitchRefusal: of the checks; RegistryUnreadable.
        """
        check_may_switch(self.store.read(pair.school, pair), pair)

    def roll_back(self, school: SchoolId) -> LoginSwitch:
        """Offer what the documents say, as before; ends a rehearsal as well.

        Raises:
            SwitchNotRunning, RegistryUnreadable
        """
        return self._take(school, None, partial(self._end, stage=SwitchStage.BACK))

    def finish(self, school: SchoolId) -> LoginSwitch:
        """Forget a switch that the documents say as well.

        Raises:
            SwitchNotRunning, DocumentsDisagree, RegistryUnreadable
        """
        return self._take(school, None, self._finish)

    def _rehearse(self, state: SwitchState, *, pair: LoginPair) -> LoginSwitch:
        check_pair(state, pair)
        check_none_running(state)
        now = self.clock()
        return LoginSwitch(
            school=pair.school,
            from_idp=pair.from_idp,
            to_idp=pair.to_idp,
            stage=SwitchStage.REHEARSAL,
            first_day=day_of(now),
            since=now,
        )

    def _end(self, state: SwitchState, *, stage: SwitchStage) -> LoginSwitch:
        if not state.steps:
            raise SwitchNotRunning("check_something_to_end")
        now, last = self.clock(), state.steps[-1]
        return LoginSwitch(
            school=last.school,
            from_idp=last.from_idp,
            to_idp=last.to_idp,
            stage=stage,
            first_day=day_of(now),
            since=now,
        )

    def _finish(self, state: SwitchState) -> LoginSwitch:
        check_documents_agree(state, today=day_of(self.clock()))
        return self._end(state, stage=SwitchStage.DONE)

    def _take(self, school: SchoolId, pair: LoginPair | None, decide: Decide) -> LoginSwitch:
        with self._noting(school, pair):
            step = self.store.take_step(school, pair, decide, by=self.by, at=self.clock())
        self.audit.record(AuditEvent(action=_EVENTS[step.stage], school=school, idp=step.to_idp))
        return step

    @contextmanager
    def _noting(self, school: SchoolId, pair: LoginPair | None) -> Iterator[None]:
        """Write one line down for a refusal that passes."""
        try:
            yield
        except Refusal as refusal:
            idp = None if pair is None else pair.to_idp
            note_refusal(self.audit, refusal, reference="", school=school, idp=idp)
            raise
