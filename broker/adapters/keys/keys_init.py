"""Make the keys that are missing; never touch one that exists.

The keys on which continuity hangs are made first, in a fixed order. So an interrupted run goes on
where it stopped, while a folder in which one of them is missing beside later ones has *lost* it:
that is refused, because a new key would silently make a stranger of every pupil.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from broker.adapters.keys.key_files import FOLDER_MODE, KeyProblem, list_key_files, write_once
from broker.adapters.keys.keys_on_disk import (
    COOKIE_FOLDER,
    PAIRWISE_FOLDER,
    SAML_DECRYPTION_FOLDER,
    SAML_SIGNING_FOLDER,
    STORAGE_FOLDER,
    TOKEN_FOLDER,
    KeysUnusable,
)
from broker.adapters.keys.pem_keys import read_token_key
from broker.adapters.keys.schedule_on_disk import find_letters, read_schedule
from broker.flow.key_plans.key_schedule import choose_letter, is_ended

RSA_BITS = 2048  # one signature or decryption a login: 3072 bits would cost three times as much
CERTIFICATE_LIFETIME_DAYS = 3650  # partners pin the key; a short life only breaks logins
TOKEN_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
"""That tokens can be signed with; every installation has keys of the first two."""

COMMON_NAME_MAX = 64  # characters; RFC 5280 A.1, ub-common-name

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class _Planned:
    """One key that a complete folder has.

    Attributes:
        place: the file, or the folder in which its name follows from the key.
        exists: whether it is there.
        write: makes it; returns the file, or None if somebody else was first.
        loss: what a new key would cost if this one was lost; empty if nothing that lasts.
    """

    place: Path
    exists: bool
    write: Callable[[], Path | None]
    loss: str = ""


def init_keys(
    folder: Path, *, now: datetime, issuer_name: str, known: Collection[str] = ()
) -> list[Path]:
    """Make every key that is missing in `folder`, readable by its owner alone.

    Args:
        folder: made if it does not exist.
        now: aware; the day goes into the names of new keys, and starts their certificates.
        issuer_name: name of this broker in its certificates, 1 to 64 characters.
        known: names of keys that `registry.db` knows, as root/root.hex: no other key is made in
            their place.

    Returns:
        The files that were made, in order; empty when nothing was missing.

    Raises:
        KeysUnusable: a key that cannot be replaced is missing and known, or missing beside others,
            or a folder or a token key that exists cannot be read. Nothing was made then.
        OSError: the folder cannot be written; what was made before stays, and is whole.
        ValueError: `issuer_name` is empty or too long.
    """
    if not 0 < len(issuer_name) <= COMMON_NAME_MAX:
        raise ValueError(f"issuer_name has 1 to {COMMON_NAME_MAX} characters")
    try:
        plan = _plan(folder, now=now, issuer_name=issuer_name)
    except KeyProblem as problem:
        raise KeysUnusable((problem,)) from problem
    _check_nothing_known_is_missing(plan, folder, known)
    _check_nothing_was_lost(plan)
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    made = [each.write() for each in plan if not each.exists]
    return [file for file in made if file is not None]


def _plan(folder: Path, *, now: datetime, issuer_name: str) -> list[_Planned]:
    def hex_key(name: str, loss: str = "") -> _Planned:
        file = folder / name
        return _Planned(file, file.exists(), lambda: _write_hex_key(file), loss)

    def usable_files(purpose: str) -> list[Path]:
        """Return what is there and not retired: a copy of a removed key counts for nothing."""
        return [
            file
            for file in list_key_files(folder, purpose)
            if not is_ended(file.relative_to(folder).as_posix(), schedule, now=now)
        ]

    def first_of_several(purpose: str) -> _Planned:
        """After the first rotation it is gone for good, and its successors are there."""
        name = f"{purpose}/{purpose}.hex"
        if name in schedule:  # those successors are lost too, and what is named there has ended
            there = {file.stem for file in list_key_files(folder, purpose)}
            given = find_letters(purpose, schedule)
            letter = choose_letter(there, after=max(given, default=""), given=given)
            name = f"{purpose}/{letter}.hex"
        file = folder / name
        return _Planned(file, bool(usable_files(purpose)), lambda: _write_hex_key(file))

    def saml_key(purpose: str) -> _Planned:
        place = folder / purpose
        return _Planned(
            place,
            bool(usable_files(purpose)),
            lambda: _write(place, make_saml_key(now=now, issuer_name=issuer_name)),
        )

    def token_key(algorithm: str) -> _Planned:
        place = folder / TOKEN_FOLDER
        return _Planned(
            place, algorithm in found, lambda: _write(place, make_token_key(algorithm, now=now))
        )

    schedule = read_schedule(folder)
    first_pairwise = folder / PAIRWISE_FOLDER / "a.hex"
    found = {read_token_key(file, root=folder).algorithm for file in usable_files(TOKEN_FOLDER)}
    return [
        hex_key("root/root.hex", "every pupil would become a stranger to every supplier"),
        _Planned(
            first_pairwise,
            bool(list_key_files(folder, PAIRWISE_FOLDER)),
            lambda: _write_hex_key(first_pairwise),
            "every pupil would become a stranger to every supplier",
        ),
        hex_key("register/register.hex", "no row of the person register would be found any more"),
        hex_key("receipts/receipts.hex", "no receipt could be shown any more"),
        first_of_several(STORAGE_FOLDER),
        first_of_several(COOKIE_FOLDER),
        token_key("ES256"),
        token_key("RS256"),
        saml_key(SAML_SIGNING_FOLDER),
        saml_key(SAML_DECRYPTION_FOLDER),
    ]


def _check_nothing_known_is_missing(
    plan: list[_Planned], folder: Path, known: Collection[str]
) -> None:
    """Refuse a new key where the databases need the old one: they were put back before the keys."""
    problems = [
        KeyProblem(
            planned.place,
            "is missing, and registry.db knows it",
            f"put it back with `broker keys restore`: with a new one {planned.loss}. Only if it is "
            "lost for good, run `broker keys init --allow-new-pseudonyms`",
        )
        for planned in plan
        if planned.loss
        and not planned.exists
        and planned.place.relative_to(folder).as_posix() in known
    ]
    if problems:
        raise KeysUnusable(tuple(problems))


def _check_nothing_was_lost(plan: list[_Planned]) -> None:
    """Refuse to replace a key that lasts when a later one shows that it must have been there."""
    problems = [
        KeyProblem(
            planned.place,
            "is missing although other keys exist",
            f"restore it from the backup: with a new one {planned.loss}. "
            "To start anew on purpose, begin with an empty folder",
        )
        for index, planned in enumerate(plan)
        if planned.loss and not planned.exists and any(each.exists for each in plan[index + 1 :])
    ]
    if problems:
        raise KeysUnusable(tuple(problems))


def _write_hex_key(file: Path) -> Path | None:
    return write_once(file, secrets.token_hex(32).encode() + b"\n")


def make_token_key(algorithm: str, *, now: datetime) -> tuple[str, bytes]:
    """Return name and content of a new key's file; `algorithm` is one of `TOKEN_ALGORITHMS`."""
    key: PrivateKey
    if algorithm == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = _generate_rsa()
    return _name(algorithm.lower(), key, now=now), _private_pem(key)


def make_saml_key(*, now: datetime, issuer_name: str) -> tuple[str, bytes]:
    """Return name and content of a new key's file, its certificate from this day on."""
    key = _generate_rsa()
    certificate = _sign_certificate(key, now=now, issuer_name=issuer_name)
    content = _private_pem(key) + certificate.public_bytes(Encoding.PEM)
    return _name("saml", key, now=now), content


def _write(place: Path, made: tuple[str, bytes]) -> Path | None:
    name, content = made
    return write_once(place / name, content)


def _name(prefix: str, key: PrivateKey, *, now: datetime) -> str:
    """Name a key by kind, day and fingerprint: names sort by day and are never used twice."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{prefix}-{now:%Y%m%d}-{sha256(public).hexdigest()[:8]}.pem"


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _generate_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def _sign_certificate(
    key: rsa.RSAPrivateKey, *, now: datetime, issuer_name: str
) -> x509.Certificate:
    """Return the self-signed certificate in which SAML metadata carries a public key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer_name)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=CERTIFICATE_LIFETIME_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
