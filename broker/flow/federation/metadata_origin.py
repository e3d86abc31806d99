"""Where the metadata of one party come from: its own document, or a source that signs them.

Texts from a source are kept with the document that they were compiled into, each under a key of
its own among what was fetched for it, so that the document can be compiled again without the
source, and a refresh sees what changed.
"""

from collections.abc import Iterator, Mapping

from broker.domain.documents import (
    AnyDocument,
    DocumentProblem,
    IdentityProviderDocument,
    RelyingPartyDocument,
    SupplierDocument,
)
from broker.domain.metadata_sources import Origin
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.places import read_inline

SOURCED = "metadata_source"


def origins_of(document: AnyDocument) -> Iterator[tuple[str, Origin]]:
    """Yield each party of a document whose metadata come from a source, with the key path of it."""
    match document:
        case IdentityProviderDocument():
            parties: list[tuple[str, IdentityProviderDocument | RelyingPartyDocument]] = [
                ("", document)
            ]
        case SupplierDocument():
            parties = [
                (f"relying_party[{index}].", each)
                for index, each in enumerate(document.relying_party)
            ]
        case _:
            parties = []
    for prefix, party in parties:
        if party.metadata_source is not None and party.entity_id is not None:
            yield f"{prefix}{SOURCED}", Origin(party.metadata_source, party.entity_id)


def fetched_key(origin: Origin) -> str:
    """Return by what the text of a party from a source is kept.

    >>> fetched_key(Origin("federation", "https://login.example"))
    'metadata_source/federation/https://login.example'
    """
    return f"{SOURCED}/{origin.source}/{origin.entity_id}"


def is_sourced(key: str) -> bool:
    """Tell whether a key of what was fetched is one of `fetched_key`: no URL is."""
    return key.startswith(f"{SOURCED}/")


def texts_of(stated: StatedDocument) -> Mapping[Origin, str]:
    """Return what is kept with a document of each party from a source."""
    kept = ((origin, fetched_key(origin)) for _, origin in origins_of(stated.document))
    return {origin: stated.fetched[key] for origin, key in kept if key in stated.fetched}


def read_metadata(
    party: IdentityProviderDocument | RelyingPartyDocument,
    *,
    prefix: str,
    stated: StatedDocument,
) -> tuple[str, str]:
    """Return the metadata of a party, and the key path that problems with them name."""
    if party.metadata_source is None:
        path = f"{prefix}metadata"
        return read_inline(party.metadata, stated.files.get(path)), path
    origin = Origin(party.metadata_source, party.entity_id or "")
    return stated.fetched.get(fetched_key(origin), ""), f"{prefix}{SOURCED}"


def check_origin_stated(
    party: IdentityProviderDocument | RelyingPartyDocument, *, prefix: str
) -> Iterator[DocumentProblem]:
    """One of the two, when it speaks SAML: of two, nobody would know which counts."""
    if party.protocol != "saml":
        return
    if party.metadata is None and party.metadata_source is None:
        yield DocumentProblem(
            f"{prefix}metadata",
            "is missing for protocol saml.",
            "Ask that party for it, or name a metadata_source that describes it.",
        )
    if party.metadata is not None and party.metadata_source is not None:
        yield DocumentProblem(
            f"{prefix}{SOURCED}", "stands beside metadata.", "Keep one of the two."
        )
