"""One request is made to mean two things: doubled, hidden or contradicting parameters."""

import pytest

from broker.domain.refusals import Refusal
from broker.oidc_op.caller_proof import NO_PROOF
from broker.oidc_op.client_auth import parse_client_authentication
from broker.oidc_op.request import check_authorization_request, parse_authorization_request
from broker.oidc_op.token import parse_token_request
from broker.oidc_op.userinfo import parse_bearer_token
from tests.builders_oidc import (
    REDIRECT_URI,
    a_registry,
    a_token_request,
    an_assertion,
    an_authorization_request,
    assertion_form,
)

EVIL = "https://evil.test/"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "state", "scope", "code_challenge"])
def test_a_second_value_is_never_chosen(name: str, first: bool) -> None:
    asked = an_authorization_request()
    doubled = [(name, EVIL), *asked] if first else [*asked, (name, EVIL)]
    with pytest.raises(Refusal) as caught:
        check_authorization_request(parse_authorization_request(doubled), registry=a_registry())
    assert caught.value.oauth_error == "invalid_request"
    assert caught.value.may_redirect is (name in {"scope", "code_challenge"})


def test_a_request_object_cannot_say_something_else() -> None:
    for name in ("request", "request_uri"):
        asked = an_authorization_request(**{name: EVIL})
        with pytest.raises(Refusal) as caught:
            check_authorization_request(parse_authorization_request(asked), registry=a_registry())
        assert caught.value.oauth_error == f"{name}_not_supported"


def test_names_are_exact() -> None:
    asked = [*an_authorization_request(), ("Redirect_Uri", EVIL), ("redirect_uri[]", EVIL)]
    checked = check_authorization_request(parse_authorization_request(asked), registry=a_registry())
    assert checked.redirect_uri == REDIRECT_URI


@pytest.mark.parametrize("name", ["code", "redirect_uri", "code_verifier", "grant_type"])
def test_a_token_request_says_everything_once(name: str) -> None:
    with pytest.raises(Refusal):
        parse_token_request([*a_token_request(), (name, "x")])
    assert parse_token_request(a_token_request()).code == "code-1"


def test_a_client_proves_itself_once() -> None:
    form = assertion_form(an_assertion())
    for again in (form[1], ("client_assertion", ""), ("client_secret", "x")):
        with pytest.raises(Refusal):
            parse_client_authentication([*form, again], proof=NO_PROOF)
    assert parse_client_authentication(form, proof=NO_PROOF).method == "private_key_jwt"


def test_an_access_token_is_shown_once() -> None:
    with pytest.raises(Refusal):
        parse_bearer_token([("access_token", "a")], authorization="Bearer b")
    assert parse_bearer_token([], authorization="Bearer b") == "b"
