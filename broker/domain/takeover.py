"""Take-over of accounts: from a key that all suppliers share to the pseudonym of one supplier.

Publishers hold accounts keyed on the ECK iD. For each school and supplier a take-over has a state,
and each state means one row of this table, which `MEANINGS` holds as data:

| State | Old key goes out | Mapping | The supplier goes by | Next |
|---|---|---|---|---|
| `none` | as agreed | shut | the old key | `prepare` |
| `prepare` | as agreed | open | the old key; it attaches pseudonyms | `pilot`, `on`, `none` |
| `pilot` | as agreed | open | the pseudonym for those listed, else as above | `on`, `prepare` |
| `on` | no | open | the pseudonym alone | `back` |
| `back` | as agreed | open | either; what was made meanwhile is kept | `on`, `pilot` |
| `closed` | no | shut, for good | the pseudonym alone | - |

*As agreed*: beside the pseudonym, where the agreement lets it out. `pilot` lets out what `prepare`
does; it adds that we count who of those listed came (`broker.flow.takeover.takeover_arrival`).
`closed` is no command: it begins after the last day that the school signed for, and nothing leads
out of it, no new signature either. Until then every step can be taken back.

Withholding is all that a state can do. What it lets through must still be declared by the supplier,
approved by the school with an end date, stated by the login, and the supplier must be entitled
(`broker.domain.release`). So a take-over never widens what an agreement says. The old keys are the
ECK iD and `uid`, by which the old hub knew pupils; other attributes are not its business. A
supplier that says it cannot work without an old key still gets its pupils once the take-over
withholds it: that is what it took part for.

Nothing is lost by going back and forth, because the pseudonym goes out in every state: it is the
same in all of them. A supplier that finds the account by the pseudonym, else by the old key and
then notes the pseudonym there, has one account for a pupil whatever the order of states; who logs
in for the first time while the state is `on`, and was not mapped, begins a fresh account, which the
first login of `back` shows to be the same pupil's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

import msgspec

from broker.domain.attributes import ECK_ID, UID, AttributeName
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover_refusals import NotNextState, TakeoverEnded

OLD_KEYS: frozenset[AttributeName] = frozenset({ECK_ID, UID})
"""What accounts were keyed on before: the same at every supplier."""


class TakeoverState(StrEnum):
    """How far the take-over of one school's accounts at one supplier is."""

    NONE = "none"
    PREPARE = "prepare"
    PILOT = "pilot"
    ON = "on"
    BACK = "back"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one state does.

    Attributes:
        releases_old_keys: whether they may go out, where the agreement lets them.
        mapping_open: whether the supplier may ask which pseudonym belongs to an ECK iD.
        next: states that an operator can set from here.
    """

    releases_old_keys: bool
    mapping_open: bool
    next: tuple[TakeoverState, ...]


_NONE, _PREPARE, _PILOT, _ON, _BACK, _CLOSED = TakeoverState

MEANINGS: Mapping[TakeoverState, Meaning] = MappingProxyType(
    {
        _NONE: Meaning(True, False, (_PREPARE,)),
        _PREPARE: Meaning(True, True, (_PILOT, _ON, _NONE)),
        _PILOT: Meaning(True, True, (_ON, _PREPARE)),
        _ON: Meaning(False, True, (_BACK,)),
        _BACK: Meaning(True, True, (_ON, _PILOT)),
        _CLOSED: Meaning(False, False, ()),
    }
)
"""The table above."""


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """What a school signed for, and how far it is. Nothing personal in it.

    Attributes:
        state: as it was set; what it is on a day says `state_on`.
        last_day: up to and including this day, in the Netherlands; then it is closed.
        quota: how many ECK iDs the supplier may ask about in all.
        document: SHA-256 of what the school signed.
        pupils: SHA-256 of the list of its pupils that the school signed with it; b"" without one.
        signed_by: who put it in force: the two operators.
    """

    school: SchoolId
    supplier: SupplierId
    state: TakeoverState = TakeoverState.NONE
    last_day: date
    quota: int
    document: bytes
    pupils: bytes = b""
    signed_by: str

    def state_on(self, today: date) -> TakeoverState:
        """Return the state on a day, in the Netherlands."""
        return TakeoverState.CLOSED if today > self.last_day else self.state


def withholds_old_keys(takeover: Takeover | None, *, today: date) -> bool:
    """Tell whether the take-over keeps the old keys in; without one, the agreement decides."""
    return takeover is not None and not MEANINGS[takeover.state_on(today)].releases_old_keys


def check_next_state(takeover: Takeover, *, to: TakeoverState, today: date) -> None:
    """Hold that the table leads from the state of today to another one.

    Raises:
        TakeoverEnded: nothing leads out of `closed`.
        NotNextState: the table does not, or it is in that state already.
    """
    state = takeover.state_on(today)
    if state is TakeoverState.CLOSED:
        raise TakeoverEnded("check_takeover_not_ended")
    if to not in MEANINGS[state].next:
        way = f"{state} -> {to}"
        raise NotNextState("check_next_state", subject=way)
