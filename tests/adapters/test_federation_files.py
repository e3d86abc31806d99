"""Documents on disk: which files are read, and what they may name."""

from pathlib import Path

import pytest

from broker.adapters import federation_files
from broker.adapters.federation_files import open_documents
from broker.domain.documents import Kind
from broker.flow.federation.documents import FederationProblems, FileUnreadable


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_folder_is_read_all_the_way_down(tmp_path: Path) -> None:
    write(tmp_path / "broker.toml")
    write(tmp_path / ".hidden/schools/x.toml")
    write(tmp_path / "federation/schools/b.xml")
    second = write(tmp_path / "federation/suppliers/a.toml")
    first = write(tmp_path / "federation/schools/b.toml")
    third = write(tmp_path / "mine.toml")
    found = [(each.name, each.folder) for each in open_documents([tmp_path])]
    assert found == [
        (str(first), Kind.SCHOOL),
        (str(second), Kind.SUPPLIER),
        (str(third), None),
    ]


def test_a_file_that_is_reached_twice_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path / "schools/a.toml")
    assert len(open_documents([file, tmp_path])) == 1


def test_a_file_in_the_current_folder_has_that_folder_s_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "schools/a.toml")
    monkeypatch.chdir(file.parent)
    (found,) = open_documents([Path("a.toml")])
    assert found.folder is Kind.SCHOOL


def test_what_cannot_be_read_is_told_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(FederationProblems) as caught:
        open_documents([tmp_path / "a.toml", tmp_path / "b.toml"])
    assert len(caught.value.problems) == 2


def test_a_named_file_is_read_beside_its_document(tmp_path: Path) -> None:
    write(tmp_path / "schools/m.xml", "<xml/>")
    (document,) = open_documents([write(tmp_path / "schools/a.toml")])
    assert document.read_beside("m.xml") == "<xml/>"


@pytest.mark.parametrize("name", ["none.xml", ".", "nul\0.xml", "latin.xml", "large.xml"])
def test_a_named_file_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(federation_files, "MAX_NAMED_FILE_BYTES", 10)
    (tmp_path / "latin.xml").write_bytes(b"\xe9")
    (tmp_path / "large.xml").write_bytes(b"x" * 11)
    (document,) = open_documents([write(tmp_path / "a.toml")])
    with pytest.raises(FileUnreadable):
        document.read_beside(name)
