"""What a program may ask a token for: named scopes, known ones, and its own."""

import pytest

from broker.domain.federation import ApiScope
from broker.oidc_op.client_credentials import (
    ApiTokenResponse,
    ScopeRefused,
    check_scopes,
    is_api_token_request,
    parse_scopes,
)
from broker.oidc_op.parameters import DuplicatedParameter

GRANT = ("grant_type", "client_credentials")


def test_the_grant_is_told_from_the_others() -> None:
    assert is_api_token_request([("scope", "enrolment"), GRANT])
    assert not is_api_token_request([("grant_type", "authorization_code")])


def test_scopes_are_read_once_each() -> None:
    asked = parse_scopes([GRANT, ("scope", "takeover enrolment  takeover")])
    assert asked == (ApiScope.TAKEOVER, ApiScope.ENROLMENT)


@pytest.mark.parametrize("scope", ["", " ", "openid", "enrolment openid", "Enrolment"])
def test_a_scope_is_named_and_known(scope: str) -> None:
    with pytest.raises(ScopeRefused, match="check_scope_known"):
        parse_scopes([GRANT, ("scope", scope)])
    assert parse_scopes([GRANT, ("scope", "enrolment")])


@pytest.mark.parametrize("twice", [GRANT, ("grant_type", "x"), ("scope", "enrolment")])
def test_nothing_is_said_twice(twice: tuple[str, str]) -> None:
    with pytest.raises(DuplicatedParameter):
        parse_scopes([GRANT, ("scope", "enrolment"), twice])


def test_a_caller_gets_its_own_scopes_alone() -> None:
    check_scopes([ApiScope.ENROLMENT], allowed=[ApiScope.ENROLMENT, ApiScope.TAKEOVER])
    with pytest.raises(ScopeRefused, match="check_scope_allowed"):
        check_scopes([ApiScope.ENROLMENT, ApiScope.CONVERSION], allowed=[ApiScope.ENROLMENT])


def test_an_answer_shows_no_token() -> None:
    answer = ApiTokenResponse(access_token="secret-handle", token_type="Bearer", scope="enrolment")
    assert "secret-handle" not in repr(answer)
    assert answer.__rich_repr__() == []
