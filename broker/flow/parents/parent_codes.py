"""A code of a school's letter to parents: how it is written, and how it rests.

Nine groups of three letters that can be read out, as `bad kof lim ...`: 90 random bits. The first
three groups find the row, the six others open it with our key:

    tag    = mac(register tag key, "schuilnaam/parent-code/v1", the first three groups)
    sealed = seal(expand_key(register seal key, "schuilnaam/parent-code-row/v1" || lp(all nine)),
             JSON of `LetterContent`, bound to tag)
    person = the tag of the pupil's own row (`derive_tag`)

The code itself stands nowhere but in the letter. A thief of the database sees how many letters a
batch has and how many were used; with all keys also whose a letter is, of pupils whose school
number he knows; and opens none, for 60 bits of each are missing to him. So neither can who runs the
broker use a code, or tell which parent came.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import msgspec

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.held_state.framing import UnreadableRecord, expand_key, mac, seal, unseal
from broker.flow.persons.person_records import Stored, as_root
from broker.flow.persons.register import RegisterKeys
from broker.pseudonyms.derivation import PersonRoot, lp

CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeio"
GROUPS, FINDING_GROUPS, GROUP_LETTERS = 9, 3, 3
MOST_USES_A_DAY = 3
_BAD_WORDS = frozenset(
    {
        *("dom", "fag", "gek", "hel", "kak", "nig", "pik", "pis"),
        *("pot", "rap", "rot", "tit", "zak", "vet", "lil", "let"),
    }
)
"""Groups that no letter to parents should hold."""


class CodeNotOpen(Refusal):
    """No such code, one of another form, expired, used up, withdrawn, or of a pupil who is gone.

    One answer for all: whoever tries codes learns nothing.
    """

    code = "E-ME-4"
    whose_task = WhoseTask.SCHOOL
    what = "This code opens nothing, or not any more."
    remedy = "Look whether you copied it well. Else ask the school for a new letter."
    http_status = 403


class TooManyCodes(Refusal):
    """Ten tries with codes that begin alike within an hour, right or wrong."""

    code = "E-ME-5"
    whose_task = WhoseTask.PUPIL
    what = "This code was tried too often within a short time."
    remedy = "Wait an hour, and copy the code from the letter with care."
    http_status = 429


@dataclass(frozen=True, slots=True)
class ParentCode:
    """A code as it stands in a letter: 27 letters."""

    letters: str = field(repr=False)

    @property
    def finding(self) -> str:
        """Return the part that finds the row."""
        return self.letters[: FINDING_GROUPS * GROUP_LETTERS]

    @property
    def groups(self) -> tuple[str, ...]:
        """Return it in groups, to be read out."""
        starts = range(0, len(self.letters), GROUP_LETTERS)
        return tuple(self.letters[each : each + GROUP_LETTERS] for each in starts)


class LetterContent(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the row of a code holds once opened.

    Attributes:
        local: root of the pupil's number at that school.
        household: 1 or 2.
        account: root that the number opened when the code was first used; None before. A number
            that is issued anew opens another one, and the letter was not written for that pupil.
    """

    school: SchoolId
    local: bytes
    household: int
    account: bytes | None = None


