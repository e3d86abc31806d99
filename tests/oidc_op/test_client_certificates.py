"""Clients with a certificate (RFC 8705): one registered name or key, vouched for, of today."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from broker.domain.relying_parties import CertificateName, CertificateNameKind
from broker.jose.keys import KeySet, parse_key_set, thumbprint_of_key
from broker.oidc_op.caller_proof import ClientCertificate
from broker.oidc_op.client_certificates import (
    MAX_CERTIFICATE_BYTES,
    CertificateNameUnreadable,
    check_certificate_key,
    check_certificate_name,
    read_subject,
    thumbprint_of,
)
from broker.oidc_op.client_refusals import ClientNotAuthenticated
from tests.builders_oidc import NOW
from tests.proof_builders import ALTERNATIVES, a_certificate

SUBJECT = "CN=rekenrijk,O=Rekenrijk BV,C=NL"


def by_name(certificate: ClientCertificate | None, value: str = SUBJECT, kind: str = "subject_dn"):
    registered = CertificateName(kind=CertificateNameKind(kind), value=value)
    return check_certificate_name(certificate, registered=registered, now=NOW)


def refused(check: str, call, *arguments, **named) -> None:
    with pytest.raises(ClientNotAuthenticated) as caught:
        call(*arguments, **named)
    assert caught.value.check == check


def test_the_registered_subject_authenticates() -> None:
    shown = a_certificate(subject=SUBJECT)
    assert by_name(shown) == thumbprint_of(shown.der)
    assert "der" not in repr(shown)


@pytest.mark.parametrize(
    "other",
    [
        *("CN=rekenrijk", "CN=rekenrijk,O=Rekenrijk BV", "C=NL,O=Rekenrijk BV,CN=rekenrijk"),
        *("CN=Rekenrijk,O=Rekenrijk BV,C=NL", "CN=rekenrijk+O=Rekenrijk BV,C=NL"),
        "CN=rekenrijk\\,O=Rekenrijk BV,C=NL",
    ],
)
def test_another_subject_does_not(other: str) -> None:
    refused("check_certificate_name", by_name, a_certificate(subject=other))
    assert by_name(a_certificate(subject=other), other)


def test_the_oin_of_a_dutch_certificate_is_read() -> None:
    subject = "CN=api.rijk.example,serialNumber=00000004003214345001,O=Rijk,C=NL"
    assert by_name(a_certificate(subject=subject), subject)
    refused("check_certificate_name", by_name, a_certificate(subject=subject), subject[:-1] + "X")


@pytest.mark.parametrize("kind", ALTERNATIVES)
def test_one_alternative_name_authenticates(kind: str) -> None:
    name, registered, other = ALTERNATIVES[kind]
    shown = a_certificate(names=(x509.DNSName("first.example"), name))
    assert by_name(shown, registered, kind)
    refused("check_certificate_name", by_name, shown, other, kind)
    refused("check_certificate_name", by_name, a_certificate(), registered, kind)


def test_a_name_of_another_kind_does_not() -> None:
    shown = a_certificate(names=(x509.DNSName("rekenrijk"),))
    refused("check_certificate_name", by_name, shown, "rekenrijk", "san_uri")
    refused("check_certificate_name", by_name, shown, "CN=rekenrijk", "subject_dn")


def test_nothing_registered_is_nobody() -> None:
    call = check_certificate_name
    refused("check_certificate_name", call, a_certificate(), registered=None, now=NOW)


def test_nobody_vouches_for_it() -> None:
    refused("check_certificate_chain", by_name, a_certificate(chain_proven=False))


def test_none_is_shown() -> None:
    refused("check_certificate_present", by_name, None)
    refused("check_certificate_present", check_certificate_key, None, keys=KeySet(), now=NOW)


@pytest.mark.parametrize("days", [-1, 400])
def test_of_yesterday_or_tomorrow(days: int) -> None:
    now = NOW if days < 0 else NOW.replace(year=NOW.year + 2)
    shown = a_certificate(days=days if days < 0 else 30, now=now)
    refused("check_certificate_dates", by_name, shown)
    key = ec.generate_private_key(ec.SECP256R1())
    expired = a_certificate(key=key, days=days if days < 0 else 30, now=now)
    refused("check_certificate_dates", check_certificate_key, expired, keys=keys_of(key), now=NOW)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"x" * 100])
def test_what_is_no_certificate(der: bytes) -> None:
    refused("check_certificate_readable", by_name, ClientCertificate(der, chain_proven=True))


def test_what_is_too_large() -> None:
    large = ClientCertificate(b"\x30" * (MAX_CERTIFICATE_BYTES + 1), chain_proven=True)
    refused("check_certificate_size", by_name, large)


def keys_of(*private) -> KeySet:
    made = []
    for key in private:
        kind = RSAKey if isinstance(key, rsa.RSAPrivateKey) else ECKey
        made.append(kind.import_key(key).as_dict(private=False))
    return parse_key_set(json.dumps({"keys": made}))


@pytest.mark.parametrize("kind", ["P-256", "RSA", "P-384"])
def test_a_registered_key_authenticates(kind: str) -> None:
    key = {
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "RSA": lambda: rsa.generate_private_key(65537, 2048),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }[kind]()
    shown = a_certificate(key=key, chain_proven=False)  # nobody vouches, and nobody needs to
    other = ec.generate_private_key(ec.SECP256R1())
    keys = keys_of(other, key)
    assert check_certificate_key(shown, keys=keys, now=NOW) == thumbprint_of(shown.der)
    refused("check_certificate_key", check_certificate_key, shown, keys=keys_of(other), now=NOW)
    refused("check_certificate_key", check_certificate_key, shown, keys=KeySet(), now=NOW)


def test_a_key_of_no_kind_of_ours() -> None:
    shown = a_certificate(key=dsa.generate_private_key(2048), chain_proven=False)
    refused("check_certificate_key", check_certificate_key, shown, keys=KeySet(), now=NOW)


def test_the_key_of_a_certificate_may_be_one_of_ed25519() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    jwk = OKPKey.import_key(key).as_dict(private=False)
    assert thumbprint_of_key(key.public_key()) == OKPKey.import_key(jwk).thumbprint()


def test_another_certificate_of_the_same_key_is_as_good() -> None:
    """RFC 8705 2.2: what is registered is the key; its certificate may be renewed."""
    key = ec.generate_private_key(ec.SECP256R1())
    for days in (1, 300):
        shown = a_certificate(key=key, days=days, chain_proven=False)
        assert check_certificate_key(shown, keys=keys_of(key), now=NOW)


def test_a_subject_that_cannot_be_read_is_said() -> None:
    with pytest.raises(CertificateNameUnreadable):
        read_subject("no name")
