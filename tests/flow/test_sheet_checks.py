"""What a service sheet lacks before schools may see it: each check, and one that lacks nothing."""

from typing import Any

import pytest

from broker.domain.sheet_documents import (
    ContactDocument,
    ContactFunction,
    DpiaDocument,
    ProcessorAgreementDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.domain.sheets import ServiceSheet
from broker.flow.sheets import sheet_lacks as lacks
from broker.flow.sheets.sheet_checks import SHEET_CHECKS, check_sheet
from tests.flow.sheet_builders import a_sheet, a_supplier_document, an_attribute, words

HALF = WordsDocument(nl="Alleen Nederlands", en=" ")
WOLK = SubProcessorDocument(name="Wolk", country="NL", purpose=words("Servers"))
PRIVACY = ContactDocument(function=ContactFunction.PRIVACY, mail="privacy@x.example")
SECURITY = ContactDocument(function=ContactFunction.SECURITY, mail="lek@x.example")


def found(
    draft: ServiceSheet, in_force: ServiceSheet | None = None, **supplier: Any
) -> list[type[lacks.Lack]]:
    return [each.lack for each in check_sheet(draft, a_supplier_document(in_force, **supplier))]


def test_a_complete_sheet_lacks_nothing() -> None:
    assert found(a_sheet()) == []
    assert len(SHEET_CHECKS) == 13


@pytest.mark.parametrize(
    ("changes", "lack"),
    [
        ({"purpose": ()}, lacks.NoPurpose),
        ({"purpose": (words("Sums"), HALF)}, lacks.PurposeInOneLanguage),
        ({"category": None}, lacks.NoCategory),
        ({"languages": ()}, lacks.NoLanguage),
        ({"works_without": HALF}, lacks.NothingSaidOfWorkingWithout),
        ({"processor_agreement": None}, lacks.NoProcessorAgreement),
        (
            {"processor_agreement": ProcessorAgreementDocument(version=" ")},
            lacks.NoProcessorAgreement,
        ),
        ({"countries": (), "sub_processor": ()}, lacks.NoCountry),
        (
            {"sub_processor": (SubProcessorDocument(name="Wolk", country="NL"),)},
            lacks.SubProcessorPurposeMissing,
        ),
        (
            {
                "sub_processor": (
                    SubProcessorDocument(name="Wolk", country="DE", purpose=words("Servers")),
                )
            },
            lacks.SubProcessorElsewhere,
        ),
        ({"sub_processor": (WOLK, WOLK)}, lacks.SubProcessorTwice),
        ({"countries": ("NL", "US")}, lacks.NoGroundOutsideEea),
        ({"retention": HALF}, lacks.NoRetention),
        ({"contact": (PRIVACY,)}, lacks.NoContact),
        (
            {
                "contact": (
                    PRIVACY,
                    SECURITY,
                    ContactDocument(function=ContactFunction.SUPPORT),
                )
            },
            lacks.ContactUnreachable,
        ),
    ],
)
def test_a_sheet_that_lacks_something_is_told_so(
    changes: dict[str, Any], lack: type[lacks.Lack]
) -> None:
    assert found(a_sheet(**changes)) == [lack]


def test_a_country_outside_the_eea_needs_a_ground_and_no_more() -> None:
    assert found(a_sheet(countries=("NL", "US"), outside_eea=words("Clauses"))) == []


@pytest.mark.parametrize(
    ("attribute", "lack"),
    [
        (an_attribute("shoeSize"), lacks.UnknownAttribute),
        (an_attribute("hPGN"), lacks.UnknownAttribute),
        (an_attribute(purpose=" "), lacks.NoReason),
        (an_attribute(purpose_en=None), lacks.NoReason),
        (an_attribute(works_without=HALF), lacks.NothingSaidOfMissing),
        (an_attribute(works_without=HALF, required=True), lacks.NothingSaidOfStopping),
    ],
)
def test_an_attribute_is_known_and_explained(attribute: Any, lack: type[lacks.Lack]) -> None:
    problems = check_sheet(a_sheet(attribute), a_supplier_document())
    assert [each.lack for each in problems] == [lack]
    assert problems[0].subject == attribute.name


def test_an_attribute_is_asked_once() -> None:
    assert found(a_sheet(an_attribute(), an_attribute())) == [lacks.AttributeTwice]


def test_what_identifies_across_suppliers_needs_a_right_and_a_dpia() -> None:
    eck_id, dpia = an_attribute("eckId"), DpiaDocument(reference="DPIA 1")
    assert found(a_sheet(eck_id)) == [lacks.NotEntitled, lacks.NoDpia]
    assert found(a_sheet(eck_id), eck_id_entitled=True) == [lacks.NoDpia]
    assert found(a_sheet(eck_id, dpia=dpia), eck_id_entitled=True) == []


def test_a_version_that_says_the_same_is_none() -> None:
    assert found(a_sheet(), a_sheet()) == [lacks.NothingChanged]
    assert found(a_sheet(retention=words("Two years")), a_sheet()) == []
