"""The service sheet of a supplier, as it stands in its document: what a school reads before it
decides.

`[sheet]` says what the service is for, who else sees what goes out, where and how long; each
`[[attribute]]` of the supplier says why it is asked and what happens without it. Nothing here
decides what is released: of all this, logins know `DeclaredAttribute` and the sheet's version.
A sheet may be kept unfinished; `flow.sheets` says what it lacks before it is published.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from broker.domain.attributes import Population
from broker.domain.document_forms import Document, Text, Url

SHEET_TEXT_CHARS = 2000
"""The longest text in one language."""

SheetText = Annotated[str, Meta(max_length=SHEET_TEXT_CHARS)]
SheetVersion = Annotated[int, Meta(ge=1)]
CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")]  # ISO 3166-1 alpha-2
LanguageCode = Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")]  # ISO 639-1
MailAddress = Annotated[str, Meta(pattern=r"^[^\s@<>]+@[^\s@<>]+\Z", max_length=254)]
PhoneNumber = Annotated[str, Meta(pattern=r"^\+?[0-9][0-9 ()-]{2,28}\Z")]


class ProductCategory(StrEnum):
    """What kind of product a service is (categories of the Privacyconvenant, put finer)."""

    LEARNING_MATERIAL = "learning-material"
    PRACTICE = "practice"
    TEST = "test"
    LEARNING_ENVIRONMENT = "learning-environment"
    PUPIL_TRACKING = "pupil-tracking"
    ADMINISTRATION = "administration"
    COMMUNICATION = "communication"
    CREATION = "creation"
    OTHER = "other"


class AgreementModel(StrEnum):
    """After which model the processor agreement was written."""

    PRIVACYCONVENANT = "privacyconvenant"
    BOARD = "board"
    SUPPLIER = "supplier"
    OTHER = "other"


class ContactFunction(StrEnum):
    """What a contact of the company is for."""

    PRIVACY = "privacy"
    SECURITY = "security"
    CONTRACT = "contract"
    SUPPORT = "support"


class WordsDocument(Document, frozen=True, kw_only=True):
    """A text in both languages; one that is not written yet is empty."""

    nl: SheetText = ""
    en: SheetText = ""


class ProcessorAgreementDocument(Document, frozen=True, kw_only=True):
    """`sheet.processor_agreement`: the model, its version, and whether the covenant was signed."""

    model: AgreementModel = AgreementModel.PRIVACYCONVENANT
    version: Annotated[str, Meta(max_length=40)] = ""
    covenant_signed: bool = False
    url: Url | None = None


class SubProcessorDocument(Document, frozen=True, kw_only=True):
    """`[[sheet.sub_processor]]`: a company to which the supplier entrusts part of the work."""

    name: Text
    country: CountryCode
    purpose: WordsDocument = WordsDocument()


class DpiaDocument(Document, frozen=True, kw_only=True):
    """`sheet.dpia`: the data protection impact assessment to which the supplier refers."""

    reference: Text
    url: Url | None = None
    on: date | None = None


class ContactDocument(Document, frozen=True, kw_only=True):
    """`[[sheet.contact]]`: where the company is reached, by function; no person's name."""

    function: ContactFunction
    mail: MailAddress | None = None
    phone: PhoneNumber | None = None
    url: Url | None = None


class SheetDocument(Document, frozen=True, kw_only=True):
    """`[sheet]` of a supplier: one version of what a school reads."""

    version: SheetVersion
    category: ProductCategory | None = None
    languages: Annotated[tuple[LanguageCode, ...], Meta(max_length=24)] = ()
    purpose: Annotated[tuple[WordsDocument, ...], Meta(max_length=12)] = ()
    works_without: WordsDocument = WordsDocument()
    processor_agreement: ProcessorAgreementDocument | None = None
    sub_processor: Annotated[tuple[SubProcessorDocument, ...], Meta(max_length=60)] = ()
    countries: Annotated[tuple[CountryCode, ...], Meta(max_length=60)] = ()
    outside_eea: WordsDocument = WordsDocument()
    retention: WordsDocument = WordsDocument()
    dpia: DpiaDocument | None = None
    contact: Annotated[tuple[ContactDocument, ...], Meta(max_length=12)] = ()


class AttributeDocument(Document, frozen=True, kw_only=True):
    """`[[attribute]]` of a supplier: what it asks for, and why, in words for parents."""

    name: Text
    purpose: Text
    purpose_en: Text | None = None
    required: bool = False
    required_since: SheetVersion | None = None
    populations: Annotated[tuple[Population, ...], Meta(min_length=1)] = (
        Population.PUPIL,
        Population.STAFF,
    )
    asked_since: dict[Population, SheetVersion] = msgspec.field(default_factory=dict)
    works_without: WordsDocument = WordsDocument()
