"""Two persons: what one operator prepares, another confirms, each by a signing key of their own.

Operators resolve nobody without a second person, and it leaves a trace. A prepared action is a
small document that the first person hands to the second one:

    signed    = Ed25519 (RFC 8032) over "schuilnaam/prepared-action/v1" || JSON of `PreparedBody`,
                without blanks, keys in the order of their names
    confirmed = Ed25519 over "schuilnaam/confirmed-action/v1" || JSON of `ConfirmationBody`, alike

It holds no value of a person, lives a day, and works once, at the broker that it names. What the
actions do is `broker.flow.operators.operator_actions`. This guards against one person's mistake or
malice at the command line; whoever can write files of the broker's own user needs no command.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from broker.flow.operators.operator_refusals import (
    ActionUnknown,
    OperatorUnknown,
    PreparedElsewhere,
    PreparedExpired,
    PreparedForged,
    PreparedUnreadable,
    SamePerson,
)
from broker.flow.operators.operators import Operator, OperatorName, Signer, check_signer
from broker.saml_xml.clock import CLOCK_SKEW

PREPARED_LIFE_SECONDS = 24 * 60 * 60
PREPARED_BYTES_MAX = 4 * 65536
ACTION_ID_BYTES = 16

_PREPARED_LABEL = b"schuilnaam/prepared-action/v1"
_CONFIRMED_LABEL = b"schuilnaam/confirmed-action/v1"

ActionId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class Action(StrEnum):
    """What needs two persons."""

    ADD_OPERATOR = "operator-add"
    ERASE_PERSON = "person-erase"
    SIGN_TAKEOVER = "takeover-sign"
    SWITCH_LOGIN = "login-switch"
    OBJECT_TRANSFER = "transfer-object"
    CONFIRM_TRANSFER = "transfer-confirm"
    WITHDRAW_OBJECTION = "transfer-withdraw"
    PROTECT_PERSON = "person-protect"
    UNPROTECT_PERSON = "person-unprotect"
    SPLIT_PERSON = "person-split"
    UNDO_JOIN = "person-undo-join"
    JOIN_PERSON = "person-join"
    BEGIN_ANEW = "person-begin-anew"
    OFFER_TRANSFER = "transfer-offer"
    ACCEPT_TRANSFER = "transfer-accept"
    MAP_TAKEOVER = "takeover-map"
    LIST_PILOT = "takeover-pilot"
    REHEARSE_LIST = "rehearse-list"
    INVITE_TO_CONSOLE = "console-invite"
    LINK_TO_CONSOLE = "console-link"


class PreparedBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the first person signs.

    Attributes:
        issuer: of the broker at which it was prepared: test and production never meet.
        parameters: names and keyed tags, never a value of a person.
        prepared_at, expires_at: seconds since 1970.
        id: 16 random bytes in hexadecimal digits; works once.
    """

    issuer: str
    action: str
    parameters: dict[str, str]
    prepared_by: OperatorName
    prepared_at: int
    expires_at: int
    id: ActionId

    def __repr__(self) -> str:
        return f"PreparedBody(action={self.action!r}, id={self.id!r})"


class PreparedAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prepared action as it is handed over; nothing of it holds before `confirm_action`."""

    body: PreparedBody
    signature: bytes


class ConfirmationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the second person signs; kept for good, so it leaves the parameters out.

    Attributes:
        confirmed_at: seconds since 1970.
    """

    issuer: str
    id: ActionId
    action: Action
    prepared_by: OperatorName
    confirmed_by: OperatorName
    confirmed_at: int


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The trace that an action leaves."""

    body: ConfirmationBody
    signature: bytes


@dataclass(frozen=True, slots=True)
class ConfirmedAction:
    """An action that two persons want, and that was not done before: what may be carried out."""

    action: Action
    parameters: Mapping[str, str] = field(repr=False)
    id: str
    prepared_by: OperatorName
    confirmed_by: OperatorName


class UsedActions(Protocol):
    """Which prepared actions were used."""

    def claim(self, confirmation: Confirmation, *, prepared_at: int) -> None:
        """Note durably, and before it is carried out, that an action is used; atomic.

        Args:
            prepared_at: seconds since 1970.

        Raises:
            ActionUsed: it was used before, another process is first, or it was prepared before a
                backup was put back: nobody knows then.
            OperatorRecordsUnavailable: nobody knows; then it is not carried out.
        """
        ...


def prepare_action(
    action: Action,
    parameters: Mapping[str, str],
    *,
    by: Signer,
    operators: Mapping[OperatorName, Operator],
    issuer: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> PreparedAction:
    """Return an action that waits for a second person.

    Args:
        parameters: what the action needs; never a value of a person.
        issuer: of this broker.
        now: aware.
        random: returns that many unpredictable bytes (`secrets.token_bytes`).

    Raises:
        OperatorUnknown, WrongOperatorKey: the first person is not who they say.
    """
    check_signer(by, operators=operators)
    seconds = int(now.timestamp())
    body = PreparedBody(
        issuer=issuer,
        action=action.value,
        parameters=dict(parameters),
        prepared_by=by.name,
        prepared_at=seconds,
        expires_at=seconds + PREPARED_LIFE_SECONDS,
        id=random(ACTION_ID_BYTES).hex(),
    )
    return PreparedAction(body=body, signature=by.key.sign(_signed_bytes(_PREPARED_LABEL, body)))


def encode_prepared(prepared: PreparedAction) -> bytes:
    """Return the document that is handed over: JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(prepared), indent=2) + b"\n"


