"""Redeeming a code: its own client, its own address, its own verifier."""

import msgspec
import pytest

from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.clients import find_client
from broker.oidc_op.grants import OidcGrant, UserinfoGrant
from broker.oidc_op.parameters import DuplicatedParameter
from broker.oidc_op.token import (
    TOKEN_CHECKS,
    GrantRefused,
    GrantTypeRefused,
    RedeemedGrant,
    TokenParameterMissing,
    TokenResponse,
    check_token_request,
    derive_code_challenge,
    parse_token_request,
    read_code,
)
from tests.builders_oidc import (
    CLIENT_ID,
    PSEUDONYM,
    VERIFIER,
    a_grant,
    a_registry,
    a_token_request,
    a_userinfo_grant,
    an_oidc_client,
)

REGISTRY = a_registry(an_oidc_client(), an_oidc_client(client_id="other"))
CLIENT = AuthenticatedClient(find_client(CLIENT_ID, registry=REGISTRY), None)
OTHER = AuthenticatedClient(find_client("other", registry=REGISTRY), None)


def redeem(grant: OidcGrant, client=CLIENT, **changes: str | None) -> RedeemedGrant:
    return check_token_request(
        parse_token_request(a_token_request(**changes)), grant, client=client
    )


def refused(check: str, grant: OidcGrant, client=CLIENT, **changes: str | None) -> None:
    with pytest.raises(GrantRefused) as caught:
        redeem(grant, client, **changes)
    assert (caught.value.check, caught.value.oauth_error) == (check, "invalid_grant")


def test_the_table_is_complete() -> None:
    assert len(TOKEN_CHECKS) == 4
    for each in TOKEN_CHECKS:
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


def test_a_code_is_redeemed_by_its_own_client() -> None:
    grant = a_grant()
    redeemed = redeem(grant)
    assert redeemed.grant is grant
    answer = TokenResponse(access_token="at", expires_in=300, id_token="it", scope="openid")
    assert msgspec.json.decode(msgspec.json.encode(answer)) == {
        "access_token": "at",
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": "it",
        "scope": "openid",
    }
    assert (repr(answer), answer.__rich_repr__()) == ("TokenResponse(...)", [])


def test_check_grant_belongs_to_client() -> None:
    refused("check_grant_belongs_to_client", a_grant(), client=OTHER)
    refused("check_grant_belongs_to_client", a_grant(client_id="other"))
    refused("check_grant_belongs_to_client", a_grant(relying_party="rp-1"))


@pytest.mark.parametrize("uri", [None, "", "https://rekenrijk.example/callback/"])
def test_check_redirect_uri_equal(uri: str | None) -> None:
    refused("check_redirect_uri_equal", a_grant(), redirect_uri=uri)


def test_check_code_verifier_expected() -> None:
    refused("check_code_verifier_expected", a_grant(), code_verifier=None)
    refused("check_code_verifier_expected", a_grant(code_challenge=None))
    assert redeem(a_grant(code_challenge=None), code_verifier=None)


@pytest.mark.parametrize("verifier", ["w" * 43, "v" * 42, "v" * 44])
def test_check_code_verifier_matches(verifier: str) -> None:
    refused("check_code_verifier_matches", a_grant(), code_verifier=verifier)


@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "v" * 42 + "é", "v" * 43 + "\n"])
def test_a_verifier_out_of_form_is_refused_even_when_it_matches(verifier: str) -> None:
    grant = a_grant(code_challenge=derive_code_challenge(verifier))
    refused("check_code_verifier_matches", grant, code_verifier=verifier)
    longest = "-._~" + "v" * 124
    grant = a_grant(code_challenge=derive_code_challenge(longest))
    assert redeem(grant, code_verifier=longest)


def test_a_code_is_read_before_the_store_is_asked() -> None:
    assert read_code(parse_token_request(a_token_request())) == "code-1"
    for name in ("grant_type", "code"):
        with pytest.raises(TokenParameterMissing) as caught:
            read_code(parse_token_request(a_token_request(**{name: None})))
        assert caught.value.subject == name
    for other in ("refresh_token", "password", "client_credentials"):
        with pytest.raises(GrantTypeRefused, match="check_grant_type"):
            redeem(a_grant(), grant_type=other)


def test_a_parameter_twice_is_refused() -> None:
    with pytest.raises(DuplicatedParameter):
        parse_token_request([*a_token_request(), ("code", "code-2")])


def test_what_is_stored_and_read_shows_nothing() -> None:
    grant = a_grant()
    userinfo = a_userinfo_grant(grant)
    request = parse_token_request(a_token_request())
    for shown in (repr(grant), repr(userinfo), repr(request), repr(redeem(grant))):
        for secret in ("Sanne", PSEUDONYM, "code-1", VERIFIER, "n-0S6"):
            assert secret not in shown
    assert grant.__rich_repr__() == [("relying_party", "rp-0")]
    assert userinfo.__rich_repr__() == [("client_id", CLIENT_ID)]
    for record, kind in ((grant, OidcGrant), (userinfo, UserinfoGrant)):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind) == record
