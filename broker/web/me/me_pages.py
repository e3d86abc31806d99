"""The pages of `/me`: one typed record each; kin to those of `broker.web.pages`.

Written for a child of ten: short sentences, pictures, nothing to know beforehand. "You" is the
pupil; a parent reads at the top that it means the child.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

from broker.web.attribute_words import LINKABLE_ATTRIBUTES, TELLING_ATTRIBUTES
from broker.web.login_pages import LoginChoice
from broker.web.school_choice import SchoolChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class MeBeginPage:
    """Before somebody logged in: what one can see here, and which school is yours?

    Attributes:
        was_open: a session of this browser has just ended.
        schools: those to show, at most `MAX_SCHOOLS_SHOWN`, best first.
    """

    template: ClassVar[str] = "me/begin.html"
    csrf: str = field(repr=False)
    query: str = field(default="", repr=False)
    schools: tuple[SchoolChoice, ...]
    found_count: int
    remembered: SchoolChoice | None = None
    was_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeLoginsPage:
    """By which login of your school?"""

    template: ClassVar[str] = "me/logins.html"
    csrf: str = field(repr=False)
    school: str
    school_name: str
    choices: tuple[LoginChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """One day at a supplier.

    Attributes:
        times: as the clock on the wall showed them.
    """

    day: date
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """From a day on a supplier was told more or less."""

    day: date
    more: tuple[str, ...]
    less: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLink:
    """Where one reads what a decision said."""

    url: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierCard:
    """What one supplier was told.

    Attributes:
        id: of the heading.
        pseudonyms: by which it knows the person, the last one first.
        decisions: the last one first.
        ask_url: where one can object; "" while requests are not taken.
    """

    id: str
    name: str
    shared: tuple[str, ...]
    kept: tuple[str, ...]
    count: int
    last: datetime
    days: tuple[DayRow, ...] = field(repr=False)
    changes: tuple[ChangeRow, ...]
    pseudonyms: tuple[str, ...] = field(repr=False)
    decisions: tuple[DecisionLink, ...]
    without_name: bool = False
    ask_url: str = ""

    @property
    def is_linkable(self) -> bool:
        """Tell whether suppliers could recognise the pupil between them by what is shared."""
        return not LINKABLE_ATTRIBUTES.isdisjoint(self.shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearLink:
    """One school year: 2026 is 2026-2027."""

    year: int
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request of the person who looks.

    Attributes:
        kind, standing, grounds: message ids; no grounds: "".
        supplier_name: "" for all, or the school itself.
        attribute: "" for all.
        days_left: None when it is decided; below zero the school is late.
        blocks: until it is decided no login goes there.
    """

    id: str
    kind: str
    supplier_name: str
    attribute: str
    filed_on: date
    deadline: date
    days_left: int | None
    standing: str
    tag: str
    grounds: str
    blocks: bool
    by_parent: bool
    may_withdraw: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRow:
    """A letter that a parent got about the pupil.

    Attributes:
        used_on: the last time that somebody looked with it; None: never.
    """

    issued_on: date
    uses: int
    used_on: date | None
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MePage:
    """What was shared of somebody in one school year.

    Attributes:
        first_name: to be greeted by; "" for a parent.
        years: none for who was never seen.
        minutes: until the page closes.
        csrf: of every form on it.
    """

    template: ClassVar[str] = "me/overview.html"
    csrf: str = field(repr=False)
    school: str
    school_name: str
    first_name: str = field(repr=False)
    is_parent: bool
    minutes: int
    year: int
    years: tuple[YearLink, ...]
    cards: tuple[SupplierCard, ...] = field(repr=False)
    unreadable: int
    requests: tuple[RequestRow, ...] = ()
    letters: tuple[LetterRow, ...] = ()

    @property
    def nobody_got(self) -> tuple[str, ...]:
        """Return the telling attributes that no supplier on the page got."""
        got = {name for each in self.cards for name in each.shared}
        for each in self.cards:
            got.update(name for change in each.changes for name in (*change.more, *change.less))
        return tuple(each for each in TELLING_ATTRIBUTES if each not in got)

    @property
    def news(self) -> tuple[tuple[str, ChangeRow], ...]:
        """Return supplier and change of each change in this year, the last one first."""
        found = [(each.name, change) for each in self.cards for change in each.changes]
        return tuple(sorted(found, key=lambda each: each[1].day, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """What a decision of the school said.

    Attributes:
        approved: attribute and the supplier's reason, or "" where it states none any more.
        by_board: the board decided, for all its schools.
    """

    template: ClassVar[str] = "me/decision.html"
    csrf: str = field(repr=False)
    school_name: str
    supplier_name: str
    version: int
    first_day: date
    last_day: date | None
    approved: tuple[tuple[str, str], ...]
    by_board: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentPage:
    """Which code stands in the letter?

    Attributes:
        what, remedy: message ids, when the code before opened nothing; else "".
    """

    template: ClassVar[str] = "me/parent.html"
    csrf: str = field(repr=False)
    what: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeClosedPage:
    """Somebody left: nothing is shown any more."""

    template: ClassVar[str] = "me/closed.html"
