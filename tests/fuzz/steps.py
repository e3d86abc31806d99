"""How a message is mutated: a list of steps, each a few plain values, so that one can be kept.

    ["text", 12, "…"]   sets the text of the 12th element (counted round), and so on
    ["octets", 0.5, 3, "<!---->"]   replaces three octets in the middle

Steps on the tree come first, in order; then those on octets. A step that cannot be taken changes
nothing, so that every list is a program.
"""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import TypeAlias

from hypothesis import strategies as st
from lxml import etree

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element

Step: TypeAlias = Sequence[str | int | float]

TEXTS = (
    "", " ", "x", "true", " true", "0", "2.0", "_evil", "#_evil", "els@vuurvogel.example",
    "sanne@vuurvogel.example", "https://somebody-else.example", "2026-03-02T08:00:00Z",
    "9999-12-31T23:59:59Z", "2026-03-02T08:00:00", "urn:oasis:names:tc:SAML:2.0:status:Success",
    n.ALG_SHA1, n.ALG_RSA_SHA1, n.ALG_EXCLUSIVE_C14N + "WithComments", n.NAMEID_TRANSIENT,
    "\u0130", "e\u0301", "\u202e", "A" * 300,
)  # fmt: skip
ATTRIBUTES = (
    "ID", "Id", "id", "URI", "Type", "Value", "Destination", "InResponseTo", "Recipient",
    "NotOnOrAfter", "NotBefore", "IssueInstant", "Version", "Name", "Format", "ForceAuthn",
    "AssertionConsumerServiceURL", "AssertionConsumerServiceIndex", "Algorithm", "PrefixList",
    "validUntil", "entityID", "use", "Location", "Binding", f"{{{n.XML}}}id", f"{{{n.XML}}}base",
    f"{{{n.SAML}}}ID", "{http://www.w3.org/2001/XMLSchema-instance}nil",
)  # fmt: skip
TAGS = tuple(
    f"{{{namespace}}}{local}"
    for namespace, locals_ in (
        (n.SAML, ("Assertion", "EncryptedAssertion", "NameID", "Issuer", "Attribute", "Audience")),
        (n.SAML, ("AttributeValue", "Advice", "Subject", "AuthnStatement", "OneTimeUse")),
        (n.SAMLP, ("Response", "AuthnRequest", "LogoutRequest", "Extensions", "StatusCode")),
        (n.DS, ("Signature", "Object", "Reference", "Transform", "KeyInfo", "X509Certificate")),
        (n.MD, ("EntityDescriptor", "EntitiesDescriptor", "KeyDescriptor", "Extensions")),
        ("urn:x", ("y",)),
    )
    for local in locals_
)
OCTETS = (
    "", "<", ">", "&", '"', " ", "=", "A", "\x00", "\r", "&#13;", "&#65;", "&x;", "<!---->",
    "<?x y?>", "<!DOCTYPE r>", "<![CDATA[x]]>", "]]>", "<x/>", ' xmlns=""', ' a="b"', "%41", "+",
    "&SAMLRequest=", "&RelayState=x", "&SigAlg=", "\ufeff", "\u00e9",
)  # fmt: skip

_numbers = st.integers(0, 80)
_texts = st.sampled_from(TEXTS) | st.text(max_size=12)
_on_trees: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("text"), _numbers, _texts),
    st.tuples(st.just("tail"), _numbers, _texts),
    st.tuples(st.just("attribute"), _numbers, st.sampled_from(ATTRIBUTES), _texts),
    st.tuples(st.just("bare"), _numbers, st.sampled_from(ATTRIBUTES)),
    st.tuples(st.just("tag"), _numbers, st.sampled_from(TAGS)),
    st.tuples(st.just("wrap"), _numbers, st.sampled_from(TAGS)),
    st.tuples(st.sampled_from(("drop", "double", "comment", "unwrap", "first")), _numbers),
    st.tuples(st.sampled_from(("move", "copy")), _numbers, _numbers),
)
_on_octets: st.SearchStrategy[Step] = st.tuples(
    st.just("octets"),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 40),
    st.sampled_from(OCTETS) | st.text(max_size=3),
)
steps = st.lists(_on_trees, max_size=3).flatmap(
    lambda first: st.lists(_on_octets, max_size=2).map(lambda then: [*first, *then])
)


