"""A client that shows a certificate (RFC 8705): `tls_client_auth`, `self_signed_tls_client_auth`.

TLS proved that the caller has the certificate's private key. With `tls_client_auth` an authority
vouches for the certificate, which the hop in front of us verified, and the client registered one
name in it (2.1.2). With `self_signed_tls_client_auth` the certificate's key is one of the client's
registered keys (2.2), and who signed it does not matter. Either must be of today.
"""

import base64
import hashlib
import ipaddress
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from broker.domain.relying_parties import CertificateName, CertificateNameKind
from broker.jose.keys import KeySet, thumbprint_of_key
from broker.oidc_op.caller_proof import ClientCertificate
from broker.oidc_op.client_refusals import ClientNotAuthenticated

MAX_CERTIFICATE_BYTES = 16_384

_NAMES: Mapping[str, ObjectIdentifier] = MappingProxyType(
    {
        # Beside those of RFC 4514 3, as OpenSSL and nginx write them.
        "serialNumber": NameOID.SERIAL_NUMBER,  # the OIN in a certificate of PKIoverheid
        "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
        "emailAddress": NameOID.EMAIL_ADDRESS,
        "title": NameOID.TITLE,
        "GN": NameOID.GIVEN_NAME,
        "SN": NameOID.SURNAME,
    }
)


class CertificateNameUnreadable(Exception):  # noqa: N818 -- said to people by who reads documents
    """A registered name is none of its kind."""


def thumbprint_of(der: bytes) -> str:
    """Return the `x5t#S256` of a certificate (RFC 8705 3.1): SHA-256, base64url.

    >>> thumbprint_of(b"")
    '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def check_certificate_name(
    certificate: ClientCertificate | None, *, registered: CertificateName | None, now: datetime
) -> str:
    """Return the thumbprint of a certificate that an authority vouches for and that is this client.

    Raises:
        ClientNotAuthenticated: none is shown, nobody vouches for it, or it has another name.
    """
    shown = _present(certificate)
    if not shown.chain_proven:
        raise ClientNotAuthenticated("check_certificate_chain")
    parsed = _read(shown, now=now)
    if registered is None or not _has_name(parsed, registered):
        raise ClientNotAuthenticated("check_certificate_name")
    return thumbprint_of(shown.der)


def check_certificate_key(
    certificate: ClientCertificate | None, *, keys: KeySet, now: datetime
) -> str:
    """Return the thumbprint of a certificate whose key is one of the client's registered keys.

    Raises:
        ClientNotAuthenticated: none is shown, or its key is another one.
    """
    shown = _present(certificate)
    key = thumbprint_of_key(_read(shown, now=now).public_key())
    if key is None or key not in {each.key.thumbprint() for each in keys.keys}:
        raise ClientNotAuthenticated("check_certificate_key")
    return thumbprint_of(shown.der)


def read_subject(text: str) -> x509.Name:
    """Return a distinguished name from its text (RFC 4514).

    Raises:
        CertificateNameUnreadable

    >>> read_subject("CN=rekenrijk,O=Rekenrijk BV,C=NL").rdns[0].rfc4514_string()
    'C=NL'
    """
    try:
        return x509.Name.from_rfc4514_string(text, dict(_NAMES))
    except ValueError:
        raise CertificateNameUnreadable(text) from None


def _present(certificate: ClientCertificate | None) -> ClientCertificate:
    if certificate is None:
        raise ClientNotAuthenticated("check_certificate_present")
    return certificate


def _read(shown: ClientCertificate, *, now: datetime) -> x509.Certificate:
    """Return the certificate, good today: nobody else looked at its dates if it is self-signed."""
    if len(shown.der) > MAX_CERTIFICATE_BYTES:
        raise ClientNotAuthenticated("check_certificate_size")
    try:
        parsed = x509.load_der_x509_certificate(shown.der)
        is_of_today = parsed.not_valid_before_utc <= now <= parsed.not_valid_after_utc
    except ValueError:
        raise ClientNotAuthenticated("check_certificate_readable") from None
    if not is_of_today:
        raise ClientNotAuthenticated("check_certificate_dates")
    return parsed


def _has_name(certificate: x509.Certificate, registered: CertificateName) -> bool:
    if registered.kind is CertificateNameKind.SUBJECT_DN:
        return certificate.subject == read_subject(registered.value)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return _ALTERNATIVES[registered.kind](names, registered.value)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _has_dns(names: x509.SubjectAlternativeName, value: str) -> bool:
    """RFC 4343: host names know no case; a wildcard is a name like another."""
    return value.lower() in {each.lower() for each in names.get_values_for_type(x509.DNSName)}


def _has_ip(names: x509.SubjectAlternativeName, value: str) -> bool:
    return ipaddress.ip_address(value) in names.get_values_for_type(x509.IPAddress)


_ALTERNATIVES: Mapping[CertificateNameKind, Callable[[x509.SubjectAlternativeName, str], bool]] = (
    MappingProxyType(
        {
            CertificateNameKind.SAN_DNS: _has_dns,
            CertificateNameKind.SAN_IP: _has_ip,
            CertificateNameKind.SAN_URI: lambda names, value: (
                value in names.get_values_for_type(x509.UniformResourceIdentifier)
            ),
            CertificateNameKind.SAN_EMAIL: lambda names, value: (
                value in names.get_values_for_type(x509.RFC822Name)
            ),
        }
    )
)
