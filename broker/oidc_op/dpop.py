"""Proofs that a caller has the key to which its token is, or will be, bound (RFC 9449).

`check_dpop_proof` is 4.3 of the RFC as one table. A proof counts once: its `jti` comes back as a
value that the flow claims in the login store. Nonces are `dpop_nonces`'.

Deviation: a `jti` of more than 256 characters is refused, which the RFC does not say.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from broker.domain.refusals import Refusal, WhoseTask
from broker.jose.embedded_keys import KeyProof, verify_key_proof
from broker.jose.tokens import SignedClaims, TokenRefused
from broker.oidc_op.client_assertions import AssertionId

DPOP_TYP = "dpop+jwt"
DPOP_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
"""RFC 9449 4.2: asymmetric; told by `dpop_signing_alg_values_supported`."""

MAX_AGE_SECONDS = 90  # RFC 9449 11.1 "seconds or minutes": one minute, and the clock of the client
MAX_AHEAD_SECONDS = 30  # FAPI 2.0 5.3.2.1: 10 seconds must pass, 60 must not
MAX_PROOF_ID_CHARS = 256

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class DpopProofRefused(Refusal):
    """RFC 9449 5: the proof is not one, too old, used, or made for something else."""

    code = "E-OIDC-60"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material could not prove that it has the key that it named."
    remedy = "The supplier of the material must mend its keys or clock."
    oauth_error = "invalid_dpop_proof"


class DpopProofRefusedByResource(DpopProofRefused):
    """RFC 9449 7.1: the same where a token is used."""

    code = "E-OIDC-61"
    http_status = 401


class DpopNonceRequired(Refusal):
    """RFC 9449 8: the proof lacks the nonce that we gave last; the answer holds the next one."""

    code = "E-OIDC-62"
    whose_task = WhoseTask.SUPPLIER
    what = "The learning material must prove once more that it has the key that it named."
    remedy = "The supplier of the material must repeat the request with the nonce of our answer."
    oauth_error = "use_dpop_nonce"


class DpopNonceRequiredByResource(DpopNonceRequired):
    """RFC 9449 9: the same where a token is used."""

    code = "E-OIDC-63"
    http_status = 401


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """A key that the caller proved to have; `proof_id` must be claimed before anything is given.

    Attributes:
        thumbprint: RFC 7638, SHA-256, base64url: the `jkt` of tokens bound to it.
        proof_id: the `jti`, under the key.
    """

    thumbprint: str
    proof_id: AssertionId = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedProof:
    """What a proof is compared with.

    Attributes:
        method: of the HTTP request.
        addresses: by which the endpoint may be reached, without query.
        access_token: shown beside the proof; None where none is.
        nonces: those that we gave and still take; None where no nonce is asked for.
    """

    method: str
    addresses: tuple[str, ...]
    now_seconds: float
    access_token: str | None = field(default=None, repr=False)
    nonces: Collection[str] | None = field(default=None, repr=False)


def check_dpop_proof(headers: Sequence[str], expected: ExpectedProof) -> ProvenKey:
    """Return the key that a caller proved to have (RFC 9449 4.3).

    Args:
        headers: every DPoP header of the request.

    Raises:
        DpopProofRefused: anything is wrong; `check` says what.
        DpopNonceRequired: nothing else is wrong, but a fresh nonce is asked for.
    """
    if len(headers) != 1:
        raise DpopProofRefused("check_one_proof")
    try:
        proof = verify_key_proof(headers[0], algorithms=DPOP_ALGORITHMS)
    except TokenRefused as refused:
        raise DpopProofRefused(refused.check) from None
    for check in PROOF_CHECKS:
        check(proof.signed, expected)
    return ProvenKey(proof.thumbprint, _proof_id(proof, now_seconds=expected.now_seconds))


def _proof_id(proof: KeyProof, *, now_seconds: float) -> AssertionId:
    """Return the `jti`, to be remembered until the check of age refuses by itself."""
    left_seconds = _issued_at(proof.signed) + MAX_AGE_SECONDS - now_seconds
    until = datetime.fromtimestamp(now_seconds, tz=UTC) + timedelta(seconds=left_seconds)
    return AssertionId(f"{proof.thumbprint}{proof.signed.claims['jti']}", until)


def check_proof_typ(signed: SignedClaims, _: ExpectedProof) -> None:
    """4.3 rule 4: a token that was signed for another purpose is no proof (RFC 8725 3.11)."""
    if signed.typ != DPOP_TYP:
        raise DpopProofRefused("check_proof_typ")


def check_proof_id(signed: SignedClaims, _: ExpectedProof) -> None:
    """4.3 rule 3: `jti`, for it is what makes a proof usable once."""
    jti = signed.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_PROOF_ID_CHARS:
        raise DpopProofRefused("check_proof_id")


def check_proof_method(signed: SignedClaims, expected: ExpectedProof) -> None:
    """4.3 rule 8: `htm` is the method of this request."""
    if signed.claims.get("htm") != expected.method:
        raise DpopProofRefused("check_proof_method")


def check_proof_address(signed: SignedClaims, expected: ExpectedProof) -> None:
    """4.3 rule 9: `htu` is this endpoint, query and fragment aside."""
    htu = signed.claims.get("htu")
    named = normalise_address(htu) if isinstance(htu, str) else ""
    if not named or named not in map(normalise_address, expected.addresses):
        raise DpopProofRefused("check_proof_address")


def check_proof_age(signed: SignedClaims, expected: ExpectedProof) -> None:
    """4.3 rule 11: made a moment ago."""
    age_seconds = expected.now_seconds - _issued_at(signed)
    if not -MAX_AHEAD_SECONDS <= age_seconds < MAX_AGE_SECONDS:
        raise DpopProofRefused("check_proof_age")


def check_proof_access_token(signed: SignedClaims, expected: ExpectedProof) -> None:
    """4.3 rule 12: `ath` is of the token beside it; a proof for a token asks for no other."""
    if expected.access_token is None:
        return
    ath = signed.claims.get("ath")
    wanted = hash_access_token(expected.access_token)
    if not isinstance(ath, str) or not ath.isascii() or not hmac.compare_digest(ath, wanted):
        raise DpopProofRefused("check_proof_access_token")


def check_proof_nonce(signed: SignedClaims, expected: ExpectedProof) -> None:
    """4.3 rule 10: the nonce that we gave. Comes last: a client that is told so tries again."""
    if expected.nonces is None:
        return
    nonce = signed.claims.get("nonce")
    if not isinstance(nonce, str) or nonce not in expected.nonces:
        raise DpopNonceRequired("check_proof_nonce")


PROOF_CHECKS: tuple[Callable[[SignedClaims, ExpectedProof], None], ...] = (
    check_proof_typ,
    check_proof_id,
    check_proof_method,
    check_proof_address,
    check_proof_age,
    check_proof_access_token,
    check_proof_nonce,
)
"""After `check_one_proof` and `jose.embedded_keys`: form, algorithm, key and signature."""


def hash_access_token(token: str) -> str:
    """Return what `ath` must be (RFC 9449 4.2; example of 7.1).

    >>> hash_access_token("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")
    'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def normalise_address(address: str) -> str:
    """Return an http address in its one form, without query and fragment; "" if it is none.

    By RFC 3986 6.2.2 and 6.2.3, as RFC 9449 4.3 asks: scheme and host in lower case, no default
    port, escapes undone where they need not be. A path with dot segments is none.

    >>> normalise_address("HTTPS://Broker.Example:443/oidc/%74oken?a=b#c")
    'https://broker.example/oidc/token'
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    scheme, host = parts.scheme, parts.hostname
    if scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return ""
    path = _ESCAPE.sub(_undo_escape, parts.path) or "/"
    if not {".", ".."}.isdisjoint(path.split("/")):
        return ""
    name = f"[{host}]" if ":" in host else host
    shown_port = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{name}{shown_port}{path}"


def _undo_escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else f"%{found[1].upper()}"


def _issued_at(signed: SignedClaims) -> float:
    value = signed.claims.get("iat")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise DpopProofRefused("check_proof_age")
    return float(value)
