"""Operators and used actions as files: `<config>/operators/<name>.pem`, `<data>/used-actions/`.

A public key is no secret, but whoever can change it is an operator: files and folder that others
than the owner may write are refused. A marker of a used action is made with
O_EXCL, so that of two processes one is first, and is kept: it is the trace. A marker that a crash
left empty still says "used".
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from broker.adapters.keys.key_files import KeyProblem, list_key_files, read_safely
from broker.domain.ids import is_slug
from broker.flow.operators.operator_refusals import (
    ActionUsed,
    OperatorExists,
    OperatorRecordsUnavailable,
)
from broker.flow.operators.operators import Operator, OperatorName
from broker.flow.operators.two_persons import Confirmation

OPERATORS_FOLDER = "operators"
USED_FOLDER = "used-actions"

_PUT_BACK = "put-back."  # no id of an action has a dot
_SIZE_MAX_BYTES = 4096
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class OperatorsOnDisk:
    """`broker.flow.operators.two_persons.Operators`: one public key in PEM for each operator.

    Args:
        config_folder: the configuration folder, in which `operators` is made when needed.
    """

    def __init__(self, config_folder: Path) -> None:
        self._folder = config_folder / OPERATORS_FOLDER

    def registered(self) -> Mapping[OperatorName, Operator]:
        """Return everybody, by name.

        Raises:
            OperatorRecordsUnavailable: something in the folder cannot be read or trusted; its
                cause, a `KeyProblem`, says what to do.
        """
        try:
            files = list_key_files(self._folder.parent, OPERATORS_FOLDER)
            if files:
                _check_owners_alone_write(self._folder, self._folder.stat())
            operators = [_read_operator(each) for each in files]
        except KeyProblem as problem:
            raise OperatorRecordsUnavailable("check_operators_readable") from problem
        return {each.name: each for each in operators}

    def add(self, operator: Operator) -> None:
        """Register a new operator, durably.

        Raises:
            OperatorExists: the name is taken.
            OperatorRecordsUnavailable: the folder cannot be written.
        """
        public_key = Ed25519PublicKey.from_public_bytes(operator.public_key)
        file = self._folder / f"{operator.name}.pem"
        try:
            write_new(file, public_pem(public_key))
        except FileExistsError:
            raise OperatorExists("check_operator_name_new") from None
        except OSError as reason:
            raise OperatorRecordsUnavailable("check_operator_written") from reason


class UsedActionsOnDisk:
    """`broker.flow.operators.two_persons.UsedActions`: one file for each action, kept for good.

    Args:
        data_folder: in which `used-actions` is made when needed. Put back from a backup, it has
            forgotten what was used since: all that was prepared before that moment is void.
    """

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder / USED_FOLDER

    def claim(self, confirmation: Confirmation, *, prepared_at: int) -> None:
        """Note durably that an action is used.

        Raises:
            ActionUsed: it was used before, another process is first, or it was prepared before a
                backup was put back.
            OperatorRecordsUnavailable: nobody knows; then it is not carried out.
        """
        file = self._folder / f"{confirmation.body.id}.json"
        try:
            if prepared_at <= self._put_back_at():
                raise ActionUsed("check_prepared_since_put_back")
            write_new(file, msgspec.json.encode(confirmation))
        except FileExistsError:
            raise ActionUsed("check_used_once") from None
        except OSError as reason:
            raise OperatorRecordsUnavailable("check_use_written") from reason

    def _put_back_at(self) -> int:
        """Return when a backup was put back last, in seconds since 1970; 0 when never."""
        markers = self._folder.glob(f"{_PUT_BACK}*.json")
        return max((int(each.stem.removeprefix(_PUT_BACK)) for each in markers), default=0)


def note_put_back(data_folder: Path, *, at: int) -> None:
    """Note durably that used actions are those of a backup from now on.

    Args:
        at: seconds since 1970.

    Raises:
        OSError: it cannot be written.
    """
    with suppress(FileExistsError):  # twice in one second
        write_new(data_folder / USED_FOLDER / f"{_PUT_BACK}{at}.json", b"{}\n")


def read_operator_key(file: Path) -> Ed25519PrivateKey:
    """Return an operator's private key: PEM, unencrypted, its owner's alone.

    Raises:
        KeyProblem: it cannot be read safely, or holds another kind of key.
    """
    content = read_safely(file, root=file.resolve().parent)
    try:
        key = load_pem_private_key(content, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyProblem(
            file,
            "holds no unencrypted Ed25519 private key in PEM",
            "name the file that `broker operator keygen` made",
        )
    return key


def read_public_key(file: Path) -> bytes:
    """Return an operator's public key from a PEM file: 32 bytes.

    Raises:
        KeyProblem: it cannot be read, or holds another kind of key.
    """
    return _parse_public_key(file, _read_trusted(file))


def make_operator_key(file: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key for its owner alone, never over another file.

    Raises:
        FileExistsError: there is such a file.
        OSError: it could not be written.
    """
    write_new(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key in PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_new(file: Path, content: bytes) -> None:
    """Write a new file durably, readable by its owner alone; its folder is made when needed.

    Raises:
        FileExistsError: there is such a file, possibly not whole yet.
        OSError: it could not be written; the name may be taken all the same.
    """
    with suppress(FileExistsError):  # also when it is no folder, which opening tells apart
        file.parent.mkdir(mode=_FOLDER_MODE, parents=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(descriptor)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_operator(file: Path) -> Operator:
    if file.suffix != ".pem" or not is_slug(file.stem):
        raise KeyProblem(file, "is no operator's key", "name it <name>.pem or move it elsewhere")
    return Operator(OperatorName(file.stem), _parse_public_key(file, _read_trusted(file)))


def _read_trusted(file: Path) -> bytes:
    """Return the content of a regular file that its owner alone may write."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as reason:
        raise KeyProblem(
            file, f"cannot be read ({reason.strerror})", "put the public key there"
        ) from reason
    try:
        status = os.fstat(descriptor)
        _check_owners_alone_write(file, status)
        if not stat.S_ISREG(status.st_mode):
            raise KeyProblem(file, "is no regular file", "put the public key there")
        return os.read(descriptor, _SIZE_MAX_BYTES)
    finally:
        os.close(descriptor)


def _check_owners_alone_write(place: Path, status: os.stat_result) -> None:
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise KeyProblem(
            place,
            f"can be changed by others than its owner (mode {stat.S_IMODE(status.st_mode):04o})",
            f"run `chmod go-w {place}` and look who the operators are",
        )


def _parse_public_key(file: Path, content: bytes) -> bytes:
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyProblem(
            file,
            "holds no Ed25519 public key in PEM",
            "put there what `broker operator keygen` printed",
        )
    return key.public_bytes_raw()
