"""A share as a text that people print and keep apart.

    Schuilnaam: one share of the keys

    share: 2 of 5
    needed: 3
    ceremony: 4f3a of 2026-11-27
    bundle: 1a2b 3c4d 5e6f 7081 92a3 b4c5 d6e7 f809

     1 academic     2 acid         3 acne        ...

Nothing else stands there: neither for what, nor where the bundle and the other shares are. Whoever
types one back may leave the numbers out.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from broker.adapters.keys.key_files import KeyProblem, read_safely
from broker.adapters.keys.key_shares import KeyShare, read_share

WORDS_IN_A_ROW = 3

_HEADING = re.compile(
    r"share: (?P<number>\d+) of (?P<shares>\d+)\n"
    r"needed: (?P<threshold>\d+)\n"
    r"ceremony: (?P<ceremony>[0-9a-f]{4}) of (?P<date>\d{4}-\d\d-\d\d)\n"
    r"bundle: (?P<fingerprint>[0-9a-f]{4}(?: [0-9a-f]{4}){7})\n"
)
_NUMBER_OF_WORD = re.compile(r"\d+[.:)]?")


@dataclass(frozen=True, slots=True)
class Ceremony:
    """When keys were backed up, and in how many shares.

    Attributes:
        id: 4 hexadecimal digits, random; the words of each share hold it too.
        date: `2026-11-27`, in UTC.
        shares: how many were made.
        threshold: how many of them are needed.
    """

    id: str
    date: str
    shares: int
    threshold: int


@dataclass(frozen=True, slots=True)
class ShareOnPaper:
    """A share with what its heading says.

    Attributes:
        fingerprint: of the bundle: `fingerprint_of`.
    """

    share: KeyShare
    ceremony: Ceremony
    fingerprint: str


def write_share(paper: ShareOnPaper) -> str:
    """Return the text of one share."""
    share, ceremony = paper.share, paper.ceremony
    return (
        "Schuilnaam: one share of the keys\n\n"
        f"share: {share.number} of {ceremony.shares}\n"
        f"needed: {ceremony.threshold}\n"
        f"ceremony: {ceremony.id} of {ceremony.date}\n"
        f"bundle: {paper.fingerprint}\n\n"
        f"{number_words(share.words)}"
    )


def number_words(words: Sequence[str]) -> str:
    """Return words in rows, each with its number."""
    cells = [f"{number:>2} {word:<10}" for number, word in enumerate(words, 1)]
    rows = [cells[at : at + WORDS_IN_A_ROW] for at in range(0, len(cells), WORDS_IN_A_ROW)]
    return "".join("  ".join(row).rstrip() + "\n" for row in rows)


def read_share_file(file: Path) -> ShareOnPaper:
    """Return the share in a file.

    Raises:
        KeyProblem: it cannot be read safely, is no share, or is mistyped.
    """
    content = read_safely(file, root=file.resolve().parent)
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
    heading = _HEADING.search(text)
    if heading is None:
        raise KeyProblem(
            file, "holds no share", "name a file that `broker keys backup` made, or add --typed"
        )
    share = read_share(split_words(text[heading.end() :]), place=file)
    ceremony = Ceremony(
        id=heading["ceremony"],
        date=heading["date"],
        shares=int(heading["shares"]),
        threshold=int(heading["threshold"]),
    )
    told = int(heading["number"]), ceremony.threshold, ceremony.id
    if told != (share.number, share.threshold, share.ceremony):
        raise KeyProblem(
            file, "has the heading of another share than its words", "take the share as it was made"
        )
    return ShareOnPaper(share, ceremony, heading["fingerprint"])


def split_words(text: str) -> list[str]:
    """Return the words in a text, without their numbers.

    >>> split_words("1 academic 2. acid\\n acne")
    ['academic', 'acid', 'acne']
    """
    return [each for each in text.split() if not _NUMBER_OF_WORD.fullmatch(each)]
