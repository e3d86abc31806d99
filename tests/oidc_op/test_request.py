"""The authorization request: each check refuses, and the same request without the fault passes."""

import dataclasses
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.assurance import LOW, SUBSTANTIAL
from broker.domain.refusals import Refusal
from broker.oidc_op.asked_claims import AcrNotMet, AskedAcr, AskedClaims, PersonNotExpected
from broker.oidc_op.claims import time_for_supplier
from broker.oidc_op.clients import ClientUnknown, find_client
from broker.oidc_op.parameters import (
    MAX_PARAMETERS,
    MAX_RESOURCES,
    MAX_RESOURCES_CHARS,
    DuplicatedParameter,
    RequestTooLarge,
    collect_parameters,
)
from broker.oidc_op.profiles import PROFILES, ProfileUnknown
from broker.oidc_op.request import (
    MAX_HINT_CHARS,
    CheckedAuthorizationRequest,
    check_authorization_request,
    parse_authorization_request,
    prove_return_address,
)
from broker.oidc_op.request_checks import (
    CHECKS_AFTER_REDIRECT,
    CHECKS_BEFORE_REDIRECT,
    MAX_NONCE_CHARS,
    MAX_STATE_CHARS,
    ParameterRefused,
    PkceRefused,
    RedirectUriNotRegistered,
    RegistrationRefused,
    RequestObjectRefused,
    RequestUriRefused,
    ResourceRefused,
    ResponseTypeRefused,
    ScopeRefused,
    StateTooLong,
)
from tests.builders_oidc import (
    CHALLENGE,
    CLIENT_ID,
    NOW,
    REDIRECT_URI,
    a_compat_client,
    a_native_client,
    a_registry,
    an_authorization_request,
    an_oidc_client,
)

API = "https://rekenrijk.example/api"
STRICT = a_registry()
COMPAT = a_registry(a_compat_client())
NLGOV = a_registry(an_oidc_client(profile="nlgov"))
RANDOM = "tN4_q0wZ1xV7yB2cR9sKgP"  # 22 signs of base64url: 132 bits


def check(registry=STRICT, **changes: str | None) -> CheckedAuthorizationRequest:
    request = parse_authorization_request(an_authorization_request(**changes))
    return check_authorization_request(request, registry=registry)


def refuses(expected: type[Refusal], name: str, registry=STRICT, **changes: str | None) -> None:
    with pytest.raises(expected) as caught:
        check(registry, **changes)
    assert caught.value.check == name
    assert type(caught.value) is expected


def test_the_tables_are_complete() -> None:
    assert (len(CHECKS_BEFORE_REDIRECT), len(CHECKS_AFTER_REDIRECT)) == (2, 24)
    for each in (*CHECKS_BEFORE_REDIRECT, *CHECKS_AFTER_REDIRECT):
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


def test_a_plain_request_passes() -> None:
    checked = check(display="page", claims_locales="nl", audience="x")
    assert checked == CheckedAuthorizationRequest(
        relying_party=STRICT.by_client_id[CLIENT_ID].id,
        client_id=CLIENT_ID,
        redirect_uri=REDIRECT_URI,
        state="s t/a&t=e",
        nonce="n-0S6",
        code_challenge=CHALLENGE,
        scopes=("openid", "profile"),
    )


def test_what_a_request_asks_is_read() -> None:
    checked = check(
        prompt="login select_account consent create",
        max_age="3600",
        acr_values=f"loa:2 idp:kompas {SUBSTANTIAL} brin:22BB idp:",
        login_hint="noor@kompas.example",
        idp_hint="22BB",
        ui_locales="nl en",
    )
    assert checked.force_login
    assert checked.choose_school_again
    assert not checked.passive
    assert (checked.max_age_seconds, checked.wants_auth_time) == (3240, True)
    assert checked.acr == AskedAcr(levels=(SUBSTANTIAL,))
    assert checked.hints == ("22BB", "kompas", "22BB", "noor@kompas.example")
    assert checked.ui_locales == ("nl", "en")


