"""An authorization request as it arrived (OIDC Core 3.1.2.1): read, and nothing of it proven."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.oidc_op.parameters import RequestTooLarge, collect_parameters

MAX_RESOURCES = 8
MAX_RESOURCE_CHARS = 2000  # as long as a document may state one


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What arrived, by name; nothing of it is proven. None is absent.

    Attributes:
        pushed: its parameters were pushed by the authenticated client (RFC 9126); never a
            parameter, set by whoever took the pushed request from the store.
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
    ui_locales: str | None = None
    claims: str | None = field(default=None, repr=False)
    request: str | None = field(default=None, repr=False)
    request_uri: str | None = field(default=None, repr=False)
    registration: str | None = field(default=None, repr=False)
    resource: tuple[str, ...] = ()
    """The one parameter that may occur more than once (RFC 8707 2)."""
    pushed: bool = False


_REPEATED = "resource"
_KNOWN = frozenset(AuthorizationRequest.__dataclass_fields__) - {_REPEATED, "pushed"}


def parse_authorization_request(parameters: Sequence[tuple[str, str]]) -> AuthorizationRequest:
    """Read the parameters of GET or POST /oidc/authorize.

    Args:
        parameters: decoded names and values in order of the query (GET) or form (POST), never of
            both together.

    Raises:
        DuplicatedParameter, RequestTooLarge: never redirects, for nothing is proven yet.

    >>> parse_authorization_request([("client_id", "a"), ("utm_source", "x")]).client_id
    'a'
    """
    found: Mapping[str, Any] = collect_parameters(
        [each for each in parameters if each[0] != _REPEATED], known=_KNOWN, unsized=("request",)
    )
    resources = tuple(value for name, value in parameters if name == _REPEATED and value)
    if len(resources) > MAX_RESOURCES or max(map(len, resources), default=0) > MAX_RESOURCE_CHARS:
        raise RequestTooLarge("check_resources_size")
    return AuthorizationRequest(**found, resource=resources)
