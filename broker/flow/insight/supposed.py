"""The registry as it would be with another agreement or sheet: what a school has not decided yet.

So the decision that answers logins is asked about what is not in force, and there is no second one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from broker.domain.agreements import Agreement
from broker.domain.federation import Supplier
from broker.domain.registry import Registry

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Over(Mapping[Key, Value]):
    """One mapping with another in its place; neither is copied, since there are many agreements."""

    over: Mapping[Key, Value] = field(repr=False)
    under: Mapping[Key, Value] = field(repr=False)

    def __getitem__(self, key: Key) -> Value:
        return self.over[key] if key in self.over else self.under[key]

    def __iter__(self) -> Iterator[Key]:
        yield from self.over
        yield from (each for each in self.under if each not in self.over)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def suppose_agreement(registry: Registry, agreement: Agreement) -> Registry:
    """Return a registry in which a school, or its board, has this agreement."""
    if agreement.school is not None:
        own = {(agreement.school, agreement.supplier): agreement}
        return replace(registry, school_agreements=_Over(own, registry.school_agreements))
    if agreement.board is None:
        raise ValueError("an agreement is a school's or a board's")
    board = {(agreement.board, agreement.supplier): agreement}
    return replace(registry, board_agreements=_Over(board, registry.board_agreements))


def suppose_supplier(registry: Registry, supplier: Supplier) -> Registry:
    """Return a registry in which a supplier asks what this record says."""
    return replace(registry, suppliers=_Over({supplier.id: supplier}, registry.suppliers))
