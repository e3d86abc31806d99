"""From one version of a service sheet to the next: what waits, and what differs."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import AttributeName, Population
from broker.domain.countries import is_in_eea
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.sheet_changes import (
    COMPARISONS,
    ChangeKind,
    SheetChange,
    SheetPart,
    compare_sheets,
)
from broker.domain.sheet_documents import (
    AgreementModel,
    AttributeDocument,
    ContactDocument,
    ContactFunction,
    DpiaDocument,
    ProcessorAgreementDocument,
    ProductCategory,
    SheetDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.domain.sheets import (
    ServiceSheet,
    follow_up,
    sheet_of,
    waiting_attributes,
    with_sheet,
    with_sub_processors,
    without_versions,
)
from tests.flow.sheet_builders import (
    a_sheet,
    a_sheet_document,
    a_supplier_document,
    an_attribute,
    words,
)

PUPIL, STAFF = Population.PUPIL, Population.STAFF
BOTH = (PUPIL, STAFF)
SN = AttributeName("sn")


def next_of(*before: AttributeDocument, after: tuple[AttributeDocument, ...]) -> ServiceSheet:
    return follow_up(a_supplier_document(a_sheet(*before)), a_sheet(*after))


def test_a_first_sheet_is_version_one_and_keeps_what_was_asked_without_one() -> None:
    document = a_supplier_document(attribute=(an_attribute(required=True),))
    first = follow_up(document, a_sheet(an_attribute(required=True), an_attribute("sn")))
    assert first.version == 1
    kept, new = first.attributes
    assert (kept.required_since, kept.asked_since) == (None, {})
    assert (new.required_since, new.asked_since) == (None, {PUPIL: 1, STAFF: 1})
    assert waiting_attributes(first, signed_on=0) == ("sn",)
    assert waiting_attributes(first, signed_on=1) == ()


@pytest.mark.parametrize(
    ("before", "after", "required_since", "asked_since"),
    [
        ({}, {}, None, {}),
        ({}, {"required": True}, 2, {}),
        ({"required": True}, {"required": True}, None, {}),
        ({"required": True, "required_since": 1}, {"required": True}, 1, {}),
        ({"required": True, "required_since": 1}, {}, None, {}),
        ({"populations": (STAFF,)}, {}, None, {PUPIL: 2}),
        ({"populations": (STAFF,), "asked_since": {STAFF: 1}}, {}, None, {PUPIL: 2, STAFF: 1}),
        ({"asked_since": {PUPIL: 1}}, {"populations": (STAFF,)}, None, {}),
        (None, {"required": True}, 2, {PUPIL: 2, STAFF: 2}),
    ],
)
def test_what_is_new_is_since_this_version(
    before: dict[str, Any] | None,
    after: dict[str, Any],
    required_since: int | None,
    asked_since: dict[Population, int],
) -> None:
    old = [an_attribute("sn")] if before is None else [an_attribute(**before)]
    draft = an_attribute(**after, asked_since={PUPIL: 9})  # a draft that claims is not believed
    found = next_of(*old, after=(draft,)).attributes[0]
    assert (found.required_since, found.asked_since) == (required_since, asked_since)


def test_all_else_of_the_document_stays() -> None:
    document = a_supplier_document(a_sheet(), display_name="RekenRijk", eck_id_entitled=True)
    after = with_sheet(document, a_sheet(an_attribute("sn"), version=2))
    assert after.eck_id_entitled
    assert after.display_name == "RekenRijk"
    assert sheet_of(after) == a_sheet(an_attribute("sn"), version=2)
    assert sheet_of(a_supplier_document()) is None


def test_one_edits_without_versions() -> None:
    asked = an_attribute(required=True, required_since=3, asked_since={PUPIL: 2})
    assert without_versions([asked]) == (an_attribute(required=True),)


asking = st.builds(
    lambda name, required, populations: an_attribute(
        name, required=required, populations=tuple(populations)
    ),
    st.sampled_from(["givenName", "sn", "mail"]),
    st.booleans(),
    st.lists(st.sampled_from(BOTH), min_size=1, unique=True),
)


def sheet_asking(attributes: list[AttributeDocument]) -> ServiceSheet:
    return ServiceSheet(sheet=a_sheet_document(), attributes=tuple(attributes))


sheets = st.lists(st.lists(asking, unique_by=lambda each: each.name), min_size=2, max_size=4)


@given(sheets)
def test_a_supplier_never_widens_what_was_asked_when_a_school_signed(
    history: list[list[AttributeDocument]],
) -> None:
    document = a_supplier_document(sheet_asking(history[0]))
    signed = {(each.name, who) for each in history[0] for who in each.populations}
    required = {each.name for each in history[0] if each.required}
    for asked in history[1:]:
        document = with_sheet(document, follow_up(document, sheet_asking(asked)))
    for each in document.attribute:
        declared = DeclaredAttribute(
            name=AttributeName(each.name),
            purpose=each.purpose,
            required=each.required,
            required_since=each.required_since or 0,
            populations=each.populations,
            asked_since=each.asked_since,
        )
        for who in each.populations:
            if not declared.is_new_since(1, who):
                assert (each.name, who) in signed
            if declared.is_required_since(1, who):
                assert each.name in required


def test_countries_of_the_eea_are_thirty() -> None:
    found = [one + two for one in map(chr, range(65, 91)) for two in map(chr, range(65, 91))]
    assert sum(map(is_in_eea, found)) == 30


def changes_of(before: ServiceSheet | None, after: ServiceSheet) -> list[SheetChange]:
    return list(compare_sheets(before, after).changes)


def test_the_same_sheet_has_no_changes() -> None:
    assert changes_of(a_sheet(), a_sheet()) == []


def test_of_a_first_sheet_all_is_added() -> None:
    found = compare_sheets(None, a_sheet(an_attribute(required=True)))
    assert (found.from_version, found.to_version) == (0, 1)
    assert {each.kind for each in found.changes} == {ChangeKind.ADDED, ChangeKind.NOW_REQUIRED}
    assert {each.part for each in found.changes} >= {SheetPart.ATTRIBUTE, SheetPart.RETENTION}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([], [an_attribute()], ["added"]),
        ([], [an_attribute(required=True)], ["added", "now-required"]),
        ([an_attribute()], [], ["gone"]),
        ([an_attribute()], [an_attribute(required=True)], ["now-required"]),
        ([an_attribute(required=True)], [an_attribute()], ["no-longer-required"]),
        ([an_attribute(populations=(STAFF,))], [an_attribute()], ["asked-of-more"]),
        ([an_attribute()], [an_attribute(populations=(PUPIL,))], ["asked-of-fewer"]),
        (
            [an_attribute(populations=(STAFF,))],
            [an_attribute(populations=(PUPIL,))],
            ["asked-of-more", "asked-of-fewer"],
        ),
        ([an_attribute()], [an_attribute(purpose="Anders.")], ["changed"]),
        ([an_attribute()], [an_attribute(works_without=words("Other"))], ["changed"]),
    ],
)
def test_what_is_asked_is_compared(
    before: list[AttributeDocument], after: list[AttributeDocument], kinds: list[str]
) -> None:
    old, new = (
        ServiceSheet(sheet=a_sheet_document(), attributes=tuple(each)) for each in (before, after)
    )
    found = compare_sheets(old, new)
    assert [each.kind for each in found.changes] == kinds
    assert {each.subject for each in found.changes} == {"givenName"}
    more = {"added", "now-required", "asked-of-more"}
    assert [each.kind for each in found.asks_more] == [each for each in kinds if each in more]
    less = {"gone", "no-longer-required", "asked-of-fewer"}
    assert [each.kind for each in found.asks_less] == [each for each in kinds if each in less]
    assert [each.kind for each in found.to_read] == [each for each in kinds if each == "changed"]


CHANGED: dict[str, tuple[Any, SheetPart, str]] = {
    "category": (ProductCategory.TEST, SheetPart.CATEGORY, ""),
    "languages": (("nl", "en"), SheetPart.LANGUAGES, ""),
    "purpose": ((words("Other"),), SheetPart.PURPOSES, ""),
    "works_without": (words("Other"), SheetPart.WORKS_WITHOUT, ""),
    "processor_agreement": (
        ProcessorAgreementDocument(model=AgreementModel.BOARD, version="1"),
        SheetPart.PROCESSOR_AGREEMENT,
        "",
    ),
    "sub_processor": (
        (SubProcessorDocument(name="Wolk B.V.", country="DE", purpose=words("Servers")),),
        SheetPart.SUB_PROCESSOR,
        "Wolk B.V.",
    ),
    "countries": (("NL", "DE"), SheetPart.COUNTRIES, "DE"),
    "outside_eea": (words("Clauses"), SheetPart.OUTSIDE_EEA, ""),
    "retention": (words("Two years"), SheetPart.RETENTION, ""),
    "dpia": (DpiaDocument(reference="DPIA 1"), SheetPart.DPIA, ""),
    "contact": (
        (ContactDocument(function=ContactFunction.PRIVACY, mail="privacy@x.example"),),
        SheetPart.CONTACT,
        "security",
    ),
}


def test_no_part_of_a_sheet_is_forgotten() -> None:
    keys = {each.name for each in msgspec.structs.fields(SheetDocument)} - {"version"}
    assert keys == CHANGED.keys()
    assert len(COMPARISONS) == len(keys)


@pytest.mark.parametrize("key", CHANGED)
def test_each_part_of_a_sheet_is_compared(key: str) -> None:
    value, part, subject = CHANGED[key]
    [found] = changes_of(a_sheet(), a_sheet(**{key: value}))
    assert (found.part, found.subject) == (part, subject)
    assert found in compare_sheets(a_sheet(), a_sheet(**{key: value})).to_read


def test_parts_that_come_and_go_say_so() -> None:
    bare = {"sub_processor": (), "countries": (), "processor_agreement": None, "purpose": ()}
    gone = changes_of(a_sheet(), a_sheet(**bare))
    assert {each.kind for each in gone} == {ChangeKind.GONE}
    added = changes_of(a_sheet(**bare), a_sheet())
    assert {each.kind for each in added} == {ChangeKind.ADDED}
    assert len(added) == len(gone) == len(bare)


def test_a_dpia_is_compared_with_its_day() -> None:
    before, after = (
        a_sheet(dpia=DpiaDocument(reference="DPIA 1", on=date(2026, 1, day))) for day in (1, 2)
    )
    [found] = changes_of(before, after)
    assert found.after == WordsDocument(nl="DPIA 1, 2026-01-02", en="DPIA 1, 2026-01-02")


def test_a_login_without_role_counts_as_new_where_it_is_new_for_anybody() -> None:
    declared = DeclaredAttribute(name=SN, purpose="-", required=True, asked_since={PUPIL: 2})
    assert declared.is_new_since(1, None)
    assert not declared.is_new_since(2, None)
    assert not declared.is_required_since(1, None)
    assert declared.is_required_since(1, STAFF)
    assert not declared.is_required_since(1, PUPIL)


def test_other_companies_change_nothing_else() -> None:
    bare = with_sub_processors(a_sheet(), [])
    assert bare.sheet.sub_processor == ()
    assert with_sub_processors(bare, a_sheet().sheet.sub_processor) == a_sheet()
