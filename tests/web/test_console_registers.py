"""Registers over HTTP: page, CSV and PDF say the same, and to nobody else."""

from datetime import UTC, datetime

import pytest

from broker.domain.console_roles import HeldRole, PlaceKind, Role
from broker.domain.printed_documents import Facts, Table
from broker.web.console.register_tables import RegisterTable, print_register, write_csv
from broker.web.console.register_words import tell_share
from tests.web.broker_site import Site
from tests.web.console_seats import SCHOOL_ADMIN, seat

SUPPLIER_ADMIN = HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk")
OPERATOR = HeldRole(Role.OPERATOR, PlaceKind.FEDERATION)
KINDS = ("processing", "suppliers", "dpia", "ending", "adoption")


def test_registers_to_choose_from(site: Site) -> None:
    assert (
        "processing?school=vuurvogel"
        in seat(site, SCHOOL_ADMIN).get("/console/registers").response.text
    )
    of_supplier = seat(site, SUPPLIER_ADMIN).get("/console/registers").response.text
    assert "processing?supplier=rekenrijk" in of_supplier
    assert "school=" not in of_supplier
    assert 'name="school"' in seat(site, OPERATOR).get("/console/registers").response.text


@pytest.mark.parametrize("kind", KINDS)
def test_page_csv_and_pdf_of_a_school(site: Site, kind: str) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    page = seated.get(f"/console/registers/{kind}?school=vuurvogel")
    assert page.status == 200
    assert "De Vuurvogel" in page.response.text
    table = seated.get(f"/console/registers/{kind}.csv?school=vuurvogel").response
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["cache-control"] == "no-store"
    assert f'filename="register-{kind}.csv"' in table.headers["content-disposition"]
    if kind != "ending":
        assert "RekenRijk B.V." in table.text or kind == "adoption"
        assert "first name" in table.text or kind in ("adoption", "suppliers")
    printed = seated.get(f"/console/registers/{kind}.pdf?school=vuurvogel").response
    assert printed.content.startswith(b"%PDF-")
    assert printed.headers["content-type"] == "application/pdf"


def test_the_register_of_a_supplier_and_of_the_federation(site: Site) -> None:
    own = seat(site, SUPPLIER_ADMIN).get("/console/registers/processing?supplier=rekenrijk")
    assert "De Vuurvogel" in own.response.text
    operator = seat(site, OPERATOR)
    assert operator.get("/console/registers/adoption").status == 200
    assert operator.get("/console/registers/processing?school=kompas").status == 200
    second = operator.get("/console/registers/processing?school=kompas&first=51")
    assert second.status == 200


@pytest.mark.parametrize(
    "address",
    [
        "processing?school=regenboog",
        "processing.csv?school=regenboog",
        "processing.pdf?school=regenboog",
        "suppliers?school=nowhere",
        "dpia?school=regenboog",
        "ending?school=regenboog",
        "adoption?school=regenboog",
        "adoption",
        "processing?supplier=rekenrijk",
        "processing",
        "everything?school=vuurvogel",
        "processing.exe?school=vuurvogel",
    ],
)
def test_what_is_somebody_elses_is_not_there(site: Site, address: str) -> None:
    answer = seat(site, SCHOOL_ADMIN).get(f"/console/registers/{address}")
    assert (answer.status, "E-CONSOLE-1" in answer.response.text) == (404, True)


def a_table(heads: int) -> RegisterTable:
    return RegisterTable(
        title="A",
        place="",
        notes=("n",),
        heads=tuple(map(str, range(heads))),
        rows=(tuple(["=1+1"] * heads),),
    )


def test_a_wide_register_is_printed_row_by_row() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    wide = print_register(a_table(9), language="nl", made_at=at, page_words="pagina")
    assert [type(each).__name__ for each in wide.blocks] == ["Paragraph", "Heading", "Facts"]
    narrow = print_register(a_table(3), language="nl", made_at=at, page_words="pagina")
    assert isinstance(narrow.blocks[-1], Table)
    assert isinstance(wide.blocks[-1], Facts)


def test_no_cell_of_a_file_begins_a_formula() -> None:
    assert b'"\'=1+1"' in write_csv(a_table(2))


@pytest.mark.parametrize(("part", "shown"), [(0, "0 %"), (9, "-"), (10, "50 %"), (20, "100 %")])
def test_shares_tell_of_nobody(part: int, shown: str) -> None:
    assert tell_share(part, 20) == shown
    assert tell_share(11, 20) == "-"
