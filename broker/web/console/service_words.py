"""What a service sheet states, in words: as rows that a page and the signed document both show."""

from collections.abc import Iterator

from broker.domain.countries import is_in_eea
from broker.domain.sheet_documents import SheetDocument
from broker.web.console.country_words import name_country
from broker.web.console.decision_words import DecisionWords
from broker.web.console.sheet_words import CATEGORY_WORDS, CONTACT_WORDS, MODEL_WORDS
from broker.web.texts import N_

Row = tuple[str, str]


def describe_sheet(words: DecisionWords, sheet: SheetDocument | None) -> tuple[Row, ...]:
    """Return what a sheet says besides its attributes, as pairs of a name and a text; a part that
    the supplier left empty says so where a school should know."""
    if sheet is None:
        return ()
    return tuple(_rows(words, sheet))


def describe_purposes(words: DecisionWords, sheet: SheetDocument | None) -> tuple[str, ...]:
    """Return what the service is for."""
    return () if sheet is None else tuple(filter(None, map(words.text, sheet.purpose)))


def _rows(words: DecisionWords, sheet: SheetDocument) -> Iterator[Row]:
    say = words.say
    unsaid = say(N_("The supplier does not say."))
    if sheet.category is not None:
        yield say(N_("Kind of product")), say(CATEGORY_WORDS[sheet.category])
    yield say(N_("Without any of this")), words.text(sheet.works_without) or unsaid
    yield say(N_("Processor agreement")), _agreement(words, sheet) or unsaid
    yield say(N_("How long it is kept")), words.text(sheet.retention) or unsaid
    yield say(N_("Where it is kept")), _countries(words, sheet) or unsaid
    if sheet.outside_eea.nl or sheet.outside_eea.en:
        yield say(N_("Outside Europe, on the ground of")), words.text(sheet.outside_eea)
    others = "; ".join(
        f"{each.name} ({say(name_country(each.country))}): {words.text(each.purpose)}".rstrip(": ")
        for each in sheet.sub_processor
    )
    yield say(N_("Other companies that see it")), others or say(N_("None."))
    if sheet.dpia is not None:
        yield say(N_("Assessment of risks (DPIA)")), sheet.dpia.reference
    contacts = "; ".join(
        f"{say(CONTACT_WORDS[each.function])}: {each.mail or each.phone or each.url}"
        for each in sheet.contact
        if each.mail or each.phone or each.url
    )
    yield say(N_("Contact")), contacts or unsaid
    yield say(N_("Version of the sheet")), str(sheet.version)


def _agreement(words: DecisionWords, sheet: SheetDocument) -> str:
    stated = sheet.processor_agreement
    if stated is None:
        return ""
    signed = (
        N_("the supplier signed the covenant")
        if stated.covenant_signed
        else N_("the supplier did not sign the covenant")
    )
    model = " ".join(filter(None, (words.say(MODEL_WORDS[stated.model]), stated.version)))
    return f"{model}; {words.say(signed)}"


def _countries(words: DecisionWords, sheet: SheetDocument) -> str:
    told = [
        name if is_in_eea(each) else words.say(N_("%(country)s (outside Europe)"), country=name)
        for each in sheet.countries
        for name in (words.say(name_country(each)),)
    ]
    return ", ".join(told)
