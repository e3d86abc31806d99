"""The manifests of `docker/kubernetes`, as kustomize builds them."""

import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.serving.http_server import FINISH_WITHIN_SECONDS
from broker.setting_tables import Server
from broker.settings import load_settings
from tests.docker.dockerfile import ROOT
from tests.docker.nginx import FILES

MANIFESTS = ROOT / "docker" / "kubernetes"
FOLDERS = ("base", "overlays/example")
VERSIONS = ("1.30", "1.33")
WORKLOADS = ("broker", "proxy", "store")
Manifest = dict[str, Any]


@cache
def built(folder: str) -> tuple[Manifest, ...]:
    """Return every manifest of a folder."""
    own = Path(sys.prefix) / "bin" / "kustomize"
    program = [str(own), "build"] if own.exists() else [str(shutil.which("kubectl")), "kustomize"]
    said = subprocess.run(
        [*program, str(MANIFESTS / folder)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "deprecated" not in said.stderr
    return tuple(yaml.safe_load_all(said.stdout))


def all_of(kind: str, folder: str = "base") -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each for each in built(folder) if each["kind"] == kind}


def workload(name: str, folder: str = "base") -> Manifest:
    found = {**all_of("Deployment", folder), **all_of("StatefulSet", folder)}[name]
    return dict(found["spec"])


def pod(name: str, folder: str = "base") -> Manifest:
    return dict(workload(name, folder)["template"]["spec"])


def containers(name: str) -> list[Manifest]:
    return [*pod(name).get("initContainers", []), *pod(name)["containers"]]


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_of_its_schema(folder: str, version: str) -> None:
    assert len(built(folder)) > 12
    for each in built(folder):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_is_confined(name: str) -> None:
    spec = pod(name)
    security = spec["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] >= 10001
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    for each in containers(name):
        own = each["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert each["resources"]["limits"]["memory"]
        assert each["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_container_is_asked_how_it_is(name: str) -> None:
    (main,) = pod(name)["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert probe in main


def test_the_broker_is_ready_when_somebody_can_log_in() -> None:
    (main,) = pod("broker")["containers"]
    assert main["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert main["livenessProbe"]["httpGet"]["path"] == "/health/live"
    (wait,) = main["lifecycle"]["preStop"]["exec"]["command"][1:]
    needed = int(wait) + Server().drain_seconds + FINISH_WITHIN_SECONDS
    assert pod("broker")["terminationGracePeriodSeconds"] > needed


def test_there_is_one_broker_while_its_databases_are_files() -> None:
    assert workload("broker")["replicas"] == 1
    assert workload("store")["replicas"] == 1
    assert workload("store")["strategy"] == {"type": "Recreate"}


def test_every_workload_may_be_moved() -> None:
    budgets = all_of("PodDisruptionBudget")
    assert set(budgets) == set(WORKLOADS)
    assert all(
        workload(name)["replicas"] > budget["spec"].get("minAvailable", 0)
        for name, budget in budgets.items()
    )


def test_nobody_talks_to_anybody_unless_said_so() -> None:
    policies = all_of("NetworkPolicy")
    everybody = policies["nobody"]["spec"]
    assert everybody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (to_store,) = policies["store"]["spec"]["ingress"]
    (peer,) = to_store["from"]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/component": "broker"}
    assert "egress" not in policies["store"]["spec"]


def test_what_is_mounted_is_declared() -> None:
    maps = set(all_of("ConfigMap"))
    for name in WORKLOADS:
        volumes = {each["name"]: each for each in pod(name)["volumes"]}
        volumes |= {
            each["metadata"]["name"]: each
            for each in workload(name).get("volumeClaimTemplates", [])
        }
        for container in containers(name):
            mounted = {each["name"] for each in container["volumeMounts"]}
            assert mounted <= set(volumes)
        for each in volumes.values():
            if "configMap" in each:
                assert each["configMap"]["name"] in maps
            if "secret" in each:
                assert each["secret"]["defaultMode"] == 0o400


def test_no_secret_is_among_the_manifests() -> None:
    assert all_of("Secret") == all_of("Secret", "overlays/example") == {}


def test_the_settings_of_the_broker_are_settings(tmp_path: Path) -> None:
    for folder in FOLDERS:
        (config,) = [
            each["data"]
            for name, each in all_of("ConfigMap", folder).items()
            if name.startswith("broker-config")
        ]
        (tmp_path / "broker.toml").write_text(config["broker.toml"])
        (main,) = pod("broker", folder)["containers"]
        environment = {each["name"]: each["value"] for each in main["env"]}
        assert load_settings(tmp_path, environment=environment).settings.server.workers > 1


def test_nginx_gets_all_that_differs_from_place_to_place() -> None:
    for folder in FOLDERS:
        (site,) = [
            each["data"]
            for name, each in all_of("ConfigMap", folder).items()
            if name.startswith("proxy-site")
        ]
        assert set(site) == {each.name for each in (FILES / "site").iterdir()}


def test_the_overlay_changes_names_images_and_sizes() -> None:
    (main,) = pod("broker", "overlays/example")["containers"]
    assert main["image"].startswith("registry.example/")
    workers = {each["name"]: each["value"] for each in main["env"]}["BROKER_SERVER__WORKERS"]
    assert workers == "4"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Keys as Kubernetes mounts Secrets: links into a hidden folder, open to our group."""
    made = tmp_path / "made"
    init_keys(made, now=datetime.now(UTC), issuer_name="Schuilnaam")
    given = tmp_path / "given"
    for purpose in made.iterdir():
        hidden = given / "keys" / purpose.name / "..2026_09_01"
        hidden.mkdir(parents=True)
        (hidden.parent / "..data").symlink_to(hidden.name)
        for key in purpose.iterdir():
            shutil.copy(key, hidden / key.name)
            (hidden / key.name).chmod(0o440)
            (hidden.parent / key.name).symlink_to(f"..data/{key.name}")
    (given / "store").mkdir()
    (given / "store" / "redis-password").write_text("secret")
    return given


def run_key_step(given: Path, held: Path) -> None:
    """Run what the first container does, at other places."""
    (step,) = pod("broker")["initContainers"]
    (script,) = step["args"]
    script = script.replace("/srv/schuilnaam/held", str(held)).replace("/given", str(given))
    subprocess.run([*step["command"], script], check=True)


def test_keys_of_secrets_become_the_brokers_own(given: Path, tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.mkdir()
    for _ in range(2):  # a container that is started anew finds what it made before
        run_key_step(given, held)
    assert load_keys(held / "keys").identities == load_keys(tmp_path / "made").identities
    files = [each for each in held.rglob("*") if each.is_file()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o400}
    assert not any(each.name.startswith("..") for each in held.rglob("*"))
    assert (held / "redis-password").read_text() == "secret"


def test_the_step_hands_over_every_purpose() -> None:
    (step,) = pod("broker")["initContainers"]
    mounted = {
        each["mountPath"].removeprefix("/given/keys/")
        for each in step["volumeMounts"]
        if each["mountPath"].startswith("/given/keys/")
    }
    in_table = {
        line.split("/")[0].strip("| `")
        for line in (ROOT / "keys" / "README.md").read_text().splitlines()
        if line.startswith("| `") and "/" in line.split("|")[1]
    }
    assert mounted == in_table, os.linesep.join(sorted(mounted ^ in_table))


def test_links_that_stay_inside_are_followed(given: Path, tmp_path: Path) -> None:
    """A Secret whose files are ours alone needs no copy: the broker reads through its links."""
    for each in (given / "keys").rglob("*"):
        if each.is_file():
            each.chmod(0o400)
    assert load_keys(given / "keys").identities == load_keys(tmp_path / "made").identities
