"""Metrics of several workers: added up, and kept when a worker is gone."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from broker.adapters.serving.worker_metrics import WorkerMetrics
from tests.adapters.test_metrics import Sample, samples

WORKER = """
import os, sys
from broker.adapters.watching.metrics import Metrics, Sight
from broker.flow.following.trail import LoginStep, Outcome, Trail
metrics = Metrics()
for _ in range(3):
    metrics.request_began()
trail = Trail(supplier_protocol="oidc", school_protocol="saml", outcome=Outcome.RELEASED)
metrics.request_ended(trail, step=LoginStep.SCHOOL_ANSWER, seconds=0.003)
metrics.look(Sight(
    registry_version=int(sys.argv[1]), registry_loaded_at=1.0,
    healthy={"store": sys.argv[1] != "7"}, keys_made_at={}, certificates_end_at={},
))
print("ready", flush=True)
sys.stdin.read()
"""
RELEASED: Sample = (
    "schuilnaam_logins_total",
    (("outcome", "released"), ("school_protocol", "saml"), ("supplier_protocol", "oidc")),
)
IN_WORK: Sample = ("schuilnaam_requests_in_work", ())
VERSION: Sample = ("schuilnaam_registry_version", ())
STORE: Sample = ("schuilnaam_healthy", (("component", "store"),))
STEP: Sample = ("schuilnaam_step_seconds_count", (("step", "school-answer"),))
BUCKET: Sample = ("schuilnaam_step_seconds_bucket", (("le", "0.005"), ("step", "school-answer")))
WORKERS: Sample = ("schuilnaam_workers", ())
DIED: Sample = ("schuilnaam_worker_ends_total", (("how", "died"),))
ASKED: Sample = ("schuilnaam_worker_ends_total", (("how", "asked"),))

Worker = subprocess.Popen[bytes]


@pytest.fixture
def metrics() -> Iterator[WorkerMetrics]:
    opened = WorkerMetrics()
    yield opened
    opened.close()
    assert not opened.folder.exists()


def start(metrics: WorkerMetrics, version: int) -> Worker:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(version)],
        env={**os.environ, **metrics.environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    metrics.worker_began()
    return worker


def end(metrics: WorkerMetrics, worker: Worker, *, asked: bool) -> None:
    if asked:
        worker.communicate()
    else:
        worker.kill()
        worker.communicate()
    metrics.worker_ended(worker.pid, asked=asked)


def test_workers_add_up_and_the_worst_off_is_shown(metrics: WorkerMetrics) -> None:
    workers = [start(metrics, each) for each in (7, 8)]
    found = samples(metrics.expose())
    for each in workers:
        end(metrics, each, asked=True)
    assert (found[RELEASED], found[STEP], found[BUCKET]) == (2, 2, 2)
    assert found[IN_WORK] == 4
    assert found[VERSION] == 7
    assert found[STORE] == 0
    assert found[WORKERS] == 2
    assert not [name for name, labels in found if "pid" in dict(labels)]


def test_what_the_dead_counted_stays_and_their_gauges_go(metrics: WorkerMetrics) -> None:
    for asked in (True, False, True):
        end(metrics, start(metrics, 7), asked=asked)
        assert len(list(metrics.folder.iterdir())) <= 3  # the sums, and what only grows with them
    living = start(metrics, 9)
    found = samples(metrics.expose())
    end(metrics, living, asked=True)
    assert (found[RELEASED], found[STEP], found[BUCKET]) == (4, 4, 4)
    assert (found[IN_WORK], found[VERSION], found[STORE]) == (2, 9, 1)
    assert (found[WORKERS], found[DIED], found[ASKED]) == (1, 1, 2)


def test_files_of_the_dead_are_gone(metrics: WorkerMetrics) -> None:
    worker = start(metrics, 7)
    assert [each for each in metrics.folder.iterdir() if str(worker.pid) in each.name]
    end(metrics, worker, asked=False)
    assert [each.name for each in sorted(metrics.folder.iterdir())] == [
        "counter_0.db",
        "histogram_0.db",
    ]


def test_a_worker_that_never_counted_leaves_nothing(metrics: WorkerMetrics) -> None:
    metrics.worker_began()
    metrics.worker_ended(2**22 + 1, asked=False)
    assert list(metrics.folder.iterdir()) == []
    assert samples(metrics.expose())[DIED] == 1


def test_a_damaged_file_costs_no_scrape(metrics: WorkerMetrics) -> None:
    worker = start(metrics, 7)
    (file,) = metrics.folder.glob(f"counter_{worker.pid}.db")
    worker.kill()
    worker.communicate()
    content = file.read_bytes()
    file.write_bytes(content[:8] + b"\xff" * 64 + content[72:])
    metrics.worker_ended(worker.pid, asked=False)
    assert samples(metrics.expose())[STEP] == 1


def test_the_folder_is_for_this_user_alone(metrics: WorkerMetrics) -> None:
    assert metrics.folder.stat().st_mode & 0o777 == 0o700
