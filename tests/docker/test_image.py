"""The image's own steps, carried out in a folder, and what comes of them as in a container.

As in a container: process 1 of a namespace, a user without rights, a tree that is read-only but for
the data and a temporary folder. Not as in one: the kernel's limits and an engine's network.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.dockerfile import ROOT, the_dockerfile
from tests.docker.replay import Image, replay
from tests.redis_server import a_free_port

USER = 10001
PACKAGES = "opt/schuilnaam/lib/python3.11/site-packages"
BUILD_TOOLS = {"pip", "setuptools", "wheel", "hatchling", "babel", "pip-tools"}


def can_replay() -> bool:
    """Tell whether this machine lets us make namespaces and mount."""
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not can_replay(), reason="needs root, and mounts of its own")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    folder = tmp_path_factory.mktemp("image")
    yield replay(the_dockerfile(), "broker", folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def places(image: Image, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders that a container is given: settings, keys and data; the last two the user's own."""
    folder = tmp_path_factory.mktemp("given")
    given = {f"/srv/schuilnaam/{name}": folder / name for name in ("config", "keys", "data")}
    shutil.copytree(ROOT / "config", given["/srv/schuilnaam/config"])
    for name in ("/srv/schuilnaam/keys", "/srv/schuilnaam/data"):
        given[name].mkdir(mode=0o700)
        os.chown(given[name], USER, USER)
    said, status = run(image, given, "broker", "keys", "init")
    assert status == 0, said
    return given


def run(image: Image, places: dict[str, Path], *command: str) -> tuple[str, int]:
    """Run a command to its end as a container would; return what it said, and its status."""
    process = image.run(command, user=USER, writable=["/tmp"], mounts=places)
    said, _ = process.communicate()
    return said, process.returncode


def names(distributions: list[str]) -> set[str]:
    return {re.sub(r"[-_.]+", "-", each).lower() for each in distributions}


def test_it_holds_what_the_lock_names_and_nothing_else(image: Image) -> None:
    installed = names(
        [each.name.split("-")[0] for each in (image.folder / PACKAGES).glob("*.dist-info")]
    )
    lock = (ROOT / "docker" / "locks" / "runtime.lock").read_text()
    assert installed == names(re.findall(r"^([\w.-]+)==", lock, re.M)) | {"schuilnaam"}
    assert installed.isdisjoint(BUILD_TOOLS)


def test_it_holds_no_tools_tests_or_sources(image: Image) -> None:
    programs = {each.name for each in (image.folder / "opt/schuilnaam/bin").iterdir()}
    assert "broker" in programs
    assert {each for each in programs if re.match(r"pip|pytest|mypy|ruff|pybabel", each)} == set()
    assert not (image.folder / "build").exists() or not any((image.folder / "build").iterdir())
    packages = image.folder / PACKAGES
    for absent in ("tests", "pip", "setuptools", "babel", "saml2"):
        assert not (packages / absent).exists(), absent
    assert not (image.folder / "root" / ".cache").exists()


def test_it_holds_the_texts_and_the_compiled_modules(image: Image) -> None:
    package = image.folder / PACKAGES / "broker"
    assert (package / "web/locales/nl/LC_MESSAGES/messages.mo").stat().st_size > 0
    assert list((package / "__pycache__").glob("app.*.pyc"))


def test_its_program_belongs_to_root(image: Image) -> None:
    for place in ("opt/schuilnaam", PACKAGES, f"{PACKAGES}/broker/app.py", "srv/schuilnaam"):
        status = (image.folder / place).stat()
        assert (status.st_uid, status.st_mode & 0o022) == (0, 0), place
    for place in ("keys", "data"):
        status = (image.folder / "srv/schuilnaam" / place).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (USER, 0o700), place


def test_nothing_can_be_written_but_data(image: Image, places: dict[str, Path]) -> None:
    said, _ = run(
        image, places, "sh", "-c", "id -u; for each in / /opt/schuilnaam /srv/schuilnaam /etc; do "
        "touch $each/mark 2>/dev/null && echo $each; done; "
        "touch data/mark && rm data/mark && echo data"
    )  # fmt: skip
    assert said.split() == [str(USER), "data"]


def test_it_says_what_it_can(image: Image, places: dict[str, Path]) -> None:
    said, status = run(image, places, "broker", "--help")
    assert status == 0
    assert "serve" in said


def test_keys_are_its_users_own(places: dict[str, Path]) -> None:
    root_key = places["/srv/schuilnaam/keys"] / "root" / "root.hex"
    status = root_key.stat()
    assert (status.st_uid, status.st_mode & 0o777) == (USER, 0o600)


def test_it_checks_applies_serves_and_stops(image: Image, places: dict[str, Path]) -> None:
    said, status = run(image, places, "broker", "apply", "config/federation")
    assert status == 0, said
    said, status = run(image, places, "broker", "check")
    assert status == 0, said
    port = {"BROKER_SERVER__PORT": str(a_free_port())}
    serving = image.run(
        ["broker", "serve"], user=USER, writable=["/tmp"], mounts=places, environment=port
    )  # fmt: skip
    asked = ""
    while "ready" not in asked:
        assert serving.poll() is None, serving.communicate()[0]
        asking = image.run(
            ["broker", "health"], user=USER, writable=["/tmp"], mounts=places, environment=port
        )  # fmt: skip
        asked, _ = asking.communicate()
    (broker,) = Path(f"/proc/{serving.pid}/task/{serving.pid}/children").read_text().split()
    os.kill(int(broker), signal.SIGTERM)
    said, _ = serving.communicate()
    assert serving.returncode == 0, said
    assert not any((image.folder / "tmp").iterdir())
