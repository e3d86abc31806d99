"""Federation documents: what is read, and what is a problem at which key."""

from typing import Any

import msgspec
import pytest

from broker.domain.document_reading import (
    DocumentTable,
    guess_kind,
    named_files,
    parse_document,
    parse_table,
    read_toml,
    split_tables,
)
from broker.domain.documents import (
    DocumentProblem,
    Kind,
)

AGREEMENT = b"""
school = "vuurvogel"
supplier = "rekenrijk"
version = 1
from = 2024-08-01
"""
LOGIN: dict[str, Any] = {
    "id": "vuurvogel",
    "schools": ["vuurvogel"],
    "protocol": "oidc",
    "state": "test",
}
PARTY = {"id": "x", "protocol": "oidc"}


def a_supplier(*parties: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "rekenrijk",
        "legal_name": "RekenRijk",
        "state": "test",
        "relying_party": list(parties),
    }


def parse(kind: Kind, table: dict[str, Any]) -> Any:
    return parse_table(DocumentTable(kind, "", table))


def test_certificates_of_a_source_are_files_or_stand_in_it() -> None:
    source = parse(
        Kind.METADATA_SOURCE,
        {
            "id": "federation",
            "state": "test",
            "file": "/var/all.xml",
            "signing_certificates": ["old.pem", "-----BEGIN CERTIFICATE-----\n"],
        },
    )
    assert named_files(source) == {"signing_certificates[0]": "old.pem"}
    assert guess_kind({"signing_certificates": []}) is Kind.METADATA_SOURCE


def test_an_agreement_is_kept_by_its_parties() -> None:
    assert parse_document(Kind.AGREEMENT, AGREEMENT).id == "school/vuurvogel/rekenrijk"
    of_board = AGREEMENT.replace(b"school =", b"board =")
    assert parse_document(Kind.AGREEMENT, of_board).id == "board/vuurvogel/rekenrijk"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (b"aproved = []", "aproved"),
        (b'version = "1"', "-"),  # twice the same key is no TOML
        (b"approved = [1]", "approved[0]"),
        (b'board = "No Slug"', "board"),
        (b'notice = "loud"', "notice"),
        (b"= ", "-"),
        (b"\xff", "-"),
    ],
)
def test_a_problem_names_its_key(change: bytes, path: str) -> None:
    with pytest.raises(DocumentProblem) as caught:
        parse_document(Kind.AGREEMENT, AGREEMENT + change)
    assert caught.value.path == path


def test_a_missing_key_is_named() -> None:
    with pytest.raises(DocumentProblem) as caught:
        parse_document(Kind.AGREEMENT, AGREEMENT.replace(b"version = 1", b""))
    assert caught.value.path == "version"


def test_a_key_deep_in_a_bundle_is_named() -> None:
    table = DocumentTable(Kind.SUPPLIER, "supplier[2].", a_supplier(PARTY, PARTY | {"colour": 1}))
    with pytest.raises(DocumentProblem) as caught:
        parse_table(table)
    assert caught.value.path == "supplier[2].relying_party[1].colour"


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ({"approved": []}, Kind.AGREEMENT),
        ({"supplier": "x", "from": 1}, Kind.AGREEMENT),
        ({"legal_name": "x"}, Kind.SUPPLIER),
        (LOGIN, Kind.IDENTITY_PROVIDER),
        ({"brin": "11AA", "state": "test"}, Kind.SCHOOL),
        ({"old": ["a"], "new": ["b"], "from": 1, "kind": "split"}, Kind.RELATION),
    ],
)
def test_keys_tell_the_kind(stated: dict[str, Any], kind: Kind) -> None:
    assert guess_kind(stated) is kind
    (table,) = split_tables(stated, folder=None)
    assert table == DocumentTable(kind, "", stated)


def test_keys_that_tell_nothing_are_a_problem() -> None:
    with pytest.raises(DocumentProblem):
        split_tables({"issuer": "https://x.example"}, folder=None)


def test_the_folder_goes_before_the_keys() -> None:
    (table,) = split_tables({"legal_name": "x"}, folder=Kind.SCHOOL)
    assert table.kind is Kind.SCHOOL


def test_a_bundle_is_split_with_the_place_of_each_part() -> None:
    bundle = read_toml(b'[[agreement]]\na = 1\n[[agreement]]\na = 2\n[[school]]\nid = "x"\n')
    assert [(each.kind, each.prefix) for each in split_tables(bundle, folder=None)] == [
        (Kind.AGREEMENT, "agreement[0]."),
        (Kind.AGREEMENT, "agreement[1]."),
        (Kind.SCHOOL, "school[0]."),
    ]


def test_a_bundle_holds_nothing_else() -> None:
    with pytest.raises(DocumentProblem) as caught:
        split_tables(read_toml(b'state = "test"\n[[school]]\nid = "x"\n'), folder=None)
    assert caught.value.path == "state"


def test_files_beside_a_document_are_told_from_what_stands_in_it() -> None:
    def of_login(**changes: Any) -> dict[str, str]:
        return named_files(parse(Kind.IDENTITY_PROVIDER, LOGIN | changes))

    assert of_login() == {}
    assert of_login(metadata="a.xml", jwks="k.json") == {"metadata": "a.xml", "jwks": "k.json"}
    assert of_login(metadata="\n<EntityDescriptor/>", jwks=' {"keys": []}') == {}
    assert of_login(jwks={"keys": []}) == {}


def test_files_of_each_system_are_told_apart() -> None:
    supplier = parse(Kind.SUPPLIER, a_supplier(PARTY, PARTY | {"jwks": "k.json"}))
    assert named_files(supplier) == {"relying_party[1].jwks": "k.json"}


def test_files_of_a_school_s_programs_are_told_apart() -> None:
    program = {"id": "las", "purposes": ["enrolment"]}
    programs = [program | {"jwks": {"keys": []}}, program | {"jwks": "k.json"}]
    school = parse(
        Kind.SCHOOL,
        {"id": "a", "name": "A", "place": "B", "brin": "11AA", "sector": "po", "board": "b"}
        | {"state": "test", "api_client": programs},
    )
    assert named_files(school) == {"api_client[1].jwks": "k.json"}


def test_agreements_name_no_files() -> None:
    assert named_files(parse_document(Kind.AGREEMENT, AGREEMENT)) == {}


def test_what_is_written_out_reads_back() -> None:
    before = parse(Kind.SUPPLIER, a_supplier(PARTY | {"jwks": {"keys": []}}))
    assert msgspec.json.decode(msgspec.json.encode(before), type=type(before)) == before
