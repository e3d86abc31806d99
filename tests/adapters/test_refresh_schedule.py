"""The process that asks sources again: begun when one is due, and ended with the broker."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.adapters.serving import refresh_schedule
from broker.adapters.serving.refresh_schedule import RefreshSchedule

SLEEPS = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"


def a_schedule(is_due: Callable[[], bool], *command: str) -> RefreshSchedule:
    return RefreshSchedule(
        is_due=is_due,
        command=(sys.executable, "-c", *command),
        environment=os.environ,
        draw=lambda: 0.5,
        look_seconds=0,
    )


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_is_begun_when_a_source_is_due_and_not_before(tmp_path: Path) -> None:
    file, looks = tmp_path / "ran", iter([False, True])
    schedule = a_schedule(
        lambda: next(looks, False), "import sys; open(sys.argv[1], 'a').write('x')", str(file)
    )
    running = asyncio.create_task(schedule.run())
    await until(file.exists)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert file.read_text() in ("", "x")


async def test_it_ends_with_the_broker(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    schedule = a_schedule(lambda: True, SLEEPS, str(file))
    running = asyncio.create_task(schedule.run())
    await until(lambda: file.exists() and bool(file.read_text()))
    pid = int(file.read_text())
    assert is_running(pid)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not is_running(pid)


async def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_schedule, "LONGEST_SECONDS", 0.01)
    await a_schedule(lambda: True, SLEEPS, str(tmp_path / "pid")).refresh()
