"""What we publish about ourselves: discovery, keys, and the metadata of our two SAML roles.

Discovery and keys change only with a rotation, which makes all of this anew. Metadata carries an
end date, so each is made anew well before; in between every peer gets the same bytes. Nothing in a
document is random, so that every worker makes the same one and a peer that has it is told so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Protocol

import msgspec

from broker.flow.key_plans.key_purposes import METADATA_LIFE
from broker.flow.ports import FlowKeys
from broker.flow.sessions.saml_peers import SamlNames, Side
from broker.oidc_op.discovery import CertificateSupport, Endpoints, build_discovery
from broker.oidc_op.jwks import build_jwks
from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_sp.own_metadata import build_sp_metadata
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.own_metadata import NOTHING_ABOUT_US, AboutUs
from broker.saml_xml.security import XmlSecurity

RENEW_METADATA_AFTER = timedelta(hours=6)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Our endpoints and names, all made from the issuer and never from a request's Host."""

    issuer: str

    @property
    def sso_url(self) -> str:
        """Return where suppliers' AuthnRequests arrive."""
        return self.issuer + "/saml/idp/sso"

    @property
    def acs_url(self) -> str:
        """Return where schools' SAML responses arrive."""
        return self.issuer + "/saml/sp/acs"

    @property
    def redirect_uri(self) -> str:
        """Return where schools' OpenID Providers send the browser back."""
        return self.issuer + "/oidc/callback"

    @property
    def idp_entity_id(self) -> str:
        """Return our name towards suppliers; by convention the address of its metadata."""
        return self.issuer + "/saml/idp/metadata"

    @property
    def sp_entity_id(self) -> str:
        """Return our name towards schools."""
        return self.issuer + "/saml/sp/metadata"

    @property
    def logout_names(self) -> SamlNames:
        """Return by which names and addresses SAML parties know us when they log out."""
        slo_url = self.issuer + "/saml/idp/slo"
        return SamlNames(
            idp_entity_id=self.idp_entity_id,
            sp_entity_id=self.sp_entity_id,
            slo_urls={Side.SUPPLIER: slo_url, Side.SCHOOL: self.issuer + "/saml/sp/slo"},
            soap_url=slo_url + "/soap",
        )


@dataclass(frozen=True, slots=True)
class OwnMetadata:
    """One of our metadata documents.

    Attributes:
        etag: weak, since ECDSA never signs alike twice (RFC 9110 8.8.1).
    """

    entity_id: str
    content: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents as bytes."""

    discovery: bytes
    jwks: bytes
    saml_idp_metadata: Callable[[datetime], OwnMetadata]
    saml_sp_metadata: Callable[[datetime], OwnMetadata]


class _Builder(Protocol):
    def __call__(
        self, *, document_id: str, valid_until: datetime, signing_key: SigningKey | None
    ) -> bytes: ...


def build_documents(
    addresses: OwnAddresses,
    *,
    keys: FlowKeys,
    xml: XmlSecurity,
    about: AboutUs = NOTHING_ABOUT_US,
    certificates: CertificateSupport | None = None,
    front_channel_logout: bool = False,
    service_documentation: str | None = None,
) -> Documents:
    """Return everything that we publish, made from the keys and addresses in use."""
    endpoints = Endpoints(addresses.issuer)
    signing = [keys.saml_signing.certificate, *keys.saml_more_certificates]
    idp_metadata = partial(
        build_idp_metadata,
        entity_id=addresses.idp_entity_id,
        sso_url=addresses.sso_url,
        slo_url=addresses.logout_names.slo_urls[Side.SUPPLIER],
        slo_soap_url=addresses.logout_names.soap_url,
        encryption_certificates=[keys.saml_decryption[0].certificate],
        signing_certificates=signing,
        about=about,
        xml=xml,
    )
    sp_metadata = partial(
        build_sp_metadata,
        entity_id=addresses.sp_entity_id,
        acs_url=addresses.acs_url,
        slo_url=addresses.logout_names.slo_urls[Side.SCHOOL],
        signing_certificates=signing,
        # One alone: a school that saw two might go on with the one that is going to end.
        encryption_certificates=[keys.saml_decryption[0].certificate],
        about=about,
        xml=xml,
    )
    discovery = build_discovery(
        endpoints,
        keys=keys.token,
        certificates=certificates,
        front_channel_logout=front_channel_logout,
        service_documentation=service_documentation,
    )
    return Documents(
        discovery=msgspec.json.encode(discovery),
        jwks=msgspec.json.encode(build_jwks(keys.token)),
        saml_idp_metadata=_renewed(addresses.idp_entity_id, idp_metadata, keys.saml_signing),
        saml_sp_metadata=_renewed(addresses.sp_entity_id, sp_metadata, keys.saml_signing),
    )


def _renewed(
    entity_id: str, build: _Builder, signing_key: SigningKey
) -> Callable[[datetime], OwnMetadata]:
    """Return a reader that keeps one document and builds it anew when it has aged."""
    kept: tuple[datetime, OwnMetadata] | None = None

    def read(now: datetime) -> OwnMetadata:
        nonlocal kept
        begun = now - (now - _EPOCH) % RENEW_METADATA_AFTER  # the same for every worker
        if kept is None or kept[0] != begun:
            valid_until = begun + METADATA_LIFE
            unsigned = build(document_id="_", valid_until=valid_until, signing_key=None)
            document_id = f"_{sha256(unsigned).hexdigest()[:32]}"
            signed = build(
                document_id=document_id, valid_until=valid_until, signing_key=signing_key
            )
            kept = (begun, OwnMetadata(entity_id, signed, f'W/"{document_id}"'))
        return kept[1]

    return read
