"""A secret in shares of words: SLIP-39, by `shamir_mnemonic`, which is imported here alone.

Any `threshold` of the shares give the secret back; fewer tell nothing about it. The words of a
share hold the id of its ceremony, its number, how many are needed, and three words of check
(RS1024): up to three mistyped words are always noticed, and one alone is found.

The library is the reference implementation. It says of itself that its arithmetic takes a time that
depends on the secret, which somebody who measures on the same machine could read. So what is split
is a secret that serves once and opens one bundle, on a machine on which nobody else works
(keys/README.md), and never a key itself. Its own errors repeat words: none of them gets out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics, rs1024
from shamir_mnemonic.constants import (
    CUSTOMIZATION_STRING_EXTENDABLE,
    CUSTOMIZATION_STRING_ORIG,
    MAX_SHARE_COUNT,
    RADIX,
)
from shamir_mnemonic.wordlist import WORD_INDEX_MAP

from broker.adapters.keys.key_files import KeyProblem

SECRET_BYTES = 32
WORDS_OF_A_SHARE = 33  # SLIP-39: 7 words of framing and check, 26 for 256 bits
SHARES_MAX = MAX_SHARE_COUNT  # 16

_EXTENDABLE_BIT = 1 << 4  # of the second word


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One share, as its words tell it.

    Attributes:
        ceremony: SLIP-39's identifier, 4 hexadecimal digits; random, the same on all shares.
        number: from 1.
        threshold: how many shares are needed.
    """

    ceremony: str
    number: int
    threshold: int
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlacedShare:
    """A share, and what to call it in what is told: its file, or `typed share 2`."""

    place: Path
    share: KeyShare


def split_secret(secret: bytes, *, shares: int, threshold: int) -> list[KeyShare]:
    """Return the shares of a secret of 32 bytes, by number.

    Raises:
        ValueError: not 1 <= threshold <= shares <= 16, or several shares of which one is enough:
            that would be copies, not shares.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret is {SECRET_BYTES} bytes")
    if not 1 <= threshold <= shares <= SHARES_MAX or (threshold == 1 and shares > 1):
        raise ValueError("so many shares cannot be made")
    # No passphrase, so no iterations: the secret is random and long.
    (group,) = generate_mnemonics(1, [(threshold, shares)], secret, iteration_exponent=0)
    return [_read_framing(tuple(mnemonic.split())) for mnemonic in group]


def read_share(words: Sequence[str], *, place: Path) -> KeyShare:
    """Return the share in words that somebody typed or read from a file.

    Raises:
        KeyProblem: mistyped, which word if that can be told; never the word itself.
    """
    typed = tuple(each.lower() for each in words)
    unknown = [number for number, each in enumerate(typed, 1) if each not in WORD_INDEX_MAP]
    if unknown:
        raise KeyProblem(place, f"{_say_words(unknown)} not in the list of words", _LOOK_AGAIN)
    if len(typed) != WORDS_OF_A_SHARE:
        raise KeyProblem(
            place, f"has {len(typed)} words instead of {WORDS_OF_A_SHARE}", _LOOK_AGAIN
        )
    indices = [WORD_INDEX_MAP[each] for each in typed]
    if not _check_holds(indices):
        suspect = _find_mistyped(indices)
        told = "two or more words are mistyped" if suspect is None else f"word {suspect} is wrong"
        raise KeyProblem(place, told, _LOOK_AGAIN)
    share = _try_framing(typed)
    if share is None:
        raise KeyProblem(place, "holds words of another use", "take a share of this broker's keys")
    return share


def combine_shares(placed: Sequence[PlacedShare]) -> bytes:
    """Return the secret of 32 bytes that these shares hold.

    Raises:
        KeyProblem: of two ceremonies, one twice, too few, or not made together.
    """
    for check in (check_any_share, check_one_ceremony, check_no_share_twice, check_enough_shares):
        check(placed)
    threshold = placed[0].share.threshold
    secret = _combine(placed[:threshold])
    for spare in placed[threshold:]:  # one that was not needed must not be told to be good unseen
        if _combine([*placed[: threshold - 1], spare]) != secret:
            raise _not_made_together(spare.place)
    return secret


def _combine(needed: Sequence[PlacedShare]) -> bytes:
    try:
        secret: bytes = combine_mnemonics(" ".join(each.share.words) for each in needed)
    except MnemonicError:
        secret = b""  # refused below: the library's own error stays behind
    if len(secret) != SECRET_BYTES:
        raise _not_made_together(needed[-1].place)
    return secret


def _not_made_together(place: Path) -> KeyProblem:
    return KeyProblem(
        place,
        "does not belong to the others, although its ceremony has the same id",
        "take shares of the same day",
    )


def check_any_share(placed: Sequence[PlacedShare]) -> None:
    """Hold that there is a share at all."""
    if not placed:
        raise KeyProblem(Path("shares"), "were not given", "name them with --share, or add --typed")


def check_one_ceremony(placed: Sequence[PlacedShare]) -> None:
    """Hold that all shares were made together."""
    first = placed[0].share
    for place, share in ((each.place, each.share) for each in placed):
        if (share.ceremony, share.threshold) != (first.ceremony, first.threshold):
            raise KeyProblem(
                place,
                f"is of ceremony {share.ceremony}, and {placed[0].place} of {first.ceremony}",
                "take shares of one ceremony",
            )


def check_no_share_twice(placed: Sequence[PlacedShare]) -> None:
    """Hold that no share was given twice: it counts once."""
    seen: dict[int, Path] = {}
    for each in placed:
        if each.share.number in seen:
            raise KeyProblem(
                each.place,
                f"is share {each.share.number}, as {seen[each.share.number]} is",
                "take another share",
            )
        seen[each.share.number] = each.place


def check_enough_shares(placed: Sequence[PlacedShare]) -> None:
    """Hold that there are as many shares as are needed."""
    needed = placed[0].share.threshold
    if len(placed) < needed:
        raise KeyProblem(
            placed[-1].place,
            f"is one of {len(placed)} {'share' if len(placed) == 1 else 'shares'}, and "
            f"{needed} are needed",
            "add shares of this ceremony",
        )


_LOOK_AGAIN = "compare it with the paper, word by word"


def _say_words(numbers: Sequence[int]) -> str:
    told = ", ".join(map(str, numbers))
    return f"word {told} is" if len(numbers) == 1 else f"words {told} are"


def _check_holds(indices: Sequence[int]) -> bool:
    extendable = bool(indices[1] & _EXTENDABLE_BIT)
    label = CUSTOMIZATION_STRING_EXTENDABLE if extendable else CUSTOMIZATION_STRING_ORIG
    return bool(rs1024.verify_checksum(indices, label))


def _find_mistyped(indices: Sequence[int]) -> int | None:
    """Return the number of the one word with which the check would hold; a second's work.

    There is at most one, since two shares differ in at least four words. Which word it should be
    is not told: what was corrected unseen would be believed.
    """
    for position in range(len(indices)):
        tried = list(indices)
        for index in range(RADIX):
            tried[position] = index
            if _check_holds(tried):
                return position + 1
    return None


def _try_framing(words: tuple[str, ...]) -> KeyShare | None:
    try:
        return _read_framing(words)
    except MnemonicError:
        return None


def _read_framing(words: tuple[str, ...]) -> KeyShare:
    share = Share.from_mnemonic(" ".join(words))
    return KeyShare(
        ceremony=f"{share.identifier:04x}",
        number=share.index + 1,
        threshold=share.member_threshold,
        words=words,
    )
