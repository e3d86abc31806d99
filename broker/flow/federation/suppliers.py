"""Suppliers and their systems: checks on one document, and the record that it compiles to."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from broker.domain.attributes import AttributeName
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.documents import (
    DocumentProblem,
    RelyingPartyDocument,
    SupplierDocument,
)
from broker.domain.federation import Supplier
from broker.domain.ids import RelyingPartyId, SupplierId
from broker.domain.relying_parties import (
    OidcClient,
    RelyingParty,
    SamlServiceProvider,
)
from broker.domain.sheet_documents import AttributeDocument
from broker.flow.federation.attribute_names import check_attribute_known, is_restricted
from broker.flow.federation.client_authentication import (
    AUTHENTICATION_KEYS,
    authentication_of,
    certificate_name_of,
    check_party_authentication,
    check_party_bound,
    check_party_pushes_provenly,
)
from broker.flow.federation.client_tokens import check_tokens_allowed
from broker.flow.federation.documents import StatedDocument
from broker.flow.federation.metadata_origin import check_origin_stated
from broker.flow.federation.places import (
    DocumentProblems,
    check_key_set,
    check_location,
    check_only_of_protocol,
    read_inline,
    refuse_any,
)
from broker.flow.federation.redirect_uris import (
    check_redirect_uris,
    find_start_url,
    origin_of,
)
from broker.flow.federation.service_providers import (
    SAML_KEYS,
    check_pseudonym_attributes,
    compile_service_provider,
)
from broker.flow.federation.sheet_versions import check_since_versions
from broker.flow.federation.signed_requests import check_signed_requests
from broker.flow.federation.start_places import check_session_answers, check_start_places
from broker.flow.federation.supplier_apis import check_apis, compile_api
from broker.saml_xml.security import XmlSecurity

OIDC_KEYS = (
    *("client_id", "redirect_uris", *AUTHENTICATION_KEYS),
    *("id_token_algorithm", "userinfo_algorithm", "access_tokens"),
    *("refresh_hours", "refresh_idle_hours"),
    *("request_object_algorithm", "request_uris", "require_pushed_requests"),
    *("post_logout_redirect_uris", "backchannel_logout_uri", "frontchannel_logout_uri"),
)

_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,255}\Z")  # RFC 6749 A.1, without the space

RelyingPartyCheck: TypeAlias = Callable[
    [str, RelyingPartyDocument, SupplierDocument], Iterator[DocumentProblem]
]


def check_declared_attributes(document: SupplierDocument) -> Iterator[DocumentProblem]:
    seen: set[str] = set()
    for index, each in enumerate(document.attribute):
        path = f"attribute[{index}].name"
        yield from check_attribute_known(path, each.name)
        if each.name in seen:
            yield DocumentProblem(path, f"declares {each.name} once more.", "Declare it once.")
        seen.add(each.name)
        if is_restricted(each.name) and not document.eck_id_entitled:
            yield DocumentProblem(
                path,
                f"declares {each.name}, for which this supplier is not entitled.",
                "Remove it, or have the federation state eck_id_entitled.",
            )


def check_relying_parties(document: SupplierDocument) -> Iterator[DocumentProblem]:
    for index, party in enumerate(document.relying_party):
        for check in RELYING_PARTY_CHECKS:
            yield from check(f"relying_party[{index}].", party, document)


SUPPLIER_CHECKS: tuple[Callable[[SupplierDocument], Iterator[DocumentProblem]], ...] = (
    check_declared_attributes,
    check_since_versions,
    check_relying_parties,
    check_apis,
)


def check_party_keys_fit_protocol(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    yield from check_only_of_protocol(
        party,
        prefix=prefix,
        protocol=party.protocol,
        foreign=OIDC_KEYS if party.protocol == "saml" else SAML_KEYS,
    )


def check_party_keys_stated(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    needed = ("entity_id",) if party.protocol == "saml" else OIDC_KEYS[:2]
    for name in needed:
        if not getattr(party, name):
            yield DocumentProblem(
                prefix + name,
                f"is missing for protocol {party.protocol}.",
                "Ask the supplier for it.",
            )
    yield from check_origin_stated(party, prefix=prefix)


def check_client_id_printable(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    if party.client_id is not None and _CLIENT_ID.match(party.client_id) is None:
        yield DocumentProblem(
            f"{prefix}client_id",
            "has spaces or characters outside ASCII, or is too long.",
            "Use up to 255 visible ASCII characters (RFC 6749 A.1).",
        )


def check_places_safe(
    prefix: str, party: RelyingPartyDocument, supplier: SupplierDocument
) -> Iterator[DocumentProblem]:
    """Redirect URIs, start URL and key set over https, or on loopback in a test."""
    yield from check_redirect_uris(prefix, party, state=supplier.state)
    left = [
        (f"post_logout_redirect_uris[{index}]", each)
        for index, each in enumerate(party.post_logout_redirect_uris)
    ]
    names = ("start_url", "jwks_uri", "backchannel_logout_uri", "frontchannel_logout_uri")
    for name, url in (*left, *((each, getattr(party, each)) for each in names)):
        yield from check_location(prefix + name, url, state=supplier.state)
    framed = party.frontchannel_logout_uri
    if framed is not None and origin_of(framed) not in map(origin_of, party.redirect_uris):
        yield DocumentProblem(  # Front-Channel Logout 1.0 2
            prefix + "frontchannel_logout_uri",
            "is at another host than each redirect URI.",
            "State a page of the site to which logins go.",
        )


RELYING_PARTY_CHECKS: tuple[RelyingPartyCheck, ...] = (
    check_party_keys_fit_protocol,
    check_party_keys_stated,
    check_client_id_printable,
    check_places_safe,
    check_party_authentication,
    check_party_bound,
    check_party_pushes_provenly,
    check_tokens_allowed,
    check_signed_requests,
    check_start_places,
    check_session_answers,
    check_pseudonym_attributes,
)


def compile_supplier(
    document: SupplierDocument, stated: StatedDocument, *, epoch: str, xml: XmlSecurity
) -> Supplier:
    """Return the record of a supplier.

    Args:
        epoch: the letter that it is pinned to.

    Raises:
        DocumentProblems: with everything that is wrong.
    """
    problems = [found for check in SUPPLIER_CHECKS for found in check(document)]
    parties = []
    for index, party in enumerate(document.relying_party if not problems else ()):
        try:
            parties.append(
                _compile_party(f"relying_party[{index}].", party, document, stated, xml=xml)
            )
        except DocumentProblems as found:
            problems += found.problems
    refuse_any(problems)
    return Supplier(
        id=SupplierId(document.id),
        legal_name=document.legal_name,
        display_name=document.display_name or document.legal_name,
        state=document.state,
        eck_id_entitled=document.eck_id_entitled,
        attributes=tuple(map(_compile_attribute, document.attribute)),
        relying_parties=tuple(parties),
        apis=tuple(
            compile_api(f"api[{index}].", each, stated) for index, each in enumerate(document.api)
        ),
        epoch=epoch,
        enabled=document.enabled,
        may_ask_session=document.may_ask_session,
        sheet_version=document.sheet.version if document.sheet is not None else 0,
    )


def _compile_attribute(each: AttributeDocument) -> DeclaredAttribute:
    return DeclaredAttribute(
        name=AttributeName(each.name),
        purpose=each.purpose,
        required=each.required,
        required_since=each.required_since or 0,
        populations=tuple(dict.fromkeys(each.populations)),
        asked_since=each.asked_since,
    )


def _compile_party(
    prefix: str,
    party: RelyingPartyDocument,
    supplier: SupplierDocument,
    stated: StatedDocument,
    *,
    xml: XmlSecurity,
) -> RelyingParty:
    if party.protocol == "saml":
        provider = compile_service_provider(prefix, party, supplier, stated, xml=xml)
        protocol: OidcClient | SamlServiceProvider = provider
        begins_at = party.start_url or origin_of(provider.assertion_consumer_services[0].url)
    else:
        protocol = _client(prefix, party, stated)
        begins_at = find_start_url(party)
    return RelyingParty(
        id=RelyingPartyId(party.id),
        supplier=SupplierId(supplier.id),
        start_url=begins_at,
        initiate_login_uri=party.initiate_login_uri or "",
        start_targets=party.start_targets,
        session_answer_url=party.session_answer_url or "",
        claims=party.claims,
        protocol=protocol,
        enabled=party.enabled,
    )


def _client(prefix: str, party: RelyingPartyDocument, stated: StatedDocument) -> OidcClient:
    jwks = read_inline(party.jwks, stated.files.get(f"{prefix}jwks"))
    if jwks:
        refuse_any(check_key_set(f"{prefix}jwks", jwks))
    return OidcClient(
        post_logout_redirect_uris=party.post_logout_redirect_uris,
        backchannel_logout_uri=party.backchannel_logout_uri,
        frontchannel_logout_uri=party.frontchannel_logout_uri,
        client_id=party.client_id or "",
        profile=party.profile,
        redirect_uris=party.redirect_uris,
        authentication=authentication_of(party),
        jwks=jwks,
        jwks_uri=party.jwks_uri,
        secret_hash=party.client_secret_hash,
        next_secret_hash=party.next_client_secret_hash,
        certificate_name=certificate_name_of(party),
        dpop_bound=party.dpop_bound_access_tokens,
        certificate_bound=party.certificate_bound_access_tokens,
        id_token_algorithm=party.id_token_algorithm,
        userinfo_algorithm=party.userinfo_algorithm,
        access_tokens=party.access_tokens,
        refresh_hours=party.refresh_hours,
        refresh_idle_hours=party.refresh_idle_hours,
        request_object_algorithm=party.request_object_algorithm,
        request_uris=party.request_uris,
        require_pushed=party.require_pushed_requests,
        require_signed_request=party.require_signed_requests,
    )
