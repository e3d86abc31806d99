"""Pages on which a supplier's people write, publish and look back on their service sheet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from broker.web.console.sheet_change_words import ShownChange, ShownProblem
from broker.web.console.sheet_words import ShownSheet

STEPS = ("service", "asks", "terms", "preview", "publish")
"""In which order one goes through a draft; each is the end of its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPlace:
    """Whose sheet a page is about, and what its forms carry.

    Attributes:
        url: of the supplier's first page of its sheet.
        version: in force; 0 while none was published.
        revision, based_on: see `FormBasis`.
    """

    url: str
    supplier_name: str
    version: int
    revision: int
    based_on: int
    may_edit: bool = True

    @property
    def basis(self) -> tuple[tuple[str, str], ...]:
        """Return the hidden fields by which a stale form is seen."""
        return (("revision", str(self.revision)), ("based_on", str(self.based_on)))


@dataclass(frozen=True, slots=True)
class ShownForm:
    """What the fields of a form hold, and what is wrong with them.

    Attributes:
        values: by name; several of a group of boxes.
        errors: pairs of a field's name and a message id.
        others: what somebody else changed meanwhile; None: nobody did.
    """

    values: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    errors: tuple[tuple[str, str], ...] = ()
    others: tuple[ShownChange, ...] | None = None

    def value(self, name: str) -> str:
        """Return what a field holds, or ""."""
        return self.chosen(name)[0] if self.chosen(name) else ""

    def chosen(self, name: str) -> tuple[str, ...]:
        """Return which boxes of a group are ticked."""
        return self.values.get(name, ())

    def error(self, name: str) -> str:
        """Return the message id of what is wrong with a field, or ""."""
        return next((words for each, words in self.errors if each == name), "")


Options = tuple[tuple[str, str], ...]
"""Pairs of value and message id."""


@dataclass(frozen=True, slots=True)
class ListedSheet:
    """One supplier on the list."""

    url: str
    name: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetListPage:
    """The suppliers whose sheet somebody may see."""

    template: ClassVar[str] = "console/sheet_list.html"
    listed: tuple[ListedSheet, ...]
    query: str = field(repr=False)
    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetHomePage:
    """Where a supplier's sheet stands.

    Attributes:
        published_on, changed_on: ISO days, or "".
        changes: how much the draft changes.
    """

    template: ClassVar[str] = "console/sheet_home.html"
    place: SheetPlace
    published_on: str
    has_draft: bool
    is_overtaken: bool
    changed_on: str
    changes: int
    problems: tuple[ShownProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """First step: what the service is and what it is for."""

    template: ClassVar[str] = "console/sheet_service.html"
    place: SheetPlace
    form: ShownForm
    categories: Options
    languages: Options
    purposes: int
    longest: int


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One attribute on the list of what is asked; `words` and `of` are message ids."""

    name: str
    words: str
    of: str
    required: bool
    lacks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AsksPage:
    """Second step: what is asked of whom."""

    template: ClassVar[str] = "console/sheet_asks.html"
    place: SheetPlace
    asked: tuple[AskedRow, ...]
    can_add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributePage:
    """One attribute of the second step.

    Attributes:
        name: canonical; "" for one that is added, then `names` are to choose from.
        words: message id.
    """

    template: ClassVar[str] = "console/sheet_attribute.html"
    place: SheetPlace
    form: ShownForm
    name: str
    words: str
    names: Options
    longest_reason: int
    longest: int


@dataclass(frozen=True, slots=True)
class SubProcessorRow:
    """One company on the list; `country` is a message id."""

    number: int
    name: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsPage:
    """Third step: agreement, sub-processors, countries, retention, contacts."""

    template: ClassVar[str] = "console/sheet_terms.html"
    place: SheetPlace
    form: ShownForm
    models: Options
    countries_inside: Options
    countries_outside: Options
    contacts: Options
    sub_processors: tuple[SubProcessorRow, ...]
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubProcessorPage:
    """One company of the third step; `number` is -1 for one that is added."""

    template: ClassVar[str] = "console/sheet_sub_processor.html"
    place: SheetPlace
    form: ShownForm
    number: int
    countries: Options
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePage:
    """Asks whether something is to go.

    Attributes:
        what: a message id or a name; "" for the whole draft.
        action: where the form leads.
        fields: beside the basis.
    """

    template: ClassVar[str] = "console/sheet_remove.html"
    place: SheetPlace
    what: str
    action: str
    back: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """Fourth step: the draft as a school would read it."""

    template: ClassVar[str] = "console/sheet_preview.html"
    place: SheetPlace
    sheet: ShownSheet
    problems: tuple[ShownProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPage:
    """Last step: what a new version changes, and the button.

    Attributes:
        asks_more: waits until schools decide; `asks_less` and `to_read` need no decision.
        others: what somebody else changed meanwhile; None: nobody did.
        why: of the federation's refusal, in its words.
    """

    template: ClassVar[str] = "console/sheet_publish.html"
    place: SheetPlace
    is_overtaken: bool
    problems: tuple[ShownProblem, ...]
    asks_more: tuple[ShownChange, ...]
    asks_less: tuple[ShownChange, ...]
    to_read: tuple[ShownChange, ...]
    has_draft: bool
    others: tuple[ShownChange, ...] | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version on the list; `published_on` is an ISO day."""

    version: int
    published_on: str
    asks_more: int
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """All versions that were published."""

    template: ClassVar[str] = "console/sheet_history.html"
    place: SheetPlace
    versions: tuple[VersionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """One version: what it changed, and all of it."""

    template: ClassVar[str] = "console/sheet_version.html"
    place: SheetPlace
    sheet: ShownSheet
    changes: tuple[ShownChange, ...]
    is_first: bool
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class SignedRow:
    """One agreement; `standing` is a message id, `tone` that of its tag; days are ISO days."""

    signer: str
    is_board: bool
    version: int
    first_day: str
    last_day: str
    standing: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPage:
    """Who signed which version.

    Attributes:
        counts: pairs of version and agreements in force on it, the newest first.
    """

    template: ClassVar[str] = "console/sheet_signed.html"
    place: SheetPlace
    counts: tuple[tuple[int, int], ...]
    rows: tuple[SignedRow, ...]
    query: str = field(repr=False)
    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""
