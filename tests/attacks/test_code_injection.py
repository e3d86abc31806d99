"""A stolen code is put into another login (RFC 9700 4.5): it opens nothing.

The attacker has a victim's code and is, or drives, a client; the grant knows for whom it is.
"""

import pytest

from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.clients import find_client
from broker.oidc_op.token import (
    GrantRefused,
    check_token_request,
    derive_code_challenge,
    parse_token_request,
)
from tests.builders_oidc import (
    CLIENT_ID,
    REDIRECT_URI,
    a_compat_client,
    a_grant,
    a_registry,
    a_token_request,
    an_oidc_client,
)

SECOND_URI = "https://rekenrijk.example/cb?tenant=1"
REGISTRY = a_registry(an_oidc_client(), an_oidc_client(client_id="evil"))
COMPAT = a_registry(a_compat_client())
VICTIM = AuthenticatedClient(find_client(CLIENT_ID, registry=REGISTRY), None)
EVIL = AuthenticatedClient(find_client("evil", registry=REGISTRY), None)
COMPAT_CLIENT = AuthenticatedClient(find_client(CLIENT_ID, registry=COMPAT), None)


def redeem(grant, client, **changes: str | None):
    request = parse_token_request(a_token_request(**changes))
    return check_token_request(request, grant, client=client)


def test_the_victim_can_redeem_it() -> None:
    assert redeem(a_grant(), VICTIM).grant == a_grant()


def test_another_client_redeems_nothing() -> None:
    with pytest.raises(GrantRefused):
        redeem(a_grant(), EVIL)


def test_the_victims_client_in_the_attackers_browser_redeems_nothing() -> None:
    # The client sends the verifier of the attacker's own login.
    with pytest.raises(GrantRefused):
        redeem(a_grant(), VICTIM, code_verifier="a" * 43)


def test_a_code_caught_at_another_address_of_the_client_is_refused() -> None:
    with pytest.raises(GrantRefused):
        redeem(a_grant(redirect_uri=SECOND_URI), VICTIM, redirect_uri=REDIRECT_URI)


def test_pkce_cannot_be_taken_away_on_the_way() -> None:
    # RFC 9700 4.8.2: the attacker strips the challenge from the victim's request; the client,
    # which sent one, shows a verifier that no challenge awaits.
    with pytest.raises(GrantRefused, match="check_code_verifier_expected"):
        redeem(a_grant(code_challenge=None), COMPAT_CLIENT)
    # ... nor by leaving the verifier out.
    with pytest.raises(GrantRefused, match="check_code_verifier_expected"):
        redeem(a_grant(), COMPAT_CLIENT, code_verifier=None)
    assert redeem(a_grant(code_challenge=None), COMPAT_CLIENT, code_verifier=None)


def test_the_challenge_itself_is_no_verifier() -> None:
    challenge = derive_code_challenge("v" * 43)
    with pytest.raises(GrantRefused):
        redeem(a_grant(code_challenge=challenge), VICTIM, code_verifier=challenge)
