"""What SAML libraries send and demand with their default settings, as their sources state.

One record a library. `asks` are the children of its AuthnRequest, `demands` the checks that it
makes by default of the answer, each a function that fails as the library would. Read in node-saml
5 (`saml.ts`), python3-saml 1.16 and php-saml 4 (`settings`, `response`), ruby-saml 1.18
(`response.rb`), pysaml2 7.5 (`response.py`), Shibboleth SP 3 (`security-policy.xml`),
mod_auth_mellon 0.18 over lasso 2.8, SimpleSAMLphp 2 (`SP.php`) and crewjam/saml 0.5
(`service_provider.go`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element, children_of, serialize
from broker.saml_xml.instants import parse_instant
from tests.builders_saml import (
    BROKER_IDP,
    BROKER_KEY,
    REQUEST_ID,
    SUPPLIER_ACS,
    SUPPLIER_ENTITY,
    XML,
    saml,
    samlp,
)

SIGNATURE = f"{{{n.DS}}}Signature"


@dataclass(frozen=True)
class Arrived:
    """An answer as a library gets it: nothing verified yet."""

    response: Element
    now: datetime

    @property
    def assertion(self) -> Element:
        (assertion,) = children_of(self.response, saml("Assertion"))
        return assertion

    def texts(self, local: str) -> list[str | None]:
        return [each.text for each in self.assertion.iter(saml(local))]


Demand = Callable[[Arrived], None]


def response_signed(arrived: Arrived) -> None:
    XML.verify(XML.parse(serialize(arrived.response)).root, keys=[BROKER_KEY.verification])


def assertion_signed(arrived: Arrived) -> None:
    root = XML.parse(serialize(arrived.response)).root
    (assertion,) = children_of(root, saml("Assertion"))
    XML.verify(assertion, keys=[BROKER_KEY.verification])


def signed_somewhere(arrived: Arrived) -> None:
    either = (arrived.response, arrived.assertion)
    signed = [each for each in either if children_of(each, SIGNATURE)]
    assert signed
    (response_signed if signed[0] is arrived.response else assertion_signed)(arrived)


def no_signature_elsewhere(arrived: Arrived) -> None:
    for each in arrived.response.iter(SIGNATURE):
        assert each.getparent() in (arrived.response, arrived.assertion)


def status_success(arrived: Arrived) -> None:
    codes = [each.get("Value") for each in arrived.response.iter(samlp("StatusCode"))]
    assert codes == [n.STATUS_SUCCESS]


def destination(arrived: Arrived) -> None:
    assert arrived.response.get("Destination") == SUPPLIER_ACS


def in_response_to(arrived: Arrived) -> None:
    data = next(arrived.assertion.iter(saml("SubjectConfirmationData")))
    assert arrived.response.get("InResponseTo") == data.get("InResponseTo") == REQUEST_ID


def recipient(arrived: Arrived) -> None:
    data = next(arrived.assertion.iter(saml("SubjectConfirmationData")))
    assert data.get("Recipient") == SUPPLIER_ACS
    assert data.get("NotBefore") is None
    assert arrived.now < parse_instant(data.get("NotOnOrAfter") or "")
    (confirmation,) = arrived.assertion.iter(saml("SubjectConfirmation"))
    assert confirmation.get("Method") == n.CONFIRMATION_BEARER


def audience(arrived: Arrived) -> None:
    assert arrived.texts("Audience") == [SUPPLIER_ENTITY]


def conditions(arrived: Arrived) -> None:
    """node-saml allows clocks no difference at all by default, ruby-saml one millisecond."""
    (found,) = arrived.assertion.iter(saml("Conditions"))
    begins, ends = (parse_instant(found.get(each) or "") for each in ("NotBefore", "NotOnOrAfter"))
    for clock in (
        arrived.now - timedelta(seconds=59),
        arrived.now,
        arrived.now + timedelta(minutes=4),
    ):
        assert begins <= clock < ends


def issuer(arrived: Arrived) -> None:
    assert arrived.texts("Issuer") == [BROKER_IDP]
    (outer,) = children_of(arrived.response, saml("Issuer"))
    assert outer.text == BROKER_IDP


def one_authn_statement(arrived: Arrived) -> None:
    (statement,) = arrived.assertion.iter(saml("AuthnStatement"))
    assert statement.get("SessionNotOnOrAfter") is None
    assert statement.get("SessionIndex")


def name_id(arrived: Arrived) -> None:
    (found,) = arrived.assertion.iter(saml("NameID"))
    assert found.text
    assert found.get("SPNameQualifier") in (None, SUPPLIER_ENTITY)


def attribute_statement(arrived: Arrived) -> None:
    assert list(arrived.assertion.iter(saml("AttributeStatement")))


def attribute_names_once(arrived: Arrived) -> None:
    names = [each.get("Name") for each in arrived.assertion.iter(saml("Attribute"))]
    assert len(names) == len(set(names))


def authn_context_is_ours(arrived: Arrived) -> None:
    """None of them looks at the class; it must be there (SAML core 2.7.2)."""
    assert len(arrived.texts("AuthnContextClassRef")) == 1


EVERY: tuple[Demand, ...] = (
    *(status_success, destination, in_response_to, recipient, audience, conditions, issuer),
    *(one_authn_statement, no_signature_elsewhere, attribute_names_once, authn_context_is_ours),
)


@dataclass(frozen=True, kw_only=True)
class Library:
    """One library with its defaults.

    Attributes:
        formats: NameIDFormat of the metadata that it generates.
        want_assertions_signed: of that metadata; None where it is left out.
        asked_format: of NameIDPolicy; None: no Format, "": no NameIDPolicy.
    """

    name: str
    formats: tuple[str, ...] = ()
    want_assertions_signed: bool | None = None
    asked_format: str | None = ""
    asks_password: bool = False
    demands: tuple[Demand, ...]
    persistent: bool = True

    @property
    def asks(self) -> list[Element]:
        asked = []
        if self.asked_format != "":
            policy = {"Format": self.asked_format, "AllowCreate": "true"}
            asked.append(build_element(samlp("NameIDPolicy"), policy))
        if self.asks_password:
            wanted = build_element(saml("AuthnContextClassRef"), text=n.AUTHN_PASSWORD_PROTECTED)
            exact = {"Comparison": "exact"}
            asked.append(build_element(samlp("RequestedAuthnContext"), exact, wanted))
        return asked


LIBRARIES = (
    Library(
        name="node-saml",
        formats=(n.NAMEID_EMAIL,),
        want_assertions_signed=True,
        asked_format=n.NAMEID_EMAIL,
        asks_password=True,
        demands=(response_signed, assertion_signed, name_id),
    ),
    Library(
        name="OneLogin",
        formats=(n.NAMEID_UNSPECIFIED,),
        want_assertions_signed=False,
        asked_format=n.NAMEID_UNSPECIFIED,
        asks_password=True,
        demands=(signed_somewhere, name_id, attribute_statement),
    ),
    Library(name="ruby-saml", want_assertions_signed=False, demands=(signed_somewhere, name_id)),
    Library(name="pysaml2", want_assertions_signed=True, demands=(response_signed,)),
    Library(name="Shibboleth", asked_format=None, demands=(signed_somewhere,)),
    Library(
        name="mod_auth_mellon",
        formats=(n.NAMEID_TRANSIENT,),
        want_assertions_signed=True,
        asked_format=None,
        demands=(assertion_signed, name_id),
    ),
    Library(
        name="SimpleSAMLphp",
        formats=(n.NAMEID_TRANSIENT,),
        asked_format=n.NAMEID_TRANSIENT,
        demands=(signed_somewhere, name_id),
        persistent=False,
    ),
    Library(
        name="crewjam",
        formats=(n.NAMEID_TRANSIENT,),
        want_assertions_signed=True,
        asked_format=n.NAMEID_TRANSIENT,
        demands=(signed_somewhere, name_id),
        persistent=False,
    ),
)
