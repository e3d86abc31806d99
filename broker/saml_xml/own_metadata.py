"""Building our own SAML metadata: what our identity and our service provider have in common.

SAML metadata 2.0. Only `build_` stands here; what partners publish is read in `metadata`.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.metadata import ENTITY_DESCRIPTOR, KEY_DESCRIPTOR, X509_CERTIFICATE
from broker.saml_xml.names import DS, NSMAP_METADATA


def build_key_descriptors(certificates: Sequence[bytes], *, use: str) -> list[Element]:
    """Return a KeyDescriptor for each certificate (DER); two stand there during a roll-over."""
    return [
        build_element(
            KEY_DESCRIPTOR,
            {"use": use},
            build_element(
                f"{{{DS}}}KeyInfo",
                None,
                build_element(
                    f"{{{DS}}}X509Data",
                    None,
                    build_element(X509_CERTIFICATE, text=encode_post(certificate)),
                ),
            ),
        )
        for certificate in certificates
    ]


def build_entity_descriptor(
    entity_id: str, role: Element, *, document_id: str, valid_until: datetime
) -> Element:
    """Return the EntityDescriptor around one role (SAML metadata 2.3.2)."""
    return build_element(
        ENTITY_DESCRIPTOR,
        {"ID": document_id, "entityID": entity_id, "validUntil": format_instant(valid_until)},
        role,
        nsmap=dict(NSMAP_METADATA),
    )
