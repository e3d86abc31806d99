"""What the operating system says that a process used, and which cores it may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BYTES_A_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core is whose; None where there is only one for both."""

    broker: int | None
    driver: int | None


def share_cores() -> Cores:
    """Keep driver and broker to one core, where they take turns.

    Two virtual cores are often one real one: side by side, the driver's work would slow the broker
    down and be charged to it (measured: 5.0 against 3.4 CPU-ms a login, and fewer logins a second).
    """
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return Cores(broker=core, driver=core)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run on a core meanwhile; a process that is started inside stays there."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processes_of(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found.extend(map(int, (task / "children").read_text().split()))
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far: all threads, and descendants dead or alive."""
    return sum(map(_cpu_ticks, processes_of(pid))) / TICKS_A_SECOND


def _cpu_ticks(pid: int) -> int:
    # proc(5): the second field is a name in parentheses, which may itself hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    utime, stime, of_dead_children, system_of_dead_children = map(int, fields[11:15])
    return utime + stime + of_dead_children + system_of_dead_children


def memory_megabytes(pid: int) -> float:
    """Return the resident memory of a process and its descendants."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    pages = (int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in processes_of(pid))
    return sum(pages) * page_bytes / BYTES_A_MEGABYTE
