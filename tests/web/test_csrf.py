"""Forms of our own: the token, and where the browser says that a form came from."""

import pytest
from starlette.requests import Request

from broker.web.csrf import ForeignForm, check_own_form, make_token
from tests.web.broker_site import a_scope

KEY = (bytes(range(32)),)
ISSUER = "https://broker.example"
TOKEN = make_token(KEY, "handle")


def check(*, token: str = TOKEN, bound_to: str = "handle", **headers: str) -> None:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    check_own_form(
        Request(a_scope(headers=sent)),
        cookie_keys=KEY,
        bound_to=bound_to,
        token=token,
        issuer=ISSUER,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": ISSUER},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": ISSUER, "sec_fetch_site": "same-origin"},
    ],
)
def test_a_form_of_our_own_is_taken(headers: dict[str, str]) -> None:
    check(**headers)


@pytest.mark.parametrize(
    "origin",
    ["null", "", "https://evil.example", "http://broker.example", "https://broker.example:444",
     "https://broker.example.evil.example", "https://broker.example/"],
)  # fmt: skip
def test_check_origin(origin: str) -> None:
    with pytest.raises(ForeignForm) as refused:
        check(origin=origin)
    assert refused.value.check == "check_origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-ORIGIN"])
def test_check_fetch_site(site: str) -> None:
    with pytest.raises(ForeignForm) as refused:
        check(sec_fetch_site=site, origin=ISSUER)
    assert refused.value.check == "check_fetch_site"


@pytest.mark.parametrize(
    "token", ["", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "é" * 32, make_token(KEY, "other")]
)
def test_check_csrf_token(token: str) -> None:
    with pytest.raises(ForeignForm) as refused:
        check(token=token, origin=ISSUER, sec_fetch_site="same-origin")
    assert refused.value.check == "check_csrf_token"


def test_a_page_of_before_a_rotation_is_taken_until_its_key_is_retired() -> None:
    new = bytes(32)
    sent = Request(a_scope(headers=[]))
    for keys, good in (((new, *KEY), True), ((new,), False), ((*KEY, new), True)):
        asked = {"cookie_keys": keys, "bound_to": "handle", "token": TOKEN, "issuer": ISSUER}
        if good:
            check_own_form(sent, **asked)
        else:
            with pytest.raises(ForeignForm):
                check_own_form(sent, **asked)
    assert make_token((new, *KEY), "handle") == make_token((new,), "handle") != TOKEN


def test_a_token_holds_for_one_cookie_and_one_key() -> None:
    tokens = {make_token(key, bound) for key in (KEY, (bytes(32),)) for bound in ("a", "b")}
    assert len(tokens) == 4
    assert all(len(each) == 32 for each in tokens)
