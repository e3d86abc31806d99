"""The settings choose the login store; what is wrong with it is told with its remedy."""

import asyncio
import secrets
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.__main__ import main
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.login_store.memory import MemoryLoginStore
from broker.adapters.login_store.redis_mark import KeyMark
from broker.adapters.login_store.redis_store import RedisLoginStore
from broker.keys_in_force import read_keys_in_force
from broker.settings import LoadedSettings, SettingsProblem, load_settings
from broker.store_choice import (
    change_mark,
    find_store_problem,
    mark_keys,
    open_login_store,
    read_redis_address,
)
from tests.redis_server import a_free_port, running_redis


def settings_of(folder: Path, *store: str, **environment: str) -> LoadedSettings:
    folder.mkdir(exist_ok=True)
    text = "\n".join(
        ['issuer = "http://localhost:8000"', "[server]", "port = 0", "[store]", *store]
    )
    (folder / "broker.toml").write_text(text)
    return load_settings(folder, environment=environment)


def write_password(folder: Path, content: bytes, *, mode: int = 0o600) -> None:
    (folder / "redis.secret").write_bytes(content)
    (folder / "redis.secret").chmod(mode)


@pytest.fixture(scope="module")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of keys; made once, since RSA keys are slow to find."""
    folder = tmp_path_factory.mktemp("made") / "keys"
    init_keys(folder, now=datetime(2026, 3, 1, tzinfo=UTC), issuer_name="Test")
    return folder


@pytest.fixture(scope="module")
def mark(keys_folder: Path) -> KeyMark:
    return mark_of("http://localhost:8000", keys_folder)


def mark_of(issuer: str, keys_folder: Path) -> KeyMark:
    keys = load_keys(keys_folder)
    return mark_keys(issuer, keys, read_keys_in_force(keys, now=datetime.now(UTC)))


def test_a_store_is_in_memory_unless_a_redis_is_named(tmp_path: Path, mark: KeyMark) -> None:
    in_memory = settings_of(tmp_path)
    assert isinstance(open_login_store(in_memory, mark=mark, random=bytes), MemoryLoginStore)
    assert find_store_problem(in_memory) is None
    named = settings_of(tmp_path, 'url = "redis://localhost"')
    store = open_login_store(named, mark=mark, random=bytes)
    assert isinstance(store, RedisLoginStore)
    assert store.mark == mark


def test_the_address_has_what_the_settings_state(tmp_path: Path) -> None:
    write_password(tmp_path, b"secret-1\n")
    address = read_redis_address(
        settings_of(
            tmp_path,
            'url = "rediss://us@redis.example:7000/3"',
            'password_file = "redis.secret"',
            'ca_file = "ca.pem"',
            "connect_milliseconds = 250",
            "operation_milliseconds = 100",
        )
    )
    assert address is not None
    assert (address.host, address.port, address.database) == ("redis.example", 7000, 3)
    assert (address.username, address.password, address.tls) == ("us", "secret-1", True)
    assert address.ca_file == str(tmp_path / "ca.pem")
    assert (address.connect_seconds, address.operation_seconds) == (0.25, 0.1)


@pytest.mark.parametrize(
    ("content", "mode"), [(None, 0o600), (b"secret-1", 0o644), (b"\xff", 0o600)]
)
def test_a_password_file_is_text_and_ours_alone(
    tmp_path: Path, mark: KeyMark, content: bytes | None, mode: int
) -> None:
    if content is not None:
        write_password(tmp_path, content, mode=mode)
    loaded = settings_of(tmp_path, 'url = "redis://localhost"', 'password_file = "redis.secret"')
    with pytest.raises(SettingsProblem) as refused:
        open_login_store(loaded, mark=mark, random=bytes)
    assert refused.value.path == "store.password_file"
    assert "secret-1" not in str(refused.value)


def test_check_tells_what_is_wrong_with_a_redis(tmp_path: Path) -> None:
    def check() -> str:
        return CliRunner().invoke(main, ["check", "--config", str(tmp_path)]).output

    settings_of(tmp_path, f'url = "redis://127.0.0.1:{a_free_port()}"')
    assert "cannot be reached" in check()
    with running_redis(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        settings_of(tmp_path, f'url = "redis://127.0.0.1:{server.port}"')
        assert "allkeys-lru" in check()
    with running_redis(tmp_path) as server:
        settings_of(tmp_path, f'url = "redis://127.0.0.1:{server.port}"')
        assert "Redis" not in check()


def test_serve_does_not_start_with_a_redis_that_forgets(tmp_path: Path) -> None:
    with running_redis(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        settings_of(tmp_path, f'url = "redis://127.0.0.1:{server.port}"')
        ended = CliRunner().invoke(main, ["serve", "--config", str(tmp_path)])
    assert ended.exit_code == 1
    assert "noeviction" in ended.output


def test_brokers_with_other_keys_are_told(tmp_path: Path, keys_folder: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    with running_redis(tmp_path) as server:
        for folder in (ours, other):
            shutil.copytree(keys_folder, folder / "keys", copy_function=shutil.copy2)
            settings_of(folder, f'url = "redis://127.0.0.1:{server.port}"')
        (other / "keys/root/root.hex").write_text("ab" * 32)
        loaded = load_settings(ours, environment={})
        assert find_store_problem(loaded) is None

        async def serve() -> None:
            store = open_login_store(
                loaded,
                mark=mark_of(loaded.settings.issuer, loaded.keys_folder),
                random=secrets.token_bytes,
            )
            assert isinstance(store, RedisLoginStore)
            await store.check()
            await store.close()

        asyncio.run(serve())
        assert find_store_problem(loaded) is None
        checked = CliRunner().invoke(main, ["check", "--config", str(other)])
        assert checked.exit_code == 1
        assert "whose keys are not ours" in checked.output
        started = CliRunner().invoke(main, ["serve", "--config", str(other)])
        assert started.exit_code == 1
        assert "same keys folder" in started.output


def test_a_changed_mark_knows_the_keys_of_before(tmp_path: Path, mark: KeyMark) -> None:
    """A broker that follows a second later still marks them."""
    named = settings_of(tmp_path, 'url = "redis://localhost"')
    store = open_login_store(named, mark=mark, random=bytes)
    assert isinstance(store, RedisLoginStore)
    for letter in (b"b", b"c"):
        change_mark(store, replace(mark, sealing=letter, opening=(letter,)))
    assert store.mark == replace(mark, sealing=b"c", opening=(b"c", b"b", *mark.opening))
    in_memory = open_login_store(settings_of(tmp_path), mark=mark, random=bytes)
    change_mark(in_memory, mark)  # nothing to tell
