"""A code must not be sent where the attacker reads it: only a registered string is an address."""

import pytest

from broker.domain.refusals import Refusal
from broker.oidc_op.request import (
    check_authorization_request,
    parse_authorization_request,
    prove_return_address,
)
from tests.builders_oidc import (
    REDIRECT_URI,
    a_compat_client,
    a_registry,
    an_authorization_request,
    an_oidc_client,
)

LOOPBACK = "http://127.0.0.1:8020/callback"
REGISTRIES = [
    a_registry(profile(redirect_uris=(REDIRECT_URI, LOOPBACK)))
    for profile in (an_oidc_client, a_compat_client)
]

TRICKS = [
    REDIRECT_URI + "/",
    REDIRECT_URI + "?",
    REDIRECT_URI + "#",
    REDIRECT_URI + "?next=https://evil.test",
    REDIRECT_URI + "/../open-redirect",
    REDIRECT_URI + "%00",
    REDIRECT_URI + "\r\nLocation: https://evil.test",
    REDIRECT_URI + " https://evil.test",
    " " + REDIRECT_URI,
    REDIRECT_URI.upper(),
    REDIRECT_URI.replace("https", "http"),
    REDIRECT_URI.replace("https", "HTTPS"),
    REDIRECT_URI.replace("rekenrijk.example", "rekenrijk.example:443"),
    REDIRECT_URI.replace("rekenrijk.example", "rekenrijk.example."),
    REDIRECT_URI.replace("rekenrijk.example", "rekenrijk.example.evil.test"),
    REDIRECT_URI.replace("rekenrijk.example", "rekenrijk.example@evil.test"),
    REDIRECT_URI.replace("rekenrijk.example", "evil.test?.rekenrijk.example"),
    REDIRECT_URI.replace("rekenrijk.example", "evil.test\\@rekenrijk.example"),
    REDIRECT_URI.replace("example", "exаmple"),  # a Cyrillic letter
    REDIRECT_URI.replace("callback", "%63allback"),
    "//rekenrijk.example/callback",
    "/callback",
    "javascript:alert(1)//" + REDIRECT_URI,
    "data:text/html," + REDIRECT_URI,
    LOOPBACK.replace("8020", "9999"),  # the exception for native apps is no part of these profiles
    LOOPBACK.replace("127.0.0.1", "localhost"),
    LOOPBACK.replace("127.0.0.1", "[::1]"),
]


@pytest.mark.parametrize("registry", REGISTRIES)
@pytest.mark.parametrize("trick", TRICKS)
def test_an_address_that_is_not_registered_gets_nothing(trick: str, registry) -> None:
    request = parse_authorization_request(an_authorization_request(redirect_uri=trick))
    for step in (prove_return_address, check_authorization_request):
        with pytest.raises(Refusal) as caught:
            step(request, registry=registry)
        assert not caught.value.may_redirect


@pytest.mark.parametrize("fault", [{"scope": None}, {"response_type": "token"}, {"prompt": "x y"}])
def test_another_fault_does_not_open_the_address(fault: dict[str, str | None]) -> None:
    asked = an_authorization_request(redirect_uri="https://evil.test/", **fault)
    with pytest.raises(Refusal) as caught:
        check_authorization_request(parse_authorization_request(asked), registry=REGISTRIES[0])
    assert not caught.value.may_redirect


@pytest.mark.parametrize("registry", REGISTRIES)
@pytest.mark.parametrize("uri", [REDIRECT_URI, LOOPBACK])
def test_the_registered_strings_do(uri: str, registry) -> None:
    request = parse_authorization_request(an_authorization_request(redirect_uri=uri))
    assert check_authorization_request(request, registry=registry).redirect_uri == uri