def test_prompt_none_is_passive() -> None:
    checked = check(prompt="none")
    assert checked.passive
    assert not checked.force_login


@pytest.mark.parametrize(("max_age", "forced"), [("0", True), ("599", True), ("600", False)])
def test_a_short_max_age_is_login(max_age: str, forced: bool) -> None:
    checked = check(max_age=max_age)
    assert (checked.force_login, checked.wants_auth_time) == (forced, True)
    assert (checked.max_age_seconds is None) is forced


@given(st.integers(600, 10**8), st.integers(0, 10**4))
def test_a_floored_login_is_within_the_age_that_was_asked(asked: int, seconds: int) -> None:
    allowed = check(max_age=str(asked)).max_age_seconds
    assert allowed is not None
    now = NOW + timedelta(seconds=seconds)
    stated = time_for_supplier(now - timedelta(seconds=allowed), exact=False)
    assert now.timestamp() - stated < asked


def test_a_long_hint_is_dropped() -> None:
    assert check(login_hint="x" * MAX_HINT_CHARS).hints == ("x" * MAX_HINT_CHARS,)
    assert check(login_hint="x" * (MAX_HINT_CHARS + 1)).hints == ()


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        (None, False),
        ("{}", False),
        ('{"id_token": null}', False),
        ('{"id_token": {"auth_time": null}}', False),
        ('{"id_token": {"auth_time": {"essential": false}}}', False),
        ('{"id_token": {"auth_time": {"essential": true}}}', True),
        ('{"userinfo": {"auth_time": {"essential": true}}}', False),
    ],
)
def test_an_essential_auth_time_is_wanted(claims: str | None, wanted: bool) -> None:
    assert check(claims=claims).wants_auth_time is wanted


def test_a_stored_request_shows_nothing_and_survives_storage() -> None:
    checked = check(login_hint="noor@kompas.example")
    assert "noor" not in repr(checked)
    assert "noor" not in repr(parse_authorization_request([("login_hint", "noor")]))
    assert checked.__rich_repr__() == [("relying_party", "rp-0")]
    stored = msgspec.msgpack.encode(checked)
    assert msgspec.msgpack.decode(stored, type=CheckedAuthorizationRequest) == checked
    assert msgspec.msgpack.decode(stored)["type"] == "oidc"


# Who asks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", [None, "", "rekenrijk", "REKENRIJK-WEB", "rekenrijk-web "])
def test_check_client_known(client_id: str | None) -> None:
    refuses(ClientUnknown, "check_client_known", client_id=client_id)


def test_check_client_enabled() -> None:
    for registry in (a_registry(enabled=False), a_registry(supplier_enabled=False)):
        refuses(ClientUnknown, "check_client_enabled", registry)
    assert find_client(CLIENT_ID, registry=STRICT).profile is PROFILES["strict"]


def test_check_profile_known() -> None:
    registry = a_registry(an_oidc_client(profile="telex"))
    refuses(ProfileUnknown, "check_profile_known", registry)


# Where the answer goes --------------------------------------------------------------------------


@pytest.mark.parametrize("uri", [None, "", REDIRECT_URI + "/", "https://evil.test/"])
def test_check_redirect_uri_registered(uri: str | None) -> None:
    refuses(RedirectUriNotRegistered, "check_redirect_uri_registered", redirect_uri=uri)
    refuses(RedirectUriNotRegistered, "check_redirect_uri_registered", COMPAT, redirect_uri=uri)


LOOPBACK = ("http://127.0.0.1/cb", "http://[::1]:8080/cb?x=1", "nl.rekenrijk.app:/cb")
NATIVE = a_registry(a_native_client(redirect_uris=LOOPBACK))


