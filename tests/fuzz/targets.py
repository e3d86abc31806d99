"""Which messages are mutated, who reads them, and what holds of whatever comes out.

Two kinds. Of what somebody else signed, a stranger changes what travels: it is refused, or it says
exactly what was signed. Of what the sender itself signs after the change, or what nobody signs,
anything may be said: it is refused, or it keeps to what the registry says.
"""

from functools import cache
from typing import Any

from lxml import etree

from broker.domain.federation import SamlIdpEndpoints
from broker.domain.relying_parties import SamlServiceProvider
from broker.saml_idp.metadata import read_sp_metadata
from broker.saml_idp.request import CheckedAuthnRequest
from broker.saml_sp.login import SamlLogin
from broker.saml_sp.metadata import read_idp_metadata
from broker.saml_xml import names as n
from broker.saml_xml.bindings import build_redirect_query, encode_post
from broker.saml_xml.elements import Element, build_element, serialize
from broker.saml_xml.metadata import is_safe_location
from broker.saml_xml.refusals import SignatureRefused
from broker.saml_xml.signed_metadata import describe_entity, open_signed_metadata
from tests.builders_encrypted import encrypt_in_place
from tests.builders_metadata_sources import FEDERATION_KEY, an_aggregate
from tests.builders_saml import (
    BROKER_ENCRYPTION,
    NOW,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
    XML,
    a_response,
    a_service_provider,
    an_authn_request,
    as_query,
    read,
    saml,
    samlp,
)
from tests.builders_saml_metadata import (
    a_key,
    an_endpoint,
    an_entity_attribute,
    an_idp,
    an_sp,
    ui_info,
)
from tests.fuzz.logouts import LOGOUT_TARGETS
from tests.fuzz.target import Message, Target, as_it_is, same
from tests.saml_idp.asking import a_policy
from tests.saml_idp.asking import check as check_request

# Responses -----------------------------------------------------------------------------------


def encrypt_some(assertion: Element) -> None:
    encrypt_in_place(next(assertion.iter(saml("NameID"))), "EncryptedID")
    encrypt_in_place(next(assertion.iter(saml("Attribute"))), "EncryptedAttribute")


@cache
def _response(signed: str, encrypted: bool, parts: bool) -> bytes:
    edits = {"edit_assertion": encrypt_some} if parts else {}
    return serialize(a_response(signed=signed, encrypted=encrypted, **edits))


def _read_response(message: bytes) -> SamlLogin:
    return read([("SAMLResponse", encode_post(message))])


RESPONSES: dict[str, Message] = {
    f"{signed}{'-encrypted' * encrypted}{'-parts' * parts}": (
        lambda signed=signed, encrypted=encrypted, parts=parts: _response(signed, encrypted, parts)
    )
    for signed, encrypted, parts in (
        ("assertion", False, False),
        ("response", False, False),
        ("both", False, False),
        ("assertion", True, False),
        ("both", True, False),
        ("assertion", False, True),
        ("response", True, True),
    )
}


def _sign_assertion(message: bytes, _base: str) -> bytes:
    """Sign as a school that writes anything; an assertion that cannot be signed goes unsigned."""
    try:
        root = etree.fromstring(message)
        signed = next(each for each in root.iter(saml("Assertion")) if each.get("ID"))
        XML.sign(signed, key=SCHOOL_KEY.signing)
    except (etree.LxmlError, SignatureRefused, StopIteration):
        return message
    return serialize(root)


def _is_ours(_honest: Any, found: SamlLogin) -> bool:
    """Whatever a school writes: it is for its own login, and ends within our bounds."""
    attributes = found.login.attributes
    return (
        found.login.idp.endpoints.entity_id == SCHOOL_ENTITY  # type: ignore[union-attr]
        and found.assertion_not_on_or_after > NOW
        and bool(found.assertion_id)
        and all(isinstance(value, str) for values in attributes.values() for value in values)
    )


# Requests ------------------------------------------------------------------------------------

STRICT = a_service_provider(require_signed_requests=True)


def _request() -> Element:
    contexts = build_element(
        samlp("RequestedAuthnContext"),
        {"Comparison": "exact"},
        build_element(saml("AuthnContextClassRef"), text=n.AUTHN_PASSWORD),
    )
    entry = build_element(samlp("IDPEntry"), {"ProviderID": SCHOOL_ENTITY})
    scoping = build_element(
        samlp("Scoping"),
        {"ProxyCount": "2"},
        build_element(samlp("IDPList"), {}, entry),
        build_element(samlp("RequesterID"), text="https://behind.example"),
    )
    return an_authn_request(a_policy(AllowCreate="true"), contexts, scoping, ForceAuthn="true")


@cache
def _signed_request() -> bytes:
    request = _request()
    XML.sign(request, key=SUPPLIER_KEY.signing)
    return serialize(request)


def _plain_request() -> bytes:
    return serialize(_request())


@cache
def _signed_query() -> bytes:
    return as_query(_request(), relay_state="les-3", key=SUPPLIER_KEY)


