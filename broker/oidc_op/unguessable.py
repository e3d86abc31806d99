"""How much chance a value can hold at most: what a relying party makes up must not be guessed.

By its characters alone, so this is an upper bound: a value of enough characters may be guessable
all the same, but one of too few always is.
"""

from math import log2
from string import digits, hexdigits

ALPHABETS = ((digits, log2(10)), (hexdigits, 4.0))
"""With the bits of a character, of values between whose letters signs may stand, as in a UUID."""

ANY_BITS = 6.0
"""Of a character of base64url (RFC 4648 5), and of whatever others stand there."""


def most_bits(value: str) -> float:
    """Return how many bits a value can hold; signs between the letters of a UUID hold none.

    >>> most_bits("8f14e45f-ceea-467a-9575-2cb8f0e1a0d3"), most_bits("lesson-3"), most_bits("")
    (128.0, 48.0, 0.0)
    """
    letters = value.replace("-", "")
    for alphabet, bits in ALPHABETS:
        if set(letters) <= set(alphabet):
            return len(letters) * bits
    return len(value) * ANY_BITS
