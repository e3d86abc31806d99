"""Private keys in PEM files: those that sign tokens, and SAML's, which bring a certificate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import Certificate, load_pem_x509_certificates

from broker.adapters.keys.key_files import KeyProblem, parse_private_key, read_safely


@dataclass(frozen=True, slots=True, repr=False)
class TokenKey:
    """A key that signs tokens; `kid` is its file's name without `.pem`.

    An RSA key signs PS256 if its name begins so, else RS256: a key that signed both ways would be
    one that no key set can describe.
    """

    file: str
    kid: str
    algorithm: Literal["ES256", "RS256", "PS256", "EdDSA"]
    private_key: EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class SamlKey:
    """A key for SAML messages with the certificate that metadata publishes."""

    file: str
    name: str
    private_key: RSAPrivateKey
    certificate: Certificate


def read_token_key(file: Path, *, root: Path) -> TokenKey:
    """Return the token key in one file.

    Raises:
        KeyProblem: it cannot be read safely, or holds no P-256, Ed25519 or RSA key.
    """
    key, name = parse_private_key(file, read_safely(file, root=root)), name_in_folder(file, root)
    if isinstance(key, EllipticCurvePrivateKey):
        return TokenKey(name, file.stem, "ES256", key)
    if isinstance(key, Ed25519PrivateKey):
        return TokenKey(name, file.stem, "EdDSA", key)
    return TokenKey(name, file.stem, "PS256" if file.stem.startswith("ps256-") else "RS256", key)


def read_saml_key(file: Path, *, root: Path) -> SamlKey:
    """Return the SAML key in one file; raises as `read_token_key`."""
    content = read_safely(file, root=root)
    key = parse_private_key(file, content)
    if not isinstance(key, RSAPrivateKey):
        raise KeyProblem(file, "is no RSA key", "SAML parties expect RSA: make such a key")
    try:
        (certificate,) = load_pem_x509_certificates(content)
    except ValueError as reason:
        raise KeyProblem(
            file, "holds no single certificate after its key", "append the key's certificate"
        ) from reason
    if certificate.public_key() != key.public_key():
        raise KeyProblem(
            file, "holds a certificate of another key", "append the certificate of this key"
        )
    return SamlKey(name_in_folder(file, root), file.stem, key, certificate)


def name_in_folder(file: Path, root: Path) -> str:
    """Return a key file's name as the schedule has it: `token/<kid>.pem`."""
    return file.relative_to(root).as_posix()
