"""How an OpenID Connect client proves who it is: checks on its document, and what is registered."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import UNSET

from broker.domain.documents import DocumentProblem, RelyingPartyDocument, SupplierDocument
from broker.domain.relying_parties import (
    CertificateName,
    CertificateNameKind,
    ClientAuthentication,
)
from broker.oidc_op.client_certificates import CertificateNameUnreadable, read_subject
from broker.oidc_op.profiles import PROFILES

KEYS = ("jwks", "jwks_uri")
SECRETS = ("client_secret_hash", "next_client_secret_hash")
CERTIFICATE_NAMES: Mapping[str, CertificateNameKind] = MappingProxyType(
    {f"certificate_{kind}": kind for kind in CertificateNameKind}
)
BOUND = ("dpop_bound_access_tokens", "certificate_bound_access_tokens")
AUTHENTICATION_KEYS = ("authentication", *KEYS, *SECRETS, *CERTIFICATE_NAMES, *BOUND)
"""Keys of a document that say how its client proves who it is."""

WITH_SECRET = ("client_secret_basic", "client_secret_post")
WITH_KEYS = ("private_key_jwt", "self_signed_tls_client_auth")


def authentication_of(party: RelyingPartyDocument) -> ClientAuthentication:
    """Return the one way in which an OIDC client authenticates: stated, or what fits its keys."""
    if party.authentication is not UNSET:
        return party.authentication
    if _stated(party, CERTIFICATE_NAMES):
        return "tls_client_auth"
    only_secret = party.client_secret_hash and not _stated(party, KEYS)
    profile = PROFILES[party.profile]
    if only_secret and "client_secret_basic" in profile.authentication_methods:
        return "client_secret_basic"
    return "none" if profile.public_clients else "private_key_jwt"


def certificate_name_of(party: RelyingPartyDocument) -> CertificateName | None:
    """Return by which name its certificate is known; None when it states none."""
    for name in _stated(party, CERTIFICATE_NAMES):
        return CertificateName(kind=CERTIFICATE_NAMES[name], value=getattr(party, name))
    return None


def check_party_authentication(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    """A client has one way to prove who it is, and what it needs for it, and nothing beside."""
    if party.protocol != "oidc":
        return
    method, allowed = authentication_of(party), PROFILES[party.profile].authentication_methods
    if method not in allowed:
        yield DocumentProblem(
            f"{prefix}authentication",
            f"is {method}, which profile {party.profile} does not allow.",
            f"Use {' or '.join(allowed)}, or another profile.",
        )
    yield from _check_secrets(prefix, party, method)
    yield from _check_keys(prefix, party, method)
    yield from _check_certificate_names(prefix, party, method)


def check_party_bound(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    if party.dpop_bound_access_tokens and party.certificate_bound_access_tokens:
        yield DocumentProblem(
            f"{prefix}dpop_bound_access_tokens",
            "stands beside certificate_bound_access_tokens.",
            "A token is bound to one key: keep one of the two.",
        )


def check_party_pushes_provenly(
    prefix: str, party: RelyingPartyDocument, _: SupplierDocument
) -> Iterator[DocumentProblem]:
    """What a public client pushes anybody can push: demanding it proves nothing, and whoever spends
    the client's pushes of a minute would keep everybody else from logging in there."""
    if party.require_pushed_requests and authentication_of(party) == "none":
        yield _proves_nothing(f"{prefix}require_pushed_requests")


def _check_secrets(
    prefix: str, party: RelyingPartyDocument, method: str
) -> Iterator[DocumentProblem]:
    if method in WITH_SECRET:
        if party.client_secret_hash is None:
            yield DocumentProblem(
                f"{prefix}client_secret_hash",
                f"is missing for {method}.",
                "State the hex SHA-256 of a secret of 256 random bits: broker secret makes one.",
            )
        elif party.client_secret_hash == party.next_client_secret_hash:
            yield DocumentProblem(
                f"{prefix}next_client_secret_hash",
                "is the same as client_secret_hash.",
                "State another one, or remove it.",
            )
        return
    for name in _stated(party, SECRETS):
        if method == "none":
            yield _proves_nothing(prefix + name)
        else:
            yield DocumentProblem(
                prefix + name,
                f"is not used with {method}.",
                'Remove it, or write profile = "compat", authentication = "client_secret_basic".',
            )


def _check_keys(prefix: str, party: RelyingPartyDocument, method: str) -> Iterator[DocumentProblem]:
    stated = _stated(party, KEYS)
    if method == "none":
        yield from (_proves_nothing(prefix + name) for name in stated)
    elif len(stated) > 1 or (method in WITH_KEYS and not stated):
        told = "stands beside jwks_uri" if stated else "is missing"
        yield DocumentProblem(
            f"{prefix}jwks",
            f"{told}, for {method}.",
            "State the client's public keys as jwks, or where it publishes them as jwks_uri.",
        )


def _check_certificate_names(
    prefix: str, party: RelyingPartyDocument, method: str
) -> Iterator[DocumentProblem]:
    """RFC 8705 2.1.2: exactly one, so that no other name in a certificate ever counts."""
    stated = _stated(party, CERTIFICATE_NAMES)
    if method != "tls_client_auth":
        for name in stated:
            yield DocumentProblem(prefix + name, f"is not used with {method}.", "Remove that key.")
        return
    if len(stated) != 1:
        yield DocumentProblem(
            prefix + (stated[1] if stated else "certificate_subject_dn"),
            "stands beside another name." if stated else "is missing for tls_client_auth.",
            f"State exactly one of {', '.join(CERTIFICATE_NAMES)}.",
        )
    for name in stated:
        if not _is_readable(CERTIFICATE_NAMES[name], getattr(party, name)):
            yield DocumentProblem(
                prefix + name,
                "cannot be read as that kind of name.",
                "Write it as the certificate has it; a subject as in CN=...,O=...,C=NL (RFC 4514).",
            )


def _is_readable(kind: CertificateNameKind, value: str) -> bool:
    try:
        if kind is CertificateNameKind.SUBJECT_DN:
            read_subject(value)
        elif kind is CertificateNameKind.SAN_IP:
            ipaddress.ip_address(value)
    except (CertificateNameUnreadable, ValueError):
        return False
    return value == value.strip() and value.isprintable()


def _stated(party: RelyingPartyDocument, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(party, name) is not None]


def _proves_nothing(path: str) -> DocumentProblem:
    told = "proves nothing for a public client, of which everybody has a copy."
    return DocumentProblem(path, told, "Remove that key.")
