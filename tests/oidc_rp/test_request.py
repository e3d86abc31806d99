"""What we send to a school: a request that names no supplier, and a code with our own proof."""

import base64
from urllib.parse import parse_qsl, urlsplit

import pytest

from broker.jose.keys import parse_key_set
from broker.jose.tokens import verify_token
from broker.oidc_rp.refusals import (
    ClientKeyMissing,
    ReauthenticationUnavailable,
    SchoolLoginRequired,
)
from broker.oidc_rp.request import (
    TokenRequest,
    build_authorization_request,
    build_end_session_url,
    build_token_request,
)
from tests.builders_oidc import (
    CHALLENGE,
    CLIENT_KEY,
    NONCE,
    NOW,
    SCHOOL_CLIENT_ID,
    SCHOOL_ISSUER,
    VERIFIER,
    jwks_of,
    school_endpoints,
)

CALLBACK = "https://broker.example/oidc/callback"


def ask(endpoints=None, **changes: object) -> dict[str, str]:
    url = build_authorization_request(
        endpoints or school_endpoints(),
        redirect_uri=CALLBACK,
        state="st&te",
        nonce=NONCE,
        code_challenge=CHALLENGE,
        **changes,  # type: ignore[arg-type]
    )
    assert url.startswith(SCHOOL_ISSUER + "/authorize?")
    return dict(parse_qsl(urlsplit(url).query))


PLAIN = {
    "response_type": "code",
    "client_id": SCHOOL_CLIENT_ID,
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "state": "st&te",
    "nonce": NONCE,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def test_a_plain_request() -> None:
    assert ask() == PLAIN


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"force_login": True}, {"prompt": "login", "max_age": "0"}),
        ({"force_login": True, "max_age_seconds": 60}, {"prompt": "login", "max_age": "0"}),
        ({"choose_account": True}, {"prompt": "select_account"}),
        (
            {"force_login": True, "choose_account": True},
            {"prompt": "login select_account", "max_age": "0"},
        ),
        ({"passive": True, "max_age_seconds": 60}, {"prompt": "none", "max_age": "60"}),
        ({"max_age_seconds": 0}, {"max_age": "0"}),
        ({"login_hint": "realm"}, {"login_hint": "realm"}),
    ],
)
def test_what_is_asked_is_sent(asked: dict[str, object], sent: dict[str, str]) -> None:
    assert ask(**asked) == PLAIN | sent


def test_registered_scopes_and_query_are_kept() -> None:
    assert ask(school_endpoints(scopes=("profile", "openid")))["scope"] == "openid profile"
    endpoint = SCHOOL_ISSUER + "/authorize?p=school"
    assert ask(school_endpoints(authorization_endpoint=endpoint)) == PLAIN | {"p": "school"}


@pytest.mark.parametrize("asked", [{"force_login": True}, {"max_age_seconds": 60}])
def test_check_provider_can_reauthenticate(asked: dict[str, object]) -> None:
    with pytest.raises(ReauthenticationUnavailable, match="check_provider_can") as caught:
        ask(school_endpoints(can_reauthenticate=False), **asked)
    assert caught.value.may_redirect
    assert caught.value.oauth_error == "login_required"
    assert ask(school_endpoints(can_reauthenticate=False)) == PLAIN


@pytest.mark.parametrize("asked", [{"force_login": True}, {"choose_account": True}])
def test_check_passive_alone(asked: dict[str, object]) -> None:
    with pytest.raises(SchoolLoginRequired, match="check_passive_alone"):
        ask(passive=True, **asked)


# The token request ------------------------------------------------------------------------------


def redeem(endpoints, **changes: object) -> TokenRequest:
    return build_token_request(
        endpoints,
        code="code-1",
        code_verifier=VERIFIER,
        redirect_uri=CALLBACK,
        now=NOW,
        jti="jti-1",
        **changes,  # type: ignore[arg-type]
    )


FORM = {
    "grant_type": "authorization_code",
    "code": "code-1",
    "redirect_uri": CALLBACK,
    "code_verifier": VERIFIER,
}


def test_private_key_jwt() -> None:
    endpoints = school_endpoints(client_assertion_audience="https://login.kompas.example/token")
    request = redeem(endpoints, key=CLIENT_KEY)
    assert request.url == SCHOOL_ISSUER + "/token"
    assert request.form.items() > FORM.items()
    assert "Authorization" not in request.headers
    signed = verify_token(
        request.form["client_assertion"],
        keys=parse_key_set(jwks_of(CLIENT_KEY)),
        algorithms=["ES256"],
    )
    issued_at = int(NOW.timestamp())
    assert signed.claims == {
        "iss": SCHOOL_CLIENT_ID,
        "sub": SCHOOL_CLIENT_ID,
        "aud": "https://login.kompas.example/token",
        "iat": issued_at,
        "exp": issued_at + 60,
        "jti": "jti-1",
    }
    assert "code-1" not in repr(request)


def test_client_secret_basic() -> None:
    endpoints = school_endpoints(authentication="client_secret_basic", client_id="a:b")
    request = redeem(endpoints, client_secret="s +")
    scheme, _, encoded = request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"a%3Ab:s+%2B")
    assert request.form == FORM
    assert encoded not in repr(request)


def test_check_client_key_present() -> None:
    with pytest.raises(ClientKeyMissing, match="check_client_key_present"):
        redeem(school_endpoints(), client_secret="x")


def test_check_client_secret_present() -> None:
    with pytest.raises(ClientKeyMissing, match="check_client_secret_present"):
        redeem(school_endpoints(authentication="client_secret_basic"), key=CLIENT_KEY)


@pytest.mark.parametrize(
    ("place", "url"),
    [
        (None, None),
        ("https://kompas.example/logout", "https://kompas.example/logout?client_id=a%3Ab"),
        ("https://kompas.example/go?p=out", "https://kompas.example/go?p=out&client_id=a%3Ab"),
    ],
)
def test_a_place_to_log_out_at_school_keeps_its_query(place: str | None, url: str | None) -> None:
    endpoints = school_endpoints(end_session_endpoint=place, client_id="a:b")
    assert build_end_session_url(endpoints) == url
