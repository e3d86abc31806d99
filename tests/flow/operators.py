"""Two operators, their records in memory, and a desk at which they work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.flow.audit import AuditEvent
from broker.flow.operators.operator_actions import OperatorDesk
from broker.flow.operators.operator_refusals import ActionUsed, OperatorExists
from broker.flow.operators.operators import Operator, OperatorName, Signer
from broker.flow.operators.two_persons import Confirmation
from broker.flow.persons.register import derive_register_keys

ISSUER = "https://broker.example"
NOW = datetime(2026, 9, 7, 8, 10, tzinfo=UTC)


def a_signer(name: str, seed: int | None = None) -> Signer:
    """An operator with a key of their own, made from the name unless a seed is given."""
    private = bytes([len(name) if seed is None else seed]) * 32
    return Signer(OperatorName(name), Ed25519PrivateKey.from_private_bytes(private))


ANNA, BEA, CAS = a_signer("anna", 1), a_signer("bea", 2), a_signer("cas", 3)


def registered_as(signer: Signer) -> Operator:
    return Operator(signer.name, signer.key.public_key().public_bytes_raw())


def an_operator_list(*signers: Signer) -> dict[OperatorName, Operator]:
    return {each.name: registered_as(each) for each in signers}


@dataclass
class MemoryOperators:
    """`Operators` in memory."""

    by_name: dict[OperatorName, Operator] = field(default_factory=dict)

    def registered(self) -> Mapping[OperatorName, Operator]:
        return dict(self.by_name)

    def add(self, operator: Operator) -> None:
        if operator.name in self.by_name:
            raise OperatorExists("check_operator_name_new")
        self.by_name[operator.name] = operator


@dataclass
class MemoryUsed:
    """`UsedActions` in memory."""

    confirmations: dict[str, Confirmation] = field(default_factory=dict)

    def claim(self, confirmation: Confirmation, *, prepared_at: int) -> None:
        if confirmation.body.id in self.confirmations:
            raise ActionUsed("check_used_once")
        self.confirmations[confirmation.body.id] = confirmation


SEALING = derive_register_keys(bytes(32))
"""Of what prepared actions say of a person."""


@dataclass
class Events:
    """`AuditLog` in memory."""

    seen: list[AuditEvent] = field(default_factory=list)

    def record(self, event: AuditEvent) -> None:
        self.seen.append(event)


@dataclass
class Desk:
    """A desk with what is behind it."""

    operators: MemoryOperators
    used: MemoryUsed
    events: Events
    now: datetime = NOW
    drawn: int = 0

    @property
    def at(self) -> OperatorDesk:
        return OperatorDesk(
            issuer=ISSUER,
            operators=self.operators,
            used=self.used,
            audit=self.events,
            clock=lambda: self.now,
            random=self.draw,
            register_keys=lambda: SEALING,
        )

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    def told(self) -> list[str]:
        return [each.action for each in self.events.seen]


def a_desk(*signers: Signer) -> Desk:
    return Desk(MemoryOperators(an_operator_list(*signers)), MemoryUsed(), Events())
