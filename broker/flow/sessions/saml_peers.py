"""A SAML party on the other side of a logout: a supplier's service provider or a school's login.

They differ here and nowhere else in logging out: by which name we know each other, whose keys
count, and where messages go.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum

from broker.domain.federation import SamlIdpEndpoints, SchoolIdp
from broker.domain.ids import RelyingPartyId, SchoolIdpId
from broker.domain.registry import Registry
from broker.domain.relying_parties import RelyingParty, SamlServiceProvider
from broker.saml_xml.logout.messages import LogoutBinding, NameIdentifier
from broker.saml_xml.logout.refusals import LogoutSenderUnknown
from broker.saml_xml.names import BINDING_POST, BINDING_REDIRECT, BINDING_SOAP
from broker.saml_xml.refusals import sent_by_supplier

_BINDINGS: Mapping[str, LogoutBinding] = {
    BINDING_REDIRECT: "redirect",
    BINDING_POST: "post",
    BINDING_SOAP: "soap",
}
_BY_BROWSER: tuple[LogoutBinding, ...] = ("redirect", "post")


class Side(StrEnum):
    """On which side of us a party stands."""

    SUPPLIER = "supplier"
    SCHOOL = "school"

    def blamed(self) -> AbstractContextManager[None]:
        """Return within what a refusal of a message is this side's task."""
        return sent_by_supplier() if self is Side.SUPPLIER else nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlNames:
    """By which names and at which addresses SAML parties know us.

    Attributes:
        slo_urls: where messages about logging out arrive, by side.
        soap_url: where suppliers' service providers call.
    """

    idp_entity_id: str
    sp_entity_id: str
    slo_urls: Mapping[Side, str]
    soap_url: str

    def of(self, side: Side) -> str:
        """Return our entity id towards a side."""
        return self.idp_entity_id if side is Side.SUPPLIER else self.sp_entity_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where messages to a party go by one binding; `answers` may be elsewhere."""

    binding: LogoutBinding
    url: str
    answers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlPeer:
    """One party.

    Attributes:
        relying_party, idp: its id; exactly one of the two.
        name: for people.
        certificates: DER; the only keys that may sign for it.
        places: registered ones, the one that we prefer first.
    """

    side: Side
    relying_party: RelyingPartyId | None = None
    idp: SchoolIdpId | None = None
    name: str
    entity_id: str
    certificates: tuple[bytes, ...] = field(repr=False)
    places: tuple[Place, ...]

    @property
    def key(self) -> str:
        """Return what tells it from every other party, of either side."""
        return f"{self.side}/{self.relying_party or self.idp}"

    @property
    def soap(self) -> Place | None:
        """Return where it can be called without a browser."""
        return next((each for each in self.places if each.binding == "soap"), None)

    def by_browser(self, preferred: LogoutBinding = "redirect") -> Place | None:
        """Return where a browser can bring a message, by the preferred binding where it has it."""
        found = {each.binding: each for each in reversed(self.places)}
        wanted = (preferred, *_BY_BROWSER)
        return next((found[each] for each in wanted if each in found and each != "soap"), None)

    def names_us(self, name: NameIdentifier, *, own: str) -> bool:
        """Tell whether a name's qualifiers, where there are any, are this party's and ours."""
        us, them = (own, self.entity_id) if self.side is Side.SUPPLIER else (self.entity_id, own)
        return name.name_qualifier in (None, "", us) and name.sp_name_qualifier in (None, "", them)


def supplier_peer(party: RelyingParty, *, registry: Registry) -> SamlPeer | None:
    """Return a supplier's service provider; None when it speaks something else."""
    provider = party.protocol
    if not isinstance(provider, SamlServiceProvider):
        return None
    return SamlPeer(
        side=Side.SUPPLIER,
        relying_party=party.id,
        name=registry.suppliers[party.supplier].display_name,
        entity_id=provider.entity_id,
        certificates=provider.signing_certificates,
        places=tuple(
            Place(_BINDINGS[each.binding], each.url, each.response_url or each.url)
            for each in provider.single_logout_services
            if each.binding in _BINDINGS
        ),
    )


def school_peer(idp: SchoolIdp, *, registry: Registry) -> SamlPeer | None:
    """Return a school's login; None when it speaks something else."""
    at = idp.endpoints
    if not isinstance(at, SamlIdpEndpoints):
        return None
    bindings: tuple[tuple[LogoutBinding, str | None, str | None], ...] = (
        ("redirect", at.slo_redirect_url, at.slo_redirect_response_url),
        ("post", at.slo_post_url, at.slo_post_response_url),
    )
    return SamlPeer(
        side=Side.SCHOOL,
        idp=idp.id,
        name=idp.name or registry.schools[idp.schools[0]].name,
        entity_id=at.entity_id,
        certificates=at.signing_certificates,
        places=tuple(Place(each, url, answers or url) for each, url, answers in bindings if url),
    )


def find_peer(side: Side, entity_id: str, *, registry: Registry) -> SamlPeer:
    """Return the enabled party that a message says it is from.

    Raises:
        LogoutSenderUnknown: none is registered, or it or its supplier is disabled.
    """
    found: SamlPeer | None = None
    if side is Side.SUPPLIER:
        party = registry.by_sp_entity_id.get(entity_id)
        if party is not None and party.enabled and registry.suppliers[party.supplier].enabled:
            found = supplier_peer(party, registry=registry)
    else:
        idp = registry.by_idp_entity_id.get(entity_id)
        if idp is not None and idp.enabled:
            found = school_peer(idp, registry=registry)
    if found is None:
        raise LogoutSenderUnknown("check_sender_registered")
    return found
