import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.saml_xml import names as n
from broker.saml_xml.keys import (
    UnusableKey,
    decryption_key,
    encryption_key,
    signing_key,
    verification_key,
)
from tests.saml_xml.corpus.keys import certified, ec_key, rsa_key


def test_strong_keys_are_taken() -> None:
    assert verification_key(rsa_key().certificate).key_id == rsa_key().signing.key_id
    for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1):
        key = ec_key(curve.name, curve=curve)
        assert verification_key(key.certificate).key_id == key.signing.key_id
    assert rsa_key().decryption.key_id == rsa_key().encryption.key_id
    assert rsa_key().encryption.content_algorithm == n.ALG_AES256_GCM


def test_a_key_id_is_that_of_the_key_and_not_of_its_certificate() -> None:
    again = certified(rsa_key().private_key)
    assert verification_key(again.certificate) == verification_key(rsa_key().certificate)
    assert verification_key(rsa_key("other").certificate) != verification_key(again.certificate)


def test_weak_keys_are_refused() -> None:
    with pytest.raises(UnusableKey, match="1024 bits"):
        verification_key(rsa_key("weak", bits=1024).certificate)
    with pytest.raises(UnusableKey, match="secp224r1"):
        verification_key(ec_key("weak", curve=ec.SECP224R1).certificate)
    with pytest.raises(UnusableKey, match="neither"):
        verification_key(_ed25519_certificate())


def test_what_is_no_certificate_is_refused() -> None:
    spki = (
        rsa_key()
        .private_key.public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    for rubbish in (b"", b"rubbish", spki, rsa_key().certificate[:-1]):
        with pytest.raises(UnusableKey, match="certificate"):
            verification_key(rubbish)


def test_encryption_is_by_rsa_and_aes_gcm() -> None:
    taken = encryption_key(rsa_key().certificate, content_algorithm=n.ALG_AES128_GCM)
    assert taken.content_algorithm == n.ALG_AES128_GCM
    with pytest.raises(UnusableKey, match="RSA"):
        encryption_key(ec_key().certificate)
    with pytest.raises(UnusableKey, match="AES-GCM"):
        encryption_key(rsa_key().certificate, content_algorithm=n.XENC + "aes256-cbc")


def test_our_own_keys_must_be_usable_and_match_their_certificate() -> None:
    private = rsa_key().private_key
    with pytest.raises(UnusableKey, match="another key"):
        signing_key(private, rsa_key("other").certificate)
    with pytest.raises(UnusableKey, match="another key"):
        decryption_key(private, rsa_key("other").certificate)
    with pytest.raises(UnusableKey, match="neither"):
        signing_key(ed25519.Ed25519PrivateKey.generate(), rsa_key().certificate)
    with pytest.raises(UnusableKey, match="RSA"):
        decryption_key(ec_key().private_key, ec_key().certificate)
    weak = rsa_key("weak", bits=1024)
    with pytest.raises(UnusableKey, match="1024"):
        signing_key(weak.private_key, weak.certificate)


def test_private_keys_do_not_show() -> None:
    assert isinstance(rsa_key().private_key, rsa.RSAPrivateKey)
    shown = repr(rsa_key().signing) + repr(rsa_key().decryption)
    assert "PrivateKey" not in shown
    assert rsa_key().signing.key_id in shown


def _ed25519_certificate() -> bytes:
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.x509.oid import NameOID

    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, None)
        .public_bytes(Encoding.DER)
    )