def parse_prepared(document: bytes) -> PreparedAction:
    """Return what a document says; nothing of it is checked but its shape.

    Raises:
        PreparedUnreadable: too large, no JSON, or not in the form of `PreparedAction`.
    """
    if len(document) > PREPARED_BYTES_MAX:
        raise PreparedUnreadable("check_size")
    try:
        return msgspec.json.decode(document, type=PreparedAction)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # refused below: a decoder's message may quote the document
    raise PreparedUnreadable("check_form")


def confirm_action(
    unverified: PreparedAction,
    *,
    by: Signer,
    operators: Mapping[OperatorName, Operator],
    used: UsedActions,
    expected_issuer: str,
    now: datetime,
) -> ConfirmedAction:
    """Return an action that two persons want, after noting that it is used now.

    Raises:
        Refusal: one of `CHECKS`, or `ActionUsed`, or `OperatorRecordsUnavailable`.
    """
    confirming = Confirming(
        unverified.body, unverified.signature, by, operators, expected_issuer, now
    )
    for check in CHECKS:
        check(confirming)
    body = ConfirmationBody(
        issuer=expected_issuer,
        id=unverified.body.id,
        action=Action(unverified.body.action),
        prepared_by=unverified.body.prepared_by,
        confirmed_by=by.name,
        confirmed_at=int(now.timestamp()),
    )
    used.claim(
        Confirmation(body=body, signature=by.key.sign(_signed_bytes(_CONFIRMED_LABEL, body))),
        prepared_at=unverified.body.prepared_at,
    )
    return ConfirmedAction(
        action=body.action,
        parameters=unverified.body.parameters,
        id=body.id,
        prepared_by=body.prepared_by,
        confirmed_by=body.confirmed_by,
    )


@dataclass(frozen=True, slots=True)
class Confirming:
    """What the checks look at."""

    body: PreparedBody
    signature: bytes
    by: Signer
    operators: Mapping[OperatorName, Operator]
    issuer: str
    now: datetime


def check_prepared_here(confirming: Confirming) -> None:
    """An action prepared at the test broker is not carried out at the real one."""
    if confirming.body.issuer != confirming.issuer:
        raise PreparedElsewhere("check_prepared_here")


def check_action_known(confirming: Confirming) -> None:
    """Only what `Action` lists."""
    if confirming.body.action not in set(Action):
        raise ActionUnknown("check_action_known")


def check_preparer_registered(confirming: Confirming) -> None:
    """The first person is still an operator."""
    if confirming.body.prepared_by not in confirming.operators:
        raise OperatorUnknown("check_preparer_registered")


def check_signature_of_preparer(confirming: Confirming) -> None:
    """The document is, to the last character, what the first person signed."""
    preparer = confirming.operators[confirming.body.prepared_by]
    try:
        Ed25519PublicKey.from_public_bytes(preparer.public_key).verify(
            confirming.signature, _signed_bytes(_PREPARED_LABEL, confirming.body)
        )
    except InvalidSignature:
        raise PreparedForged("check_signature_of_preparer") from None


def check_life_bounded(confirming: Confirming) -> None:
    """Not from the future, and not meant to live for longer than a day."""
    body = confirming.body
    if body.prepared_at > (confirming.now + CLOCK_SKEW).timestamp():
        raise PreparedExpired("check_life_bounded")
    if body.expires_at > body.prepared_at + PREPARED_LIFE_SECONDS:
        raise PreparedExpired("check_life_bounded")


def check_not_expired(confirming: Confirming) -> None:
    """What nobody confirmed within a day, nobody wants any more."""
    if confirming.now.timestamp() >= confirming.body.expires_at:
        raise PreparedExpired("check_not_expired")


def check_confirmer(confirming: Confirming) -> None:
    """The second person is an operator and holds the operator's key."""
    check_signer(confirming.by, operators=confirming.operators)


def check_other_operator(confirming: Confirming) -> None:
    """The second person goes by another name than the first."""
    if confirming.by.name == confirming.body.prepared_by:
        raise SamePerson("check_other_operator")


def check_other_key(confirming: Confirming) -> None:
    """One key under two names is one person."""
    preparer = confirming.operators[confirming.body.prepared_by]
    if preparer.public_key == confirming.operators[confirming.by.name].public_key:
        raise SamePerson("check_other_key")


CHECKS: tuple[Callable[[Confirming], None], ...] = (
    check_prepared_here,
    check_action_known,
    check_preparer_registered,
    check_signature_of_preparer,
    check_life_bounded,
    check_not_expired,
    check_confirmer,
    check_other_operator,
    check_other_key,
)
"""In this order; that it was not used before is the last one, `UsedActions.claim`."""


def _signed_bytes(label: bytes, body: PreparedBody | ConfirmationBody) -> bytes:
    return label + msgspec.json.encode(body, order="sorted")