@dataclass(frozen=True, slots=True)
class NewLetter:
    """A row to store."""

    tag: bytes = field(repr=False)
    person: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    school: SchoolId
    batch: str
    household: int
    issued_on: date
    last_day: date
    once: bool


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A row as it rests.

    Attributes:
        uses: how often somebody got in by it.
        used_on: the last day of these, None before.
    """

    tag: bytes = field(repr=False)
    person: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    school: SchoolId
    batch: str
    household: int
    issued_on: date
    last_day: date
    once: bool
    withdrawn: bool
    uses: int
    used_on: date | None

    def is_open(self, today: date) -> bool:
        """Tell whether it can be used, as far as its row says."""
        used_up = self.once and self.uses > 0
        return not self.withdrawn and not used_up and today <= self.last_day


@dataclass(frozen=True, slots=True)
class LetterBatch:
    """Letters that were made together."""

    id: str
    issued_on: date
    last_day: date
    letters: int
    used: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class ParentRules:
    """What a school decided about parents.

    Attributes:
        hidden: suppliers of which parents see nothing, as of counselling.
        pupils_see: pupils see at `/me` that letters were made, and how often they were used.
    """

    hidden: frozenset[SupplierId] = frozenset()
    pupils_see: bool = True


class LetterBook(Protocol):
    """Where letters rest. Every method may raise `RegisterUnavailable`."""

    async def add(self, letters: Sequence[NewLetter]) -> Collection[bytes]:
        """Store letters durably; return the tags of those that were not, as theirs is taken."""
        ...

    def find(self, tag: bytes) -> StoredLetter | None:
        """Return a letter."""
        ...

    async def use(self, letter: StoredLetter, *, sealed: bytes, today: date, most: int) -> bool:
        """Count a use, durably; False when it may not be used (any more) or changed meanwhile.

        Args:
            sealed: to put in place.
            most: uses on one day.
        """
        ...

    def of_persons(self, persons: Sequence[bytes]) -> Sequence[StoredLetter]:
        """Return the letters about these pupils, the newest first."""
        ...

    def batches(self, school: SchoolId) -> Sequence[LetterBatch]:
        """Return the batches of a school, the newest first."""
        ...

    async def withdraw(
        self,
        school: SchoolId,
        *,
        batch: str = "",
        persons: Sequence[bytes] = (),
        household: int = 0,
    ) -> int:
        """Let letters of a batch, or about these pupils, open nothing any more; return how many.

        Args:
            household: of that one alone; 0: of all.
        """
        ...

    async def exclude(
        self, school: SchoolId, persons: Sequence[bytes], *, household: int, on: bool
    ) -> None:
        """Let nobody make letters about these pupils, or for one household; or again."""
        ...

    def excluded(self, persons: Sequence[bytes]) -> Mapping[bytes, Collection[int]]:
        """Return which households of which of these pupils are excluded; 0 is all."""
        ...

    def rules(self, school: SchoolId) -> ParentRules:
        """Return what a school decided."""
        ...

    async def set_rules(self, school: SchoolId, rules: ParentRules) -> None:
        """Put rules in force."""
        ...


def make_code(random: Callable[[int], bytes]) -> ParentCode:
    """Return a new code.

    >>> from itertools import count
    >>> numbers = count()
    >>> code = make_code(lambda size: bytes(next(numbers) % 256 for _ in range(size)))
    >>> code.groups[:3]
    ('bad', 'haj', 'kal')
    """
    groups: list[str] = []
    while len(groups) < GROUPS:
        first, second = random(2)
        group = CONSONANTS[first & 15] + VOWELS[first >> 4 & 3] + CONSONANTS[second & 15]
        if group not in _BAD_WORDS:
            groups.append(group)
    return ParentCode("".join(groups))


def parse_code(unverified: str) -> ParentCode:
    """Return a code as somebody typed it: capitals, blanks, dots and dashes make no difference.

    Raises:
        CodeNotOpen: it is none of ours.
    """
    letters = "".join(each for each in unverified.lower() if each not in " .-\u00a0\t\r\n")
    right = len(letters) == GROUPS * GROUP_LETTERS and all(
        each in (VOWELS if index % GROUP_LETTERS == 1 else CONSONANTS)
        for index, each in enumerate(letters)
    )
    if not right:
        raise CodeNotOpen("check_code_form")
    return ParentCode(letters)


def tag_of(keys: RegisterKeys, code: ParentCode) -> bytes:
    """Return where the row of a code is found: 32 bytes."""
    return mac(keys.tag, b"schuilnaam/parent-code/v1", code.finding)


def seal_letter(
    content: LetterContent, *, code: ParentCode, keys: RegisterKeys, nonce: bytes
) -> bytes:
    """Return what the row of a code holds as it will rest."""
    return seal(_key_of(keys, code), content, nonce=nonce, bound_to=tag_of(keys, code))


def open_letter(sealed: bytes, *, code: ParentCode, keys: RegisterKeys) -> LetterContent:
    """Return what the row of a code holds.

    Raises:
        CodeNotOpen: another code, or changed.
    """
    try:
        plain = unseal(_key_of(keys, code), sealed, bound_to=tag_of(keys, code))
    except UnreadableRecord:
        raise CodeNotOpen("check_code_opens") from None
    return msgspec.json.decode(plain, type=LetterContent)


def pupil_of(content: LetterContent) -> PersonRoot:
    """Return the root of the pupil's number."""
    return as_root(content.local)


def _key_of(keys: RegisterKeys, code: ParentCode) -> bytes:
    return expand_key(keys.seal, b"schuilnaam/parent-code-row/v1" + lp(code.letters))
