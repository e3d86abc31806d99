"""Operators: the people who run the broker, each with a name and an Ed25519 key of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.domain.ids import is_slug
from broker.flow.operators.operator_refusals import OperatorUnknown, WrongOperatorKey

OperatorName = NewType("OperatorName", str)
"""Slug under which an operator's public key is registered."""

PUBLIC_KEY_BYTES = 32  # RFC 8032 5.1.5


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who may prepare and confirm.

    Attributes:
        public_key: 32 bytes, Ed25519 (RFC 8032 5.1.5).

    Raises:
        ValueError: the name is no slug, or the key is not 32 bytes.
    """

    name: OperatorName
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_slug(self.name):
            raise ValueError("an operator's name is a slug")
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise ValueError(f"an operator's public key is {PUBLIC_KEY_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Signer:
    """An operator at work: the name they gave and the key they hold."""

    name: OperatorName
    key: Ed25519PrivateKey = field(repr=False)


class Operators(Protocol):
    """Who may prepare and confirm."""

    def registered(self) -> Mapping[OperatorName, Operator]:
        """Return everybody, by name.

        Raises:
            OperatorRecordsUnavailable: a record cannot be read or trusted; then nobody may.
        """
        ...

    def add(self, operator: Operator) -> None:
        """Register a new operator, durably.

        Raises:
            OperatorExists: the name is taken.
            OperatorRecordsUnavailable: it could not be written.
        """
        ...


def check_signer(by: Signer, *, operators: Mapping[OperatorName, Operator]) -> None:
    """Hold that somebody is a registered operator and holds that operator's key.

    Raises:
        OperatorUnknown, WrongOperatorKey: they are not, or do not.
    """
    if by.name not in operators:
        raise OperatorUnknown("check_signer_registered")
    if by.key.public_key().public_bytes_raw() != operators[by.name].public_key:
        raise WrongOperatorKey("check_signer_key")
