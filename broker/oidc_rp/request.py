"""What we send: the pupil to the school's provider, and our code to its token endpoint.

The provider learns our one client id and our one redirect URI: not which supplier is visited,
so no hint, claim or scope of a supplier is passed on.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus

from broker.domain.federation import OidcIdpEndpoints
from broker.form_text import encode_form
from broker.jose.keys import SigningKey
from broker.jose.tokens import sign_token
from broker.oidc_rp.refusals import (
    ClientKeyMissing,
    ReauthenticationUnavailable,
    SchoolLoginRequired,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 2.2
ASSERTION_LIFE_SECONDS = 60  # used at once


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A POST to be sent as it is; redirects must not be followed."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)


def build_authorization_request(
    endpoints: OidcIdpEndpoints,
    *,
    redirect_uri: str,
    state: str,
    nonce: str,
    code_challenge: str,
    force_login: bool = False,
    choose_account: bool = False,
    max_age_seconds: int | None = None,
    passive: bool = False,
    acr_values: Sequence[str] = (),
    school_hint: tuple[str, str | None] = ("", None),
    login_hint: str | None = None,
) -> str:
    """Return the URL that sends the pupil to the school's provider (OIDC Core 3.1.2.1).

    Args:
        code_challenge: S256 of our verifier (RFC 7636 4.2).
        force_login: the school must ask for a new login.
        choose_account: the pupil must be able to take another account.
        max_age_seconds: how old a login may be.
        passive: no page may be shown.
        acr_values: levels in the provider's own words, the most wanted first (OIDC Core 3.1.2.1);
            one that holds a space cannot be asked.
        school_hint: name of the provider's parameter for the school that was chosen, and its value;
            None leaves it out.
        login_hint: of our own making only, never the supplier's.

    Raises:
        ReauthenticationUnavailable: a new login or a maximum age is asked of a provider that can
            do neither.
        SchoolLoginRequired: a new login or a choice is asked, and no page may be shown.
    """
    if (force_login or max_age_seconds is not None) and not endpoints.can_reauthenticate:
        raise ReauthenticationUnavailable("check_provider_can_reauthenticate")
    if passive and (force_login or choose_account):
        raise SchoolLoginRequired("check_passive_alone")
    prompts = [
        word
        for word, asked in (
            ("none", passive),
            ("login", force_login),
            ("select_account", choose_account),
        )
        if asked
    ]
    parameters = {
        "response_type": "code",
        "client_id": endpoints.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(dict.fromkeys(("openid", *endpoints.scopes))),
        "state": state,
        "nonce": nonce,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    if prompts:
        parameters["prompt"] = " ".join(prompts)
    if force_login:
        parameters["max_age"] = "0"  # with it `auth_time` is required, without it only allowed
    elif max_age_seconds is not None:
        parameters["max_age"] = str(max_age_seconds)
    if words := [each for each in acr_values if len(each.split()) == 1]:
        parameters["acr_values"] = " ".join(words)
    hint, school = school_hint
    if school is not None:
        parameters[hint] = school
    if login_hint:
        parameters["login_hint"] = login_hint
    separator = "&" if "?" in endpoints.authorization_endpoint else "?"
    return endpoints.authorization_endpoint + separator + encode_form(parameters.items())


def build_token_request(
    endpoints: OidcIdpEndpoints,
    *,
    code: str,
    code_verifier: str,
    redirect_uri: str,
    key: SigningKey | None = None,
    client_secret: str | None = None,
    now: datetime,
    jti: str,
) -> TokenRequest:
    """Return the request that redeems the school's code (RFC 6749 4.1.3, RFC 7523 2.2).

    Args:
        key: ours, for `private_key_jwt`.
        client_secret: ours at this provider, for `client_secret_basic`.
        now: aware UTC.
        jti: random, for this assertion only.

    Raises:
        ClientKeyMissing: the registered way of authentication lacks its key or secret.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }
    headers = {"Accept": "application/json"}
    if endpoints.authentication == "client_secret_basic":
        if not client_secret:
            raise ClientKeyMissing("check_client_secret_present")
        pair = f"{quote_plus(endpoints.client_id)}:{quote_plus(client_secret)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return TokenRequest(endpoints.token_endpoint, headers, form)
    if key is None:
        raise ClientKeyMissing("check_client_key_present")
    issued_at = int(now.timestamp())
    assertion = {
        "iss": endpoints.client_id,
        "sub": endpoints.client_id,
        "aud": endpoints.client_assertion_audience,
        "iat": issued_at,
        "exp": issued_at + ASSERTION_LIFE_SECONDS,
        "jti": jti,
    }
    form["client_id"] = endpoints.client_id
    form["client_assertion_type"] = ASSERTION_TYPE
    form["client_assertion"] = sign_token(assertion, key=key)
    return TokenRequest(endpoints.token_endpoint, headers, form)


def build_end_session_url(endpoints: OidcIdpEndpoints) -> str | None:
    """Return where a person logs out at a school's provider; None where it offers nothing.

    No ID token of the school goes along, for we keep none: the provider asks the person.
    """
    place = endpoints.end_session_endpoint
    if place is None:
        return None
    query = encode_form([("client_id", endpoints.client_id)])
    return f"{place}{'&' if '?' in place else '?'}{query}"
