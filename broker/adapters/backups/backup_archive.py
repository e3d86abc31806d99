"""A backup as one file: a tar whose first member, the manifest, says all that follows.

    manifest.json    format, when and by what it was made, and each file's size and SHA-256
    config/...       broker.toml, federation documents, operators' public keys
    data/...         used actions, receipts.db, register.db, registry.db

Never a key: databases and keys belong in different backups. The digests tell damage, not malice:
who can change the archive can change the manifest too, so people compare its fingerprint.
"""

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

FORMAT = 1
MANIFEST_NAME = "manifest.json"
MANIFEST_BYTES_MAX = 64 * 1024 * 1024

Progress = Callable[[int], None]
"""Called with the number of bytes that were read since the last call."""

_CHUNK_BYTES = 1024 * 1024
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_NO_TAR = (tarfile.TarError, OverflowError, MemoryError)
"""What `tarfile` raises at headers that were not made by one: it believes the sizes they state."""
_ALLOWED = re.compile(
    r"config/(?:broker\.toml|federation/.+|operators/[^/]+)"
    r"|data/(?:(?:registry|register|receipts)\.db|used-actions/[^/]+)"
)
_HEX_KEY = re.compile(rb"\s*[0-9A-Fa-f]{64}\s*")
_PRIVATE_KEY = b"PRIVATE KEY-----"


class ArchiveProblem(Exception):  # noqa: N818 -- said to an operator
    """An archive that cannot be made or used. `problem` is to be read after the file's name."""

    def __init__(self, file: Path, problem: str, remedy: str) -> None:
        super().__init__(file, problem, remedy)
        self.file, self.problem, self.remedy = file, problem, remedy


class ArchivedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: where it belongs, and what it must be."""

    path: str
    size_bytes: int
    sha256: str


class _AnyManifest(msgspec.Struct, frozen=True):
    """What a manifest of every format says."""

    format: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an archive says of itself.

    Attributes:
        made_at: aware; when copying began.
        program: version of the program that made it.
        revisions: database -> revision of its tables.
        files: in the order of the archive.
    """

    format: int = FORMAT
    made_at: datetime
    program: str
    issuer: str
    revisions: dict[str, str]
    files: tuple[ArchivedFile, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(each.size_bytes for each in self.files)


def fingerprint_of(manifest: Manifest) -> str:
    """Return by which people compare archives: 8 groups of 4 hexadecimal digits of SHA-256."""
    digits = hashlib.sha256(msgspec.json.encode(manifest)).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def describe_file(path: str, file: Path, *, progress: Progress) -> ArchivedFile:
    """Return a file's line in the manifest.

    Raises:
        ArchiveProblem: it looks like a key, or its name is none that is backed up.
        OSError: it cannot be read.
    """
    if not _is_allowed(path):
        raise ArchiveProblem(file, "has a name that cannot be backed up", "name it otherwise")
    digest, size, first = hashlib.sha256(), 0, b""
    with file.open("rb") as opened:
        for chunk in iter(lambda: opened.read(_CHUNK_BYTES), b""):
            first = first or chunk
            digest.update(chunk)
            size += len(chunk)
            progress(len(chunk))
    if _PRIVATE_KEY in first or _HEX_KEY.fullmatch(first):
        raise ArchiveProblem(
            file, "looks like a key, and keys are never in this backup", "move it to keys/"
        )
    return ArchivedFile(path, size, digest.hexdigest())


def write_archive(
    file: Path, manifest: Manifest, sources: Sequence[Path], *, progress: Progress
) -> None:
    """Write a new archive for its owner alone, durably.

    Args:
        sources: what `manifest.files` describe, in their order; they do not change any more.

    Raises:
        OSError: there is such a file, or it cannot be written.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as opened:
        with tarfile.open(fileobj=opened, mode="w", format=tarfile.PAX_FORMAT) as archive:
            encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
            _add(archive, MANIFEST_NAME, len(encoded), BytesIO(encoded), manifest.made_at)
            for each, source in zip(manifest.files, sources, strict=True):
                with source.open("rb") as content:
                    _add(archive, each.path, each.size_bytes, content, manifest.made_at)
                progress(each.size_bytes)
        opened.flush()
        os.fsync(descriptor)


def verify_archive(file: Path, *, progress: Progress = lambda read: None) -> Manifest:
    """Hold that an archive is whole and unchanged; return its manifest.

    Raises:
        ArchiveProblem: it is not, or a newer program made it.
        OSError: it cannot be read.
    """
    with _reading(file) as (archive, manifest):
        for _ in _checked_files(file, archive, manifest, progress=progress, write=None):
            pass
    return manifest


def read_archived(file: Path, path: str) -> bytes:
    """Return one small file of an archive that was verified.

    Raises:
        ArchiveProblem: it holds no such file.
    """
    with _reading(file) as (archive, _):
        for member in archive:
            content = archive.extractfile(member)
            if member.name == path and content is not None:
                return content.read()
    raise _changed(file, f"holds no {path}")


def extract_archive(
    file: Path, targets: Mapping[str, Path], *, expected: Manifest, progress: Progress
) -> None:
    """Write an archive's files under new folders, durably, checking each once more.

    Args:
        targets: `config` and `data` -> an empty folder of ours.
        expected: what `verify_archive` returned.

    Raises:
        ArchiveProblem: it is not the archive that was verified.
        OSError: it cannot be read, or the files not be written.
    """
    with _reading(file) as (archive, manifest):
        if manifest != expected:
            raise _changed(file, "is not what it was a moment ago")
        for _ in _checked_files(file, archive, manifest, progress=progress, write=targets):
            pass


def _checked_files(
    file: Path,
    archive: tarfile.TarFile,
    manifest: Manifest,
    *,
    progress: Progress,
    write: Mapping[str, Path] | None,
) -> Iterator[ArchivedFile]:
    """Yield each file after comparing it, and writing it when there is a folder."""
    for each in manifest.files:
        top = each.path.partition("/")[0]
        place = None if write is None else write[top] / each.path
        try:
            member = archive.next()
            if member is None:
                raise _changed(file, f"is cut off before {each.path}")
            if not member.isreg() or (member.name, member.size) != (each.path, each.size_bytes):
                raise _changed(file, f"holds something else where {each.path} should be")
            content = archive.extractfile(member)
            if content is None or _read_through(content, place, progress) != each.sha256:
                raise _changed(file, f"holds another {each.path} than its manifest says")
        except _NO_TAR as reason:
            raise _changed(file, f"is cut off or damaged at {each.path}") from reason
        yield each
    _check_end(file, archive)


def _check_end(file: Path, archive: tarfile.TarFile) -> None:
    """Hold that nothing but padding follows; `tarfile` itself would stop in silence."""
    with file.open("rb") as opened:
        opened.seek(archive.offset)
        for chunk in iter(lambda: opened.read(_CHUNK_BYTES), b""):
            if any(chunk):
                raise _changed(file, "holds more than its manifest names")


def _read_through(content: IO[bytes], place: Path | None, progress: Progress) -> str:
    """Return the digest of what is read, and write it when there is a folder."""
    digest = hashlib.sha256()
    if place is None:
        for chunk in iter(lambda: content.read(_CHUNK_BYTES), b""):
            digest.update(chunk)
            progress(len(chunk))
        return digest.hexdigest()
    make_folders(place.parent)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as opened:
        for chunk in iter(lambda: content.read(_CHUNK_BYTES), b""):
            digest.update(chunk)
            opened.write(chunk)
            progress(len(chunk))
        opened.flush()
        os.fsync(descriptor)
    return digest.hexdigest()


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, all for their owner alone: `mkdir` does so with the last.

    Raises:
        OSError: one cannot be made.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=_FOLDER_MODE)


@contextmanager
def _reading(file: Path) -> Iterator[tuple[tarfile.TarFile, Manifest]]:
    """Give the opened archive, its manifest read."""
    with file.open("rb") as opened:
        try:
            archive = tarfile.open(fileobj=opened, mode="r:")  # noqa: SIM115 -- closed below
        except _NO_TAR as reason:
            raise ArchiveProblem(
                file, "is no backup", "name the file that `broker backup` made"
            ) from reason
        with archive:
            yield archive, _read_manifest(file, archive)


def _read_manifest(file: Path, archive: tarfile.TarFile) -> Manifest:
    try:
        member = archive.next()
        content = None
        if member is not None and member.name == MANIFEST_NAME and member.isreg():
            content = archive.extractfile(member)
        if member is None or content is None or member.size > MANIFEST_BYTES_MAX:
            raise ArchiveProblem(file, "is no backup", "name the file that `broker backup` made")
        encoded = content.read()
        if msgspec.json.decode(encoded, type=_AnyManifest).format > FORMAT:
            raise ArchiveProblem(
                file, "was made by a newer program", "install that version or a later one"
            )
        manifest = msgspec.json.decode(encoded, type=Manifest)
    except _NO_TAR as reason:
        raise _changed(file, "is cut off in its manifest") from reason
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise _changed(file, "has a manifest that cannot be read") from reason
    paths = [each.path for each in manifest.files]
    if len(set(paths)) != len(paths) or not all(map(_is_allowed, paths)):
        raise _changed(file, "names files that are in no backup")
    return manifest


def _changed(file: Path, problem: str) -> ArchiveProblem:
    return ArchiveProblem(file, problem, "take another copy of it, or an earlier backup")


def _is_allowed(path: str) -> bool:
    """Tell whether a path is one that we write, and stays where it is put."""
    parts = PurePosixPath(path).parts
    return (
        _ALLOWED.fullmatch(path) is not None
        and ".." not in parts
        and "/".join(parts) == path
        and path.isprintable()
    )


def _add(
    archive: tarfile.TarFile, name: str, size: int, content: IO[bytes], made_at: datetime
) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, _FILE_MODE, int(made_at.timestamp())
    archive.addfile(member, content)
