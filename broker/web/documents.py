"""What we publish about ourselves: discovery, keys, and the metadata of our two SAML roles.

Discovery and keys change only with a rotation, which makes all of this anew. Metadata carries an
end date, so each is made anew well before; in between every peer gets the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from broker.flow.key_plans.key_purposes import METADATA_LIFE
from broker.flow.ports import FlowKeys, Random
from broker.oidc_op.discovery import CertificateSupport, Endpoints, build_discovery
from broker.oidc_op.jwks import build_jwks
from broker.saml_idp.own_metadata import build_idp_metadata
from broker.saml_sp.own_metadata import build_sp_metadata
from broker.saml_xml.security import XmlSecurity

RENEW_METADATA_AFTER = timedelta(hours=6)


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


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents as bytes."""

    discovery: bytes
    jwks: bytes
    saml_idp_metadata: Callable[[datetime], bytes]
    saml_sp_metadata: Callable[[datetime], bytes]


def build_documents(
    addresses: OwnAddresses,
    *,
    keys: FlowKeys,
    xml: XmlSecurity,
    random: Random,
    certificates: CertificateSupport | None = None,
    front_channel_logout: bool = False,
    service_documentation: str | None = None,
) -> Documents:
    """Return everything that we publish, made from the keys and addresses in use."""
    endpoints = Endpoints(addresses.issuer)
    signing = [keys.saml_signing.certificate, *keys.saml_more_certificates]

    def idp_metadata(now: datetime) -> bytes:
        return build_idp_metadata(
            entity_id=addresses.idp_entity_id,
            sso_url=addresses.sso_url,
            signing_certificates=signing,
            document_id=_make_document_id(random),
            valid_until=now + METADATA_LIFE,
            signing_key=keys.saml_signing,
            xml=xml,
        )

    def sp_metadata(now: datetime) -> bytes:
        return build_sp_metadata(
            entity_id=addresses.sp_entity_id,
            acs_url=addresses.acs_url,
            signing_certificates=signing,
            # One alone: a school that saw two might go on with the one that is going to end.
            encryption_certificates=[keys.saml_decryption[0].certificate],
            document_id=_make_document_id(random),
            valid_until=now + METADATA_LIFE,
            signing_key=keys.saml_signing,
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
        saml_idp_metadata=_renewed(idp_metadata),
        saml_sp_metadata=_renewed(sp_metadata),
    )


def _renewed(build: Callable[[datetime], bytes]) -> Callable[[datetime], bytes]:
    """Return a reader that keeps one document and builds it anew when it has aged."""
    kept: tuple[datetime, bytes] | None = None

    def read(now: datetime) -> bytes:
        nonlocal kept
        if kept is None or not kept[0] <= now < kept[0] + RENEW_METADATA_AFTER:
            kept = (now, build(now))
        return kept[1]

    return read


def _make_document_id(random: Random) -> str:
    return f"_{UUID(bytes=random(16)).hex}"
