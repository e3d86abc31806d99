"""Where the answer to a form of ours may lead besides https: to suppliers on the device itself."""

from urllib.parse import urlsplit

from broker.domain.relying_parties import OidcClient
from broker.flow.parties import Parties
from broker.oidc_op.redirect_uris import is_on_device


def find_app_places(parties: Parties | None) -> tuple[str, ...]:
    """Return the sources for `form-action` (CSP level 3) of redirect URIs that are not https.

    A browser checks the whole chain of redirects behind a form against the form's page, so without
    these an app, or a developer's own machine, would never hear of a login that ended with a button
    of ours.

    Args:
        parties: at whom the login began; None when nobody knows.
    """
    client = None if parties is None else parties.relying_party.protocol
    if not isinstance(client, OidcClient):
        return ()
    on_device = filter(is_on_device, client.redirect_uris)
    return tuple(sorted({_source_of(each) for each in on_device}))


def leads_to_app(url: str) -> bool:
    """Tell whether a browser hands this address over to an app, and shows what it showed before.

    One on loopback is a page of the app's own.

    >>> leads_to_app("nl.supplier.app:/cb?code=x"), leads_to_app("http://127.0.0.1:8000/cb")
    (True, False)
    """
    return urlsplit(url).scheme not in ("https", "http")


def _source_of(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme != "http":
        return f"{parts.scheme}:"
    # The grammar of sources knows no address in brackets (CSP level 3, 2.3.1).
    return "http:" if parts.netloc.startswith("[") else f"http://{parts.hostname}:*"
