"""A supplier's service sheet in its document: what logins learn of it, and what is refused."""

from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.documents import DocumentProblem, Kind, SupplierDocument
from broker.domain.federation import Supplier
from broker.domain.sheet_documents import ContactFunction, ProductCategory
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import StatedDocument
from tests.flow.federation_builders import (
    MemoryFederation,
    Table,
    a_compiler,
    a_supplier,
    apply,
    problems_of,
    stated,
)

A_SHEET: dict[str, Any] = {
    "version": 2,
    "category": "practice",
    "languages": ["nl", "en"],
    "purpose": [{"nl": "Sommen oefenen.", "en": "Practising sums."}],
    "works_without": {"nl": "Alles werkt.", "en": "All works."},
    "processor_agreement": {"version": "4.0", "covenant_signed": True},
    "sub_processor": [{"name": "Wolk B.V.", "country": "NL", "purpose": {"nl": "Servers."}}],
    "countries": ["NL"],
    "retention": {"nl": "Een jaar.", "en": "One year."},
    "dpia": {"reference": "DPIA 2026-1"},
    "contact": [{"function": "privacy", "mail": "privacy@rekenrijk.example"}],
}
SINCE_TWO: Table = {
    "name": "sn",
    "purpose": "Op je werk.",
    "required": True,
    "required_since": 2,
    "asked_since": {"pupil": 2},
}


def paths_of(supplier: Table) -> list[str]:
    return [path for _, path, _ in problems_of([stated(Kind.SUPPLIER, supplier)])]


def compiled(supplier: Table) -> Supplier:
    record = apply([stated(Kind.SUPPLIER, supplier)]).records[Kind.SUPPLIER, "rekenrijk"]
    assert isinstance(record, Supplier)
    return record


def test_a_sheet_is_read_as_it_stands() -> None:
    document = stated(Kind.SUPPLIER, a_supplier(sheet=A_SHEET)).document
    assert isinstance(document, SupplierDocument)
    sheet = document.sheet
    assert sheet is not None
    assert sheet.category is ProductCategory.PRACTICE
    assert sheet.purpose[0].en == "Practising sums."
    assert sheet.contact[0].function is ContactFunction.PRIVACY


def test_logins_know_the_version_of_a_sheet_and_since_when_what_is_asked() -> None:
    record = compiled(a_supplier(sheet=A_SHEET, attribute=[SINCE_TWO]))
    assert record.sheet_version == 2
    declared = record.attributes[0]
    assert declared.required_since == 2
    assert declared.asked_since == {Population.PUPIL: 2}


def test_a_supplier_without_a_sheet_asks_since_ever() -> None:
    record = compiled(a_supplier())
    assert record.sheet_version == 0
    assert record.attributes[0].required_since == 0
    assert record.attributes[0].asked_since == {}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, None),
        ({"required_since": 3}, "required_since"),
        ({"required": False}, "required_since"),
        ({"asked_since": {"pupil": 3}}, "asked_since.pupil"),
        ({"asked_since": {"staff": 1}, "populations": ["pupil"]}, "asked_since.staff"),
    ],
)
def test_since_names_a_version_that_was_and_what_it_is_of(changes: Table, path: str | None) -> None:
    supplier = a_supplier(sheet=A_SHEET, attribute=[SINCE_TWO | changes])
    assert paths_of(supplier) == ([] if path is None else [f"attribute[0].{path}"])


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 0},
        {"category": "games"},
        {"countries": ["Nederland"]},
        {"languages": ["Dutch"]},
        {"contact": [{"function": "privacy", "mail": "somebody"}]},
        {"contact": [{"function": "privacy", "phone": "<b>"}]},
        {"purpose": [{"nl": "x" * 2001}]},
        {"sub_processor": [{"name": "Wolk B.V."}]},
        {"colour": "blue"},
    ],
)
def test_a_sheet_of_the_wrong_form_is_refused(changes: Table) -> None:
    with pytest.raises(DocumentProblem) as found:
        stated(Kind.SUPPLIER, a_supplier(sheet=A_SHEET | changes))
    assert found.value.path.startswith("sheet")


def sheeted(version: int, *attributes: Table, **changes: Any) -> StatedDocument:
    table = a_supplier(sheet=A_SHEET | {"version": version}, attribute=list(attributes), **changes)
    return stated(Kind.SUPPLIER, table)


GREETING: Table = {"name": "givenName", "purpose": "We greet you."}
SURNAME: Table = {"name": "sn", "purpose": "On your work."}
CALLING: Table = GREETING | {"purpose": "We call you."}


def paths(documents: list[StatedDocument], store: MemoryFederation) -> list[str]:
    return [path for _, path, _ in problems_of(documents, store)]


def warned_of(documents: list[StatedDocument], store: MemoryFederation) -> list[str]:
    change = check_apply(store, documents, prune=False, compiler=a_compiler())
    return [each.path for each in change.warnings]


def test_a_version_of_a_sheet_never_means_two_contents() -> None:
    store = apply([sheeted(2, GREETING)])
    assert paths([sheeted(2, CALLING)], store) == ["sheet.version"]
    assert paths([sheeted(1, CALLING)], store) == ["sheet.version"]
    assert paths([sheeted(2, GREETING, display_name="Other")], store) == []
    assert paths([sheeted(3, CALLING)], store) == []
    assert paths([sheeted(2, GREETING)], store) == ["sheet.version"]
    assert paths([stated(Kind.SUPPLIER, a_supplier())], store) == []


@pytest.mark.parametrize(
    ("asked", "warned"),
    [
        ({"required": True}, True),
        ({"required": True, "required_since": 3}, False),
        ({"required": True, "asked_since": {"pupil": 3, "staff": 3}}, False),
        ({"required": True, "asked_since": {"pupil": 3}}, True),
        ({}, False),
    ],
)
def test_what_is_required_all_at_once_is_warned_of(asked: Table, warned: bool) -> None:
    store = apply([sheeted(2, GREETING)])
    found = [sheeted(3, GREETING | asked)]
    assert warned_of(found, store) == ["attribute[0].required"] * warned
    new = [sheeted(3, GREETING, SURNAME | asked)]
    assert warned_of(new, store) == ["attribute[1].required"] * warned


def test_what_was_required_before_is_no_surprise() -> None:
    required = GREETING | {"required": True}
    store = apply([sheeted(2, required)])
    assert warned_of([sheeted(3, required)], store) == []
    store = apply([stated(Kind.SUPPLIER, a_supplier())])
    assert warned_of([stated(Kind.SUPPLIER, a_supplier(attribute=[required]))], store) == []
