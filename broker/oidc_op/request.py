"""The authorization request (OIDC Core 3.1.2.1, RFC 6749 4.1.1, RFC 7636 4.3): parse and check.

`parse_authorization_request` reads it, `check_authorization_request` decides by the two tables of
`request_checks`: until client and redirect URI are proven a refusal never redirects.

Deviations: `prompt=consent` and unknown values of `prompt` are ignored (the school decides, not
the pupil; OIDC Core allows ignoring what is not understood); `response_mode` other than `query`
is refused; `claims` is read for an essential `auth_time` only, and discovery says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.oidc_op.claims import TIME_STEP_SECONDS
from broker.oidc_op.clients import find_client
from broker.oidc_op.received import AuthorizationRequest, parse_authorization_request
from broker.oidc_op.request_checks import (
    CHECKS_AFTER_REDIRECT,
    CHECKS_BEFORE_REDIRECT,
    decode_json,
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
    """Where an answer may go: client and redirect URI are proven."""

    relying_party: RelyingPartyId
    redirect_uri: str
    state: str | None = field(repr=False)


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
        acr_values: wanted levels in order of preference, without the school hints.
        wants_auth_time: `max_age` was given, or `claims` marks `auth_time` essential.
        code_challenge: S256; None only where the profile allows it.
        pushed: handle of the pushed request that this one is; "" when it came otherwise.
        object_id: `jti` of the signed request object; "" when it had none, or was pushed.
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
    nonce: str | None = None
    code_challenge: str | None = None
    scopes: tuple[str, ...] = ("openid",)
    choose_school_again: bool = False
    acr_values: tuple[str, ...] = ()
    wants_auth_time: bool = False
    ui_locales: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    pushed: str = ""
    object_id: str = ""

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
    acr_values = _words(request.acr_values)
    return CheckedAuthorizationRequest(
        relying_party=address.relying_party,
        force_login="login" in prompts or is_short,
        passive="none" in prompts,
        max_age_seconds=None if max_age is None or is_short else max_age - LOST_AGE_SECONDS,
        hints=_school_hints(request, acr_values),
        client_id=client.oidc.client_id,
        redirect_uri=address.redirect_uri,
        state=request.state,
        nonce=request.nonce,
        code_challenge=request.code_challenge,
        scopes=("openid",),  # nothing else is granted: what goes out is the school's decision
        choose_school_again="select_account" in prompts,
        acr_values=tuple(each for each in acr_values if not each.startswith(SCHOOL_HINT_PREFIXES)),
        wants_auth_time=max_age is not None or _has_essential_auth_time(request.claims),
        ui_locales=_words(request.ui_locales),
        resources=tuple(dict.fromkeys(request.resource)),
    )


def prove_return_address(request: AuthorizationRequest, *, registry: Registry) -> ReturnAddress:
    """Return where an answer to this request may go.

    Raises:
        ClientUnknown, RedirectUriNotRegistered, StateTooLong, ProfileUnknown: nowhere.
    """
    client = find_client(request.client_id, registry=registry)
    for check in CHECKS_BEFORE_REDIRECT:
        check(request, client)
    return ReturnAddress(client.relying_party.id, request.redirect_uri or "", request.state)


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split()[:MAX_WORDS])


def _school_hints(request: AuthorizationRequest, acr_values: Sequence[str]) -> tuple[str, ...]:
    named = [each.partition(":")[2] for each in acr_values if each.startswith(SCHOOL_HINT_PREFIXES)]
    hints = (request.idp_hint, *named, request.login_hint)
    return tuple(each for each in hints if each and len(each) <= MAX_HINT_CHARS)


def _has_essential_auth_time(claims: str | None) -> bool:
    """OIDC Core 5.5.1; a member of an unexpected type asks for nothing."""
    wanted = decode_json(claims) if claims else None
    for name in ("id_token", "auth_time"):
        wanted = wanted.get(name) if isinstance(wanted, dict) else None
    return isinstance(wanted, dict) and wanted.get("essential") is True
