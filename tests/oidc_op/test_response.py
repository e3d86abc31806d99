"""What goes back: code or error, with state and issuer, to the proven address and nowhere else."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.oidc_op.request import (
    ReturnAddress,
    parse_authorization_request,
    prove_return_address,
)
from broker.oidc_op.request_checks import RedirectUriNotRegistered, ScopeRefused
from broker.oidc_op.response import (
    build_authorization_error,
    build_authorization_response,
    build_error_body,
)
from tests.builders_oidc import ISSUER, REDIRECT_URI, a_registry, an_authorization_request
from tests.oidc_op.test_request import check


def test_a_code_goes_back_with_state_and_issuer() -> None:
    url = build_authorization_response(check(), code="c/1", issuer=ISSUER).url
    assert url.startswith(REDIRECT_URI + "?")
    assert parse_qsl(urlsplit(url).query) == [
        ("code", "c/1"),
        ("state", "s t/a&t=e"),
        ("iss", ISSUER),
    ]


def test_without_state_none_is_made_up() -> None:
    url = build_authorization_response(check(state=None), code="c", issuer=ISSUER).url
    assert [name for name, _ in parse_qsl(urlsplit(url).query)] == ["code", "iss"]


def test_the_query_of_a_registered_uri_is_kept() -> None:
    request = check(redirect_uri="https://rekenrijk.example/cb?tenant=1")
    url = build_authorization_response(request, code="c", issuer=ISSUER).url
    assert parse_qsl(urlsplit(url).query)[:2] == [("tenant", "1"), ("code", "c")]
    bare = ReturnAddress(request.relying_party, "https://rekenrijk.example/cb?", None)
    url = build_authorization_error(bare, ScopeRefused(), issuer=ISSUER).url
    assert url.startswith("https://rekenrijk.example/cb?error=invalid_scope&")


def test_an_error_goes_back_with_its_code_and_no_word_more() -> None:
    refusal = ScopeRefused("check_scope_has_openid", subject="scope")
    url = build_authorization_error(check(), refusal, issuer=ISSUER).url
    assert parse_qsl(urlsplit(url).query) == [
        ("error", "invalid_scope"),
        ("error_description", "E-OIDC-9"),
        ("state", "s t/a&t=e"),
        ("iss", ISSUER),
    ]
    assert build_error_body(refusal) == {
        "error": "invalid_scope",
        "error_description": "E-OIDC-9",
    }


def test_a_refusal_for_our_own_page_is_never_sent_on() -> None:
    with pytest.raises(ValueError, match="E-OIDC-5 must not be redirected"):
        build_authorization_error(check(), RedirectUriNotRegistered(), issuer=ISSUER)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=80))
def test_any_state_comes_back_as_it_was_and_changes_nothing_else(state: str) -> None:
    url = build_authorization_response(check(state=state), code="c", issuer=ISSUER).url
    assert url.startswith(REDIRECT_URI + "?code=c&state=")
    assert url.isascii()
    assert url.isprintable()
    assert dict(parse_qsl(urlsplit(url).query))["state"] == state


def test_a_posted_answer_has_the_same_parameters_and_keeps_the_query_of_the_uri() -> None:
    uri = "https://rekenrijk.example/cb?tenant=1"
    asked = check(response_mode="form_post", redirect_uri=uri)
    found = build_authorization_response(asked, code="c/1", issuer=ISSUER)
    assert found.posted
    assert found.redirect_uri == uri
    assert found.parameters == (("code", "c/1"), ("state", "s t/a&t=e"), ("iss", ISSUER))
    assert not build_authorization_response(check(), code="c", issuer=ISSUER).posted


def test_an_error_comes_in_the_mode_that_was_asked() -> None:
    fields = an_authorization_request(response_mode="form_post", scope="profile", state="s")
    address = prove_return_address(parse_authorization_request(fields), registry=a_registry())
    found = build_authorization_error(address, ScopeRefused(), issuer=ISSUER)
    assert (found.posted, dict(found.parameters)["error"]) == (True, "invalid_scope")
    assert dict(found.parameters) | {"state": "s", "iss": ISSUER} == dict(found.parameters)
