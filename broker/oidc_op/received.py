"""An authorization request as it arrived (OIDC Core 3.1.2.1): read, and nothing of it proven."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.oidc_op.parameters import RESOURCE, collect_parameters, collect_resources


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What arrived, by name; nothing of it is proven. None is absent.

    Attributes:
        pushed: its parameters were pushed by the authenticated client (RFC 9126).
        signed: they stood in an object whose signature was verified (RFC 9101). Neither is a
            parameter; who proved it sets it.
        duplicated: names of parameters that came twice; neither value is read.
    """

    client_id: str | None = None
    redirect_uri: str | None = field(default=None, repr=False)
    response_type: str | None = None
    response_mode: str | None = None
    scope: str | None = None
    state: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    code_challenge_method: str | None = None
    prompt: str | None = None
    max_age: str | None = None
    acr_values: str | None = field(default=None, repr=False)
    login_hint: str | None = field(default=None, repr=False)
    idp_hint: str | None = field(default=None, repr=False)
    id_token_hint: str | None = field(default=None, repr=False)
    ui_locales: str | None = None
    claims: str | None = field(default=None, repr=False)
    request: str | None = field(default=None, repr=False)
    request_uri: str | None = field(default=None, repr=False)
    registration: str | None = field(default=None, repr=False)
    dpop_jkt: str | None = field(default=None, repr=False)
    resource: tuple[str, ...] = ()
    """As `collect_resources` reads it."""
    pushed: bool = False
    signed: bool = False
    duplicated: tuple[str, ...] = ()


_NO_PARAMETERS = frozenset({"pushed", "signed", "duplicated"})
REQUEST_NAMES = frozenset(AuthorizationRequest.__dataclass_fields__) - _NO_PARAMETERS
"""Every parameter that is read; others are ignored."""

_OF_THE_ANSWER = frozenset({"client_id", "redirect_uri", "state", "response_mode"})
_ELSEWHERE = frozenset({"request", "request_uri"})
_MAY_BE_TOLD = REQUEST_NAMES - _OF_THE_ANSWER - _ELSEWHERE - {RESOURCE}
"""Whoever sends one of these twice can be told so, for where the answer goes is said once."""


def parse_authorization_request(parameters: Sequence[tuple[str, str]]) -> AuthorizationRequest:
    """Read the parameters of GET or POST /oidc/authorize.

    Args:
        parameters: decoded names and values in order of the query (GET) or form (POST), never of
            both together.

    Raises:
        DuplicatedParameter: of what says where the answer goes, or where the request is.
        RequestTooLarge: neither redirects, for nothing is proven yet.

    >>> parse_authorization_request([("client_id", "a"), ("utm_source", "x")]).client_id
    'a'
    """
    counts = Counter(name for name, _ in parameters)
    duplicated = frozenset(name for name in _MAY_BE_TOLD if counts[name] > 1)
    found: Mapping[str, Any] = collect_parameters(
        [each for each in parameters if each[0] not in duplicated | {RESOURCE}],
        known=REQUEST_NAMES - {RESOURCE},
        unsized=("request",),
    )
    return AuthorizationRequest(
        **found, resource=collect_resources(parameters), duplicated=tuple(sorted(duplicated))
    )


def list_parameters(request: AuthorizationRequest) -> list[tuple[str, str]]:
    """Return what `parse_authorization_request` reads as this request, proofs left out.

    >>> list_parameters(AuthorizationRequest(client_id="a", resource=("b", "c")))
    [('client_id', 'a'), ('resource', 'b'), ('resource', 'c')]
    """
    single = [(name, getattr(request, name)) for name in request.__dataclass_fields__]
    return [
        *((name, value) for name, value in single if isinstance(value, str)),
        *((RESOURCE, each) for each in request.resource),
    ]
