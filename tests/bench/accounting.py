"""What the operating system says that a process used, and which cores it may use."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

BYTES_A_MEGABYTE = 1024 * 1024
CORES = tuple(sorted(os.sched_getaffinity(0)))
"""Those that were ours to use at the start."""

CPU_CLOCK_OF_PROCESS = 2  # clock_getcpuclockid(3), as Linux makes it: all threads, by nanosecond


class ProcessesChanged(Exception):  # noqa: N818 -- stops the benchmark
    """A process came or ended while it was measured: what it used is not known."""


@dataclass(frozen=True, slots=True)
class CpuMark:
    """What some processes had used at a moment."""

    seconds_of: dict[int, float]

    def seconds_since(self, earlier: "CpuMark") -> float:
        """Return the CPU seconds that they used between two marks.

        Raises:
            ProcessesChanged: they are not the same processes.
        """
        if self.seconds_of.keys() != earlier.seconds_of.keys():
            raise ProcessesChanged
        return sum(self.seconds_of.values()) - sum(earlier.seconds_of.values())


def mark_cpu(pid: int) -> CpuMark:
    """Return what a process and all its descendants used so far: every thread of each."""
    return CpuMark({each: time.clock_gettime(_cpu_clock(each)) for each in processes_of(pid)})


def _cpu_clock(pid: int) -> int:
    return (~pid << 3) | CPU_CLOCK_OF_PROCESS


def share_core() -> int:
    """Keep this process, and what it starts, to one core, where they take turns; return which.

    Two virtual cores are often one real one: side by side, the driver's work would slow the broker
    down and be charged to it (measured: 5.0 against 3.4 CPU-ms a login, and fewer logins a second).
    """
    core = CORES[0]
    os.sched_setaffinity(0, {core})
    return core


@contextmanager
def every_core() -> Iterator[None]:
    """Let this process, and what it starts, use all cores while the context lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def spread_workers(supervisor: int) -> None:
    """Keep each worker to a core of its own, in turn when there are not enough."""
    for core, worker in zip(cycle(CORES), processes_of(supervisor)[1:], strict=False):
        for thread in Path(f"/proc/{worker}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def processes_of(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found.extend(map(int, (task / "children").read_text().split()))
    return found


def worker_megabytes(pid: int) -> float:
    """Return the resident memory of the largest process: one worker, supervisor or not."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    pages = (int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in processes_of(pid))
    return max(pages) * page_bytes / BYTES_A_MEGABYTE
