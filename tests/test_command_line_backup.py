"""`broker backup` and `broker restore`: what is in the archive, and all for which they refuse."""

import hashlib
import io
import os
import shutil
import socket
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.backups.backup_archive import MANIFEST_NAME
from broker.adapters.backups.backup_target import STAGING
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from tests.builders_saml import NOW

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
DATABASES = ("receipts", "register", "registry")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def restore(config: Path, file: Path) -> Result:
    return run("restore", "--config", config, file)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker in use, its keys included, and `backup.tar` of it."""
    folder = tmp_path_factory.mktemp("origin")
    config = folder / "config"
    init_keys(config / "keys", now=NOW, issuer_name="Test")
    write_federation(config, ADDRESSES)
    (config / "broker.toml").write_text(
        'issuer = "http://localhost:8000"\n[server]\nport = 1\ntls_certificate = "c.pem"\n'
        'tls_key = "k.pem"\n[store]\nurl = "redis://localhost"\npassword_file = "redis.secret"\n'
    )
    (config / "keys/schools").mkdir(mode=0o700)
    (config / "keys/schools/kompas.secret").write_text("only-for-schools")
    assert run("apply", "--config", config, config / "federation").exit_code == 0
    DataFolder(config / "data", config / "keys", load_keys(config / "keys")).open()
    (config / "operators").mkdir()
    (config / "operators/anna.pem").write_text("a public key")
    (config / "data/used-actions").mkdir()
    (config / "data/used-actions/00.json").write_text("{}")
    made = run("backup", "--config", config, folder / "backup.tar")
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture
def archive(origin: Path, tmp_path: Path) -> Path:
    """A copy of the archive, to spoil."""
    return Path(shutil.copy(origin / "backup.tar", tmp_path / "backup.tar"))


@pytest.fixture
def config(origin: Path, tmp_path: Path) -> Path:
    """A copy of the broker, to change."""
    return Path(shutil.copytree(origin / "config", tmp_path / "config"))


def rows_of(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {each.name: opened.extractfile(each).read() for each in opened}  # type: ignore[union-attr]


def write_members(archive: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(archive, "w") as opened:
        for name, each in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(each)
            opened.addfile(member, io.BytesIO(each))


def files_in(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def test_all_but_keys_comes_back(origin: Path, archive: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    result = restore(new, archive)
    assert result.exit_code == 0, result.output
    old = origin / "config"
    there = {each for each in files_in(new) if "put-back" not in each}
    marks = ("keys/", "parties/")
    expected = {each for each in files_in(old) if not each.startswith(marks)}
    assert there == {each for each in expected if not each.endswith(("-wal", "-shm"))}
    for each in there:
        if each.endswith(".db"):
            assert rows_of(new / each) == rows_of(old / each)
        else:
            assert (new / each).read_bytes() == (old / each).read_bytes()
    assert {stat.S_IMODE(each.stat().st_mode) for each in new.rglob("*") if each.is_dir()} == {
        0o700
    }
    private = [new, *(new / each for each in there)]
    assert {stat.S_IMODE(each.stat().st_mode) for each in private} == {0o700, 0o600}
    shutil.copytree(old / "keys", new / "keys")
    data = DataFolder(new / "data", new / "keys", load_keys(new / "keys"))
    assert data.find_losses() == []


def test_what_is_next_is_told(archive: Path, tmp_path: Path) -> None:
    told = restore(tmp_path / "new", archive).stdout
    for each in (
        *("c.pem, k.pem, redis.secret", "keys restore", "keys init", "operator list", "apply"),
        *("receipts verify", "broker check", "flush the Redis", "are in force again"),
        "as are keys and addresses that",
    ):
        assert each in told


def test_no_key_is_in_it(origin: Path, archive: Path) -> None:
    content = b"".join(members(archive).values()) + archive.read_bytes()
    keys = [each for each in (origin / "config/keys").rglob("*") if each.is_file()]
    assert len(keys) > 8
    for each in keys:
        assert each.read_bytes().strip() not in content
    assert b"PRIVATE KEY" not in content


def test_the_archive_is_the_owners_alone_and_leaves_nothing_beside_it(origin: Path) -> None:
    assert stat.S_IMODE((origin / "backup.tar").stat().st_mode) == 0o600
    assert {each.name for each in origin.iterdir()} == {"config", "backup.tar"}


def test_the_order_keeps_what_belongs_together(archive: Path) -> None:
    names = list(members(archive))
    databases = [each for each in names if each.endswith(".db")]
    assert databases == [f"data/{each}.db" for each in DATABASES]
    assert names.index("data/used-actions/00.json") < names.index("data/receipts.db")


def test_check_says_what_it_is(archive: Path) -> None:
    result = run("backup", "--check", archive)
    assert result.exit_code == 0
    assert "is whole: " in result.output
    assert "of http://localhost:8000" in result.output
    again = run("backup", "--check", archive)
    assert "Fingerprint " in again.output
    assert again.output == result.output


def test_databases_of_a_broker_that_never_served_are_enough(config: Path, tmp_path: Path) -> None:
    for each in (config / "data").glob("re[cg]*"):
        if not each.name.startswith("registry"):
            each.unlink()
    fresh = tmp_path / "fresh"
    shutil.copytree(config, fresh)
    (fresh / "data/registry.db").unlink()
    for each in (fresh / "data").glob("registry.db-*"):
        each.unlink()
    assert run("apply", "--config", fresh, fresh / "federation").exit_code == 0
    assert run("backup", "--config", fresh, tmp_path / "fresh.tar").exit_code == 0
    assert [each for each in members(tmp_path / "fresh.tar") if each.endswith(".db")] == [
        "data/registry.db"
    ]
    assert restore(tmp_path / "new", tmp_path / "fresh.tar").exit_code == 0


def no_registry(config: Path) -> None:
    (config / "data/registry.db").unlink()


def another_register(config: Path) -> None:
    (config / "data/register.db").unlink()
    upgrade_database(config / "data/register.db", "register")


def damaged_receipts(config: Path) -> None:
    for each in (config / "data").glob("receipts.db-*"):
        each.unlink()
    (config / "data/receipts.db").write_bytes(b"no database" * 1000)


def link_to_keys(config: Path) -> None:
    (config / "federation/root.toml").symlink_to(config / "keys/root/root.hex")


def private_key(config: Path) -> None:
    key = next((config / "keys/saml-signing").iterdir())
    shutil.copy(key, config / "federation/metadata.xml")


def hexadecimal_key(config: Path) -> None:
    (config / "federation/x.toml").write_text("ab" * 32 + "\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_registry, "registry.db: -: is not there"),
        (another_register, "register.db: -: is not the database that was in use before"),
        (damaged_receipts, "receipts.db: -: cannot be copied whole"),
        (link_to_keys, "leads to the keys"),
        (private_key, "looks like a key"),
        (hexadecimal_key, "looks like a key"),
    ],
)
def test_what_cannot_be_backed_up_whole_is_told(
    config: Path, tmp_path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(config)
    out = tmp_path / "out"
    out.mkdir()
    result = run("backup", "--config", config, out / "backup.tar")
    assert result.exit_code == 1, result.output
    assert told in result.stderr
    assert list(out.iterdir()) == []


def test_nothing_is_written_over(config: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    result = run("backup", "--config", config, tmp_path / "mine")
    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert (tmp_path / "mine").read_text() == "mine"


def cut_off(archive: Path, _: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])


def cut_off_early(archive: Path, _: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:700])


def a_file_changed(archive: Path, _: Path) -> None:
    content = members(archive)
    changed = bytearray(content["data/register.db"])
    changed[100] ^= 1
    write_members(archive, content | {"data/register.db": bytes(changed)})


def a_file_missing(archive: Path, _: Path) -> None:
    content = members(archive)
    del content["data/registry.db"]
    write_members(archive, content)


def a_file_more(archive: Path, _: Path) -> None:
    write_members(archive, members(archive) | {"data/more.db": b"more"})


def something_behind(archive: Path, _: Path) -> None:
    archive.write_bytes(archive.read_bytes() + b"more")


def another_order(archive: Path, _: Path) -> None:
    first, *rest = members(archive).items()
    write_members(archive, dict([first, *reversed(rest)]))


def with_manifest(archive: Path, **changes: object) -> None:
    content = members(archive)
    manifest = msgspec.json.decode(content[MANIFEST_NAME]) | changes
    write_members(archive, content | {MANIFEST_NAME: msgspec.json.encode(manifest)})


def newer_format(archive: Path, _: Path) -> None:
    with_manifest(archive, format=2, more="x")


def strange_manifest(archive: Path, _: Path) -> None:
    with_manifest(archive, more="x")


def newer_tables(archive: Path, _: Path) -> None:
    with_manifest(archive, revisions={"register": "register_9999"})


def outside(archive: Path, name: str) -> None:
    content = members(archive)
    line = {"path": name, "size_bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    manifest = msgspec.json.decode(content[MANIFEST_NAME])
    manifest["files"].append(line)
    write_members(archive, content | {MANIFEST_NAME: msgspec.json.encode(manifest), name: b"x"})


def path_outside(archive: Path, _: Path) -> None:
    outside(archive, "config/federation/../../../outside")


def path_of_a_key(archive: Path, _: Path) -> None:
    outside(archive, "config/keys/root/root.hex")


def no_settings(archive: Path, _: Path) -> None:
    content = members(archive)
    manifest = msgspec.json.decode(content[MANIFEST_NAME])
    manifest["files"] = [each for each in manifest["files"] if "broker.toml" not in each["path"]]
    del content["config/broker.toml"]
    write_members(archive, content | {MANIFEST_NAME: msgspec.json.encode(manifest)})


def settings_of_another_version(archive: Path, _: Path) -> None:
    content = members(archive)
    settings = content["config/broker.toml"] + b"[new]\nsetting = 1\n"
    manifest = msgspec.json.decode(content[MANIFEST_NAME])
    for each in manifest["files"]:
        if each["path"] == "config/broker.toml":
            each["size_bytes"] = len(settings)
            each["sha256"] = hashlib.sha256(settings).hexdigest()
    changed = {MANIFEST_NAME: msgspec.json.encode(manifest), "config/broker.toml": settings}
    write_members(archive, content | changed)


def a_size_beyond_all(archive: Path, _: Path) -> None:
    """Of a header that a reader takes into memory whole, with its checksum."""
    header = tarfile.TarInfo("more")
    header.type, header.size = tarfile.XHDTYPE, 1 << 80
    content = archive.read_bytes()
    start = content.index(b"data/registry.db\0")
    archive.write_bytes(content[:start] + header.tobuf(tarfile.GNU_FORMAT) + content[start:])


def no_tar(archive: Path, _: Path) -> None:
    archive.write_bytes(b"no archive" * 1000)


def another_tar(archive: Path, _: Path) -> None:
    write_members(archive, {"data/registry.db": b"x"})


def no_file(archive: Path, _: Path) -> None:
    archive.unlink()


def not_empty(_: Path, new: Path) -> None:
    new.mkdir()
    (new / "notes.txt").write_text("mine")


def databases_there(_: Path, new: Path) -> None:
    (new / "data").mkdir(parents=True)
    (new / "data/register.db").write_text("mine")


def half_put_back(_: Path, new: Path) -> None:
    (new / "data" / STAGING).mkdir(parents=True)


EVERY_SPOILT_ARCHIVE = [
    (cut_off, "is cut off"),
    (cut_off_early, "is cut off"),
    (a_file_changed, "holds another data/register.db than its manifest says"),
    (a_file_missing, "is cut off before data/registry.db"),
    (a_file_more, "holds more than its manifest names"),
    (something_behind, "holds more than its manifest names"),
    (another_order, "holds something else where config/broker.toml should be"),
    (newer_format, "was made by a newer program"),
    (strange_manifest, "has a manifest that cannot be read"),
    (path_outside, "names files that are in no backup"),
    (path_of_a_key, "names files that are in no backup"),
    (a_size_beyond_all, "is cut off or damaged at data/registry.db"),
    (no_tar, "is no backup"),
    (another_tar, "is no backup"),
    (no_file, "No such file"),
]
"""What `backup --check` finds too."""


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        *EVERY_SPOILT_ARCHIVE,
        (newer_tables, "holds the register of a newer program (register_9999)"),
        (no_settings, "holds no config/broker.toml"),
        (settings_of_another_version, "backup.tar, config/broker.toml: new: "),
        (not_empty, "is not empty: notes.txt is there"),
        (databases_there, "is not empty: register.db is there"),
        (half_put_back, f"is not empty: {STAGING} is there"),
    ],
)
def test_a_restore_that_cannot_be_whole_writes_nothing(
    archive: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], told: str
) -> None:
    new = tmp_path / "new"
    spoil(archive, new)
    before = files_in(new) if new.exists() else None
    result = restore(new, archive)
    assert result.exit_code == 1, result.output
    assert told in result.stderr
    assert (files_in(new) if new.exists() else None) == before
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(("spoil", "told"), EVERY_SPOILT_ARCHIVE)
def test_check_finds_it_too(
    archive: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], told: str
) -> None:
    spoil(archive, tmp_path / "new")
    result = run("backup", "--check", archive)
    assert result.exit_code == 1, result.output
    assert told in result.stderr


def test_an_archive_cut_off_anywhere_is_noticed(archive: Path) -> None:
    """But for the padding at the end, which says nothing."""
    content = archive.read_bytes()
    end = len(content.rstrip(b"\0"))
    for length in range(0, end, max(1, end // 60)):
        archive.write_bytes(content[:length])
        result = run("backup", "--check", archive)
        assert result.exit_code == 1, length
    archive.write_bytes(content)
    assert run("backup", "--check", archive).exit_code == 0


def test_a_broker_that_listens_is_not_put_under(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("backup", "--config", config, tmp_path / "backup.tar").exit_code == 0
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("BROKER_SERVER__PORT", str(other.getsockname()[1]))
        result = restore(tmp_path / "new", tmp_path / "backup.tar")
        assert result.exit_code == 1
        assert "a broker runs there" in result.stderr
        assert not (tmp_path / "new").exists()
    assert restore(tmp_path / "new", tmp_path / "backup.tar").exit_code == 0


def test_folders_elsewhere_are_those_of_the_settings(config: Path, tmp_path: Path) -> None:
    shutil.move(config / "data", tmp_path / "databases")
    with (config / "broker.toml").open("a") as opened:
        opened.write('[folders]\ndata = "../databases"\nkeys = "secret/keys"\n')
    assert run("backup", "--config", config, tmp_path / "backup.tar").exit_code == 0
    shutil.rmtree(config)
    shutil.rmtree(tmp_path / "databases")
    (config / "secret/keys/root").mkdir(parents=True)  # keys may be there before
    (tmp_path / "databases/lost+found").mkdir(parents=True)
    result = restore(config, tmp_path / "backup.tar")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "databases/registry.db").exists()
    assert not (config / "data").exists()


def test_a_restore_that_fails_half_way_is_no_broker(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if target.name == "registry.db":
            raise OSError(28, "No space left on device", str(target))
        moved.append(target.name)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    result = restore(tmp_path / "new", archive)
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert {"receipts.db", "register.db"} <= set(moved)
    monkeypatch.undo()
    assert not (tmp_path / "new/broker.toml").exists()
    assert "is not empty" in restore(tmp_path / "new", archive).stderr


def test_a_full_disk_leaves_no_archive(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "backup.tar")

    monkeypatch.setattr(os, "fsync", full)
    result = run("backup", "--config", config, out / "backup.tar")
    assert result.exit_code == 1
    assert list(out.iterdir()) == []


def test_a_second_backup_of_what_was_put_back_is_whole(archive: Path, tmp_path: Path) -> None:
    assert restore(tmp_path / "new", archive).exit_code == 0
    again = tmp_path / "again.tar"
    result = run("backup", "--config", tmp_path / "new", again)
    assert result.exit_code == 0, result.output
    assert restore(tmp_path / "third", again).exit_code == 0
