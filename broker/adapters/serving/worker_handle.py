"""One worker as its supervisor sees it: a process, the tie to it, and when it was heard last."""

import asyncio
import contextlib
import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from broker.adapters.serving.worker_tie import (
    ACCEPT,
    Alive,
    Message,
    Refused,
    Started,
    make_tie,
    receive,
)
from broker.flow.federation.documents import Problem

START_WITHIN_SECONDS = 60.0
READY_WITHIN_SECONDS = 20.0
"""At a reload: the login store is looked at each second."""
PAUSES_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a worker that died is replaced: the longer, the more often it died of late."""
WELL_AFTER_SECONDS = 60.0
"""A worker that lived so long did not die of what its predecessor died of."""


class WorkersRefused(Exception):  # noqa: N818 -- told to an operator
    """Workers did not start; `problems` says why, and is empty when one just ended."""

    def __init__(self, reason: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(reason)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Plan:
    """How many workers there shall be, and how each is run.

    Attributes:
        command: given the descriptors of the listening socket and of the worker's tie.
        environment: of the worker; that of this process when None.
        hung_seconds: silence after which a worker is taken to hang.
        stop_seconds: after which a worker that was told to stop is ended.
    """

    count: int
    command: Callable[[int, int], Sequence[str]]
    hung_seconds: float
    stop_seconds: float
    start_seconds: float = START_WITHIN_SECONDS
    ready_seconds: float = READY_WITHIN_SECONDS
    pauses_seconds: tuple[float, ...] = PAUSES_SECONDS
    well_after_seconds: float = WELL_AFTER_SECONDS
    environment: Mapping[str, str] | None = None


class Worker:
    """A running process. Made on the event loop that watches it.

    Args:
        listener: the socket that all workers accept from.
        on_change: called when its health may have changed, and when it has ended.

    Attributes:
        started: done when it has opened what it works with, failed when it cannot.
        ended: done when the process is gone and reaped: its status, negative for a signal.
        failing: what keeps it from logging anybody in, as it said last; None before.
        hung: it was ended because it was silent for too long.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(
        self,
        number: int,
        plan: Plan,
        *,
        listener: socket.socket,
        on_change: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.number = number
        self.began = self._loop.time()
        self.started: asyncio.Future[None] = self._loop.create_future()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self.failing: tuple[str, ...] | None = None
        self.told_to_stop = False
        self.hung = False
        self._hung_seconds = plan.hung_seconds
        self._on_change = on_change
        self._silence: asyncio.TimerHandle | None = None
        self._tie, theirs = make_tie()
        descriptors = listener.fileno(), theirs.fileno()
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                plan.command(*descriptors),
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                env=plan.environment,
            )
        except OSError:
            self._tie.close()
            raise
        finally:
            theirs.close()
        # Not a thread for each child, as asyncio would have it, and no signal that others share.
        self._pidfd = os.pidfd_open(self._process.pid)
        self._loop.add_reader(self._pidfd, self._reap)
        self._loop.add_reader(self._tie.fileno(), self._hear)

    @property
    def pid(self) -> int:
        """The process's id; somebody else's may bear it once `ended` is done."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it said last that it can log somebody in."""
        return self.failing == () and not self.ended.done()

    def accept(self) -> None:
        """Let it accept connections."""
        with contextlib.suppress(OSError):
            self._tie.send(ACCEPT)

    def stop(self) -> None:
        """Tell it to finish what it does, and stop."""
        self.told_to_stop = True
        with contextlib.suppress(OSError):
            self._tie.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End it at once, if it is still there."""
        if not self.ended.done():
            self._process.kill()

    async def end(self, *, within_seconds: float) -> None:
        """Tell it to stop, and return when it is gone."""
        self.stop()
        await asyncio.wait({self.ended}, timeout=within_seconds)
        self.kill()
        await asyncio.wait({self.ended})

    def _reap(self) -> None:
        status = self._process.wait()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._hear()  # its last words
        self._loop.remove_reader(self._tie.fileno())
        self._tie.close()
        if self._silence is not None:
            self._silence.cancel()
        self._refuse(WorkersRefused(f"a worker ended with status {status}"))
        self.ended.set_result(status)
        self._on_change()

    def _hear(self) -> None:
        """Take in all that it has said."""
        try:
            while (said := receive(self._tie)) is not None:
                self._note(said)
        except BlockingIOError:
            return
        self._loop.remove_reader(self._tie.fileno())  # it says nothing more

    def _note(self, said: Message) -> None:
        match said:
            case Started():
                if not self.started.done():
                    self.started.set_result(None)
            case Refused(problems):
                reason = "; ".join(f"{each.file}: {each.problem}" for each in problems)
                self._refuse(WorkersRefused(reason, problems))
            case Alive(failing):
                self.failing = failing
                self._on_change()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(self._hung_seconds, self._end_as_hung)

    def _refuse(self, why: WorkersRefused) -> None:
        if not self.started.done():
            self.started.set_exception(why)
            self.started.exception()  # nobody may be waiting for it

    def _end_as_hung(self) -> None:
        self.hung = not self.ended.done()
        self.kill()
