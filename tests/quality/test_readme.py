"""What the README says of the code is so."""

import ast
import json
import re
import tomllib

import pytest

from broker.adapters.serving.worker_processes import WorkerEvent
from broker.demo import people
from broker.demo.addresses import DEMO_PORTS, Party
from broker.demo.federation import school_document
from broker.domain.attributes import VOCABULARY
from broker.domain.document_reading import DocumentTable, parse_table, split_tables
from broker.domain.documents import AnyDocument, Kind
from broker.domain.federation import State
from broker.domain.refusals import every_refusal
from broker.flow.audit import AuditEvent
from broker.flow.federation.agreements import AGREEMENT_CHECKS
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.links import find_broken_links
from broker.flow.federation.login_checks import IDP_CHECKS
from broker.flow.federation.schools import SCHOOL_CHECKS
from broker.flow.federation.suppliers import SUPPLIER_CHECKS
from broker.flow.following.trail import LoginStep, Trail
from broker.flow.persons.person_records import PersonEvent
from broker.oidc_op.client_secrets import hash_client_secret
from broker.web.request_line import describe
from tests.quality.readme import (
    LINKED_PAGES,
    code_of,
    fenced,
    heading_anchors,
    page,
    prose,
    readme,
    table,
)
from tests.quality.sources import BROKER, ROOT, broker_modules, parsed_files

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
OWN_PATH = re.compile(r"`((?:broker|tests|config|keys)/[\w./-]*)`")
CHECKS = (*SCHOOL_CHECKS, *IDP_CHECKS, *SUPPLIER_CHECKS, *AGREEMENT_CHECKS)
"""Each takes the one kind of document that its annotation names."""


@pytest.mark.parametrize("path", LINKED_PAGES)
def test_links_lead_somewhere(path: str) -> None:
    links = [each for each in LINK.findall(page(path)) if not each.startswith("https://")]
    assert links
    assert [each for each in links if not leads_somewhere(each, path)] == []


def leads_somewhere(link: str, path: str) -> bool:
    """Tell whether a link on the page at `path` finds a file, and there its heading."""
    file, _, anchor = link.partition("#")
    there = (ROOT / path).parent.joinpath(file).resolve() if file else ROOT / path
    if not there.exists():
        return False
    return not anchor or anchor in heading_anchors(there.relative_to(ROOT).as_posix())


def test_paths_exist() -> None:
    paths = OWN_PATH.findall(prose())
    assert len(paths) > 30
    assert [each for each in paths if not (ROOT / each).exists()] == []


def test_every_package_is_told() -> None:
    told = {each.strip("`").strip("/") for each in table("Package or module")}
    there = {
        each.relative_to(ROOT).as_posix()
        for each in BROKER.iterdir()
        if each.suffix == ".py" or (each / "__init__.py").exists()
    } - {"broker/__init__.py"}
    assert {each for each in told if each.startswith("broker/")} == there


def test_import_direction_is_the_contract() -> None:
    told = next(each for each in fenced("text") if each.startswith("__main__"))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    built = [re.sub(r" \| \(broker\.\w+\)", "", each) for each in layers]
    assert told.split("\n")[:-1] == [each.replace("broker.", "") for each in built]


def test_attributes_are_the_vocabulary() -> None:
    told = {
        code_of(name)[0]: (code_of(claim)[0], remark.startswith("restricted"))
        for name, (claim, remark) in table("Attribute").items()
    }
    assert told == {each.name: (each.claim, each.restricted) for each in VOCABULARY.values()}


def test_demo_addresses() -> None:
    told = {
        code_of(party)[0]: address for party, (_, address) in table("Party of the demo").items()
    }
    start = DEMO_PORTS[Party.START_PAGE]
    assert f"`http://localhost:{start}`" in prose()
    assert told == {
        str(party): f"`http://localhost:{port}`"
        for party, port in DEMO_PORTS.items()
        if party is not Party.START_PAGE
    }


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    told = set(re.findall(r"(?:^|`)make (\w+)", readme(), re.M))
    assert {"demo", "test"} <= told
    assert [each for each in told if not re.search(rf"^{each}:", makefile, re.M)] == []


def examples() -> list[DocumentTable]:
    """Return every document in the page, and the demo's schools, to which one of them refers."""
    tables = [
        each for block in fenced("toml") for each in split_tables(tomllib.loads(block), folder=None)
    ]
    demo = [DocumentTable(Kind.SCHOOL, "", school_document(each)) for each in people.SCHOOLS]
    return [*tables, *demo]


def problems_of(document: AnyDocument) -> list[str]:
    return [
        f"{check.__name__}: {found}"
        for check in CHECKS
        if check.__annotations__["document"] is type(document)
        for found in check(document)  # type: ignore[arg-type] -- just compared
    ]


def test_documents_in_the_page_are_accepted() -> None:
    documents = [parse_table(each) for each in examples()]
    assert {type(each).__name__ for each in documents} == {
        *("SchoolDocument", "IdentityProviderDocument", "SupplierDocument", "AgreementDocument")
    }
    assert [found for each in documents for found in problems_of(each)] == []


def test_documents_in_the_page_hold_together() -> None:
    stated = [StatedDocument("README.md", "", parse_table(each)) for each in examples()]
    assert find_broken_links(stated) == []


def test_the_secret_in_the_page_is_the_one_that_is_hashed() -> None:
    (bundle,) = [each for each in fenced("toml") if "client_secret_hash" in each]
    (supplier,) = tomllib.loads(bundle)["supplier"]
    assert supplier["state"] == State.TEST
    (client,) = supplier["relying_party"]
    assert "`only-for-the-demo`" in prose()
    assert client["client_secret_hash"] == hash_client_secret("only-for-the-demo")


def test_log_lines_are_of_the_form_that_we_write() -> None:
    lines = [json.loads(line) for block in fenced("json") for line in block.splitlines()]
    assert lines
    broker_modules()
    codes = {each.code for each in every_refusal()}
    everywhere = {"event", "level", "timestamp", "worker", "login"}
    trail = Trail(**dict.fromkeys(Trail.__dataclass_fields__, 1))  # type: ignore[arg-type]
    told = describe(trail, method="GET", route="x", step=LoginStep.BEGIN, protocol="oidc")
    fields = {
        "request": {*told, "status", "ms"},
        "audit": {each for each in AuditEvent.__dataclass_fields__ if each != "action"},
    }
    for line in lines:
        kind = "request" if line["event"] == "request" else "audit"
        assert set(line) <= fields[kind] | everywhere
        assert line.get("code", "E-RELEASE-1") in codes


def audit_actions() -> set[str]:
    """Return the actions that the broker writes down by name."""
    return {
        keyword.value.value
        for tree in parsed_files().values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "AuditEvent"
        for keyword in call.keywords
        if keyword.arg == "action" and isinstance(keyword.value, ast.Constant)
    }


def test_events_are_told() -> None:
    told = {name for each in table("Event") for name in code_of(each)}
    written = audit_actions()
    assert "released" in written
    assert told >= written | {each.value for each in (*PersonEvent, *WorkerEvent)}
