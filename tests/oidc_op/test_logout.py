"""Requests to log out: what each of them proves, and what we tell relying parties."""

from typing import Any

import pytest

from broker.domain.registry import Registry, build_registry
from broker.jose.keys import key_set_of
from broker.jose.tokens import sign_token, verify_token
from broker.oidc_op.clients import ClientUnknown
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.logout import (
    LOGOUT_EVENT,
    CheckedLogout,
    LogoutAddressNotRegistered,
    LogoutHintRefused,
    LogoutRequestRefused,
    build_frontchannel_url,
    build_logout_return,
    build_logout_token,
    check_logout_request,
    parse_logout_request,
)
from broker.oidc_op.parameters import DuplicatedParameter
from broker.oidc_op.userinfo_token import sign_userinfo
from tests.builders import a_relying_party, a_supplier
from tests.builders_oidc import (
    BROKER_KEY,
    BROKER_RSA_KEY,
    CLIENT_ID,
    CLIENT_KEY,
    ISSUER,
    NOW,
    an_oidc_client,
)

BYE = "https://supplier.example/bye?from=us"
SUB = "a" + 52 * "b"


@pytest.fixture
def registry() -> Registry:
    client = an_oidc_client(post_logout_redirect_uris=(BYE,))
    supplier = a_supplier(relying_parties=(a_relying_party(protocol=client),))
    return build_registry(1, schools=(), idps=(), suppliers=(supplier,), agreements=())


def a_hint(*, key: Any = BROKER_KEY, typ: str = "JWT", **changes: object) -> str:
    long_ago = int(NOW.timestamp()) - 7200
    claims = {"iss": ISSUER, "sub": SUB, "aud": CLIENT_ID, "iat": long_ago, "exp": long_ago + 600}
    claims |= {"sid": "the-sid"}
    return sign_token({**claims, **changes}, key=key, typ=typ)


def check(registry: Registry, **parameters: str) -> CheckedLogout:
    keys = TokenKeys(active=(BROKER_KEY,), retired=(BROKER_RSA_KEY,))
    asked = parse_logout_request(list(parameters.items()))
    return check_logout_request(asked, registry=registry, keys=keys, issuer=ISSUER)


@pytest.mark.parametrize("key", [BROKER_KEY, BROKER_RSA_KEY])
def test_an_expired_token_of_ours_proves_who_asks(registry: Registry, key: Any) -> None:
    found = check(
        registry,
        id_token_hint=a_hint(key=key),
        client_id=CLIENT_ID,
        post_logout_redirect_uri=BYE,
        state="s",
        logout_hint="ignored",
        ui_locales="nl",
    )
    assert found.is_proven
    assert (found.redirect_uri, found.state, found.sid) == (BYE, "s", "the-sid")
    assert found.relying_party is not None
    assert check(registry, id_token_hint=a_hint()).redirect_uri is None
    assert check(registry, id_token_hint=a_hint(sid=7)).sid == ""


@pytest.mark.parametrize(
    "hint",
    [
        "no token",
        a_hint()[:-4] + "AAAA",
        a_hint(key=CLIENT_KEY),
        a_hint(iss="https://other.example"),
        a_hint(aud=["rekenrijk"]),
        a_hint(sub=1),
        a_hint(typ="at+jwt"),
        a_hint(typ="logout+jwt"),
        a_hint(events={}),
        sign_userinfo({"sub": SUB}, issuer=ISSUER, client_id=CLIENT_ID, key=BROKER_KEY),
    ],
)
def test_what_is_no_id_token_of_ours_proves_nothing(registry: Registry, hint: str) -> None:
    with pytest.raises(LogoutHintRefused) as refused:
        check(registry, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert not refused.value.may_redirect


def test_a_client_id_must_be_the_tokens(registry: Registry) -> None:
    with pytest.raises(LogoutHintRefused):
        check(registry, id_token_hint=a_hint(), client_id="another")
    with pytest.raises(ClientUnknown):
        check(registry, id_token_hint=a_hint(aud="another"))
    with pytest.raises(ClientUnknown):
        check(registry, client_id="another")


@pytest.mark.parametrize("address", [BYE + "&more=1", BYE[:-1], "https://evil.example/"])
def test_an_address_is_registered_exactly(registry: Registry, address: str) -> None:
    with pytest.raises(LogoutAddressNotRegistered) as refused:
        check(registry, id_token_hint=a_hint(), post_logout_redirect_uri=address)
    assert not refused.value.may_redirect


def test_without_a_token_a_person_must_press_a_button(registry: Registry) -> None:
    nothing = check(registry)
    assert nothing == CheckedLogout(None, None, None, "", is_proven=False)
    assert check(registry, state="s", post_logout_redirect_uri=BYE) == nothing
    named = check(registry, client_id=CLIENT_ID, post_logout_redirect_uri=BYE, state="s")
    assert (named.redirect_uri, named.state, named.is_proven) == (BYE, "s", False)


def test_what_cannot_be_repeated_is_refused(registry: Registry) -> None:
    with pytest.raises(LogoutRequestRefused):
        check(registry, id_token_hint=a_hint(), state="s" * 2049)
    with pytest.raises(DuplicatedParameter):
        parse_logout_request([("state", "a"), ("state", "b")])


def test_a_logout_token_says_what_the_specification_wants() -> None:
    token = build_logout_token(
        client_id=CLIENT_ID, subject=SUB, sid="s", issuer=ISSUER, key=BROKER_KEY, now=NOW, jti="j"
    )
    signed = verify_token(token, keys=key_set_of([BROKER_KEY]), algorithms=["ES256"])
    assert signed.typ == "logout+jwt"
    seconds = int(NOW.timestamp())
    assert signed.claims == {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "sub": SUB,
        "sid": "s",
        "iat": seconds,
        "exp": seconds + 120,
        "jti": "j",
        "events": {LOGOUT_EVENT: {}},
    }


def test_addresses_keep_their_query() -> None:
    assert build_logout_return(BYE, state=None) == BYE
    assert build_logout_return(BYE, state="a b") == BYE + "&state=a+b"
    assert build_frontchannel_url("https://s.example/out?x=1", issuer=ISSUER, sid="s").startswith(
        "https://s.example/out?x=1&iss=https"
    )
