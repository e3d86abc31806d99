"""Operators and used actions as files: what is trusted, what is refused, who is first."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from broker.adapters import operators_on_disk
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.operators_on_disk import (
    OPERATORS_FOLDER,
    USED_FOLDER,
    OperatorsOnDisk,
    UsedActionsOnDisk,
    make_operator_key,
    note_put_back,
    public_pem,
    read_operator_key,
    read_public_key,
    write_new,
)
from broker.flow.operators.operator_refusals import (
    ActionUsed,
    OperatorExists,
    OperatorRecordsUnavailable,
)
from broker.flow.operators.two_persons import Action, Confirmation, ConfirmationBody
from tests.flow.operators import ANNA, BEA, ISSUER, an_operator_list, registered_as


def a_confirmation(id_: str = "00" * 16) -> Confirmation:
    body = ConfirmationBody(
        issuer=ISSUER,
        id=id_,
        action=Action.ERASE_PERSON,
        prepared_by=ANNA.name,
        confirmed_by=BEA.name,
        confirmed_at=1,
    )
    return Confirmation(body=body, signature=bytes(64))


def mode_of(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


@pytest.fixture
def with_anna(tmp_path: Path) -> OperatorsOnDisk:
    operators = OperatorsOnDisk(tmp_path)
    operators.add(registered_as(ANNA))
    return operators


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_who_was_added_is_registered(tmp_path: Path) -> None:
    operators = OperatorsOnDisk(tmp_path)
    assert operators.registered() == {}
    operators.add(registered_as(ANNA))
    operators.add(registered_as(BEA))
    assert OperatorsOnDisk(tmp_path).registered() == an_operator_list(ANNA, BEA)
    assert mode_of(tmp_path / OPERATORS_FOLDER) == 0o700
    assert mode_of(tmp_path / OPERATORS_FOLDER / "anna.pem") == 0o600


def test_a_name_that_is_taken_stays(tmp_path: Path, with_anna: OperatorsOnDisk) -> None:
    with pytest.raises(OperatorExists):
        with_anna.add(registered_as(ANNA))
    assert with_anna.registered() == an_operator_list(ANNA)
    assert [each.name for each in (tmp_path / OPERATORS_FOLDER).iterdir()] == ["anna.pem"]


def broken_by(operators: OperatorsOnDisk) -> KeyProblem:
    with pytest.raises(OperatorRecordsUnavailable) as refusal:
        operators.registered()
    assert isinstance(refusal.value.__cause__, KeyProblem)
    return refusal.value.__cause__


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_key_that_others_may_change_is_not_trusted(
    tmp_path: Path, with_anna: OperatorsOnDisk, mode: int
) -> None:
    file = tmp_path / OPERATORS_FOLDER / "anna.pem"
    file.chmod(0o644)
    assert with_anna.registered()
    file.chmod(mode)
    assert "can be changed by others" in str(broken_by(with_anna))


def test_a_folder_that_others_may_change_is_not_trusted(
    tmp_path: Path, with_anna: OperatorsOnDisk
) -> None:
    (tmp_path / OPERATORS_FOLDER).chmod(0o755)
    assert with_anna.registered()
    (tmp_path / OPERATORS_FOLDER).chmod(0o777)
    assert broken_by(with_anna).file == tmp_path / OPERATORS_FOLDER


@pytest.mark.parametrize("name", ["bea.txt", "Bea.pem", "bea smith.pem"])
def test_a_stranger_in_the_folder_stops_everything(
    tmp_path: Path, with_anna: OperatorsOnDisk, name: str
) -> None:
    (tmp_path / OPERATORS_FOLDER / name).write_bytes(public_pem(BEA.key.public_key()))
    assert "is no operator's key" in str(broken_by(with_anna))


EC_KEY = generate_private_key(SECP256R1())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        public_pem(BEA.key.public_key())[:40],
        EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        BEA.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_a_file_without_an_ed25519_public_key_stops_everything(
    tmp_path: Path, with_anna: OperatorsOnDisk, content: bytes
) -> None:
    file = tmp_path / OPERATORS_FOLDER / "bea.pem"
    write_new(file, content)
    assert "no Ed25519 public key" in str(broken_by(with_anna))
    file.write_bytes(public_pem(BEA.key.public_key()))
    assert with_anna.registered() == an_operator_list(ANNA, BEA)


def test_what_is_no_file_stops_everything(tmp_path: Path, with_anna: OperatorsOnDisk) -> None:
    folder = tmp_path / OPERATORS_FOLDER
    os.mkfifo(folder / "bea.pem", 0o600)
    assert "is no regular file" in str(broken_by(with_anna))
    (folder / "bea.pem").unlink()
    (folder / "bea.pem").symlink_to(folder / "gone.pem")
    assert "cannot be read" in str(broken_by(with_anna))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / OPERATORS_FOLDER).write_text("a file in its place")
    (tmp_path / USED_FOLDER).write_text("a file in its place")
    with pytest.raises(OperatorRecordsUnavailable, match="check_operator_written"):
        OperatorsOnDisk(tmp_path).add(registered_as(ANNA))
    with pytest.raises(OperatorRecordsUnavailable, match="check_use_written"):
        UsedActionsOnDisk(tmp_path).claim(a_confirmation(), prepared_at=1)


@pytest.mark.usefixtures("open_umask")
def test_an_action_is_used_once_and_leaves_its_trace(tmp_path: Path) -> None:
    UsedActionsOnDisk(tmp_path).claim(a_confirmation(), prepared_at=1)
    with pytest.raises(ActionUsed):
        UsedActionsOnDisk(tmp_path).claim(a_confirmation(), prepared_at=1)
    UsedActionsOnDisk(tmp_path).claim(a_confirmation("11" * 16), prepared_at=1)
    file = tmp_path / USED_FOLDER / f"{'00' * 16}.json"
    assert msgspec.json.decode(file.read_bytes(), type=Confirmation) == a_confirmation()
    assert (mode_of(file), mode_of(file.parent)) == (0o600, 0o700)


def test_a_marker_that_a_crash_left_empty_still_says_used(tmp_path: Path) -> None:
    (tmp_path / USED_FOLDER).mkdir()
    (tmp_path / USED_FOLDER / f"{'00' * 16}.json").touch()
    with pytest.raises(ActionUsed):
        UsedActionsOnDisk(tmp_path).claim(a_confirmation(), prepared_at=1)


def test_an_unsure_write_uses_the_action_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    used = UsedActionsOnDisk(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(operators_on_disk.os, "fsync", full)
        with pytest.raises(OperatorRecordsUnavailable):
            used.claim(a_confirmation(), prepared_at=1)
    with pytest.raises(ActionUsed):
        used.claim(a_confirmation(), prepared_at=1)


def test_of_many_at_once_one_is_first(tmp_path: Path) -> None:
    def claim(_: int) -> bool:
        try:
            UsedActionsOnDisk(tmp_path).claim(a_confirmation(), prepared_at=1)
        except ActionUsed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(32))) == 1


def test_a_private_key_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "anna.key"
    make_operator_key(file, ANNA.key)
    assert mode_of(file) == 0o600
    assert read_operator_key(file).private_bytes_raw() == ANNA.key.private_bytes_raw()
    with pytest.raises(FileExistsError):
        make_operator_key(file, BEA.key)


@pytest.mark.parametrize(
    "content",
    [
        b"no key",
        public_pem(ANNA.key.public_key()),
        EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ANNA.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        ),
    ],
)
def test_another_file_is_no_private_key(tmp_path: Path, content: bytes) -> None:
    write_new(tmp_path / "anna.key", content)
    with pytest.raises(KeyProblem, match="no unencrypted Ed25519 private key"):
        read_operator_key(tmp_path / "anna.key")


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_operator_key(tmp_path / "anna.key", ANNA.key)
    (tmp_path / "anna.key").chmod(0o640)
    with pytest.raises(KeyProblem, match="is open to others"):
        read_operator_key(tmp_path / "anna.key")


def test_a_public_key_is_read_from_what_keygen_prints(tmp_path: Path) -> None:
    file = tmp_path / "anna.pem"
    file.write_bytes(public_pem(ANNA.key.public_key()))
    file.chmod(0o644)
    assert read_public_key(file) == registered_as(ANNA).public_key
    with pytest.raises(KeyProblem, match="cannot be read"):
        read_public_key(tmp_path / "gone.pem")


def test_what_was_prepared_before_a_backup_was_put_back_is_void(tmp_path: Path) -> None:
    for at in (50, 100, 100):
        note_put_back(tmp_path, at=at)
    used = UsedActionsOnDisk(tmp_path)
    with pytest.raises(ActionUsed, match="check_prepared_since_put_back"):
        used.claim(a_confirmation(), prepared_at=100)
    used.claim(a_confirmation(), prepared_at=101)
