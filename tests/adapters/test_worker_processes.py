"""The supervisor with small workers: whoever dies or hangs is replaced, nobody is left behind."""

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from broker.adapters.serving.worker_handle import Plan, WorkersRefused
from broker.adapters.serving.worker_processes import ReloadRefused, Supervisor, WorkerEvent

GIVE_UP_SECONDS = 60  # only a fault takes so long
LONG_SECONDS = 600.0  # what is not tried here never comes


def a_plan(how: str = "fine", **changes: Any) -> Plan:
    own = (sys.executable, "-m", "tests.adapters.fake_worker", how)
    plan = Plan(
        count=2,
        command=lambda listen, tie: (*own, str(listen), str(tie)),
        hung_seconds=LONG_SECONDS,
        stop_seconds=LONG_SECONDS,
        start_seconds=LONG_SECONDS,
        ready_seconds=LONG_SECONDS,
        pauses_seconds=(0.0,),
        well_after_seconds=LONG_SECONDS,
    )
    return replace(plan, **changes)


@dataclass(slots=True)
class Running:
    """A supervisor under test, and what it said."""

    listener: socket.socket
    supervisor: Supervisor
    said: list[tuple[WorkerEvent, dict[str, Any]]]
    next_plan: Callable[[], Plan]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    def told(self, event: WorkerEvent) -> list[dict[str, Any]]:
        return [fields for each, fields in self.said if each is event]

    async def until(self, event: WorkerEvent, count: int = 1) -> list[dict[str, Any]]:
        """Return what was said of an event once it was said so often."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while len(self.told(event)) < count:
                self.news.clear()
                await self.news.wait()
        return self.told(event)

    async def connect(self) -> int:
        """Return the process id of a worker that answers."""
        reader, writer = await asyncio.open_connection(*self.listener.getsockname())
        try:
            return int(await reader.readline())
        finally:
            writer.close()
            await writer.wait_closed()

    @property
    def pids(self) -> list[int]:
        return [each["pid"] for each in self.told(WorkerEvent.STARTED)]


@contextlib.asynccontextmanager
async def running(plan: Plan) -> AsyncIterator[Running]:
    """Run a supervisor; at the end it is stopped, and none of its processes may be left."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Running(listener, None, [], lambda: plan)  # type: ignore[arg-type]

    def report(event: WorkerEvent, **fields: str | int) -> None:
        made.said.append((event, fields))
        made.news.set()

    made.supervisor = Supervisor(listener, plan, report=report, look_again=lambda: made.next_plan())
    made.task = asyncio.create_task(made.supervisor.run())
    try:
        yield made
    finally:
        made.supervisor.stop()
        with contextlib.suppress(WorkersRefused):
            await made.task
        listener.close()
        for pid in made.pids:
            with pytest.raises(ChildProcessError):  # it was reaped: nothing is left of it
                os.waitpid(pid, os.WNOHANG)


async def test_workers_start_accept_and_stop() -> None:
    async with running(a_plan()) as one:
        assert await one.until(WorkerEvent.SERVING) == [{"workers": 2}]
        assert await one.connect() in one.pids
        one.supervisor.stop()
        assert one.task is not None
        await one.task
        ended = one.told(WorkerEvent.ENDED)
        assert [(each["status"], each["told"]) for each in ended] == [(0, True)] * 2


async def test_a_worker_that_is_killed_is_replaced() -> None:
    async with running(a_plan()) as one:
        await one.until(WorkerEvent.SERVING)
        killed = one.pids[0]
        os.kill(killed, signal.SIGKILL)
        (ended,) = await one.until(WorkerEvent.ENDED)
        assert (ended["pid"], ended["status"], ended["told"]) == (killed, -signal.SIGKILL, False)
        await one.until(WorkerEvent.SERVING, 2)
        assert len(one.pids) == 3
        assert await one.connect() in one.pids[1:]


async def test_a_worker_that_hangs_is_replaced() -> None:
    async with running(a_plan("hangs", hung_seconds=0.2, count=1)) as one:
        await one.until(WorkerEvent.HUNG)
        await one.until(WorkerEvent.STARTED, 2)


async def test_a_worker_that_is_heard_does_not_hang() -> None:
    async with running(a_plan(hung_seconds=GIVE_UP_SECONDS, count=1)) as one:
        await one.until(WorkerEvent.SERVING)
        assert one.told(WorkerEvent.HUNG) == []


async def test_a_worker_that_keeps_dying_is_tried_again_and_again() -> None:
    async with running(a_plan(count=1)) as one:
        await one.until(WorkerEvent.SERVING)
        for count in (1, 2, 3):
            os.kill(one.pids[-1], signal.SIGKILL)
            await one.until(WorkerEvent.SERVING, count + 1)
        assert len(one.pids) == 4


@pytest.mark.parametrize(
    ("how", "problems", "said"),
    [("refuses", ["keys/root"], "is missing"), ("ends", [], "ended with status 3")],
)
async def test_a_first_start_that_is_refused_ends_everything(
    how: str, problems: list[str], said: str
) -> None:
    async with running(a_plan(how)) as one:
        assert one.task is not None
        with pytest.raises(WorkersRefused, match=said) as refused:
            await one.task
        assert [each.file for each in refused.value.problems] == problems
        assert len(one.told(WorkerEvent.ENDED)) == len(one.pids)


