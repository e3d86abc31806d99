"""Redirect URIs of relying parties: which ones a profile lets a supplier register."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from broker.domain.documents import DocumentProblem, RelyingPartyDocument
from broker.domain.federation import State
from broker.flow.federation.places import check_location
from broker.oidc_op.profiles import PROFILES
from broker.oidc_op.redirect_uris import find_loopback, is_on_device

_PRIVATE_USE = re.compile(r"[A-Za-z][A-Za-z0-9+-]*(\.[A-Za-z0-9+-]+)+:/[\x21-\x22\x24-\x7e]*\Z")
"""RFC 8252 7.1: a domain name in reverse, which nobody else may use; no fragment."""


def check_redirect_uris(
    prefix: str, party: RelyingPartyDocument, *, state: State
) -> Iterator[DocumentProblem]:
    """Yield what is wrong with a relying party's redirect URIs (RFC 9700 2.1, RFC 8252 7)."""
    native = PROFILES[party.profile].native_redirects
    for index, uri in enumerate(party.redirect_uris):
        path = f"{prefix}redirect_uris[{index}]"
        if native and is_on_device(uri):
            yield from _check_native(path, uri)
        else:
            yield from check_location(path, uri, state=state)


def _check_native(path: str, uri: str) -> Iterator[DocumentProblem]:
    """On the device itself there is no https; 8.3 advises against `localhost`."""
    if find_loopback(uri) is None and _PRIVATE_USE.match(uri) is None:
        yield DocumentProblem(
            path,
            "is no place of an app.",
            "Use https, http://127.0.0.1 or http://[::1], or a scheme like nl.supplier.app:/cb.",
        )


def find_start_url(party: RelyingPartyDocument) -> str:
    """Return where people begin: as stated, or the origin of the first redirect URI.

    An app without a page of its own has no such place: "".
    """
    first, native = party.redirect_uris[0], PROFILES[party.profile].native_redirects
    if party.start_url is not None or (native and is_on_device(first)):
        return party.start_url or ""
    return origin_of(first)


def origin_of(url: str) -> str:
    """Return where the site of a URL begins.

    >>> origin_of("https://supplier.example/cb?x=1")
    'https://supplier.example/'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
