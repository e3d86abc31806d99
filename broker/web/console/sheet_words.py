"""A service sheet in words: labels as message ids, the supplier's texts in the reader's language.

The sheet as a school reads it is one record, `ShownSheet`; the macro of
`templates/console/_sheet.html` makes HTML of it, wherever it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import MappingProxyType

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.dutch_days import day_of
from broker.domain.sheet_documents import (
    AgreementModel,
    AttributeDocument,
    ContactFunction,
    ProductCategory,
    SheetDocument,
    WordsDocument,
)
from broker.domain.sheets import ServiceSheet
from broker.flow.sheets.sheet_reading import ReadableSheet
from broker.web.attribute_words import PLAIN_WORDS
from broker.web.console.country_words import LANGUAGE_WORDS, name_country
from broker.web.texts import N_, Language

CATEGORY_WORDS: Mapping[ProductCategory, str] = MappingProxyType(
    {
        ProductCategory.LEARNING_MATERIAL: N_("Learning material"),
        ProductCategory.PRACTICE: N_("Practice"),
        ProductCategory.TEST: N_("Tests and exams"),
        ProductCategory.LEARNING_ENVIRONMENT: N_("Learning environment"),
        ProductCategory.PUPIL_TRACKING: N_("Following pupils' progress"),
        ProductCategory.ADMINISTRATION: N_("School administration"),
        ProductCategory.COMMUNICATION: N_("Contact between school, pupils and parents"),
        ProductCategory.CREATION: N_("Making things: text, image, sound, code"),
        ProductCategory.OTHER: N_("Something else"),
    }
)

MODEL_WORDS: Mapping[AgreementModel, str] = MappingProxyType(
    {
        AgreementModel.PRIVACYCONVENANT: N_("Model of the Privacyconvenant Onderwijs"),
        AgreementModel.BOARD: N_("Model of the school board"),
        AgreementModel.SUPPLIER: N_("Model of the supplier"),
        AgreementModel.OTHER: N_("Another model"),
    }
)

CONTACT_WORDS: Mapping[ContactFunction, str] = MappingProxyType(
    {
        ContactFunction.PRIVACY: N_("Questions about privacy"),
        ContactFunction.SECURITY: N_("Data breaches and security"),
        ContactFunction.CONTRACT: N_("Agreements"),
        ContactFunction.SUPPORT: N_("Help with the service"),
    }
)

_OF_WORDS: Mapping[frozenset[Population], str] = MappingProxyType(
    {
        frozenset({Population.PUPIL}): N_("pupils"),
        frozenset({Population.STAFF}): N_("staff"),
        frozenset(Population): N_("pupils and staff"),
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """A supplier's own text.

    Attributes:
        lines: as it was typed.
        lang: its language where that is not the page's, for who hears the page; else "".
        is_message: the line is a message id of ours.
    """

    lines: tuple[str, ...]
    lang: str = ""
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class ShownAttribute:
    """One attribute; `words` and `of` are message ids.

    Attributes:
        is_linking: by it suppliers could recognise a pupil between them.
    """

    name: str
    words: str
    of: str
    required: bool
    is_linking: bool
    why: Said | None
    without: Said | None


@dataclass(frozen=True, slots=True)
class ShownSubProcessor:
    """One company; `country` is a message id."""

    name: str
    country: str
    purpose: Said | None


@dataclass(frozen=True, slots=True)
class ShownContact:
    """One address of the company; `function` is a message id."""

    function: str
    mail: str
    phone: str
    url: str


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A sheet as a school reads it; what is not stated is empty or None.

    Attributes:
        version: 0 while none was published.
        category, languages, countries, model: message ids.
        published_on: an ISO day, or "".
    """

    supplier_name: str
    legal_name: str
    version: int
    published_on: str
    category: str
    languages: tuple[str, ...]
    purposes: tuple[Said, ...]
    works_without: Said | None
    attributes: tuple[ShownAttribute, ...] = field(repr=False)
    model: str
    model_version: str
    model_url: str
    covenant_signed: bool
    sub_processors: tuple[ShownSubProcessor, ...]
    countries: tuple[str, ...]
    outside_eea: Said | None
    retention: Said | None
    dpia: str
    dpia_url: str
    dpia_on: str
    contacts: tuple[ShownContact, ...]


