"""Signature wrapping behind encryption: anybody can encrypt for us, so nothing inside is believed
for having been encrypted.

Each wrapping of `corpus/wrapping.py` is sent once more with its assertions encrypted, in a Response
that nobody signed and in one that the school did sign before it was rearranged.
"""

from collections.abc import Callable
from copy import deepcopy

import pytest

from broker.domain.refusals import Refusal
from broker.saml_xml.bindings import encode_post
from broker.saml_xml.elements import Element, build_element, only_child, serialize
from tests.attacks.test_saml_wrapped_logins import EXPECTED, WHEN
from tests.builders_encrypted import encrypted
from tests.builders_saml import read
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import (
    ASSERTION,
    EVIL,
    HONEST,
    SECURITY,
    a_response,
    an_assertion,
    ds,
    saml,
    samlp,
)
from tests.saml_xml.corpus.wrapping import WRAPPINGS

OURS = rsa_key("broker")


def log_in(message: Element) -> str:
    login = read(
        [("SAMLResponse", encode_post(serialize(message)))],
        expected=EXPECTED,
        decryption_keys=[OURS.decryption],
        now=WHEN,
    )
    assert login.name_id is not None
    return login.name_id.value


def with_assertions_encrypted(response: Element) -> Element:
    """Encrypt each assertion that is a child of the Response."""
    for assertion in response.findall(ASSERTION):
        response.replace(assertion, encrypted(assertion, to=OURS))
    return response


def signed_honest() -> Element:
    assertion = an_assertion()
    SECURITY.sign(assertion, key=rsa_key().signing)
    return assertion


def evil(*, own_id: str = "_evil") -> Element:
    return an_assertion(name_id=EVIL, own_id=own_id)


def evil_around(honest_at: Callable[[Element, Element], None]) -> Element:
    """Return a Response whose encrypted assertion is evil, with the honest one hidden in it."""
    outer, inner = evil(), signed_honest()
    honest_at(outer, inner)
    return a_response(encrypted(outer, to=OURS))


def as_child(outer: Element, inner: Element) -> None:
    outer.append(inner)


def as_advice(outer: Element, inner: Element) -> None:
    outer.insert(3, build_element(saml("Advice"), {}, inner))


def in_its_signature(outer: Element, inner: Element) -> None:
    signature = deepcopy(only_child(inner, ds("Signature")))
    signature.append(build_element(ds("Object"), {}, inner))
    outer.insert(1, signature)


def with_its_signature(outer: Element, inner: Element) -> None:
    outer.insert(1, deepcopy(only_child(inner, ds("Signature"))))
    outer.set("ID", str(inner.get("ID")))


def evil_beside_the_honest_one() -> Element:
    return a_response(encrypted(evil(), to=OURS), signed_honest())


def honest_outside_evil_inside() -> Element:
    """The signed assertion in Extensions, where anything may stand, and an evil one encrypted."""
    response = a_response(encrypted(evil(), to=OURS))
    response.insert(1, build_element(samlp("Extensions"), {}, signed_honest()))
    return response


def two_in_one_ciphertext() -> Element:
    both = serialize(evil()) + serialize(signed_honest())
    return a_response(encrypted(both, to=OURS))


def a_whole_response_inside() -> Element:
    return a_response(encrypted(a_response(signed_honest()), to=OURS))


def encrypted_twice() -> Element:
    return a_response(encrypted(encrypted(signed_honest(), to=OURS), to=OURS))


def ciphertext_changed_under_the_school_s_signature() -> Element:
    """The school signed the Response around an assertion; somebody encrypted another one."""
    response = a_response(encrypted(an_assertion(), to=OURS))
    SECURITY.sign(response, key=rsa_key().signing)
    response.replace(response[-1], encrypted(evil(), to=OURS))
    return response


def name_id_of_another_message() -> Element:
    """An EncryptedID that the school made for somebody else, moved under a signed assertion."""
    assertion = signed_honest()
    name_id = next(assertion.iter(saml("NameID")))
    other = build_element(saml("NameID"), text=EVIL)
    name_id.getparent().replace(name_id, encrypted(other, wrapper="EncryptedID", to=OURS))  # type: ignore[union-attr]
    return a_response(assertion)


REARRANGED: dict[str, Callable[[], Element]] = {
    **{
        f"{name}-encrypted": (lambda make=make: with_assertions_encrypted(make()))  # type: ignore[misc]
        for name, make in WRAPPINGS.items()
    },
    "evil-around-honest": lambda: evil_around(as_child),
    "evil-with-honest-as-advice": lambda: evil_around(as_advice),
    "evil-with-honest-in-signature": lambda: evil_around(in_its_signature),
    "evil-with-signature-of-honest": lambda: evil_around(with_its_signature),
    "evil-beside-honest": evil_beside_the_honest_one,
    "honest-in-extensions": honest_outside_evil_inside,
    "two-in-one-ciphertext": two_in_one_ciphertext,
    "response-inside": a_whole_response_inside,
    "encrypted-twice": encrypted_twice,
    "ciphertext-changed": ciphertext_changed_under_the_school_s_signature,
    "name-id-moved": name_id_of_another_message,
}


STILL_HONEST = "xsw7-encrypted"
"""The evil assertion waits in Extensions, of which nothing is read; that its ID is a double shows
only where the honest one is not encrypted."""


@pytest.mark.parametrize("name", [each for each in REARRANGED if each != STILL_HONEST])
def test_a_wrapped_login_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        log_in(REARRANGED[name]())


def test_what_stands_where_nothing_is_read_changes_nothing() -> None:
    assert log_in(REARRANGED[STILL_HONEST]()) == HONEST


@pytest.mark.parametrize("signed", ["assertion", "response"])
def test_the_twin_logs_in(signed: str) -> None:
    if signed == "assertion":
        assert log_in(a_response(encrypted(signed_honest(), to=OURS))) == HONEST
        return
    response = a_response(encrypted(an_assertion(), to=OURS))
    SECURITY.sign(response, key=rsa_key().signing)
    assert log_in(response) == HONEST
