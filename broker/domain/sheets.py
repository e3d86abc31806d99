"""One version of a supplier's service sheet, and how the next one comes of it.

A version is never changed once it was published: agreements name the version that was read. The
next one keeps what was asked before as it was, and marks what is new, so that agreements that were
signed before go on without it (`declared_attributes`).
"""

from collections.abc import Iterable, Sequence

import msgspec

from broker.domain.attributes import AttributeName, Population
from broker.domain.documents import SupplierDocument
from broker.domain.sheet_documents import (
    AttributeDocument,
    SheetDocument,
    SubProcessorDocument,
)

NO_VERSION = 0
"""Of a supplier that never published a sheet; so are agreements that were signed without one."""


class ServiceSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a school reads: the sheet, and each attribute with its reason."""

    sheet: SheetDocument
    attributes: tuple[AttributeDocument, ...] = ()

    @property
    def version(self) -> int:
        """Return its version."""
        return self.sheet.version


def sheet_of(document: SupplierDocument) -> ServiceSheet | None:
    """Return the sheet that a supplier's document holds; None while it has none."""
    if document.sheet is None:
        return None
    return ServiceSheet(sheet=document.sheet, attributes=document.attribute)


def with_sheet(document: SupplierDocument, sheet: ServiceSheet) -> SupplierDocument:
    """Return a supplier's document with another sheet; all else of it stays."""
    return msgspec.structs.replace(document, sheet=sheet.sheet, attribute=sheet.attributes)


def follow_up(document: SupplierDocument, draft: ServiceSheet) -> ServiceSheet:
    """Return the next version of a supplier's sheet, as a draft says it.

    Whatever the draft states of versions is not believed: what is asked of a population, or
    required, that was not so in the document before, is since this version.

    >>> from broker.domain.federation import State
    >>> before = SupplierDocument(id="x", legal_name="X", state=State.TEST)
    >>> asked = AttributeDocument(name="sn", purpose="-", required=True)
    >>> draft = ServiceSheet(sheet=SheetDocument(version=9), attributes=(asked,))
    >>> after = follow_up(before, draft)
    >>> after.version, after.attributes[0].required_since
    (1, 1)
    """
    version = (document.sheet.version if document.sheet is not None else NO_VERSION) + 1
    before = {each.name: each for each in document.attribute}
    return ServiceSheet(
        sheet=msgspec.structs.replace(draft.sheet, version=version),
        attributes=tuple(
            _follow_up(before.get(each.name), each, version=version) for each in draft.attributes
        ),
    )


def _follow_up(
    before: AttributeDocument | None, after: AttributeDocument, *, version: int
) -> AttributeDocument:
    since: int | None = None
    if after.required:
        was_required = before is not None and before.required
        since = before.required_since if before is not None and was_required else version
    asked_before = before.populations if before is not None else ()
    kept = before.asked_since if before is not None else {}
    asked_since: dict[Population, int] = {}
    for population in after.populations:
        if population not in asked_before:
            asked_since[population] = version
        elif population in kept:
            asked_since[population] = kept[population]
    return msgspec.structs.replace(after, required_since=since, asked_since=asked_since)


def without_versions(attributes: Iterable[AttributeDocument]) -> tuple[AttributeDocument, ...]:
    """Return attributes without since when they are asked and required: as one edits them."""
    return tuple(
        msgspec.structs.replace(each, required_since=None, asked_since={}) for each in attributes
    )


def waiting_attributes(sheet: ServiceSheet, *, signed_on: int) -> tuple[AttributeName, ...]:
    """Return what an agreement that was signed on an earlier version does not know: asked of
    somebody, or required, since then."""
    return tuple(
        AttributeName(each.name)
        for each in sheet.attributes
        if (each.required_since or NO_VERSION) > signed_on
        or any(since > signed_on for since in each.asked_since.values())
    )


def with_sub_processors(
    content: ServiceSheet, companies: Sequence[SubProcessorDocument]
) -> ServiceSheet:
    """Return a draft with other sub-processors."""
    sheet = msgspec.structs.replace(content.sheet, sub_processor=tuple(companies))
    return msgspec.structs.replace(content, sheet=sheet)
