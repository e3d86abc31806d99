"""Keys of made-up parties, generated once per test run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from broker.saml_xml import keys

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class PartyKey:
    """A private key and its self-signed certificate, in every form that a test needs."""

    private_key: PrivateKey
    certificate: bytes

    @property
    def certificate_pem(self) -> str:
        loaded = x509.load_der_x509_certificate(self.certificate)
        return loaded.public_bytes(Encoding.PEM).decode()

    @property
    def private_pem(self) -> str:
        return self.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()

    @property
    def signing(self) -> keys.SigningKey:
        return keys.signing_key(self.private_key, self.certificate)

    @property
    def verification(self) -> keys.VerificationKey:
        return keys.verification_key(self.certificate)

    @property
    def decryption(self) -> keys.DecryptionKey:
        return keys.decryption_key(self.private_key, self.certificate)

    @property
    def encryption(self) -> keys.EncryptionKey:
        return keys.encryption_key(self.certificate)


def certified(private_key: PrivateKey, *, first_year: int = 2026) -> PartyKey:
    """Return `private_key` with a certificate for ten years."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(first_year, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(first_year + 10, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private_key, SHA256())
    )
    return PartyKey(private_key, certificate.public_bytes(Encoding.DER))


@cache
def rsa_key(_party: str = "school", *, bits: int = 2048) -> PartyKey:
    """Return the RSA key of a made-up party; the same party has the same key."""
    return certified(rsa.generate_private_key(65537, bits))


@cache
def ec_key(_party: str = "school", *, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> PartyKey:
    """Return the elliptic-curve key of a made-up party; the same party has the same key."""
    return certified(ec.generate_private_key(curve()))
