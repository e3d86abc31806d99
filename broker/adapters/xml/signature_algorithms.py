"""The signature algorithms themselves: which are accepted, verifying and making a value.

Nothing here knows XML; `xml_signatures` says what a value must stand in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from broker.saml_xml import names as n
from broker.saml_xml.keys import PrivateKey, PublicKey, VerificationKey, algorithm_of
from broker.saml_xml.refusals import SignatureRefused

RSA_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    n.ALG_RSA_SHA256: hashes.SHA256(),
    n.ALG_RSA_SHA384: hashes.SHA384(),
    n.ALG_RSA_SHA512: hashes.SHA512(),
}
ECDSA_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    n.ALG_ECDSA_SHA256: hashes.SHA256(),
    n.ALG_ECDSA_SHA384: hashes.SHA384(),
    n.ALG_ECDSA_SHA512: hashes.SHA512(),
}
DIGESTS: dict[str, hashes.HashAlgorithm] = {
    n.ALG_SHA256: hashes.SHA256(),
    n.ALG_SHA384: hashes.SHA384(),
    n.ALG_SHA512: hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which algorithms a signature may name, by identifier, and what each means."""

    rsa: Mapping[str, hashes.HashAlgorithm]
    ecdsa: Mapping[str, hashes.HashAlgorithm]
    digests: Mapping[str, hashes.HashAlgorithm]


SHA2 = Accepted(RSA_ALGORITHMS, ECDSA_ALGORITHMS, DIGESTS)
_SHA1 = hashes.SHA1()  # noqa: S303 -- by exception of one school only
WITH_SHA1 = Accepted(
    {**RSA_ALGORITHMS, n.ALG_RSA_SHA1: _SHA1}, ECDSA_ALGORITHMS, {**DIGESTS, n.ALG_SHA1: _SHA1}
)


def find_signer(
    octets: bytes,
    *,
    value: bytes,
    algorithm: str,
    keys: Sequence[VerificationKey],
    accepted: Accepted = SHA2,
) -> VerificationKey:
    """Return the first of `keys` by which `value` is a signature over `octets`.

    Raises:
        SignatureRefused: by none of them.
    """
    for key in keys:
        try:
            _verify(key.public_key, octets, value, algorithm, accepted)
        except InvalidSignature:
            continue
        return key
    raise SignatureRefused("signature-value")


def _verify(
    key: PublicKey, octets: bytes, value: bytes, algorithm: str, accepted: Accepted
) -> None:
    """Verify by one key; a key of the other kind than `algorithm` says never verifies.

    Raises:
        InvalidSignature: it does not verify.
    """
    if isinstance(key, rsa.RSAPublicKey) and algorithm in accepted.rsa:
        key.verify(value, octets, padding.PKCS1v15(), accepted.rsa[algorithm])
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in accepted.ecdsa:
        # RFC 4051 2.3.6: r and s, each as long as the group's order, one behind the other.
        size = (key.key_size + 7) // 8
        if len(value) != 2 * size:
            raise InvalidSignature
        r, s = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
        key.verify(encode_dss_signature(r, s), octets, ec.ECDSA(accepted.ecdsa[algorithm]))
    else:
        raise InvalidSignature


def sign_octets(octets: bytes, *, key: PrivateKey) -> bytes:
    """Return the signature over `octets` by the algorithm that `algorithm_of(key)` names."""
    algorithm = algorithm_of(key)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), RSA_ALGORITHMS[algorithm])
    size = (key.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(ECDSA_ALGORITHMS[algorithm])))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def digest(octets: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """Return the hash of `octets`."""
    hasher = hashes.Hash(algorithm)
    hasher.update(octets)
    return hasher.finalize()