@pytest.mark.parametrize(
    "uri",
    [
        *LOOPBACK,
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:51004/cb?x=1",
        "http://[::1]/cb?x=1",
    ],
)
def test_an_app_may_be_on_any_port_of_loopback(uri: str) -> None:
    assert check(NATIVE, redirect_uri=uri).redirect_uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost/cb",
        "http://127.0.0.2/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80:80/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.1@evil.test/cb",
        "http://127.0.0.1:x@evil.test/cb",
        "http://evil.test#127.0.0.1/cb",
        "http://127.0.0.1/cb/",
        "http://127.0.0.1/cb#x",
        "http://127.0.0.1/CB",
        "https://127.0.0.1:9/cb",
        "http://[::1]:9/cb",
        "http://[::2]:9/cb?x=1",
        "http://127.0.0.1:9/cb\n",
        "http://127.0.0.1:\u0661/cb",
        "nl.rekenrijk.app:/cb/",
        "nl.rekenrijk.app:9/cb",
        "NL.rekenrijk.app:/cb",
    ],
)
def test_nothing_else_of_an_app_varies(uri: str) -> None:
    refuses(RedirectUriNotRegistered, "check_redirect_uri_registered", NATIVE, redirect_uri=uri)


def test_ports_of_others_do_not_vary() -> None:
    for make in (an_oidc_client, a_compat_client):
        registry = a_registry(make(redirect_uris=LOOPBACK))
        assert check(registry, redirect_uri=LOOPBACK[0])
        uri = "http://127.0.0.1:51004/cb"
        refuses(
            RedirectUriNotRegistered, "check_redirect_uri_registered", registry, redirect_uri=uri
        )


def test_check_state_length() -> None:
    refuses(StateTooLong, "check_state_length", state="x" * (MAX_STATE_CHARS + 1))
    assert check(state="x" * MAX_STATE_CHARS).state
    assert check(state=None).state is None


def test_only_what_comes_after_the_proof_may_redirect() -> None:
    unproven = (ClientUnknown, ProfileUnknown, RedirectUriNotRegistered, StateTooLong)
    assert not any(each.may_redirect for each in (*unproven, DuplicatedParameter, RequestTooLarge))
    proven = (ParameterRefused, PkceRefused, RequestObjectRefused, RequestUriRefused)
    assert all(each.may_redirect for each in (*proven, RegistrationRefused, ResponseTypeRefused))
    assert ScopeRefused.may_redirect


def test_a_return_address_is_proven_even_when_the_rest_is_wrong() -> None:
    request = parse_authorization_request(an_authorization_request(scope=None))
    address = prove_return_address(request, registry=STRICT)
    assert (address.redirect_uri, address.state) == (REDIRECT_URI, "s t/a&t=e")


# What is asked ----------------------------------------------------------------------------------


def test_check_no_request_object() -> None:
    refuses(RequestObjectRefused, "check_no_request_object", request="eyJ", response_type=None)


def test_check_no_request_uri() -> None:
    refuses(RequestUriRefused, "check_no_request_uri", request_uri="https://169.254.169.254/")


def test_check_no_registration() -> None:
    refuses(RegistrationRefused, "check_no_registration", registration="{}")


def test_check_response_type_code() -> None:
    refuses(ParameterRefused, "check_response_type_code", response_type=None)
    for wrong in ("token", "id_token", "code id_token", "CODE"):
        refuses(ResponseTypeRefused, "check_response_type_code", response_type=wrong)


def test_check_response_mode() -> None:
    for wrong in ("fragment", "query.jwt", "form_post.jwt", "FORM_POST", "form_post query"):
        refuses(ParameterRefused, "check_response_mode", response_mode=wrong)
    assert not check(response_mode="query").form_post
    assert check(response_mode="form_post").form_post


def test_nothing_is_posted_to_an_app_s_own_scheme() -> None:
    own, loopback = LOOPBACK[2], LOOPBACK[0]
    wrong = {"redirect_uri": own, "response_mode": "form_post"}
    refuses(ParameterRefused, "check_response_mode", NATIVE, **wrong)
    request = parse_authorization_request(an_authorization_request(**wrong))
    assert not prove_return_address(request, registry=NATIVE).form_post
    assert check(NATIVE, redirect_uri=own).redirect_uri == own
    assert check(NATIVE, redirect_uri=loopback, response_mode="form_post").form_post


