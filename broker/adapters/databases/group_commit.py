"""Group commit: many logins share one durable write, and none blocks the event loop.

What arrives while a batch is being written goes into the next one; a login waits for its own batch
and for no other. There is no gathering time on top: the event loop hands over all that is ready,
and the disk's own delay gathers the rest. Measured on two cores with a commit of 0.4 ms: waiting
another 1, 2 or 5 ms saved no processor time at any load and cost up to a third of the logins.
One thread writes, so a commit needs no locks.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from broker.domain.refusals import Refusal

MAX_BATCH = 1000  # items; bounds how long the first of a crowd waits for the last

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class GroupCommit(Generic[ItemT, ResultT]):
    """Hands items to `commit` in batches, in order, on a thread of its own.

    Args:
        commit: writes a batch durably and returns one result for each item; called on the thread.
        refusal: what every waiter gets when `commit` raises, or after `close`.
        expected: what `commit` raises when the database is to blame. Anything else refuses just
            the same, and goes to the event loop's exception handler: it is a fault of ours.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[ItemT]], Sequence[ResultT]],
        *,
        refusal: type[Refusal],
        expected: tuple[type[Exception], ...],
    ) -> None:
        self._commit = commit
        self._refusal = refusal
        self._expected = expected
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="group-commit")
        self._waiting: list[tuple[ItemT, asyncio.Future[ResultT]]] = []
        self._writing = False
        self._scheduled = False
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
        if not (self._writing or self._scheduled):
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
        """Begin the next batch when the event loop has run what is ready now."""
        self._scheduled = True
        loop.call_soon(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled, self._writing = False, True
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
