"""Answers in the shapes in which the field's identity providers send them, and their documents.

Shapes as the products send them when set up by their own guides: who signs what, how attributes
and the person are named, what is encrypted. Nothing in them is of a real school.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from broker.domain.identity import PersonNotStated
from broker.domain.refusals import Refusal
from broker.saml_sp import refusals as r
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element
from broker.saml_xml.refusals import DecryptionRefused, SignatureRefused
from tests.builders_encrypted import PKCS1, encrypt_in_place
from tests.builders_saml import BROKER_SP, NOW, SCHOOL_KEY, STRANGER_KEY, saml
from tests.saml_xml.corpus.by_hand import RSA_SHA1, sign_by_hand

WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
MS = "http://schemas.microsoft.com/identity/claims/"
PASSWORD_OVER_TLS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
UNSPECIFIED_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified"
URI_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"

Changes = dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """What is often set wrong at one product, and what is said of it."""

    changes: Callable[[], Changes]
    refusal: type[Refusal]
    check: str


@dataclass(frozen=True)
class Product:
    """One kind of identity provider.

    Attributes:
        entity_id: in the form that it has there.
        names: our name -> the name by which it states the attribute.
        answer: of its Response (`builders_saml.Answer`).
        document: keys of the login's document besides.
        mistakes: by what was set wrong.
    """

    entity_id: str
    names: Mapping[str, str]
    answer: Callable[[], Changes]
    document: Mapping[str, Any] = field(default_factory=dict)
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)


def named(name_format: str | None, *, typed: str = "xs:string", friendly: bool = False) -> Any:
    """Return an edit that lets attributes be written as a product writes them."""

    def edit(assertion: Element) -> None:
        for each in assertion.iter(saml("Attribute")):
            del each.attrib["NameFormat"]
            if name_format is not None:
                each.set("NameFormat", name_format)
            if friendly:
                each.set("FriendlyName", "eckId")  # whatever it says, it says nothing
            for value in each:
                value.set(f"{{{n.XSI}}}type", typed)

    return edit


def then(*edits: Callable[[Element], object]) -> Callable[[Element], None]:
    def edit(element: Element) -> None:
        for each in edits:
            each(element)

    return edit


def sealed(**how: Any) -> Callable[[Element], None]:
    """Return an edit of a Response that encrypts its assertion."""
    return lambda response: encrypt_in_place(response[-1], "EncryptedAssertion", **how)


def by_sha1(response: Element) -> None:
    sign_by_hand(response[-1], SCHOOL_KEY, method=RSA_SHA1, digest_method=n.ALG_SHA1)


OLD_BROKER_KEY = STRANGER_KEY  # any that is not ours any more

PRODUCTS: dict[str, Product] = {
    "adfs": Product(
        entity_id="http://adfs.vuurvogel.example/adfs/services/trust",
        names={
            "employeeNumber": "http://schemas.vuurvogel.example/employeenumber",
            "givenName": WS + "givenname",
            "sn": WS + "surname",
            "uid": WS + "upn",
            "mail": WS + "emailaddress",
            "eduPersonAffiliation": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
        },
        answer=lambda: {
            "signed": "assertion",
            "name_id_attributes": {"Format": n.NAMEID_UNSPECIFIED},
            "authn_context": PASSWORD_OVER_TLS,
            "edit_assertion": named(None),
        },
        mistakes={
            "secure hash algorithm SHA-1 on the trust's Advanced tab": Mistake(
                lambda: {"signed": "nothing", "edit_response": by_sha1},
                SignatureRefused,
                "signature-algorithm",
            ),
            "no claim rule for a Name ID": Mistake(
                lambda: {"name_id": None}, r.NameIdUnusable, "check_name_id_stated"
            ),
            "AES-CBC, its default, to the key in our metadata": Mistake(
                lambda: {"edit_response": sealed(content=n.ALG_AES256_CBC)},
                DecryptionRefused,
                "encryption-method",
            ),
            "a token-signing certificate that rolled over by itself": Mistake(
                lambda: {"key": STRANGER_KEY}, SignatureRefused, "signature-value"
            ),
        },
    ),
    "entra-id": Product(
        entity_id="https://sts.windows.net/0b3e2f6c-6e4d-4f0a-8f38-0d1b5c1a7e11/",
        names={
            "employeeNumber": WS + "employeeid",
            "givenName": WS + "givenname",
            "sn": WS + "surname",
            "uid": WS + "name",
            "eduPersonAffiliation": MS + "affiliation",
        },
        answer=lambda: {
            "signed": "assertion",
            "name_id_attributes": {"Format": n.NAMEID_PERSISTENT},
            "authn_context": n.AUTHN_PASSWORD,
            "edit_assertion": named(UNSPECIFIED_FORMAT),
        },
        document={"attributes": {MS + "tenantid": "ignore"}},
        mistakes={
            "another Identifier (entity ID) than ours": Mistake(
                lambda: {"audiences": (("https://broker.example",),)},
                r.ResponseForSomebodyElse,
                "check_audience",
            ),
            "another Reply URL than ours": Mistake(
                lambda: {
                    "destination": "https://broker.example/acs",
                    "recipient": "https://broker.example/acs",
                },
                r.ResponseForSomebodyElse,
                "check_destination",
            ),
            "the application of another tenant": Mistake(
                lambda: {"issuer": "https://sts.windows.net/another/", "response_issuer": None},
                r.ResponseFromSomebodyElse,
                "check_issuers",
            ),
            "the pupil number is no claim": Mistake(
                lambda: {"without": ("employeeNumber", "eckId")},
                PersonNotStated,
                "check_person_stated",
            ),
        },
    ),
    "google-workspace": Product(
        entity_id="https://accounts.google.com/o/saml2?idpid=C0made0up",
        names={
            "employeeNumber": "leerlingnummer",
            "givenName": "voornaam",
            "eduPersonAffiliation": "rol",
        },
        answer=lambda: {
            "signed": "assertion",
            "name_id_attributes": {"Format": n.NAMEID_EMAIL},
            "authn_context": n.AUTHN_UNSPECIFIED,
            "edit_assertion": named(n.ATTRNAME_BASIC, typed="xs:anyType"),
        },
        mistakes={
            "nothing is signed": Mistake(
                lambda: {"signed": "nothing"}, r.NotAuthenticated, "check_assertion_signed"
            ),
            "started from the tile of Google's own menu": Mistake(
                lambda: {"response_in_response_to": None, "in_response_to": None},
                r.ResponseToAnotherRequest,
                "check_in_response_to",
            ),
        },
    ),
    "simplesamlphp": Product(
        entity_id="https://login.vuurvogel.example/saml2/idp/metadata.php",
        names={name: name for name in ("employeeNumber", "givenName", "uid", "sn", "eckId")}
        | {"eduPersonAffiliation": "eduPersonAffiliation"},
        answer=lambda: {
            "signed": "both",
            "name_id_attributes": {
                "Format": n.NAMEID_TRANSIENT,
                "SPNameQualifier": BROKER_SP,
            },
            "authn_context": PASSWORD_OVER_TLS,
            "edit_assertion": named(n.ATTRNAME_BASIC),
            "edit_response": sealed(content=n.ALG_AES128_GCM),
        },
        mistakes={
            "AES-CBC, its default before version 2.4": Mistake(
                lambda: {"edit_response": sealed(content=n.ALG_AES128_CBC)},
                DecryptionRefused,
                "encryption-method",
            ),
            "PKCS#1 v1.5 for the key, its default before version 2": Mistake(
                lambda: {"edit_response": sealed(key_method=PKCS1)},
                DecryptionRefused,
                "encryption-method",
            ),
        },
    ),
    "shibboleth": Product(
        entity_id="https://idp.vuurvogel.example/idp/shibboleth",
        names={
            "employeeNumber": "urn:oid:2.16.840.1.113730.3.1.3",
            "givenName": "urn:oid:2.5.4.42",
            "sn": "urn:oid:2.5.4.4",
            "uid": "urn:oid:0.9.2342.19200300.100.1.1",
            "eduPersonAffiliation": "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
        },
        answer=lambda: {
            "signed": "response",
            "name_id_attributes": {
                "Format": n.NAMEID_TRANSIENT,
                "NameQualifier": "https://idp.vuurvogel.example/idp/shibboleth",
                "SPNameQualifier": BROKER_SP,
            },
            "authn_context": PASSWORD_OVER_TLS,
            "edit_assertion": named(URI_FORMAT, friendly=True),
            "edit_response": sealed(),
        },
        mistakes={
            "our metadata of long ago, with a key that is gone": Mistake(
                lambda: {"edit_response": sealed(to=OLD_BROKER_KEY)},
                DecryptionRefused,
                "decryption",
            ),
            "signResponses and signAssertions both off": Mistake(
                lambda: {"signed": "nothing"}, r.NotAuthenticated, "check_assertion_signed"
            ),
            "a clock that runs ahead": Mistake(
                lambda: {"issue_instant": NOW + timedelta(minutes=12)},
                r.ResponseTooEarly,
                "check_not_too_early",
            ),
        },
    ),
}
