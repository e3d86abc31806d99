"""The demo's documents say what the contract of the demo world says."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.demo.addresses import DEMO_PORTS, Party
from broker.demo.federation import write_federation
from broker.demo.people import NOOR_BEFORE, PEOPLE, SCHOOLS, people_at
from broker.demo.pysaml2 import BINDING_HTTP_POST, Saml2Client, SPConfig
from broker.demo.toml_writer import write_toml
from broker.domain.document_reading import parse_document
from broker.domain.documents import AgreementDocument, Kind, SupplierDocument

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo")
    write_federation(made, ADDRESSES)
    return made


def read(folder: Path, kind: Kind) -> list[object]:
    files = sorted((folder / "federation" / kind).glob("*.toml"))
    return [parse_document(kind, each.read_bytes()) for each in files]


def test_every_document_is_one_that_the_broker_reads(folder: Path) -> None:
    assert [len(read(folder, kind)) for kind in Kind] == [3, 6, 3, 8, 0, 0]


def test_agreements_approve_what_the_demo_promises(folder: Path) -> None:
    approved = {
        (each.school, each.supplier): set(each.approved)
        for each in read(folder, Kind.AGREEMENT)
        if isinstance(each, AgreementDocument)
    }
    first_name, role = "givenName", "eduPersonAffiliation"
    assert approved == {
        ("vuurvogel", "rekenrijk"): {first_name},
        ("kompas", "rekenrijk"): {first_name},
        ("regenboog", "rekenrijk"): set(),
        ("vuurvogel", "biosfeer"): {first_name, role},
        ("kompas", "biosfeer"): {first_name, role},
        ("regenboog", "biosfeer"): {first_name, role},
        ("vuurvogel", "taaltuin"): {role},
        ("regenboog", "taaltuin"): {role},
    }


def test_only_biosfeer_requires_something_and_that_is_the_role(folder: Path) -> None:
    suppliers = [each for each in read(folder, Kind.SUPPLIER) if isinstance(each, SupplierDocument)]
    required = {
        (supplier.id, each.name)
        for supplier in suppliers
        for each in supplier.attribute
        if each.required
    }
    assert required == {("biosfeer", "eduPersonAffiliation")}


def test_metadata_stands_beside_the_document_that_names_it(folder: Path) -> None:
    for kind in (Kind.IDENTITY_PROVIDER, Kind.SUPPLIER):
        for file in (folder / "federation" / kind).glob("*.toml"):
            document = tomllib.loads(file.read_text())
            for part in [document, *document.get("relying_party", [])]:
                if "metadata" in part:
                    assert part["entity_id"] in (file.parent / part["metadata"]).read_text()


def test_a_school_s_metadata_is_understood_by_a_supplier(folder: Path) -> None:
    xml = (folder / "federation/identity_providers/vuurvogel.xml").read_text()
    client = Saml2Client(
        config=SPConfig().load(
            {
                "entityid": "http://sp.test",
                "service": {
                    "sp": {
                        "endpoints": {
                            "assertion_consumer_service": [("http://sp.test/", BINDING_HTTP_POST)]
                        }
                    }
                },
                "metadata": {"inline": [xml]},
            }
        )
    )
    assert client.sso_location() == "http://localhost:8010/saml/sso"


def test_keys_are_for_their_owner_alone(folder: Path) -> None:
    private = [each for each in (folder / "parties").rglob("*") if each.suffix in {".key", ".pem"}]
    assert len(private) == 11
    assert all(each.stat().st_mode & 0o077 == 0 for each in private)


def test_an_identity_provider_can_serve_several_schools(tmp_path: Path) -> None:
    serves = {"vuurvogel": ("vuurvogel", "regenboog"), "kompas": ("kompas",), "regenboog": ()}
    write_federation(tmp_path, ADDRESSES, serves=serves)
    document = tmp_path / "federation/identity_providers/vuurvogel.toml"
    assert tomllib.loads(document.read_text())["schools"] == ["vuurvogel", "regenboog"]


def test_people_are_those_of_the_contract() -> None:
    assert {
        school.id: {each.id for each in PEOPLE if each.school is school} for school in SCHOOLS
    } == {
        "vuurvogel": {"sanne", "daan", "els"},
        "kompas": {"noor"},
        "regenboog": {"sanne"},
    }
    more = [each for school in SCHOOLS for each in people_at(school).values()]
    assert {each.id for each in more if each not in (*PEOPLE, NOOR_BEFORE)} == {
        *("karin", "bas", "joost", "vera")
    }
    at_vuurvogel, at_regenboog = (each for each in PEOPLE if each.id == "sanne")
    same = {
        name
        for name, values in at_vuurvogel.attributes.items()
        if at_regenboog.attributes[name] == values
    }
    assert same == {"eckId", "givenName", "sn", "birthDate", "eduPersonAffiliation"}


def test_ports_are_those_of_the_contract() -> None:
    assert DEMO_PORTS[Party.BROKER] == 8000
    assert [DEMO_PORTS[each] for each in (Party.VUURVOGEL, Party.KOMPAS, Party.REGENBOOG)] == [
        8010,
        8011,
        8012,
    ]
    assert [each for each in DEMO_PORTS.values() if 8020 <= each < 8030] == [8020, 8021, 8022, 8023]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.one_of(TEXTS, st.booleans(), st.integers(-(2**40), 2**40), st.dates(), st.lists(TEXTS))
SECTIONS = st.dictionaries(TEXTS, PLAIN | st.dictionaries(TEXTS, PLAIN))


@given(st.dictionaries(TEXTS, PLAIN | SECTIONS | st.lists(SECTIONS)))
def test_what_is_written_reads_back(table: dict[str, object]) -> None:
    assert tomllib.loads(write_toml(table, comment="x")) == table  # type: ignore[arg-type]


def test_a_date_is_written_as_one() -> None:
    assert "from = 2024-08-01" in write_toml({"from": date(2024, 8, 1)}, comment="x")
