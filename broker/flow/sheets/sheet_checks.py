"""What a sheet lacks before schools may see it: a table of small checks.

A draft may be saved with all of these open. None of them decides what is released; the checks that
logins rest on are those of the supplier's document (`federation.suppliers`).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from broker.domain.attributes import VOCABULARY, AttributeName, is_never_released
from broker.domain.countries import is_in_eea
from broker.domain.documents import SupplierDocument
from broker.domain.sheet_changes import SheetPart, compare_sheets
from broker.domain.sheet_documents import ContactFunction, WordsDocument
from broker.domain.sheets import ServiceSheet, follow_up, sheet_of
from broker.flow.sheets import sheet_lacks as lacks


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """One thing to mend.

    Attributes:
        subject: the attribute, company or contact that it is about, or "".
    """

    lack: type[lacks.Lack]
    part: SheetPart
    subject: str = ""


@dataclass(frozen=True, slots=True)
class CheckedSheet:
    """What the checks look at: the draft, and the supplier as it is in force."""

    sheet: ServiceSheet
    document: SupplierDocument


SheetCheck: TypeAlias = Callable[[CheckedSheet], Iterator[SheetProblem]]


def check_sheet(sheet: ServiceSheet, document: SupplierDocument) -> tuple[SheetProblem, ...]:
    """Return everything that stands between a draft and its publication."""
    checked = CheckedSheet(sheet, document)
    return tuple(found for check in SHEET_CHECKS for found in check(checked))


def _is_said(words: WordsDocument) -> bool:
    return bool(words.nl.strip() and words.en.strip())


def check_purposes_written(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Without a purpose nobody can decide whether what is asked fits it."""
    purposes = checked.sheet.sheet.purpose
    if not purposes:
        yield SheetProblem(lacks.NoPurpose, SheetPart.PURPOSES)
    if not all(map(_is_said, purposes)):
        yield SheetProblem(lacks.PurposeInOneLanguage, SheetPart.PURPOSES)


def check_product_described(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """A school finds a service by its kind, and must know its language."""
    if checked.sheet.sheet.category is None:
        yield SheetProblem(lacks.NoCategory, SheetPart.CATEGORY)
    if not checked.sheet.sheet.languages:
        yield SheetProblem(lacks.NoLanguage, SheetPart.LANGUAGES)


def check_works_without_written(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Every school may share the pseudonym alone; so it must know what works then."""
    if not _is_said(checked.sheet.sheet.works_without):
        yield SheetProblem(lacks.NothingSaidOfWorkingWithout, SheetPart.WORKS_WITHOUT)


def check_processor_agreement_stated(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """A processor works under a contract (GDPR 28(3))."""
    stated = checked.sheet.sheet.processor_agreement
    if stated is None or not stated.version.strip():
        yield SheetProblem(lacks.NoProcessorAgreement, SheetPart.PROCESSOR_AGREEMENT)


def check_countries_stated(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Where data go belongs to what a school must know (GDPR 28(3)(a))."""
    if not checked.sheet.sheet.countries:
        yield SheetProblem(lacks.NoCountry, SheetPart.COUNTRIES)


def check_sub_processors_explained(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """A school must be able to object to each sub-processor (GDPR 28(2))."""
    sheet, part = checked.sheet.sheet, SheetPart.SUB_PROCESSOR
    for each in sheet.sub_processor:
        if not _is_said(each.purpose):
            yield SheetProblem(lacks.SubProcessorPurposeMissing, part, each.name)
        if each.country not in sheet.countries:
            yield SheetProblem(lacks.SubProcessorElsewhere, part, each.name)
    for name, count in Counter(each.name for each in sheet.sub_processor).items():
        if count > 1:
            yield SheetProblem(lacks.SubProcessorTwice, part, name)


def check_ground_outside_eea(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Outside the European Economic Area data go on a ground alone (GDPR 44)."""
    sheet = checked.sheet.sheet
    everywhere = {*sheet.countries, *(each.country for each in sheet.sub_processor)}
    if not all(map(is_in_eea, everywhere)) and not _is_said(sheet.outside_eea):
        yield SheetProblem(lacks.NoGroundOutsideEea, SheetPart.OUTSIDE_EEA)


def check_retention_written(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """How long what is kept stands in the school's own record (GDPR 30(1)(f))."""
    if not _is_said(checked.sheet.sheet.retention):
        yield SheetProblem(lacks.NoRetention, SheetPart.RETENTION)


def check_dpia_where_linkable(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """What identifies across suppliers lets pupils be followed: that was weighed (GDPR 35)."""
    if checked.sheet.sheet.dpia is not None:
        return
    restricted = [each.name for each in checked.sheet.attributes if _is_restricted(each.name)]
    for name in restricted[:1]:
        yield SheetProblem(lacks.NoDpia, SheetPart.DPIA, name)


def check_contacts_given(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Questions and data breaches need an address (GDPR 33(2))."""
    contacts = checked.sheet.sheet.contact
    functions = {each.function for each in contacts}
    if not {ContactFunction.PRIVACY, ContactFunction.SECURITY} <= functions:
        yield SheetProblem(lacks.NoContact, SheetPart.CONTACT)
    for each in contacts:
        if not (each.mail or each.phone or each.url):
            yield SheetProblem(lacks.ContactUnreachable, SheetPart.CONTACT, each.function)


def check_attributes_askable(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """What nobody may ask, or this supplier may not (`federation.suppliers` holds it too)."""
    for each in checked.sheet.attributes:
        if each.name not in VOCABULARY or is_never_released(each.name):
            yield SheetProblem(lacks.UnknownAttribute, SheetPart.ATTRIBUTE, each.name)
        elif _is_restricted(each.name) and not checked.document.eck_id_entitled:
            yield SheetProblem(lacks.NotEntitled, SheetPart.ATTRIBUTE, each.name)
    for name, count in Counter(each.name for each in checked.sheet.attributes).items():
        if count > 1:
            yield SheetProblem(lacks.AttributeTwice, SheetPart.ATTRIBUTE, name)


def check_attributes_explained(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """Each attribute with its reason, and with what happens without it."""
    for each in checked.sheet.attributes:
        if not _is_said(WordsDocument(nl=each.purpose, en=each.purpose_en or "")):
            yield SheetProblem(lacks.NoReason, SheetPart.ATTRIBUTE_PURPOSE, each.name)
        if not _is_said(each.works_without):
            lack = lacks.NothingSaidOfStopping if each.required else lacks.NothingSaidOfMissing
            yield SheetProblem(lack, SheetPart.ATTRIBUTE_WITHOUT, each.name)


def check_something_changed(checked: CheckedSheet) -> Iterator[SheetProblem]:
    """A version that says the same would have schools read for nothing."""
    before = sheet_of(checked.document)
    if before is None:
        return
    if not compare_sheets(before, follow_up(checked.document, checked.sheet)).changes:
        yield SheetProblem(lacks.NothingChanged, SheetPart.PURPOSES)


SHEET_CHECKS: tuple[SheetCheck, ...] = (
    check_purposes_written,
    check_product_described,
    check_works_without_written,
    check_attributes_askable,
    check_attributes_explained,
    check_processor_agreement_stated,
    check_sub_processors_explained,
    check_countries_stated,
    check_ground_outside_eea,
    check_retention_written,
    check_dpia_where_linkable,
    check_contacts_given,
    check_something_changed,
)


def _is_restricted(name: str) -> bool:
    known = VOCABULARY.get(AttributeName(name))
    return known is not None and known.restricted
