"""The supervisor: starts workers as fresh interpreters, and replaces those that die or hang.

It holds the listening socket, so that no connection is lost while workers come and go, and no key.
A worker accepts connections when it is told to: at the first start as soon as it has started, also
when the login store is away, so that `/health/ready` can say so; at a reload when it can log
somebody in, so that bad settings never meet a pupil.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Protocol

from broker.adapters.serving.worker_handle import Plan, Worker, WorkersRefused


class WorkerEvent(StrEnum):
    """What the supervisor writes down."""

    STARTED = "worker-started"
    ENDED = "worker-ended"
    HUNG = "worker-hung"
    REFUSED = "worker-refused"
    SERVING = "serving"
    RELOADED = "reloaded"
    RELOAD_REFUSED = "reload-refused"
    STOPPING = "stopping"


class Report(Protocol):
    """Writes an event down."""

    def __call__(self, event: WorkerEvent, **fields: str | int) -> None: ...


class ReloadRefused(Exception):  # noqa: N818 -- told to an operator
    """The settings of now cannot be put in force; the argument says why."""


class Supervisor:
    """Keeps the workers of a plan running until it is told to stop.

    Args:
        listener: bound; the first worker has it listen. Closed when the workers stop.
        look_again: returns the plan by the settings of now, or raises `ReloadRefused`; called
            in a thread.
    """

    def __init__(
        self,
        listener: socket.socket,
        plan: Plan,
        *,
        report: Report,
        look_again: Callable[[], Plan],
    ) -> None:
        self._listener = listener
        self._plan = plan
        self._report = report
        self._look_again = look_again
        self._living: set[Worker] = set()
        self._keepers: set[asyncio.Task[None]] = set()
        self._stop_asked = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Run until a signal says stop, and until every worker is gone.

        SIGTERM and SIGINT stop, a second one at once; SIGHUP reloads.

        Raises:
            WorkersRefused: a worker cannot start at the first start; none is left.
        """
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self.reload,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        serving = asyncio.create_task(self._serve())
        stopping = asyncio.create_task(self._stop_asked.wait())
        telling = asyncio.create_task(self._tell_when_ready())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
        finally:
            tasks = {serving, stopping, telling, *self._keepers}
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)
            self._listener.close()
            if self._stop_asked.is_set():
                self._report(WorkerEvent.STOPPING, workers=len(self._living))
            await self._end(self._living)
            for number in handlers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Stop; asked again: at once."""
        if self._stop_asked.is_set():
            for each in self._living:
                each.kill()
        self._stop_asked.set()

    def reload(self) -> None:
        """Put the settings of now in force, as soon as an earlier reload is over."""
        self._reload_asked.set()

    async def _serve(self) -> None:
        """Start the workers, then reload as often as asked."""
        self._put_in_place(await self._start_all(self._plan), self._plan)
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            try:
                await self._reload()
            except (ReloadRefused, WorkersRefused) as why:
                self._report(WorkerEvent.RELOAD_REFUSED, reason=str(why))
            except Exception as fault:  # whatever it is, the old workers go on
                self._report(WorkerEvent.RELOAD_REFUSED, reason=type(fault).__name__)
            else:
                self._report(WorkerEvent.RELOADED, workers=self._plan.count)

    async def _reload(self) -> None:
        """Put workers by the settings of now in the place of the old ones."""
        plan = await asyncio.to_thread(self._look_again)
        workers = await self._start_all(plan)
        try:
            async with asyncio.timeout(plan.ready_seconds):
                await self._all_ready(workers)
        except (TimeoutError, WorkersRefused) as why:
            await self._end(workers)
            if isinstance(why, WorkersRefused):
                raise
            failing = sorted({name for each in workers for name in each.failing or ("start",)})
            raise ReloadRefused(f"nobody could log in: {', '.join(failing)}") from None
        former = self._living - set(workers)
        for keeper in self._keepers:
            keeper.cancel()
        self._put_in_place(workers, plan)
        await self._end(former)

    def _put_in_place(self, workers: Sequence[Worker], plan: Plan) -> None:
        """Let these workers accept connections, and keep as many."""
        self._plan = plan
        for each in workers:
            each.accept()
        self._keepers = {asyncio.create_task(self._keep(each, plan)) for each in workers}
        self._note_change()

    async def _keep(self, worker: Worker, plan: Plan) -> None:
        """Replace a worker that ends, as often as need be."""
        loop, number, deaths = asyncio.get_running_loop(), worker.number, 0
        while True:
            await asyncio.wait({worker.ended})
            if loop.time() - worker.began > plan.well_after_seconds:
                deaths = 0
            await asyncio.sleep(plan.pauses_seconds[min(deaths, len(plan.pauses_seconds) - 1)])
            deaths += 1
            try:
                worker = self._begin(number, plan)
                async with asyncio.timeout(plan.start_seconds):
                    await worker.started
            except (TimeoutError, OSError, WorkersRefused) as why:
                reason = str(why) or "it took too long"
                self._report(WorkerEvent.REFUSED, number=number, reason=reason)
                worker.kill()  # it may be there all the same
            else:
                worker.accept()

    async def _start_all(self, plan: Plan) -> list[Worker]:
        """Return started workers, which do not accept yet.

        Raises:
            WorkersRefused: one of them cannot start; none of them is left.
        """
        workers: list[Worker] = []
        try:
            for number in range(1, plan.count + 1):
                workers.append(self._begin(number, plan))
            async with asyncio.timeout(plan.start_seconds):
                await asyncio.gather(*(each.started for each in workers))
        except (TimeoutError, OSError, WorkersRefused) as why:
            for each in workers:
                each.kill()
            await self._end(workers)
            if isinstance(why, WorkersRefused):
                raise
            raise WorkersRefused(f"workers cannot start: {str(why) or 'it took too long'}") from why
        return workers

    def _begin(self, number: int, plan: Plan) -> Worker:
        worker = Worker(number, plan, listener=self._listener, on_change=self._note_change)
        self._living.add(worker)
        worker.ended.add_done_callback(lambda _: self._note_end(worker))
        self._report(WorkerEvent.STARTED, number=number, pid=worker.pid)
        return worker

    def _note_end(self, worker: Worker) -> None:
        self._living.discard(worker)
        if worker.hung:
            self._report(WorkerEvent.HUNG, number=worker.number, pid=worker.pid)
        self._report(
            WorkerEvent.ENDED,
            number=worker.number,
            pid=worker.pid,
            status=worker.ended.result(),
            told=worker.told_to_stop,
        )

    async def _end(self, workers: Iterable[Worker]) -> None:
        """Tell workers to stop, and return when they are gone."""
        within = self._plan.stop_seconds
        await asyncio.gather(*(each.end(within_seconds=within) for each in workers))

    async def _all_ready(self, workers: Sequence[Worker]) -> None:
        """Return when somebody can log in at each of them.

        Raises:
            WorkersRefused: one ended.
        """
        while not all(each.ready for each in workers):
            if any(each.ended.done() for each in workers):
                raise WorkersRefused("a worker ended before it could log anybody in")
            await self._changed.wait()

    async def _tell_when_ready(self) -> None:
        """Write down each time that all workers have become ready."""
        told = False
        while True:
            serving = [each for each in self._living if not each.told_to_stop]
            ready = sum(each.ready for each in serving)
            if not told and ready >= self._plan.count and self._keepers:
                self._report(WorkerEvent.SERVING, workers=ready)
            told = ready >= self._plan.count and bool(self._keepers)
            await self._changed.wait()

    def _note_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