def test_check_scope_has_openid() -> None:
    for wrong in (None, "profile", "openid2", "OpenID"):
        refuses(ScopeRefused, "check_scope_has_openid", scope=wrong)
    assert check(scope="email openid offline_access phone").scopes == ("openid", "email")


def test_check_pushed() -> None:
    fapi2 = a_registry(an_oidc_client(profile="fapi2"))
    refuses(ParameterRefused, "check_pushed", fapi2)
    refuses(ParameterRefused, "check_pushed", fapi2, pushed="True")  # no parameter says so
    received = parse_authorization_request(an_authorization_request())
    pushed = dataclasses.replace(received, pushed=True)
    assert check_authorization_request(pushed, registry=fapi2).client_id == CLIENT_ID
    assert check_authorization_request(pushed, registry=STRICT) == check()
    by_document = a_registry(an_oidc_client(require_pushed=True))
    refuses(ParameterRefused, "check_pushed", by_document)
    assert check_authorization_request(pushed, registry=by_document) == check()


def test_check_signed_object() -> None:
    registry = a_registry(an_oidc_client(require_signed_request=True))
    refuses(ParameterRefused, "check_signed_object", registry)
    refuses(ParameterRefused, "check_signed_object", registry, signed="True")
    received = parse_authorization_request(an_authorization_request())
    signed = dataclasses.replace(received, signed=True)
    assert check_authorization_request(signed, registry=registry) == check()


def test_check_state_present() -> None:
    refuses(ParameterRefused, "check_state_present", NLGOV, state=None, nonce=RANDOM)
    assert check(NLGOV, state=RANDOM, nonce=RANDOM).state
    assert check(state=None).state is None


def test_check_nonce_present() -> None:
    refuses(ParameterRefused, "check_nonce_present", NLGOV, state=RANDOM, nonce=None)
    assert check(NLGOV, state=RANDOM, nonce=RANDOM).nonce
    assert check(nonce=None).nonce is None  # oidcc-ensure-request-without-nonce-succeeds


@pytest.mark.parametrize(
    "value", ["n-0S6", "A" * 21, "0123456789abcdef" * 2 + "-", "1" * 38, "8f14e45f-ceea-467a"]
)
def test_check_state_unguessable(value: str) -> None:
    few = value.rstrip("-")[:-1]
    refuses(ParameterRefused, "check_state_unguessable", NLGOV, state=few, nonce=RANDOM)
    assert check(NLGOV, state=RANDOM, nonce=RANDOM).state == RANDOM
    assert check(state=few).state == few


@pytest.mark.parametrize(
    "value",
    [RANDOM, "8f14e45f-ceea-467a-9575-2cb8f0e1a0d3", "1" * 39, "n-0S6_WzA2Mj-kZQx81vbg"],
)
def test_check_nonce_unguessable(value: str) -> None:
    refuses(ParameterRefused, "check_nonce_unguessable", NLGOV, state=RANDOM, nonce=value[:-1])
    assert check(NLGOV, state=value, nonce=value).nonce == value
    assert check(nonce=value[:-1]).nonce == value[:-1]


def test_check_pkce_present() -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    refuses(PkceRefused, "check_pkce_present", **without)
    assert check(COMPAT, **without).code_challenge is None
    assert check(COMPAT).code_challenge == CHALLENGE


@pytest.mark.parametrize("registry", [STRICT, COMPAT])
def test_check_pkce_method_s256(registry) -> None:
    for wrong in (None, "plain", "s256"):
        refuses(PkceRefused, "check_pkce_method_s256", registry, code_challenge_method=wrong)


@pytest.mark.parametrize("registry", [STRICT, COMPAT])
def test_check_pkce_challenge_form(registry) -> None:
    for wrong in ("x" * 42, "x" * 44, "x" * 42 + "=", "x" * 43 + "\n"):
        refuses(PkceRefused, "check_pkce_challenge_form", registry, code_challenge=wrong)
    refuses(PkceRefused, "check_pkce_challenge_form", COMPAT, code_challenge=None)


