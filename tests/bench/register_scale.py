"""`register-3-million`: the person register at full size, every pupil known to 25 suppliers.

The rows are sealed as a login seals them, by processes side by side, and written in the order of
their tags, for which alone a database of that size can be made in minutes. Then persons are looked
up as a login does it: tag, search, opening.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from hashlib import sha256
from os import cpu_count
from pathlib import Path
from random import Random
from time import perf_counter, process_time

from broker.adapters.databases.sql import open_sqlite
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_records import (
    PersonRecord,
    Presented,
    SeenAt,
    SupplierSeen,
    as_root,
)
from broker.flow.persons.person_rows import look_up
from broker.flow.persons.register import RegisterKeys, derive_register_keys, derive_tag, seal_record
from broker.pseudonyms.derivation import PersonRoot
from tests.bench.accounting import every_core
from tests.bench.figures import MILLISECONDS_A_SECOND, Line, percentiles_of
from tests.bench.progress import Bar
from tests.bench.world import FOLDER

PERSONS = 3_000_000
SUPPLIERS = 25
SCHOOLS = 2
LOOK_UPS = 20_000
PART = 5_000
ROWS_A_TRANSACTION = 100_000
KEYS = derive_register_keys(sha256(b"keys of a benchmark").digest())
MEGABYTE = 1_000_000

Row = tuple[bytes, bytes, int]


def bench_register(bar: Bar) -> Iterator[Line]:
    """Make the database, measure it, and throw it away."""
    folder = FOLDER.with_name("bench-register")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        path = folder / "register.db"
        with every_core():
            made_seconds = make_register(path, persons=PERSONS, bar=bar)
        measured = asyncio.run(measure(path, persons=PERSONS, bar=bar))
        size_bytes = path.stat().st_size
        yield {
            "bench": "register-3-million",
            "rows": PERSONS,
            "suppliers_per_row": SUPPLIERS,
            **measured,
            "database_mb": round(size_bytes / MEGABYTE),
            "bytes_per_row": round(size_bytes / PERSONS),
            "made_in_seconds": round(made_seconds),
        }
    finally:
        shutil.rmtree(folder)


def root_of(number: int) -> PersonRoot:
    """Return 32 bytes that stand for a root: looking up does no arithmetic."""
    return as_root(sha256(number.to_bytes(4, "big")).digest())


def a_record(number: int) -> PersonRecord:
    """Return what rests of a pupil of two schools, whom every supplier knows."""
    root = root_of(number)
    return PersonRecord(
        population=Population.PUPIL,
        account=root,
        salt=root[:16],
        seen={
            SchoolId(f"school-{(number + each) % 7000:04d}"): SeenAt(
                account=root,
                aliases=(sha256(root + bytes([each])).digest(),),
                since_year=2025,
                last_year=2026,
                confirmed=True,
            )
            for each in range(SCHOOLS)
        },
        school_year=2026,
        notices={f"school-{number % 7000:04d}/supplier-{each:02d}": 1 for each in range(5)},
        suppliers={
            SupplierId(f"supplier-{each:02d}"): SupplierSeen(epoch="a") for each in range(SUPPLIERS)
        },
    )


def seal_part(numbers: list[int]) -> list[Row]:
    """Return rows as a login would leave them."""
    return [_seal(number, KEYS) for number in numbers]


def _seal(number: int, keys: RegisterKeys) -> Row:
    root = root_of(number)
    nonce = sha256(b"nonce" + root).digest()[:12]
    row = seal_record(a_record(number), root=root, keys=keys, nonce=nonce)
    return derive_tag(keys, root), row.sealed, row.school_year


def make_register(path: Path, *, persons: int, bar: Bar) -> float:
    """Make a database with so many rows, and return in how many seconds."""
    began = perf_counter()
    upgrade_database(path, "register")
    order = sorted(range(persons), key=lambda number: derive_tag(KEYS, root_of(number)))
    parts = [order[start : start + PART] for start in range(0, persons, PART)]
    advance = bar(f"register with {persons:,} rows, in parts of {PART:,}", len(parts))
    with (
        closing(open_sqlite(path)) as connection,
        ProcessPoolExecutor(cpu_count()) as pool,
    ):
        connection.execute("PRAGMA synchronous = OFF")  # what is half-made is thrown away
        connection.execute("BEGIN")
        for count, rows in enumerate(pool.map(seal_part, parts), 1):
            connection.executemany("INSERT INTO persons VALUES (?, ?, ?)", rows)
            if count % (ROWS_A_TRANSACTION // PART) == 0:
                connection.execute("COMMIT")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("BEGIN")
            advance()
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return perf_counter() - began


async def measure(path: Path, *, persons: int, bar: Bar) -> Line:
    """Look persons up in no order, as they come in the morning."""
    register = SqlitePersonRegister(path)
    drawn = Random(2026)
    advance = bar("look-ups", LOOK_UPS)
    try:
        await _look_up(register, drawn.randrange(persons), lambda: None)  # opens the connection
        waited, cpu_before = [], process_time()
        for _ in range(LOOK_UPS):
            waited.append(await _look_up(register, drawn.randrange(persons), advance))
        cpu = process_time() - cpu_before
    finally:
        await register.close()
    return {
        "cpu_ms_per_look_up": round(cpu * MILLISECONDS_A_SECOND / LOOK_UPS, 4),
        **percentiles_of(waited),
        "look_ups": LOOK_UPS,
    }


async def _look_up(
    register: SqlitePersonRegister, number: int, advance: Callable[[], None]
) -> float:
    """Return how many milliseconds one person took, from root to opened record."""
    presented = Presented(Population.PUPIL, eck_id=root_of(number), local=None)
    began = perf_counter()
    found = await look_up(presented, register=register, keys=KEYS)
    waited = (perf_counter() - began) * MILLISECONDS_A_SECOND
    if found.records.eck_id is None or len(found.records.eck_id.suppliers) != SUPPLIERS:
        raise LookupError("a row is not what was made")
    advance()
    return waited
