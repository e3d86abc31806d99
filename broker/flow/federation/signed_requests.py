"""Signed requests of a relying party: what its document must state for them (RFC 9101)."""

from collections.abc import Iterator

from broker.domain.documents import DocumentProblem, RelyingPartyDocument, SupplierDocument
from broker.flow.federation.places import check_location
from broker.oidc_op.profiles import PROFILES, RequestObjects


def check_signed_requests(
    prefix: str, party: RelyingPartyDocument, supplier: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Who signs requests states with which keys, by an algorithm of its profile, and where."""
    if party.protocol != "oidc":
        return
    profile = PROFILES[party.profile]
    for index, each in enumerate(party.request_uris):
        yield from check_location(f"{prefix}request_uris[{index}]", each, state=supplier.state)
    signs = party.require_signed_requests or party.request_uris
    if signs and profile.request_objects is RequestObjects.REFUSED:
        yield DocumentProblem(
            f"{prefix}{'require_signed_requests' if not party.request_uris else 'request_uris'}",
            f"is of signed requests, which profile {party.profile} does not have.",
            "Remove it, or choose another profile.",
        )
    if signs and party.jwks is None and party.jwks_uri is None:
        yield DocumentProblem(
            f"{prefix}jwks",
            "is missing, for signed requests.",
            "State the client's public keys as jwks, or where it publishes them as jwks_uri.",
        )
    allowed = profile.request_object_algorithms
    if party.request_object_algorithm not in (None, *allowed):
        yield DocumentProblem(
            f"{prefix}request_object_algorithm",
            f"is one that profile {party.profile} does not allow.",
            f"Use one of: {', '.join(allowed)}.",
        )