def test_check_prompt_none_alone() -> None:
    refuses(ParameterRefused, "check_prompt_none_alone", prompt="none login")
    assert check(prompt="none none").passive


def test_check_max_age_number() -> None:
    for wrong in ("-1", "1.0", "x", "١", "1" * 10, "1\n"):
        refuses(ParameterRefused, "check_max_age_number", max_age=wrong)


def test_check_nonce_length() -> None:
    refuses(ParameterRefused, "check_nonce_length", nonce="x" * (MAX_NONCE_CHARS + 1))
    assert check(nonce="x" * MAX_NONCE_CHARS).nonce
    assert check(nonce=None).nonce is None


def test_check_claims_readable() -> None:
    for wrong in (
        *("[]", "{", "null", "[" * 5000),
        *('{"id_token": [1]}', '{"userinfo": "email"}', '{"userinfo": {"email": true}}'),
        *('{"userinfo": {"email": {"essential": "yes"}}}', '{"id_token": {"x": {"values": 1}}}'),
        *('{"id_token": {"sub": {"value": 5}}}', '{"userinfo": {"sub": {"values": [null]}}}'),
        '{"id_token": {"acr": {"values": [{}]}}}',
    ):
        refuses(ParameterRefused, "check_claims_readable", claims=wrong)
    for fine in (
        *("{}", '{"userinfo": null, "other": [1]}', '{"userinfo": {"email": {"x": 1}}}'),
        *('{"userinfo": {"email": {"value": {"any": 1}}}}', '{"id_token": {"sub": null}}'),
    ):
        assert check(claims=fine)


def test_check_acr_known() -> None:
    essential = '{"id_token": {"acr": {"essential": true, "values": ["urn:gold"%s]}}}'
    refuses(AcrNotMet, "check_acr_known", claims=essential % "")
    checked = check(claims=essential % f', "{LOW}"', acr_values="urn:gold")
    assert checked.acr == AskedAcr(levels=(LOW,), essential=True)
    assert check(claims=essential.replace("true", "false") % "").acr == AskedAcr()
    assert check(claims='{"id_token": {"acr": {"essential": true}}}').acr == AskedAcr()


def test_check_sub_consistent() -> None:
    two = '{"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"values": [%s]}}}'
    refuses(PersonNotExpected, "check_sub_consistent", claims=two % '"b"')
    assert check(claims=two % '"b", "a"').expected_subs == ("a",)
    assert check(claims=two % "").expected_subs == ("a",)
    assert check(claims='{"id_token": {"sub": {"values": ["b", "c"]}}}').expected_subs == (
        *("b", "c"),
    )
    assert check().expected_subs is None


def test_claims_are_placed_by_the_names_that_the_client_uses() -> None:
    claims = '{"id_token": {"email": null, "acr": null}, "userinfo": {"given_name#nl": null}}'
    assert check(claims=claims, scope="openid").asked_claims == AskedClaims(
        in_id_token=("email",), in_userinfo=("given_name",)
    )
    placed = check(claims=claims, scope="openid profile").asked_claims
    assert placed is not None
    assert set(placed.in_userinfo) == {"given_name", "family_name", "birthdate"}
    assert check(claims='{"userinfo": {"name": {"essential": true}}}').asked_claims is None
    assert check(claims='{"id_token": {"acr": null}}').asked_claims is None
    assert check().asked_claims is None


def test_check_resource_registered() -> None:
    registry = a_registry(resources=(API, API + "/two"))
    for wrong in (API + "/", API.upper(), "https://other.example/api", "x"):
        refuses(ResourceRefused, "check_resource_registered", registry, resource=wrong)
    assert check(registry, resource=API).resources == (API,)
    refuses(ResourceRefused, "check_resource_registered", resource=API)
    assert check(registry, resource="").resources == ()


