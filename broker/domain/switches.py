"""Several logins of one school: which are offered, and which one a pupil should have used.

A school changes its login in steps: rehearsed, by class, all, and back whenever it wants. The steps
say nothing about pseudonyms and no supplier is involved: who states the same ECK iD or number by
another login is the same person.

| In force | Offered, first one first | A pupil who comes by the old login |
|---|---|---|
| nothing, rehearsal, back | those of the documents; never one for rehearsal only | goes on |
| by class | the new one, the old one | of these classes: one button to the new one; else goes on |
| all | the new one | goes on if sent there before; else one button to the new one |

Who is of no switched class and comes by the new login goes on: names of classes may differ between
two systems, and who is sent to and fro between two logins reaches neither.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from broker.domain.federation import SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId


class SwitchStage(StrEnum):
    """How far a school is from one login to another."""

    REHEARSAL = "rehearsal"
    CLASSES = "classes"
    ALL = "all"
    BACK = "back"
    DONE = "done"


ENDED = frozenset({SwitchStage.BACK, SwitchStage.DONE})
RUNNING = frozenset({SwitchStage.CLASSES, SwitchStage.ALL})


class LoginSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a school from one login to another; the last one that began is in force.

    Attributes:
        classes: as the old login states them, for `CLASSES`; compared by `fold_class`.
        first_day: from this day on, in the Netherlands.
        since: when it was put in force, aware UTC.
    """

    school: SchoolId
    from_idp: SchoolIdpId
    to_idp: SchoolIdpId
    stage: SwitchStage
    classes: tuple[str, ...] = ()
    first_day: date
    since: datetime


@dataclass(frozen=True, slots=True)
class SentAt:
    """When a pupil was sent to a school's login: the moment, and its day in the Netherlands."""

    moment: datetime
    day: date


Switches = Mapping[SchoolId, tuple[LoginSwitch, ...]]
"""The steps of each school that is between two logins, oldest first."""

NO_SWITCHES: Switches = MappingProxyType({})


def fold_class(name: str) -> str:
    """Return a class's name for comparison: case and blanks vary between systems.

    >>> fold_class(" Groep  7B") == fold_class("groep 7b")
    True
    """
    return " ".join(name.casefold().split())


def gather_switches(steps: Iterable[LoginSwitch]) -> dict[SchoolId, tuple[LoginSwitch, ...]]:
    """Return the steps that still count, from all steps ever, oldest first."""
    found: dict[SchoolId, tuple[LoginSwitch, ...]] = {}
    for each in steps:
        if each.stage in ENDED:
            found.pop(each.school, None)
        else:
            found[each.school] = (*found.get(each.school, ()), each)
    return found


def step_in_force(steps: Sequence[LoginSwitch], *, today: date) -> LoginSwitch | None:
    """Return the last step that has begun; None when none has."""
    begun = [each for each in steps if each.first_day <= today]
    return begun[-1] if begun else None


def find_running(steps: Sequence[LoginSwitch]) -> LoginSwitch | None:
    """Return the last step by class or of all, also one that begins later."""
    return next((each for each in reversed(steps) if each.stage in RUNNING), None)


def order_logins(
    own: Sequence[SchoolIdp], *, new: SchoolIdp | None, step: LoginSwitch | None
) -> tuple[SchoolIdp, ...]:
    """Return the logins that a school offers, the one for most pupils first.

    Args:
        own: the enabled ones of its documents, without those for rehearsal only.
        new: that of `step.to_idp` while it is enabled and may speak for this school.
        step: in force.
    """
    if step is None or new is None or step.stage not in RUNNING:
        return tuple(own)
    left = {step.to_idp, step.from_idp} if step.stage is SwitchStage.ALL else {step.to_idp}
    return (new, *(each for each in own if each.id not in left))


def find_other_login(
    idp: SchoolIdp,
    *,
    offered: Sequence[SchoolIdp],
    step: LoginSwitch | None,
    classes: Collection[str],
    sent: SentAt,
) -> SchoolIdp | None:
    """Return the login to which a pupil who came by `idp` should go on; None: this one is fine.

    Args:
        offered: at the school that the login stated, by `order_logins`.
        step: in force at that school.
        classes: that the login stated.
    """
    if not offered:
        return None
    if all(each.id != idp.id for each in offered):
        is_left = step is not None and step.stage is SwitchStage.ALL and idp.id == step.from_idp
        if is_left and step is not None and _was_before(sent, step):
            return None
        return offered[0]
    if step is None or step.stage is not SwitchStage.CLASSES or idp.id != step.from_idp:
        return None
    switched = set(map(fold_class, step.classes))
    if switched.isdisjoint(map(fold_class, classes)) or offered[0].id != step.to_idp:
        return None
    return offered[0]


def _was_before(sent: SentAt, step: LoginSwitch) -> bool:
    return sent.moment < step.since or sent.day < step.first_day
