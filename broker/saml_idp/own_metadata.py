"""Our metadata as the identity provider of suppliers' service providers.

SAML metadata 2.0, saml2int 2.0.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.saml_xml.elements import build_element, serialize
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.metadata import ENCRYPTION, SIGNING
from broker.saml_xml.names import (
    BINDING_POST,
    BINDING_REDIRECT,
    MD,
    NAMEID_PERSISTENT,
    NAMEID_TRANSIENT,
    SAMLP,
)
from broker.saml_xml.own_metadata import (
    ACCEPTED_ENCRYPTION,
    NOTHING_ABOUT_US,
    AboutUs,
    build_algorithms,
    build_entity_descriptor,
    build_key_descriptors,
    build_logout_services,
    build_role_extensions,
)
from broker.saml_xml.published import SCOPE
from broker.saml_xml.security import XmlSecurity

IDP_DESCRIPTOR = f"{{{MD}}}IDPSSODescriptor"
NAME_ID_FORMAT = f"{{{MD}}}NameIDFormat"
SINGLE_SIGN_ON_SERVICE = f"{{{MD}}}SingleSignOnService"


def build_idp_metadata(
    *,
    entity_id: str,
    sso_url: str,
    signing_certificates: Sequence[bytes],
    document_id: str,
    valid_until: datetime,
    encryption_certificates: Sequence[bytes] = (),
    slo_url: str | None = None,
    slo_soap_url: str | None = None,
    about: AboutUs = NOTHING_ABOUT_US,
    signing_key: SigningKey | None = None,
    xml: XmlSecurity,
) -> bytes:
    """Return our metadata as an identity provider, signed when there is a key.

    Args:
        signing_certificates: DER; two while we change keys, the new one before its first use.
        document_id: an NCName, another one for another content.
        encryption_certificates: DER; to which names in suppliers' messages may be encrypted.
        slo_url: where suppliers' messages of logging out arrive; None: nowhere.
        slo_soap_url: where they arrive by SOAP; likewise.
    """
    stated = () if about.scope is None else (about.scope,)
    scopes = [build_element(SCOPE, {"regexp": "false"}, text=each) for each in stated]
    role = build_element(
        IDP_DESCRIPTOR,
        {
            "WantAuthnRequestsSigned": "false",
            "protocolSupportEnumeration": SAMLP,
            "errorURL": about.error_url,
        },
        *build_role_extensions(about, *scopes),
        *build_key_descriptors(signing_certificates, use=SIGNING),
        *build_key_descriptors(
            encryption_certificates, use=ENCRYPTION, methods=ACCEPTED_ENCRYPTION
        ),
        *build_logout_services(slo_url, soap_url=slo_soap_url),
        *(
            build_element(NAME_ID_FORMAT, text=each)
            for each in (NAMEID_PERSISTENT, NAMEID_TRANSIENT)
        ),
        *(
            build_element(SINGLE_SIGN_ON_SERVICE, {"Binding": each, "Location": sso_url})
            for each in (BINDING_REDIRECT, BINDING_POST)
        ),
    )
    entity = build_entity_descriptor(
        entity_id,
        role,
        document_id=document_id,
        valid_until=valid_until,
        about=about,
        extensions=build_algorithms(),
    )
    if signing_key is not None:
        xml.sign(entity, key=signing_key)
    return serialize(entity)
