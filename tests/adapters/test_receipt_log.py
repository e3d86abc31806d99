"""The receipt log on SQLite: durable, in groups, refused when in doubt, and verified."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest

from broker.adapters.databases.receipts import (
    SqliteReceiptLog,
    make_heads_on_schedule,
    verify_receipt_database,
)
from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.receipts.receipt_audit import Defect, Finding, ReceiptsTampered
from broker.flow.receipts.receipt_chain import check_proof, derive_chain_keys, read_head
from broker.flow.receipts.receipts import (
    ReceiptContent,
    ReceiptsUnavailable,
    SealedReceipt,
    derive_receipt_keys,
    locate_receipts,
    read_receipts,
    seal_receipt,
)
from broker.pseudonyms.derivation import PersonRoot
from broker.pseudonyms.group import Element
from tests.flow.receipt_archives import a_sealed_receipt

KEY = bytes(range(32))
PUBLIC_KEY = derive_chain_keys(KEY).head_public_key
NOW = datetime(2026, 9, 7, 8, 14, tzinfo=UTC)
SCHOOL, SUPPLIER = SchoolId("vuurvogel"), SupplierId("rekenrijk")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "receipts.db"
    upgrade_database(made, "receipts")
    return made


def a_log(path: Path) -> SqliteReceiptLog:
    return SqliteReceiptLog(path, receipt_key=KEY, random=secrets.token_bytes)


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteReceiptLog]:
    made = a_log(path)
    yield made
    await made.close()


def run_sql(path: Path, statement: str, *values: object) -> None:
    connection = open_sqlite(path)
    connection.execute(statement, values)
    connection.close()


def writers(path: Path) -> list[str]:
    connection = open_sqlite(path)
    found = connection.execute("SELECT DISTINCT hex(writer) FROM receipts").fetchall()
    connection.close()
    return [writer.lower() for (writer,) in found]


def verify(path: Path, **how: object) -> tuple[int, int, int]:
    verified = verify_receipt_database(path, receipt_key=KEY, **how)  # type: ignore[arg-type]
    return verified.writers, verified.lines, verified.heads


def count_commits(log: SqliteReceiptLog) -> list[int]:
    """Return a list that grows by a batch's size at each commit."""
    sizes: list[int] = []
    group = log._group
    commit: Callable[[Sequence[SealedReceipt | None]], Sequence[None]] = group._commit

    def counted(batch: Sequence[SealedReceipt | None]) -> Sequence[None]:
        sizes.append(len(batch))
        return commit(batch)

    group._commit = counted
    return sizes


async def test_appended_receipts_verify(path: Path, log: SqliteReceiptLog) -> None:
    for number in range(3):
        await log.append(a_sealed_receipt(number))
    assert log.healthy
    assert verify(path) == (1, 3, 0)


async def test_logins_of_one_moment_share_a_commit(path: Path, log: SqliteReceiptLog) -> None:
    sizes = count_commits(log)
    await asyncio.gather(*(log.append(a_sealed_receipt(number)) for number in range(50)))
    assert sizes == [50]
    await asyncio.gather(*(log.append(a_sealed_receipt(number)) for number in range(50, 90)))
    assert sizes == [50, 40]
    assert verify(path) == (1, 90, 0)


