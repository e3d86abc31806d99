"""A document that is made to be printed, signed and kept: its text, without how it looks. Pure.

Every text is plain: nothing in it is markup, whoever wrote it. `adapters.typeset_documents` makes a
PDF of it, the same bytes each time.
"""

import re
from datetime import datetime

import msgspec

MAX_BLOCKS = 5_000
"""A register of a large school has some hundreds."""

_NOT_PRINTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that change the direction of what stands around them."""


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """A heading below the title: level 1 or 2."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """One paragraph."""

    text: str


class Bullets(msgspec.Struct, frozen=True, tag="bullets"):
    """A list without numbers."""

    items: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Names with what they are: "School", "De Vuurvogel"."""

    rows: tuple[tuple[str, str], ...]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table with a header row; every row has as many cells.

    Attributes:
        widths: parts of the width by column; none: equal ones.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...] = ()


class NewPage(msgspec.Struct, frozen=True, tag="new_page"):
    """What follows begins on a page of its own, as an annex does."""


Block = Heading | Paragraph | Bullets | Facts | Table | NewPage


class PrintedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed.

    Attributes:
        language: BCP 47; a screen reader reads it so.
        title: of the file and on top of the first page. Never a person's name: it shows in lists.
        made_at: aware; the only moment in the file.
        footer: on each page, beside its number.
        page_words: "page", in that language.
    """

    language: str
    title: str
    made_at: datetime
    blocks: tuple[Block, ...]
    footer: str = ""
    page_words: str = "pagina"


class DocumentTooLong(Exception):  # noqa: N818 -- says what is wrong, like a refusal
    """More blocks than anybody prints."""


def write_printed(document: PrintedDocument) -> bytes:
    """Return the document as JSON, for who typesets it, without characters that cannot be printed.

    Raises:
        DocumentTooLong

    >>> from datetime import UTC
    >>> made_at = datetime(2026, 11, 27, tzinfo=UTC)
    >>> page = PrintedDocument(language="nl", title="Besluit", made_at=made_at, blocks=())
    >>> write_printed(page)[:38]
    b'{"language":"nl","title":"Besluit","ma'
    """
    if len(document.blocks) > MAX_BLOCKS:
        raise DocumentTooLong
    return msgspec.json.encode(_printable(msgspec.to_builtins(document)))


def _printable(value: object) -> object:
    if isinstance(value, str):
        return _NOT_PRINTED.sub("", value)
    if isinstance(value, dict):
        return {name: _printable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(each) for each in value]
    return value
