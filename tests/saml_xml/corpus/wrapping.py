"""Signature wrapping, XSW1 to XSW8 of Somorovsky et al. ("On Breaking SAML", USENIX 2012).

Each takes an honest, signed message and shows another pupil to whoever reads by position while the
signature still verifies for whoever looks elements up by ID.
"""

from collections.abc import Callable
from copy import deepcopy

from broker.saml_xml.elements import Element, build_element, only_child, serialize
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import (
    ASSERTION,
    EVIL,
    HONEST,
    SECURITY,
    a_response,
    an_assertion,
    ds,
    samlp,
)


def _signed_response() -> Element:
    response = a_response(an_assertion())
    SECURITY.sign(response, key=rsa_key().signing)
    return response


def _signed_assertion() -> Element:
    response = a_response(an_assertion())
    SECURITY.sign(response[-1], key=rsa_key().signing)
    return response


def _without_signature(element: Element) -> Element:
    copy = deepcopy(element)
    copy.remove(only_child(copy, ds("Signature")))
    return copy


def _evil_twin(element: Element, *, own_id: str = "_evil") -> Element:
    """Return a copy that speaks of another pupil, under another ID."""
    copy = deepcopy(element)
    copy.set("ID", own_id)
    for each in copy.iter():
        if each.text == HONEST:
            each.text = EVIL
    return copy


def xsw1() -> Element:
    """The evil Response keeps the signature, and in it the honest Response."""
    honest = _signed_response()
    evil = _evil_twin(honest)
    only_child(evil, ds("Signature")).append(_without_signature(honest))
    return evil


def xsw2() -> Element:
    """The honest Response stands beside its signature in the evil one."""
    honest = _signed_response()
    evil = _evil_twin(honest)
    evil.insert(list(evil).index(only_child(evil, ds("Signature"))), _without_signature(honest))
    return evil


def xsw3() -> Element:
    """An evil assertion stands before the honest one."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    honest.addprevious(_without_signature(_evil_twin(honest)))
    return response


def xsw4() -> Element:
    """The honest assertion hides inside an evil one."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    evil = _without_signature(_evil_twin(honest))
    response.replace(honest, evil)
    evil.append(honest)
    return response


def xsw5() -> Element:
    """The evil assertion keeps the signature; the honest one, bare, comes behind it."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    response.replace(honest, _evil_twin(honest))
    response.append(_without_signature(honest))
    return response


def xsw6() -> Element:
    """The evil assertion keeps the signature, and in it the honest assertion."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    evil = _evil_twin(honest)
    only_child(evil, ds("Signature")).append(_without_signature(honest))
    response.replace(honest, evil)
    return response


def xsw7() -> Element:
    """An evil assertion with the same ID waits in Extensions, where anything may stand."""
    response = _signed_assertion()
    evil = _evil_twin(only_child(response, ASSERTION), own_id="_assertion")
    response.insert(1, build_element(samlp("Extensions"), {}, _without_signature(evil)))
    return response


def xsw8() -> Element:
    """The evil assertion keeps the signature, with the honest assertion in an Object."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    evil = _evil_twin(honest, own_id="_assertion")
    holder = build_element(ds("Object"), {}, _without_signature(honest))
    only_child(evil, ds("Signature")).append(holder)
    response.replace(honest, evil)
    return response


def signature_moved_to_response() -> Element:
    """The assertion's own signature stands as a child of the Response."""
    response = _signed_assertion()
    assertion = only_child(response, ASSERTION)
    response.insert(1, only_child(assertion, ds("Signature")))
    return response


def signed_assertion_in_evil_response_extensions() -> Element:
    """An evil assertion to read, an honest signed one in Extensions to verify."""
    response = _signed_assertion()
    honest = only_child(response, ASSERTION)
    evil = _without_signature(_evil_twin(honest))
    response.replace(honest, evil)
    response.insert(1, build_element(samlp("Extensions"), {}, honest))
    return response


WRAPPINGS: dict[str, Callable[[], Element]] = {
    "xsw1": xsw1,
    "xsw2": xsw2,
    "xsw3": xsw3,
    "xsw4": xsw4,
    "xsw5": xsw5,
    "xsw6": xsw6,
    "xsw7": xsw7,
    "xsw8": xsw8,
    "signature-moved-to-response": signature_moved_to_response,
    "honest-in-extensions": signed_assertion_in_evil_response_extensions,
}


def wrapped(name: str) -> bytes:
    """Return the message of one wrapping."""
    return serialize(WRAPPINGS[name]())
