"""Follows the keys folder and its schedule while the broker runs: no restart for new keys.

Twice a second the folder is looked at, by name, time and mode of its files; what changed is loaded
once it rested from one look to the next, for a copy may be half done. Keys that cannot be used, a
file that holds another key than before, or none where a key lasts, change nothing: the old ones
stay in force, and a line in the log says which file and what to do. They are tried again at the
next moment of their schedule: by a clock that is behind, a key that was made for use at once has no
turn yet. Between changes the schedule says when the next key's turn comes, and a watcher wakes up
just then; whatever is wrong with the folder, the keys that are in force take their turns.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_on_disk import KEY_FOLDERS, BrokerKeys, KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import check_keys_stay
from broker.adapters.keys.schedule_on_disk import SCHEDULE_FILE
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.key_plans.key_schedule import KeySchedule, find_next_moment

Prepared = TypeVar("Prepared")

Report = Callable[[Sequence[KeyProblem]], None]
"""Told of each change: nothing wrong, and new keys are in force; or why the old ones stay."""


class KeysWatch(Generic[Prepared]):
    """Puts other keys in force when the folder or the time says so.

    Args:
        keys: those in force at the start.
        folder_seen: `look_at_folder` of before they were loaded.
        started_at: the moment for which they were put in force.
        clock: aware, UTC.
        prepare: makes of keys and a moment what `put_in_force` takes; runs in a thread. May raise
            `KeysUnusable`, and `RegistryUnreadable` when nobody can tell now.
        put_in_force: exchanges what works with keys; runs in the event loop and must not fail.
    """

    def __init__(
        self,
        keys: BrokerKeys,
        *,
        folder_seen: object,
        started_at: datetime,
        clock: Callable[[], datetime],
        prepare: Callable[[BrokerKeys, datetime], Prepared],
        put_in_force: Callable[[Prepared], None],
        report: Report,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._prepare = prepare
        self._put_in_force = put_in_force
        self._report = report
        self._settled: object | None = folder_seen
        self._resting = folder_seen
        self._next = find_next_moment(keys.schedule, after=started_at)
        self._overdue = False
        self._again: datetime | None = None
        self._refused: tuple[str, ...] = ()

    async def watch(self, *, poll_seconds: float) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._seconds_to_rest(poll_seconds))
            await self.look()

    async def look(self) -> None:
        """Put in force what is due: keys that changed and rested, or the next one's turn."""
        seen = await asyncio.to_thread(look_at_folder, self._keys.folder)
        rested, self._resting = seen == self._resting, seen
        if self._again is not None and self._again <= self._clock():
            self._settled = self._again = None
        if seen != self._settled and rested and await self._take_over(self._load):
            self._settled = seen
        now = self._clock()
        if self._next is not None and self._next <= now:
            # also when the folder cannot be used: all brokers change at the same moment
            self._overdue = not await self._take_over(lambda: self._keys)
            if not self._overdue:
                self._next = find_next_moment(self._keys.schedule, after=now)

    def _seconds_to_rest(self, poll_seconds: float) -> float:
        if self._next is None or self._overdue:
            return poll_seconds
        until_next = (self._next - self._clock()).total_seconds()
        return min(poll_seconds, max(0.0, until_next))

    def _load(self) -> BrokerKeys:
        return load_keys(self._keys.folder)

    async def _take_over(self, read: Callable[[], BrokerKeys]) -> bool:
        """Put keys in force as they stand now; return whether there is nothing to try again."""
        now = self._clock()
        schedule: KeySchedule = {}

        def load_and_prepare() -> tuple[BrokerKeys, Prepared]:
            nonlocal schedule
            keys = read()
            schedule = keys.schedule
            check_keys_stay(keys, before=self._keys)
            return keys, self._prepare(keys, now)

        settled = True
        try:
            keys, prepared = await asyncio.to_thread(load_and_prepare)
        except KeysUnusable as found:
            self._again = find_next_moment(schedule, after=now)  # our clock may be behind
            self._refuse(found.problems)
        except RegistryUnreadable as found:
            settled = False
            remedy = "repair it: keys are taken over once they can be compared with it"
            self._refuse((KeyProblem(Path("registry.db"), f"cannot be read ({found})", remedy),))
        except OSError as found:
            settled = False
            why = f"cannot be read ({found.strerror})"
            remedy = "see what the system says of that disk: it is tried again"
            self._refuse((KeyProblem(self._keys.folder, why, remedy),))
        else:
            self._put_in_force(prepared)
            self._keys, self._refused = keys, ()
            self._again, self._overdue = None, False
            self._next = find_next_moment(keys.schedule, after=now)
            self._report(())
        return settled

    def _refuse(self, problems: Sequence[KeyProblem]) -> None:
        said = tuple(map(str, problems))
        if said != self._refused:  # once, not at each look
            self._report(problems)
        self._refused = said


def look_at_folder(folder: Path) -> object:
    """Return a value that is another one after any change of keys or schedule; cheap.

    Links are followed: Kubernetes exchanges a whole folder behind them.
    """
    return tuple(_describe(folder, SCHEDULE_FILE)), tuple(
        seen for purpose in KEY_FOLDERS for seen in _look_at(folder / purpose)
    )


def _look_at(purpose: Path) -> Iterator[object]:
    try:
        names = sorted(os.listdir(purpose))
    except OSError as reason:
        yield purpose.name, reason.errno
        return
    for name in names:
        if not name.startswith("."):
            yield from _describe(purpose, name)


def _describe(place: Path, name: str) -> Iterator[object]:
    try:
        status = os.stat(place / name)
    except OSError as reason:
        yield name, reason.errno
    else:
        yield (
            *(name, status.st_dev, status.st_ino, status.st_mode, status.st_uid),
            *(status.st_size, status.st_mtime_ns, status.st_ctime_ns),
        )
