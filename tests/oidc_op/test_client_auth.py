"""Who calls the token endpoint: one registered method, keys and times of its own, once."""

import base64
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from broker.domain.relying_parties import (
    CertificateName,
    CertificateNameKind,
    ClientAuthentication,
)
from broker.jose.keys import KeySet, parse_key_set
from broker.oidc_op.caller_proof import CallerProof, ClientCertificate
from broker.oidc_op.client_assertions import (
    ASSERTION_CHECKS,
    ASSERTION_TYPE,
    MAX_ASSERTION_AGE_SECONDS,
    MAX_ASSERTION_ID_CHARS,
    MAX_ASSERTION_LIFE_SECONDS,
    SKEW_SECONDS,
)
from broker.oidc_op.client_auth import (
    METHODS,
    AuthenticatedClient,
    ClientCredentials,
    check_client_authentication,
    find_presented_client,
    parse_client_authentication,
)
from broker.oidc_op.client_refusals import ClientAuthenticationAmbiguous, ClientNotAuthenticated
from broker.oidc_op.client_secrets import hash_client_secret
from broker.oidc_op.profiles import PROFILES
from tests.builders_oidc import (
    CLIENT_ID,
    CLIENT_KEY,
    ISSUER,
    NOW,
    SECRET,
    TOKEN_ENDPOINT,
    a_compat_client,
    a_registry,
    an_assertion,
    an_oidc_client,
    assertion_form,
    basic,
    jwks_of,
    make_key,
)
from tests.proof_builders import a_certificate

STRICT = a_registry()
COMPAT = a_registry(a_compat_client())
COMPAT_KEYS = a_registry(an_oidc_client(profile="compat"))
BY_POST = a_compat_client(authentication="client_secret_post")
NOW_SECONDS = int(NOW.timestamp())


def authenticate(
    form=(),
    *,
    authorization: str | None = None,
    certificate: ClientCertificate | None = None,
    registry=STRICT,
    now: datetime = NOW,
    keys: KeySet | None = None,
) -> AuthenticatedClient:
    proof = CallerProof(authorization, certificate=certificate)
    credentials = parse_client_authentication(form, proof=proof)
    client = find_presented_client(credentials, registry=registry)
    return check_client_authentication(
        credentials,
        proof=proof,
        client=client,
        keys=parse_key_set(client.oidc.jwks) if keys is None else keys,
        issuer=ISSUER,
        token_endpoint=TOKEN_ENDPOINT,
        now=now,
    )


def assertion_refused(check: str, *, registry=STRICT, typ: str = "JWT", **claims: object) -> None:
    with pytest.raises(ClientNotAuthenticated) as caught:
        authenticate(assertion_form(an_assertion(typ=typ, **claims)), registry=registry)
    assert caught.value.check == check


def refused(check: str, form=(), **changes) -> None:
    with pytest.raises(ClientNotAuthenticated) as caught:
        authenticate(form, **changes)
    assert caught.value.check == check


def test_the_table_is_complete() -> None:
    assert len(ASSERTION_CHECKS) == 8
    for each in ASSERTION_CHECKS:
        assert f"test_{each.__name__}" in globals(), each.__name__
        assert each.__doc__


# private_key_jwt --------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", [None, CLIENT_ID])
@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
def test_a_signed_assertion_authenticates(client_id: str | None, typ: str) -> None:
    form = assertion_form(an_assertion(typ=typ), client_id=client_id)
    proven = authenticate(form)
    assert proven.client_id == CLIENT_ID
    assert proven.client.relying_party.id == "rp-0"
    assert proven.assertion_id is not None
    assert proven.assertion_id.value == f"{len(CLIENT_ID)}:{CLIENT_ID}j-1"
    assert "j-1" not in repr(proven)


def test_credentials_show_no_secret() -> None:
    credentials = ClientCredentials("a", "m", secret="s3cr3t", assertion="a55ert")
    assert "s3cr3t" not in repr(credentials)
    assert "a55ert" not in repr(credentials)


def test_check_assertion_typ() -> None:
    assertion_refused("check_assertion_typ", typ="oauth-authz-req+jwt")


@pytest.mark.parametrize("iss", [None, "other", ISSUER, [CLIENT_ID]])
def test_check_assertion_issuer_is_client(iss: object) -> None:
    assertion_refused("check_assertion_issuer_is_client", iss=iss)


