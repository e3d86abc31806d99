"""Metadata of schools' identity providers: what we read of theirs.

SAML metadata 2.0, saml2int 2.0.
"""

from collections.abc import Sequence
from datetime import datetime

from broker.domain.federation import SamlIdpEndpoints
from broker.domain.saml_published import SingleLogoutService
from broker.saml_xml.metadata import (
    SIGNING,
    MetadataUnusable,
    check_not_expired,
    find_entity,
    find_role,
    is_true,
    read_certificates,
    read_locations,
)
from broker.saml_xml.names import BINDING_POST, BINDING_REDIRECT, BINDING_SOAP, MD
from broker.saml_xml.published import (
    DIGEST_METHOD,
    SIGNING_METHOD,
    read_algorithms,
    read_display_names,
    read_encryption_certificates,
    read_encryption_methods,
    read_entity_categories,
    read_error_url,
    read_logo,
    read_scopes,
    read_single_logout_services,
)
from broker.saml_xml.security import XmlSecurity

SP_DESCRIPTOR = f"{{{MD}}}SPSSODescriptor"
IDP_DESCRIPTOR = f"{{{MD}}}IDPSSODescriptor"
ASSERTION_CONSUMER_SERVICE = f"{{{MD}}}AssertionConsumerService"
SINGLE_SIGN_ON_SERVICE = f"{{{MD}}}SingleSignOnService"


def read_idp_metadata(
    document: bytes, *, xml: XmlSecurity, entity_id: str, now: datetime | None = None
) -> SamlIdpEndpoints:
    """Return what we must know of a school's SAML identity provider.

    Args:
        document: its metadata, or an aggregate that holds it, from a source that was proven.
        entity_id: as registered.
        now: refuses metadata that expired before; None for a file that the operator vouches for.

    Raises:
        MessageUnreadable: no metadata that the schema allows.
        MetadataUnusable: no such provider, no key, no endpoint, or one that is not safe.
    """
    entity = find_entity(xml.parse_metadata(document).root, entity_id=entity_id)
    role = find_role(entity, IDP_DESCRIPTOR)
    if now is not None:
        check_not_expired(role, now=now)
    certificates = read_certificates(role, use=SIGNING)
    if not certificates:  # no key registered = no login
        raise MetadataUnusable("check_signing_key_published", subject="KeyDescriptor")
    redirects = read_locations(role, SINGLE_SIGN_ON_SERVICE, binding=BINDING_REDIRECT)
    posts = read_locations(role, SINGLE_SIGN_ON_SERVICE, binding=BINDING_POST)
    if not redirects and not posts:
        raise MetadataUnusable("check_endpoint_published", subject="SingleSignOnService")
    logout = read_single_logout_services(role)
    slo_redirect_url, slo_redirect_response_url = _logout_place(logout, BINDING_REDIRECT)
    slo_post_url, slo_post_response_url = _logout_place(logout, BINDING_POST)
    slo_soap_url, _ = _logout_place(logout, BINDING_SOAP)
    return SamlIdpEndpoints(
        entity_id=entity_id,
        sso_redirect_url=redirects[0][1] if redirects else None,
        sso_post_url=posts[0][1] if posts else None,
        signing_certificates=certificates,
        sign_requests=is_true(role.get("WantAuthnRequestsSigned")),
        slo_redirect_url=slo_redirect_url,
        slo_redirect_response_url=slo_redirect_response_url,
        slo_post_url=slo_post_url,
        slo_post_response_url=slo_post_response_url,
        slo_soap_url=slo_soap_url,
        encryption_certificates=read_encryption_certificates(role),
        encryption_methods=read_encryption_methods(role),
        signature_algorithms=read_algorithms(entity, role, SIGNING_METHOD),
        digest_algorithms=read_algorithms(entity, role, DIGEST_METHOD),
        display_names=read_display_names(role),
        logo=read_logo(role),
        error_url=read_error_url(role),
        scopes=read_scopes(entity, role),
        entity_categories=read_entity_categories(entity),
    )


def _logout_place(
    services: Sequence[SingleLogoutService], binding: str
) -> tuple[str | None, str | None]:
    """Return where requests and, if elsewhere, answers of logging out go by one binding."""
    for each in services:
        if each.binding == binding:
            return each.url, each.response_url
    return None, None
