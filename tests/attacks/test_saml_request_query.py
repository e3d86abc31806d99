"""Games with the query of a signed redirect: doubled, moved, stripped or foreign parameters."""

from collections.abc import Callable

import pytest

from broker.domain.refusals import Refusal
from broker.saml_idp.request import CheckedAuthnRequest, check_authn_request
from tests.builders_saml import (
    BROKER_SSO,
    NOW,
    STRANGER_KEY,
    SUPPLIER_KEY,
    XML,
    a_registry,
    a_service_provider,
    an_authn_request,
    as_query,
)

SIGNED = as_query(an_authn_request(), relay_state="les-3", key=SUPPLIER_KEY)
OTHERS = as_query(an_authn_request(ForceAuthn="true"), relay_state="les-4", key=STRANGER_KEY)


def check(query: bytes) -> CheckedAuthnRequest:
    return check_authn_request(
        query,
        registry=a_registry(a_service_provider(require_signed_requests=True)),
        xml=XML,
        sso_url=BROKER_SSO,
        now=NOW,
    )


def part(query: bytes, name: bytes) -> bytes:
    return next(each for each in query.split(b"&") if each.startswith(name + b"="))


GAMES: dict[str, Callable[[bytes], bytes]] = {
    "second-request-behind": lambda q: q + b"&" + part(OTHERS, b"SAMLRequest"),
    "second-request-in-front": lambda q: part(OTHERS, b"SAMLRequest") + b"&" + q,
    "second-relay-state": lambda q: q + b"&RelayState=les-4",
    "second-signature": lambda q: q + b"&" + part(OTHERS, b"Signature"),
    "other-relay-state": lambda q: q.replace(b"les-3", b"les-4"),
    "relay-state-taken-away": lambda q: q.replace(b"&RelayState=les-3", b""),
    "other-request": lambda q: q.replace(part(q, b"SAMLRequest"), part(OTHERS, b"SAMLRequest")),
    "signature-taken-away": lambda q: q.replace(b"&" + part(q, b"Signature"), b""),
    "all-of-the-signature-taken-away": lambda q: q.partition(b"&SigAlg=")[0],
    "signature-of-a-stranger": lambda q: q.replace(
        part(q, b"Signature"), part(OTHERS, b"Signature")
    ),
    "a-name-in-disguise": lambda q: q.replace(b"RelayState", b"Relay%53tate"),
    "an-empty-signature": lambda q: q.replace(part(q, b"Signature"), b"Signature="),
    "a-response-besides": lambda q: q + b"&SAMLResponse=" + part(q, b"SAMLRequest")[12:],
    "hmac-with-the-public-key": lambda q: q.replace(
        part(q, b"SigAlg"),
        b"SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23hmac-sha256",
    ),
    "sha-1": lambda q: q.replace(
        part(q, b"SigAlg"), b"SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1"
    ),
}


@pytest.mark.parametrize("game", GAMES)
def test_a_changed_query_is_refused(game: str) -> None:
    changed = GAMES[game](SIGNED)
    assert changed != SIGNED
    with pytest.raises(Refusal) as caught:
        check(changed)
    assert not caught.value.may_redirect


def test_the_query_as_it_was_signed_is_accepted() -> None:
    assert check(SIGNED).relay_state == "les-3"


def test_parameters_of_others_and_another_order_are_no_attack() -> None:
    *rest, signature = SIGNED.split(b"&")
    assert check(b"&".join([signature, b"utm_source=x", *reversed(rest)])) == check(SIGNED)
