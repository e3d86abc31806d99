"""The token request (RFC 6749 4.1.3, OIDC Core 3.1.3, RFC 7636 4.5 and 4.6): redeem a code.

Order of the flow: `parse_token_request`, `client_auth`, `read_code`, take the grant from the
store, `check_token_request`. A code that was taken is used up whatever these checks say, and every
mismatch is one and the same `invalid_grant`.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.grants import OidcGrant
from broker.oidc_op.parameters import RESOURCE, collect_parameters, collect_resources
from broker.oidc_op.sender_keys import SenderKey

_CODE_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")  # RFC 7636 4.1


class GrantTypeRefused(Refusal):
    code = "E-OIDC-16"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material asked for something that we do not offer."
    remedy = "The supplier of the material must mend the request."
    oauth_error = "unsupported_grant_type"


class TokenParameterMissing(Refusal):
    code = "E-OIDC-17"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material sent a request in which something is missing: {subject}."
    remedy = "The supplier of the material must mend the request."


class GrantRefused(Refusal):
    """The code is unknown, used, too old, or was given to another client, address or challenge."""

    code = "E-OIDC-18"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material could not finish this login."
    remedy = "Start again from your learning material."
    oauth_error = "invalid_grant"
    may_retry = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What arrived, by name; client authentication is read by `client_auth`. None is absent."""

    grant_type: str | None = None
    code: str | None = field(default=None, repr=False)
    redirect_uri: str | None = field(default=None, repr=False)
    code_verifier: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str | None = None
    resource: tuple[str, ...] = ()
    """As `collect_resources` reads it."""


@dataclass(frozen=True, slots=True)
class RedeemedGrant:
    """A grant that its own client redeemed. Made by `check_token_request` only."""

    grant: OidcGrant
    client: AuthenticatedClient


class TokenResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as JSON (OIDC Core 3.1.3.3). Cache-Control is the edge's."""

    access_token: str
    token_type: str = "Bearer"
    expires_in: int
    id_token: str
    scope: str
    refresh_token: str | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return "TokenResponse(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


_KNOWN = frozenset(TokenRequest.__dataclass_fields__) - {RESOURCE}


def parse_token_request(form: Sequence[tuple[str, str]]) -> TokenRequest:
    """Read the form of POST /oidc/token.

    Raises:
        DuplicatedParameter, RequestTooLarge: the form is malformed.

    >>> parse_token_request([("grant_type", "authorization_code")]).grant_type
    'authorization_code'
    """
    once = [each for each in form if each[0] != RESOURCE]
    found = collect_parameters(once, known=_KNOWN)
    return TokenRequest(**found, resource=collect_resources(form))


def read_code(request: TokenRequest) -> str:
    """Return the code of a request that redeems one.

    Raises:
        TokenParameterMissing: no `grant_type` or no `code`.
        GrantTypeRefused: something else is asked than `authorization_code`.
    """
    if request.grant_type is None:
        raise TokenParameterMissing("check_grant_type", subject="grant_type")
    if request.grant_type != "authorization_code":
        raise GrantTypeRefused("check_grant_type")
    if request.code is None:
        raise TokenParameterMissing("check_code_present", subject="code")
    return request.code


def check_token_request(
    request: TokenRequest, grant: OidcGrant, *, client: AuthenticatedClient
) -> RedeemedGrant:
    """Return the grant as one that its own client redeems.

    Args:
        grant: what the store held under `read_code(request)`, already taken.
        client: who calls.

    Raises:
        TokenParameterMissing, GrantTypeRefused: not a request that redeems a code.
        GrantRefused: the grant is not this client's, or was given for another request.
    """
    read_code(request)
    for check in TOKEN_CHECKS:
        check(request, grant, client)
    return RedeemedGrant(grant, client)


def is_grant_of(grant: OidcGrant, client: AuthenticatedClient) -> bool:
    """Tell whether this client got it, under the client id that it shows now."""
    same = grant.relying_party == client.client.relying_party.id
    return same and grant.client_id == client.client_id


def check_grant_belongs_to_client(
    _: TokenRequest, grant: OidcGrant, client: AuthenticatedClient
) -> None:
    """RFC 6749 4.1.3: the code was issued to the authenticated client."""
    if not is_grant_of(grant, client):
        raise GrantRefused("check_grant_belongs_to_client")


def check_redirect_uri_equal(
    request: TokenRequest, grant: OidcGrant, _: AuthenticatedClient
) -> None:
    """RFC 6749 4.1.3: present, since every authorization request has one, and identical."""
    if request.redirect_uri != grant.redirect_uri:
        raise GrantRefused("check_redirect_uri_equal")


def check_code_verifier_expected(
    request: TokenRequest, grant: OidcGrant, _: AuthenticatedClient
) -> None:
    """RFC 9700 2.1.1 and 4.8.2: a challenge must be answered, and only a challenge."""
    if (request.code_verifier is None) != (grant.code_challenge is None):
        raise GrantRefused("check_code_verifier_expected")


def check_code_verifier_matches(
    request: TokenRequest, grant: OidcGrant, _: AuthenticatedClient
) -> None:
    """RFC 7636 4.6: BASE64URL(SHA256(verifier)) is the challenge."""
    if request.code_verifier is None or grant.code_challenge is None:
        return  # both, by the check before
    derived = derive_code_challenge(request.code_verifier)
    well_formed = _CODE_VERIFIER.match(request.code_verifier) is not None
    if not well_formed or not hmac.compare_digest(derived, grant.code_challenge):
        raise GrantRefused("check_code_verifier_matches")


def check_code_bound(grant: OidcGrant, shown: SenderKey) -> None:
    """RFC 9449 10: a code that one key alone redeems, shown beside a proof of that key."""
    if grant.dpop_jkt and not hmac.compare_digest(grant.dpop_jkt, shown.jkt):
        raise GrantRefused("check_code_bound")


TOKEN_CHECKS: tuple[Callable[[TokenRequest, OidcGrant, AuthenticatedClient], None], ...] = (
    check_grant_belongs_to_client,
    check_redirect_uri_equal,
    check_code_verifier_expected,
    check_code_verifier_matches,
)


def derive_code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 4.2; example of appendix B).

    >>> derive_code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
