"""The privacy annex as a page: the same text as the PDF."""

from dataclasses import dataclass
from typing import ClassVar

from broker.domain.printed_documents import PrintedDocument
from broker.web.console.choose_places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexPage:
    """What goes with a decision, to keep and to show to parents."""

    template: ClassVar[str] = "console/choose_annex.html"
    place: Place
    url: str
    name: str
    document: PrintedDocument