def show_sheet(readable: ReadableSheet, language: Language) -> ShownSheet:
    """Return the published sheet of a supplier for a page in a language."""
    supplier = readable.supplier
    return show_content(
        readable.sheet,
        language,
        supplier_name=supplier.display_name,
        legal_name=supplier.legal_name,
        published_on=day_of_hour(readable.published_in),
    )


def show_content(
    content: ServiceSheet,
    language: Language,
    *,
    supplier_name: str,
    legal_name: str,
    published_on: str = "",
) -> ShownSheet:
    """Return a sheet, published or not, for a page in a language."""
    sheet = content.sheet
    model = sheet.processor_agreement
    return ShownSheet(
        supplier_name=supplier_name,
        legal_name=legal_name,
        version=content.version,
        published_on=published_on,
        category="" if sheet.category is None else CATEGORY_WORDS[sheet.category],
        languages=tuple(LANGUAGE_WORDS.get(each, each) for each in sheet.languages),
        purposes=tuple(filter(None, (say_in(each, language) for each in sheet.purpose))),
        works_without=say_in(sheet.works_without, language),
        attributes=tuple(_show_attribute(each, language) for each in content.attributes),
        model="" if model is None else MODEL_WORDS[model.model],
        model_version="" if model is None else model.version,
        model_url="" if model is None else model.url or "",
        covenant_signed=model is not None and model.covenant_signed,
        sub_processors=tuple(
            ShownSubProcessor(each.name, name_country(each.country), say_in(each.purpose, language))
            for each in sheet.sub_processor
        ),
        countries=tuple(map(name_country, sheet.countries)),
        outside_eea=say_in(sheet.outside_eea, language),
        retention=say_in(sheet.retention, language),
        dpia="" if sheet.dpia is None else sheet.dpia.reference,
        dpia_url="" if sheet.dpia is None else sheet.dpia.url or "",
        dpia_on=_iso(None if sheet.dpia is None else sheet.dpia.on),
        contacts=_show_contacts(sheet),
    )


def say_in(words: WordsDocument, language: Language) -> Said | None:
    """Return a text in a language, else in the other one; None when it is not written.

    >>> say_in(WordsDocument(nl="Hallo."), Language.EN)
    Said(lines=('Hallo.',), lang='nl', is_message=False)
    """
    texts = {Language.NL: words.nl.strip(), Language.EN: words.en.strip()}
    for each in (language, *Language):
        if texts[each]:
            lang = "" if each is language else each.value
            return Said(tuple(texts[each].splitlines()), lang)
    return None


def name_of(attribute: str) -> str:
    """Return the message id of what an attribute is; a name of nobody's vocabulary as it is."""
    return PLAIN_WORDS.get(attribute, attribute)


def of_whom(attribute: AttributeDocument) -> str:
    """Return the message id of whom it is asked."""
    return _OF_WORDS[frozenset(attribute.populations)]


def day_of_hour(hour: str) -> str:
    """Return the day in the Netherlands of a UTC hour of the registry; "" of none.

    >>> day_of_hour("2026-11-27T23Z"), day_of_hour("")
    ('2026-11-28', '')
    """
    if not hour:
        return ""
    at = datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
    return day_of(at).isoformat()


def _show_attribute(each: AttributeDocument, language: Language) -> ShownAttribute:
    known = VOCABULARY.get(AttributeName(each.name))
    return ShownAttribute(
        name=each.name,
        words=name_of(each.name),
        of=of_whom(each),
        required=each.required,
        is_linking=known is not None and known.restricted,
        why=say_in(WordsDocument(nl=each.purpose, en=each.purpose_en or ""), language),
        without=say_in(each.works_without, language),
    )


def _show_contacts(sheet: SheetDocument) -> tuple[ShownContact, ...]:
    return tuple(
        ShownContact(
            CONTACT_WORDS[each.function], each.mail or "", each.phone or "", each.url or ""
        )
        for each in sheet.contact
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
