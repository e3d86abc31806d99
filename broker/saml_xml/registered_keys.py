"""The keys in a partner's registered certificates, read once per set of certificates."""

from functools import lru_cache

from broker.saml_xml.keys import (
    EncryptionKey,
    UnusableKey,
    VerificationKey,
    encryption_key,
    verification_key,
)

CACHED_PARTNERS = 2048
"""Reading a certificate costs about as much as verifying with it; 2048 partners take some 10 MB."""


@lru_cache(maxsize=CACHED_PARTNERS)
def verification_keys(certificates: tuple[bytes, ...]) -> tuple[VerificationKey, ...]:
    """Return the keys by which a partner's signatures are verified.

    A certificate that cannot be used counts for nothing: with none left, every signature is
    refused. Metadata with such a certificate does not get into the registry in the first place.

    Args:
        certificates: DER.
    """
    found = []
    for certificate in certificates:
        try:
            found.append(verification_key(certificate))
        except UnusableKey:
            continue
    return tuple(found)


@lru_cache(maxsize=CACHED_PARTNERS)
def encryption_key_of(certificates: tuple[bytes, ...]) -> EncryptionKey | None:
    """Return the first key to which we can encrypt for a partner, or None.

    Args:
        certificates: DER.
    """
    for certificate in certificates:
        try:
            return encryption_key(certificate)
        except UnusableKey:
            continue
    return None
