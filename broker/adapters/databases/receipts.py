"""The receipt log on SQLite: durable appends in groups, one chain for each process.

After any failure the connection is closed and the next batch begins a new chain: nobody knows
whether the failed commit reached the disk, and a chain goes on only from what is known.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, func, insert, literal_column, select
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from broker.adapters.databases.group_commit import GroupCommit
from broker.adapters.databases.receipt_archive import make_head, open_archive, prove_school_receipts
from broker.adapters.databases.sql import OpenedFile, open_sqlite, prepare, transaction
from broker.adapters.databases.tables_receipts import receipt_heads, receipt_writers, receipts
from broker.domain.ids import SchoolId
from broker.flow.receipts.receipt_audit import VerifiedReceipts, verify_receipts
from broker.flow.receipts.receipt_chain import (
    WRITER_ID_BYTES,
    ReceiptProof,
    SignedHead,
    WriterTip,
    derive_chain_keys,
    extend_chain,
    start_chain,
)
from broker.flow.receipts.receipts import ReceiptsUnavailable, SealedReceipt

FIND_CHUNK = 500  # locators in one query; SQLite's own limit is 32766

LOOK_FOR_HEADS_SECONDS = 60

_DATABASE_FAULTS = (sqlite3.Error, OSError)

_COUNT_HEADS = prepare(select(func.coalesce(func.max(receipt_heads.c.number), literal_column("0"))))
_ADD_LINE = prepare(insert(receipts))
_tip = insert_or_update(receipt_writers)
_SET_TIP = prepare(
    _tip.on_conflict_do_update(
        index_elements=[receipt_writers.c.writer],
        set_={name: _tip.excluded[name] for name in ("count", "link", "heads", "tag")},
    )
)
_FIND_NAMES = [f"l{index}" for index in range(FIND_CHUNK)]
_FIND = prepare(
    select(receipts.c.locator, receipts.c.ciphertext, receipts.c.school, receipts.c.week).where(
        receipts.c.locator.in_([bindparam(name) for name in _FIND_NAMES])
    )
)


class SqliteReceiptLog:
    """`broker.flow.receipts.receipts.ReceiptLog` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "receipts")` made.
        receipt_key: 32 bytes, of this purpose alone.
        random: returns that many unpredictable bytes (`secrets.token_bytes`).
    """

    def __init__(
        self,
        path: Path,
        *,
        receipt_key: bytes,
        random: Callable[[int], bytes],
    ) -> None:
        self._path = path
        self._keys = derive_chain_keys(receipt_key)
        self._random = random
        self._opened: OpenedFile | None = None
        self._tip: WriterTip | None = None
        self._group: GroupCommit[SealedReceipt | None, None] = GroupCommit(
            self._commit,
            refusal=ReceiptsUnavailable,
            expected=_DATABASE_FAULTS,
        )

    @property
    def healthy(self) -> bool:
        """False from a failed append until the next append or `probe` that succeeds."""
        return self._group.healthy

    async def append(self, receipt: SealedReceipt) -> None:
        """Return when the receipt is durable, with those of other logins of the same moment.

        Raises:
            ReceiptsUnavailable: it is not, or nobody knows whether it is.
        """
        await self._group.submit(receipt)

    async def probe(self) -> None:
        """Write durably without a receipt, so that health can turn green without a login.

        Raises:
            ReceiptsUnavailable: the log cannot be written.
        """
        await self._group.submit(None)

    async def find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
        """Return the receipts with one of these locators, by week.

        Raises:
            ReceiptsUnavailable: the log cannot be read.
        """
        try:
            return await asyncio.to_thread(self._find, locators)
        except _DATABASE_FAULTS as error:
            raise ReceiptsUnavailable("check_readable") from error

    async def make_head(self, *, now: datetime, after_seconds: float = 0) -> SignedHead | None:
        """Sign a head over what came since the last one; the last one when nothing came.

        Args:
            after_seconds: how old the last one must be; a younger one is returned as it is.

        Raises:
            ReceiptsUnavailable: the log cannot be read or written.
        """
        try:
            return await asyncio.to_thread(
                make_head, self._path, keys=self._keys, now=now, after_seconds=after_seconds
            )
        except _DATABASE_FAULTS as error:
            raise ReceiptsUnavailable("check_head_written") from error

    async def heads_since(self, number: int) -> list[SignedHead]:
        """Return the heads after `number`, for whoever keeps them.

        Raises:
            ReceiptsUnavailable: the log cannot be read.
        """

        def read() -> list[SignedHead]:
            with open_archive(self._path) as archive:
                return list(archive.heads(after=number))

        try:
            return await asyncio.to_thread(read)
        except _DATABASE_FAULTS as error:
            raise ReceiptsUnavailable("check_readable") from error

    async def prove(self, school: SchoolId, *, head: int) -> list[ReceiptProof]:
        """Return a school's lines under a head, each with its audit path.

        Raises:
            ReceiptsUnavailable: the log cannot be read.
            LookupError: there is no such head.
        """
        try:
            return await asyncio.to_thread(
                prove_school_receipts, self._path, school=school, head=head
            )
        except _DATABASE_FAULTS as error:
            raise ReceiptsUnavailable("check_readable") from error

    async def close(self) -> None:
        """Write what waits and close the database; after that every append is refused."""
        await self._group.close(self._close_connection)

    def _commit(self, batch: Sequence[SealedReceipt | None]) -> list[None]:
        """Write a batch as the next lines of this process's chain."""
        try:
            connection = self._writing_connection()
            tip = self._tip or start_chain(self._random(WRITER_ID_BYTES), keys=self._keys)
            with transaction(connection):
                (heads,) = connection.execute(_COUNT_HEADS).fetchone()
                lines, new_tip = extend_chain(
                    tip,
                    (receipt for receipt in batch if receipt is not None),
                    heads=heads,
                    keys=self._keys,
                )
                connection.executemany(
                    _ADD_LINE,
                    (
                        {
                            "writer": line.writer,
                            "sequence": line.sequence,
                            "locator": line.receipt.locator,
                            "ciphertext": line.receipt.ciphertext,
                            "school": line.receipt.school,
                            "week": line.receipt.week,
                            "link": line.link,
                        }
                        for line in lines
                    ),
                )
                connection.execute(
                    _SET_TIP,
                    {
                        "writer": new_tip.writer,
                        "count": new_tip.count,
                        "link": new_tip.link,
                        "heads": new_tip.heads,
                        "tag": new_tip.tag,
                        "headed": 0,
                    },
                )
        except BaseException:
            self._close_connection()
            raise
        self._tip = new_tip
        return [None] * len(batch)

    def _writing_connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = OpenedFile(self._path)
        return self._opened.connection()

    def _close_connection(self) -> None:
        self._tip = None
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _find(self, locators: Sequence[bytes]) -> list[SealedReceipt]:
        found: list[SealedReceipt] = []
        with closing(open_sqlite(self._path)) as connection:
            for start in range(0, len(locators), FIND_CHUNK):
                chunk = locators[start : start + FIND_CHUNK]
                asked: dict[str, bytes | None] = dict.fromkeys(_FIND_NAMES)
                asked.update(zip(_FIND_NAMES, chunk, strict=False))
                found.extend(SealedReceipt(*row) for row in connection.execute(_FIND, asked))
        return sorted(found, key=lambda each: each.week)


async def make_heads_on_schedule(
    log: SqliteReceiptLog,
    *,
    every_seconds: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Sign a head whenever the last one is that old, until cancelled.

    Several processes look, at different moments: whoever finds it due makes it, for all of them.
    One that was started anew does not begin to wait anew. A head that cannot be made now covers
    more the next time; the log's health tells meanwhile.
    """
    while True:
        await sleep(min(every_seconds, LOOK_FOR_HEADS_SECONDS))
        with suppress(ReceiptsUnavailable):
            await log.make_head(now=clock(), after_seconds=every_seconds)


def verify_receipt_database(
    path: Path,
    *,
    receipt_key: bytes,
    kept_heads: Sequence[SignedHead] = (),
    progress: Callable[[int], None] = lambda lines: None,
) -> VerifiedReceipts:
    """Hold that a receipt database is what was written: what `broker receipts verify` runs.

    Args:
        kept_heads: heads that schools fetched and kept.
        progress: called with the number of lines read so far.

    Raises:
        ReceiptsTampered: with every defect.
        sqlite3.Error: the database cannot be read.
    """
    with open_archive(path) as archive:
        return verify_receipts(
            archive, keys=derive_chain_keys(receipt_key), kept_heads=kept_heads, progress=progress
        )
