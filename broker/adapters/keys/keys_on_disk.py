"""The broker's keys, read from files: one folder for each purpose, so that none serves two.

    root/root.hex           person roots        pairwise/<a-z>.hex      pseudonyms, by epoch
    register/register.hex   person register     receipts/receipts.hex   receipts
    storage/storage.hex     login store         cookie/cookie.hex       cookies
    storage/<a-z>.hex       and its successors  cookie/<a-z>.hex        and its successors
    saml-signing/*.pem      SAML messages       saml-decryption/*.pem   schools' assertions
    token/<kid>.pem         tokens, by key id: EC P-256 and RSA, Ed25519 where wanted
    schedule.toml           when each of the last five purposes uses which key

A `.hex` file holds 64 hexadecimal digits. A `.pem` file holds one unencrypted private key, for
SAML followed by its certificate. What others could read, what is missing, damaged, doubled or not
understood stops the start, all of it reported at once. `keys_init` makes keys, `keys/README.md`
tells people about them; whether a certificate expires is not looked at here.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from broker.adapters.keys.key_files import (
    KeyProblem,
    list_key_files,
    missing_key,
    parse_hex_key,
    read_safely,
)
from broker.adapters.keys.pem_keys import (
    SamlKey,
    TokenKey,
    name_in_folder,
    read_saml_key,
    read_token_key,
)
from broker.adapters.keys.schedule_on_disk import read_schedule
from broker.flow.key_plans.key_purposes import COOKIE, SAML_DECRYPTION, SAML_SIGNING, STORAGE, TOKEN
from broker.flow.key_plans.key_schedule import KeySchedule
from broker.pseudonyms.derivation import RootKey, load_root_key
from broker.pseudonyms.epochs import PairwiseKeys, load_pairwise_keys

SINGLE_HEX_FILES = (
    "root/root.hex",
    "register/register.hex",
    "receipts/receipts.hex",
)
LASTING_HEX_FILES = SINGLE_HEX_FILES
"""Another key in the place of one of these, or of a pairwise key, would lose people or receipts."""
PAIRWISE_FOLDER = "pairwise"
STORAGE_FOLDER = STORAGE
COOKIE_FOLDER = COOKIE
TOKEN_FOLDER = TOKEN
SAML_SIGNING_FOLDER = SAML_SIGNING
SAML_DECRYPTION_FOLDER = SAML_DECRYPTION

KEY_FOLDERS = (
    *("root", "register", "receipts", PAIRWISE_FOLDER, STORAGE_FOLDER, COOKIE_FOLDER),
    *(TOKEN_FOLDER, SAML_SIGNING_FOLDER, SAML_DECRYPTION_FOLDER),
)

KEY_CHECK_LABEL = b"schuilnaam/key-check/v1"
KEY_CHECK_BYTES = 16

_LETTER_NAME = re.compile(r"[a-z]\.hex")
_PEM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.pem")
_FORMS = {
    PAIRWISE_FOLDER: (_LETTER_NAME, "<a-z>.hex"),
    STORAGE_FOLDER: (re.compile(r"(?:[a-z]|storage)\.hex"), "<a-z>.hex"),
    COOKIE_FOLDER: (re.compile(r"(?:[a-z]|cookie)\.hex"), "<a-z>.hex"),
    TOKEN_FOLDER: (_PEM_NAME, "<name>.pem"),
    SAML_SIGNING_FOLDER: (_PEM_NAME, "<name>.pem"),
    SAML_DECRYPTION_FOLDER: (_PEM_NAME, "<name>.pem"),
}
"""Purpose that holds several keys -> what their files are called."""


class KeysUnusable(Exception):  # noqa: N818 -- a finding that `check` lists
    """The keys cannot be used. `problems` lists everything that is wrong, in order of file."""

    def __init__(self, problems: tuple[KeyProblem, ...]) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


@dataclass(frozen=True, slots=True, repr=False)
class HexKey:
    """A secret of 32 bytes of which there may be several.

    Attributes:
        letter: its file's name without `.hex`; "" for the first one of an installation.
    """

    file: str
    letter: str
    secret: bytes = field(repr=False)


PemKey = TypeVar("PemKey", TokenKey, SamlKey)


@dataclass(frozen=True, slots=True)
class BrokerKeys:
    """All keys of the broker, by purpose.

    Symmetric keys are 32 bytes. Keys of which there may be several come in order of file name, the
    first one of an installation before all, each tuple holding at least one; `token` at least one
    of ES256 and of RS256. Which one is in use depends on the moment: `keys_standing`.

    Each names its file as the schedule does: `token/<kid>.pem`.

    Attributes:
        folder: where they were read.
        schedule: file of each key that rotates -> its times, where it has any.
        checks: file of each key that lasts -> its check value (`derive_key_check`).
        identities: every key file -> a value by which the same key is known again.
    """

    folder: Path = field(repr=False)
    root: RootKey = field(repr=False)
    pairwise: PairwiseKeys = field(repr=False)
    register: bytes = field(repr=False)
    receipts: bytes = field(repr=False)
    storage: tuple[HexKey, ...] = field(repr=False)
    cookie: tuple[HexKey, ...] = field(repr=False)
    token: tuple[TokenKey, ...] = field(repr=False)
    saml_signing: tuple[SamlKey, ...] = field(repr=False)
    saml_decryption: tuple[SamlKey, ...] = field(repr=False)
    schedule: KeySchedule = field(repr=False)
    checks: Mapping[str, bytes] = field(repr=False)
    identities: Mapping[str, bytes] = field(repr=False)


def load_keys(folder: Path) -> BrokerKeys:
    """Return all keys in `folder`.

    Raises:
        KeysUnusable: with everything that is wrong.
    """
    reader = _Reader(folder)
    if (keys := _read_all(reader)) is None:
        raise KeysUnusable(tuple(reader.problems))
    return keys


def find_key_problems(folder: Path) -> tuple[KeyProblem, ...]:
    """Return everything that is wrong with the keys in `folder`; empty when they can be used."""
    try:
        load_keys(folder)
    except KeysUnusable as found:
        return found.problems
    return ()


def _read_all(reader: "_Reader") -> BrokerKeys | None:
    single = {name: reader.hex_key(reader.folder / name) for name in SINGLE_HEX_FILES}
    pairwise = {file.stem: reader.hex_key(file) for file in reader.files(PAIRWISE_FOLDER)}
    storage, cookie = reader.hex_keys(STORAGE_FOLDER), reader.hex_keys(COOKIE_FOLDER)
    token = reader.pem_keys(TOKEN_FOLDER, read_token_key)
    saml_signing = reader.pem_keys(SAML_SIGNING_FOLDER, read_saml_key)
    saml_decryption = reader.pem_keys(SAML_DECRYPTION_FOLDER, read_saml_key)
    reader.check_both_algorithms(token)
    reader.check_no_key_twice()
    schedule = reader.schedule()
    if reader.problems:
        return None
    lasting = {name: single[name] for name in LASTING_HEX_FILES}
    lasting |= {f"{PAIRWISE_FOLDER}/{letter}.hex": key for letter, key in pairwise.items()}
    return BrokerKeys(
        folder=reader.folder,
        root=load_root_key(single["root/root.hex"]),
        pairwise=load_pairwise_keys(pairwise),
        register=single["register/register.hex"],
        receipts=single["receipts/receipts.hex"],
        storage=storage,
        cookie=cookie,
        token=token,
        saml_signing=saml_signing,
        saml_decryption=saml_decryption,
        schedule=schedule,
        checks={name: derive_key_check(key, name=name) for name, key in lasting.items()},
        identities=reader.identities(),
    )


def derive_key_check(key: bytes, *, name: str) -> bytes:
    """Return 16 bytes that tell whether a key is the same as before, and nothing else of it.

    Args:
        key: 32 secret bytes.
        name: its file in the keys folder, so that exchanged keys are told too.
    """
    return hmac.digest(key, KEY_CHECK_LABEL + name.encode(), "sha256")[:KEY_CHECK_BYTES]


class _Reader:
    """Reads file after file and keeps what is wrong, and which key was seen where."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[KeyProblem] = []
        self._seen: dict[bytes, list[Path]] = {}

    def hex_key(self, file: Path) -> bytes:
        """Return 32 bytes, or none after a problem: then nothing of all this is used."""
        try:
            key = parse_hex_key(file, read_safely(file, root=self.folder))
        except KeyProblem as problem:
            self.problems.append(problem)
            return b""
        self._seen.setdefault(key, []).append(file)
        return key

    def files(self, purpose: str) -> list[Path]:
        """Return the key files of a purpose that holds several; none, or strangers, is a problem.

        A misnamed key must not be passed over: its suppliers would be without a key.
        """
        pattern, form = _FORMS[purpose]
        remedy = f"name it {form} or move it elsewhere"
        try:
            files = list_key_files(self.folder, purpose)
        except KeyProblem as problem:
            self.problems.append(problem)
            return []
        good = [file for file in files if pattern.fullmatch(file.name)]
        self.problems += [
            KeyProblem(file, "is no key file", remedy) for file in files if file not in good
        ]
        if not good:
            self.problems.append(missing_key(self.folder / purpose))
        return good

    def hex_keys(self, purpose: str) -> tuple[HexKey, ...]:
        """Return the keys of a purpose by letter; the first of an installation has none."""
        files = sorted(self.files(purpose), key=lambda file: (file.stem != purpose, file.name))
        return tuple(
            HexKey(
                name_in_folder(file, self.folder),
                "" if file.stem == purpose else file.stem,
                self.hex_key(file),
            )
            for file in files
        )

    def schedule(self) -> KeySchedule:
        """Return when which key is used, or nothing after a problem."""
        try:
            return read_schedule(self.folder)
        except KeyProblem as problem:
            self.problems.append(problem)
            return {}

    def pem_keys(self, purpose: str, read: Callable[..., PemKey]) -> tuple[PemKey, ...]:
        keys: list[PemKey] = []
        for file in self.files(purpose):
            try:
                keys.append(read(file, root=self.folder))
            except KeyProblem as problem:
                self.problems.append(problem)
            else:
                public = keys[-1].private_key.public_key()
                encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                self._seen.setdefault(encoded, []).append(file)
        return tuple(keys)

    def check_both_algorithms(self, keys: tuple[TokenKey, ...]) -> None:
        """A key that is there but cannot be read is told once, and not missed as well."""
        place = self.folder / TOKEN_FOLDER
        found = {each.algorithm for each in keys}
        if found and not any(problem.file.parent == place for problem in self.problems):
            kinds = {"ES256": "EC P-256 key", "RS256": "RSA key"}
            self.problems += [missing_key(place, kinds[each]) for each in kinds.keys() - found]

    def identities(self) -> Mapping[str, bytes]:
        """Return a value for each file that is the same while its key is."""
        return {
            name_in_folder(file, self.folder): derive_key_check(key, name="identity")
            for key, files in self._seen.items()
            for file in files
        }

    def check_no_key_twice(self) -> None:
        for first, *others in self._seen.values():
            for file in others:
                self.problems.append(
                    KeyProblem(
                        file,
                        f"is the same key as {first}",
                        "each purpose and epoch needs a key of its own: remove the copy",
                    )
                )
