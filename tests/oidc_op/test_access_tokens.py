"""What a token says, and what is said of it: the same, and nothing that was released."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.jose.keys import key_set_of
from broker.oidc_op.access_tokens import (
    audience_of,
    build_access_token,
    build_introspection,
    read_access_token,
)
from broker.oidc_op.clients import ClientUnknown, known_client_of
from broker.oidc_op.grants import UserinfoGrant
from broker.oidc_op.parameters import RequestTooLarge
from broker.oidc_op.sender_keys import SenderKey
from broker.oidc_op.token import parse_token_request
from tests.builders_oidc import (
    BROKER_KEY,
    ISSUER,
    NOW,
    a_registry,
    a_token_request,
    a_userinfo_grant,
    ago,
)
from tests.builders_saml import a_service_provider

USERINFO = f"{ISSUER}/oidc/userinfo"


def say(grant: UserinfoGrant) -> tuple[dict[str, object], dict[str, object]]:
    """The claims of a signed token, and what introspection says of an opaque one."""
    text, _ = build_access_token(
        grant, issuer=ISSUER, userinfo=USERINFO, key=BROKER_KEY, jti="j", life_seconds=300, now=NOW
    )
    signed = read_access_token(text, keys=key_set_of([BROKER_KEY]), issuer=ISSUER, now=NOW)
    said = build_introspection(grant, token=None, issuer=ISSUER, userinfo=USERINFO, now=NOW)
    of_signed = build_introspection(grant, token=signed, issuer=ISSUER, userinfo=USERINFO, now=NOW)
    assert of_signed == {"active": True, "token_type": grant.key.token_type, **signed.claims}
    return dict(signed.claims), said


def test_both_forms_say_the_same() -> None:
    grant = a_userinfo_grant(
        acr="http://eidas.europa.eu/LoA/low",
        authenticated_at=ago(400),
        key=SenderKey(jkt="thumb"),
        resources=("https://a.example/", "https://b.example/"),
    )
    claims, said = say(grant)
    for name in ("iss", "sub", "aud", "client_id", "scope", "acr", "auth_time", "cnf", "iat"):
        assert claims[name] == said[name]
    assert claims["aud"] == ["https://a.example/", "https://b.example/"]
    assert "given_name" not in claims
    assert "given_name" not in said


def test_what_is_not_asked_is_not_said() -> None:
    for told in say(a_userinfo_grant()):
        assert not {"acr", "auth_time", "cnf"} & told.keys()
    assert audience_of(a_userinfo_grant(), userinfo=USERINFO) == USERINFO


@pytest.mark.parametrize("seconds", range(0, 300, 7))
def test_times_are_coarse_and_never_those_of_another_moment(seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    text, expires_in = build_access_token(
        a_userinfo_grant(),
        issuer=ISSUER,
        userinfo=USERINFO,
        key=BROKER_KEY,
        jti="j",
        life_seconds=300,
        now=now,
    )
    read = read_access_token(text, keys=key_set_of([BROKER_KEY]), issuer=ISSUER, now=now)
    assert read.claims["iat"] % 60 == 0  # type: ignore[operator]
    assert read.claims["exp"] == int(now.timestamp()) + expires_in
    assert 240 < expires_in <= 300


def test_no_more_apis_than_a_request_may_name() -> None:
    named = [("resource", f"https://{each}.example/") for each in range(9)]
    assert len(parse_token_request([*a_token_request(), *named[:8]]).resource) == 8
    with pytest.raises(RequestTooLarge, match="check_resources_size"):
        parse_token_request([*a_token_request(), *named])


def test_who_speaks_another_protocol_is_no_client() -> None:
    registry = a_registry()
    (party,) = registry.relying_parties.values()
    supplier = registry.suppliers[party.supplier]
    assert known_client_of(party, supplier).apis == supplier.apis
    with pytest.raises(ClientUnknown, match="check_client_known"):
        known_client_of(replace(party, protocol=a_service_provider()), supplier)
