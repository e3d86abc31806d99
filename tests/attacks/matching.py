"""A program that pools what two suppliers received about the same class and tries to match it.

It is given everything but the moment and order of arrival, which reach suppliers without us. It
reads values as text and as the bytes that they encode, and tries, one after another:

- what two records share, rare things counting most: whole values, and pieces of them;
- order: for each pair of fields, that both sides are sorted alike, within equal attributes;
- one relation for all: that the same exclusive-or leads from one side's ids to the other's.

The best guess counts. Nobody can do better by chance than one correct pair, on average, for each
group of records with equal released attributes (the fixed points of a random permutation).
"""

import base64
import binascii
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, product

Record = Mapping[str, str]
"""What one supplier received about one pupil: flat, by place."""

Matching = dict[int, int]
"""Number of a record of one side -> number of a record of the other."""

PIECE_CHARS = 7  # text; long enough that random ids share none by chance
PIECE_BYTES = 5
TOO_COMMON = 50_000  # pairs that share it: tells nothing, costs much
RARE = 1e-6


def chance_bound(groups: int, *, guesses: int) -> int:
    """Return the number of correct pairs that the best of many guesses reaches by chance.

    The fixed points of random permutations of `groups` groups are Poisson distributed with mean
    `groups`. With `guesses` methods, all of them together stay below the returned number but in
    one class of a million (union bound).

    >>> chance_bound(40, guesses=1), chance_bound(40, guesses=500)
    (74, 83)
    """
    below, term, count = 0.0, math.exp(-groups), 0
    while guesses * (1 - below) > RARE:
        below += term
        count += 1
        term *= groups / count
    return count


def every_guess(
    ours: Sequence[Record], theirs: Sequence[Record], *, released: Sequence[str]
) -> Iterator[tuple[str, Matching]]:
    """Yield each method's name and the matching that it makes.

    Args:
        released: attributes that both received under the same name.
    """
    yield "shared values", match_by_shared(ours, theirs)
    for our_field, their_field in product(telling_fields(ours), telling_fields(theirs)):
        yield (
            f"order of {our_field} and {their_field}",
            match_by_rank(ours, theirs, (our_field, their_field), released=released),
        )
    yield "one exclusive-or", match_by_relation(ours, theirs)


def telling_fields(side: Sequence[Record]) -> list[str]:
    """Return the fields that differ from record to record."""
    names = sorted(set().union(*side))
    return [name for name in names if len({each.get(name) for each in side}) > 1]


def pieces_of(record: Record, fields: Sequence[str]) -> set[bytes]:
    """Return all by which these fields could resemble another record's."""
    found: set[bytes] = set()
    for value in (record.get(field, "") for field in fields):
        text = value.encode()
        found.add(text)
        found |= {text[at : at + PIECE_CHARS] for at in range(len(text) - PIECE_CHARS + 1)}
        for decoded in decodings_of(value):
            found |= {
                b"\0" + decoded[at : at + PIECE_BYTES]
                for at in range(len(decoded) - PIECE_BYTES + 1)
            }
    return found


def decodings_of(value: str) -> Iterator[bytes]:
    """Yield the bytes that an id may encode: hex, base64url, or a pseudonym's base32."""
    text = value.lstrip("_")
    padded = text + "=" * (-len(text) % 4)
    for decode, encoded in (
        (bytes.fromhex, text),
        (base64.urlsafe_b64decode, padded),
        (lambda each: base64.b32decode(each.upper() + "=" * (-len(each) % 8)), text[1:]),
    ):
        try:
            yield decode(encoded)
        except (ValueError, binascii.Error):
            continue


def match_by_shared(ours: Sequence[Record], theirs: Sequence[Record]) -> Matching:
    """Give each record the one with which it shares most; what few share counts most."""
    holders: tuple[defaultdict[bytes, list[int]], ...] = (defaultdict(list), defaultdict(list))
    for side, held in zip((ours, theirs), holders, strict=True):
        fields = telling_fields(side)
        for number, record in enumerate(side):
            for piece in pieces_of(record, fields):
                held[piece].append(number)
    weights: Counter[tuple[int, int]] = Counter()
    for piece in holders[0].keys() & holders[1].keys():
        pairs = len(holders[0][piece]) * len(holders[1][piece])
        if pairs <= TOO_COMMON:
            for pair in product(holders[0][piece], holders[1][piece]):
                weights[pair] += 1 / pairs  # type: ignore[assignment]
    matching: Matching = {}
    taken: set[int] = set()
    for (our, their), _ in sorted(weights.items(), key=lambda each: (-each[1], each[0])):
        if our not in matching and their not in taken:
            matching[our] = their
            taken.add(their)
    return matching


def match_by_rank(
    ours: Sequence[Record],
    theirs: Sequence[Record],
    fields: tuple[str, str],
    *,
    released: Sequence[str],
) -> Matching:
    """Sort both sides by a field each, within groups of equal attributes, and pair them off."""
    grouped: tuple[defaultdict[tuple[str, ...], list[int]], ...] = (
        defaultdict(list),
        defaultdict(list),
    )
    for side, field, groups in zip((ours, theirs), fields, grouped, strict=True):
        for number in sorted(range(len(side)), key=lambda each: side[each].get(field, "")):
            groups[tuple(side[number].get(name, "") for name in released)].append(number)
    return {
        our: their
        for key, numbers in grouped[0].items()
        for our, their in zip(numbers, grouped[1][key], strict=False)
    }


def match_by_relation(ours: Sequence[Record], theirs: Sequence[Record]) -> Matching:
    """Pair what differs by the exclusive-or that occurs most, when one occurs twice."""

    def number_of(record: Record) -> int:
        return int.from_bytes(list(decodings_of(record["subject"]))[-1][:8], "big")

    left, right = (list(map(number_of, side)) for side in (ours, theirs))
    differences = array("Q", sorted(a ^ b for a, b in product(left, right)))
    repeated = Counter(one for one, next_one in pairwise(differences) if one == next_one)
    if not repeated:
        return {}
    ((most, _),) = repeated.most_common(1)
    places = {value: place for place, value in enumerate(right)}
    return {at: places[a ^ most] for at, a in enumerate(left) if a ^ most in places}
