"""What the suppliers' guide shows is what the tests run."""

import re
import tomllib

import msgspec
import pytest

from broker.domain.attributes import IGNORE, VOCABULARY
from broker.domain.documents import DOCUMENT_TYPES as TYPES
from broker.domain.documents import Kind
from broker.domain.relying_parties import ProfileName
from tests.flow.school_products import PRODUCTS
from tests.journeys.example_clients import EXAMPLE_CLIENTS, EXAMPLE_SCHOOL, EXAMPLES, ExampleClient
from tests.quality.readme import page
from tests.quality.sources import ROOT

GUIDE = "config/CONNECTING.md"
DOCUMENTS = "school-documents"
ANNOUNCING_ELO = "announcing-elo"
QUOTED = re.compile(r"^From \[(\S+)\]\(\.\./tests/clients/\1\):\n\n```\w+\n(.*?)^```$", re.M | re.S)


def test_every_block_is_a_part_of_the_file_that_it_names() -> None:
    text = (ROOT / GUIDE).read_text()
    quoted = QUOTED.findall(text)
    assert [name for name, body in quoted if body not in (EXAMPLES / name).read_text()] == []
    examples = {each.name for each in (*EXAMPLE_CLIENTS, EXAMPLE_SCHOOL)}
    assert {name.partition("/")[0] for name, _ in quoted} == {*examples, DOCUMENTS, ANNOUNCING_ELO}
    # Three quote no file: how a document is applied, a list of schools, and a setting of ADFS.
    assert text.count("\n```\n") == len(quoted) + 3


@pytest.mark.parametrize("product", ["adfs", "entra-id", "google-workspace"])
def test_the_documents_map_what_the_products_state(product: str) -> None:
    """The names are those of the answers that the flows are tried with."""
    stated = tomllib.loads((EXAMPLES / DOCUMENTS / f"{product}.toml").read_text())
    (login,) = stated["identity_provider"]
    for ours, theirs in PRODUCTS[product].names.items():
        name = theirs.replace("vuurvogel", "de-linde")
        assert login["attributes"].get(name, name) == ours
    assert set(login["attributes"].values()) <= {*VOCABULARY, IGNORE}
    msgspec.convert(login, TYPES[Kind.IDENTITY_PROVIDER])


@pytest.mark.parametrize("example", EXAMPLE_CLIENTS, ids=lambda each: each.name)
def test_the_tables_say_what_is_registered(example: ExampleClient) -> None:
    stated = tomllib.loads((example.folder / "supplier.toml").read_text())
    ((party,),) = [each["relying_party"] for each in stated["supplier"]]
    profile: ProfileName = party.get("profile", "strict")
    rows = re.findall(rf"^\| \[{example.name}\]\(#{example.name}\).*$", page(GUIDE), re.M | re.I)
    assert len(rows) == 1
    assert f"`{party['start_url'].rstrip('/')}{example.log_in}`" in page(GUIDE)
    if example.protocol == "saml":
        assert "`saml`: signs its requests" in rows[0]
        return
    default = "client_secret_basic" if "client_secret_hash" in party else "private_key_jwt"
    assert f"`{profile}`: `{party.get('authentication', default)}`" in rows[0]


def test_every_code_that_it_names_exists() -> None:
    named = set(re.findall(r"`(E-[A-Z]+-[0-9]+)`", (ROOT / GUIDE).read_text()))
    assert named <= set(re.findall(r"`(E-[A-Z]+-[0-9]+)`", page("config/ERROR-CODES.md")))
    assert "E-SAML-45" in named
