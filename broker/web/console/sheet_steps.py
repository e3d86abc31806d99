"""The forms of a draft: what each holds, what it changes, and its page."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from broker.domain.sheet_documents import SHEET_TEXT_CHARS, SubProcessorDocument
from broker.domain.sheets import ServiceSheet, with_sub_processors
from broker.flow.sheets.sheet_desk import DraftView
from broker.web.console.country_words import (
    COUNTRY_WORDS,
    LANGUAGE_WORDS,
    country_choices,
    name_country,
)
from broker.web.console.doors import Seat
from broker.web.console.sheet_forms import (
    MAX_PURPOSES,
    REASON_CHARS,
    Values,
    attribute_values,
    can_ask,
    fill_attribute,
    fill_service,
    fill_sub_processor,
    fill_terms,
    service_values,
    sub_processor_values,
    terms_values,
    without_attribute,
)
from broker.web.console.sheet_pages import (
    AskedRow,
    AsksPage,
    AttributePage,
    Options,
    RemovePage,
    ServicePage,
    SheetPlace,
    ShownForm,
    SubProcessorPage,
    SubProcessorRow,
    TermsPage,
)
from broker.web.console.sheet_places import find_place
from broker.web.console.sheet_words import (
    CATEGORY_WORDS,
    CONTACT_WORDS,
    MODEL_WORDS,
    name_of,
    of_whom,
)
from broker.web.wiring import Web

ADDED = -1
"""In place of a company's number: one that is added."""

