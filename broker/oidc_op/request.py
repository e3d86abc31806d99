"""The authorization request (OIDC Core 3.1.2.1, RFC 6749 4.1.1, RFC 7636 4.3): parse and check.

`parse_authorization_request` reads it, `check_authorization_request` decides by the two tables of
`request_checks`: until client and redirect URI are proven a refusal never redirects.

Deviations: `prompt=consent` is answered as consent given: the school has decided, and the pupil has
nothing to say about it. Unknown values of `prompt` are ignored, as OIDC Core allows for what is not
understood.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.domain.relying_parties import OidcClient
from broker.oidc_op.asked_claims import (
    CLAIMS_OF_SCOPE,
    AskedAcr,
    AskedClaims,
    find_asked_acr,
    find_asked_claims,
    find_expected_subs,
    read_claims_parameter,
)
from broker.oidc_op.claims import TIME_STEP_SECONDS, claim_names
from broker.oidc_op.clients import OFFLINE_ACCESS, KnownClient, find_client
from broker.oidc_op.received import AuthorizationRequest, parse_authorization_request
from broker.oidc_op.request_checks import (
    CHECKS_AFTER_REDIRECT,
    CHECKS_BEFORE_REDIRECT,
    FORM_POST,
    can_be_posted_to,
)

__all__ = [
    "AuthorizationRequest",
    "CheckedAuthorizationRequest",
    "ReturnAddress",
    "check_authorization_request",
    "parse_authorization_request",
    "prove_return_address",
]

MAX_HINT_CHARS = 256  # a school's name, BRIN or domain; a longer hint is dropped, never refused
MAX_WORDS = 20  # of each list separated by spaces; the rest is dropped

LOST_AGE_SECONDS = TIME_STEP_SECONDS + 60
"""By so much may a login seem older to the supplier than to us: its `auth_time` is floored, and it
looks at its own clock a little later."""

SHORTEST_SHARED_AGE_SECONDS = 2 * TIME_STEP_SECONDS
"""A shorter `max_age` (zero included, OIDC Core 3.1.2.1) is a new login: a floored time could not
satisfy it, and an exact time of a login that other suppliers share would let them compare."""

SCHOOL_HINT_PREFIXES = ("idp:", "school:", "brin:", "realm:")
"""A value of `acr_values` that begins so names a school, as other hubs have it."""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where an answer may go: client and redirect URI are proven.

    Attributes:
        form_post: the answer is posted by the browser; else it stands in the query.
        passive: `prompt=none` was asked, so the answer may arrive in a frame.
    """

    relying_party: RelyingPartyId
    redirect_uri: str
    state: str | None = field(repr=False)
    form_post: bool = False
    passive: bool = False


class CheckedAuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True, tag="oidc"):
    """A request that passed every check; kept sealed in the pending login.

    The flow asks `relying_party`, `force_login`, `passive`, `max_age_seconds` and `hints` of any
    protocol's request (`broker.saml_idp.request` answers the same ones).

    Attributes:
        relying_party: to be looked up again at every step, since it may be disabled meanwhile.
        force_login: `prompt=login`, or a `max_age` so short that only a new login satisfies it:
            the school must ask for a new login.
        passive: `prompt=none`: no page may be shown.
        max_age_seconds: how old the login at school may be, so that the floored `auth_time` is
            within what the supplier asked; None is any age, or a new login is asked anyway.
        hints: which school: `idp_hint`, `login_hint`, hints in `acr_values`; untrusted text, may
            be personal, never sent on.
        choose_school_again: `prompt=select_account`: a remembered school or account is not used.
        acr: None when no level was asked for, by `acr_values` or `claims`.
        asked_claims: None when `claims` names no attribute.
        expected_subs: who may log in, by pseudonym, as `claims` (or a hint) says; None is anybody.
        id_token_hint: an ID token of ours, not looked at yet; then it adds to `expected_subs`.
        wants_auth_time: `max_age` was given, or `claims` marks `auth_time` essential.
        form_post: as of `ReturnAddress`.
        scopes: granted: `openid`, and those asked that name something of ours. What goes out is
            the school's decision, whatever the scopes.
        code_challenge: S256; None only where the profile allows it.
        dpop_jkt: thumbprint of the key by which alone the code is redeemed (RFC 9449 10); "" for
            any.
        pushed: handle of the pushed request that this one is; "" when it came otherwise.
        object_id: `jti` of the signed request object; "" when it had none, or was pushed.
        made_after: aware UTC; the pushed request, or that object, is no older; None for others.
        resources: APIs of the same supplier at which the access token will be used (RFC 8707).
    """

    relying_party: RelyingPartyId
    force_login: bool = False
    passive: bool = False
    max_age_seconds: int | None = None
    hints: tuple[str, ...] = ()
    client_id: str
    redirect_uri: str
    state: str | None = None
    form_post: bool = False
    nonce: str | None = None
    code_challenge: str | None = None
    scopes: tuple[str, ...] = ("openid",)
    choose_school_again: bool = False
    acr: AskedAcr | None = None
    asked_claims: AskedClaims | None = None
    expected_subs: tuple[str, ...] | None = None
    wants_auth_time: bool = False
    ui_locales: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    dpop_jkt: str = ""
    pushed: str = ""
    object_id: str = ""
    made_after: datetime | None = None
    id_token_hint: str | None = None

    def __repr__(self) -> str:
        return f"CheckedAuthorizationRequest(relying_party={self.relying_party!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("relying_party", self.relying_party)]


