"""What a request says of where it should lead, and in whose name it comes (Scoping, core 3.4.1.2).

All of it is the sender's word: a school is looked up and a system behind the sender counts only
where the sender's document names it. GetComplete, an address to fetch more from, is not followed.
"""

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_xml.elements import (
    Element,
    children_of,
    optional_child,
    required_attribute,
    text_of,
)
from broker.saml_xml.names import SAMLP

LISTED_MAX = 10  # ours: of schools named; the rest is dropped, not refused
LISTED_MAX_CHARS = 1024  # SAML core 8.3.6: an entity identifier


def read_hints(root: Element, *, entity_id: str) -> tuple[tuple[str, ...], bool]:
    """Return which schools the request names, and whether it wants no other (core 3.4.1.3).

    A list that names us (`entity_id`) leaves it to us, so it names none. One that is longer than
    what we read may name others, so it is a hint alone.
    """
    scoping = optional_child(root, f"{{{SAMLP}}}Scoping")
    listed = None if scoping is None else optional_child(scoping, f"{{{SAMLP}}}IDPList")
    if listed is None:
        return (), False
    entries = children_of(listed, f"{{{SAMLP}}}IDPEntry")
    named = [required_attribute(each, "ProviderID") for each in entries[:LISTED_MAX]]
    if entity_id in named:
        return (), False
    read = tuple(each for each in named if len(each) <= LISTED_MAX_CHARS)
    return read, len(read) == len(entries)


def forbids_proxying(root: Element) -> bool:
    """Tell whether nobody but us may log the person in; we always ask a school (core 3.4.1.5.1)."""
    scoping = optional_child(root, f"{{{SAMLP}}}Scoping")
    count = None if scoping is None else scoping.get("ProxyCount")
    return count is not None and not count.strip("+-0 \t\r\n")  # a number, by the schema


def read_requesters(
    root: Element, *, provider: SamlServiceProvider, registry: Registry
) -> tuple[RelyingPartyId, ...]:
    """Return the systems behind the sender that its document lets it speak for.

    Any other RequesterID is passed over and kept nowhere: it is no party of this login. All are
    read, however many: each one left out would let the sender have more.
    """
    scoping = optional_child(root, f"{{{SAMLP}}}Scoping")
    if scoping is None or not provider.answers.proxies_for:
        return ()
    found: dict[RelyingPartyId, None] = {}
    for each in children_of(scoping, f"{{{SAMLP}}}RequesterID"):
        named = text_of(each)
        party = registry.by_sp_entity_id.get(named) or registry.by_client_id.get(named)
        if party is not None and party.id in provider.answers.proxies_for:
            found[party.id] = None
    return tuple(found)
