"""Our metadata as the service provider of schools' identity providers.

SAML metadata 2.0, saml2int 2.0; subject-id profile 2.3. It is one document under one name for all
schools: each school registers us at its own login, and what a supplier needs of a school stands in
their agreement, not here. A second name would be a second audience to which an assertion opens.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.domain.attributes import AFFILIATION, ECK_ID, VOCABULARY, AttributeName
from broker.domain.saml_published import RequestedAttribute
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.keys import SigningKey
from broker.saml_xml.metadata import ENCRYPTION, SIGNING
from broker.saml_xml.names import (
    ATTRNAME_BASIC,
    ATTRNAME_URI,
    BINDING_POST,
    MD,
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
from broker.saml_xml.published import (
    ATTRIBUTE,
    ATTRIBUTE_CONSUMING_SERVICE,
    ATTRIBUTE_VALUE,
    ENTITY_ATTRIBUTES,
    LANGUAGE,
    REQUESTED_ATTRIBUTE,
    SUBJECT_ID_REQUIRED,
)
from broker.saml_xml.security import XmlSecurity

SP_DESCRIPTOR = f"{{{MD}}}SPSSODescriptor"
ASSERTION_CONSUMER_SERVICE = f"{{{MD}}}AssertionConsumerService"

ASKED_THOUGH_RESTRICTED = frozenset({ECK_ID, AttributeName("employeeNumber")})
"""By these a person is known again; the other restricted ones only few suppliers may get."""

ASKED_OF_SCHOOLS = tuple(
    RequestedAttribute(name=each.name, required=each.name == AFFILIATION)
    for each in VOCABULARY.values()
    if not each.stated_by_us and (not each.restricted or each.name in ASKED_THOUGH_RESTRICTED)
)
"""What a school's login may state. Only the role is needed of every login: the number may be
replaced by the ECK iD or by what the login's document names, and the school decides on the rest."""


def build_sp_metadata(
    *,
    entity_id: str,
    acs_url: str,
    signing_certificates: Sequence[bytes],
    encryption_certificates: Sequence[bytes],
    document_id: str,
    valid_until: datetime,
    slo_url: str | None = None,
    about: AboutUs = NOTHING_ABOUT_US,
    signing_key: SigningKey | None = None,
    xml: XmlSecurity,
) -> bytes:
    """Return our metadata as a service provider, signed when there is a key.

    Args:
        signing_certificates: DER; two while we change keys, the new one before its first use.
        encryption_certificates: DER; likewise.
        document_id: an NCName, another one for another content.
        slo_url: where schools' messages of logging out arrive; None: nowhere.
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
        *build_role_extensions(about),
        *build_key_descriptors(signing_certificates, use=SIGNING),
        *build_key_descriptors(
            encryption_certificates, use=ENCRYPTION, methods=ACCEPTED_ENCRYPTION
        ),
        *build_logout_services(slo_url),
        service,
        *_asked_of_schools(about),
    )
    entity = build_entity_descriptor(
        entity_id,
        role,
        document_id=document_id,
        valid_until=valid_until,
        about=about,
        extensions=[*build_algorithms(), _no_subject_id()],
    )
    if signing_key is not None:
        xml.sign(entity, key=signing_key)
    return serialize(entity)


def _asked_of_schools(about: AboutUs) -> list[Element]:
    """Return the attributes that we ask for; none without a name to show beside them."""
    if not about.names:
        return []
    return [
        build_element(
            ATTRIBUTE_CONSUMING_SERVICE,
            {"index": "0", "isDefault": "true"},
            *(
                build_element(f"{{{MD}}}ServiceName", {LANGUAGE: language}, text=name)
                for language, name in about.names.items()
            ),
            *(
                build_element(
                    REQUESTED_ATTRIBUTE,
                    {
                        "Name": each.name,
                        "NameFormat": ATTRNAME_BASIC,
                        "FriendlyName": each.name,
                        "isRequired": "true" if each.required else "false",
                    },
                )
                for each in ASKED_OF_SCHOOLS
            ),
        )
    ]


def _no_subject_id() -> Element:
    """Return that we need no `subject-id` or `pairwise-id` of a school (subject-id profile 2.3)."""
    return build_element(
        ENTITY_ATTRIBUTES,
        None,
        build_element(
            ATTRIBUTE,
            {"Name": SUBJECT_ID_REQUIRED, "NameFormat": ATTRNAME_URI},
            build_element(ATTRIBUTE_VALUE, text="none"),
        ),
    )
