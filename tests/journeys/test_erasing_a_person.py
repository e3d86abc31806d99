"""Two operators erase a pupil beside a running broker; the receipts of everybody still verify."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from broker.adapters.operators_on_disk import OperatorsOnDisk, make_operator_key
from broker.demo.addresses import Party
from broker.demo.people import PEOPLE
from broker.flow.persons.register import CLOSED
from tests.flow.operators import ANNA, BEA, registered_as
from tests.journeys.commands import run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

NOOR = next(each for each in PEOPLE if each.id == "noor")
NUMBER = NOOR.attributes["employeeNumber"][0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, with two operators."""
    async with open_world() as opened:
        for each in (ANNA, BEA):
            OperatorsOnDisk(opened.folder).add(registered_as(each))
            make_operator_key(opened.folder / f"{each.name}.key", each.key)
        yield opened


def rows(world: World) -> set[tuple[bytes, bytes]]:
    """Return what the person register holds: tags and sealed rows."""
    file = world.prepared.loaded.data_folder / "register.db"
    with closing(sqlite3.connect(file)) as connection:
        return set(connection.execute("SELECT tag, sealed FROM persons"))


def remains(world: World, sealed: bytes) -> list[Path]:
    """Return the files in which a sealed row still stands, the write-ahead log too."""
    folder = world.prepared.loaded.data_folder
    return [each for each in folder.glob("register.db*") if sealed in each.read_bytes()]


async def prepare_erasure(world: World, output: Path) -> str:
    """Type the pupil's number where it is asked for."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", "person", "erase", "--config", str(world.folder)),
        *("--school", "kompas", "--as", "anna", "--key", str(world.folder / "anna.key")),
        *("--output", str(output)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate(f"{NUMBER}\n".encode())
    assert program.returncode == 0, said.decode()
    return said.decode()


async def test_a_pupil_is_erased_by_two_while_others_log_in(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path
) -> None:
    await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    others = rows(world)
    before = await browsers().log_in(Party.REKENRIJK, "kompas", "noor")
    hers = rows(world) - others
    assert len(hers) == 2  # her ECK iD's and her number's

    output = tmp_path / "erase.json"
    said = await prepare_erasure(world, output)
    assert rows(world) - others == hers
    said += await run_program(
        *("confirm", output, "--config", world.folder),
        *("--as", "bea", "--key", world.folder / "bea.key"),
    )
    left = rows(world) - others
    assert others <= rows(world)
    assert [sealed for _, sealed in left] == [CLOSED]  # her number's, so that it opens nothing old
    assert {tag for tag, _ in left} < {tag for tag, _ in hers}
    assert [file for _, sealed in hers for file in remains(world, sealed)] == []
    assert NUMBER not in said + output.read_text()

    verified = await run_program("receipts", "verify", "--config", world.folder)
    assert verified.startswith("2 receipts")

    after = await browsers().log_in(Party.REKENRIJK, "kompas", "noor")
    fresh = rows(world) - others
    assert {tag for tag, _ in fresh} == {tag for tag, _ in hers}
    assert not {sealed for _, sealed in fresh} & {sealed for _, sealed in hers}
    assert after["subject"] == before["subject"]  # it follows from her ECK iD
    verified = await run_program("receipts", "verify", "--config", world.folder)
    assert verified.startswith("3 receipts")
