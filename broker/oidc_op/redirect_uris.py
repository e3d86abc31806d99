"""Redirect URIs: compared as strings, but for the port of an app on loopback (RFC 8252 7.3)."""

import re
from collections.abc import Collection

_LOOPBACK = re.compile(
    r"http://(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?([/?][\x21\x22\x24-\x7e]*)?\Z"
)
_MAX_PORT = 65535


def find_loopback(uri: str) -> tuple[str, str] | None:
    """Return host and rest of a redirect URI on loopback, without its port; None for any other.

    >>> find_loopback("http://127.0.0.1:51004/cb")
    ('127.0.0.1', '/cb')
    >>> find_loopback("http://127.0.0.1.evil.example/cb") is None
    True
    """
    found = _LOOPBACK.match(uri)
    if found is None or not 0 < int(found[2] or 80) <= _MAX_PORT:
        return None
    return found[1], found[3] or ""


def is_registered(uri: str, *, registered: Collection[str], native: bool) -> bool:
    """Tell whether an answer may go to `uri` (RFC 9700 2.1, OIDC Core 3.1.2.1).

    Args:
        native: the client's profile lets it be an app, which takes whatever port is free.

    >>> is_registered("http://[::1]:7/cb", registered=["http://[::1]/cb"], native=True)
    True
    >>> is_registered("http://[::1]:7/cb", registered=["http://[::1]/cb"], native=False)
    False
    """
    if uri in registered:
        return True
    place = find_loopback(uri) if native else None
    return place is not None and any(place == find_loopback(each) for each in registered)


def is_on_device(uri: str) -> bool:
    """Tell whether a redirect URI is a place on the device: nobody vouches for what answers there.

    RFC 8252 8.6: another app may have the same scheme, or listen on the port.

    >>> is_on_device("nl.supplier.app:/cb"), is_on_device("https://supplier.example/cb")
    (True, False)
    """
    return not uri.startswith("https:")