def check_authorization_request(
    request: AuthorizationRequest, *, registry: Registry
) -> CheckedAuthorizationRequest:
    """Return the request as one that passed every check.

    Raises:
        Refusal: of the first check that refuses. When it `may_redirect`, `prove_return_address`
            gives the address for `response.build_authorization_error`.
    """
    address = prove_return_address(request, registry=registry)
    client = find_client(request.client_id, registry=registry)
    for check in CHECKS_AFTER_REDIRECT:
        check(request, client)
    prompts = _words(request.prompt)
    max_age = None if request.max_age is None else int(request.max_age)
    is_short = max_age is not None and max_age < SHORTEST_SHARED_AGE_SECONDS
    hinting, acr_values = _split_acr_values(_words(request.acr_values))
    asked, scopes = read_claims_parameter(request.claims), _words(request.scope)
    auth_time = asked.find("auth_time")
    return CheckedAuthorizationRequest(
        relying_party=address.relying_party,
        force_login="login" in prompts or is_short,
        passive="none" in prompts,
        max_age_seconds=None if max_age is None or is_short else max_age - LOST_AGE_SECONDS,
        hints=_school_hints(request, hinting),
        client_id=client.oidc.client_id,
        redirect_uri=address.redirect_uri,
        state=address.state,
        form_post=address.form_post,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        scopes=_granted_scopes(scopes, client),
        choose_school_again="select_account" in prompts,
        acr=find_asked_acr(asked, acr_values),
        asked_claims=find_asked_claims(
            asked, scopes=scopes, known=claim_names(client.relying_party.claims)
        ),
        expected_subs=find_expected_subs(asked),
        wants_auth_time=max_age is not None or (auth_time is not None and auth_time.essential),
        ui_locales=_words(request.ui_locales),
        resources=tuple(dict.fromkeys(request.resource)),
        id_token_hint=request.id_token_hint,
        dpop_jkt=request.dpop_jkt or "",
    )


def prove_return_address(request: AuthorizationRequest, *, registry: Registry) -> ReturnAddress:
    """Return where an answer to this request may go.

    Raises:
        ClientUnknown, RedirectUriNotRegistered, StateTooLong, ProfileUnknown: nowhere.
    """
    client = find_client(request.client_id, registry=registry)
    for check in CHECKS_BEFORE_REDIRECT:
        check(request, client)
    return ReturnAddress(
        client.relying_party.id,
        request.redirect_uri or "",
        request.state,
        form_post=request.response_mode == FORM_POST and can_be_posted_to(request),
        passive=request.prompt == "none",
    )


def _granted_scopes(asked: Collection[str], client: KnownClient) -> tuple[str, ...]:
    """What goes out is the school's decision; scopes can only place it.

    OIDC Core 11: `offline_access` counts where the document allows refresh tokens, and is ignored
    elsewhere.
    """
    granted = ["openid", *(each for each in CLAIMS_OF_SCOPE if each in asked)]
    if OFFLINE_ACCESS in asked and client.refresh is not None:
        granted.append(OFFLINE_ACCESS)
    return tuple(granted)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split()[:MAX_WORDS])


def _split_acr_values(values: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the values that hint at a school, and the levels."""
    hinting = tuple(each for each in values if each.startswith(SCHOOL_HINT_PREFIXES))
    return hinting, tuple(each for each in values if each not in hinting)


def _school_hints(request: AuthorizationRequest, hinting: Sequence[str]) -> tuple[str, ...]:
    named = [each.partition(":")[2] for each in hinting]
    hints = (request.idp_hint, *named, request.login_hint)
    return tuple(each for each in hints if each and len(each) <= MAX_HINT_CHARS)


def begin_plain(relying_party: RelyingPartyId, client: OidcClient) -> CheckedAuthorizationRequest:
    """Return the plainest request that a client can bring, for what is shown and never sent."""
    return CheckedAuthorizationRequest(
        relying_party=relying_party,
        client_id=client.client_id,
        redirect_uri=client.redirect_uris[0],
    )
