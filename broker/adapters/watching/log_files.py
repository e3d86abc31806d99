"""Log lines of the broker from files, rotated and compressed ones too, or from standard input."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from broker.flow.following.story import LogLine, NoLogLine, Story, parse_line, tell_stories

COMPRESSED = ".gz"
IN_MEMORY_BYTES = 64 * 1024 * 1024
"""Of standard input, which is read twice; what is longer waits in a nameless file."""

UNREADABLE = b"(the rest of this file)"

TOLD_EVERY_LINES = 5_000
Told = Callable[[int], None]
"""Told how many bytes more were read."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What was found.

    Attributes:
        lines: that were read.
        damaged: of these, those that are cut off, no JSON, or none of ours; the rest of a damaged
            file is one.
    """

    stories: tuple[Story, ...]
    lines: int
    damaged: int


class LogSource:
    """Files that can be read twice.

    Args:
        files: oldest first or not: lines know their time.
    """

    def __init__(self, files: Sequence[BinaryIO]) -> None:
        self._files = files

    def trace(self, reference: str, *, told: Told = lambda _: None) -> Traced:
        """Return the stories that a reference belongs to.

        Read once for the reference and once for its logins, whose earlier lines came before it.
        """
        found: list[LogLine] = []
        lines = damaged = 0
        for raw in self._lines(told):
            lines += 1
            try:
                line = parse_line(raw)
            except NoLogLine:
                damaged += 1
            else:
                if line.reference == reference:
                    found.append(line)
        logins = {each.login for each in found if each.login}
        unbound = [each for each in found if not each.login]
        of_logins = list(self._of_logins(logins, told)) if logins else []
        return Traced(tell_stories([*of_logins, *unbound], reference=reference), lines, damaged)

    def _of_logins(self, logins: Iterable[str], told: Told) -> Iterator[LogLine]:
        wanted = [each.encode() for each in logins]
        for raw in self._lines(told):
            if any(each in raw for each in wanted):
                try:
                    line = parse_line(raw)
                except NoLogLine:
                    continue  # counted before
                if line.login in logins:
                    yield line

    def _lines(self, told: Told) -> Iterator[bytes]:
        """Yield every line that is not blank."""
        for file in self._files:
            file.seek(0)
            read = 0
            for number, line in enumerate(_until_damage(file), start=1):
                read += len(line)
                if line.strip():
                    yield line
                if not number % TOLD_EVERY_LINES:
                    told(read)
                    read = 0
            told(read)


@contextmanager
def open_logs(paths: Sequence[Path], *, standard_input: BinaryIO | None) -> Iterator[LogSource]:
    """Open files, or a copy of standard input.

    Raises:
        OSError: one cannot be read.
    """
    opened: list[BinaryIO] = []
    try:
        if standard_input is not None:
            copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 -- closed below
            shutil.copyfileobj(standard_input, copy)
            opened.append(copy)  # type: ignore[arg-type]
        for each in paths:
            opened.append(_open(each))
        yield LogSource(opened)
    finally:
        for file in opened:
            file.close()


def find_log_files(file: Path) -> list[Path]:
    """Return a log file and its rotated siblings, as logrotate names them, the newest last.

    `broker.log` also finds `broker.log.1`, `broker.log.2.gz` and `broker.log-20260901.gz`.
    """
    siblings = [
        each
        for each in file.parent.glob("*")
        if each.name.startswith((f"{file.name}.", f"{file.name}-")) and each.is_file()
    ]
    return [*sorted(siblings, key=lambda each: each.stat().st_mtime), file]


def size_of(paths: Sequence[Path]) -> int | None:
    """Return how many bytes will be read of files, once; None where nobody knows."""
    if any(each.suffix == COMPRESSED for each in paths):
        return None
    return sum(each.stat().st_size for each in paths)


def _until_damage(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines; where a compressed file is cut off or damaged, one more that nobody can read."""
    try:
        yield from file
    except (EOFError, zlib.error, gzip.BadGzipFile):
        yield UNREADABLE


def _open(path: Path) -> BinaryIO:
    if path.suffix == COMPRESSED:
        return gzip.open(path)  # type: ignore[return-value]
    return path.open("rb")