def test_check_dpop_thumbprint_form() -> None:
    for wrong in ("x", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 43 + "\n"):
        refuses(ParameterRefused, "check_dpop_thumbprint_form", dpop_jkt=wrong)
    assert check(dpop_jkt="A" * 43).dpop_jkt == "A" * 43
    assert check().dpop_jkt == ""


def test_several_resources_may_be_asked() -> None:
    """RFC 8707 2: the only parameter that may occur more than once."""
    registry = a_registry(resources=(API, API + "/two"))
    asked = [*an_authorization_request(), *(("resource", API + more) for more in ("", "/two", ""))]
    checked = check_authorization_request(parse_authorization_request(asked), registry=registry)
    assert checked.resources == (API, API + "/two")
    with pytest.raises(ResourceRefused) as caught:
        check_authorization_request(
            parse_authorization_request([*asked, ("resource", "x")]), registry=registry
        )
    assert caught.value.oauth_error == "invalid_target"


# Parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["client_id", "redirect_uri", "state", "response_mode", "request", "request_uri"]
)
def test_check_parameter_once(name: str) -> None:
    asked = an_authorization_request(response_mode="query", request="x", request_uri="y")
    for second in (dict(asked)[name], "", "other"):
        with pytest.raises(DuplicatedParameter) as caught:
            parse_authorization_request([*asked, (name, second)])
        assert caught.value.subject == name


@pytest.mark.parametrize(
    "name",
    [
        *("response_type", "scope", "nonce", "code_challenge", "code_challenge_method"),
        *("prompt", "claims", "acr_values", "max_age", "login_hint", "ui_locales"),
    ],
)
def test_check_nothing_twice(name: str) -> None:
    asked = [each for each in an_authorization_request() if each[0] != name]
    one = dict(an_authorization_request()).get(name, "1")
    for second in (one, "", "other"):
        request = parse_authorization_request([(name, one), *asked, (name, second)])
        assert getattr(request, name) is None  # neither value is chosen
        with pytest.raises(ParameterRefused, match=f"check_nothing_twice {name}") as caught:
            check_authorization_request(request, registry=STRICT)
        assert (caught.value.may_redirect, caught.value.oauth_error) == (True, "invalid_request")
    assert parse_authorization_request([(name, one), *asked]).duplicated == ()


def test_unknown_parameters_are_ignored_even_twice() -> None:
    asked = [*an_authorization_request(), ("utm", "1"), ("utm", "2")]
    assert parse_authorization_request(asked).client_id == CLIENT_ID


def test_check_parameter_count() -> None:
    with pytest.raises(RequestTooLarge, match="check_parameter_count"):
        parse_authorization_request([("x", "1")] * (MAX_PARAMETERS + 1))
    assert parse_authorization_request([("x", "1")] * MAX_PARAMETERS).state is None


def test_check_resources_size() -> None:
    most = [("resource", "x" * (MAX_RESOURCES_CHARS // MAX_RESOURCES))] * MAX_RESOURCES
    assert parse_authorization_request(most).resource == (most[0][1],) * MAX_RESOURCES
    for more in ([*most[1:], ("resource", "x")] * 2, [("resource", "x" * 4097)]):
        with pytest.raises(RequestTooLarge, match="check_resources_size"):
            parse_authorization_request(more)


def test_check_parameter_size() -> None:
    with pytest.raises(RequestTooLarge, match="check_parameter_size"):
        parse_authorization_request([("claims", "é" * 5000)])
    with pytest.raises(RequestTooLarge, match="check_parameter_is_unicode"):
        parse_authorization_request([("state", "\ud800")])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=3))))
def test_what_is_collected_was_sent_once_with_a_value(sent: list[tuple[str, str]]) -> None:
    names = [name for name, _ in sent if name != "d"]
    if len(set(names)) < len(names):
        with pytest.raises((DuplicatedParameter, RequestTooLarge)):
            collect_parameters(sent, known="abc")
    elif len(sent) <= MAX_PARAMETERS:
        collected = collect_parameters(sent, known="abc")
        assert set(collected.items()) == {(n, v) for n, v in sent if n != "d" and v}