def test_check_assertion_subject_is_client() -> None:
    form = assertion_form(an_assertion(sub="other"), client_id=CLIENT_ID)
    refused("check_assertion_subject_is_client", form)
    form = assertion_form(an_assertion(sub=None), client_id=CLIENT_ID)
    refused("check_assertion_subject_is_client", form)


@pytest.mark.parametrize(
    "aud",
    [None, [ISSUER], [ISSUER, "x"], TOKEN_ENDPOINT, ISSUER + "/", ISSUER.upper(), "", 1],
)
def test_check_assertion_audience(aud: object) -> None:
    assertion_refused("check_assertion_audience", aud=aud)


def test_only_compat_takes_the_token_endpoint_as_audience() -> None:
    form = assertion_form(an_assertion(aud=TOKEN_ENDPOINT))
    assert authenticate(form, registry=COMPAT_KEYS).client_id == CLIENT_ID
    assertion_refused("check_assertion_audience", registry=COMPAT_KEYS, aud=[TOKEN_ENDPOINT])


def test_check_assertion_expiry() -> None:
    life = MAX_ASSERTION_LIFE_SECONDS + SKEW_SECONDS
    assertion_refused("check_assertion_expiry", exp=None)
    assertion_refused("check_assertion_expiry", exp=NOW_SECONDS - SKEW_SECONDS)
    assertion_refused("check_assertion_expiry", exp=NOW_SECONDS + life + 1)
    for fine in (NOW_SECONDS - SKEW_SECONDS + 1, NOW_SECONDS + life):
        assert authenticate(assertion_form(an_assertion(exp=fine)))


def test_check_assertion_not_before() -> None:
    assertion_refused("check_assertion_not_before", nbf=NOW_SECONDS + SKEW_SECONDS + 1)
    assert authenticate(assertion_form(an_assertion(nbf=NOW_SECONDS + SKEW_SECONDS)))


def test_check_assertion_age() -> None:
    age = MAX_ASSERTION_AGE_SECONDS + SKEW_SECONDS
    exp = NOW_SECONDS + 3600
    assertion_refused("check_assertion_age", exp=exp, iat=NOW_SECONDS - age)
    assertion_refused("check_assertion_age", iat=NOW_SECONDS + SKEW_SECONDS + 1)
    for fine in (None, NOW_SECONDS - age + 1, NOW_SECONDS + SKEW_SECONDS):
        assert authenticate(assertion_form(an_assertion(exp=exp, iat=fine)))


@pytest.mark.parametrize("jti", [None, "", 1, "x" * (MAX_ASSERTION_ID_CHARS + 1)])
def test_check_assertion_id(jti: object) -> None:
    assertion_refused("check_assertion_id", jti=jti)


@pytest.mark.parametrize("wrong", ["1", True, -1, 2**41, [1], {}])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_check_assertion_times_readable(name: str, wrong: object) -> None:
    assertion_refused("check_assertion_times_readable", **{name: wrong})


@pytest.mark.parametrize(
    ("iat", "exp", "seconds"),
    [
        (0, 60, 60),
        (-200, 60, 260),  # made then, by a clock that is a minute ahead at most
        (None, 3660, 0),  # a moment earlier it would have been refused
        (None, 60, 3600),
        (-30, 3660, 0),
    ],
)
def test_an_assertion_says_how_old_it_can_be(iat: int | None, exp: int, seconds: int) -> None:
    start = int(NOW.timestamp())
    made = an_assertion(iat=None if iat is None else start + iat, exp=start + exp)
    proven = authenticate(assertion_form(made))
    assert proven.assertion_id is not None
    assert proven.assertion_id.made_within == timedelta(seconds=seconds)


@pytest.mark.parametrize("iat", [None, NOW_SECONDS - 100, NOW_SECONDS])
@pytest.mark.parametrize("life", [30, 3600])
def test_an_assertion_id_is_kept_until_the_assertion_is_refused_by_itself(
    iat: int | None, life: int
) -> None:
    form = assertion_form(an_assertion(iat=iat, exp=NOW_SECONDS + life))
    proven = authenticate(form)
    assert proven.assertion_id is not None
    until = proven.assertion_id.until
    assert until.tzinfo is UTC
    assert authenticate(form, now=until - timedelta(seconds=1))
    with pytest.raises(ClientNotAuthenticated):
        authenticate(form, now=until)


