"""What a supplier is told: released claims and the ID token (OIDC Core 2).

Released claims stand in the ID token and in userinfo alike, so that a client which reads only one
of them works; both come from the same grant. Their names depend on the claim profile, their values
on the release decision alone; `list_values` and `claim_names` are the input of
`broker.domain.release.lint_claims`.

Times that two suppliers of one pupil could compare are floored to five
minutes: `iat`, `nbf`, `exp` and `auth_time`, unless the request forced this login. A floored token
still validates: `iat` is never in the future and at most five minutes old, `exp` is `iat` plus ten
minutes and so at least five minutes ahead, and `auth_time` is never after `iat`.

A profile that lets tokens live five minutes (NL GOV) cannot have that step: a token could be over
when it is made. Its `iat`, `nbf` and `exp` are floored to a fifth of that life, a minute, so that
four minutes are left at least; `auth_time` keeps the step of five. What two suppliers could compare
does not grow by it: `iat` is the moment at which a supplier itself called the token endpoint, which
it knows to the millisecond, and which is another one at every supplier. The one moment that two of
them could share, that of the login, is `auth_time`.

Unless the
login was forced, `auth_time` is our own moment of accepting the school's answer, whose age was
checked against `max_age`: the moment at school would be the same mark at every supplier. Since it
may seem five minutes older than it is, `request` asks the school for a login that much younger
than `max_age`, or for a new one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from broker.domain.attributes import VOCABULARY, AttributeName
from broker.domain.release import ReleaseDecision
from broker.domain.relying_parties import ClaimProfile
from broker.jose.keys import SigningKey
from broker.jose.tokens import sign_token
from broker.oidc_op.grants import Claims, OidcGrant
from broker.oidc_op.token import RedeemedGrant

TIME_STEP_SECONDS = 300
PREVIOUS_SUB = "previous_sub"
"""Claim by which we tell a supplier the name of before of the same person; in both profiles."""

ID_TOKEN_TTL_SECONDS = 600  # twice the step, so that a floored token has a step left to live
SHARE_OF_LIFE = 5  # a shorter life is floored to a fifth of itself, so that four are left

PROTOCOL_CLAIMS = frozenset(
    {
        *("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "jti", "sid", "auth_time", "acr"),
        PREVIOUS_SUB,
    }
)
"""What an ID token says besides released claims; no released claim may have such a name."""

_NAMES: Mapping[ClaimProfile, Mapping[str, AttributeName]] = MappingProxyType(
    {
        ClaimProfile.STANDARD: MappingProxyType(
            {each.claim: each.name for each in VOCABULARY.values()}
        ),
        ClaimProfile.ENTREE: MappingProxyType(
            {str(each.name): each.name for each in VOCABULARY.values()}
        ),
    }
)
_CLAIM_OF: Mapping[ClaimProfile, Mapping[AttributeName, str]] = MappingProxyType(
    {
        profile: MappingProxyType({name: claim for claim, name in names.items()})
        for profile, names in _NAMES.items()
    }
)


def claim_names(profile: ClaimProfile) -> Mapping[str, AttributeName]:
    """Return each claim name of a profile with the attribute that it carries.

    >>> claim_names(ClaimProfile.STANDARD)["given_name"]
    'givenName'
    """
    return _NAMES[profile]


def build_claims(decision: ReleaseDecision, *, profile: ClaimProfile) -> Claims:
    """Return what was released as claims, and nothing else.

    A multi-valued attribute is always a list; another one is a text, or a list in the order
    received when the school stated several values.
    """
    names = _CLAIM_OF[profile]
    claims: Claims = {}
    for each in decision.released:
        single = len(each.values) == 1 and not VOCABULARY[each.name].multi_valued
        claims[names[each.name]] = each.values[0] if single else list(each.values)
    return claims


def list_values(claims: Mapping[str, str | list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each claim with all its values, as `lint_claims` reads them.

    >>> list(list_values({"given_name": "Sanne", "eduperson_affiliation": ["student"]}))
    [('given_name', ('Sanne',)), ('eduperson_affiliation', ('student',))]
    """
    for name, value in claims.items():
        yield name, (value,) if isinstance(value, str) else tuple(value)


def time_for_supplier(
    moment: datetime, *, exact: bool, step_seconds: int = TIME_STEP_SECONDS
) -> int:
    """Return a moment as a supplier may know it, in seconds since 1970 (RFC 7519 2).

    Args:
        moment: aware.
        exact: the supplier's request forced this login; else floored.
        step_seconds: to how much; `step_of` a token's life.

    >>> from datetime import UTC
    >>> time_for_supplier(datetime(2026, 1, 1, 8, 4, 59, tzinfo=UTC), exact=False) % 300
    0
    """
    seconds = int(moment.timestamp())
    return seconds if exact else seconds - seconds % step_seconds


def step_of(life_seconds: int) -> int:
    """Return to how many seconds the times of a token are floored that lives so long.

    >>> step_of(600), step_of(300)
    (300, 60)
    """
    if life_seconds >= 2 * TIME_STEP_SECONDS:
        return TIME_STEP_SECONDS
    return max(1, life_seconds // SHARE_OF_LIFE)


def build_id_token(
    redeemed: RedeemedGrant,
    *,
    issuer: str,
    key: SigningKey,
    now: datetime,
    jti: str,
    life_seconds: int = ID_TOKEN_TTL_SECONDS,
) -> str:
    """Return the signed ID token of a redeemed grant.

    Args:
        key: of the algorithm with which the client is registered (`jwks.choose_signing_key`).
        now: aware UTC.
        jti: random, for this token only.
        life_seconds: from `iat` to `exp`, at most `ID_TOKEN_TTL_SECONDS`.
    """
    claims = id_token_claims(redeemed.grant, issuer, now=now, jti=jti, life_seconds=life_seconds)
    return sign_token(claims, key=key)


def id_token_claims(
    grant: OidcGrant, issuer: str, *, now: datetime, jti: str, life_seconds: int
) -> Mapping[str, object]:
    """Return what the ID token of a grant says, before it is signed; arguments as above."""
    issued_at = time_for_supplier(now, exact=grant.exact_times, step_seconds=step_of(life_seconds))
    protocol: dict[str, object] = {
        "iss": issuer,
        "sub": grant.pseudonym,
        "aud": grant.client_id,
        "exp": issued_at + life_seconds,
        "iat": issued_at,
        "nbf": issued_at,
        "jti": jti,
    }
    if grant.previous is not None:
        protocol[PREVIOUS_SUB] = grant.previous
    if grant.nonce is not None:
        protocol["nonce"] = grant.nonce
    if grant.sid is not None:
        protocol["sid"] = grant.sid
    if grant.acr:
        protocol["acr"] = grant.acr
    if grant.authenticated_at is not None:  # only when the supplier asked
        logged_in_at = time_for_supplier(grant.authenticated_at, exact=grant.exact_times)
        protocol["auth_time"] = min(logged_in_at, issued_at)  # a school's clock may be ahead
    return {**grant.claims, **protocol}  # a released claim never stands for a protocol claim
