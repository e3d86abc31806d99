"""Service sheets that lack nothing until a test says what differs."""

from typing import Any

import msgspec

from broker.domain.documents import SupplierDocument
from broker.domain.federation import State
from broker.domain.sheet_documents import (
    AttributeDocument,
    ContactDocument,
    ContactFunction,
    ProcessorAgreementDocument,
    ProductCategory,
    SheetDocument,
    SubProcessorDocument,
    WordsDocument,
)
from broker.domain.sheets import ServiceSheet


def words(text: str) -> WordsDocument:
    return WordsDocument(nl=f"{text} (nl)", en=f"{text} (en)")


def an_attribute(name: str = "givenName", **changes: Any) -> AttributeDocument:
    asked = AttributeDocument(
        name=name,
        purpose=f"Om {name}.",
        purpose_en=f"For {name}.",
        works_without=words("Misses it"),
    )
    return msgspec.structs.replace(asked, **changes)


def a_sheet_document(**changes: Any) -> SheetDocument:
    sheet = SheetDocument(
        version=1,
        category=ProductCategory.PRACTICE,
        languages=("nl",),
        purpose=(words("Practising sums"),),
        works_without=words("All works"),
        processor_agreement=ProcessorAgreementDocument(version="4.0", covenant_signed=True),
        sub_processor=(
            SubProcessorDocument(name="Wolk B.V.", country="NL", purpose=words("Servers")),
        ),
        countries=("NL",),
        retention=words("One year"),
        contact=(
            ContactDocument(function=ContactFunction.PRIVACY, mail="privacy@x.example"),
            ContactDocument(function=ContactFunction.SECURITY, phone="+31 30 1234567"),
        ),
    )
    return msgspec.structs.replace(sheet, **changes)


def a_sheet(*attributes: AttributeDocument, **changes: Any) -> ServiceSheet:
    return ServiceSheet(
        sheet=a_sheet_document(**changes), attributes=attributes or (an_attribute(),)
    )


def a_supplier_document(sheet: ServiceSheet | None = None, **changes: Any) -> SupplierDocument:
    document = SupplierDocument(
        id="rekenrijk",
        legal_name="RekenRijk B.V.",
        state=State.TEST,
        sheet=None if sheet is None else sheet.sheet,
        attribute=() if sheet is None else sheet.attributes,
    )
    return msgspec.structs.replace(document, **changes)