MAX_DIGITS = 3
EMPTY_PURPOSES = 2
"""How many empty pairs of fields wait for more purposes."""


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """What the service is, and what it is for."""

    content: ServiceSheet

    def values(self, view: DraftView) -> Values:
        """Return what its fields hold."""
        return service_values(view.content.sheet)

    def fill(self, values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft with what the form says."""
        return fill_service(values, view.content, [code for code, _ in self._languages(view)])

    def page(self, web: Web, seat: Seat, view: DraftView, form: ShownForm) -> ServicePage:
        """Return the page with the form."""
        filled = [each for each in range(MAX_PURPOSES) if self._has_purpose(form, each)]
        return ServicePage(
            place=find_place(web, seat, view),
            form=form,
            categories=tuple((each.value, words) for each, words in CATEGORY_WORDS.items()),
            languages=self._languages(view),
            purposes=min(MAX_PURPOSES, max([*filled, -1]) + 1 + EMPTY_PURPOSES),
            longest=SHEET_TEXT_CHARS,
        )

    def onward(self) -> str:
        """Return the next step."""
        return "asks"

    @staticmethod
    def _has_purpose(form: ShownForm, number: int) -> bool:
        return bool(form.value(f"purpose-{number}-nl") or form.value(f"purpose-{number}-en"))

    @staticmethod
    def _languages(view: DraftView) -> Options:
        stated = {each: LANGUAGE_WORDS.get(each, each) for each in view.content.sheet.languages}
        return tuple((dict(LANGUAGE_WORDS) | stated).items())


@dataclass(frozen=True, slots=True)
class AttributeStep:
    """One attribute; `name` is "" for one that is added."""

    name: str

    @classmethod
    def of(cls, request: Request, view: DraftView) -> "AttributeStep":
        """Return the step of the attribute that an address names."""
        name = request.query_params.get("name", "")
        return cls(name if any(each.name == name for each in view.content.attributes) else "")

    @staticmethod
    def without(values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft that does not ask what a form names."""
        return without_attribute(view.content, values.get("name", ("",))[0])

    def values(self, view: DraftView) -> Values:
        """Return what its fields hold."""
        asked = [each for each in view.content.attributes if each.name == self.name]
        return attribute_values(asked[0] if asked else None)

    def fill(self, values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft with what the form says."""
        entitled = view.supplier.eck_id_entitled
        return fill_attribute(values, view.content, was=self.name, entitled=entitled)

    def page(self, web: Web, seat: Seat, view: DraftView, form: ShownForm) -> AttributePage:
        """Return the page with the form."""
        names = can_ask(view.content, entitled=view.supplier.eck_id_entitled)
        return AttributePage(
            place=find_place(web, seat, view),
            form=form,
            name=self.name,
            words=name_of(self.name),
            names=tuple((each, name_of(each)) for each in names),
            longest_reason=REASON_CHARS,
            longest=SHEET_TEXT_CHARS,
        )

    def onward(self) -> str:
        """Return the list."""
        return "asks"


@dataclass(frozen=True, slots=True)
class TermsStep:
    """Agreement, countries, retention, contacts."""

    content: ServiceSheet

    def values(self, view: DraftView) -> Values:
        """Return what its fields hold."""
        return terms_values(view.content.sheet)

    def fill(self, values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft with what the form says."""
        outside = (code for code, _ in self._outside(view))
        allowed = [*(code for code, _ in country_choices(in_eea=True)), *outside]
        return fill_terms(values, view.content, allowed)

    def page(self, web: Web, seat: Seat, view: DraftView, form: ShownForm) -> TermsPage:
        """Return the page with the form."""
        return TermsPage(
            place=find_place(web, seat, view),
            form=form,
            models=tuple((each.value, words) for each, words in MODEL_WORDS.items()),
            countries_inside=country_choices(in_eea=True),
            countries_outside=self._outside(view),
            contacts=tuple((each.value, words) for each, words in CONTACT_WORDS.items()),
            sub_processors=tuple(
                SubProcessorRow(number, each.name, name_country(each.country))
                for number, each in enumerate(view.content.sheet.sub_processor)
            ),
            longest=SHEET_TEXT_CHARS,
        )

    def onward(self) -> str:
        """Return the next step."""
        return "preview"

    @staticmethod
    def _outside(view: DraftView) -> Options:
        unnamed = (each for each in view.content.sheet.countries if each not in COUNTRY_WORDS)
        return (*country_choices(in_eea=False), *((each, each) for each in unnamed))


@dataclass(frozen=True, slots=True)
class SubProcessorStep:
    """One company; `number` is `ADDED` for one that is added."""

    number: int

    @classmethod
    def of(cls, request: Request, view: DraftView) -> "SubProcessorStep":
        """Return the step of the company that an address names."""
        return cls(read_company(request.query_params.get("number", ""), view))

    @staticmethod
    def without(values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft without the company that a form names."""
        number = read_company(values.get("number", ("",))[0], view)
        companies = view.content.sheet.sub_processor
        kept = [each for index, each in enumerate(companies) if index != number]
        return with_sub_processors(view.content, kept)

    def values(self, view: DraftView) -> Values:
        """Return what its fields hold."""
        return sub_processor_values(self._company(view))

    def fill(self, values: Values, view: DraftView) -> ServiceSheet:
        """Return the draft with what the form says."""
        codes = [code for code, _ in self._countries(view)]
        return fill_sub_processor(values, view.content, codes, number=self.number)

    def page(self, web: Web, seat: Seat, view: DraftView, form: ShownForm) -> SubProcessorPage:
        """Return the page with the form."""
        return SubProcessorPage(
            place=find_place(web, seat, view),
            form=form,
            number=self.number,
            countries=self._countries(view),
            longest=SHEET_TEXT_CHARS,
        )

    def onward(self) -> str:
        """Return the list."""
        return "terms"

    def _company(self, view: DraftView) -> SubProcessorDocument | None:
        return None if self.number == ADDED else view.content.sheet.sub_processor[self.number]

    def _countries(self, view: DraftView) -> Options:
        company = self._company(view)
        own = () if company is None else ((company.country, name_country(company.country)),)
        every = (*country_choices(in_eea=True), *country_choices(in_eea=False), *own)
        return tuple(dict(every).items())


def show_asks(place: SheetPlace, view: DraftView) -> AsksPage:
    """Return the list of what is asked."""
    rows = tuple(
        AskedRow(
            each.name,
            name_of(each.name),
            of_whom(each),
            each.required,
            sum(problem.subject == each.name for problem in view.problems),
        )
        for each in view.content.attributes
    )
    left = can_ask(view.content, entitled=view.supplier.eck_id_entitled)
    return AsksPage(place=place, asked=rows, can_add=bool(left))


def remove_attribute(place: SheetPlace, view: DraftView, name: str) -> RemovePage | None:
    """Return the page that asks whether an attribute is to go; None when it is not asked."""
    if all(each.name != name for each in view.content.attributes):
        return None
    return RemovePage(
        place=place,
        what=name_of(name),
        action=f"{place.url}/asks/remove",
        back=f"{place.url}/asks",
        fields=(("name", name),),
    )


def remove_sub_processor(place: SheetPlace, view: DraftView, number: str) -> RemovePage | None:
    """Return the page that asks whether a company is to go; None when it is not there."""
    found = read_company(number, view)
    if found == ADDED:
        return None
    return RemovePage(
        place=place,
        what=view.content.sheet.sub_processor[found].name,
        action=f"{place.url}/terms/remove",
        back=f"{place.url}/terms",
        fields=(("number", str(found)),),
    )


def read_company(text: str, view: DraftView) -> int:
    """Return the number of a company in the draft; `ADDED` of what is none."""
    companies: Sequence[SubProcessorDocument] = view.content.sheet.sub_processor
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number and int(text) < len(companies) else ADDED
