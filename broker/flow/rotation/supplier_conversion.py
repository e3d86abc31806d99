"""A supplier converts its own pseudonyms by its own program, while its window is open.

What `broker pseudonyms convert` does for an operator, in parts: each call is answered whole, and
spends a quota of this window. The quota follows how many persons the supplier knows, so that a
stolen credential cannot try out more texts than the supplier has.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from broker.domain.federation import Supplier
from broker.flow.audit import AuditLog
from broker.flow.persons.register import RegisterKeys
from broker.flow.persons.supplier_counts import Converted, SupplierCounts
from broker.flow.programs.quotas import Quota, QuotaLedger
from broker.flow.rotation.conversion import (
    Answer,
    ConvertedBatch,
    NotConverted,
    RegisterRows,
    audit_conversion,
    convert_batch,
    kind_of,
)
from broker.flow.rotation.rotation_refusals import WindowMoved
from broker.flow.rotation.rotations import RotationStore, RotationWindow, check_window_open
from broker.pseudonyms.conversion import make_conversion
from broker.pseudonyms.epochs import PairwiseKeys, select_key

AT_ONCE = 100
"""Texts that are converted in one go on a thread: about 20 ms."""


@dataclass(frozen=True, slots=True)
class ConversionQuota:
    """How much a supplier may ask for in one window.

    Attributes:
        percent: of the persons whom it knows; over 100, so that a lost answer can be asked again.
        least: texts that every supplier may ask for.
    """

    percent: int
    least: int

    def limit(self, known: int) -> int:
        """Return how many texts a supplier may ask for.

        >>> ConversionQuota(percent=200, least=100).limit(3000)
        6000
        """
        return max(self.least, known * self.percent // 100)


@dataclass(frozen=True, slots=True)
class ConversionPorts:
    """What a conversion works with.

    Attributes:
        open_rows: opens the register for one call.
    """

    rotations: RotationStore
    counts: SupplierCounts
    quotas: QuotaLedger
    open_rows: Callable[[], AbstractContextManager[RegisterRows]]
    audit: AuditLog
    keys: RegisterKeys = field(repr=False)
    pairwise: PairwiseKeys = field(repr=False)


class SupplierConversion:
    """Answers suppliers' programs; one of them at a time in each worker."""

    def __init__(self, ports: ConversionPorts, *, quota: ConversionQuota) -> None:
        self._ports = ports
        self._quota = quota
        self._turn = asyncio.Semaphore(1)

    async def convert(
        self, unverified_texts: Sequence[str], *, supplier: Supplier
    ) -> tuple[Answer, ...]:
        """Return an answer for each text, in order, after noting whom they are of.

        Args:
            supplier: who calls, proven.

        Raises:
            WindowNotOpen: no rotation of this supplier is under way.
            WindowMoved: it was turned back or closed meanwhile; nothing was handed out.
            QuotaExceeded, QuotasUnavailable: nothing was converted.
            EpochKeyMissing, RegisterUnavailable, RegistryUnreadable
        """
        ports = self._ports
        window = check_window_open(await asyncio.to_thread(ports.rotations.read, supplier.id))
        totals = await asyncio.to_thread(ports.counts.read, supplier.id)
        quota = Quota(
            purpose="conversion",
            of=f"{supplier.id}/{window.opened_version}",
            period="",
            limit=self._quota.limit(totals.known),
        )
        await ports.quotas.spend(quota, len(unverified_texts))
        async with self._turn:
            batch = await self._convert(unverified_texts, window)
        if (await asyncio.to_thread(ports.rotations.read, supplier.id)).window != window:
            raise WindowMoved("check_window_stays", subject=supplier.display_name)
        await asyncio.to_thread(
            ports.counts.note_converted, supplier.id, batch.converted, epoch=window.epoch
        )
        tally = Counter(map(kind_of, batch.answers))
        audit_conversion(ports.audit, supplier=supplier.id, tally=tally)
        return batch.answers

    async def _convert(
        self, unverified_texts: Sequence[str], window: RotationWindow
    ) -> ConvertedBatch:
        ports = self._ports
        conversion = make_conversion(
            window.supplier,
            left=select_key(ports.pairwise, pinned=window.previous_epoch),
            entered=select_key(ports.pairwise, pinned=window.epoch),
        )
        once = list(dict.fromkeys(unverified_texts))
        answer_of: dict[str, Answer] = {}
        converted: list[Converted] = []
        with ports.open_rows() as rows:
            for start in range(0, len(once), AT_ONCE):
                some = once[start : start + AT_ONCE]
                batch = await asyncio.to_thread(
                    convert_batch, some, conversion=conversion, rows=rows, keys=ports.keys
                )
                answer_of |= zip(some, batch.answers, strict=True)
                converted += batch.converted
        answers = tuple(answer_of.pop(each, NotConverted.DOUBLED) for each in unverified_texts)
        return ConvertedBatch(answers, tuple(converted))
