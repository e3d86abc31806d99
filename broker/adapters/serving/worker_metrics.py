"""Metrics of several workers as one: each writes into files of a folder, and these are added up.

The one who starts the workers makes the folder, passes its name on in the environment before a
worker loads `broker.adapters.watching.metrics`, and says when a worker ended. What that one
counted is kept, since a counter never falls; its gauges and its files go.
"""

import shutil
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name
OF_THE_DEAD = 0
"""In place of a process id: what workers counted that are gone."""

ENDS = ("asked", "died")


class WorkerMetrics:
    """The metrics of all workers, and of their coming and going."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="schuilnaam-metrics-"))  # for this user alone
        self._lock = Lock()  # a scrape must not see a file half moved
        self._workers = CollectorRegistry()
        MultiProcessCollector(self._workers, path=str(self.folder))  # type: ignore[no-untyped-call]
        self.own = CollectorRegistry()
        self._running = Gauge("schuilnaam_workers", "Workers that run.", registry=self.own)
        ends = Counter(
            "schuilnaam_worker_ends",
            "Workers that ended, because they were asked to or by themselves.",
            ("how",),
            registry=self.own,
        )
        self._ends = {each: ends.labels(each) for each in ENDS}

    def environment(self) -> Mapping[str, str]:
        """Return what a worker's environment needs besides."""
        return {FOLDER_VARIABLE: str(self.folder)}

    def worker_began(self) -> None:
        """Count a worker that was started."""
        self._running.inc()

    def worker_ended(self, pid: int, *, asked: bool) -> None:
        """Take over what a worker counted, and remove its files.

        Args:
            asked: whether it was told to stop.
        """
        self._running.dec()
        self._ends["asked" if asked else "died"].inc()
        with self._lock:
            mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]
            for kind in ("counter", "histogram"):
                self._take_over(
                    self.folder / f"{kind}_{pid}.db", self.folder / f"{kind}_{OF_THE_DEAD}.db"
                )

    def expose(self) -> bytes:
        """Return what a scrape gets."""
        with self._lock:
            return generate_latest(self._workers) + generate_latest(self.own)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _take_over(self, file: Path, sums: Path) -> None:
        try:
            counted = list(MmapedDict.read_all_values_from_file(str(file)))  # type: ignore[no-untyped-call]
        except FileNotFoundError:
            return  # it ended before it counted
        except (RuntimeError, struct.error, UnicodeDecodeError):
            counted = []  # it was killed while it wrote a new name
        into = MmapedDict(str(sums))  # type: ignore[no-untyped-call]
        for key, value, _, _ in counted:
            kept, _ = into.read_value(key)  # type: ignore[no-untyped-call]
            into.write_value(key, kept + value, 0.0)  # type: ignore[no-untyped-call]
        into.close()  # type: ignore[no-untyped-call]
        file.unlink()
