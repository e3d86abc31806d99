"""Reading SAML metadata: what an identity and a service provider have in common.

SAML metadata 2.0 and its metadata interoperability profile: certificates are containers of keys,
their dates and issuers mean nothing. Whether a document comes from whom it should (a pinned key,
an operator's own hands) is decided before it gets here.
"""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from broker.domain.refusals import WhoseTask
from broker.saml_xml.bindings import decode_base64
from broker.saml_xml.elements import (
    Element,
    children_of,
    local_name,
    required_attribute,
    text_of,
)
from broker.saml_xml.instants import parse_instant
from broker.saml_xml.keys import UnusableKey, verification_key
from broker.saml_xml.names import DS, MD, SAMLP
from broker.saml_xml.refusals import XmlRefusal

ENTITY_DESCRIPTOR = f"{{{MD}}}EntityDescriptor"
ENTITIES_DESCRIPTOR = f"{{{MD}}}EntitiesDescriptor"
KEY_DESCRIPTOR = f"{{{MD}}}KeyDescriptor"
X509_CERTIFICATE = f"{{{DS}}}X509Certificate"

XML_WHITESPACE = " \t\r\n"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

SIGNING = "signing"
ENCRYPTION = "encryption"


class MetadataUnusable(XmlRefusal):
    """`subject` names the element or attribute that is missing or cannot be used."""

    code = "E-XML-7"
    what = "The metadata of the school's login cannot be used: {subject}."
    remedy = "The administrator of the school's login can publish metadata that is complete."


class SupplierMetadataUnusable(MetadataUnusable):
    """`MetadataUnusable`, of a supplier."""

    code = "E-XML-17"
    whose_task = WhoseTask.SUPPLIER
    what = "The metadata of the learning material cannot be used: {subject}."
    remedy = "The supplier of the material can publish metadata that is complete."


MetadataUnusable.of_supplier = SupplierMetadataUnusable
SupplierMetadataUnusable.of_supplier = SupplierMetadataUnusable


def entities_of(root: Element) -> Iterator[Element]:
    """Yield the EntityDescriptors of a document, in order: itself, or those of an aggregate and of
    the aggregates in it (SAML metadata 2.3.1). One that stands elsewhere, as inside somebody's
    Extensions, is none: whoever hands in an entity must not describe another one in it.
    """
    if root.tag == ENTITY_DESCRIPTOR:
        yield root
    elif root.tag == ENTITIES_DESCRIPTOR:
        for each in root.iterchildren(ENTITY_DESCRIPTOR, ENTITIES_DESCRIPTOR):
            yield from entities_of(each)


def find_entity(root: Element, *, entity_id: str) -> Element:
    """Return the one EntityDescriptor of `entity_id`, alone or in an aggregate.

    Raises:
        MetadataUnusable: none, or several.
    """
    found = [each for each in entities_of(root) if each.get("entityID") == entity_id]
    if len(found) != 1:
        raise MetadataUnusable("check_entity_described_once", subject="entityID")
    return found[0]


def find_role(entity: Element, tag: str) -> Element:
    """Return the one descriptor of a role that speaks SAML 2.0 (SAML metadata 2.4.1).

    Raises:
        MetadataUnusable: none, or several.
    """
    found = [
        each
        for each in children_of(entity, tag)
        if SAMLP in required_attribute(each, "protocolSupportEnumeration").split()
    ]
    if len(found) != 1:
        raise MetadataUnusable("check_role_described_once", subject=local_name(tag))
    return found[0]


def check_not_expired(role: Element, *, now: datetime) -> None:
    """Refuse metadata whose validUntil, or that of anything around it, has passed (2.3.1).

    Raises:
        MetadataUnusable: it has.
    """
    for each in (role, *role.iterancestors()):
        valid_until = each.get("validUntil")
        if valid_until is not None and parse_instant(valid_until) <= now:
            raise MetadataUnusable("check_not_expired", subject="validUntil")


def read_certificates(role: Element, *, use: str) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a role for `use`, in document order, each once.

    A KeyDescriptor without `use` serves both uses (SAML metadata 2.4.1.1). One that states its key
    in another way than by a certificate is passed over.

    Raises:
        MetadataUnusable: a certificate cannot be read, or its key is too weak.
    """
    found: dict[bytes, None] = {}
    for descriptor in children_of(role, KEY_DESCRIPTOR):
        if descriptor.get("use", use) != use:
            continue
        for each in descriptor.iter(X509_CERTIFICATE):
            certificate = decode_base64(text_of(each), whitespace=XML_WHITESPACE)
            try:
                verification_key(certificate)
            except UnusableKey:
                raise MetadataUnusable("check_key_usable", subject="X509Certificate") from None
            found[certificate] = None
    return tuple(found)


def read_locations(role: Element, tag: str, *, binding: str) -> list[tuple[Element, str]]:
    """Return the endpoints named `tag` of a binding, each with its Location, in document order.

    Raises:
        MetadataUnusable: a Location is no URL to which a message may go.
    """
    found = []
    for each in children_of(role, tag):
        if each.get("Binding") == binding:
            location = required_attribute(each, "Location")
            if not is_safe_location(location):
                raise MetadataUnusable("check_location_safe", subject=local_name(tag))
            found.append((each, location))
    return found


def is_safe_location(location: str) -> bool:
    """Tell whether a message may go to `location`: https, or plain http on this very machine.

    >>> is_safe_location("https://school.example/sso"), is_safe_location("http://school.example/")
    (True, False)
    >>> is_safe_location("http://localhost:8010/sso"), is_safe_location("javascript:alert(1)")
    (True, False)
    """
    try:
        parts = urlsplit(location)
        host = parts.hostname
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return False
    if not host or parts.fragment or parts.username is not None or not location.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS)


def is_true(value: str | None) -> bool:
    """Tell whether an `xs:boolean` attribute is there and true (XML Schema 2, 3.2.2).

    Whitespace around it means nothing (4.3.6), and the schema lets it through: whoever wrote
    ` true` for ForceAuthn asks for a new login.

    >>> is_true("1"), is_true(" true "), is_true("false"), is_true(None)
    (True, True, False, False)
    """
    return value is not None and value.strip(XML_WHITESPACE) in ("true", "1")
