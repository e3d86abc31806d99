"""`docker/compose.yaml`, as `docker-compose config` reads it."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.adapters.serving.http_server import FINISH_WITHIN_SECONDS
from broker.setting_tables import Server
from broker.settings import load_settings
from tests.docker.dockerfile import ROOT, the_dockerfile

DOCKER = ROOT / "docker"
FILES = ("compose.yaml",)


@cache
def composed(*files: str) -> dict[str, Any]:
    """Return what docker-compose understood."""
    program = shutil.which("docker-compose")
    assert program is not None, "install the Debian package docker-compose"
    said = subprocess.run(
        [program, *(word for each in files for word in ("-f", str(DOCKER / each))), "config"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COMPOSE_PROFILES": "tools"},
    )
    assert said.returncode == 0, said.stderr
    read: dict[str, Any] = yaml.safe_load(said.stdout)
    return read


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = composed(*FILES)["services"]
    return found


BROKERS = ("broker-1", "broker-2")
NAMES = (*BROKERS, "proxy", "store", "tools")


def test_these_services_are_there() -> None:
    assert tuple(sorted(services())) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_confined(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert service["ulimits"]["core"] == 0
    assert "privileged" not in service
    assert "user" not in service  # the image's own
    assert all("docker.sock" not in each for each in service.get("volumes", []))
    assert [each for each in service["tmpfs"] if not {"nosuid", "nodev"} <= options(each)] == []


def options(tmpfs: str) -> set[str]:
    return set(tmpfs.partition(":")[2].split(","))


@pytest.mark.parametrize("name", NAMES)
def test_each_image_is_a_target_that_asks_after_its_health(name: str) -> None:
    build = services()[name]["build"]
    stage = the_dockerfile()[build["target"]]
    assert stage.last("HEALTHCHECK") is not None
    assert (Path(build["context"]) / build["dockerfile"]).is_file()


def test_the_version_is_the_projects() -> None:
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert {each["image"].partition(":")[2] for each in services().values()} == {version}


def test_only_nginx_is_seen_from_outside() -> None:
    published = {name for name, each in services().items() if each.get("ports")}
    assert published == {"proxy"}


def test_redis_is_not_seen_by_nginx() -> None:
    networks = {name: set(each["networks"]) for name, each in services().items()}
    assert networks["store"] == {"store"}
    assert "store" not in networks["proxy"]
    assert composed(*FILES)["networks"]["store"]["internal"] is True
    for each in BROKERS:
        assert networks[each] == {"inside", "store"}


def test_nginx_knows_the_brokers_where_they_are() -> None:
    addresses = {
        services()[each]["networks"]["inside"]["ipv4_address"] + ":8000" for each in BROKERS
    }
    site = (DOCKER / "nginx" / "site" / "brokers.conf").read_text()
    assert set(re.findall(r"^server (\S+)", site, re.M)) == addresses


def test_both_brokers_work_on_one_volume() -> None:
    for each in BROKERS:
        assert "data:/srv/schuilnaam/data:rw" in services()[each]["volumes"]
        given = [one for one in services()[each]["volumes"] if not one.startswith("data:")]
        assert [one for one in given if not one.endswith(":ro")] == []


def test_secrets_are_files_of_one_reader_each() -> None:
    readers: dict[str, set[str]] = {}
    for service in services().values():
        for secret in service.get("secrets", []):
            readers.setdefault(secret["source"], set()).add(service["build"]["target"])
    assert readers == {
        "redis-password": {"broker"},
        "redis-users": {"store"},
        "tls.pem": {"proxy"},
        "tls.key": {"proxy"},
    }
    for service in services().values():
        for name, value in settings_of(service).items():
            assert "PASSWORD" not in name or name.endswith("_FILE"), value


def settings_of(service: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def test_the_settings_of_brokers_are_settings() -> None:
    for name in (*BROKERS, "tools"):
        loaded = load_settings(ROOT / "config", environment=settings_of(services()[name]))
        assert loaded.settings.server.workers == 2
        assert loaded.settings.store.url.startswith("redis://broker@store")


def test_a_broker_may_end_what_it_began() -> None:
    seconds = {int(services()[each]["stop_grace_period"].rstrip("s")) for each in BROKERS}
    assert min(seconds) > Server().drain_seconds + FINISH_WITHIN_SECONDS


def test_nginx_gives_a_resting_connection_up_before_a_broker_does() -> None:
    stated = (DOCKER / "nginx" / "brokers.conf").read_text()
    (seconds,) = re.findall(r"^\s*keepalive_timeout (\d+)s;", stated, re.M)
    assert int(seconds) < Server().drain_seconds / 2
    assert int(seconds) < Server().keep_alive_seconds
