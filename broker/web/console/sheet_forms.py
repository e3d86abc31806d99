"""From the fields of a form to the draft of a service sheet, and back.

A mistake in a field is told beside the field. What a sheet still lacks is no mistake: a draft may
be saved unfinished.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import msgspec

from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.sheet_documents import (
    SHEET_TEXT_CHARS,
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
from broker.domain.sheets import ServiceSheet, with_sub_processors
from broker.web.requests import Parameters
from broker.web.texts import N_

REASON_CHARS = 500
"""Of the reason of an attribute and of names: `Text` of documents."""

MAX_PURPOSES = 12
MAX_SUB_PROCESSORS = 60

TOO_LONG = N_("This is too long. Make it shorter.")
NEEDED = N_("Fill this in.")
CHOOSE = N_("Choose one of the list.")
CHOOSE_SOME = N_("Choose at least one.")
NO_MAIL = N_("Write a mail address, like privacy@company.nl.")
NO_PHONE = N_("Write a telephone number with digits, like +31 30 123 45 67.")
NO_URL = N_("Write a web address that begins with https://.")
NO_DAY = N_("Write a day, like 2026-11-27.")
ASKED_ALREADY = N_("You ask this already. Change it on the list.")
TOO_MANY = N_("There is no room for more of these.")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_URL = re.compile(r"https?://[^\s]+\Z")
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\Z")
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{2,28}\Z")

Values = Mapping[str, tuple[str, ...]]


class FormMistakes(Exception):  # noqa: N818 -- said of a form, on the same page
    """Fields hold what they must not; pairs of a field's name and a message id."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.errors = tuple(errors)


