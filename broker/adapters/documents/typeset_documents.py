"""PDF of a document that is printed and kept: tagged for screen readers (PDF/UA-1), with its title
and language, and the same bytes each time.

Typst does it, in a thread, for it leaves the interpreter alone meanwhile: some 100 ms the first
time and 25 ms later, and 36 MB more in the worker. It sees our template and the text as JSON, and
neither files nor the network. A text that is no PDF/UA-1, as one with a character that its own
fonts lack, is still tagged.
"""

import asyncio
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Literal

from broker.domain.printed_documents import PrintedDocument, write_printed

TEMPLATE = Path(__file__).parent / "printed.typ"

TYPESET_AT_ONCE = 1
"""In one worker: what a document takes is memory more than time."""


class TypesetDocuments:
    """Makes PDF of documents. One for each worker."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(TYPESET_AT_ONCE)

    async def typeset(self, document: PrintedDocument) -> bytes:
        """Return the document as PDF.

        Raises:
            DocumentTooLong
        """
        async with self._turn:
            return await asyncio.to_thread(typeset, document)


def typeset(document: PrintedDocument) -> bytes:
    """Return the document as PDF; takes the processor for some tens of milliseconds.

    Raises:
        DocumentTooLong
    """
    import typst  # not above: 9 MB that a worker does not take before it makes a document

    text = write_printed(document).decode()
    try:
        return _compile(document, text, ["ua-1"])
    except typst.TypstError as fault:
        if "PDF/UA-1 error" not in str(fault):
            raise
    return _compile(document, text, [])


@lru_cache(maxsize=1)
def _template() -> bytes:
    return TEMPLATE.read_bytes()


def _compile(document: PrintedDocument, text: str, standards: list[Literal["ua-1"]]) -> bytes:
    import typst

    # Its stubs ask for a type variable that nothing can fill in.
    return typst.compile(  # type: ignore[call-overload,no-any-return]
        _template(),
        format="pdf",
        ignore_system_fonts=True,  # another machine has others: the bytes would differ
        sys_inputs={"document": text},
        pdf_standards=standards,
        timestamp=document.made_at.astimezone(UTC).replace(microsecond=0),
    )
