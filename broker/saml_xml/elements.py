"""Reading and building elements so that no value is cut, merged or pasted into markup.

Readers return text exactly as it was sent. `element.text` alone would end at the first comment or
child (the class of flaws around CVE-2017-11427); these refuse instead. Builders set values on a
tree, so escaping is the serialiser's.
"""

from collections.abc import Mapping
from typing import TypeAlias

from lxml import etree

from broker.saml_xml.refusals import MessageUnreadable, ValueUnwritable

Element: TypeAlias = etree._Element  # noqa: SLF001 -- lxml has no public name for the type


def text_of(element: Element) -> str:
    """Return the text of `element`, exact; an empty element gives the empty string.

    Raises:
        MessageUnreadable: `element` holds a child, a comment or a processing instruction.
    """
    if len(element):
        raise MessageUnreadable("plain-text")
    return element.text or ""


def children_of(element: Element, tag: str) -> list[Element]:
    """Return the direct children named `tag`, in document order."""
    return list(element.iterchildren(tag))


def optional_child(element: Element, tag: str) -> Element | None:
    """Return the only direct child named `tag`, or None when there is none.

    Raises:
        MessageUnreadable: there are several.
    """
    found = children_of(element, tag)
    if len(found) > 1:
        raise MessageUnreadable("one-child", subject=local_name(tag))
    return found[0] if found else None


def only_child(element: Element, tag: str) -> Element:
    """Return the one direct child named `tag`.

    Raises:
        MessageUnreadable: there is none, or there are several.
    """
    found = optional_child(element, tag)
    if found is None:
        raise MessageUnreadable("one-child", subject=local_name(tag))
    return found


def required_attribute(element: Element, name: str) -> str:
    """Return attribute `name` of `element`, exact.

    Raises:
        MessageUnreadable: there is none.
    """
    value = element.get(name)
    if value is None:
        raise MessageUnreadable("attribute", subject=name)
    return value


def local_name(tag: str) -> str:
    """Return the part of `tag` behind its namespace.

    >>> local_name("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer")
    'Issuer'
    """
    return tag.rpartition("}")[2]


def build_element(
    tag: str,
    attributes: Mapping[str, str | None] | None = None,
    *children: Element,
    text: str | None = None,
    nsmap: dict[str, str] | None = None,
) -> Element:
    """Return a new element with the given attributes, children and text.

    Args:
        attributes: by name; those with value None are left out.
        nsmap: prefixes to declare here; children made elsewhere share them where they can.

    Raises:
        ValueUnwritable: a value holds a character that XML 1.0 cannot carry; the subject is the
            name of the attribute or element, never the value.
    """
    element = _fill(etree.Element(tag, nsmap=nsmap), attributes, text=text)
    element.extend(children)
    return element


def add_element(
    parent: Element,
    tag: str,
    attributes: Mapping[str, str | None] | None = None,
    *,
    text: str | None = None,
) -> Element:
    """Return a new element that is the last child of `parent`; else as `build_element`.

    An answer of many elements is made from its root in half the time: none has to move.
    """
    return _fill(etree.SubElement(parent, tag), attributes, text=text)


def _fill(
    element: Element, attributes: Mapping[str, str | None] | None, *, text: str | None
) -> Element:
    try:
        for name, value in (attributes or {}).items():
            if value is not None:
                element.set(name, value)
    except ValueError:
        raise ValueUnwritable("xml-characters", subject=local_name(name)) from None
    try:
        element.text = text
    except ValueError:
        raise ValueUnwritable("xml-characters", subject=local_name(str(element.tag))) from None
    return element


def serialize(element: Element) -> bytes:
    """Return `element` as a document of its own: UTF-8, no declaration, no added whitespace."""
    return etree.tostring(element, encoding="utf-8", with_tail=False)


def write_indented(element: Element) -> str:
    """Return `element` as people read it, in lines; never what is signed or sent."""
    etree.indent(element)
    return etree.tostring(element, encoding="unicode", with_tail=False)