def test_ids_of_two_clients_never_meet() -> None:
    clients = [an_oidc_client(client_id=each) for each in ("ab", "a")]
    registry = a_registry(*clients)
    values = set()
    for client_id, jti in (("ab", "c"), ("a", "bc")):
        form = assertion_form(an_assertion(iss=client_id, sub=client_id, jti=jti))
        proven = authenticate(form, registry=registry)
        assert proven.assertion_id is not None
        values.add(proven.assertion_id.value)
    assert len(values) == 2


def test_a_key_of_somebody_else_is_refused() -> None:
    form = assertion_form(an_assertion(key=make_key()))
    refused("check_token_key_known", form)
    refused("check_token_key_known", assertion_form(an_assertion()), keys=KeySet())


@pytest.mark.parametrize(
    "form",
    [
        assertion_form("x", client_assertion_type=None),
        assertion_form("x", client_assertion_type="urn:ietf:params:oauth:grant-type:jwt-bearer"),
        assertion_form(  # rfc7523bis: assertions of SAML must not be used any more
            an_assertion(),
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
        [("client_assertion_type", ASSERTION_TYPE)],
    ],
)
def test_check_assertion_type(form) -> None:
    refused("check_assertion_type", form)


@pytest.mark.parametrize("assertion", ["x", "a.!.c", "a.e30.c", "a.W10.c", "a.eyJzdWIiOjF9.c", "."])
def test_an_assertion_that_names_nobody_is_refused(assertion: str) -> None:
    refused("check_client_known", assertion_form(assertion))


# client_secret_basic ----------------------------------------------------------------------------


def test_a_secret_authenticates_where_it_is_registered() -> None:
    for form in ([], [("client_id", CLIENT_ID)]):
        proven = authenticate(form, authorization=basic(), registry=COMPAT)
        assert (proven.client_id, proven.assertion_id) == (CLIENT_ID, None)
    assert authenticate(authorization=basic().replace("Basic", "bAsIc"), registry=COMPAT)


def test_id_and_secret_are_form_encoded_before_they_are_joined() -> None:
    odd = a_compat_client(client_id="a:b c", secret_hash=hash_client_secret("s:%+ é").upper())
    header = basic("a%3Ab+c", "s%3A%25%2B+%C3%A9")
    assert authenticate(authorization=header, registry=a_registry(odd)).client_id == "a:b c"


def test_check_client_secret() -> None:
    refused("check_client_secret", authorization=basic(secret=SECRET + "x"), registry=COMPAT)
    without = a_registry(a_compat_client(secret_hash=None))
    refused("check_client_secret", authorization=basic(), registry=without)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Bearer " + basic().partition(" ")[2],
        "Basic " + base64.b64encode(b"no-colon").decode(),
        "Basic " + base64.b64encode(b"\xff:x").decode(),
        "Basic " + base64.b64encode(b"%ff:x").decode(),
        basic(client_id=""),
        basic(secret=""),
        "Basic é",
    ],
)
def test_check_basic_readable(header: str) -> None:
    refused("check_basic_readable", authorization=header, registry=COMPAT)


def test_check_one_client_id() -> None:
    with pytest.raises(ClientAuthenticationAmbiguous, match="check_one_client_id"):
        parse_client_authentication([("client_id", "other")], proof=CallerProof(basic()))


def test_a_secret_in_the_form_authenticates_where_it_is_registered() -> None:
    form = [("client_id", CLIENT_ID), ("client_secret", SECRET)]
    assert authenticate(form, registry=a_registry(BY_POST)).client_id == CLIENT_ID
    wrong = [("client_id", CLIENT_ID), ("client_secret", SECRET + "x")]
    refused("check_client_secret", wrong, registry=a_registry(BY_POST))


def test_two_secrets_are_good_while_one_changes() -> None:
    after = hash_client_secret("the next one")
    changing = a_registry(a_compat_client(next_secret_hash=after))
    assert authenticate(authorization=basic(), registry=changing)
    assert authenticate(authorization=basic(secret="the+next+one"), registry=changing)
    refused("check_client_secret", authorization=basic(secret="the first one"), registry=changing)
    changed = a_registry(a_compat_client(secret_hash=after))
    refused("check_client_secret", authorization=basic(), registry=changed)


