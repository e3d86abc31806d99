"""What reading a message makes us do, counted: so that a bound on it needs no clock."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from broker.adapters.xml import signature_algorithms, xml_parsing, xml_security, xml_signatures

KEYS_MAX = 2
"""Of each kind, in the tests that count."""
PARTS_MAX = 25
"""Encrypted parts of one message: an assertion, and those of `encrypted_parts`."""

BOUNDS = {
    # One for a Response and one for its assertion, by each key.
    "verified": 2 * KEYS_MAX,
    # SignedInfo and element of both.
    "canonicalised": 4,
    # What came, what each signature covered, what each encrypted part held.
    "parsed": 3 + PARTS_MAX,
    # Each by every key of ours, of which there are two at most.
    "decrypted": PARTS_MAX,
}


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count within what is costly: parses, canonicalisations, uses of keys."""
    counts: Counter[str] = Counter()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def each(*arguments: Any, **named: Any) -> Any:
            counts[name] += 1
            return call(*arguments, **named)

        return each

    with pytest.MonkeyPatch.context() as patch:
        for module, attribute, name in (
            (signature_algorithms, "_verify", "verified"),
            (xml_signatures, "_canonical", "canonicalised"),
            (xml_signatures, "parse_own_bytes", "parsed"),
            (xml_parsing, "parse_own_bytes", "parsed"),
            (xml_security, "open_encrypted", "decrypted"),
        ):
            patch.setattr(module, attribute, counting(name, getattr(module, attribute)))
        yield counts


def check_bounded(counts: Counter[str]) -> None:
    """Hold that no message makes us do more than the bounds."""
    over = {name: counts[name] for name, bound in BOUNDS.items() if counts[name] > bound}
    assert not over
