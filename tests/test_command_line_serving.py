"""`broker serve` and what keeps it from starting: file, key path, remedy, and exit code 1."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.commands.listening import find_tls_problems, open_listener
from broker.commands.metrics_port import metrics_at_their_port
from broker.flow.federation.documents import FederationProblems
from broker.settings import LoadedSettings, load_settings
from tests.journeys.certificates import make_certificate


def configured(folder: Path, server: str = "", *, port: int = 0) -> Path:
    (folder / "broker.toml").write_text(
        f'issuer = "http://localhost:8000"\n[server]\nport = {port}\n{server}\n'
    )
    return folder


def loaded(folder: Path, server: str = "") -> LoadedSettings:
    return load_settings(configured(folder, server), environment={})


def run(command: str, folder: Path, **environment: str) -> Result:
    return CliRunner().invoke(main, [command, "--config", str(folder)], env=environment)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("serve", configured(tmp_path, port=other.getsockname()[1]))
    assert result.exit_code == 1
    assert "server.port" in result.output
    with open_listener(loaded(tmp_path)) as listener:
        assert listener.getsockname()[1] > 0


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    result = run("serve", configured(tmp_path, 'host = "192.0.2.1"'))
    assert result.exit_code == 1
    assert "server.port" in result.output


def test_a_metrics_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(FederationProblems) as found,
        metrics_at_their_port(
            loaded(tmp_path, f"metrics_port = {other.getsockname()[1]}"), lambda: b""
        ),
    ):
        pass
    (problem,) = found.value.problems
    assert problem.path == "server.metrics_port"
    with metrics_at_their_port(loaded(tmp_path, "metrics_port = 0"), lambda: b""):
        pass


def test_without_a_metrics_port_nothing_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.adapters.watching.metrics_server.serving_metrics", None)
    with metrics_at_their_port(loaded(tmp_path), lambda: b""):
        pass


@pytest.mark.parametrize("stated", ["tls_certificate", "tls_key"])
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_certificate_and_its_key_belong_together(
    tmp_path: Path, command: str, stated: str
) -> None:
    result = run(command, configured(tmp_path, f'{stated} = "one.pem"'))
    assert result.exit_code == 1
    (missing,) = {"tls_certificate", "tls_key"} - {stated}
    assert f"server.{missing}" in result.output


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, command: str) -> None:
    result = run(command, configured(tmp_path, 'tls_certificate = "no.pem"\ntls_key = "no.key"'))
    assert result.exit_code == 1
    assert "server.tls_certificate" in result.output


def test_a_certificate_of_another_key_is_named(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "other"
    for each in folders:
        each.mkdir()
    one, other = (make_certificate(each, hosts=["broker.example"]).files for each in folders)
    fits = f'tls_certificate = "{one.certificate_file}"\ntls_key = "{one.key_file}"'
    assert list(find_tls_problems(loaded(tmp_path, fits))) == []
    differs = f'tls_certificate = "{one.certificate_file}"\ntls_key = "{other.key_file}"'
    (problem,) = find_tls_problems(loaded(tmp_path, differs))
    assert problem.path == "server.tls_certificate"


def test_a_variable_that_is_wrong_is_named_itself(tmp_path: Path) -> None:
    result = run("check", configured(tmp_path), BROKER_SERVER__PORT="many")
    assert result.exit_code == 1
    assert "BROKER_SERVER__PORT: server.port" in result.output


def test_a_folder_without_documents_is_named(tmp_path: Path) -> None:
    folder = configured(tmp_path)
    (folder / "empty").mkdir()
    assert CliRunner().invoke(main, ["keys", "init", "--config", str(folder)]).exit_code == 0
    result = CliRunner().invoke(
        main, ["apply", "--config", str(folder), "--prune", str(folder / "empty")]
    )
    assert result.exit_code == 1
    assert "holds no document" in " ".join(result.output.split())
