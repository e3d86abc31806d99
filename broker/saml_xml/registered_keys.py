"""The keys in a partner's registered certificates, read once per set of certificates."""

from functools import lru_cache

from broker.saml_xml.keys import (
    EncryptionKey,
    UnusableKey,
    VerificationKey,
    encryption_key,
    verification_key,
)
from broker.saml_xml.names import (
    ALG_AES128_GCM,
    ALG_AES256_GCM,
    ALG_RSA_OAEP,
    ALG_RSA_OAEP_MGF1P,
    XENC,
)

CONTENT_ALGORITHMS = frozenset(
    {ALG_AES128_GCM, ALG_AES256_GCM, "http://www.w3.org/2009/xmlenc11#aes192-gcm"}
    | {XENC + each for each in ("aes128-cbc", "aes192-cbc", "aes256-cbc", "tripledes-cbc")}
)
KEY_TRANSPORTS = frozenset({ALG_RSA_OAEP_MGF1P, ALG_RSA_OAEP, XENC + "rsa-1_5"})
"""What a list of algorithms may name of each kind; digests and masks stand there too."""

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
def encryption_key_of(
    certificates: tuple[bytes, ...], methods: tuple[str, ...] = ()
) -> EncryptionKey | None:
    """Return the first key to which we can encrypt for a partner, or None.

    Args:
        certificates: DER.
        methods: the algorithms that it publishes (IIP-MD10); of a kind that it does not name,
            ours. One that names CBC or RSA 1.5 alone cannot be encrypted to.
    """
    contents = [each for each in methods if each in CONTENT_ALGORITHMS]
    transports = [each for each in methods if each in KEY_TRANSPORTS]
    ours = [each for each in (ALG_AES256_GCM, ALG_AES128_GCM) if not contents or each in contents]
    if not ours or (transports and ALG_RSA_OAEP_MGF1P not in transports):
        return None
    for certificate in certificates:
        try:
            return encryption_key(certificate, content_algorithm=ours[0])
        except UnusableKey:
            continue
    return None
