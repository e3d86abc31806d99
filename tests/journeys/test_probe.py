"""`broker probe` against real brokers: what works, and how it says what does not."""

import asyncio
import contextlib
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.demo.addresses import Party
from broker.probe.browser import BrowserAnswer
from broker.probe.login import ProbeFailed, read_discovery
from broker.probe.parties import NAME, PSEUDONYM, SCHOOL_KEY, SUPPLIER_KEY
from tests.journeys.certificates import MadeCertificate, make_certificate
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.redis_server import a_free_port, running_redis

pytestmark = pytest.mark.servers

GIVE_UP_SECONDS = 60  # only a fault takes so long
HTTPS_HOSTS = {party: f"{party}.probe.example" for party in Party}


async def probe(world: World, *arguments: str | Path, **reached: str) -> Result:
    """Run `broker probe` beside the servers' event loop."""
    given = [f"--{name.replace('_', '-')}={value}" for name, value in reached.items()]
    command = ["probe", "--config", str(world.folder), *map(str, arguments), *given]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


async def init(world: World) -> str:
    return await run_broker("probe", "init", "--config", world.folder)


@contextlib.asynccontextmanager
async def in_force(world: World) -> AsyncIterator[None]:
    """Wait until the running broker follows what was applied meanwhile."""
    yield
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not (await probe(world)).output.startswith("ok"):
            pass


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    async with open_world() as opened:
        async with in_force(opened):
            await init(opened)
        yield opened


@pytest.fixture
def folder(world: World) -> Iterator[Path]:
    """The probe's folder, put back after the test."""
    probing, before = world.folder / "probe", world.folder / "before"
    shutil.copytree(probing, before)
    yield probing
    shutil.rmtree(probing)
    before.rename(probing)


async def test_a_pupil_ends_inside_the_supplier_and_is_always_the_same(world: World) -> None:
    said = await probe(world)
    assert said.exit_code == 0, said.output
    assert "welcome" in said.output
    result = await probe(world, "--json")
    told = json.loads(result.output)
    assert (result.exit_code, told["ok"], told["pseudonym"]) == (0, True, "same")
    assert set(told["milliseconds"]) == {
        *("discovery", "authorize", "answer", "welcome", "token", "verify")
    }
    pseudonym = (world.folder / "probe" / PSEUDONYM).read_text().strip()
    assert len(pseudonym) == 53
    assert pseudonym not in said.output + result.output


async def test_init_changes_nothing_the_second_time(world: World) -> None:
    assert "Nothing to do" in await init(world)
    for name in (SCHOOL_KEY, SUPPLIER_KEY, PSEUDONYM):
        assert (world.folder / "probe" / name).stat().st_mode & 0o777 == 0o600


async def test_with_redis(open_world: OpenWorld, tmp_path: Path) -> None:
    with running_redis(tmp_path) as redis:
        url = f"redis://127.0.0.1:{redis.port}"
        async with open_world(settings={"store": {"url": url}}) as opened:
            async with in_force(opened):
                await init(opened)
            redis.kill()
            found = await probe(opened)
            assert found.exit_code == 1
            assert "E-LOGIN-9, reference " in found.output
            redis.start()
            async with in_force(opened):
                pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> MadeCertificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), hosts=list(HTTPS_HOSTS.values()))


