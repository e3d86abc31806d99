"""Which suppliers may still hold ECK iDs of which schools: counts and dates, no persons.

What was approved counts, not what was seen to go out: who was allowed to get ECK iDs may hold them.
From the first day of the first agreement that ever let them out, until the supplier confirms that
it has none left; which it can do once none goes out any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from broker.domain.documents import AgreementDocument, SupplierDocument
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.takeover import OLD_KEYS, TakeoverState
from broker.flow.federation.agreements import approved_paths
from broker.flow.takeover.takeovers import StoredTakeover


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """One supplier that may hold ECK iDs of one school's pupils.

    Attributes:
        since: first day on which an agreement let them out; None when only a mapping was asked.
        state: of the take-over; None without one.
        asked: about how many ECK iDs the supplier asked.
        deleted_on: day from which it says that it has none left.
    """

    school: SchoolId
    supplier: SupplierId
    since: date | None
    state: TakeoverState | None
    asked: int
    deleted_on: date | None

    @property
    def may_hold(self) -> bool:
        """Whether it never confirmed that it has none left."""
        return self.deleted_on is None


def find_held_keys(
    agreements: Iterable[AgreementDocument],
    suppliers: Iterable[SupplierDocument],
    takeovers: Iterable[StoredTakeover],
    *,
    registry: Registry,
    today: date,
) -> list[HeldKeys]:
    """Return which suppliers may ever have got ECK iDs of which schools, in order.

    Args:
        agreements, suppliers: every form that these documents ever had.
        registry: to know the schools of a board.
    """
    entitled = {each.id for each in suppliers if each.eck_id_entitled}
    since: dict[tuple[SchoolId, SupplierId], date] = {}
    for each in agreements:
        lets_out = OLD_KEYS & {name for _, name in approved_paths(each)} and each.until is not None
        if not lets_out or each.supplier not in entitled or each.from_day > today:
            continue
        for school in _schools_of(each, registry):
            parties = (school, SupplierId(each.supplier))
            since[parties] = min(each.from_day, since.get(parties, each.from_day))
    signed = {(each.takeover.school, each.takeover.supplier): each for each in takeovers}
    asked = {parties for parties, each in signed.items() if each.asked}
    return [
        _held(parties, since=since.get(parties), signed=signed.get(parties), today=today)
        for parties in sorted(since.keys() | asked)
    ]


def _schools_of(agreement: AgreementDocument, registry: Registry) -> list[SchoolId]:
    if agreement.school is not None:
        return [SchoolId(agreement.school)]
    return [each.id for each in registry.schools.values() if each.board == agreement.board]


def _held(
    parties: tuple[SchoolId, SupplierId],
    *,
    since: date | None,
    signed: StoredTakeover | None,
    today: date,
) -> HeldKeys:
    school, supplier = parties
    return HeldKeys(
        school,
        supplier,
        since=since,
        state=None if signed is None else signed.takeover.state_on(today),
        asked=0 if signed is None else signed.asked,
        deleted_on=None if signed is None else signed.deleted_on,
    )
