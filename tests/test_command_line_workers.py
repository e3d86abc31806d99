"""`broker serve` with workers: what keeps it from starting, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker.__main__ import main
from broker.adapters.keys.keys_init import init_keys
from tests.builders_saml import NOW
from tests.redis_server import a_free_port

GIVE_UP_SECONDS = 120  # only a fault takes so long
MEMORY = ""
REDIS_AWAY = '[store]\nurl = "redis://127.0.0.1:{port}"\n'


def configured(folder: Path, more: str = "", *, port: int = 0) -> Path:
    (folder / "broker.toml").write_text(
        f'issuer = "http://localhost:8000"\n{more}\n[server]\nport = {port}\n'
    )
    return folder


def serve(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "broker", "serve", "--config", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_several_workers_on_the_command_line_need_a_redis(tmp_path: Path) -> None:
    folder = configured(tmp_path)
    result = CliRunner().invoke(main, ["serve", "--workers", "2", "--config", str(folder)])
    assert result.exit_code == 1
    assert "--workers: server.workers" in result.output
    assert "store.url" in result.output


@pytest.mark.parametrize("command", ["serve", "check"])
def test_several_workers_in_the_settings_need_a_redis(tmp_path: Path, command: str) -> None:
    folder = configured(tmp_path)
    with (folder / "broker.toml").open("a") as file:
        file.write("workers = 2\n")
    result = CliRunner().invoke(main, [command, "--config", str(folder)])
    assert result.exit_code == 1
    assert "broker.toml: server.workers" in " ".join(result.output.split())


@pytest.mark.servers
def test_what_keeps_workers_from_starting_is_told_once(tmp_path: Path) -> None:
    folder = configured(tmp_path, REDIS_AWAY.format(port=a_free_port()))
    with serve(folder, "--workers", "2") as process:
        said, _ = process.communicate(timeout=GIVE_UP_SECONDS)
    assert process.returncode == 1
    assert said.count("root.hex") == 1, said
    assert "keys init" in said
    assert "Traceback" not in said


@pytest.mark.servers
def test_workers_start_without_their_redis_and_stop_when_told(tmp_path: Path) -> None:
    folder = configured(tmp_path, REDIS_AWAY.format(port=a_free_port()), port=a_free_port())
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    with serve(folder, "--workers", "2") as process:
        assert process.stdout is not None
        lines = map(json.loads, process.stdout)
        away = next(each for each in lines if each["event"] == "store-unusable")
        assert away["level"] == "error"
        process.send_signal(signal.SIGTERM)
        ended = [each["status"] for each in lines if each["event"] == "worker-ended"]
    assert process.returncode == 0
    assert ended == [0, 0]


@pytest.mark.servers
def test_one_process_says_that_it_must_be_restarted(tmp_path: Path) -> None:
    port = a_free_port()
    folder = configured(tmp_path, MEMORY, port=port)
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    with serve(folder) as process:
        assert process.stdout is not None
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                continue
            break
        process.send_signal(signal.SIGHUP)
        lines = map(json.loads, process.stdout)
        refused = next(each for each in lines if each["event"] == "reload-refused")
        assert "restart" in refused["reason"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=GIVE_UP_SECONDS)
    assert process.returncode == 0
