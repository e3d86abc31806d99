"""Keys for signing and encrypting SAML messages, strong by construction.

Certificates are containers of keys here, as SAML metadata means them (metadata interoperability
profile 2.5): neither issuer nor dates are judged. Private keys never show in `repr`.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.saml_xml import names as n
from broker.saml_xml.names import ALG_AES128_GCM, ALG_AES256_GCM

RSA_MIN_BITS = 2048  # NIST SP 800-131A
RSA_MAX_BITS = 8192  # above, one verification costs more than a whole login
EC_CURVES = ("secp256r1", "secp384r1", "secp521r1")  # at least P-256

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class UnusableKey(ValueError):  # noqa: N818 -- it names what the key is
    """A key is of a kind or size that we do not use. Meant for the registry and the start."""


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A registered key of a school's identity provider or a supplier.

    Attributes:
        key_id: SHA-256 of the public key (SubjectPublicKeyInfo), 64 hex digits.
    """

    key_id: str
    public_key: PublicKey = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A supplier's published key to which assertions are encrypted; RSA.

    Attributes:
        content_algorithm: AES-GCM identifier, from the metadata's EncryptionMethod or ours.
    """

    key_id: str
    public_key: rsa.RSAPublicKey = field(repr=False, compare=False)
    content_algorithm: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of ours to sign with, and its certificate (DER) to put into KeyInfo."""

    key_id: str
    private_key: PrivateKey = field(repr=False, compare=False)
    certificate: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DecryptionKey:
    """A key of ours for which schools encrypt; RSA."""

    key_id: str
    private_key: rsa.RSAPrivateKey = field(repr=False, compare=False)
    certificate: bytes = field(repr=False)


def verification_key(certificate: bytes) -> VerificationKey:
    """Return the registered key in `certificate` (DER).

    Raises:
        UnusableKey: no certificate, or a key that we do not use.
    """
    public_key = _public_key_of(certificate)
    return VerificationKey(_key_id(public_key), public_key)


def encryption_key(certificate: bytes, *, content_algorithm: str = ALG_AES256_GCM) -> EncryptionKey:
    """Return the supplier's published key in `certificate` (DER).

    Raises:
        UnusableKey: no certificate, no RSA key, or content encryption that is no AES-GCM.
    """
    public_key = _public_key_of(certificate)
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise UnusableKey("encryption needs an RSA key")
    if content_algorithm not in (ALG_AES128_GCM, ALG_AES256_GCM):
        raise UnusableKey("content encryption must be AES-GCM of 128 or 256 bits")
    return EncryptionKey(_key_id(public_key), public_key, content_algorithm)


def certificate_in_pem(pem: str) -> bytes:
    """Return the one certificate (DER) in a PEM text, if its key is one that we use.

    Raises:
        UnusableKey: no certificate, several, or a key that we do not use.
    """
    try:
        (found,) = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise UnusableKey("not one certificate in PEM") from None
    certificate = found.public_bytes(Encoding.DER)
    verification_key(certificate)
    return certificate


def signing_key(private_key: object, certificate: bytes) -> SigningKey:
    """Return our key to sign with; `certificate` (DER) must be of that very key.

    Raises:
        UnusableKey: a key that we do not use, or a certificate of another key.
    """
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnusableKey("neither an RSA nor an elliptic-curve private key")
    key_id = _key_id(private_key.public_key())
    if _key_id(_public_key_of(certificate)) != key_id:
        raise UnusableKey("the certificate belongs to another key")
    return SigningKey(key_id, private_key, certificate)


def decryption_key(private_key: object, certificate: bytes) -> DecryptionKey:
    """Return our key for which schools encrypt; `certificate` (DER) must be of that very key.

    Raises:
        UnusableKey: no RSA key, one that we do not use, or a certificate of another key.
    """
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise UnusableKey("decryption needs an RSA private key")
    key_id = _key_id(private_key.public_key())
    if _key_id(_public_key_of(certificate)) != key_id:
        raise UnusableKey("the certificate belongs to another key")
    return DecryptionKey(key_id, private_key, certificate)


def algorithm_of(key: PrivateKey) -> str:
    """Return the identifier by which `key` signs: SHA-256, or the hash that fits a larger curve."""
    if isinstance(key, rsa.RSAPrivateKey):
        return n.ALG_RSA_SHA256
    return {256: n.ALG_ECDSA_SHA256, 384: n.ALG_ECDSA_SHA384}.get(key.key_size, n.ALG_ECDSA_SHA512)


def _key_id(key: PublicKey) -> str:
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(info).hexdigest()


def _public_key_of(certificate: bytes) -> PublicKey:
    """Return the key in a certificate, if it is of a kind and size that we use."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("not an X.509 certificate that we can read") from None
    match key:
        case rsa.RSAPublicKey():
            if not RSA_MIN_BITS <= key.key_size <= RSA_MAX_BITS:
                raise UnusableKey(f"RSA key of {key.key_size} bits; 2048 to 8192 are accepted")
            return key
        case ec.EllipticCurvePublicKey():
            if key.curve.name not in EC_CURVES:
                raise UnusableKey(f"curve {key.curve.name}; P-256, P-384, P-521 are accepted")
            return key
    raise UnusableKey("neither an RSA nor an elliptic-curve key")
