"""Schools' logins: from one identity-provider document to the record of it."""

from collections.abc import Iterable, Iterator

from msgspec import UNSET, structs

from broker.domain.announcing import Announcing
from broker.domain.attributes import ENTREE_NAMES, OIDC_NAMES, AttributeName
from broker.domain.documents import DocumentProblem, IdentityProviderDocument
from broker.domain.federation import OidcIdpEndpoints, SamlIdpEndpoints, SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.domain.tolerances import IdpException, Tolerance
from broker.flow.federation.discovery import (
    Fetch,
    ProviderMetadata,
    discover,
    needs_discovery,
)
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.login_checks import IDP_CHECKS, school_from_of
from broker.flow.federation.metadata_origin import read_metadata
from broker.flow.federation.places import (
    DocumentProblems,
    check_key_set,
    check_location,
    metadata_problem,
    read_inline,
    refuse_any,
)
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_xml.refusals import XmlRefusal
from broker.saml_xml.security import XmlSecurity


def compile_idp(
    document: IdentityProviderDocument,
    stated: StatedDocument,
    *,
    xml: XmlSecurity,
    fetch: Fetch,
) -> SchoolIdp:
    """Return the record of a school's login.

    What a document leaves to discovery is fetched after everything else was found in order.

    `attributes` holds the document's own names only; `with_built_in_names` lays them over the
    built-in ones when the registry is loaded.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    refuse_any(found for check in IDP_CHECKS for found in check(document))
    if document.protocol == "saml":
        endpoints: SamlIdpEndpoints | OidcIdpEndpoints = _saml_endpoints(document, stated, xml=xml)
    else:
        endpoints = _oidc_endpoints(document, stated, fetch=fetch)
    return SchoolIdp(
        id=SchoolIdpId(document.id),
        schools=tuple(map(SchoolId, document.schools)),
        state=document.state,
        endpoints=endpoints,
        school_from=school_from_of(document),
        scopes=document.scopes,
        domains={name.lower(): SchoolId(each) for name, each in document.domains.items()},
        identifier=AttributeName(document.identifier),
        login_identifier=document.login_identifier,
        shared_numbers=document.shared_numbers,
        attributes=dict(document.attributes),
        enabled=document.enabled,
        name=document.name or _published_name(endpoints),
        acr=dict(document.acr),
        rehearsal_only=document.rehearsal_only,
        school_hint=None if document.school_hint is UNSET else document.school_hint,
        exceptions=tuple(
            IdpException(name=Tolerance(each.name), last_day=each.until, reason=each.reason)
            for each in document.exception
        ),
        single_logout=document.single_logout,
        announcing=_announcing(document),
        supplier=None if document.supplier is None else SupplierId(document.supplier),
        federation=document.federation,
    )


def _announcing(document: IdentityProviderDocument) -> Announcing | None:
    stated = document.announcement
    if stated is None:
        return None
    return Announcing(key_hashes=stated.key_hashes, return_to=stated.return_to)


def with_built_in_names(idps: Iterable[SchoolIdp]) -> Iterator[SchoolIdp]:
    """Yield each login with its whole mapping: built-in names, and the document's own over them.

    Equal mappings are one object: most of 7,000 logins have no names of their own.
    """
    shared: dict[tuple[bool, frozenset[tuple[str, str]]], dict[str, str]] = {}
    for idp in idps:
        is_saml = isinstance(idp.endpoints, SamlIdpEndpoints)
        kind = is_saml, frozenset(idp.attributes.items())
        if kind not in shared:
            shared[kind] = {**(ENTREE_NAMES if is_saml else OIDC_NAMES), **idp.attributes}
        yield structs.replace(idp, attributes=shared[kind])


def _published_name(endpoints: SamlIdpEndpoints | OidcIdpEndpoints) -> str:
    """Return the name in a login's metadata, where its document gives none."""
    names = endpoints.display_names if isinstance(endpoints, SamlIdpEndpoints) else {}
    return names.get("nl") or names.get("en") or next(iter(names.values()), "")


def _saml_endpoints(
    document: IdentityProviderDocument, stated: StatedDocument, *, xml: XmlSecurity
) -> SamlIdpEndpoints:
    text, path = read_metadata(document, prefix="", stated=stated)
    try:
        found = read_idp_metadata(text.encode(), xml=xml, entity_id=document.entity_id or "")
    except XmlRefusal as refusal:
        raise DocumentProblems([metadata_problem(path, refusal)]) from None
    refuse_any(
        each
        for url in (
            *(found.sso_redirect_url, found.sso_post_url),
            *(found.slo_redirect_url, found.slo_redirect_response_url),
            *(found.slo_post_url, found.slo_post_response_url, found.slo_soap_url),
        )
        for each in check_location(path, url, state=document.state)
    )
    if document.single_logout and not (found.slo_redirect_url or found.slo_post_url):
        raise DocumentProblems(
            [
                DocumentProblem(
                    "single_logout",
                    "is asked, and its metadata names no SingleLogoutService by redirect or POST.",
                    "Ask the school for metadata with one, or leave it out.",
                )
            ]
        )
    if document.sign_requests is not UNSET:
        found = structs.replace(found, sign_requests=document.sign_requests)
    return structs.replace(found, metadata_source=document.metadata_source or "")


def _oidc_endpoints(
    document: IdentityProviderDocument, stated: StatedDocument, *, fetch: Fetch
) -> OidcIdpEndpoints:
    issuer = document.issuer or ""
    found = ProviderMetadata(issuer, document.authorization_endpoint or "", "")
    if needs_discovery(document):
        found = discover(document, fetch=fetch)
    jwks = read_inline(document.jwks, stated.files.get("jwks"))
    jwks_uri = document.jwks_uri or found.jwks_uri
    if jwks:
        refuse_any(check_key_set("jwks", jwks))
    elif jwks_uri is None:
        raise DocumentProblems(
            [
                DocumentProblem(
                    "jwks", "is missing, and its metadata names no jwks_uri.", "State it."
                )
            ]
        )
    return OidcIdpEndpoints(
        issuer=issuer,
        client_id=document.client_id or "",
        authorization_endpoint=document.authorization_endpoint or found.authorization_endpoint,
        token_endpoint=document.token_endpoint or found.token_endpoint,
        userinfo_endpoint=document.userinfo_endpoint,
        end_session_endpoint=document.end_session_endpoint,
        jwks_uri=jwks_uri,
        jwks=jwks,
        algorithms=document.algorithms,
        authentication=document.authentication,
        client_assertion_audience=document.client_assertion_audience or issuer,
        scopes=document.oidc_scopes,
        can_reauthenticate=document.can_reauthenticate,
        states_issuer=document.states_issuer
        or found.authorization_response_iss_parameter_supported,
    )
