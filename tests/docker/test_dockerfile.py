"""Rules that the image keeps, read from its Dockerfile."""

import fnmatch
import re

import pytest

from tests.docker.dockerfile import DOCKERFILE, ROOT, Stage, read_dockerfile, the_dockerfile

STAGES = the_dockerfile()
RESULTS = ("broker", "demo", "proxy", "store")
"""The targets that are run; all others only make something for them."""

FIXED_USER = re.compile(r"[1-9][0-9]{4,}:[1-9][0-9]{4,}\Z")
BUILDS = re.compile(r"\b(pip|gcc|build-essential|python3-venv|python3-dev|make|git|curl|wget)\b")
SECRETS = re.compile(r"password|secret|token|private|_key\b", re.I)


def lineage(stage: Stage) -> list[Stage]:
    """Return a stage and those on which it stands, itself last."""
    parent = STAGES.get(stage.parent)
    return [*(lineage(parent) if parent else []), stage]


def last_of(stage: Stage, word: str) -> str:
    said = [each.text for one in lineage(stage) for each in one.all(word)]
    return said[-1] if said else ""


def test_the_broker_is_what_is_built_by_default() -> None:
    assert list(STAGES)[-1] == "broker"
    assert set(RESULTS) <= set(STAGES)


def test_the_base_is_pinned() -> None:
    arguments, _ = read_dockerfile(DOCKERFILE.read_text())
    images = {each.parent for each in STAGES.values() if each.parent not in STAGES}
    assert images == {arguments["BASE"]}
    assert re.fullmatch(r"debian:bookworm-20\d{6}-slim(@sha256:[0-9a-f]{64})?", arguments["BASE"])


@pytest.mark.parametrize("name", RESULTS)
def test_it_runs_as_a_user_of_its_own(name: str) -> None:
    assert FIXED_USER.match(last_of(STAGES[name], "USER"))


def test_no_two_services_share_a_user() -> None:
    users = {last_of(STAGES[each], "USER") for each in ("broker", "proxy", "store")}
    assert len(users) == 3


@pytest.mark.parametrize("name", RESULTS)
def test_it_says_how_it_is_started_stopped_and_asked(name: str) -> None:
    for word in ("ENTRYPOINT", "STOPSIGNAL", "HEALTHCHECK", "LABEL"):
        assert last_of(STAGES[name], word), word
    for word in ("ENTRYPOINT", "CMD"):  # a shell in between would keep the signal to itself
        assert last_of(STAGES[name], word)[:1] in ("[", ""), word


@pytest.mark.parametrize("name", RESULTS)
def test_nothing_is_built_in_what_is_run(name: str) -> None:
    for stage in lineage(STAGES[name]):
        for each in stage.all("RUN"):
            assert not BUILDS.search(each.text), each.text


@pytest.mark.parametrize("name", RESULTS)
def test_packages_leave_no_lists_behind(name: str) -> None:
    for stage in lineage(STAGES[name]):
        for each in stage.all("RUN"):
            if "apt-get install" in each.text:
                assert "--no-install-recommends" in each.text
                assert "rm -rf" in each.text
                assert "/var/lib/apt/lists/*" in each.text


def test_what_pip_installs_is_pinned_by_hash() -> None:
    installs = [
        each.text
        for stage in STAGES.values()
        for run in stage.all("RUN")
        for each in [run]
        if re.search(r"pip .*install", each.text)
    ]
    assert installs
    for each in installs:
        assert "--no-cache-dir" in each
        assert "--no-deps" in each
        assert "--require-hashes -r docker/locks/" in each or "--no-index" in each


def test_no_secret_is_in_an_image() -> None:
    for stage in STAGES.values():
        for word in ("ENV", "ARG", "LABEL"):
            for each in stage.all(word):
                assert not SECRETS.search(each.text), each.text
        for each in stage.all("COPY"):
            assert not re.search(r"\b(keys|var|config|\.git|secrets)\b", each.text), each.text


def copied_sources() -> list[str]:
    return [
        source
        for stage in STAGES.values()
        for each in stage.all("COPY")
        if not each.text.startswith("--from=")
        for source in each.text.split()[:-1]
    ]


def test_every_source_exists() -> None:
    assert copied_sources()
    assert [each for each in copied_sources() if not (ROOT / each).exists()] == []


def test_the_builder_is_given_the_sources_and_nothing_else() -> None:
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    needed = copied_sources()
    assert [each for each in needed if not any(is_in(each, one) for one in allowed)] == []
    for never in ("keys", "var", ".git", "config", "tests", ".venv", "docker/secrets"):
        assert not any(is_in(never, one) or is_in(one, never) for one in allowed), never


def is_in(path: str, folder: str) -> bool:
    return path == folder or fnmatch.fnmatch(path, f"{folder}/*")


def pins(lock: str) -> dict[str, str]:
    """Return each pin of a lock with its hashes.

    >>> pins("a==1 \\\\\\n    --hash=sha256:0\\n")
    {'a==1': '--hash=sha256:0'}
    """
    joined = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", lock, flags=re.M))
    pairs = (line.split(" ", 1) for line in joined.splitlines() if "==" in line)
    return {name: " ".join(sorted(hashes.split())) for name, hashes in pairs}


@pytest.mark.parametrize("part", ["runtime", "demo", "build"])
def test_the_images_locks_are_parts_of_the_lock(part: str) -> None:
    whole = pins((ROOT / "requirements.lock").read_text())
    here = pins((ROOT / "docker" / "locks" / f"{part}.lock").read_text())
    assert here
    assert here.items() <= whole.items()
