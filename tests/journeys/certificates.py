"""A certificate authority that lives as long as a test, for worlds on https."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from broker.demo.servers import TlsFiles

LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MadeCertificate:
    """A server's certificate and whom to trust for it.

    Attributes:
        ca_file: the authority's certificate, for programs.
        spki: SHA-256 of the server's public key in base64, for Chromium, which reads no `ca_file`.
    """

    files: TlsFiles
    ca_file: Path
    spki: str


def make_certificate(folder: Path, *, hosts: Sequence[str]) -> MadeCertificate:
    """Make an authority and a certificate of it that names these hosts."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    ca = (
        _begin(ca_name, issuer=ca_name, key=ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
        .sign(ca_key, SHA256())
    )
    server = (
        _begin(name, issuer=ca_name, key=key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName(map(x509.DNSName, hosts)), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
        )
        .sign(ca_key, SHA256())
    )
    files = TlsFiles(folder / "server.pem", folder / "server.key")
    files.certificate_file.write_bytes(server.public_bytes(Encoding.PEM))
    files.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ca_file = folder / "authority.pem"
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return MadeCertificate(files, ca_file, base64.b64encode(sha256(public).digest()).decode())


@dataclass(frozen=True, slots=True)
class ClientAuthority:
    """Somebody who vouches for the certificates of programs."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    file: Path


def make_client_authority(folder: Path) -> ClientAuthority:
    """Make an authority for programs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority for programs")])
    made = (
        _begin(name, issuer=name, key=key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "client-authority.pem"
    file.write_bytes(made.public_bytes(Encoding.PEM))
    return ClientAuthority(name, key, file)


def make_client_certificate(
    folder: Path, *, name: str = "a client", by: ClientAuthority | None = None
) -> TlsFiles:
    """Make a certificate by which a program shows who it is; `by` nobody it is self-signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        _begin(subject, issuer=subject if by is None else by.name, key=key.public_key())
        .add_extension(
            x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .sign(key if by is None else by.key, SHA256())
    )
    stem = name.replace(" ", "-")
    files = TlsFiles(folder / f"{stem}.pem", folder / f"{stem}.key")
    files.certificate_file.write_bytes(made.public_bytes(Encoding.PEM))
    files.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _begin(
    subject: x509.Name, *, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LIFETIME)
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
