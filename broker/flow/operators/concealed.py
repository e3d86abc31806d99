"""What a prepared action says of a person, sealed until a second operator confirms it.

A person's rows have keyed tags, the same in every document. Two prepared documents, one by a number
and one by an ECK iD, would tell the one operator who prepared both whether the two belong together.
So what is in them is sealed under a key of the broker's, with a fresh nonce, padded to steps that
most decisions stay below:

    parameters["sealed"] = base64(0x01 || nonce || AES-256-GCM(HKDF-SHA-256(register key,
                           info = "schuilnaam/prepared-parameters/v1"), nonce, JSON padded to
                           steps of 16384, 0x01 || lp(action)))

For the same reason a decision that asks for both is refused to the second person alone: what is
prepared then holds the refusal in place of rows.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from broker.flow.held_state.framing import UnreadableRecord, expand_key, seal, unseal
from broker.flow.operators.operator_refusals import OperatorRefusal, PreparedUnreadable
from broker.flow.operators.two_persons import Action, ConfirmedAction
from broker.flow.persons.person_changes import PlannedChange, write_rewrites
from broker.flow.persons.person_plan_refusals import AliasRefused, BothNeeded, NothingToDecide
from broker.flow.persons.person_plans import Plan
from broker.flow.persons.register import RegisterKeys
from broker.pseudonyms.derivation import lp

PADDING_BYTES = 16384

REFUSED_TO_TWO: Mapping[Action, Mapping[str, type[OperatorRefusal]]] = {
    Action.JOIN_PERSON: {
        "check_both_known": BothNeeded,
        "check_both_known_here": BothNeeded,
        "check_not_joined_yet": NothingToDecide,
        "check_no_two_eck_ids": AliasRefused,
        "check_no_cycle": AliasRefused,
    }
}
"""Decisions that are asked for by a number and an ECK iD, and what refuses them, by its check."""

_SEALED, _REFUSED, _BLANKS = "sealed", "refused", "blanks"


class _Parameters(msgspec.Struct, frozen=True):
    """What is sealed: keyed tags and sealed rows, no value of a person."""

    said: dict[str, str]


def conceal(
    action: Action, said: Mapping[str, str], *, keys: RegisterKeys, nonce: bytes
) -> dict[str, str]:
    """Return the parameters of a prepared action, so that only the broker reads them.

    Args:
        nonce: 12 random bytes, never used twice.
    """
    size = len(msgspec.json.encode(_Parameters({**said, _BLANKS: ""})))
    blanks = " " * (-size % PADDING_BYTES)
    sealed = seal(
        _key(keys),
        _Parameters({**said, _BLANKS: blanks}),
        nonce=nonce,
        bound_to=lp(action.value.encode()),
    )
    return {_SEALED: base64.b64encode(sealed).decode()}


async def said_to_two(
    action: Action, plan: Callable[[], Awaitable[PlannedChange]]
) -> tuple[PlannedChange, dict[str, str]]:
    """Return a plan and what is sealed of it: its rows, or what refuses it in their place.

    Raises:
        Refusal: of the plan, when the first person may know it.
    """
    later = REFUSED_TO_TWO.get(action, {})
    try:
        planned = await plan()
    except tuple(later.values()) as refusal:
        return PlannedChange(Plan(()), ()), {_REFUSED: refusal.check}
    return planned, write_rewrites(planned.rewrites)


def reveal(confirmed: ConfirmedAction, *, keys: RegisterKeys) -> dict[str, str]:
    """Return what a confirmed action says.

    Raises:
        PreparedUnreadable: sealed by another key, for another action, or not at all.
        OperatorRefusal: one of `REFUSED_TO_TWO`.
    """
    said = _open(confirmed.action, confirmed.parameters, keys)
    said.pop(_BLANKS, None)
    if _REFUSED in said:
        check = said[_REFUSED]
        raise REFUSED_TO_TWO[confirmed.action][check](check)
    return said


def _open(action: Action, parameters: Mapping[str, str], keys: RegisterKeys) -> dict[str, str]:
    try:
        sealed = base64.b64decode(parameters[_SEALED], validate=True)
        plain = unseal(_key(keys), sealed, bound_to=lp(action.value.encode()))
        return msgspec.json.decode(plain, type=_Parameters).said
    except (KeyError, binascii.Error, UnreadableRecord):
        raise PreparedUnreadable("check_sealed_here") from None


def _key(keys: RegisterKeys) -> bytes:
    return expand_key(keys.seal, b"schuilnaam/prepared-parameters/v1")
