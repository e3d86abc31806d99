"""Group commit: many logins share one durable write, and none blocks the event loop.

What arrives while a batch is being written, or within the gathering time, goes into the next one;
a login waits for its own batch and for no other. A broker with little to do does not gather at
all: only after a batch of several does the next one wait, because only then does it save writes.
One thread writes, so a commit needs no locks.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from broker.domain.refusals import Refusal

GATHER_SECONDS = 0.005  # DESIGN.md 7: a login waits for its own batch, at most 5 ms
MAX_BATCH = 1000

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class GroupCommit(Generic[ItemT, ResultT]):
    """Hands items to `commit` in batches, in order, on a thread of its own.

    Args:
        commit: writes a batch durably and returns one result for each item; called on the thread.
        refusal: what every waiter gets when `commit` raises, or after `close`.
        expected: what `commit` raises when the database is to blame. Anything else refuses just
            the same, and goes to the event loop's exception handler: it is a fault of ours.
        gather_seconds: at most this long does an item wait for others.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[ItemT]], Sequence[ResultT]],
        *,
        refusal: type[Refusal],
        expected: tuple[type[Exception], ...],
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._commit = commit
        self._refusal = refusal
        self._expected = expected
        self._gather_seconds = gather_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="group-commit")
        self._waiting: list[tuple[ItemT, asyncio.Future[ResultT]]] = []
        self._writing = False
        self._timer: asyncio.Handle | None = None
        self._crowded = False
        self._closed = False
        self._idle: asyncio.Future[None] | None = None
        self.healthy = True

    async def submit(self, item: ItemT) -> ResultT:
        """Return the result of the batch that held `item`.

        Raises:
            Refusal: of the type given; nobody knows whether the item was written.
        """
        if self._closed:
            raise self._refusal("check_not_closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()
        self._waiting.append((item, future))
        if not self._writing:
            self._schedule(loop)
        return await future

    async def close(self, cleanup: Callable[[], None]) -> None:
        """Write what waits, run `cleanup` on the thread, and take nothing more."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        if self._waiting or self._writing:
            self._idle = loop.create_future()
            await self._idle
        await loop.run_in_executor(self._thread, cleanup)
        self._thread.shutdown(wait=False)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the next batch: soon, or after the gathering time when logins come in crowds."""
        if self._timer is not None and len(self._waiting) == MAX_BATCH:
            self._timer.cancel()
            self._timer = loop.call_soon(self._start, loop)
        elif self._timer is None:
            self._timer = (
                loop.call_later(self._gather_seconds, self._start, loop)
                if self._crowded
                else loop.call_soon(self._start, loop)
            )

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._writing = True
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        written = loop.run_in_executor(self._thread, self._commit, [item for item, _ in batch])
        futures = [future for _, future in batch]
        written.add_done_callback(lambda done: self._finish(loop, futures, done))

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        futures: Sequence["asyncio.Future[ResultT]"],
        done: "asyncio.Future[Sequence[ResultT]]",
    ) -> None:
        self._writing = False
        self._crowded = len(futures) > 1
        error = done.exception()
        self.healthy = error is None
        if error is None:
            for future, result in zip(futures, done.result(), strict=True):
                if not future.done():  # done when its login was cancelled
                    future.set_result(result)
        else:
            if not isinstance(error, self._expected):
                loop.call_exception_handler({"message": "group commit", "exception": error})
            for future in futures:
                if not future.done():
                    future.set_exception(self._refusal("check_written"))
        if self._waiting:
            self._schedule(loop)
        elif self._idle is not None:
            self._idle.set_result(None)
