"""Letters to parents as a school makes them: from its list, and what became of each."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from broker.domain.federation import School
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.parents.parent_codes import ParentCode, StoredLetter

MAX_PUPILS = 2_000
"""Of one list: a large school, by year."""

LONGEST_DAYS = 400


class LettersNotPossible(Refusal):
    """No pupil in the list, too many, or a day that is past or too far away."""

    code = "E-ME-6"
    whose_task = WhoseTask.SCHOOL
    what = "No letters were made of this list."
    remedy = "Give a list of at most 2,000 numbers, and a last day within the next year."
    http_status = 422


class LettersMadeAlready(Refusal):
    """The same form twice: the first one made letters, which can be shown only once."""

    code = "E-ME-7"
    whose_task = WhoseTask.SCHOOL
    what = "These letters were made already, and they are shown once only."
    remedy = "Take that batch back and make new letters."
    http_status = 409


@dataclass(frozen=True, slots=True)
class ListedPupil:
    """One row of a school's list: a number, and what shall stand on the letter; kept nowhere."""

    number: str = field(repr=False)
    group: str = field(default="", repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LetterWish:
    """What letters are made.

    Attributes:
        households: 1 or 2 letters for each pupil.
        once: each opens once.
        form: that this wish came with; used once.
    """

    pupils: tuple[ListedPupil, ...] = field(repr=False)
    households: int
    last_day: date
    once: bool
    form: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to print; the only place where its code stands."""

    pupil: ListedPupil = field(repr=False)
    household: int
    code: ParentCode = field(repr=False)


@dataclass(frozen=True, slots=True)
class LettersMade:
    """Letters to print now, and how many were not made because somebody is excluded."""

    school: School
    letters: tuple[Letter, ...] = field(repr=False)
    left_out: int
    last_day: date
    once: bool


class LetterStanding(StrEnum):
    """What became of a letter."""

    NEW = "new"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PupilLetters:
    """What became of the letters about one pupil of the list; newest first.

    Attributes:
        excluded: households for which none are made; 0 for all.
    """

    pupil: ListedPupil = field(repr=False)
    letters: tuple[StoredLetter, ...] = field(repr=False)
    excluded: tuple[int, ...]


def standing_of(letter: StoredLetter, today: date) -> LetterStanding:
    """Return what became of a letter."""
    if letter.withdrawn:
        return LetterStanding.WITHDRAWN
    if letter.once and letter.uses:
        return LetterStanding.USED
    if today > letter.last_day:
        return LetterStanding.EXPIRED
    return LetterStanding.USED if letter.uses else LetterStanding.NEW
