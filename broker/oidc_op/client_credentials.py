"""A token for a program that calls our API for itself (RFC 6749 4.4): of a school or a supplier.

Order of the flow: `parse_api_token_request`, find who calls, `check_client_assertion`,
`check_scopes`. The caller names the scopes that it needs: there is no default (RFC 6749 3.3 leaves
that to us), so that no token is good for more than somebody thought of.
"""

from collections.abc import Collection, Sequence

import msgspec

from broker.domain.federation import ApiScope
from broker.domain.refusals import Refusal, WhoseTask
from broker.oidc_op.parameters import collect_parameters

CLIENT_CREDENTIALS = "client_credentials"
API_TOKEN_TTL_SECONDS = 300  # a program asks anew; who is switched off is refused at use anyway


class ScopeRefused(Refusal):
    """No scope, an unknown one, or one that this caller may not have (RFC 6749 5.2)."""

    code = "E-API-1"
    whose_task = WhoseTask.SUPPLIER
    what = "A program asked for a permission that it cannot have here."
    remedy = "Whoever runs that program must ask only for what it was registered for."
    oauth_error = "invalid_scope"


class ApiTokenResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as JSON (RFC 6749 5.1)."""

    access_token: str
    token_type: str
    expires_in: int = API_TOKEN_TTL_SECONDS
    scope: str

    def __repr__(self) -> str:
        return "ApiTokenResponse(...)"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return []


def is_api_token_request(form: Sequence[tuple[str, str]]) -> bool:
    """Tell whether a token request is of this grant; a form that says so twice is refused later.

    >>> is_api_token_request([("grant_type", "client_credentials")])
    True
    """
    return ("grant_type", CLIENT_CREDENTIALS) in form


def parse_scopes(form: Sequence[tuple[str, str]]) -> tuple[ApiScope, ...]:
    """Return what the form of POST /oidc/token asks for.

    Raises:
        ScopeRefused: nothing, or something that is no scope of the API.
        DuplicatedParameter, RequestTooLarge: the form is malformed.

    >>> parse_scopes([("grant_type", "client_credentials"), ("scope", "enrolment")])
    (<ApiScope.ENROLMENT: 'enrolment'>,)
    """
    found = collect_parameters(form, known=("grant_type", "scope"))
    named = found.get("scope", "").split()
    known = {each.value: each for each in ApiScope}
    if not named or not set(named) <= known.keys():
        raise ScopeRefused("check_scope_known")
    return tuple(known[each] for each in dict.fromkeys(named))


def check_scopes(asked: Collection[ApiScope], *, allowed: Collection[ApiScope]) -> None:
    """Refuse when one of the scopes is not this caller's.

    Raises:
        ScopeRefused
    """
    if not set(asked) <= set(allowed):
        raise ScopeRefused("check_scope_allowed")