def _with_old_signature(message: bytes, _base: str) -> bytes:
    """Put another request into a query whose signature stays."""
    if message == _plain_request():
        return _signed_query()
    _, _, rest = _signed_query().partition(b"&")
    return build_redirect_query(message, kind="SAMLRequest").encode() + b"&" + rest


def _sign_query(message: bytes, _base: str) -> bytes:
    query = build_redirect_query(message, kind="SAMLRequest", relay_state="les-3")
    return XML.sign_query(query, key=SUPPLIER_KEY.signing).encode()


def _read_form(message: bytes) -> CheckedAuthnRequest:
    form = [("SAMLRequest", encode_post(message)), ("RelayState", "les-3")]
    return check_request(form, provider=STRICT)


def _read_query(query: bytes) -> CheckedAuthnRequest:
    return check_request(query, provider=STRICT)


def _same_request(honest: CheckedAuthnRequest, found: CheckedAuthnRequest) -> bool:
    return honest == found and found.relay_state == honest.relay_state


def _is_for_supplier(_honest: Any, found: CheckedAuthnRequest) -> bool:
    """Whatever a supplier asks: the answer goes to its own registered place, for itself alone."""
    return found.acs_url == SUPPLIER_ACS and found.on_behalf_of == ()


# Metadata ------------------------------------------------------------------------------------


@cache
def _idp() -> bytes:
    logout = an_endpoint("SingleLogoutService", n.BINDING_REDIRECT, "https://x.example/slo")
    about = ui_info('<mdui:DisplayName xml:lang="nl">De Vuurvogel</mdui:DisplayName>')
    scope = '<shibmd:Scope regexp="false">vuurvogel.example</shibmd:Scope>'
    return an_idp(logout, of_role=(about, scope), attributes='WantAuthnRequestsSigned="1"').encode()


@cache
def _sp() -> bytes:
    keys = (a_key(SUPPLIER_KEY.certificate), a_key(BROKER_ENCRYPTION.certificate, use="encryption"))
    category = an_entity_attribute("http://macedir.org/entity-category", "https://x.example/c")
    return an_sp(keys=keys, of_entity=(category,), attributes='AuthnRequestsSigned="true"').encode()


def _read_idp(document: bytes) -> SamlIdpEndpoints:
    return read_idp_metadata(document, xml=XML, entity_id=SCHOOL_ENTITY, now=NOW)


def _read_sp(document: bytes) -> SamlServiceProvider:
    return read_sp_metadata(
        document, xml=XML, entity_id=SUPPLIER_ENTITY, encrypt_assertions=True, now=NOW
    )


def _is_usable_idp(_honest: Any, found: SamlIdpEndpoints) -> bool:
    """Whatever a school publishes: keys to check it by, and places that are safe."""
    places = (
        found.sso_redirect_url,
        found.sso_post_url,
        found.slo_redirect_url,
        found.slo_post_url,
    )
    return (
        found.entity_id == SCHOOL_ENTITY
        and bool(found.signing_certificates)
        and all(is_safe_location(each) for each in places if each is not None)
    )


def _is_usable_sp(_honest: Any, found: SamlServiceProvider) -> bool:
    """Whatever a supplier publishes: our own policy stands, and places are safe."""
    return (
        found.entity_id == SUPPLIER_ENTITY
        and found.encrypt_assertions
        and bool(found.encryption_certificates)
        and (bool(found.signing_certificates) or not found.require_signed_requests)
        and bool(found.assertion_consumer_services)
        and all(is_safe_location(each.url) for each in found.assertion_consumer_services)
    )


@cache
def _aggregate() -> bytes:
    return an_aggregate(_idp().decode(), _sp().decode())


def _read_aggregate(document: bytes) -> Any:
    metadata = open_signed_metadata(document, xml=XML, keys=[FEDERATION_KEY.verification], now=NOW)
    return [
        describe_entity(metadata, entity_id=each, now=NOW)
        for each in (SCHOOL_ENTITY, SUPPLIER_ENTITY)
    ]


TARGETS: dict[str, Target] = {
    "response": Target(RESPONSES, as_it_is, _read_response, same),
    "response-of-a-liar": Target(
        {"assertion": lambda: serialize(a_response(signed="nothing"))},
        _sign_assertion,
        _read_response,
        _is_ours,
    ),
    "request": Target({"form": _signed_request}, as_it_is, _read_form, _same_request),
    "query": Target({"query": _plain_request}, _with_old_signature, _read_query, _same_request),
    "request-of-a-liar": Target(
        {"query": _plain_request}, _sign_query, _read_query, _is_for_supplier
    ),
    "school-metadata": Target({"idp": _idp}, as_it_is, _read_idp, _is_usable_idp),
    "supplier-metadata": Target({"sp": _sp}, as_it_is, _read_sp, _is_usable_sp),
    "aggregate": Target({"aggregate": _aggregate}, as_it_is, _read_aggregate, same),
    **LOGOUT_TARGETS,
}
"""By name, as `seeds` call them."""
