"""Who may transfer a pupil's account at a supplier from one education sector to the next.

A pupil who goes to another sector gets another ECK iD by law, and so another pseudonym. Where the
old school and the new one both allow it for a named supplier, that supplier alone is told that
both are one pupil. Pure: what the two schools and the supplier are, and which day it is.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from broker.domain.federation import School, Sector, Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.transfer_refusals import (
    SameSector,
    TransferDayUnusable,
    TransferExpired,
    TransferNotAgreed,
    TransferReversed,
)

LONGEST_DAYS = 366  # one school year: who did not come by then begins anew

_ORDER = (Sector.PO, Sector.VO, Sector.MBO, Sector.HO)


@dataclass(frozen=True, slots=True)
class TransferParties:
    """A school that allows a transfer, and for which supplier."""

    school: School
    supplier: Supplier


def find_transfer_parties(
    registry: Registry, school: SchoolId, supplier: SupplierId, *, today: date
) -> TransferParties:
    """Return the parties of one side, when they are open and have an agreement in force.

    Raises:
        TransferNotAgreed: one is not known or not open, test and production would meet, or there
            is no agreement in force.
    """
    of, at = registry.schools.get(school), registry.suppliers.get(supplier)
    if of is None or at is None or not (of.enabled and at.enabled) or of.state != at.state:
        raise TransferNotAgreed("check_parties_open")
    found = find_agreement(registry, of, at.id, today)
    if found is None or not found.agreement.is_in_force(today):
        raise TransferNotAgreed("check_agreement_in_force")
    return TransferParties(of, at)


def check_last_day(last_day: date, *, today: date) -> None:
    """Refuse to offer a transfer that is over already, or that nobody would remember.

    Raises:
        TransferDayUnusable
    """
    if not today < last_day <= today + timedelta(days=LONGEST_DAYS):
        raise TransferDayUnusable("check_last_day")


def check_not_over(last_day: date, *, today: date) -> None:
    """Refuse a transfer after its last day.

    Raises:
        TransferExpired
    """
    if today > last_day:
        raise TransferExpired("check_not_over")


def check_next_sector(*, old: School, new: School) -> None:
    """Refuse a transfer that does not lead to a later sector.

    Within a sector a pupil keeps the ECK iD: two of them are two pupils, or a mistake.

    Raises:
        SameSector, TransferReversed
    """
    if old.sector is new.sector:
        raise SameSector("check_next_sector")
    if _ORDER.index(old.sector) > _ORDER.index(new.sector):
        raise TransferReversed("check_next_sector")
