"""The pages of registers."""

from dataclasses import dataclass, field
from typing import ClassVar

from broker.web.console.insight_pages import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistersPage:
    """Which register?

    Attributes:
        schools, suppliers: those of who asks.
        finds: whether any school and supplier may be named by its id.
        kinds: address and words of each register of a school; `of_supplier` and `of_all` likewise.
    """

    template: ClassVar[str] = "console/register_choice.html"
    schools: tuple[Option, ...]
    suppliers: tuple[Option, ...]
    finds: bool
    kinds: tuple[Option, ...]
    of_supplier: tuple[Option, ...]
    of_all: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPage:
    """One register, a part of its rows; texts are in the reader's language already.

    Attributes:
        first, last, total: which rows; counted from 1.
        csv_url, pdf_url: "" for none: a file that nobody could print.
    """

    template: ClassVar[str] = "console/register.html"
    title: str
    place: str
    notes: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""
    csv_url: str
    pdf_url: str
