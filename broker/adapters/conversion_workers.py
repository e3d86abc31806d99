"""Converting a long list on all processors: lines in, lines out, in the same order.

Each process loads the keys from their folder by itself: none is ever handed over.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from broker.adapters.databases.sql_register_rows import SqliteRegisterRows
from broker.adapters.keys.keys_on_disk import load_keys
from broker.domain.ids import SupplierId
from broker.flow.persons.register import RegisterKeys, derive_register_keys
from broker.flow.rotation.conversion import Answer, ConvertedBatch, NotConverted, convert_batch
from broker.flow.rotation.rotations import RotationWindow
from broker.pseudonyms.conversion import Conversion, make_conversion
from broker.pseudonyms.epochs import select_key

LINES_AT_ONCE = 1000
AHEAD = 3
"""Batches for each process that wait or are done and not taken yet: bounds the memory."""


@dataclass(frozen=True, slots=True)
class ConversionPlace:
    """Where a process finds what it needs, and what it converts."""

    keys_folder: Path
    register: Path
    supplier: SupplierId
    from_epoch: str
    to_epoch: str


@dataclass(frozen=True, slots=True)
class ConvertedLines:
    """Some lines with their answers."""

    lines: tuple[bytes, ...] = field(repr=False)
    batch: ConvertedBatch = field(repr=False)


def place_of(window: RotationWindow, *, keys_folder: Path, register: Path) -> ConversionPlace:
    """Return what converts the pseudonyms of a window: from those of before to those in use."""
    return ConversionPlace(
        keys_folder=keys_folder,
        register=register,
        supplier=window.supplier,
        from_epoch=window.previous_epoch,
        to_epoch=window.epoch,
    )


def convert_lines(
    lines: Iterable[bytes], *, place: ConversionPlace, processes: int | None = None
) -> Iterator[ConvertedLines]:
    """Yield the lines in order, in batches, with an answer for each.

    Args:
        lines: without their ends.
        processes: as many as there are processors, when absent.

    Raises:
        RegisterUnavailable: the register cannot be read.
    """
    count = processes or len(os.sched_getaffinity(0))
    pool = ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_begin, initargs=(place,)
    )
    waiting: deque[tuple[tuple[bytes, ...], frozenset[int], Future[ConvertedBatch]]] = deque()
    seen: set[bytes] = set()
    try:
        for batch in _in_batches(lines):
            doubled = _find_doubled(batch, seen)
            texts = [
                each.decode("ascii", "replace")
                for index, each in enumerate(batch)
                if index not in doubled
            ]
            waiting.append((batch, doubled, pool.submit(_convert, texts)))
            if len(waiting) > count * AHEAD:
                yield _take(waiting)
        while waiting:
            yield _take(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _take(
    waiting: deque[tuple[tuple[bytes, ...], frozenset[int], Future[ConvertedBatch]]],
) -> ConvertedLines:
    lines, doubled, future = waiting.popleft()
    batch = future.result()
    others = iter(batch.answers)
    answers: tuple[Answer, ...] = tuple(
        NotConverted.DOUBLED if index in doubled else next(others) for index in range(len(lines))
    )
    return ConvertedLines(lines, ConvertedBatch(answers, batch.converted))


def _find_doubled(batch: tuple[bytes, ...], seen: set[bytes]) -> frozenset[int]:
    """Return which lines were there before, and remember the others."""
    doubled = []
    for index, line in enumerate(batch):
        if line in seen:
            doubled.append(index)
        seen.add(line)
    return frozenset(doubled)


def _in_batches(lines: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == LINES_AT_ONCE:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)


@dataclass(frozen=True, slots=True)
class _Tools:
    """What one process works with."""

    conversion: Conversion
    keys: RegisterKeys
    rows: SqliteRegisterRows


_tools: _Tools | None = None


def open_tools(place: ConversionPlace) -> _Tools:
    """Return what converts: keys from their folder, rows from the register.

    Raises:
        KeysUnusable, EpochKeyMissing
    """
    keys = load_keys(place.keys_folder)
    return _Tools(
        conversion=make_conversion(
            place.supplier,
            left=select_key(keys.pairwise, pinned=place.from_epoch),
            entered=select_key(keys.pairwise, pinned=place.to_epoch),
        ),
        keys=derive_register_keys(keys.register),
        rows=SqliteRegisterRows(place.register),
    )


def _begin(place: ConversionPlace) -> None:
    global _tools
    _tools = open_tools(place)


def _convert(texts: list[str]) -> ConvertedBatch:
    if _tools is None:
        raise RuntimeError("the process has not begun")
    return convert_batch(texts, conversion=_tools.conversion, rows=_tools.rows, keys=_tools.keys)