def is_on_octets(step: Step) -> bool:
    """Tell whether a step is on what travels, and not on the tree."""
    return step[0] == "octets"


def mutate_octets(message: bytes, program: Sequence[Step]) -> bytes:
    """Return `message` after the steps of `program` that are on octets."""
    for _, place, removed, inserted in filter(is_on_octets, program):
        at = int(float(place) * len(message))
        message = message[:at] + str(inserted).encode() + message[at + int(removed) :]
    return message


def mutate_tree(message: bytes, program: Sequence[Step]) -> bytes:
    """Return `message` after the steps of `program` that are on its tree; the very same octets
    when none could be taken."""
    root, taken = etree.fromstring(message), False
    for kind, *values in program:
        if kind == "octets":
            continue
        elements = list(root.iter("*"))
        try:
            root = _TAKEN[str(kind)](root, elements[int(values[0]) % len(elements)], *values[1:])
        except (ValueError, AttributeError, TypeError, UnicodeEncodeError):
            continue  # a character that XML cannot carry, a root without parent, a cycle
        taken = True
    return etree.tostring(root) if taken else message


def write_program(target: str, base: str, program: Sequence[Step]) -> str:
    """Return a mutation as a line for `seeds`."""
    return json.dumps({"target": target, "base": base, "steps": program}, ensure_ascii=False)


def _text(root: Element, at: Element, text: str) -> Element:
    at.text = text
    return root


def _tail(root: Element, at: Element, text: str) -> Element:
    if at is not root:
        at.tail = text
    return root


def _attribute(root: Element, at: Element, name: str, text: str) -> Element:
    at.set(name, text)
    return root


def _bare(root: Element, at: Element, name: str) -> Element:
    at.attrib.pop(name, "")
    return root


def _tag(root: Element, at: Element, tag: str) -> Element:
    at.tag = tag
    return root


def _wrap(root: Element, at: Element, tag: str) -> Element:
    around = etree.Element(tag)
    parent = at.getparent()
    if parent is not None:
        parent.replace(at, around)
    around.append(at)
    return root if parent is not None else around


def _unwrap(root: Element, at: Element) -> Element:
    parent = at.getparent()
    if parent is not None:
        place = parent.index(at)
        parent.remove(at)
        for child in reversed(at):
            parent.insert(place, child)
    return root


def _drop(root: Element, at: Element) -> Element:
    parent = at.getparent()
    if parent is not None:
        parent.remove(at)
    return root


def _double(root: Element, at: Element) -> Element:
    at.addnext(deepcopy(at))
    return root


def _first(root: Element, at: Element) -> Element:
    parent = at.getparent()
    if parent is not None:
        parent.insert(0, at)
    return root


def _comment(root: Element, at: Element) -> Element:
    at.insert(0, etree.Comment("x"))
    return root


def _copy(root: Element, at: Element, to: int) -> Element:
    elements = list(root.iter("*"))
    elements[int(to) % len(elements)].append(deepcopy(at))
    return root


def _move(root: Element, at: Element, to: int) -> Element:
    elements = list(root.iter("*"))
    elements[int(to) % len(elements)].append(at)
    return root


_TAKEN: dict[str, Callable[..., Element]] = {
    "text": _text,
    "tail": _tail,
    "attribute": _attribute,
    "bare": _bare,
    "tag": _tag,
    "wrap": _wrap,
    "unwrap": _unwrap,
    "drop": _drop,
    "double": _double,
    "first": _first,
    "comment": _comment,
    "copy": _copy,
    "move": _move,
}
