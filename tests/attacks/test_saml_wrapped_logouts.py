"""Signature wrapping on messages about logging out: nobody's session ends, and nothing is believed
to have ended, by what a party did not sign.

The evil request names another person than the honest one; the evil answer says that everything is
over where the honest one says that it failed. By POST, by redirect with the signature inside, and
by SOAP.
"""

from collections.abc import Callable

import pytest

from broker.domain.refusals import Refusal
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, serialize
from broker.saml_xml.logout.messages import (
    ArrivedLogout,
    LogoutAnswer,
    LogoutRequest,
    decode_envelope,
    decode_logout,
)
from tests.builders_encrypted import encrypted
from tests.builders_logout import (
    IDP_SLO,
    SOAP_SLO,
    a_logout_answer,
    a_logout_request,
    a_name,
    by_post,
    by_redirect,
    by_soap,
    take_logout,
)
from tests.builders_saml import STRANGER_KEY, SUPPLIER_KEY, XML
from tests.saml_xml.corpus.wrapped_messages import MESSAGE_WRAPPINGS

FAILED = (n.STATUS_RESPONDER,)
EVIL = "els"

Arrive = Callable[[Element], ArrivedLogout]


def posted(message: Element) -> ArrivedLogout:
    return decode_logout(by_post(message, key=None), xml=XML)


def redirected(message: Element) -> ArrivedLogout:
    return decode_logout(by_redirect(message, key=None), xml=XML)


def called(message: Element) -> ArrivedLogout:
    return decode_envelope(by_soap(message, key=None), xml=XML)


ARRIVES: tuple[Arrive, ...] = (posted, redirected, called)


def at(arrive: Arrive) -> str | None:
    return SOAP_SLO if arrive is called else IDP_SLO


def honest_request(arrive: Arrive) -> Element:
    request = a_logout_request(Destination=at(arrive))
    XML.sign(request, key=SUPPLIER_KEY.signing)
    return request


def evil_request(arrive: Arrive) -> Element:
    return a_logout_request(name=a_name(EVIL), ID="_evil", Destination=at(arrive))


def honest_answer(arrive: Arrive) -> Element:
    answer = a_logout_answer(status=FAILED, Destination=at(arrive))
    XML.sign(answer, key=SUPPLIER_KEY.signing)
    return answer


def evil_answer(arrive: Arrive) -> Element:
    return a_logout_answer(ID="_evil", Destination=at(arrive))


@pytest.mark.parametrize("arrive", ARRIVES)
@pytest.mark.parametrize("name", MESSAGE_WRAPPINGS)
def test_a_wrapped_request_ends_nobodys_session(name: str, arrive: Arrive) -> None:
    wrapped = MESSAGE_WRAPPINGS[name](honest_request(arrive), evil_request(arrive))
    assert EVIL.encode() in serialize(wrapped)
    with pytest.raises(Refusal):
        take_logout(arrive(wrapped))


@pytest.mark.parametrize("arrive", ARRIVES)
@pytest.mark.parametrize("name", MESSAGE_WRAPPINGS)
def test_a_wrapped_answer_says_nothing(name: str, arrive: Arrive) -> None:
    wrapped = MESSAGE_WRAPPINGS[name](honest_answer(arrive), evil_answer(arrive))
    with pytest.raises(Refusal):
        take_logout(arrive(wrapped))


@pytest.mark.parametrize("arrive", ARRIVES)
def test_what_was_wrapped_is_accepted(arrive: Arrive) -> None:
    asked = take_logout(arrive(honest_request(arrive)))
    assert isinstance(asked, LogoutRequest)
    assert asked.name.value == "pseudonym"
    assert take_logout(arrive(honest_answer(arrive))) == LogoutAnswer(False)


@pytest.mark.parametrize("arrive", ARRIVES)
def test_a_request_is_no_answer_and_an_answer_no_request(arrive: Arrive) -> None:
    """One key signs both; each says what it is in what is signed."""
    for message, other in (
        (honest_request(arrive), "LogoutResponse"),
        (honest_answer(arrive), "LogoutRequest"),
    ):
        message.tag = f"{{{n.SAMLP}}}{other}"
        with pytest.raises(Refusal):
            take_logout(arrive(message))


@pytest.mark.parametrize("arrive", ARRIVES)
def test_a_name_that_somebody_encrypted_is_signed_like_any_other(arrive: Arrive) -> None:
    """Anybody can encrypt for us: an EncryptedID put in the place of the signed name is refused."""
    moved = honest_request(arrive)
    name = next(moved.iter(f"{{{n.SAML}}}NameID"))
    moved.replace(name, encrypted(a_name(EVIL), wrapper="EncryptedID"))
    with pytest.raises(Refusal):
        take_logout(arrive(moved))
    honest = a_logout_request(
        name=encrypted(a_name("sanne"), wrapper="EncryptedID"), Destination=at(arrive)
    )
    XML.sign(honest, key=SUPPLIER_KEY.signing)
    asked = take_logout(arrive(honest))
    assert isinstance(asked, LogoutRequest)
    assert asked.name.value == "sanne"


def test_a_query_that_a_stranger_signed_helps_no_message() -> None:
    query = by_redirect(honest_request(redirected), key=STRANGER_KEY)
    with pytest.raises(Refusal):
        take_logout(decode_logout(query, xml=XML))