async def test_a_program_that_is_not_there_is_told() -> None:
    plan = a_plan(command=lambda *_: ("/no/such/program",))
    async with running(plan) as one:
        assert one.task is not None
        with pytest.raises(WorkersRefused, match="No such file"):
            await one.task


async def test_a_first_start_accepts_also_when_nobody_can_log_in_yet() -> None:
    async with running(a_plan("not-ready")) as one:
        await one.until(WorkerEvent.STARTED, 2)
        assert await one.connect() in one.pids  # so that /health/ready can say so
        assert one.told(WorkerEvent.SERVING) == []


async def test_a_reload_replaces_every_worker() -> None:
    async with running(a_plan()) as one:
        await one.until(WorkerEvent.SERVING)
        old = set(one.pids)
        one.next_plan = lambda: a_plan(count=3)
        one.supervisor.reload()
        assert await one.until(WorkerEvent.RELOADED) == [{"workers": 3}]
        assert {each["pid"] for each in one.told(WorkerEvent.ENDED)} == old
        assert await one.connect() in set(one.pids) - old
        assert len(one.pids) == 5


@pytest.mark.parametrize("how", ["refuses", "ends", "not-ready"])
async def test_a_bad_reload_keeps_the_old_workers(how: str) -> None:
    async with running(a_plan()) as one:
        await one.until(WorkerEvent.SERVING)
        old = set(one.pids)
        one.next_plan = lambda: a_plan(how, ready_seconds=0.2)
        one.supervisor.reload()
        (refused,) = await one.until(WorkerEvent.RELOAD_REFUSED)
        expected = {"refuses": "is missing", "ends": "status 3", "not-ready": "store"}
        assert expected[how] in refused["reason"]
        assert not old & {each["pid"] for each in one.told(WorkerEvent.ENDED)}
        assert {await one.connect() for _ in range(8)} <= old
        one.next_plan = a_plan
        one.supervisor.reload()
        await one.until(WorkerEvent.RELOADED)


@pytest.mark.parametrize(
    ("raised", "reason"), [(ReloadRefused("x"), "x"), (RuntimeError("secret"), "RuntimeError")]
)
async def test_settings_that_cannot_be_read_keep_the_old_workers(
    raised: Exception, reason: str
) -> None:
    def look_again() -> Plan:
        raise raised

    async with running(a_plan()) as one:
        await one.until(WorkerEvent.SERVING)
        one.next_plan = look_again
        one.supervisor.reload()
        assert await one.until(WorkerEvent.RELOAD_REFUSED) == [{"reason": reason}]
        assert await one.connect() in one.pids
        assert len(one.pids) == 2


async def test_a_worker_that_does_not_stop_is_ended() -> None:
    async with running(a_plan("stays", stop_seconds=0.1)) as one:
        await one.until(WorkerEvent.SERVING)
        one.supervisor.stop()
        ended = await one.until(WorkerEvent.ENDED, 2)
        assert {each["status"] for each in ended} == {-signal.SIGKILL}


async def test_a_second_word_stops_at_once() -> None:
    async with running(a_plan("stays")) as one:
        await one.until(WorkerEvent.SERVING)
        one.supervisor.stop()
        await one.until(WorkerEvent.STOPPING)
        one.supervisor.stop()
        ended = await one.until(WorkerEvent.ENDED, 2)
        assert {each["status"] for each in ended} == {-signal.SIGKILL}


async def test_a_supervisor_that_is_stopped_while_it_starts_leaves_nobody() -> None:
    async with running(a_plan("stays", stop_seconds=0.1)) as one:
        await one.until(WorkerEvent.STARTED)
    assert len(one.told(WorkerEvent.ENDED)) == len(one.pids)


async def test_no_worker_outlives_a_supervisor_that_is_killed() -> None:
    """A process beside us supervises, and is killed: its workers see that nobody holds them."""
    program = (
        "import asyncio, socket\n"
        "from broker.adapters.serving.worker_processes import Supervisor\n"
        "from tests.adapters.test_worker_processes import a_plan\n"
        "def report(event, **fields): print(event.value, fields.get('pid', ''), flush=True)\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "asyncio.run(Supervisor(listener, a_plan(), report=report, look_again=a_plan).run())\n"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdout is not None
    workers: list[int] = []
    async for line in other.stdout:
        event, _, pid = line.decode().strip().partition(" ")
        if event == WorkerEvent.STARTED:
            workers.append(os.pidfd_open(int(pid)))
        if event == WorkerEvent.SERVING:
            break
    other.kill()
    await other.wait()
    assert len(workers) == 2
    for pidfd in workers:
        with os.fdopen(pidfd):
            gone, _, _ = await asyncio.to_thread(select.select, [pidfd], [], [], GIVE_UP_SECONDS)
            assert gone == [pidfd]
