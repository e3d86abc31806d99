"""config/README.md names every setting and every key of a document, and no other."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from broker.domain.attributes import VOCABULARY
from broker.domain.documents import DOCUMENT_TYPES as TYPES
from broker.domain.documents import (
    AnnouncementDocument,
    ApiClientDocument,
    ApiDocument,
    ExceptionDocument,
    Kind,
    RelyingPartyDocument,
)
from broker.domain.sheet_documents import (
    AttributeDocument,
    ContactDocument,
    DpiaDocument,
    ProcessorAgreementDocument,
    SheetDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.domain.tolerances import Tolerance
from broker.setting_tables import Section
from broker.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "config/README.md").read_text()

HEADINGS: dict[str, type[msgspec.Struct]] = {
    "### School: `schools/*.toml`": TYPES[Kind.SCHOOL],
    "`[[api_client]]`:": ApiClientDocument,
    "### A school's login: `identity_providers/*.toml`": TYPES[Kind.IDENTITY_PROVIDER],
    "`[announcement]`:": AnnouncementDocument,
    "`[[exception]]`:": ExceptionDocument,
    "### Supplier: `suppliers/*.toml`": TYPES[Kind.SUPPLIER],
    "`[sheet]`:": SheetDocument,
    "`sheet.processor_agreement`:": ProcessorAgreementDocument,
    "`[[sheet.sub_processor]]`:": SubProcessorDocument,
    "`sheet.dpia`:": DpiaDocument,
    "`[[sheet.contact]]`:": ContactDocument,
    "Words in two languages:": WordsDocument,
    "`[[attribute]]`:": AttributeDocument,
    "`[[relying_party]]`:": RelyingPartyDocument,
    "`[[api]]`:": ApiDocument,
    "### Agreement: `agreements/*.toml`": TYPES[Kind.AGREEMENT],
    "### Relation: `relations/*.toml`": TYPES[Kind.RELATION],
    "### A source of SAML metadata: `metadata_sources/*.toml`": TYPES[Kind.METADATA_SOURCE],
}


def rows_under(heading: str) -> dict[str, str]:
    """Return the first two cells of the first table under a heading."""
    _, _, below = README.partition(f"\n{heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, flags=re.MULTILINE)
    assert table is not None, heading
    cells = [line.split("|") for line in table[0].splitlines()[2:]]
    return {each[1].strip().strip("`"): each[2].strip().strip("`") for each in cells}


def settings_of(section: type[Section], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for each in msgspec.structs.fields(section):
        if isinstance(each.type, type) and issubclass(each.type, Section):
            found |= settings_of(each.type, f"{prefix}{each.name}.")
        else:
            found[prefix + each.name] = each.default
    return found


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    written = rows_under("## Settings: `broker.toml`")
    in_code = settings_of(Settings)
    assert written.keys() == in_code.keys()
    for name, default in in_code.items():
        shown = "" if default in (None, msgspec.NODEFAULT) else str(default)
        shown = shown.lower() if isinstance(default, bool) else shown  # as TOML writes it
        shown = json.dumps(default) if isinstance(default, tuple) else shown
        assert written[name] == shown, name


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_key_of_a_document_stands_in_the_readme(heading: str) -> None:
    fields = msgspec.structs.fields(HEADINGS[heading])
    written = rows_under(heading)
    assert list(written) == [each.encode_name for each in fields]
    needed = {each.encode_name for each in fields if each.required}
    assert {name for name, need in written.items() if need == "yes"} == needed


def test_every_attribute_stands_in_the_readme() -> None:
    assert [name for name in VOCABULARY if f"`{name}`" not in README] == []


def test_every_exception_of_a_login_stands_in_the_readme() -> None:
    _, _, below = README.partition("\n| Exception | Lets through |\n")
    rows = below.partition("\n\n")[0].splitlines()[1:]
    assert [each.split("`")[1] for each in rows] == [each.value for each in Tolerance]
