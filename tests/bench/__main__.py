"""`make bench`: run the benchmarks against one broker and print a JSON line for each.

One driver process on loopback and one broker process, on one core between them (`share_cores`).
"""

import platform
from collections.abc import Callable, Sequence
from statistics import quantiles

import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.accounting import Cores, memory_megabytes, share_cores
from tests.bench.chooser import QUERIES, ROUNDS, measure_chooser
from tests.bench.client import UnexpectedAnswer
from tests.bench.logins import Driver, Round
from tests.bench.world import SCHOOLS, BenchWorld, prepare_world, serving
from tests.bench.yardstick import RESPONSES, measure_rsa_decryption, measure_yardstick

PUPILS = 500
LOADED_ROUNDS = 7
CONCURRENCY = 8
STEPS_A_LOGIN = 4
MILLISECONDS_A_SECOND = 1000

Bar = Callable[[str, int], Callable[[], None]]
"""Opens a progress bar with a name and a total; what it returns moves it on by one."""


def main() -> None:
    """Run everything and print the figures on standard output, the progress on standard error."""
    cores = share_cores()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:

        def bar(name: str, total: int) -> Callable[[], None]:
            task = progress.add_task(name, total=total)
            return lambda: progress.advance(task)

        prepared = bar("set up", 1)
        world = prepare_world()
        prepared()
        with serving(world, core=cores.broker) as pid:
            lines = uvloop.run(measure(world, pid=pid, cores=cores, bar=bar))
    for line in lines:
        print(msgspec.json.encode(line).decode())  # noqa: T201 -- what a benchmark is for


async def measure(
    world: BenchWorld, *, pid: int, cores: Cores, bar: Bar
) -> list[dict[str, object]]:
    """Return the figures of every benchmark."""
    warm = await rounds(world, pid=pid, bar=bar, name="first logins", count=1)
    loaded = await rounds(
        world, pid=pid, bar=bar, name=f"logins, {CONCURRENCY} at once", count=LOADED_ROUNDS
    )
    single = await rounds(world, pid=pid, bar=bar, name="logins, 1 at once", count=1, concurrency=1)
    memory_mb = memory_megabytes(pid)
    if len({each.subjects for each in (*warm, *loaded, *single)}) != 1:
        raise UnexpectedAnswer("a pupil's subject changed")
    yardstick_ms = measure_yardstick(
        world, single[-1].sample, advance=bar("pysaml2 with xmlsec1", RESPONSES)
    )
    logins = {
        "bench": "login-saml-oidc",
        **loaded_figures(loaded),
        **single_figures(single[0]),
        "memory_mb": round(memory_mb, 1),
        "yardstick_cpu_ms": round(yardstick_ms, 2),
        "yardstick_ratio": round(yardstick_ms / cpu_ms_per_login(median_round(loaded)), 1),
        "logins": LOADED_ROUNDS * PUPILS,
        "concurrency": CONCURRENCY,
        "known_pupils": PUPILS,
        "registered_schools": SCHOOLS,
        "broker_processes": 1,
        "rsa_decrypt_cpu_ms": round(measure_rsa_decryption(world), 3),
        "broker_core": cores.broker,
        "driver_core": cores.driver,
        "python": platform.python_version(),
    }
    advance = bar("searches among schools", ROUNDS * len(QUERIES))
    return [logins, await measure_chooser(world, pid=pid, advance=advance)]


async def rounds(
    world: BenchWorld,
    *,
    pid: int,
    bar: Bar,
    name: str,
    count: int,
    concurrency: int = CONCURRENCY,
) -> list[Round]:
    """Let every pupil log in `count` times."""
    advance = bar(name, count * PUPILS * STEPS_A_LOGIN)
    driver = Driver(world, pid=pid, concurrency=concurrency, advance=advance)
    try:
        return [await driver.log_in_once_each(PUPILS) for _ in range(count)]
    finally:
        await driver.close()


def cpu_ms_per_login(measured: Round) -> float:
    """Return the CPU-milliseconds of the broker for one login."""
    return sum(phase.cpu_seconds for phase in measured.phases) * MILLISECONDS_A_SECOND / PUPILS


def median_round(measured: Sequence[Round]) -> Round:
    """Return the round of median cost, so that what else the machine did counts less."""
    return sorted(measured, key=cpu_ms_per_login)[len(measured) // 2]


def loaded_figures(measured: Sequence[Round]) -> dict[str, object]:
    """Return CPU and throughput with several logins under way, of the median round."""
    costs = [cpu_ms_per_login(each) for each in measured]
    median = median_round(measured)
    steps = {"authorize": median.authorize, "finish": median.finish, "token": median.token}
    return {
        "cpu_ms_per_login": round(cpu_ms_per_login(median), 3),
        **{
            f"cpu_ms_{name}": round(phase.cpu_seconds * MILLISECONDS_A_SECOND / PUPILS, 3)
            for name, phase in steps.items()
        },
        "cpu_ms_best_round": round(min(costs), 3),
        "cpu_ms_worst_round": round(max(costs), 3),
        "logins_per_second": round(PUPILS / sum(each.wall_seconds for each in median.phases), 1),
    }


def single_figures(measured: Round) -> dict[str, object]:
    """Return latency with one login under way at a time: the sum of its three requests."""
    waited = [
        sum(of_login) * MILLISECONDS_A_SECOND
        for of_login in zip(*(phase.waited_seconds for phase in measured.phases), strict=True)
    ]
    percentiles = quantiles(waited, n=100)
    return {
        "cpu_ms_per_login_unloaded": round(cpu_ms_per_login(measured), 3),
        "p50_ms": round(percentiles[49], 2),
        "p99_ms": round(percentiles[98], 2),
    }


if __name__ == "__main__":
    main()
