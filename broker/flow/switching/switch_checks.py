"""May a school change its login like this: the state of a switch, and the checks on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from broker.domain.federation import School, SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.switches import LoginSwitch, SwitchStage, find_running
from broker.flow.switching.rehearsal import DANGEROUS, Counts, Outcome, count_outcomes
from broker.flow.switching.switch_refusals import (
    DocumentsDisagree,
    LoginOfOtherSchool,
    LoginsNotTwo,
    NotRehearsed,
    PartyOfSwitchUnknown,
    RehearsalNotOpen,
    RehearsalShowsChanges,
    SwitchNotRunning,
    SwitchRunning,
    SwitchStatesDiffer,
)


@dataclass(frozen=True, slots=True)
class LoginPair:
    """From which login of a school to which."""

    school: SchoolId
    from_idp: SchoolIdpId
    to_idp: SchoolIdpId


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What was found of one change of login; counts, nobody's name.

    Attributes:
        listed: of the last list.
        volunteers: of all who tried both logins, each once.
    """

    listed: Counts = field(default_factory=dict)
    volunteers: Counts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SwitchState:
    """How far a school is, and what was found of the change that is asked for.

    Attributes:
        idps: records of the logins that are named, those that exist.
        steps: that still count, oldest first.
    """

    school: School | None
    idps: Mapping[SchoolIdpId, SchoolIdp]
    steps: tuple[LoginSwitch, ...]
    rehearsed: Rehearsed


def check_pair(state: SwitchState, pair: LoginPair) -> None:
    """Hold that a school can change from the one login to the other.

    Raises:
        PartyOfSwitchUnknown, LoginOfOtherSchool, LoginsNotTwo, SwitchStatesDiffer
    """
    school = state.school
    if school is None or not school.enabled:
        raise PartyOfSwitchUnknown("check_school_of_switch", subject=pair.school)
    for name in (pair.from_idp, pair.to_idp):
        idp = state.idps.get(name)
        if idp is None or not idp.enabled:
            raise PartyOfSwitchUnknown("check_login_of_switch", subject=name)
        if school.id not in idp.schools:
            raise LoginOfOtherSchool("check_login_of_school", subject=name)
        if idp.state is not school.state:
            raise SwitchStatesDiffer("check_states_of_switch", subject=name)
    if pair.from_idp == pair.to_idp or state.idps[pair.from_idp].rehearsal_only:
        raise LoginsNotTwo("check_two_logins")


def check_none_running(state: SwitchState) -> None:
    """Hold that the school is not between two logins.

    Raises:
        SwitchRunning
    """
    running = find_running(state.steps)
    if running is not None:
        raise SwitchRunning("check_no_switch_running", subject=running.to_idp)


def check_may_switch(state: SwitchState, pair: LoginPair) -> None:
    """Hold that the two logins are the school's own, and no other switch is under way.

    Raises:
        SwitchRunning, and those of `check_pair`
    """
    check_pair(state, pair)
    running = find_running(state.steps)
    same = running is None or (running.from_idp, running.to_idp) == (pair.from_idp, pair.to_idp)
    if running is not None and not same:
        raise SwitchRunning("check_no_other_switch", subject=running.to_idp)


def check_rehearsed(rehearsed: Rehearsed, *, most_changed_percent: int) -> None:
    """Hold that a rehearsal shows that pupils keep their accounts.

    Raises:
        NotRehearsed, RehearsalShowsChanges
    """
    if not (rehearsed.listed or rehearsed.volunteers):
        raise NotRehearsed("check_rehearsed")
    for counts in (rehearsed.listed, rehearsed.volunteers):
        totals = count_outcomes(counts)
        changed, same = totals[Outcome.CHANGED], totals[Outcome.SAME]
        if changed * 100 > most_changed_percent * (changed + same):
            raise RehearsalShowsChanges("check_few_change")
        if any(counts.get(each, 0) for each in DANGEROUS):
            raise RehearsalShowsChanges("check_nobody_finds_another")


def check_documents_agree(state: SwitchState, *, today: date) -> None:
    """Hold that without the switch the school would offer the same.

    Raises:
        SwitchNotRunning: there is no switch of all that has begun.
        DocumentsDisagree: the new login is for rehearsal only, or the old one is still offered.
    """
    last = state.steps[-1] if state.steps else None
    if last is None or last.stage is not SwitchStage.ALL or today < last.first_day:
        raise SwitchNotRunning("check_all_switched")
    new, old = state.idps.get(last.to_idp), state.idps.get(last.from_idp)
    if new is None or not new.enabled or new.rehearsal_only:
        raise DocumentsDisagree("check_new_login_offered")
    if old is not None and old.enabled and not old.rehearsal_only and last.school in old.schools:
        raise DocumentsDisagree("check_old_login_gone")


def find_rehearsal(steps: tuple[LoginSwitch, ...]) -> LoginSwitch:
    """Return the rehearsal that volunteers may take part in.

    Raises:
        RehearsalNotOpen: none is open, or the switch itself is under way.
    """
    if not steps or steps[-1].stage is not SwitchStage.REHEARSAL:
        raise RehearsalNotOpen("check_rehearsal_open")
    return steps[-1]
