"""Refresh tokens (RFC 6749 6, OIDC Core 11 and 12, RFC 9700 2.2.2 and 4.14): what is asked of one.

None is given by default. A relying party whose document says `refresh_hours`, and whose profile
allows it, gets one for a login that asked for the scope `offline_access`. That registration is the
other condition of which OIDC Core 11 speaks, so `prompt=consent` is not asked for: the school
decides what goes out, and decides anew at every refresh.

A token is `<family>.<proof>`. The family's handle opens what we keep of the login, the proof is
derived from handle and number, so that nobody but us makes the next one. Where the profile rotates,
a token counts once: a second use, also one that is raced, ends the family, whoever it was. There is
no grace for a client whose answer got lost: within it a stolen token would be as good as a fresh
one. Such a client begins a login, in which the pupil is mostly asked nothing.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.clients import OFFLINE_ACCESS
from broker.oidc_op.grants import Claims, OidcGrant
from broker.oidc_op.sender_keys import SenderKey
from broker.oidc_op.token import (
    GrantRefused,
    RedeemedGrant,
    TokenParameterMissing,
    TokenRequest,
    is_grant_of,
)

REFRESH_TOKEN = "refresh_token"
"""The grant type, and the parameter of that name."""

MAX_REFRESH_TOKEN_CHARS = 128  # ours have 87 or 89


class ScopeWidened(Refusal):
    """RFC 6749 6: a refresh asks for a scope that the login did not get."""

    code = "E-OIDC-50"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material asked for more than it was given at the login."
    remedy = "The supplier of the material must mend the request."
    oauth_error = "invalid_scope"


class TargetRefused(Refusal):
    """RFC 8707 2.2: tokens are asked for an API that the login was not asked for."""

    code = "E-OIDC-51"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material asked for a permission at an address that it did not name before."
    remedy = "The supplier of the material must mend the request."
    oauth_error = "invalid_target"


@dataclass(frozen=True, slots=True)
class PresentedRefreshToken:
    """A refresh token as it was shown, taken apart and not yet proven."""

    unverified_family: str = field(repr=False)
    unverified_proof: str = field(repr=False)


def parse_refresh_token(token: str) -> PresentedRefreshToken | None:
    """Return the parts of a refresh token, or None when it cannot be one of ours.

    >>> parse_refresh_token("x") is None
    True
    """
    family, dot, proof = token.partition(".")
    if not (dot and family and proof) or "." in proof or len(token) > MAX_REFRESH_TOKEN_CHARS:
        return None
    return PresentedRefreshToken(family, proof) if token.isascii() else None


def read_refresh_token(request: TokenRequest) -> PresentedRefreshToken:
    """Return the refresh token of a request that brings one.

    Raises:
        TokenParameterMissing: there is none.
        GrantRefused: it cannot be one of ours.
    """
    if request.refresh_token is None:
        raise TokenParameterMissing("check_refresh_token_present", subject="refresh_token")
    presented = parse_refresh_token(request.refresh_token)
    if presented is None:
        raise GrantRefused("check_refresh_token_form")
    return presented


def is_refreshable(grant: OidcGrant) -> bool:
    """Tell whether a login asked for a refresh token and got one."""
    return OFFLINE_ACCESS in grant.scopes


def check_refresh(
    request: TokenRequest,
    grant: OidcGrant,
    *,
    client: AuthenticatedClient,
    bound_to: SenderKey,
    shown: SenderKey,
) -> RedeemedGrant:
    """Return what a login got, as far as this refresh asks for it, as its own client's.

    Args:
        bound_to: to which key the refresh token is bound.
        shown: which key the caller proved to have.

    Raises:
        GrantRefused: it is another client's, or the client may not refresh any more, or another key
            is shown than the token is bound to.
        ScopeWidened, TargetRefused: more is asked for.
    """
    for check in REFRESH_CHECKS:
        check(request, grant, client)
    if bound_to and bound_to != shown:  # RFC 9449 5: of public clients
        raise GrantRefused("check_refresh_token_bound")
    asked = (request.scope or "").split()
    narrowed = replace(
        grant,
        scopes=tuple(each for each in grant.scopes if not asked or each in asked),
        resources=narrow_resources(request.resource, grant.resources),
    )
    return RedeemedGrant(narrowed, client)


def restate_claims(
    redeemed: RedeemedGrant, in_id_token: Claims, in_userinfo: Claims
) -> RedeemedGrant:
    """Return the same with the claims that go out today: linted against today's decision."""
    restated = replace(redeemed.grant, claims=in_id_token, userinfo_claims=in_userinfo)
    return RedeemedGrant(restated, redeemed.client)


def narrow_resources(asked: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """Return the APIs that a token is for: those asked for, else all that the login named."""
    return tuple(each for each in given if each in asked) if asked else tuple(given)


def check_refresh_belongs_to_client(
    _: TokenRequest, grant: OidcGrant, client: AuthenticatedClient
) -> None:
    """RFC 6749 6: the refresh token was issued to the authenticated client."""
    if not is_grant_of(grant, client):
        raise GrantRefused("check_refresh_belongs_to_client")


def check_refresh_still_allowed(
    _: TokenRequest, grant: OidcGrant, client: AuthenticatedClient
) -> None:
    """A document that stopped to allow refresh tokens ends those that were given."""
    if not is_refreshable(grant) or client.client.refresh is None:
        raise GrantRefused("check_refresh_still_allowed")


def check_refresh_scope(request: TokenRequest, grant: OidcGrant, _: AuthenticatedClient) -> None:
    """RFC 6749 6: the same scope or less."""
    check_within((request.scope or "").split(), grant.scopes)


def check_refresh_resource(request: TokenRequest, grant: OidcGrant, _: AuthenticatedClient) -> None:
    """RFC 8707 2.2: APIs that the login was asked for."""
    check_resources_within(request.resource, grant.resources)


REFRESH_CHECKS: tuple[Callable[[TokenRequest, OidcGrant, AuthenticatedClient], None], ...] = (
    check_refresh_belongs_to_client,
    check_refresh_still_allowed,
    check_refresh_scope,
    check_refresh_resource,
)


def check_within(asked: Collection[str], given: Collection[str]) -> None:
    """Refuse a scope that was not given.

    Raises:
        ScopeWidened
    """
    if not set(asked) <= set(given):
        raise ScopeWidened("check_scope_within_grant")


def check_resources_within(asked: Collection[str], given: Collection[str]) -> None:
    """Refuse an API that was not named at the login.

    Raises:
        TargetRefused
    """
    if not set(asked) <= set(given):
        raise TargetRefused("check_resource_within_grant")
