"""Forged responses: what somebody posts who began a login at an honest school and holds no key.

Each is the answer to a request of ours, in the browser that began it, because everything else is
turned away before a response is read.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from secrets import token_bytes, token_urlsafe

from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.bench.heavy import BURDENS
from tests.bench.schools import SamlSchool
from tests.builders_encrypted import encrypt_in_place
from tests.builders_saml import an_attribute
from tests.saml_xml.corpus.keys import rsa_key

STRANGER = rsa_key("bench stranger")
HUGE_TEXT_CHARACTERS = 58_000
"""So that what is posted stays under the limits that would turn it away unread."""
HUGE_ATTRIBUTES = 170
"""The same: start and end tags of attribute and value, below the limit on tags."""

Forge = Callable[[SamlSchool, str], Element]
"""From a school and the ID of our request to a Response."""


def bad_signature(school: SamlSchool, request_id: str) -> Element:
    """The signature's value is another one of the same length."""
    response = school.respond(pupil=0, request_id=request_id)
    value = _find(response, "SignatureValue")
    value.text = (value.text or "")[::-1].lstrip("=") + "=="
    return school.encrypt(response)


def wrong_key(school: SamlSchool, request_id: str) -> Element:
    """Signed well, by a key that nobody registered."""
    return school.encrypt(school.respond(pupil=0, request_id=request_id, key=STRANGER))


def unsigned(school: SamlSchool, request_id: str) -> Element:
    """Encrypted, which anybody can do, and not signed."""
    return school.encrypt(school.respond(pupil=0, request_id=request_id, signed="nothing"))


def other_pupil(school: SamlSchool, request_id: str) -> Element:
    """An honest signature, over another value than the one that stands there now."""
    response = school.respond(pupil=0, request_id=request_id)
    _find(response, "NameID", of=n.SAML).text = "leerling1@meetlat.example"
    return school.encrypt(response)


def wrapped(school: SamlSchool, request_id: str) -> Element:
    """The signed assertion hides in an Object of the signature of another one (XSW)."""
    response = school.respond(pupil=0, request_id=request_id)
    honest = response[-1]
    evil = deepcopy(honest)
    evil.set("ID", f"_{token_urlsafe(20)}")
    bare = deepcopy(honest)
    bare.remove(_find(bare, "Signature"))
    _find(evil, "Signature").append(build_element(f"{{{n.DS}}}Object", {}, bare))
    response.replace(honest, evil)
    return school.encrypt(response)


def truncated_ciphertext(school: SamlSchool, request_id: str) -> Element:
    """Half of the encrypted assertion."""
    response = school.encrypt(school.respond(pupil=0, request_id=request_id))
    *_, content = response.iter(f"{{{n.XENC}}}CipherValue")
    text = content.text or ""
    content.text = text[: len(text) // 8 * 4]
    return response


def garbage_ciphertext(school: SamlSchool, request_id: str) -> Element:
    """A key that was encrypted well, and content that it does not open."""
    response = school.encrypt(school.respond(pupil=0, request_id=request_id))
    *_, content = response.iter(f"{{{n.XENC}}}CipherValue")
    content.text = b64encode(token_bytes(8_000)).decode()
    return response


def encrypted_twice(school: SamlSchool, request_id: str) -> Element:
    """An encrypted assertion whose names are encrypted as well, as many as may be."""

    def encrypt_all(assertion: Element) -> None:
        for each in list(assertion.iter(f"{{{n.SAML}}}Attribute")):
            encrypt_in_place(each, "EncryptedAttribute", to=school.encrypts_to)

    response = school.respond(
        pupil=0, request_id=request_id, key=STRANGER, edit_assertion=encrypt_all
    )
    return school.encrypt(response)


def huge_value(school: SamlSchool, request_id: str) -> Element:
    """One value that is nearly as long as a message may be, in what an honest signature covered."""
    return _grown(school, request_id, [an_attribute("sn", "x" * HUGE_TEXT_CHARACTERS)])


def many_values(school: SamlSchool, request_id: str) -> Element:
    """Nearly as many attributes as a message may hold, in what an honest signature covered."""
    many = [an_attribute(f"a{number}", "x") for number in range(HUGE_ATTRIBUTES)]
    return _grown(school, request_id, many)


def _grown(school: SamlSchool, request_id: str, attributes: list[Element]) -> Element:
    response = school.respond(pupil=0, request_id=request_id)
    statement = _find(response, "AttributeStatement", of=n.SAML)
    statement.extend(attributes)
    return response


def _burdened(burden: Callable[[Element], None]) -> Forge:
    def forge(school: SamlSchool, request_id: str) -> Element:
        response = school.respond(pupil=0, request_id=request_id, signed="response")
        burden(response)
        return response

    return forge


def _find(element: Element, local: str, *, of: str = n.DS) -> Element:
    return next(element.iter(f"{{{of}}}{local}"))


FORGERIES: Mapping[str, Forge] = {
    each.__name__: each
    for each in (
        bad_signature,
        wrong_key,
        unsigned,
        other_pupil,
        wrapped,
        truncated_ciphertext,
        garbage_ciphertext,
        encrypted_twice,
        huge_value,
        many_values,
    )
} | {name: _burdened(burden) for name, burden in BURDENS.items()}
