"""The pages on which a school makes letters for parents, and sees what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import ClassVar

import segno
from markupsafe import Markup

from broker.flow.parents.letters import Letter, LetterStanding
from broker.flow.parents.parent_codes import LetterBatch
from broker.web.console.pupils_pages import PupilsPlace, Trouble
from broker.web.texts import N_

STANDING_WORDS: Mapping[LetterStanding, str] = MappingProxyType(
    {
        LetterStanding.NEW: N_("Not used yet"),
        LetterStanding.USED: N_("Used"),
        LetterStanding.EXPIRED: N_("Over"),
        LetterStanding.WITHDRAWN: N_("Taken back"),
    }
)
DONE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "withdrawn": N_("The letters are taken back. They open nothing any more."),
        "excluded": N_("Their letters are taken back, and no new ones are made."),
        "allowed": N_("Letters can be made again."),
        "rules": N_("Saved. It holds from now on."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLine:
    """What became of the letters about one pupil of a list.

    Attributes:
        letters: household, words, uses and last use of each.
    """

    number: str = field(repr=False)
    letters: tuple[tuple[int, str, int, date | None], ...]
    is_excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersPage:
    """Letters of a school.

    Attributes:
        form: random; a form that is sent twice makes letters once.
        found: None unless a list was looked up.
        done: a message id, or "".
        suppliers: id and name of those that can be hidden.
    """

    template: ClassVar[str] = "console/letters.html"
    place: PupilsPlace
    form: str = field(repr=False)
    last_day: str
    batches: tuple[LetterBatch, ...]
    suppliers: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    pupils_see: bool
    found: tuple[LetterLine, ...] | None = None
    trouble: Trouble | None = None
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedLetter:
    """One letter, on a page of its own."""

    name: str = field(repr=False)
    group: str = field(repr=False)
    number: str = field(repr=False)
    household: int
    groups: tuple[str, ...] = field(repr=False)
    picture: Markup = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersMadePage:
    """Letters to print now; they are shown once."""

    template: ClassVar[str] = "console/letters_made.html"
    place: PupilsPlace
    address: str
    letters: tuple[PrintedLetter, ...] = field(repr=False)
    left_out: int
    last_day: date
    once: bool
    has_households: bool


def print_letter(letter: Letter, *, address: str) -> PrintedLetter:
    """Return a letter with its picture: the code stands behind `#`, which no server sees."""
    link = f"{address}#{'-'.join(letter.code.groups)}"
    picture = segno.make(link, error="m", micro=False).svg_inline(scale=4, border=2)
    return PrintedLetter(
        name=letter.pupil.name,
        group=letter.pupil.group,
        number=letter.pupil.number,
        household=letter.household,
        groups=letter.code.groups,
        picture=Markup(picture),  # noqa: S704 -- of our own address and letters alone
    )
