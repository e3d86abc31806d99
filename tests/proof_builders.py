"""Proofs of possession and client certificates for tests: right by default, wrong by changes."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from broker.jose.keys import SigningKey
from broker.oidc_op.caller_proof import ClientCertificate
from tests.builders_oidc import NOW, TOKEN_ENDPOINT, make_key

DPOP_KEY = make_key()
OTHER_DPOP_KEY = make_key()


_ABOUT_THE_KEY = ("kid", "alg", "use")


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def public_jwk(key: SigningKey) -> dict[str, object]:
    """The members that make the key."""
    return {name: each for name, each in key.public_jwk.items() if name not in _ABOUT_THE_KEY}


def a_dpop_proof(
    *,
    key: SigningKey = DPOP_KEY,
    header: Mapping[str, object] | None = None,
    now: datetime = NOW,
    access_token: str | None = None,
    **changes: object,
) -> str:
    """A proof for POST at the token endpoint; None leaves a member out."""
    claims: dict[str, object] = {
        "jti": "proof-1",
        "htm": "POST",
        "htu": TOKEN_ENDPOINT,
        "iat": int(now.timestamp()),
    }
    if access_token is not None:
        claims["ath"] = encode(hashlib.sha256(access_token.encode()).digest())
    head: dict[str, object] = {"typ": "dpop+jwt", "alg": key.algorithm, "jwk": public_jwk(key)}
    return sign_raw(head | dict(header or {}), claims | changes, key=key)


def sign_raw(header: Mapping[str, object], claims: Mapping[str, object], *, key: SigningKey) -> str:
    """A token with just these members."""
    segments = [
        encode(json.dumps({name: each for name, each in part.items() if each is not None}).encode())
        for part in (header, claims)
    ]
    signed = ".".join(segments)
    return f"{signed}.{encode(key.sign(signed.encode()))}"


def a_certificate(
    *,
    key: Any = None,
    subject: str = "CN=rekenrijk,O=Rekenrijk BV,C=NL",
    names: tuple[x509.GeneralName, ...] = (),
    now: datetime = NOW,
    chain_proven: bool = True,
    days: int = 30,
) -> ClientCertificate:
    """A self-signed certificate; whether somebody vouches for it, the hop would have said."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    named = x509.Name.from_rfc4514_string(subject, {"serialNumber": NameOID.SERIAL_NUMBER})
    begin = now - timedelta(days=1) if days > 0 else now - timedelta(days=2 - days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(now + timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(key, SHA256())
    return ClientCertificate(made.public_bytes(Encoding.DER), chain_proven=chain_proven)


def escaped_pem(certificate: ClientCertificate) -> str:
    """As nginx's `$ssl_client_escaped_cert` has it."""
    made = x509.load_der_x509_certificate(certificate.der)
    return quote(made.public_bytes(Encoding.PEM).decode(), safe="")


ALTERNATIVES: Mapping[str, tuple[x509.GeneralName, str, str]] = {
    # kind -> in the certificate, as registered, another one
    "san_dns": (x509.DNSName("api.rijk.example"), "API.rijk.example", "rijk.example"),
    "san_uri": (x509.UniformResourceIdentifier("urn:oin:1"), "urn:oin:1", "urn:oin:2"),
    "san_ip": (x509.IPAddress(ip_address("192.0.2.1")), "192.0.2.1", "192.0.2.2"),
    "san_email": (x509.RFC822Name("a@rijk.example"), "a@rijk.example", "A@rijk.example"),
}

RSA_PRIVATE = rsa.generate_private_key(65537, 2048)
