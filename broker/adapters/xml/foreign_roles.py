"""What the schema is asked of a document: all of it, without roles that other protocols define.

The metadata of ADFS and Entra ID hold a RoleDescriptor of a type that WS-Federation defines, not
SAML (SAML metadata 2.4.1 lets others do that). Nothing of ours reads such a role, and the schema
does not know its type. It may stay in the document, whose signature covers it, so what has one is
copied: an aggregate goes part by part, and no more than one entity of it is copied at a time.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import cast

from lxml import etree

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element
from broker.saml_xml.metadata import ENTITIES_DESCRIPTOR, ENTITY_DESCRIPTOR, entities_of

_ROLE_DESCRIPTOR = f"{{{n.MD}}}RoleDescriptor"
_TYPE = f"{{{n.XSI}}}type"
_PLACE_HOLDER = etree.fromstring(
    f'<EntityDescriptor xmlns="{n.MD}" entityID="urn:of">'
    '<AffiliationDescriptor affiliationOwnerID="urn:of"><AffiliateMember>urn:of</AffiliateMember>'
    "</AffiliationDescriptor></EntityDescriptor>"
)
"""The smallest that an entity can be."""


def parts_for_schema(root: Element) -> Iterator[Element]:
    """Yield what must be valid for `root` to be: itself, where no role is of another protocol.

    Each part is to be looked at before the next is asked for, and only read.
    """
    if etree.QName(root).namespace != n.MD or not _has_foreign_roles(root):
        yield root
    elif root.tag == ENTITIES_DESCRIPTOR:
        yield _without_foreign_roles(_around_entities(root))
        for entity in entities_of(root):
            yield _without_foreign_roles(deepcopy(entity)) if _has_foreign_roles(entity) else entity
    else:
        yield _without_foreign_roles(deepcopy(root))


def _around_entities(aggregate: Element) -> Element:
    """Return a copy of an aggregate, and of those in it, with a place holder for each entity."""
    copy = etree.Element(aggregate.tag, nsmap=cast("dict[str, str]", aggregate.nsmap))
    copy.attrib.update(aggregate.attrib)
    copy.text = aggregate.text
    for each in aggregate:
        if each.tag == ENTITIES_DESCRIPTOR:
            part = _around_entities(each)
        else:
            part = deepcopy(_PLACE_HOLDER if each.tag == ENTITY_DESCRIPTOR else each)
        part.tail = each.tail
        copy.append(part)
    return copy


def _without_foreign_roles(copy: Element) -> Element:
    for each in list(_foreign_roles(copy)):
        parent = each.getparent()
        if parent is not None:
            parent.remove(each)
    return copy


def _has_foreign_roles(root: Element) -> bool:
    return next(_foreign_roles(root), None) is not None


def _foreign_roles(root: Element) -> Iterator[Element]:
    return (each for each in root.iter(_ROLE_DESCRIPTOR) if _TYPE in each.attrib)
