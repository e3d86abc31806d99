"""Requests about a token: introspection (RFC 7662 2.1) and revocation (RFC 7009 2.1)."""

from collections.abc import Sequence

from broker.oidc_op.client_auth import AuthenticatedClient
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from broker.oidc_op.parameters import collect_parameters
from broker.oidc_op.token import TokenParameterMissing


def read_token_asked_about(form: Sequence[tuple[str, str]]) -> str:
    """Return the token of the form; `token_type_hint` is not needed to find it, and ignored.

    Raises:
        TokenParameterMissing: there is none.
        DuplicatedParameter, RequestTooLarge: the form is malformed.

    >>> read_token_asked_about([("token", "t"), ("token_type_hint", "access_token")])
    't'
    """
    found = collect_parameters(form, known=("token", "token_type_hint"))
    if "token" not in found:
        raise TokenParameterMissing("check_token_present", subject="token")
    return found["token"]


def check_asker_proves_itself(asker: AuthenticatedClient) -> None:
    """RFC 7662 2.1: not by a name alone, or whoever found a token could ask whose it is.

    Raises:
        ClientNotAuthenticated: an app without a secret, whose name is no secret either.
    """
    if asker.client.oidc.is_public:
        raise ClientNotAuthenticated("check_asker_proves_itself")
