"""Federation documents on disk: which files there are, and the files that they name."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from broker.domain.documents import Kind
from broker.flow.federation.documents import (
    DocumentFile,
    FederationProblems,
    FileUnreadable,
    Problem,
)

MAX_NAMED_FILE_BYTES = 64 * 1024 * 1024  # an aggregate of a whole federation's metadata has 30 MB
SETTINGS_FILE = "broker.toml"

_KIND_OF_FOLDER = {each.value: each for each in Kind}


def open_documents(paths: Sequence[Path]) -> list[DocumentFile]:
    """Return the documents at `paths`, each file once, in order of name within a folder.

    Args:
        paths: files, or folders that are searched for `*.toml` all the way down; hidden ones and
            `broker.toml` are passed over.

    Raises:
        FederationProblems: with every file that cannot be read.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        for file in _walk(path) if path.is_dir() else [path]:
            files.setdefault(file.resolve(), file)
    found: list[DocumentFile] = []
    problems: list[Problem] = []
    for file in files.values():
        try:
            content = file.read_bytes()
        except OSError as error:
            problems.append(
                Problem(str(file), "-", f"cannot be read: {error.strerror}.", "Make it readable.")
            )
            continue
        kind = _KIND_OF_FOLDER.get(file.resolve().parent.name)
        found.append(DocumentFile(str(file), kind, content, partial(_read_beside, file)))
    if problems:
        raise FederationProblems(problems)
    return found


def _walk(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*.toml")
        if file.name != SETTINGS_FILE
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _read_beside(document: Path, name: str) -> str:
    """Return the text of a file by its path relative to a document.

    Raises:
        FileUnreadable: with the reason.
    """
    file = document.parent / name
    try:
        if file.stat().st_size > MAX_NAMED_FILE_BYTES:
            raise FileUnreadable("it is too large")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise FileUnreadable(error.strerror or "it is no file") from error
    except ValueError as error:  # also a name with a NUL
        raise FileUnreadable("it is no UTF-8 text") from error
