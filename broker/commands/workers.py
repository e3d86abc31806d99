"""The processes of `broker serve`: the one that serves alone, the supervisor, and each worker."""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path

import click

from broker.adapters.serving.http_server import FINISH_WITHIN_SECONDS, BrokerServer
from broker.adapters.serving.worker_handle import Plan, WorkersRefused
from broker.adapters.serving.worker_metrics import WorkerMetrics
from broker.adapters.serving.worker_processes import ReloadRefused, Supervisor, WorkerEvent
from broker.adapters.serving.worker_tie import Alive, Refused, Started, SupervisorTie
from broker.adapters.watching.logs import report_workers
from broker.commands.listening import find_tls_problems, read_limits, server_config, start_logs
from broker.commands.metadata_schedule import make_refresh_schedule
from broker.commands.metrics_port import metrics_at_their_port
from broker.commands.problems import config_option, find_problems, store_problem
from broker.flow.federation.documents import FederationProblems, Problem
from broker.setting_tables import MEMORY_URL
from broker.settings import LoadedSettings, SettingsProblem, load_settings
from broker.store_choice import find_store_problem

COLLECT_AFTER = (50_000, 20, 50)
"""Objects that are new, and younger rounds, before the collector looks (`gc.set_threshold`)."""
BEAT_SECONDS = 0.25
"""How often a worker says that its event loop runs, and how it fares."""
SPARE_STOP_SECONDS = 5


def serve_alone(loaded: LoadedSettings, listener: socket.socket) -> None:
    """Serve in this process, until it is told to stop."""
    # Only here: the server's side of the program costs a second to load.
    from broker.adapters.watching.metrics import Metrics
    from broker.app import build_broker

    def refuse_reload() -> None:
        reason = "the login store is in the memory of this process: restart it"
        report_workers(WorkerEvent.RELOAD_REFUSED, reason=reason)

    async def begin_refreshing() -> None:
        beside.append(asyncio.create_task(make_refresh_schedule(loaded).run()))

    beside: list[asyncio.Task[None]] = []
    metrics = Metrics()
    server = BrokerServer(
        server_config(loaded, build_broker(loaded, metrics=metrics)),
        limits=read_limits(loaded),
        on_started=begin_refreshing,
        on_hang_up=refuse_reload,
    )
    with metrics_at_their_port(loaded, metrics.expose):
        spare_the_collector()
        server.run(sockets=[listener])


def supervise(
    loaded: LoadedSettings,
    listener: socket.socket,
    *,
    look_again: Callable[[], LoadedSettings],
) -> None:
    """Run workers until this process is told to stop.

    Args:
        look_again: reads the settings of now.

    Raises:
        FederationProblems: the workers cannot start.
    """

    def plan_anew() -> Plan:
        try:
            new = look_again()
            check_same_address(new, loaded)
            problems = list(find_start_problems(new))
        except SettingsProblem as found:
            problems = find_problems(found)
        if problems:
            raise ReloadRefused("; ".join(map(describe, problems)))
        start_logs(new)  # a file that was moved away is opened anew
        return make_plan(new, environment)

    metrics = WorkerMetrics()
    environment = {**os.environ, **metrics.environment()}

    def report(event: WorkerEvent, **fields: str | int) -> None:
        report_workers(event, **fields)
        if event is WorkerEvent.STARTED:
            metrics.worker_began()
        elif event is WorkerEvent.ENDED:
            metrics.worker_ended(int(fields["pid"]), asked=bool(fields["told"]))

    try:
        with metrics_at_their_port(loaded, metrics.expose):
            plan = make_plan(loaded, environment)
            supervisor = Supervisor(listener, plan, report=report, look_again=plan_anew)
            asyncio.run(run_beside(supervisor.run(), make_refresh_schedule(loaded).run()))
    except WorkersRefused as why:
        raise FederationProblems(
            why.problems
            or [Problem("workers", "-", f"cannot start: {why}.", "See what they said above.")]
        ) from None
    finally:
        metrics.close()


async def run_beside(
    main: Coroutine[object, object, None], beside: Coroutine[object, object, None]
) -> None:
    """Run what the process is for, and something beside it for as long."""
    task = asyncio.create_task(beside)
    try:
        await main
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@click.command(hidden=True)
@config_option
@click.option("--listen", type=int, required=True, help="Descriptor of the listening socket.")
@click.option("--tie", "descriptor", type=int, required=True, help="Descriptor of the tie.")
def worker(config_folder: Path, listen: int, descriptor: int) -> None:
    """Be one worker of `serve`, which begins it."""
    tie, listener = SupervisorTie(descriptor), socket.socket(fileno=listen)
    listener.set_inheritable(False)
    try:
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        from broker.adapters.watching.metrics import Metrics
        from broker.app import build_broker

        broker = build_broker(loaded, metrics=Metrics())
    except Exception as found:
        tie.say(Refused(tuple(find_problems(found))))
        sys.exit(1)
    may_accept = asyncio.Event()

    def stop() -> None:
        server.stop()
        may_accept.set()

    async def say_alive() -> None:
        while True:
            tie.say(Alive(tuple(broker.health.failing())))
            await asyncio.sleep(BEAT_SECONDS)

    async def wait_for_permission() -> None:
        tie.listen(accept=may_accept.set, stop=stop, end_within_seconds=stop_seconds(loaded))
        tie.say(Started())
        tasks.append(asyncio.create_task(say_alive()))
        await may_accept.wait()

    tasks: list[asyncio.Task[None]] = []
    server = BrokerServer(
        server_config(loaded, broker), limits=read_limits(loaded), on_started=wait_for_permission
    )
    spare_the_collector()
    server.run(sockets=[listener])


def make_plan(loaded: LoadedSettings, environment: Mapping[str, str]) -> Plan:
    """Return how many workers the settings want, and how each is run."""
    own = (sys.executable, "-m", "broker", "worker", "--config", str(loaded.config_folder))
    return Plan(
        count=loaded.settings.server.workers,
        command=lambda listen, tie: (*own, "--listen", str(listen), "--tie", str(tie)),
        environment=environment,
        hung_seconds=loaded.settings.server.hung_seconds,
        stop_seconds=stop_seconds(loaded),
    )


def stop_seconds(loaded: LoadedSettings) -> float:
    """Return after how long a worker that was told to stop is ended."""
    return loaded.settings.server.drain_seconds + FINISH_WITHIN_SECONDS + SPARE_STOP_SECONDS


def find_start_problems(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield what keeps the broker from starting, as far as it can be seen without its keys.

    What only somebody can change counts; a Redis that is down may come back.
    """
    yield from find_tls_problems(loaded)
    found = find_store_problem(loaded)
    if found is not None and found.misconfigured:
        yield store_problem(found)


def check_same_address(new: LoadedSettings, old: LoadedSettings) -> None:
    """Refuse what a reload cannot change, because the listening socket stays.

    Raises:
        ReloadRefused: a restart would do it.
    """
    for path, before, now in (
        ("server.host", old.settings.server.host, new.settings.server.host),
        ("server.port", old.settings.server.port, new.settings.server.port),
        ("store.url", False, new.settings.store.url == MEMORY_URL),
    ):
        if before != now:
            raise ReloadRefused(f"{path} needs a restart")


def describe(problem: Problem) -> str:
    """Return a problem in one line."""
    return f"{problem.file}: {problem.path}: {problem.problem} {problem.remedy}"


def spare_the_collector() -> None:
    """Keep Python's cycle collector from walking the whole registry again and again.

    What is there at the start lives for good, and a login leaves few cycles behind; measured, a
    login costs a tenth less.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
