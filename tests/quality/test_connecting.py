"""What the suppliers' guide shows is what the tests run."""

import re
import tomllib

import pytest

from broker.domain.relying_parties import ProfileName
from tests.journeys.example_clients import EXAMPLE_CLIENTS, EXAMPLES, ExampleClient
from tests.quality.readme import page
from tests.quality.sources import ROOT

GUIDE = "config/CONNECTING.md"
QUOTED = re.compile(r"^From \[(\S+)\]\(\.\./tests/clients/\1\):\n\n```\w+\n(.*?)^```$", re.M | re.S)


def test_every_block_is_a_part_of_the_file_that_it_names() -> None:
    text = (ROOT / GUIDE).read_text()
    quoted = QUOTED.findall(text)
    assert [name for name, body in quoted if body not in (EXAMPLES / name).read_text()] == []
    assert {name.partition("/")[0] for name, _ in quoted} == {each.name for each in EXAMPLE_CLIENTS}
    # Two quote no file: the command that applies the document, and a list of schools.
    assert text.count("\n```\n") == len(quoted) + 2


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
