"""Key files: found, opened safely, parsed, and written. What is wrong with one is a `KeyProblem`.

A key that others could read, or that is not in the one form that we write, is
refused. What keys there are and what they are for is in `keys_on_disk`.
"""

import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

RSA_BITS_MIN = 2048  # NIST SP 800-131A
RSA_BITS_MAX = 8192  # above, one signature costs more than a whole login

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_FILE_SIZE_MAX_BYTES = 65536
_HEX_KEY = re.compile(rb"[0-9A-Fa-f]{64}\r?\n?")
_OTHERS_MODE = stat.S_IRWXG | stat.S_IRWXO


class KeyProblem(Exception):  # noqa: N818 -- a finding that `check` lists
    """One thing wrong with one file. Holds no key material.

    Attributes:
        file: where, under the folder that was given.
        problem: what is wrong, to be read after the file's name.
        remedy: what an operator can do.
    """

    def __init__(self, file: Path, problem: str, remedy: str) -> None:
        super().__init__(file, problem, remedy)
        self.file = file
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}; {self.remedy}"


def list_key_files(folder: Path, purpose: str) -> list[Path]:
    """Return the files of one purpose by name, without hidden ones; empty if there is no folder.

    Raises:
        KeyProblem: the folder cannot be read.
    """
    try:
        names = os.listdir(folder / purpose)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as reason:
        raise _unreadable(folder / purpose, reason) from reason
    return [folder / purpose / name for name in sorted(names) if not name.startswith(".")]


def missing_key(file: Path, what: str = "key") -> KeyProblem:
    """Return the problem of a key, or a folder of keys, that is not there."""
    return KeyProblem(
        file,
        f"there is no {what}",
        "restore it from the backup, or run `broker keys init` when this is a new installation",
    )


def _unreadable(file: Path, reason: OSError | RuntimeError) -> KeyProblem:
    why = getattr(reason, "strerror", None) or "links in a circle"
    return KeyProblem(file, f"cannot be read ({why})", "let it belong to the broker's user")


def read_safely(file: Path, *, root: Path) -> bytes:
    """Return a file's content if it lies in the keys folder and is its owner's alone.

    Mode and kind are asked of the opened file, so it cannot be exchanged in between. Symbolic
    links inside the folder are followed: Kubernetes mounts secrets so.

    Raises:
        KeyProblem: it is not there, lies elsewhere, or is not its owner's alone.
    """
    try:
        if not file.resolve(strict=True).is_relative_to(root.resolve(strict=True)):
            raise KeyProblem(
                file, "is a link out of the keys folder", "put the key itself in its place"
            )
        # not blocking, for what is a named pipe
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as reason:
        raise missing_key(file) from reason
    except (OSError, RuntimeError) as reason:  # the latter: links in a circle, before Python 3.13
        raise _unreadable(file, reason) from reason
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyProblem(file, "is no regular file", "put a key file in its place")
        if status.st_mode & _OTHERS_MODE:
            raise KeyProblem(
                file,
                f"is open to others than its owner (mode {stat.S_IMODE(status.st_mode):04o})",
                f"run `chmod 600 {file}`; if others may have read it, treat it as leaked",
            )
        content = os.read(descriptor, _FILE_SIZE_MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _FILE_SIZE_MAX_BYTES:
        raise KeyProblem(file, "is too large for a key", "put a key file in its place")
    return content


def parse_hex_key(file: Path, content: bytes) -> bytes:
    """Return 32 bytes from 64 hexadecimal digits and at most one line end.

    Raises:
        KeyProblem: anything else.
    """
    if not _HEX_KEY.fullmatch(content):
        raise KeyProblem(
            file,
            "does not hold exactly 64 hexadecimal digits",
            "restore it from the backup; never repair a key by hand",
        )
    return bytes.fromhex(content.decode())


def parse_private_key(
    file: Path, content: bytes
) -> EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey:
    """Return the key in PEM; what else is in the file is not looked at.

    Raises:
        KeyProblem: encrypted, no PEM, or neither P-256 nor Ed25519 nor RSA of 2048 to 8192 bits.
    """
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError as reason:
        raise KeyProblem(
            file, "is encrypted", "store it without a passphrase, readable by its owner alone"
        ) from reason
    except (ValueError, UnsupportedAlgorithm) as reason:
        raise KeyProblem(
            file, "holds no private key in PEM", "restore it from the backup"
        ) from reason
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, RSAPrivateKey) and RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        return key
    raise KeyProblem(
        file,
        "is neither EC P-256 nor Ed25519 nor RSA of 2048 to 8192 bits",
        "make a new key of such a kind",
    )


def write_once(file: Path, content: bytes) -> Path | None:
    """Write a file whole or not at all, and never over another one.

    A hard link appears in one step and fails if the name is taken, which a rename would not.
    """
    file.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
    unfinished = file.parent / f".{file.name}.{secrets.token_hex(8)}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
        os.link(unfinished, file)
    except FileExistsError:
        return None
    finally:
        unfinished.unlink()
    sync_folder(file.parent)
    return file


def delete_key(file: Path) -> None:
    """Delete a key, durably, with what a crash in the middle of `write_once` left of it.

    Raises:
        OSError: it cannot be deleted.
    """
    for each in (file, *file.parent.glob(f".{file.name}.*")):
        each.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name durable: a key that a crash takes back after use would be a lost key."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
