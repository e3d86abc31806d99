"""Endpoints of a school's OpenID Provider that its document leaves to discovery.

Discovery is read when a document is applied, never in a login, and its answer is kept with the
document: it may fill in what the document does not state, and widens nothing.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from broker.domain.documents import DocumentProblem, IdentityProviderDocument
from broker.flow.federation.places import DocumentProblems, check_location, refuse_any


class FetchFailed(Exception):  # noqa: N818 -- the port's answer, worded for people
    """What a document leaves to the network did not come; the argument says why."""


Fetch: TypeAlias = Callable[[str], str]
"""Returns the text at a URL, or raises `FetchFailed`."""

_STATE_THEM = "State authorization_endpoint, token_endpoint and jwks_uri in the document."


class ProviderMetadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, 3: what we take of it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None = None
    authorization_response_iss_parameter_supported: bool = False


def needs_discovery(document: IdentityProviderDocument) -> bool:
    """Tell whether the document leaves out an endpoint, or where the keys are."""
    return document.protocol == "oidc" and not (
        document.authorization_endpoint
        and document.token_endpoint
        and (document.jwks or document.jwks_uri)
    )


def discovery_url(issuer: str) -> str:
    """Return where a provider publishes its metadata (OpenID Connect Discovery 1.0, 4).

    >>> discovery_url("https://login.example/tenant/")
    'https://login.example/tenant/.well-known/openid-configuration'
    """
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def discover(document: IdentityProviderDocument, *, fetch: Fetch) -> ProviderMetadata:
    """Fetch and read the metadata of the document's issuer.

    Raises:
        DocumentProblems: it did not come, or cannot be used.
    """
    url = discovery_url(document.issuer or "")
    try:
        text = fetch(url)
    except FetchFailed as why:
        raise _unusable(f"publishes no metadata at {url}: {why}.", _STATE_THEM) from None
    return read_discovery(document, text)


def read_discovery(document: IdentityProviderDocument, text: str) -> ProviderMetadata:
    """Return what a provider's metadata states.

    Raises:
        DocumentProblems: it cannot be read, is another issuer's, or names an unsafe place.
    """
    try:
        found = msgspec.json.decode(text, type=ProviderMetadata)
    except msgspec.DecodeError as error:
        raise _unusable(f"publishes metadata that cannot be read: {error}.", _STATE_THEM) from None
    if found.issuer != document.issuer:
        raise _unusable(
            f"is not the issuer of its own metadata, which says {found.issuer}.",
            "Write the issuer exactly as the provider does (a slash at the end counts).",
        )
    places = {
        "authorization_endpoint": found.authorization_endpoint,
        "token_endpoint": found.token_endpoint,
        "jwks_uri": found.jwks_uri,
    }
    refuse_any(
        DocumentProblem("issuer", f"publishes a {name} that {each.problem}", each.remedy)
        for name, url in places.items()
        for each in check_location(name, url, state=document.state)
    )
    return found


def _unusable(problem: str, remedy: str) -> DocumentProblems:
    return DocumentProblems([DocumentProblem("issuer", problem, remedy)])
