"""A process that is killed at a commit, amid a change: all of it holds, or nothing.

Whatever was killed is begun once more, as an operator or a pupil does. Logins go on with the same
pseudonyms all the while, and what was done is told once.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from broker.adapters.databases.sql import open_sqlite
from broker.demo import people
from broker.demo.addresses import Party
from broker.demo.people import made_up_eck_id
from broker.demo.takeover_actions import prepare_takeover
from tests.journeys.commands import run_broker, run_program
from tests.journeys.killed_at import AFTER, BEFORE, WISH, environment, write_wish
from tests.journeys.test_rotation import told
from tests.journeys.waiting import until
from tests.journeys.workers_world import WorkersWorld, running_workers

pytestmark = pytest.mark.servers

NOOR = next(each for each in people.PEOPLE if each.id == "noor")
CONVERTED = "pseudonyms-converted"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkersWorld]:
    """A broker that can be killed at a commit, with a key for the next epoch."""
    async with running_workers(tmp_path_factory.mktemp("killed"), workers=1) as running:
        await kill(running)
        await run_broker("keys", "init", "--config", running.config_folder, "--next-epoch")
        folder = wish_of(running).parent
        folder.mkdir()
        running.broker.environment = environment(folder)
        await start(running)
        yield running


def wish_of(world: WorkersWorld) -> Path:
    return world.config_folder.parent / "watched" / WISH


async def kill(world: WorkersWorld) -> None:
    """Kill the supervisor, and wait until its worker noticed and left the address."""
    assert await world.broker.stop(signal.SIGKILL) != 0

    async def left() -> bool:
        try:
            async with world.client() as client:
                await client.get(world.addresses[Party.BROKER] + "/health/live")
        except httpx2.TransportError:
            return True
        return False

    await until(left)


async def start(world: WorkersWorld) -> None:
    world.broker.start()
    await world.broker.until_ready()


async def log_in(
    world: WorkersWorld,
    party: Party = Party.TAALTUIN,
    at: tuple[str, str] = ("vuurvogel", "sanne"),
    **stated: str,
) -> dict[str, Any]:
    """Log in with a fresh browser."""
    async with world.somebody() as visitor:
        received: dict[str, Any] = await visitor.log_in(party, *at, **stated)
        return received


async def log_in_amid_changes(world: WorkersWorld, party: Party) -> dict[str, Any]:
    """Log in, and once more when what was decided changed under way, as the page says."""

    async def received() -> dict[str, Any] | None:
        async with world.somebody() as visitor:
            await visitor.try_to_log_in(party, "vuurvogel", "sanne")
            shown = await visitor.received(party)
            return None if "error" in shown else shown

    found: dict[str, Any] = await until(received)
    return found


async def begin_again(world: WorkersWorld) -> None:
    """Start a broker that is gone; one with a supervisor renews its worker by itself."""
    assert world.broker.process is not None
    if world.broker.process.poll() is not None:
        world.broker.start()
    await world.broker.until_ready()


async def killed(world: WorkersWorld, *arguments: str | Path) -> str:
    """Run a command that is killed at the commit that was wished for; return what it had said."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", *map(str, arguments)),
        env={**os.environ, **environment(wish_of(world).parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    assert program.returncode == -signal.SIGKILL, said.decode()
    return said.decode()


def audited(said: str, event: str) -> int:
    """Return how often an event was told."""
    return said.count(f'"event":"{event}"')


def rows(world: WorkersWorld, database: str, table: str, where: str = "1") -> int:
    """Return how many rows there are."""
    file = world.stage.loaded.data_folder / database
    with contextlib.closing(open_sqlite(file)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    return int(count)


async def pseudonyms(world: WorkersWorld, step: str, supplier: str, *options: str) -> str:
    of = ("--config", world.config_folder, "--supplier", supplier)
    return await run_program("pseudonyms", step, *of, *options)


async def until_told(
    world: WorkersWorld,
    *,
    is_told: bool,
    party: Party = Party.TAALTUIN,
    subject: str | None = None,
    is_it: bool = True,
) -> dict[str, Any]:
    """Log in until the broker follows a step, and names the pupil so, or not so."""

    async def followed() -> dict[str, Any] | None:
        received = await log_in_amid_changes(world, party)
        as_named = subject is None or (received["subject"] == subject) is is_it
        return received if as_named and (told(received) is not None) == is_told else None

    found: dict[str, Any] = await until(followed)
    return found


@pytest.mark.parametrize("closed", [BEFORE, AFTER])
async def test_a_rotation_its_way_back_and_its_end(world: WorkersWorld, closed: str) -> None:
    old = (await log_in(world))["subject"]
    of = ("--config", world.config_folder, "--supplier", "taaltuin")
    for step, note, moment, options in (
        ("rotate", "rotation-opened", AFTER if closed == BEFORE else BEFORE, ()),
        ("rollback", "rotation-turned-back", closed, ()),
        ("close", "rotation-closed", closed, ("--leave-stragglers",)),
    ):
        made = f"note = '{note} taaltuin'"
        before = rows(world, "registry.db", "versions", made)
        write_wish(wish_of(world), database="registry.db", table="versions", moment=moment)
        said = await killed(world, "pseudonyms", step, *of, *options)
        assert audited(said, note) == 0  # a line never tells of what may not have happened
        done = rows(world, "registry.db", "versions", made) - before
        assert done == (moment == AFTER)
        if not done:
            assert audited(await pseudonyms(world, step, "taaltuin", *options), note) == 1
        assert rows(world, "registry.db", "versions", made) == before + 1
        received = await until_told(
            world, is_told=step != "close", subject=old, is_it=step != "rotate"
        )
        assert {received["subject"], told(received)} >= {old}
        if step == "rotate":
            await kill(world)
            await start(world)
            again = await log_in(world)
            assert (again["subject"], told(again)) == (received["subject"], old)


async def test_a_conversion(world: WorkersWorld, tmp_path: Path) -> None:
    old = (await log_in(world, Party.BIOSFEER_OIDC))["subject"]
    await pseudonyms(world, "rotate", "biosfeer")
    answers = tmp_path / "answers.tsv"
    arguments = ("--config", world.config_folder, "--supplier", "biosfeer", "--output", answers)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", "pseudonyms", "convert", *map(str, arguments), "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert program.stdin is not None
    program.stdin.write(f"{old}\n".encode())  # and it waits for more

    async def began() -> bool:
        await asyncio.sleep(0)
        return any(tmp_path.iterdir())

    await until(began)
    program.kill()
    said, _ = await program.communicate()
    assert audited(said.decode(), CONVERTED) == 0
    assert not answers.exists()
    assert "converted in bulk:      0" in await pseudonyms(world, "status", "biosfeer")
    listed = tmp_path / "listed.txt"
    listed.write_text(f"{old}\n")
    said_again = await run_program("pseudonyms", "convert", *arguments, listed)
    assert audited(said_again, CONVERTED) == 1
    assert "converted in bulk:      1" in await pseudonyms(world, "status", "biosfeer")
    received = await until_told(world, is_told=True, party=Party.BIOSFEER_OIDC)
    assert answers.read_text() == f"{old}\t{received['subject']}\n"
    await pseudonyms(world, "close", "biosfeer", "--leave-stragglers")


async def test_a_takeover_that_changes_state(world: WorkersWorld) -> None:
    before = (await log_in(world, Party.BIOSFEER_OIDC))["subject"]
    await prepare_takeover(world.stage, follow_seconds=0)
    for state, moment in (("on", BEFORE), ("back", AFTER), ("on", AFTER)):
        steps = rows(world, "registry.db", "takeover_steps")
        arguments = ("takeover", "set", "--config", world.config_folder, "vuurvogel", "biosfeer")
        write_wish(wish_of(world), database="registry.db", table="takeover_steps", moment=moment)
        assert audited(await killed(world, *arguments, state), "takeover-set") == 0
        done = rows(world, "registry.db", "takeover_steps") - steps
        assert done == (moment == AFTER)
        if not done:
            assert audited(await run_program(*arguments, state), "takeover-set") == 1
        assert rows(world, "registry.db", "takeover_steps") == steps + 1
        received = await log_in_amid_changes(world, Party.BIOSFEER_OIDC)
        assert received["subject"] == before


async def test_a_school_s_list(world: WorkersWorld, tmp_path: Path) -> None:
    before = (await log_in(world, Party.REKENRIJK, ("kompas", "noor")))["subject"]
    (eck_id,), (number,) = NOOR.attributes["eckId"], NOOR.attributes["employeeNumber"]
    file = tmp_path / "list.csv"
    file.write_text(
        f"login;eck_id;number;role\n{NOOR.attributes['uid'][0]};{eck_id};{number};pupil\n"
    )
    arguments = ("enrol", "--config", world.config_folder, "kompas", file)
    for moment in (BEFORE, AFTER):
        write_wish(wish_of(world), database="register.db", table="enrolments", moment=moment)
        assert audited(await killed(world, *arguments), "enrolled") == 0
        assert rows(world, "register.db", "enrolments") == (moment == AFTER)
        assert rows(world, "register.db", "enrolment_feeds") == (moment == AFTER)
        assert (await log_in(world, Party.REKENRIJK, ("kompas", "noor")))["subject"] == before
    assert audited(await run_program(*arguments), "enrolled") == 1
    assert rows(world, "register.db", "enrolments") == 1


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
async def test_a_login_that_joins_a_number_with_an_eck_id(world: WorkersWorld, moment: str) -> None:
    stated = {"employeeNumber": f"90{moment}", "eckId": made_up_eck_id(moment)}
    by_number = {**stated, "eckId": ""}
    before = (await log_in(world, Party.REKENRIJK, **by_number))["subject"]
    joined = len(world.lines("joined-here"))
    write_wish(wish_of(world), database="register.db", table="persons", moment=moment)
    with pytest.raises(httpx2.TransportError):
        await log_in(world, Party.REKENRIJK, **stated)
    assert not wish_of(world).exists()
    await begin_again(world)
    for each in (by_number, stated, stated, by_number):
        assert (await log_in(world, Party.REKENRIJK, **each))["subject"] == before
    # Of one that was killed after it, what rests tells it, and no line.
    assert len(world.lines("joined-here")) - joined == (moment == BEFORE)
