"""Shielding (*afschermen*): what goes out of one pupil less than the school's agreements let go.

A school shields a pupil by its own decision, or because it granted an objection (GDPR 21). A shield
only ever takes away. It holds at that school's logins alone, and is another thing than the
protection of a pupil against a school that states somebody else's (`PersonRecord.protected`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from broker.domain.attributes import AttributeName
from broker.domain.ids import SupplierId


class ShieldLevel(StrEnum):
    """How much a shield takes away."""

    NO_LOGIN = "no-login"
    """Not even a pseudonym: there is no login at that supplier."""
    NO_ATTRIBUTES = "no-attributes"
    """Nothing but the pseudonym, or without some attributes alone."""


class ShieldedBy(StrEnum):
    """Why somebody is shielded."""

    SCHOOL = "school"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True)
class Shield:
    """One decision about one pupil; it names nobody.

    Attributes:
        suppliers: at which it holds; empty: at all.
        attributes: that `NO_ATTRIBUTES` withholds; empty: all.
    """

    by: ShieldedBy
    level: ShieldLevel
    suppliers: frozenset[SupplierId] = frozenset()
    attributes: frozenset[AttributeName] = frozenset()

    def holds_at(self, supplier: SupplierId) -> bool:
        """Tell whether it holds at a supplier."""
        return not self.suppliers or supplier in self.suppliers


def shields_at(shields: Iterable[Shield], supplier: SupplierId) -> tuple[Shield, ...]:
    """Return those that hold at a supplier."""
    return tuple(each for each in shields if each.holds_at(supplier))


def is_shut_out(shields: Iterable[Shield]) -> bool:
    """Tell whether shields, of those that hold at a supplier, let nobody in there."""
    return any(each.level is ShieldLevel.NO_LOGIN for each in shields)


def find_shield(shields: Iterable[Shield], name: AttributeName) -> Shield | None:
    """Return the first shield, of those that hold at a supplier, that withholds an attribute."""
    withholding = (each for each in shields if not each.attributes or name in each.attributes)
    return next(withholding, None)
