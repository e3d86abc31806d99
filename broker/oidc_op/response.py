"""What goes back to the redirect URI (RFC 6749 4.1.2, RFC 9207), and errors for machines (5.2).

An answer is sent only to a proven address: the functions take `ReturnAddress` or a checked request.
Never a pseudonym, claim or reference in a URL; an error carries its stable code and no text about
a person.
"""

from collections.abc import Sequence

from broker.domain.refusals import Refusal
from broker.form_text import encode_form
from broker.oidc_op.request import CheckedAuthorizationRequest, ReturnAddress


def build_authorization_response(
    request: CheckedAuthorizationRequest, *, code: str, issuer: str
) -> str:
    """Return the URL that brings the code to the relying party, with `state` and `iss`."""
    return _build_answer(request, [("code", code)], issuer=issuer)


def build_authorization_error(
    request: CheckedAuthorizationRequest | ReturnAddress, refusal: Refusal, *, issuer: str
) -> str:
    """Return the URL that tells the relying party of a refusal (RFC 6749 4.1.2.1).

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
) -> str:
    """RFC 6749 3.1.2: the query of a registered redirect URI is kept."""
    state = [] if request.state is None else [("state", request.state)]
    query = encode_form([*parameters, *state, ("iss", issuer)])
    path, question, kept = request.redirect_uri.partition("?")
    return f"{path}?{kept}&{query}" if question and kept else f"{path}?{query}"
