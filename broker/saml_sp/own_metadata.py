"""Our metadata as the service provider of schools' identity providers.

SAML metadata 2.0, saml2int 2.0.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.saml_xml.elements import build_element, serialize
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.metadata import ENCRYPTION, SIGNING
from broker.saml_xml.names import BINDING_POST, MD, SAMLP
from broker.saml_xml.own_metadata import build_entity_descriptor, build_key_descriptors
from broker.saml_xml.security import XmlSecurity

SP_DESCRIPTOR = f"{{{MD}}}SPSSODescriptor"
ASSERTION_CONSUMER_SERVICE = f"{{{MD}}}AssertionConsumerService"


def build_sp_metadata(
    *,
    entity_id: str,
    acs_url: str,
    signing_certificates: Sequence[bytes],
    encryption_certificates: Sequence[bytes],
    document_id: str,
    valid_until: datetime,
    signing_key: SigningKey | None = None,
    xml: XmlSecurity,
) -> bytes:
    """Return our metadata as a service provider, signed when there is a key.

    Args:
        signing_certificates: DER; two while we change keys, the new one before its first use.
        encryption_certificates: DER; likewise.
        document_id: random, an NCName.
    """
    service = build_element(
        ASSERTION_CONSUMER_SERVICE,
        {"Binding": BINDING_POST, "Location": acs_url, "index": "0", "isDefault": "true"},
    )
    role = build_element(
        SP_DESCRIPTOR,
        {
            "AuthnRequestsSigned": "true" if signing_certificates else "false",
            "WantAssertionsSigned": "true",
            "protocolSupportEnumeration": SAMLP,
        },
        *build_key_descriptors(signing_certificates, use=SIGNING),
        *build_key_descriptors(encryption_certificates, use=ENCRYPTION),
        service,
    )
    entity = build_entity_descriptor(
        entity_id, role, document_id=document_id, valid_until=valid_until
    )
    if signing_key is not None:
        xml.sign(entity, key=signing_key)
    return serialize(entity)
