"""Which school signed which version of a supplier's sheet: for the supplier's own people alone."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from broker.domain.agreements import Agreement
from broker.domain.console_roles import Permission
from broker.domain.dutch_days import day_of
from broker.domain.registry import Registry
from broker.flow.console.actors import Actor
from broker.flow.ports import Snapshots
from broker.flow.sheets.sheet_reading import SheetReader
from broker.flow.sheets.sheet_store import SheetStore


class Standing(StrEnum):
    """How an agreement stands today."""

    IN_FORCE = "in-force"
    TO_COME = "to-come"
    ENDED = "ended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SignedSheet:
    """One agreement.

    Attributes:
        signer: name of the school, or id of the board that signed for all its schools.
        version: of the sheet that was read; 0: none.
        last_day: None is without end.
    """

    signer: str
    is_board: bool
    version: int
    first_day: date
    last_day: date | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class SignedSheets:
    """Who signed what, by name, and how many agreements in force are on each version."""

    signed: tuple[SignedSheet, ...]
    in_force: Mapping[int, int]


class SignedSheetReader:
    """Reads who signed which version."""

    def __init__(
        self,
        store: SheetStore,
        reader: SheetReader,
        snapshots: Snapshots,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._reader = reader
        self._snapshots = snapshots
        self._clock = clock

    async def read(self, actor: Actor, supplier: str) -> SignedSheets:
        """Return the agreements with a supplier.

        Raises:
            NotAllowed: it is not the actor's.
            RegistryUnreadable
        """
        record = self._reader.own(actor, supplier, Permission.SEE_SUPPLIER)
        today, registry = day_of(self._clock()), self._snapshots.registry
        found = [
            _signed(each, registry, today=today)
            for each in await self._store.agreements_of(record.id)
        ]
        counts = Counter(each.version for each in found if each.standing is Standing.IN_FORCE)
        by_name = sorted(found, key=lambda each: (each.signer.casefold(), each.is_board))
        return SignedSheets(tuple(by_name), dict(sorted(counts.items(), reverse=True)))


def _signed(agreement: Agreement, registry: Registry, *, today: date) -> SignedSheet:
    school = registry.schools.get(agreement.school) if agreement.school is not None else None
    signer = school.name if school is not None else agreement.school or agreement.board or ""
    return SignedSheet(
        signer=signer,
        is_board=agreement.board is not None,
        version=agreement.sheet,
        first_day=agreement.first_day,
        last_day=agreement.last_day,
        standing=_standing(agreement, today=today),
    )


def _standing(agreement: Agreement, *, today: date) -> Standing:
    if agreement.is_stopped(today):
        return Standing.STOPPED
    if agreement.is_in_force(today):
        return Standing.IN_FORCE
    return Standing.TO_COME if today < agreement.first_day else Standing.ENDED
