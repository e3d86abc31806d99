"""SAML metadata of made-up parties as text: what they publish besides places and keys, too.

Text, because half of what tests need is malformed. The prefixes are declared at the entity.
"""

from base64 import b64encode

from broker.saml_xml import names as n
from tests.builders_saml import (
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SCHOOL_SSO,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
)

PREFIXES = (
    f'xmlns="{n.MD}" xmlns:ds="{n.DS}" xmlns:saml="{n.SAML}" xmlns:mdui="{n.MDUI}" '
    f'xmlns:mdattr="{n.MDATTR}" xmlns:alg="{n.ALG}" xmlns:shibmd="{n.SHIBMD}"'
)
INDEX_1 = 'index="1"'


def a_key(certificate: bytes, *inside: str, use: str | None = "signing") -> str:
    """Return a KeyDescriptor; `inside` stands behind its KeyInfo."""
    stated = "" if use is None else f' use="{use}"'
    text = b64encode(certificate).decode()
    return (
        f"<KeyDescriptor{stated}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}"
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{''.join(inside)}</KeyDescriptor>"
    )


def an_endpoint(name: str, binding: str, location: str, more: str = "") -> str:
    """Return an endpoint of any kind."""
    return f'<{name} Binding="{binding}" Location="{location}" {more}/>'


def extensions(*inside: str) -> str:
    """Return Extensions, or nothing when nothing is inside."""
    return f"<Extensions>{''.join(inside)}</Extensions>" if inside else ""


def ui_info(*inside: str) -> str:
    """Return a UIInfo."""
    return f"<mdui:UIInfo>{''.join(inside)}</mdui:UIInfo>"


def an_entity_attribute(name: str, *values: str) -> str:
    """Return an EntityAttributes with one attribute."""
    texts = "".join(f"<saml:AttributeValue>{each}</saml:AttributeValue>" for each in values)
    return (
        f'<mdattr:EntityAttributes><saml:Attribute Name="{name}" NameFormat="{n.ATTRNAME_URI}">'
        f"{texts}</saml:Attribute></mdattr:EntityAttributes>"
    )


def an_entity(
    role: str, *, entity_id: str, of_entity: tuple[str, ...] = (), attributes: str = ""
) -> str:
    """Return an EntityDescriptor around a role."""
    return (
        f'<EntityDescriptor {PREFIXES} entityID="{entity_id}" {attributes}>'
        f"{extensions(*of_entity)}{role}</EntityDescriptor>"
    )


def an_idp(
    *inside: str,
    of_role: tuple[str, ...] = (),
    of_entity: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
    sso: str = SCHOOL_SSO,
    attributes: str = "",
    entity_attributes: str = "",
    entity_id: str = SCHOOL_ENTITY,
) -> str:
    """Return an identity provider; `inside` stands in front of its SingleSignOnService."""
    role = (
        f'<IDPSSODescriptor protocolSupportEnumeration="{n.SAMLP}" {attributes}>'
        f"{extensions(*of_role)}{''.join(keys or (a_key(SCHOOL_KEY.certificate),))}"
        f"{''.join(inside)}{an_endpoint('SingleSignOnService', n.BINDING_REDIRECT, sso)}"
        "</IDPSSODescriptor>"
    )
    return an_entity(role, entity_id=entity_id, of_entity=of_entity, attributes=entity_attributes)


def an_sp(
    *inside: str,
    behind: tuple[str, ...] = (),
    of_role: tuple[str, ...] = (),
    of_entity: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
    acs: str = SUPPLIER_ACS,
    attributes: str = "",
    entity_attributes: str = "",
    entity_id: str = SUPPLIER_ENTITY,
) -> str:
    """Return a service provider; `inside` stands in front of its AssertionConsumerService."""
    role = (
        f'<SPSSODescriptor protocolSupportEnumeration="{n.SAMLP}" {attributes}>'
        f"{extensions(*of_role)}{''.join(keys or (a_key(SUPPLIER_KEY.certificate),))}"
        f"{''.join(inside)}"
        f"{an_endpoint('AssertionConsumerService', n.BINDING_POST, acs, INDEX_1)}"
        f"{''.join(behind)}</SPSSODescriptor>"
    )
    return an_entity(role, entity_id=entity_id, of_entity=of_entity, attributes=entity_attributes)