def read_values(form: Parameters) -> Values:
    """Return the fields of a form by name, without control characters and outer spaces.

    >>> dict(read_values([("why", " So.\\r\\nThere.\\x00 "), ("of", "pupil"), ("of", "staff")]))
    {'why': ('So.\\nThere.',), 'of': ('pupil', 'staff')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, value in form:
        plain = _CONTROL.sub("", value.replace("\r\n", "\n")).strip()
        found[name] = (*found.get(name, ()), plain)
    return MappingProxyType(found)


@dataclass(slots=True)
class _Reading:
    """The fields of one form, and the mistakes in them."""

    values: Values = field(repr=False)
    errors: list[tuple[str, str]] = field(default_factory=list)

    def text(self, name: str, *, longest: int = SHEET_TEXT_CHARS, needed: bool = False) -> str:
        found = self.values.get(name, ("",))[0]
        if len(found) > longest:
            self.errors.append((name, TOO_LONG))
        elif needed and not found:
            self.errors.append((name, NEEDED))
        return found

    def fitting(self, name: str, form: re.Pattern[str], mistake: str) -> str | None:
        found = self.text(name, longest=REASON_CHARS)
        if found and form.match(found) is None:
            self.errors.append((name, mistake))
        return found or None

    def words(self, name: str) -> WordsDocument:
        return WordsDocument(nl=self.text(f"{name}-nl"), en=self.text(f"{name}-en"))

    def some(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        chosen = dict.fromkeys(self.values.get(name, ()))
        if not set(chosen) <= set(allowed):
            self.errors.append((name, CHOOSE))
        return tuple(chosen)

    def one(self, name: str, allowed: Sequence[str], *, needed: bool = False) -> str:
        found = self.values.get(name, ("",))[0]
        if (found or needed) and found not in allowed:
            self.errors.append((name, CHOOSE))
        return found

    def finish(self) -> None:
        if self.errors:
            raise FormMistakes(self.errors)


def fill_service(values: Values, content: ServiceSheet, languages: Sequence[str]) -> ServiceSheet:
    """Return a draft with what the first step says.

    Args:
        languages: codes that can be chosen.

    Raises:
        FormMistakes
    """
    reading = _Reading(values)
    category = reading.one("category", list(ProductCategory))
    chosen = reading.some("languages", languages)
    purposes = [reading.words(f"purpose-{number}") for number in range(MAX_PURPOSES)]
    without = reading.words("without")
    reading.finish()
    sheet = msgspec.structs.replace(
        content.sheet,
        category=ProductCategory(category) if category else None,
        languages=chosen,
        purpose=tuple(each for each in purposes if each.nl or each.en),
        works_without=without,
    )
    return msgspec.structs.replace(content, sheet=sheet)


def service_values(sheet: SheetDocument) -> Values:
    """Return the fields of the first step."""
    found = {"category": (sheet.category or "",), "languages": sheet.languages}
    for number, each in enumerate(sheet.purpose):
        found |= _words_values(f"purpose-{number}", each)
    return MappingProxyType(found | _words_values("without", sheet.works_without))


def fill_attribute(
    values: Values, content: ServiceSheet, *, was: str, entitled: bool
) -> ServiceSheet:
    """Return a draft with one attribute as a form says it.

    Args:
        entitled: to what identifies across suppliers.
        was: the attribute that is changed, in its place; "" for one that is added at the end.

    Raises:
        FormMistakes
    """
    reading = _Reading(values)
    asked_now = [each.name for each in content.attributes]
    names = [*can_ask(content, entitled=entitled), *asked_now]
    name = was or reading.one("name", names, needed=True)
    others = [each for each in content.attributes if each.name != was]
    if any(each.name == name for each in others):
        reading.errors.append(("name", ASKED_ALREADY))
    reason = reading.text("why-nl", longest=REASON_CHARS, needed=True)
    in_english = reading.text("why-en", longest=REASON_CHARS)
    of = reading.some("of", list(Population))
    if not of:
        reading.errors.append(("of", CHOOSE_SOME))
    required = reading.one("required", ("yes", "no"), needed=True)
    without = reading.words("without")
    reading.finish()
    asked = AttributeDocument(
        name=name,
        purpose=reason,
        purpose_en=in_english or None,
        required=required == "yes",
        populations=tuple(each for each in Population if each in of),
        works_without=without,
    )
    kept = tuple(asked if each.name == was else each for each in content.attributes)
    attributes = kept if asked in kept else (*kept, asked)
    return msgspec.structs.replace(content, attributes=attributes)


def without_attribute(content: ServiceSheet, name: str) -> ServiceSheet:
    """Return a draft that does not ask an attribute."""
    kept = tuple(each for each in content.attributes if each.name != name)
    return msgspec.structs.replace(content, attributes=kept)


def attribute_values(asked: AttributeDocument | None) -> Values:
    """Return the fields of one attribute; of a new one, it is not required and of everybody."""
    if asked is None:
        return MappingProxyType({"required": ("no",), "of": tuple(Population)})
    found: dict[str, tuple[str, ...]] = {
        "name": (asked.name,),
        "why-nl": (asked.purpose,),
        "why-en": (asked.purpose_en or "",),
        "required": ("yes" if asked.required else "no",),
        "of": asked.populations,
    }
    return MappingProxyType(found | _words_values("without", asked.works_without))


def can_ask(content: ServiceSheet, *, entitled: bool) -> tuple[AttributeName, ...]:
    """Return what a supplier can ask besides what it asks already."""
    asked = {each.name for each in content.attributes}
    return tuple(
        name
        for name, each in VOCABULARY.items()
        if name not in asked and (entitled or not each.restricted)
    )


def fill_terms(values: Values, content: ServiceSheet, countries: Sequence[str]) -> ServiceSheet:
    """Return a draft with what the third step says; sub-processors have pages of their own.

    Args:
        countries: codes that can be chosen.

    Raises:
        FormMistakes
    """
    reading = _Reading(values)
    agreement = _read_agreement(reading)
    chosen = reading.some("countries", countries)
    ground, retention = reading.words("ground"), reading.words("keep")
    dpia, contacts = _read_dpia(reading), tuple(_read_contacts(reading))
    reading.finish()
    sheet = msgspec.structs.replace(
        content.sheet,
        processor_agreement=agreement,
        countries=chosen,
        outside_eea=ground,
        retention=retention,
        dpia=dpia,
        contact=contacts,
    )
    return msgspec.structs.replace(content, sheet=sheet)


def terms_values(sheet: SheetDocument) -> Values:
    """Return the fields of the third step."""
    found: dict[str, tuple[str, ...]] = {"countries": sheet.countries}
    if sheet.processor_agreement is not None:
        stated = sheet.processor_agreement
        found["model"] = (stated.model,)
        found["model-version"] = (stated.version,)
        found["model-url"] = (stated.url or "",)
        found["covenant"] = ("yes",) if stated.covenant_signed else ()
    if sheet.dpia is not None:
        found["dpia-reference"] = (sheet.dpia.reference,)
        found["dpia-url"] = (sheet.dpia.url or "",)
        found["dpia-on"] = ("" if sheet.dpia.on is None else sheet.dpia.on.isoformat(),)
    for each in sheet.contact:
        for name in ("mail", "phone", "url"):
            found[f"{each.function}-{name}"] = (getattr(each, name) or "",)
    texts = _words_values("ground", sheet.outside_eea) | _words_values("keep", sheet.retention)
    return MappingProxyType(found | texts)


def fill_sub_processor(
    values: Values, content: ServiceSheet, countries: Sequence[str], *, number: int
) -> ServiceSheet:
    """Return a draft with one company as a form says it.

    Args:
        number: of the company that is changed; -1 for one that is added.

    Raises:
        FormMistakes
    """
    reading = _Reading(values)
    named = reading.text("name", longest=REASON_CHARS, needed=True)
    country = reading.one("country", countries, needed=True)
    what = reading.words("what")
    companies = list(content.sheet.sub_processor)
    if number < 0 and len(companies) >= MAX_SUB_PROCESSORS:
        reading.errors.append(("name", TOO_MANY))
    reading.finish()
    company = SubProcessorDocument(name=named, country=country, purpose=what)
    if number < 0:
        companies.append(company)
    elif number < len(companies):
        companies[number] = company
    return with_sub_processors(content, companies)


def sub_processor_values(company: SubProcessorDocument | None) -> Values:
    """Return the fields of one company."""
    if company is None:
        return MappingProxyType({})
    found = {"name": (company.name,), "country": (company.country,)}
    return MappingProxyType(found | _words_values("what", company.purpose))


def _words_values(name: str, words: WordsDocument) -> dict[str, tuple[str, ...]]:
    return {f"{name}-nl": (words.nl,), f"{name}-en": (words.en,)}


def _read_agreement(reading: _Reading) -> ProcessorAgreementDocument | None:
    model = reading.one("model", list(AgreementModel))
    version = reading.text("model-version", longest=40)
    url = reading.fitting("model-url", _URL, NO_URL)
    covenant = reading.one("covenant", ("yes",)) == "yes"
    if reading.errors or not (model or version or url or covenant):
        return None
    return ProcessorAgreementDocument(
        model=AgreementModel(model) if model else AgreementModel.PRIVACYCONVENANT,
        version=version,
        covenant_signed=covenant,
        url=url,
    )


def _read_dpia(reading: _Reading) -> DpiaDocument | None:
    reference = reading.text("dpia-reference", longest=REASON_CHARS)
    url = reading.fitting("dpia-url", _URL, NO_URL)
    day, on = reading.text("dpia-on", longest=REASON_CHARS), None
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        reading.errors.append(("dpia-on", NO_DAY))
    if (url or day) and not reference:
        reading.errors.append(("dpia-reference", NEEDED))
    return DpiaDocument(reference=reference, url=url, on=on) if reference else None


def _read_contacts(reading: _Reading) -> Iterator[ContactDocument]:
    for function in ContactFunction:
        mail = reading.fitting(f"{function}-mail", _MAIL, NO_MAIL)
        phone = reading.fitting(f"{function}-phone", _PHONE, NO_PHONE)
        url = reading.fitting(f"{function}-url", _URL, NO_URL)
        if mail or phone or url:
            yield ContactDocument(function=function, mail=mail, phone=phone, url=url)
