"""Pages for people: one typed record per page; `rendering` makes HTML of them.

What a page needs comes in as a record; nothing is looked up here, and no HTTP is known. Every text
that did not come from us (names of schools and suppliers, names of attributes) is escaped and
isolated, so that neither markup nor a change of reading direction reaches the page around it.
The pages hold no inline script or style: a Content-Security-Policy of `default-src 'none';
script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'` fits all of them
(`form-action` is the caller's, for it knows where an answer leads).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol
from urllib.parse import urlencode

from broker.domain.refusals import WhoseTask
from broker.web.attribute_words import LINKABLE_ATTRIBUTES, TELLING_ATTRIBUTES
from broker.web.school_choice import SchoolChoice
from broker.web.texts import DEFAULT_LANGUAGE, Language, MessageText

MAX_SCHOOLS_SHOWN = 20
"""More than this is a list that nobody reads; the chooser then asks to search."""

LANGUAGE_PARAMETER = "lang"

REFERENCE_GROUP_CHARACTERS = 4
"""A reference is read out in groups of this length."""


class Theme(StrEnum):
    """A set of colours in the style sheet; a page cannot bring its own under our CSP."""

    PLUM = "plum"
    OCEAN = "ocean"
    FOREST = "forest"
    BERRY = "berry"
    AMBER = "amber"
    SLATE = "slate"


@dataclass(frozen=True, slots=True)
class Brand:
    """Whose page this is; the demo's parties bring their own."""

    name: str
    theme: Theme = Theme.PLUM


SCHUILNAAM = Brand("Schuilnaam")


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """Where to find this same page in another language."""

    language: Language
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around every page.

    Attributes:
        language_links: empty when the page cannot be asked for again (an answer to a POST).
    """

    language: Language = DEFAULT_LANGUAGE
    language_links: tuple[LanguageLink, ...] = ()
    brand: Brand = SCHUILNAAM


@dataclass(frozen=True, slots=True)
class Link:
    """A link away from the page, to an address that is registered with us.

    What somebody opened, and our answer to who asked, may stand behind that address.
    """

    url: str = field(repr=False)
    name: str = ""


class Page(Protocol):
    """Any record that names its template; the demo's parties define their own."""

    @property
    def template(self) -> str:
        """Return the file name of the template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooserPage:
    """Which school is yours?

    Attributes:
        login: handle of the pending login; empty when opened without one.
        supplier_name: where the login leads; empty when opened without one.
        query: what was searched for; empty at first.
        schools: those to show, at most `MAX_SCHOOLS_SHOWN`, best first.
        found_count: how many match `query`, or can be chosen at all when it is empty.
        remembered: the school chosen last time in this browser.
        has_logins: whether that school has several logins to choose from.
    """

    template: ClassVar[str] = "chooser.html"
    login: str = field(default="", repr=False)
    csrf: str = field(repr=False)
    supplier_name: str = ""
    query: str = field(default="", repr=False)
    schools: tuple[SchoolChoice, ...]
    found_count: int
    remembered: SchoolChoice | None = None
    has_logins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the supplier receives, by names of attributes; the pseudonym is always among it."""

    shared: tuple[str, ...]

    @property
    def not_shared(self) -> tuple[str, ...]:
        """Return the telling attributes that stay at school."""
        return tuple(each for each in TELLING_ATTRIBUTES if each not in self.shared)

    @property
    def is_linkable(self) -> bool:
        """Tell whether suppliers could recognise the pupil between them by what is shared."""
        return not LINKABLE_ATTRIBUTES.isdisjoint(self.shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class WelcomePage:
    """Between school and supplier: who you are on a shared device, and what is shared.

    Attributes:
        first_name: shown, never kept; empty when the login did not state it.
        notice: None when the agreement asks for none or this version was shown before.
        may_switch: on shared devices, offers "that is not me".
    """

    template: ClassVar[str] = "welcome.html"
    login: str = field(repr=False)
    csrf: str = field(repr=False)
    school_name: str
    supplier_name: str
    first_name: str = field(default="", repr=False)
    notice: Notice | None = None
    may_switch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverPage:
    """Passes a protocol message on by POST: one form, sent by script or by its button."""

    template: ClassVar[str] = "handover.html"
    action: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    destination_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The form that tries again at one school, in the same pending login."""

    login: str = field(repr=False)
    csrf: str = field(repr=False)
    school: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalPage:
    """What happened, whose task it is, and what to do.

    Attributes:
        what, remedy: message ids of the refusal; may hold `{subject}`.
        subject: canonical name of an attribute, or a name from the registry; may be empty.
        reference: 8 speakable characters that find the event.
        way_back: the relying party's registered start page.
        may_log_out: offers our own page of logging out.
    """

    template: ClassVar[str] = "refusal.html"
    code: str
    reference: str
    whose_task: WhoseTask
    what: str
    remedy: str
    subject: str = ""
    retry: Retry | None = None
    way_back: Link | None = None
    may_log_out: bool = False

    @property
    def reference_groups(self) -> tuple[str, ...]:
        """Return the reference in groups that can be read out."""
        return group_reference(self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyPage:
    """There is no time to do anything: come back in a moment.

    Attributes:
        what, remedy: message ids.
    """

    template: ClassVar[str] = "busy.html"
    code: str
    reference: str
    what: str
    remedy: str

    @property
    def reference_groups(self) -> tuple[str, ...]:
        """Return the reference in groups that can be read out."""
        return group_reference(self.reference)


def group_reference(reference: str) -> tuple[str, ...]:
    """Return a reference in groups that can be read out.

    >>> group_reference("befoheko")
    ('befo', 'heko')
    """
    step = REFERENCE_GROUP_CHARACTERS
    starts = range(0, len(reference), step)
    return tuple(reference[start : start + step] for start in starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTabPage:
    """We were opened inside another page, where no login can be trusted."""

    template: ClassVar[str] = "new_tab.html"
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """A calm page with a title and a few sentences (texts.py has them)."""

    template: ClassVar[str] = "message.html"
    text: MessageText
    link: Link | None = None


def build_language_links(
    path: str, query: Sequence[tuple[str, str]] = ()
) -> tuple[LanguageLink, ...]:
    """Return links to the same page in each language, keeping its other parameters.

    >>> [link.url for link in build_language_links("/schools", [("q", "vuur"), ("lang", "nl")])]
    ['/schools?q=vuur&lang=nl', '/schools?q=vuur&lang=en']
    """
    kept = [(name, value) for name, value in query if name != LANGUAGE_PARAMETER]
    return tuple(
        LanguageLink(each, f"{path}?{urlencode([*kept, (LANGUAGE_PARAMETER, each.value)])}")
        for each in Language
    )
