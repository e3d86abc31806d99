"""An access token as it is shown, and by whom it may be (RFC 6750 2, RFC 9449 7, RFC 8705 3)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from broker.domain.refusals import Refusal
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.client_certificates import thumbprint_of
from broker.oidc_op.dpop import DPOP_ALGORITHMS, DpopNonceRequired, DpopProofRefused
from broker.oidc_op.sender_keys import SenderKey
from broker.oidc_op.userinfo import AccessTokenRefused, build_challenge, parse_bearer_token

BEARER_SCHEME = "bearer"
DPOP_SCHEME = "dpop"


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token, not yet looked up.

    Attributes:
        scheme: `bearer` or `dpop`.
    """

    unverified_token: str = field(repr=False)
    scheme: str = BEARER_SCHEME


def parse_presented_token(form: Sequence[tuple[str, str]], proof: CallerProof) -> PresentedToken:
    """Return the access token of a request, and as what it is shown.

    Args:
        form: decoded names and values of a form-encoded POST body; empty for GET.

    Raises:
        AccessTokenMissing, AccessTokenAmbiguous, AccessTokenRefused, DuplicatedParameter,
        RequestTooLarge: as `parse_bearer_token`.

    >>> parse_presented_token([], CallerProof("DPoP abc")).scheme
    'dpop'
    """
    scheme, _, shown = (proof.authorization or "").partition(" ")
    if scheme.lower() != DPOP_SCHEME:
        return PresentedToken(parse_bearer_token(form, authorization=proof.authorization))
    token = parse_bearer_token(form, authorization=f"Bearer {shown}")
    return PresentedToken(token, DPOP_SCHEME)


def check_shown_as_given(key: SenderKey, presented: PresentedToken) -> None:
    """RFC 9449 7.1: a DPoP-bound token is no bearer token, and no other one is shown as DPoP.

    Raises:
        AccessTokenRefused
    """
    if key.token_type.lower() != presented.scheme:
        raise AccessTokenRefused("check_token_shown_as_given")


def check_certificate_bound(key: SenderKey, proof: CallerProof) -> None:
    """RFC 8705 3: a token that is bound to a certificate comes over a connection with that one.

    Raises:
        AccessTokenRefused
    """
    if not key.x5t_s256:
        return
    shown = "" if proof.certificate is None else thumbprint_of(proof.certificate.der)
    if not hmac.compare_digest(shown, key.x5t_s256):
        raise AccessTokenRefused("check_certificate_bound")


def build_resource_challenge(refusal: Refusal, proof: CallerProof) -> str:
    """Return the WWW-Authenticate value where a token is used (RFC 6750 3, RFC 9449 7.1).

    >>> build_resource_challenge(AccessTokenRefused(), CallerProof("DPoP abc"))
    'DPoP error="invalid_token", algs="ES256 RS256 PS256 EdDSA Ed25519"'
    >>> build_resource_challenge(AccessTokenRefused(), CallerProof("Bearer abc"))
    'Bearer error="invalid_token"'
    """
    scheme = (proof.authorization or "").partition(" ")[0].lower()
    is_about_proof = isinstance(refusal, DpopProofRefused | DpopNonceRequired)
    if scheme != DPOP_SCHEME and not is_about_proof:
        return build_challenge(refusal)
    algorithms = " ".join(DPOP_ALGORITHMS)
    return f'DPoP error="{refusal.oauth_error}", algs="{algorithms}"'
