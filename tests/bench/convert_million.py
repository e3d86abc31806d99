"""`convert-million`: a million pseudonyms of one supplier, by the command as an operator runs it.

In a folder of its own, with as many persons in the register. They are made on all cores first, and
belong to no school's list: a row is looked up and opened as any other. Twice the command's own
figures: the wall-clock on all cores, and the CPU of all its processes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.domain.ids import SupplierId
from broker.flow.persons.register import derive_register_keys
from tests.bench.accounting import BYTES_A_MEGABYTE, CORES, every_core
from tests.bench.figures import Line
from tests.bench.progress import Bar
from tests.bench.world import FOLDER
from tests.known_persons import KnownRow, known_persons, store_rows

COUNT = 1_000_000
MADE_AT_ONCE = 10_000
REKENRIJK = SupplierId("rekenrijk")


def bench_convert_million(bar: Bar) -> Iterator[Line]:
    """Convert a million, and give the figures of the one run."""
    folder = FOLDER.with_name("bench-convert")
    try:
        with every_core():
            prepare(folder)
            asked = fill(folder, advance=bar("persons, ten thousand each", COUNT // MADE_AT_ONCE))
            yield convert(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path) -> None:
    """Make a broker's folder with a supplier whose window is open."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    init_keys(folder / "keys", now=datetime.now(UTC), issuer_name="Bench")
    write_federation(
        folder, {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
    )
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    run_broker(folder, "apply", str(folder / "federation"))
    run_broker(folder, "keys", "init", "--next-epoch")
    run_broker(folder, "pseudonyms", "rotate", "--supplier", REKENRIJK)


def fill(folder: Path, *, advance: Callable[[], None]) -> Path:
    """Put persons into the register; return the list of their pseudonyms at the supplier."""
    asked = folder / "asked.txt"
    parts = [folder / "keys"] * (COUNT // MADE_AT_ONCE)
    with (
        asked.open("w") as listed,
        ProcessPoolExecutor(len(CORES), mp_context=get_context("spawn")) as pool,
    ):
        for made in pool.map(make_some, parts):
            listed.writelines(f"{name}\n" for name, _ in made)
            store_rows(folder / "data/register.db", [row for _, row in made])
            advance()
    return asked


def make_some(keys_folder: Path) -> list[tuple[str, KnownRow]]:
    """Return persons with their pseudonyms."""
    keys = load_keys(keys_folder)
    return [
        (str(name), row)
        for name, row in known_persons(
            MADE_AT_ONCE,
            supplier=REKENRIJK,
            key=keys.pairwise.by_letter["a"],
            keys=derive_register_keys(keys.register),
        )
    ]


def convert(folder: Path, asked: Path) -> Line:
    """Run the command on all cores, and return its figures."""
    output = folder / "answers.tsv"
    before, began = getrusage(RUSAGE_CHILDREN), time.monotonic()
    options = ("--supplier", REKENRIJK, "--output", str(output), str(asked))
    run_broker(folder, "pseudonyms", "convert", *options)
    wall_seconds, after = time.monotonic() - began, getrusage(RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with output.open("rb") as answers:
        converted = sum(len(line) == 2 * 53 + 2 for line in answers)
    register_bytes = (folder / "data/register.db").stat().st_size
    return {
        "bench": "convert-million",
        "pseudonyms": COUNT,
        "converted": converted,
        "cores": len(CORES),
        "wall_seconds": round(wall_seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "cpu_us_per_pseudonym": round(cpu_seconds / COUNT * 1e6, 1),
        "pseudonyms_per_second": round(COUNT / wall_seconds),
        "register_mb": round(register_bytes / BYTES_A_MEGABYTE),
        "load_average": round(os.getloadavg()[0], 1),
    }


def run_broker(folder: Path, *command: str) -> None:
    """Run a command of the broker as a program of its own."""
    subprocess.run(
        [sys.executable, "-m", "broker", *command, "--config", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