async def test_crowd_larger_than_a_batch_is_written_in_several(
    path: Path, log: SqliteReceiptLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.adapters.databases.group_commit.MAX_BATCH", 20)
    sizes = count_commits(log)
    await asyncio.gather(*(log.append(a_sealed_receipt(number)) for number in range(50)))
    assert sizes == [20, 20, 10]
    assert verify(path) == (1, 50, 0)


async def test_two_processes_write_a_chain_each(path: Path, log: SqliteReceiptLog) -> None:
    other = a_log(path)
    await asyncio.gather(
        *(each.append(a_sealed_receipt(number)) for number in range(20) for each in (log, other))
    )
    await other.close()
    assert verify(path) == (2, 40, 0)


async def test_writer_elsewhere_does_not_block_the_event_loop(
    path: Path, log: SqliteReceiptLog
) -> None:
    sizes = count_commits(log)
    await log.append(a_sealed_receipt(0))
    other = open_sqlite(path)
    other.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.ensure_future(log.append(a_sealed_receipt(1)))]
    while len(sizes) < 2:
        await asyncio.sleep(0)
    waiting += [asyncio.ensure_future(log.append(a_sealed_receipt(each))) for each in (2, 3, 4)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    other.execute("ROLLBACK")
    other.close()
    await asyncio.gather(*waiting)
    assert sizes == [1, 1, 3], "what came meanwhile shares the next commit"
    assert verify(path) == (1, 5, 0)


async def test_login_that_was_cancelled_keeps_nobody_else_waiting(
    path: Path, log: SqliteReceiptLog
) -> None:
    appends = [asyncio.ensure_future(log.append(a_sealed_receipt(each))) for each in range(3)]
    await asyncio.sleep(0)
    appends[1].cancel()
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert [type(each) for each in results] == [type(None), asyncio.CancelledError, type(None)]
    assert verify(path) == (1, 3, 0), "prepared for release, and written down"


FULL = "CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'full'); END"


async def test_full_database_refuses_every_waiter_and_turns_health_red(
    path: Path, log: SqliteReceiptLog
) -> None:
    await log.append(a_sealed_receipt(0))
    run_sql(path, FULL)
    results = await asyncio.gather(
        *(log.append(a_sealed_receipt(number)) for number in range(1, 5)), return_exceptions=True
    )
    assert [type(each) for each in results] == [ReceiptsUnavailable] * 4
    refusal = results[0]
    assert isinstance(refusal, ReceiptsUnavailable)
    assert (refusal.code, refusal.http_status, refusal.whose_task) == ("E-RECEIPT-1", 503, "broker")
    assert len({id(each) for each in results}) == 4
    assert not log.healthy
    run_sql(path, "DROP TRIGGER full")
    await log.append(a_sealed_receipt(5))
    assert log.healthy
    assert verify(path) == (2, 2, 0), "a new chain, for nobody knew what the failed commit left"


async def test_probe_turns_health_green_without_a_login(path: Path, log: SqliteReceiptLog) -> None:
    run_sql(path, FULL)
    with pytest.raises(ReceiptsUnavailable):
        await log.append(a_sealed_receipt(0))
    assert not log.healthy
    await log.probe()
    assert log.healthy
    assert verify(path) == (1, 0, 0)


async def test_missing_database_is_refused_and_not_made(tmp_path: Path) -> None:
    log = a_log(tmp_path / "receipts.db")
    for ask in (
        lambda: log.append(a_sealed_receipt(0)),
        log.probe,
        lambda: log.find([bytes(32)]),
        lambda: log.make_head(now=NOW),
        lambda: log.heads_since(0),
        lambda: log.prove(SCHOOL, head=1),
    ):
        with pytest.raises(ReceiptsUnavailable):
            await ask()
    await log.close()
    assert list(tmp_path.iterdir()) == []


async def test_database_that_was_replaced_is_refused_once_and_then_used(
    tmp_path: Path, path: Path, log: SqliteReceiptLog
) -> None:
    await log.append(a_sealed_receipt(0))
    for name in ("receipts.db", "receipts.db-wal", "receipts.db-shm"):
        (tmp_path / name).rename(tmp_path / f"old-{name}")
    upgrade_database(path, "receipts")
    with pytest.raises(ReceiptsUnavailable):
        await log.append(a_sealed_receipt(1))
    await log.append(a_sealed_receipt(2))
    assert verify(path) == (1, 1, 0)


async def test_closing_writes_what_waits_and_refuses_what_comes_after(path: Path) -> None:
    log = a_log(path)
    waiting = [asyncio.ensure_future(log.append(a_sealed_receipt(each))) for each in range(3)]
    await asyncio.sleep(0)
    await log.close()
    await log.close()
    await asyncio.gather(*waiting)
    with pytest.raises(ReceiptsUnavailable):
        await log.append(a_sealed_receipt(4))
    assert verify(path) == (1, 3, 0)


async def test_fault_of_ours_refuses_too_and_is_reported(
    log: SqliteReceiptLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    def broken(*args: object, **how: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("broker.adapters.databases.receipts.extend_chain", broken)
    with pytest.raises(ReceiptsUnavailable):
        await log.append(a_sealed_receipt(0))
    assert [type(each["exception"]) for each in reported] == [ZeroDivisionError]
    assert not log.healthy


async def test_receipt_survives_a_process_that_dies_at_once(path: Path) -> None:
    program = """
import asyncio, os, secrets, sys
from pathlib import Path
from broker.adapters.databases.receipts import SqliteReceiptLog
from tests.flow.receipt_archives import a_sealed_receipt

async def main():
    log = SqliteReceiptLog(
        Path(sys.argv[1]), receipt_key=bytes(range(32)), random=secrets.token_bytes
    )
    await log.append(a_sealed_receipt(7))
    os._exit(9)

asyncio.run(main())
"""
    died = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(path)], check=False
    )
    assert died.returncode == 9
    assert verify(path) == (1, 1, 0)


def a_receipt(school: SchoolId = SCHOOL, *, day: int = 7) -> ReceiptContent:
    return ReceiptContent(
        school=school,
        supplier=SUPPLIER,
        relying_party=RelyingPartyId("web"),
        agreement_version=1,
        epoch="a",
        at=int(datetime(2026, 9, day, tzinfo=UTC).timestamp()),
        released=("givenName",),
        withheld=(),
    )


async def test_person_finds_own_receipts(log: SqliteReceiptLog) -> None:
    root, salt = PersonRoot(Element(bytes(32))), bytes(16)
    kompas = SchoolId("kompas")
    for content in (a_receipt(kompas, day=14), a_receipt(), a_receipt(day=8)):
        keys = derive_receipt_keys(KEY, root=root, school=content.school, salt=salt)
        nonce = secrets.token_bytes(NONCE_BYTES)
        await log.append(seal_receipt(content, keys=keys, nonce=nonce))
    await log.append(a_sealed_receipt(1))
    located = locate_receipts(
        KEY,
        root=root,
        salt=salt,
        schools=[SCHOOL, kompas],
        suppliers=[SUPPLIER, *(SupplierId(f"other-{each}") for each in range(300))],
        weeks=[202637, 202638],
    )
    assert len(located) == 1204
    read = await read_receipts(log, located)
    assert read == [a_receipt(), a_receipt(day=8), a_receipt(kompas, day=14)]


async def test_heads_cover_every_line_once(path: Path, log: SqliteReceiptLog) -> None:
    assert await log.make_head(now=NOW) is None
    other = a_log(path)
    for number in range(5):
        await log.append(a_sealed_receipt(number))
        await other.append(a_sealed_receipt(number))
    first = await log.make_head(now=NOW)
    assert first is not None
    assert await other.make_head(now=NOW) == first, "nothing came: the same head"
    await other.append(a_sealed_receipt(6))
    second = await other.make_head(now=NOW)
    assert second is not None
    await other.close()
    assert verify(path, kept_heads=[first, second]) == (2, 11, 2)
    assert await log.heads_since(0) == [first, second]
    assert await log.heads_since(1) == [second]
    bodies = [read_head(each, public_key=PUBLIC_KEY) for each in (first, second)]
    assert [body.size for body in bodies] == [10, 1]
    assert bodies[0].at == int(datetime(2026, 9, 7, 8, 10, tzinfo=UTC).timestamp())


async def test_two_processes_that_make_a_head_at_once_make_one(
    path: Path, log: SqliteReceiptLog
) -> None:
    other = a_log(path)
    await log.append(a_sealed_receipt(0))
    heads = await asyncio.gather(
        *(each.make_head(now=NOW) for each in (log, other) for _ in range(3))
    )
    await other.close()
    assert len(set(heads)) == 1
    assert verify(path) == (1, 1, 1)


async def test_heads_are_made_on_schedule_through_faults(path: Path, log: SqliteReceiptLog) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            run_sql(path, "ALTER TABLE receipt_heads RENAME TO away")
        elif len(slept) == 2:
            run_sql(path, "ALTER TABLE away RENAME TO receipt_heads")
        else:
            raise asyncio.CancelledError

    await log.append(a_sealed_receipt(0))
    with pytest.raises(asyncio.CancelledError):
        await make_heads_on_schedule(log, every_seconds=3600, clock=lambda: NOW, sleep=sleep)
    assert slept == [60] * 3
    assert [head.number for head in await log.heads_since(0)] == [1]


async def test_several_processes_make_one_head_an_hour(path: Path, log: SqliteReceiptLog) -> None:
    other, now = a_log(path), [NOW]

    async def run(which: SqliteReceiptLog, *, minutes: int) -> None:
        """Let a process look each minute, while receipts come in at both."""

        async def sleep(_: float) -> None:
            nonlocal minutes
            if not minutes:
                raise asyncio.CancelledError
            minutes -= 1
            now[0] += timedelta(minutes=1)
            await log.append(a_sealed_receipt(next(numbers)))
            await other.append(a_sealed_receipt(next(numbers)))

        with pytest.raises(asyncio.CancelledError):
            await make_heads_on_schedule(
                which, every_seconds=3600, clock=lambda: now[0], sleep=sleep
            )

    numbers = count()
    for _ in range(9):  # in turn, as if each looked at moments of its own; three hours
        await run(log, minutes=10)
        await run(other, minutes=10)
    await other.close()
    made = [read_head(each, public_key=PUBLIC_KEY).at for each in await log.heads_since(0)]
    # The time that a head states is floored to 5 minutes, so it may be due that much earlier.
    assert all(later - earlier in range(3600 - 300, 3601) for earlier, later in pairwise(made))
    assert len(made) == 3
    assert verify(path)[2] == 3


async def test_a_head_that_cannot_be_read_keeps_no_other_from_being_made(
    path: Path, log: SqliteReceiptLog
) -> None:
    await log.append(a_sealed_receipt(0))
    await log.make_head(now=NOW)
    run_sql(path, "UPDATE receipt_heads SET body = x'00'")
    await log.append(a_sealed_receipt(1))
    head = await log.make_head(now=NOW, after_seconds=3600)
    assert head is not None
    assert head.number == 2


async def test_nothing_beside_the_heads_keeps_a_writer_from_them(
    path: Path, log: SqliteReceiptLog
) -> None:
    """A thief of the database, without keys, cannot have a writer vanish later."""
    other = a_log(path)
    await log.append(a_sealed_receipt(0))
    await log.make_head(now=NOW)
    await other.append(a_sealed_receipt(1))
    await other.close()
    run_sql(path, "UPDATE receipt_writers SET headed = 1")
    head = await log.make_head(now=NOW)
    assert head is not None
    assert head.number == 2
    assert verify(path) == (2, 2, 2)
    (added,) = read_head(head, public_key=PUBLIC_KEY).ranges
    for table in ("receipts", "receipt_writers"):
        run_sql(path, f"DELETE FROM {table} WHERE writer = ?", added.writer)
    with pytest.raises(ReceiptsTampered, match="tail-cut-off: head 2"):
        verify(path)


@pytest.mark.parametrize(("ahead", "number"), [(timedelta(minutes=50), 1), (timedelta(days=9), 2)])
async def test_a_clock_that_jumped_ahead_does_not_end_the_heads(
    log: SqliteReceiptLog, ahead: timedelta, number: int
) -> None:
    await log.append(a_sealed_receipt(0))
    await log.make_head(now=NOW + ahead)
    await log.append(a_sealed_receipt(1))
    head = await log.make_head(now=NOW, after_seconds=3600)
    assert head is not None
    assert head.number == number
    assert await log.make_head(now=NOW, after_seconds=3600) == head  # and no head a minute


async def test_school_proves_its_own_receipts(log: SqliteReceiptLog) -> None:
    for number in range(11):
        await log.append(a_sealed_receipt(number, "kompas" if number % 3 else "vuurvogel"))
    await log.make_head(now=NOW)
    await log.append(a_sealed_receipt(11, "vuurvogel"))
    proofs = await log.prove(SCHOOL, head=1)
    assert [proof.line.receipt for proof in proofs] == [
        a_sealed_receipt(number, "vuurvogel") for number in (0, 3, 6, 9)
    ]
    for proof in proofs:
        check_proof(proof, public_key=PUBLIC_KEY)
    assert await log.prove(SchoolId("regenboog"), head=1) == []
    with pytest.raises(LookupError):
        await log.prove(SCHOOL, head=2)


INSERT_LINE_7 = """
    INSERT INTO receipts SELECT writer, 7, locator, ciphertext, school, week, link FROM receipts
    WHERE sequence = 6
"""


@pytest.mark.parametrize(
    ("statement", "defect", "sequence"),
    [
        ("UPDATE receipts SET ciphertext = x'00' WHERE sequence = 3", Defect.LINE_CHANGED, 3),
        ("UPDATE receipts SET school = 'kompas' WHERE sequence = 3", Defect.LINE_CHANGED, 3),
        ("DELETE FROM receipts WHERE sequence = 3", Defect.LINE_REMOVED, 3),
        ("DELETE FROM receipts WHERE sequence >= 5", Defect.TAIL_CUT_OFF, 5),
        (INSERT_LINE_7, Defect.LINE_INSERTED, 7),
        ("DELETE FROM receipt_writers", Defect.LINE_INSERTED, 1),
        ("UPDATE receipt_writers SET count = 5", Defect.TIP_FORGED, None),
    ],
)
async def test_tampering_is_named(
    path: Path, log: SqliteReceiptLog, statement: str, defect: Defect, sequence: int | None
) -> None:
    for number in range(6):
        await log.append(a_sealed_receipt(number))
    await log.make_head(now=NOW)
    assert verify(path) == (1, 6, 1)
    [writer] = writers(path)
    run_sql(path, statement)
    with pytest.raises(ReceiptsTampered) as tampered:
        verify(path)
    assert Finding(defect, writer, sequence) in tampered.value.findings


@pytest.mark.parametrize(
    ("statement", "defect"),
    [
        ("DELETE FROM receipt_heads", Defect.HEAD_REMOVED),
        ("UPDATE receipt_heads SET signature = zeroblob(64)", Defect.HEAD_FORGED),
        ("UPDATE receipt_heads SET body = x'7b7d'", Defect.HEAD_FORGED),
    ],
)
async def test_tampering_with_heads_is_named(
    path: Path, log: SqliteReceiptLog, statement: str, defect: Defect
) -> None:
    await log.append(a_sealed_receipt(0))
    await log.make_head(now=NOW)
    await log.append(a_sealed_receipt(1))
    run_sql(path, statement)
    with pytest.raises(ReceiptsTampered) as tampered:
        verify(path)
    assert tampered.value.findings == (Finding(defect, head=1),)


async def test_verifying_another_key_s_log_fails(path: Path, log: SqliteReceiptLog) -> None:
    await log.append(a_sealed_receipt(0))
    with pytest.raises(ReceiptsTampered):
        verify_receipt_database(path, receipt_key=bytes(32))


async def test_rows_show_school_and_week_and_nothing_else(
    path: Path, log: SqliteReceiptLog
) -> None:
    keys = derive_receipt_keys(
        KEY, root=PersonRoot(Element(bytes(32))), school=SCHOOL, salt=bytes(16)
    )
    await log.append(seal_receipt(a_receipt(), keys=keys, nonce=bytes(12)))
    await log.make_head(now=NOW)
    await log.close()
    stored = path.read_bytes()
    assert b"vuurvogel" in stored
    for hidden in (b"rekenrijk", b"givenName", b"web"):
        assert hidden not in stored
