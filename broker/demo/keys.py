"""Keys and certificates of the demo's parties, made when the demo's folder is.

They are test keys of made-up parties; the broker's own keys are not made here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

CERTIFICATE_DAYS = 365
RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA key and its self-signed certificate, both PEM files, for SAML."""

    key_file: Path
    certificate_file: Path


def write_rsa_pair(folder: Path, *, purpose: str, owner: str) -> KeyPair:
    """Make an RSA key with certificate as `<purpose>.key` and `<purpose>.crt` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{owner} {purpose}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    pair = KeyPair(folder / f"{purpose}.key", folder / f"{purpose}.crt")
    write_private(
        pair.key_file,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
    )
    pair.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return pair


def write_ec_key(folder: Path, *, purpose: str) -> ECKey:
    """Make a P-256 key for signing with ES256 as `<purpose>.pem` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256"}, auto_kid=True)
    write_private(folder / f"{purpose}.pem", key.as_pem(private=True))
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_bytes(content)
