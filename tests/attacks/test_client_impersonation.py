"""Somebody else's proof is shown at our token endpoint, or one's own a second time."""

import pytest

from broker.oidc_op.client_refusals import ClientNotAuthenticated
from tests.builders_oidc import (
    CLIENT_ID,
    ISSUER,
    NOW,
    a_registry,
    an_assertion,
    an_oidc_client,
    assertion_form,
    basic,
    jwks_of,
    make_key,
)
from tests.oidc_op.test_client_auth import COMPAT, authenticate

EVIL_KEY = make_key()
TWO = a_registry(an_oidc_client(), an_oidc_client(client_id="evil", jwks=jwks_of(EVIL_KEY)))


@pytest.mark.parametrize(
    "aud",
    [
        "https://other-server.example",
        ["https://other-server.example", ISSUER],
        [ISSUER],
        ISSUER + ".evil.test",
        "",
    ],
)
def test_an_assertion_that_another_server_collected_is_refused(aud: object) -> None:
    with pytest.raises(ClientNotAuthenticated):
        authenticate(assertion_form(an_assertion(aud=aud)))


@pytest.mark.parametrize("client_id", [None, CLIENT_ID, "evil"])
def test_a_client_cannot_sign_for_another(client_id: str | None) -> None:
    forged = an_assertion(key=EVIL_KEY)
    with pytest.raises(ClientNotAuthenticated):
        authenticate(assertion_form(forged, client_id=client_id), registry=TWO)
    own = an_assertion(key=EVIL_KEY, iss="evil", sub="evil")
    assert authenticate(assertion_form(own), registry=TWO).client_id == "evil"


def test_a_client_cannot_put_another_name_beside_its_own_proof() -> None:
    own = an_assertion(key=EVIL_KEY, iss="evil", sub="evil")
    with pytest.raises(ClientNotAuthenticated):
        authenticate(assertion_form(own, client_id=CLIENT_ID), registry=TWO)


def test_a_second_use_has_the_same_id_so_that_the_store_refuses_it() -> None:
    form = assertion_form(an_assertion())
    first, second = authenticate(form), authenticate(form)
    assert first.assertion_id == second.assertion_id is not None
    other = authenticate(assertion_form(an_assertion(jti="j-2")))
    assert other.assertion_id != first.assertion_id
    assert first.assertion_id is not None
    assert first.assertion_id.until > NOW


def test_a_secret_of_nothing_opens_nothing() -> None:
    for secret in ("", "None", "null", "0" * 64):
        with pytest.raises(ClientNotAuthenticated):
            authenticate(authorization=basic(secret=secret), registry=COMPAT)


def test_the_registered_hash_is_no_secret() -> None:
    stored = COMPAT.by_client_id[CLIENT_ID].protocol.secret_hash  # type: ignore[union-attr]
    with pytest.raises(ClientNotAuthenticated):
        authenticate(authorization=basic(secret=str(stored)), registry=COMPAT)
