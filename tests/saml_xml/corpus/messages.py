"""Builders of schema-valid SAML messages about a made-up pupil; nothing in them is signed yet."""

from broker.adapters.xml.xml_security import LxmlSecurity
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, serialize

SECURITY = LxmlSecurity()

IDP = "https://idp.vuurvogel.example"
SP = "https://broker.example/saml/sp/metadata"
ACS = "https://broker.example/saml/sp/acs"
INSTANT = "2026-03-02T08:00:00Z"
HONEST = "sanne@vuurvogel.example"
EVIL = "els@vuurvogel.example"


def saml(local: str) -> str:
    return f"{{{n.SAML}}}{local}"


def samlp(local: str) -> str:
    return f"{{{n.SAMLP}}}{local}"


def ds(local: str) -> str:
    return f"{{{n.DS}}}{local}"


ASSERTION = saml("Assertion")


def an_assertion(*, name_id: str = HONEST, own_id: str = "_assertion") -> Element:
    """Return an assertion with the statements and attributes that a school sends."""
    attributes = {"uid": name_id, "givenName": "Sanne", "eduPersonAffiliation": "student"}
    return build_element(
        ASSERTION,
        {"ID": own_id, "Version": "2.0", "IssueInstant": INSTANT},
        build_element(saml("Issuer"), text=IDP),
        build_element(
            saml("Subject"),
            {},
            build_element(saml("NameID"), {"Format": n.NAMEID_UNSPECIFIED}, text=name_id),
            build_element(
                saml("SubjectConfirmation"),
                {"Method": n.CONFIRMATION_BEARER},
                build_element(
                    saml("SubjectConfirmationData"),
                    {"Recipient": ACS, "NotOnOrAfter": INSTANT, "InResponseTo": "_request"},
                ),
            ),
        ),
        build_element(
            saml("Conditions"),
            {"NotBefore": INSTANT, "NotOnOrAfter": INSTANT},
            build_element(
                saml("AudienceRestriction"), {}, build_element(saml("Audience"), text=SP)
            ),
        ),
        build_element(
            saml("AuthnStatement"),
            {"AuthnInstant": INSTANT, "SessionIndex": "_session"},
            build_element(
                saml("AuthnContext"),
                {},
                build_element(saml("AuthnContextClassRef"), text=n.AUTHN_PASSWORD),
            ),
        ),
        build_element(
            saml("AttributeStatement"),
            {},
            *(
                build_element(
                    saml("Attribute"),
                    {"Name": name, "NameFormat": n.ATTRNAME_BASIC},
                    build_element(
                        saml("AttributeValue"), {f"{{{n.XSI}}}type": "xs:string"}, text=value
                    ),
                )
                for name, value in attributes.items()
            ),
        ),
        nsmap=n.NSMAP_ASSERTION,
    )


def a_response(*content: Element, own_id: str = "_response") -> Element:
    """Return a Response with status success around `content`, usually one assertion."""
    return build_element(
        samlp("Response"),
        {
            "ID": own_id,
            "Version": "2.0",
            "IssueInstant": INSTANT,
            "Destination": ACS,
            "InResponseTo": "_request",
        },
        build_element(saml("Issuer"), text=IDP),
        build_element(
            samlp("Status"), {}, build_element(samlp("StatusCode"), {"Value": n.STATUS_SUCCESS})
        ),
        *content,
        nsmap=n.NSMAP_PROTOCOL,
    )


def an_authn_request(*, own_id: str = "_request") -> Element:
    """Return an AuthnRequest as a supplier sends it."""
    return build_element(
        samlp("AuthnRequest"),
        {
            "ID": own_id,
            "Version": "2.0",
            "IssueInstant": INSTANT,
            "AssertionConsumerServiceURL": ACS,
            "ProtocolBinding": n.BINDING_POST,
        },
        build_element(saml("Issuer"), text=SP),
        build_element(samlp("NameIDPolicy"), {"AllowCreate": "true"}),
        nsmap=n.NSMAP_PROTOCOL,
    )


__all__ = [
    "ACS",
    "ASSERTION",
    "EVIL",
    "HONEST",
    "IDP",
    "INSTANT",
    "SECURITY",
    "SP",
    "a_response",
    "an_assertion",
    "an_authn_request",
    "ds",
    "saml",
    "samlp",
    "serialize",
]
