"""What goes back to the redirect URI (RFC 6749 4.1.2, RFC 9207), and errors for machines (5.2).

An answer is built for a proven address only: the functions take `ReturnAddress` or a checked
request. It travels in the query of a redirect, or in a form that the browser posts (OAuth 2.0 Form
Post Response Mode 2). Never a pseudonym, claim or reference in it; an error carries its stable code
and no text about a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.domain.refusals import Refusal
from broker.form_text import encode_form
from broker.oidc_op.request import CheckedAuthorizationRequest, ReturnAddress


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """What a relying party gets, in whichever mode.

    Attributes:
        parameters: names and values in order.
        posted: by a form (`form_post`); else in the query.
    """

    redirect_uri: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    posted: bool

    @property
    def url(self) -> str:
        """Return the URL of a redirect. RFC 6749 3.1.2: the query that is registered is kept."""
        query = encode_form(self.parameters)
        path, question, kept = self.redirect_uri.partition("?")
        return f"{path}?{kept}&{query}" if question and kept else f"{path}?{query}"


def build_authorization_response(
    request: CheckedAuthorizationRequest, *, code: str, issuer: str
) -> AuthorizationAnswer:
    """Return what brings the code to the relying party, with `state` and `iss`."""
    return _build_answer(request, [("code", code)], issuer=issuer)


def build_authorization_error(
    request: CheckedAuthorizationRequest | ReturnAddress, refusal: Refusal, *, issuer: str
) -> AuthorizationAnswer:
    """Return what tells the relying party of a refusal (RFC 6749 4.1.2.1).

    Args:
        refusal: one that `may_redirect`.

    Raises:
        ValueError: the refusal belongs on our own page; sending it on would be our mistake.
    """
    if not refusal.may_redirect:
        raise ValueError(f"{refusal.code} must not be redirected")
    error = [("error", refusal.oauth_error), ("error_description", refusal.code)]
    return _build_answer(request, error, issuer=issuer)


def build_error_body(refusal: Refusal) -> dict[str, str]:
    """Return the JSON error of the token endpoint (RFC 6749 5.2): error code and our code only.

    >>> from broker.oidc_op.clients import ClientUnknown
    >>> build_error_body(ClientUnknown("check_client_known"))
    {'error': 'invalid_client', 'error_description': 'E-OIDC-4'}
    """
    return {"error": refusal.oauth_error, "error_description": refusal.code}


def _build_answer(
    request: CheckedAuthorizationRequest | ReturnAddress,
    parameters: Sequence[tuple[str, str]],
    *,
    issuer: str,
) -> AuthorizationAnswer:
    state = [] if request.state is None else [("state", request.state)]
    return AuthorizationAnswer(
        request.redirect_uri, (*parameters, *state, ("iss", issuer)), posted=request.form_post
    )
