"""`broker serve` as an operator runs it, and the Redis beside it."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.world import BenchWorld
from tests.redis_server import RedisServer, running_redis

START_WITHIN_SECONDS = 30
LOOK_EVERY_SECONDS = 0.01

BROKER = (sys.executable, "-m", "broker")
"""The command, as in this environment."""


class BrokerDidNotStart(Exception):  # noqa: N818 -- stops the benchmark
    """`broker` ended or stayed silent; its own words stand above."""


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that serves.

    Attributes:
        pid: of the supervisor, or of the one worker where there is none.
        start_seconds: from the command to `/health/ready`.
        redis_pid: None with the in-process store.
    """

    pid: int
    workers: int
    start_seconds: float
    redis_pid: int | None


@contextmanager
def serving(world: BenchWorld) -> Iterator[Running]:
    """Run one worker with the in-process store while the context lasts."""
    with serving_folder(world.folder, issuer=world.addresses.issuer) as running:
        yield running


@contextmanager
def serving_on_redis(world: BenchWorld, *, workers: int) -> Iterator[Running]:
    """Run workers while the context lasts, with a Redis of their own that nobody else uses."""
    folder = world.folder / "redis"
    folder.mkdir(exist_ok=True)
    with (
        running_redis(folder) as redis,
        serving_folder(
            world.folder, issuer=world.addresses.issuer, workers=workers, redis=redis
        ) as running,
    ):
        yield running


@contextmanager
def serving_folder(
    folder: Path, *, issuer: str, workers: int = 1, redis: RedisServer | None = None
) -> Iterator[Running]:
    """Run the broker of a folder while the context lasts."""
    environment = dict(os.environ)
    command = [*BROKER, "serve", "--config", str(folder)]
    if redis is not None:
        environment["BROKER_STORE__URL"] = f"redis://127.0.0.1:{redis.port}"
        command += ["--workers", str(workers)]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    try:
        wait_until_ready(issuer, process)
        yield Running(
            pid=process.pid,
            workers=workers,
            start_seconds=time.monotonic() - began,
            redis_pid=None if redis is None or redis.process is None else redis.process.pid,
        )
    finally:
        process.terminate()
        process.wait(timeout=START_WITHIN_SECONDS)


def wait_until_ready(issuer: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the broker can log somebody in."""
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{issuer}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(LOOK_EVERY_SECONDS)
    raise BrokerDidNotStart("serve")