async def test_over_https_at_an_address_of_its_own(
    open_world: OpenWorld, certificate: MadeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        here = name in HTTPS_HOSTS.values()
        return look_up("127.0.0.1" if here else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    async with open_world(
        hosts=HTTPS_HOSTS, tls=certificate.files, ca_file=certificate.ca_file
    ) as opened:
        await init(opened)
        issuer = opened.at[Party.BROKER]
        port = issuer.rpartition(":")[2]
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while (await probe(opened, ca_file=str(certificate.ca_file))).exit_code:
                pass
        reached = f"https://127.0.0.1:{port}"
        said = await probe(opened, url=reached, ca_file=str(certificate.ca_file))
        assert said.exit_code == 0, said.output
        untrusted = await probe(opened, url=reached)
        assert untrusted.exit_code == 1
        assert "TLS fails" in untrusted.output


# What fails


async def test_a_broker_that_is_down(world: World) -> None:
    found = await probe(world, url=f"http://127.0.0.1:{a_free_port()}")
    assert found.exit_code == 1
    assert "FAILED at discovery: the broker cannot be reached." in found.output


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_broker_or_proxy_that_is_busy_is_not_taken_for_another(status: int) -> None:
    with pytest.raises(ProbeFailed) as found:
        read_discovery(BrowserAnswer(status, "", b"{}"), issuer="https://login.example")
    assert f"turns visitors away (status {status})" in str(found.value)


async def test_another_server(world: World) -> None:
    found = await probe(world, url=world.at[Party.REKENRIJK])
    assert found.exit_code == 1
    assert "this is not the broker of" in found.output


async def test_a_broker_that_hangs(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        found = await probe(world, url=f"http://127.0.0.1:{port}", within="0.05")
    assert found.exit_code == 1
    assert "no login within 0.05 seconds" in found.output


@pytest.mark.parametrize(
    ("key", "step"), [(SCHOOL_KEY, "answer"), (SUPPLIER_KEY, "token")], ids=["school", "supplier"]
)
async def test_a_key_that_the_broker_does_not_know(
    world: World, folder: Path, key: str, step: str, tmp_path: Path
) -> None:
    from datetime import UTC, datetime

    from broker.probe.parties import make_parties

    make_parties(tmp_path / "other", now=datetime.now(UTC))
    shutil.copy2(tmp_path / "other" / key, folder / key)
    found = await probe(world)
    assert found.exit_code == 1
    assert f"FAILED at {step}: the broker answers" in found.output


async def test_keys_that_are_missing_or_open(world: World, folder: Path) -> None:
    (folder / SCHOOL_KEY).chmod(0o644)
    found = await probe(world)
    assert found.exit_code == 1
    assert "open to others" in found.output
    (folder / SCHOOL_KEY).unlink()
    assert "Run `broker probe init`" in (await probe(world)).output


async def test_a_pseudonym_that_changed_is_the_loudest(
    world: World, folder: Path, tmp_path: Path
) -> None:
    textfile = tmp_path / "probe.prom"
    assert (await probe(world, "--textfile", textfile)).exit_code == 0
    assert "schuilnaam_probe_success 1" in textfile.read_text()
    (folder / PSEUDONYM).write_text("a" * 53 + "\n")
    found = await probe(world, "--json", "--textfile", textfile)
    assert found.exit_code == 1
    assert json.loads(found.output)["pseudonym"] == "changed"
    assert "schuilnaam_probe_pseudonym_changed 1" in textfile.read_text()
    assert (folder / PSEUDONYM).read_text() == "a" * 53 + "\n"
    assert "CHANGED: every pupil may be a stranger" in (await probe(world)).output


async def apply_changed(world: World, document: str, old: str, new: str) -> None:
    file = world.folder / "probe/federation" / document
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    await run_broker("apply", "--config", world.folder, file)


async def until_it_says(world: World, words: str) -> None:
    """Wait until the running broker follows; a change may also come amid the probe's login."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while words not in (found := await probe(world)).output:
            pass
    assert found.exit_code == 1


async def test_an_agreement_that_was_withdrawn(world: World, folder: Path) -> None:
    async with in_force(world):
        await apply_changed(
            world, f"agreements/{NAME}.toml", "version = 1", "version = 2\nuntil = 2024-08-02"
        )
        await until_it_says(world, "E-RELEASE-2, reference ")
        await apply_changed(
            world,
            f"agreements/{NAME}.toml",
            "version = 2\nuntil = 2024-08-02",
            "version = 3",
        )


async def test_too_little_and_too_much(world: World, folder: Path) -> None:
    agreement = f"agreements/{NAME}.toml"
    async with in_force(world):
        await apply_changed(world, agreement, "version = 1", "version = 4")
        await apply_changed(
            world, agreement, 'version = 4\nfrom = 2024-08-01\napproved = ["givenName", "mail"]',
            'version = 5\nfrom = 2024-08-01\napproved = []',
        )  # fmt: skip
        await until_it_says(world, "too much [], missing ['given_name']")
        await apply_changed(
            world, agreement, "version = 5\nfrom = 2024-08-01\napproved = []",
            'version = 6\nfrom = 2024-08-01\napproved = ["givenName", "sn"]',
        )  # fmt: skip
        await until_it_says(world, "too much ['family_name'], missing []")
        await apply_changed(
            world, agreement, 'version = 6\nfrom = 2024-08-01\napproved = ["givenName", "sn"]',
            'version = 7\nfrom = 2024-08-01\napproved = ["givenName", "mail"]',
        )  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["http://other.example", "https://other.example", "ftp://localhost", "http://localhost:x"],
)
async def test_it_goes_nowhere_else(world: World, url: str) -> None:
    assert (await probe(world, url=url)).exit_code == 2


async def test_it_watches_a_worker_behind_a_proxy(tmp_path: Path) -> None:
    """The issuer's https ends before the worker; the probe comes straight to it, for ever."""
    port, textfile = a_free_port(), tmp_path / "probe.prom"
    (tmp_path / "broker.toml").write_text(
        f'issuer = "https://broker.example"\n[server]\nport = {port}\n'
    )
    for command in (["keys", "init"], ["probe", "init"]):
        await run_broker(*command, "--config", tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(running("serve", "--config", tmp_path))
        await stack.enter_async_context(
            running(
                *("probe", "--config", tmp_path, "--url", f"http://127.0.0.1:{port}"),
                *("--every", "1", "--textfile", textfile),
            )
        )
        seen = set[int]()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while len(seen) < 2:
                await asyncio.sleep(0.05)
                if textfile.exists() and "schuilnaam_probe_success 1" in textfile.read_text():
                    seen.add(textfile.stat().st_ino)


@contextlib.asynccontextmanager
async def running(*arguments: str | Path) -> AsyncIterator[None]:
    """Run a command as a program while the context lasts."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", *map(str, arguments)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        program.terminate()
        await program.wait()
