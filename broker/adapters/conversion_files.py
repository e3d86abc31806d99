"""Lists of pseudonyms on disk: read line by line, and written whole or not at all."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO

from broker.adapters.keys.key_files import sync_folder
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.persons.supplier_counts import Converted
from broker.flow.rotation.conversion import REFUSED, Answer

LINE_BYTES_MAX = 200
"""A pseudonym has 53; what is longer is cut off there, and refused as malformed."""

SHOWN_BYTES_MAX = 53
FILE_MODE = 0o600
HASH_BYTES = 32
NOTED_BYTES = HASH_BYTES + NONCE_BYTES + HASH_BYTES + 1
NOTED_AT_ONCE = 2000


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines without their ends, none of them empty."""
    while line := file.readline(LINE_BYTES_MAX):
        if not line.endswith(b"\n") and len(line) == LINE_BYTES_MAX:
            _skip_line(file)
        text = line.rstrip(b"\r\n")
        if text.strip():
            yield text


def _skip_line(file: BinaryIO) -> None:
    while rest := file.readline(LINE_BYTES_MAX):
        if rest.endswith(b"\n"):
            return


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file for the owner alone that appears at `path` when it is whole, and never over
    another one.

    Raises:
        FileExistsError: there is such a file.
        OSError: it cannot be written.
    """
    if path.exists():
        raise FileExistsError(17, "is there already", str(path))
    unfinished = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(descriptor)
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
    sync_folder(path.parent)


def answer_line(text: bytes, answer: Answer) -> bytes:
    """Return a line of the answers: what was asked, a tab, and the pseudonym or why there is none.

    What cannot be a pseudonym is repeated only when it cannot break the list.
    """
    refused = answer in REFUSED
    said = f"refused: {answer}" if refused else str(answer)
    shown = text if len(text) <= SHOWN_BYTES_MAX and text.isascii() else b"?"
    if refused and not shown.decode("ascii").isprintable():
        shown = b"?"
    return shown + b"\t" + said.encode() + b"\n"


class NotedLater:
    """Keeps on disk whom to note once the answers are handed out: tags and hashes, no roots."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def add(self, converted: Sequence[Converted]) -> None:
        """Keep some more."""
        self.count += len(converted)
        for each in converted:
            self._file.write(each.tag + each.nonce + each.mark + each.row_epoch.encode())

    def read(self) -> Iterator[list[Converted]]:
        """Yield everything that was kept, in batches."""
        self._file.seek(0)
        while block := self._file.read(NOTED_BYTES * NOTED_AT_ONCE):
            yield [
                _unpack(block[start : start + NOTED_BYTES])
                for start in range(0, len(block), NOTED_BYTES)
            ]


@contextmanager
def noting_later(folder: Path) -> Iterator[NotedLater]:
    """Give what keeps whom to note; forgotten at the end."""
    with TemporaryFile(dir=folder) as file:
        yield NotedLater(file)


def _unpack(packed: bytes) -> Converted:
    nonce_end = HASH_BYTES + NONCE_BYTES
    return Converted(
        tag=packed[:HASH_BYTES],
        nonce=packed[HASH_BYTES:nonce_end],
        mark=packed[nonce_end : nonce_end + HASH_BYTES],
        row_epoch=packed[-1:].decode(),
    )
