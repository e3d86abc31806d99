"""Userinfo bound to the ID token, and claims as attribute values: exact, or left out by name."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.identity import map_attributes
from broker.jose.keys import parse_key_set
from broker.oidc_rp.id_token import check_token_response
from broker.oidc_rp.login import find_unreadable_claims, to_verified_login
from broker.oidc_rp.refusals import UserinfoRefused
from broker.oidc_rp.userinfo import MAX_USERINFO_BYTES, VerifiedUserinfo, check_userinfo
from tests.builders_oidc import (
    NONCE,
    NOW,
    SCHOOL_KEY,
    a_school_idp,
    a_token_response,
    ago,
    jwks_of,
    school_endpoints,
)


def an_id_token(**claims: object):
    return check_token_response(
        a_token_response(**claims),
        endpoints=school_endpoints(),
        keys=parse_key_set(jwks_of(SCHOOL_KEY)),
        expected_nonce=NONCE,
        now=NOW,
    )


ID_TOKEN = an_id_token()


def userinfo(**claims: object) -> VerifiedUserinfo:
    return check_userinfo(json.dumps({"sub": "noor-1"} | claims).encode(), id_token=ID_TOKEN)


def test_userinfo_of_the_same_subject() -> None:
    found = userinfo(given_name="Noor")
    assert found.claims["given_name"] == "Noor"
    assert "Noor" not in repr(found)


@pytest.mark.parametrize("sub", [None, "", "noor-2", "NOOR-1", ["noor-1"]])
def test_check_userinfo_subject(sub: object) -> None:
    with pytest.raises(UserinfoRefused, match="check_userinfo_subject"):
        userinfo(sub=sub)


@pytest.mark.parametrize("body", [b"", b"[]", b"eyJ.eyJ.x", b"\xff", b"[" * 5000])
def test_check_userinfo_readable(body: bytes) -> None:
    with pytest.raises(UserinfoRefused, match="check_userinfo_readable"):
        check_userinfo(body, id_token=ID_TOKEN)


def test_check_userinfo_size() -> None:
    with pytest.raises(UserinfoRefused, match="check_userinfo_size"):
        check_userinfo(b" " * (MAX_USERINFO_BYTES + 1), id_token=ID_TOKEN)


def test_a_login_is_what_both_state() -> None:
    id_token = an_id_token(eduperson_affiliation=["student", "Member"], acr="loa:2")
    login = to_verified_login(a_school_idp(), id_token, userinfo(given_name=" Noor "))
    assert login.attributes["given_name"] == (" Noor ",)
    assert login.attributes["eduperson_affiliation"] == ("student", "Member")
    assert (login.authenticated_at, login.acr) == (ago(2), "loa:2")
    assert login.idp == a_school_idp()
    mapped, unknown = map_attributes(login)
    assert mapped == {
        "givenName": (" Noor ",),
        "eduPersonAffiliation": ("student", "member"),
    }
    assert unknown == ()


def test_what_is_signed_counts() -> None:
    id_token = an_id_token(given_name="Noor")
    login = to_verified_login(a_school_idp(), id_token, userinfo(given_name="Sanne"))
    assert login.attributes["given_name"] == ("Noor",)


def test_without_userinfo_the_id_token_is_all() -> None:
    login = to_verified_login(a_school_idp(), an_id_token(given_name="Noor"), None)
    assert login.attributes["given_name"] == ("Noor",)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("", ("",)),
        (True, ("true",)),
        (False, ("false",)),
        (12345678901234567890123, ("12345678901234567890123",)),
        (["a", 1, True, None], ("a", "1", "true")),
    ],
)
def test_plain_values_become_texts_exactly(value: object, texts: tuple[str, ...]) -> None:
    login = to_verified_login(a_school_idp(), ID_TOKEN, userinfo(x=value))
    assert login.attributes["x"] == texts
    assert "x" not in find_unreadable_claims(ID_TOKEN, userinfo(x=value))


@pytest.mark.parametrize("absent", [None, [], [None]])
def test_null_and_empty_lists_are_absent(absent: object) -> None:
    login = to_verified_login(a_school_idp(), ID_TOKEN, userinfo(x=absent))
    assert "x" not in login.attributes
    assert find_unreadable_claims(ID_TOKEN, userinfo(x=absent)) == ()


@pytest.mark.parametrize("nested", [{"a": "b"}, [["a"]], ["a", {"b": 1}], 1.5, 1.0, [1e20]])
def test_what_has_no_exact_text_is_left_out_by_name(nested: object) -> None:
    login = to_verified_login(a_school_idp(), ID_TOKEN, userinfo(x=nested))
    assert "x" not in login.attributes
    assert find_unreadable_claims(ID_TOKEN, userinfo(x=nested)) == ("x",)


@given(st.lists(st.integers(0, 10**30), min_size=2, max_size=2, unique=True))
def test_two_numbers_never_become_one_text(numbers: list[int]) -> None:
    logins = [to_verified_login(a_school_idp(), ID_TOKEN, userinfo(n=each)) for each in numbers]
    assert logins[0].attributes["n"] != logins[1].attributes["n"]


def test_an_id_token_is_a_value() -> None:
    assert replace(ID_TOKEN) == ID_TOKEN
