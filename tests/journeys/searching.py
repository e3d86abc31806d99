"""Finding a value in bytes, also when it is dressed up: encoded, escaped or packed in a message.

Needles are long enough that random bytes hold none of them by chance.
"""

import base64
import contextlib
import html
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, quote_plus, unquote_to_bytes

from broker.demo.people import NOOR_BEFORE, PEOPLE
from tests.journeys.witness import Exchange

MIN_BASE64_CHARS = 8
MIN_NAME_LETTERS_IN_RANDOM = 4
DEFLATE = -15
NUMBER_BYTES = 8

_MESSAGE = re.compile(
    rb"SAML(?:Request|Response)(?:\"\s+value=\"|=)([A-Za-z0-9+/=%_-]{20,})", re.ASCII
)
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{4,}\.([A-Za-z0-9_-]{20,})\.[A-Za-z0-9_-]{20,}")


@dataclass(frozen=True, slots=True)
class Find:
    """A value that was found where it must not be: its name, never itself."""

    what: str
    where: str


@cache
def forms_of(value: str) -> tuple[bytes, ...]:
    """Return how `value` may look in bytes: plain and escaped in lower case, base64 as it is."""
    plain = value.encode()
    texts = {value, quote(value), quote_plus(value), html.escape(value), plain.hex()}
    forms = {text.lower().encode() for text in texts}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        start, end = -(-shift * 8 // 6), (shift + len(plain)) * 8 // 6
        core = encoded[start:end]
        if len(core) >= MIN_BASE64_CHARS:
            forms |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    hexadecimal = value.rpartition("/")[2]
    if re.fullmatch("[0-9a-f]{128}", hexadecimal):
        forms |= {hexadecimal.encode(), bytes.fromhex(hexadecimal)}
    return tuple(forms)


def holds(hay: bytes, value: str) -> bool:
    """Tell whether `hay` holds `value` in one of its forms."""
    lower = hay.lower()
    return any(form in lower or form in hay for form in forms_of(value))


def holds_name(text: bytes, name: str) -> bool:
    """Tell whether a text holds a first name as a word; in a random token it is none."""
    return re.search(rb"(?<![\w/+=-])%b(?![\w/+=-])" % re.escape(name.encode()), text) is not None


def unpacked(hay: bytes) -> Iterator[bytes]:
    """Yield `hay`, and what SAML messages and tokens in it say where they are not encrypted."""
    yield hay
    for found in _MESSAGE.findall(hay):
        try:
            message = base64.b64decode(unquote_to_bytes(found))
        except ValueError:
            continue
        yield message
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(message, DEFLATE)
    for found in _TOKEN.findall(hay):
        yield base64.urlsafe_b64decode(found + b"=" * (-len(found) % 4))


class AnyOf:
    """Values of which a text must hold none; each has at least 8 bytes.

    Thousands of values side by side in a pattern would each be tried at every place. Here a text is
    read as numbers of 8 bytes, from each of its first 8 places on, and compared with how the values
    begin.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = frozenset(values)
        assert all(len(each) >= NUMBER_BYTES for each in self._values)
        begins = {int.from_bytes(each[:NUMBER_BYTES], sys.byteorder) for each in self._values}
        self._begins = frozenset(begins)

    def are_in(self, text: bytes) -> bool:
        """Tell whether one of them stands in it."""
        for place in range(NUMBER_BYTES):
            part = memoryview(text)[place:]
            numbers = part[: len(part) // NUMBER_BYTES * NUMBER_BYTES].cast("Q")
            if not self._begins.isdisjoint(numbers):
                return any(each in text for each in self._values)
        return False


def search(hays: Iterable[tuple[str, bytes]], values: Iterable[str]) -> list[Find]:
    """Return what was found where; each different text is searched once."""
    wanted = sorted(values)
    seen: set[bytes] = set()
    finds = []
    for where, hay in hays:
        for text in unpacked(hay):
            if text not in seen:
                seen.add(text)
                finds += [Find(name_of(each), where) for each in wanted if holds(text, each)]
    return finds


def search_names(hays: Iterable[tuple[str, bytes]], names: Sequence[str]) -> list[Find]:
    """Return where first names stand as words."""
    return [
        Find(name, where)
        for where, hay in hays
        for text in unpacked(hay)
        for name in names
        if holds_name(text, name)
    ]


def name_of(value: str) -> str:
    """Return whose value this is and which, for a message that does not repeat it."""
    for person in (*PEOPLE, NOOR_BEFORE):
        for name, values in person.attributes.items():
            if value in values or any(each.endswith(value) for each in values):
                return f"{name} of {person.id} at {person.school.id}"
    return f"{value[:2]}... ({len(value)} characters)"


OWN_VALUES = re.compile(
    rb'<section aria-labelledby="(?:attributes|suppliers)">.*?</section>', re.DOTALL
)
"""On a school's test page, what the login states of the very person who looks at it."""


def without_own_values(told: bytes) -> bytes:
    """Return what the broker told, without what a test page shows to whose it is."""
    return OWN_VALUES.sub(b"", told) if b'id="mail-text"' in told else told


def describe(exchange: Exchange) -> str:
    """Return where something was found, without what stood there."""
    return f"{exchange.party} {exchange.path} {exchange.status}"
