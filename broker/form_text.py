"""Names and values as forms and queries write them (application/x-www-form-urlencoded).

Gives what `urllib.parse.urlencode` gives, for texts alone. That looks at every value several times
over; nearly all of ours are random words that need no escape, and one look says so.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote_plus, unquote_to_bytes

_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986 2.3


def encode_form(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values in their order, escaped.

    >>> encode_form([("code", "a b"), ("state", "x")])
    'code=a+b&state=x'
    """
    return "&".join([f"{_escape(name)}={_escape(value)}" for name, value in pairs])


def _escape(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote_plus(text)


_OF_BASE64 = ((b"%2B", b"+"), (b"%2F", b"/"), (b"%3D", b"="))


def unescape(encoded: bytes) -> bytes:
    """Return what `urllib.parse.unquote_to_bytes` gives.

    That takes every escape by itself, and a posted SAML message has hundreds of these three.

    >>> unescape(b"a%2Bb%3D%20")
    b'a+b= '
    """
    if b"%" not in encoded:
        return encoded
    unescaped = encoded
    for escape, octet in _OF_BASE64:
        unescaped = unescaped.replace(escape, octet)
    return unescaped if b"%" not in unescaped else unquote_to_bytes(encoded)
