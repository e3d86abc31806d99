"""From files to stated documents: kinds, bundles, and the files that documents name."""

from collections.abc import Mapping

import pytest

from broker.domain.documents import Kind
from broker.flow.federation.documents import (
    DocumentFile,
    FederationProblems,
    FileUnreadable,
    read_documents,
)

SCHOOL = b"""
id = "vuurvogel"
name = "De Vuurvogel"
place = "Utrecht"
brin = "11AA"
sector = "po"
board = "stichting"
state = "test"
"""
BUNDLE = b"""
[[supplier]]
id = "mine"
legal_name = "Mine"
state = "test"

[[supplier.relying_party]]
id = "mine"
protocol = "saml"
entity_id = "https://mine.example"
metadata = "mine.xml"

[[agreement]]
school = "vuurvogel"
supplier = "mine"
version = 1
from = 2024-08-01
"""


def a_file(
    content: bytes,
    *,
    name: str = "a.toml",
    folder: Kind | None = None,
    beside: Mapping[str, str] | None = None,
) -> DocumentFile:
    def read_beside(wanted: str) -> str:
        if wanted not in (beside or {}):
            raise FileUnreadable("there is none")
        return (beside or {})[wanted]

    return DocumentFile(name, folder, content, read_beside)


def problems_of(*files: DocumentFile) -> list[tuple[str, str]]:
    with pytest.raises(FederationProblems) as caught:
        read_documents(files)
    return [(each.file, each.path) for each in caught.value.problems]


@pytest.mark.parametrize("folder", [None, Kind.SCHOOL])
def test_kind_is_that_of_the_folder_or_told_by_keys(folder: Kind | None) -> None:
    (found,) = read_documents([a_file(SCHOOL, folder=folder)])
    assert found.key == (Kind.SCHOOL, "vuurvogel")


def test_a_folder_s_kind_is_not_overruled_by_keys() -> None:
    assert problems_of(a_file(SCHOOL, folder=Kind.SUPPLIER)) == [("a.toml", "name")]


def test_a_bundle_holds_documents_of_several_kinds() -> None:
    supplier, agreement = read_documents([a_file(BUNDLE, beside={"mine.xml": "<xml/>"})])
    assert supplier.key == (Kind.SUPPLIER, "mine")
    assert supplier.prefix == "supplier[0]."
    assert supplier.files == {"relying_party[0].metadata": "<xml/>"}
    assert agreement.key == (Kind.AGREEMENT, "school/vuurvogel/mine")


def test_a_file_that_is_named_and_missing_is_a_problem() -> None:
    assert problems_of(a_file(BUNDLE)) == [("a.toml", "supplier[0].relying_party[0].metadata")]


def test_every_file_s_problems_are_found_at_once() -> None:
    broken = a_file(b"= not toml", name="b.toml")
    unknown = a_file(SCHOOL + b"colour = 1", name="c.toml")
    assert problems_of(broken, unknown) == [("b.toml", "-"), ("c.toml", "colour")]


def test_a_document_stands_in_one_place() -> None:
    first, second = a_file(SCHOOL), a_file(SCHOOL, name="b.toml")
    assert problems_of(first, second) == [("b.toml", "id")]
    assert len(read_documents([first])) == 1


def test_an_agreement_states_one_version() -> None:
    twice = BUNDLE + BUNDLE[BUNDLE.index(b"[[agreement]]") :].replace(
        b"version = 1", b"version = 2"
    )
    assert problems_of(a_file(twice, beside={"mine.xml": ""})) == [
        ("a.toml", "agreement[1].version")
    ]
