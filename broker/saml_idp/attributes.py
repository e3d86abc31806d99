"""By what names and in what form released attributes, and the pseudonym, stand in an assertion.

SAML core 2.7.3; saml2int 2.0 IDP13 and IDP18; SAML V2.0 Subject Identifier Attributes Profile 1.0,
2.2. `pairwise-id` is the pseudonym with a scope that is the same for everybody and for good, so it
tells nothing more. `subject-id` would be one name at every supplier: there is none.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.release import ReleaseDecision
from broker.domain.saml_answer_forms import PAIRWISE_ID, AttributeNaming
from broker.saml_xml.elements import Element, add_element
from broker.saml_xml.names import ATTRNAME_BASIC, ATTRNAME_URI, SAML

PREVIOUS_SUB = "previous_sub"
"""Attribute by which we tell a supplier the pseudonym of before of the same person."""

PAIRWISE_ID_NAME = "urn:oasis:names:tc:SAML:attribute:pairwise-id"

OIDS: Mapping[AttributeName, str] = MappingProxyType(
    {
        AttributeName("givenName"): "urn:oid:2.5.4.42",  # RFC 4519 2.12
        AttributeName("sn"): "urn:oid:2.5.4.4",  # RFC 4519 2.32
        AttributeName("initials"): "urn:oid:2.5.4.43",  # RFC 4519 2.14
        AttributeName("uid"): "urn:oid:0.9.2342.19200300.100.1.1",  # RFC 4519 2.39
        AttributeName("mail"): "urn:oid:0.9.2342.19200300.100.1.3",  # RFC 4524 2.16
        AttributeName("employeeNumber"): "urn:oid:2.16.840.1.113730.3.1.3",  # RFC 2798 2.4
        AttributeName("eduPersonAffiliation"): "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",  # eduPerson
    }
)
"""Attributes with a registered URI for this very meaning and form; the others have none."""

Attributes = Sequence[tuple[str, tuple[str, ...]]]
"""Attribute name on the wire and its values, in order."""

_NAMES: Mapping[AttributeNaming, Mapping[AttributeName, str]] = MappingProxyType(
    {
        "basic": MappingProxyType({each: str(each) for each in VOCABULARY}),
        "uri": MappingProxyType({each: OIDS.get(each, str(each)) for each in VOCABULARY}),
    }
)
_CANONICAL: Mapping[AttributeNaming, Mapping[str, AttributeName]] = MappingProxyType(
    {
        naming: MappingProxyType({wire: name for name, wire in names.items()})
        for naming, names in _NAMES.items()
    }
)
_EVERY_NAME: Mapping[str, AttributeName] = MappingProxyType(
    {wire: name for names in _CANONICAL.values() for wire, name in names.items()}
)
_FRIENDLY: Mapping[str, str] = MappingProxyType(
    {**{oid: str(name) for name, oid in OIDS.items()}, PAIRWISE_ID_NAME: PAIRWISE_ID}
)


def attribute_names(naming: AttributeNaming = "basic") -> Mapping[str, AttributeName]:
    """Return outgoing attribute name -> canonical name, for `release.lint_claims`.

    In both claim profiles a SAML attribute has its canonical (Entree) name.
    """
    return _CANONICAL[naming]


def canonical_name(wire_name: str) -> AttributeName | None:
    """Return which attribute a service provider means by a name, in whichever form.

    >>> canonical_name("urn:oid:2.5.4.42"), canonical_name("givenName"), canonical_name("shoeSize")
    ('givenName', 'givenName', None)
    """
    return _EVERY_NAME.get(wire_name)


def build_attributes(
    decision: ReleaseDecision, naming: AttributeNaming = "basic"
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the attributes that a decision releases, by their names on the wire, as stated."""
    names = _NAMES[naming]
    return tuple((names[each.name], each.values) for each in decision.released)


def build_pseudonym_attributes(
    pseudonym: str, *, names: Sequence[str], scope: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the attributes that hold a pseudonym, as a document names them.

    >>> build_pseudonym_attributes("a23", names=["pairwise-id", "uid"], scope="broker.example")[0]
    ('urn:oasis:names:tc:SAML:attribute:pairwise-id', ('a23@broker.example',))
    """
    return tuple(
        (PAIRWISE_ID_NAME, (f"{pseudonym}@{scope}",))
        if each == PAIRWISE_ID
        else (each, (pseudonym,))
        for each in names
    )


def add_attributes(assertion: Element, attributes: Attributes) -> None:
    """Add what is stated; no statement at all for nothing: an empty one is not allowed (2.7.3).

    A name that is a URN is of NameFormat uri, any other of basic.
    """
    if not attributes:
        return
    statement = add_element(assertion, f"{{{SAML}}}AttributeStatement")
    for name, values in attributes:
        stated = {"Name": name}
        stated["NameFormat"] = ATTRNAME_URI if name.startswith("urn:") else ATTRNAME_BASIC
        if name in _FRIENDLY:
            stated["FriendlyName"] = _FRIENDLY[name]
        attribute = add_element(statement, f"{{{SAML}}}Attribute", stated)
        for value in values:
            add_element(attribute, f"{{{SAML}}}AttributeValue", text=value)
