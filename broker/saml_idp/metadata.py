"""Metadata of suppliers' service providers: what we read of theirs.

SAML metadata 2.0, saml2int 2.0.
"""

from datetime import datetime

from broker.domain.relying_parties import AssertionConsumerService, SamlServiceProvider
from broker.saml_xml.elements import required_attribute
from broker.saml_xml.metadata import (
    ENCRYPTION,
    SIGNING,
    MetadataUnusable,
    check_not_expired,
    find_entity,
    find_role,
    is_true,
    read_certificates,
    read_locations,
)
from broker.saml_xml.names import (
    BINDING_POST,
    MD,
)
from broker.saml_xml.published import (
    DIGEST_METHOD,
    SIGNING_METHOD,
    read_algorithms,
    read_attribute_consuming_services,
    read_display_names,
    read_encryption_methods,
    read_entity_categories,
    read_logo,
    read_name_id_formats,
    read_privacy_urls,
    read_single_logout_services,
    read_subject_id_required,
)
from broker.saml_xml.refusals import sent_by_supplier
from broker.saml_xml.registered_keys import encryption_key_of
from broker.saml_xml.security import XmlSecurity

IDP_DESCRIPTOR = f"{{{MD}}}IDPSSODescriptor"
SP_DESCRIPTOR = f"{{{MD}}}SPSSODescriptor"
NAME_ID_FORMAT = f"{{{MD}}}NameIDFormat"
SINGLE_SIGN_ON_SERVICE = f"{{{MD}}}SingleSignOnService"
ASSERTION_CONSUMER_SERVICE = f"{{{MD}}}AssertionConsumerService"


@sent_by_supplier()
def read_sp_metadata(
    document: bytes,
    *,
    xml: XmlSecurity,
    entity_id: str,
    encrypt_assertions: bool = False,
    now: datetime | None = None,
) -> SamlServiceProvider:
    """Return what we must know of a supplier's SAML service provider.

    Args:
        document: its metadata, or an aggregate that holds it, from a source that was proven.
        entity_id: as registered.
        encrypt_assertions: our policy for it; then it must publish an RSA key.
        now: refuses metadata that expired before; None for a file that the operator vouches for.

    Raises:
        SupplierMessageUnreadable: no metadata that the schema allows.
        SupplierMetadataUnusable: no such provider, no place for answers, one that is not safe, or
            a key is missing that it needs.
    """
    entity = find_entity(xml.parse_metadata(document).root, entity_id=entity_id)
    role = find_role(entity, SP_DESCRIPTOR)
    if now is not None:
        check_not_expired(role, now=now)
    services = tuple(
        AssertionConsumerService(
            url=location,
            index=int(required_attribute(each, "index")),
            is_default=is_true(each.get("isDefault")),
        )
        for each, location in read_locations(role, ASSERTION_CONSUMER_SERVICE, binding=BINDING_POST)
    )
    if not services:
        raise MetadataUnusable("check_endpoint_published", subject="AssertionConsumerService")
    wants_signed = role.get("WantAssertionsSigned")
    provider = SamlServiceProvider(
        entity_id=entity_id,
        assertion_consumer_services=services,
        signing_certificates=read_certificates(role, use=SIGNING),
        encryption_certificates=read_certificates(role, use=ENCRYPTION),
        require_signed_requests=is_true(role.get("AuthnRequestsSigned")),
        encrypt_assertions=encrypt_assertions,
        single_logout_services=read_single_logout_services(role),
        name_id_formats=read_name_id_formats(role),
        attribute_consuming_services=read_attribute_consuming_services(role),
        want_assertions_signed=None if wants_signed is None else is_true(wants_signed),
        encryption_methods=read_encryption_methods(role),
        signature_algorithms=read_algorithms(entity, role, SIGNING_METHOD),
        digest_algorithms=read_algorithms(entity, role, DIGEST_METHOD),
        display_names=read_display_names(role),
        logo=read_logo(role),
        privacy_urls=read_privacy_urls(role),
        entity_categories=read_entity_categories(entity),
        subject_id_required=read_subject_id_required(entity),
    )
    if provider.require_signed_requests and not provider.signing_certificates:
        raise MetadataUnusable("check_signing_key_published", subject="KeyDescriptor")
    if (
        encrypt_assertions
        and encryption_key_of(provider.encryption_certificates, provider.encryption_methods) is None
    ):
        raise MetadataUnusable("check_encryption_key_published", subject="KeyDescriptor")
    return provider
