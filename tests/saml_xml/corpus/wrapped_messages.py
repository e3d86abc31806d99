"""Signature wrapping on messages other than Responses: AuthnRequest, LogoutRequest, LogoutResponse.

Here the signed element is the message itself, so the honest one has to hide inside the evil one, or
the evil one borrows what the honest one was signed by. Each form takes an honest message, signed,
and an evil one of the same kind that nobody signed.
"""

from collections.abc import Callable
from copy import deepcopy

from broker.saml_xml.elements import Element, build_element, only_child
from tests.saml_xml.corpus.keys import rsa_key
from tests.saml_xml.corpus.messages import SECURITY, ds, saml, samlp

Wrap = Callable[[Element, Element], Element]


def _signature(honest: Element) -> Element:
    return only_child(honest, ds("Signature"))


def _bare(honest: Element) -> Element:
    copy = deepcopy(honest)
    copy.remove(_signature(copy))
    return copy


def _behind_issuer(evil: Element, *inside: Element) -> Element:
    for place, each in enumerate(inside, start=1):
        evil.insert(place, each)
    return evil


def _extensions(*inside: Element) -> Element:
    return build_element(samlp("Extensions"), {}, *inside)


def honest_in_extensions(honest: Element, evil: Element) -> Element:
    """An unsigned message, and a signed one where anything may stand."""
    return _behind_issuer(evil, _extensions(honest))


def signature_in_extensions(honest: Element, evil: Element) -> Element:
    """The signature without what it was made for."""
    return _behind_issuer(evil, _extensions(deepcopy(_signature(honest))))


def signature_of_another(honest: Element, evil: Element) -> Element:
    """The honest message's signature, moved."""
    return _behind_issuer(evil, deepcopy(_signature(honest)))


def signature_and_id_of_another(honest: Element, evil: Element) -> Element:
    """The same, and the ID that its Reference names."""
    evil.set("ID", str(honest.get("ID")))
    return _behind_issuer(evil, deepcopy(_signature(honest)))


def honest_in_object(honest: Element, evil: Element) -> Element:
    """The signature of the evil message holds the honest one in an Object (XSW1)."""
    signature = deepcopy(_signature(honest))
    signature.append(build_element(ds("Object"), {}, _bare(honest)))
    return _behind_issuer(evil, signature)


def honest_in_key_info(honest: Element, evil: Element) -> Element:
    """The same in KeyInfo, where the schema takes what it does not know."""
    signature = deepcopy(_signature(honest))
    only_child(signature, ds("KeyInfo")).append(_bare(honest))
    return _behind_issuer(evil, signature)


def honest_beside_signature(honest: Element, evil: Element) -> Element:
    """The honest message stands behind its signature, both in the evil one (XSW2)."""
    return _behind_issuer(evil, deepcopy(_signature(honest)), _bare(honest))


def honest_in_extensions_with_its_id_twice(honest: Element, evil: Element) -> Element:
    """Whoever looks the ID up finds the honest message; whoever reads, the evil one."""
    evil.set("ID", str(honest.get("ID")))
    return _behind_issuer(evil, deepcopy(_signature(honest)), _extensions(_bare(honest)))


def honest_in_extensions_with_its_id(honest: Element, evil: Element) -> Element:
    """The same, with each ID once: the Reference names the honest message."""
    return _behind_issuer(evil, deepcopy(_signature(honest)), _extensions(_bare(honest)))


def honest_in_issuer(honest: Element, evil: Element) -> Element:
    """Where a text is read."""
    only_child(evil, saml("Issuer")).append(honest)
    return evil


def signed_by_a_stranger_first(honest: Element, evil: Element) -> Element:
    """Two signatures: a stranger's that covers, and the owner's that does not."""
    SECURITY.sign(evil, key=rsa_key("stranger").signing)
    evil.insert(2, deepcopy(_signature(honest)))
    return evil


def key_of_a_stranger_in_key_info(_honest: Element, evil: Element) -> Element:
    """Signed well, by the key that the message brings along."""
    SECURITY.sign(evil, key=rsa_key("stranger").signing)
    return evil


def evil_around_all(honest: Element, evil: Element) -> Element:
    """The honest message as a child of its evil twin, at the end."""
    evil.append(honest)
    return evil


MESSAGE_WRAPPINGS: dict[str, Wrap] = {
    each.__name__.replace("_", "-"): each
    for each in (
        honest_in_extensions,
        signature_in_extensions,
        signature_of_another,
        signature_and_id_of_another,
        honest_in_object,
        honest_in_key_info,
        honest_beside_signature,
        honest_in_extensions_with_its_id_twice,
        honest_in_extensions_with_its_id,
        honest_in_issuer,
        signed_by_a_stranger_first,
        key_of_a_stranger_in_key_info,
        evil_around_all,
    )
}
