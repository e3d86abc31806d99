"""An authorization request as it arrived (OIDC Core 3.1.2.1): read, and nothing of it proven."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.oidc_op.parameters import collect_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What arrived, by name; nothing of it is proven. None is absent."""

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


_KNOWN = frozenset(each for each in AuthorizationRequest.__dataclass_fields__)


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
    return AuthorizationRequest(**collect_parameters(parameters, known=_KNOWN))