def test_a_certificate_authenticates_where_its_name_is_registered() -> None:
    named = CertificateName(kind=CertificateNameKind.SUBJECT_DN, value="CN=rijk")
    registry = a_registry(an_oidc_client(authentication="tls_client_auth", certificate_name=named))
    form = [("client_id", CLIENT_ID)]
    proven = authenticate(form, certificate=a_certificate(subject="CN=rijk"), registry=registry)
    assert (proven.client_id, proven.assertion_id) == (CLIENT_ID, None)
    other = a_certificate(subject="CN=other")
    refused("check_certificate_name", form, certificate=other, registry=registry)
    refused("check_certificate_present", form, registry=registry)
    # An assertion, a secret or nothing beside it is another method.
    check = "check_authentication_method_registered"
    shown = a_certificate(subject="CN=rijk")
    refused(check, assertion_form(an_assertion()), certificate=shown, registry=registry)
    refused(check, authorization=basic(), certificate=shown, registry=registry)
    refused(check, form, certificate=shown, registry=STRICT)
    disabled = a_registry(
        an_oidc_client(authentication="tls_client_auth", certificate_name=named), enabled=False
    )
    refused("check_client_enabled", form, certificate=shown, registry=disabled)


def test_a_certificate_of_a_registered_key_authenticates() -> None:
    registry = a_registry(an_oidc_client(authentication="self_signed_tls_client_auth"))
    form = [("client_id", CLIENT_ID)]
    own = a_certificate(key=CLIENT_KEY.key.private_key, chain_proven=False)
    assert authenticate(form, certificate=own, registry=registry).client_id == CLIENT_ID
    refused("check_certificate_key", form, certificate=a_certificate(), registry=registry)
    strict = a_registry(
        an_oidc_client(authentication="self_signed_tls_client_auth", profile="nlgov")
    )
    check = "check_authentication_method_registered"
    refused(check, form, certificate=own, registry=strict)


def test_a_public_client_names_itself_and_proves_nothing() -> None:
    registry = a_registry(an_oidc_client(authentication="none", profile="native"))
    assert authenticate([("client_id", CLIENT_ID)], registry=registry).assertion_id is None
    confidential = a_registry(an_oidc_client(authentication="none", profile="strict"))
    check = "check_authentication_method_registered"
    refused(check, [("client_id", CLIENT_ID)], registry=confidential)
    refused(check, authorization=basic(), registry=registry)


def test_the_algorithms_are_those_of_the_profile() -> None:
    key = make_key("RSA")
    rsa = an_oidc_client(jwks=jwks_of(key))
    form = assertion_form(an_assertion(key=key))
    assert authenticate(form, registry=a_registry(rsa))
    fapi = a_registry(an_oidc_client(jwks=jwks_of(key), profile="fapi2"))
    refused("check_token_algorithm_allowed", form, registry=fapi)
    fapi = a_registry(an_oidc_client(profile="fapi2"))
    assert authenticate(assertion_form(an_assertion()), registry=fapi)


def test_every_registered_method_has_its_check() -> None:
    assert set(METHODS) == set(get_args(ClientAuthentication))
    named = {each for profile in PROFILES.values() for each in profile.authentication_methods}
    assert named == set(METHODS)


# One method, the registered one -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "authorization"),
    [
        (assertion_form("x"), basic()),
        ([("client_secret", "x")], basic()),
        (assertion_form("x", client_secret="x"), None),
        ([("client_assertion_type", "x"), ("client_secret", "x")], None),
    ],
)
def test_check_one_authentication_method(form, authorization: str | None) -> None:
    with pytest.raises(ClientAuthenticationAmbiguous, match="check_one_authentication_method"):
        parse_client_authentication(form, proof=CallerProof(authorization))


def test_check_authentication_method_registered() -> None:
    check = "check_authentication_method_registered"
    refused(check, authorization=basic(), registry=STRICT)
    refused(check, assertion_form(an_assertion()), registry=COMPAT)
    refused(check, [("client_id", CLIENT_ID)], registry=STRICT)
    post = [("client_id", CLIENT_ID), ("client_secret", SECRET)]
    refused(check, post, registry=COMPAT)
    refused(check, authorization=basic(), registry=a_registry(BY_POST))
    # A secret is registered, but the profile does not allow secrets.
    strict_secret = a_registry(a_compat_client(profile="strict"))
    refused(check, authorization=basic(), registry=strict_secret)


def test_an_unknown_or_disabled_caller_is_told_no_more_than_a_wrong_one() -> None:
    refused("check_client_known", authorization=basic(client_id="other"), registry=COMPAT)
    refused("check_client_known", [], registry=COMPAT)
    disabled = a_registry(supplier_enabled=False)
    refused("check_client_enabled", assertion_form(an_assertion()), registry=disabled)
    assert ClientNotAuthenticated.http_status == 401
