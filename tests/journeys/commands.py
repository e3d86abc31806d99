"""The command line beside a running world, as an operator or developer types it."""

import asyncio
import sys
from pathlib import Path

from click.testing import CliRunner

from broker.__main__ import main
from tests.journeys.conftest import World
from tests.journeys.waiting import until_followed


async def run_broker(*arguments: str | Path) -> str:
    """Run `broker ...` beside the servers' event loop; return all that it said.

    Not for commands that write log lines: those would configure the logs of this process, and of
    all journeys after.
    """
    result = await asyncio.to_thread(CliRunner().invoke, main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


async def run_program(*arguments: str | Path, exit_code: int = 0) -> str:
    """Run `broker ...` as a program of its own; return all that it said."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broker", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    assert program.returncode == exit_code, said.decode()
    return said.decode()


async def apply(world: World, *documents: Path) -> None:
    """Apply documents, and return once they are in force."""
    await run_broker("apply", "--config", world.folder, *documents)
    await until_followed(world)


async def change(world: World, document: str, *changes: tuple[str, str]) -> None:
    """Apply a document of the world with these replacements; return once they are in force."""
    file = world.folder / "federation" / document
    text = file.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)
    await apply(world, file)
