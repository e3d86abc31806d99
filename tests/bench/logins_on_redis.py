"""`login-<school>-<supplier>-redis`: one worker, then two, and what the second makes dearer.

The figures are taken on one core, like all others. Their ratio is not: two workers that take turns
on one core empty each other's cache, which would be charged to them. Measured on a machine of two
cores, from SAML schools, against one worker alone:

    two workers on one core                            1.09 to 1.11
    two brokers on one core that share nothing at all  1.13 to 1.17
    two workers, each on a core of its own             1.01 to 1.05
    two such brokers, each on a core of its own        1.00 to 1.02

So `ratio_to_one_worker` gives each worker a core of its own, as operators do, and the one worker
too, and lets both brokers serve in turns, so that what else the machine does costs both as much.
`ratio_on_one_core` is the other one, of the figures themselves.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import median

import uvloop

from tests.bench.accounting import CORES, every_core, spread_workers
from tests.bench.broker_process import Running, serving_on_redis
from tests.bench.figures import Line, cpu_ms_per_login, median_round
from tests.bench.progress import Bar
from tests.bench.whole_logins import CONCURRENCY, Journey, describe, driving, measure
from tests.bench.world import BenchWorld, prepare_world

TURNS = 12
PUPILS_A_TURN = 100


def bench_on_redis(name: str, journey: Journey) -> Callable[[BenchWorld, Bar], Iterator[Line]]:
    """Return the benchmark of a journey."""

    def bench(world: BenchWorld, bar: Bar) -> Iterator[Line]:
        alone_ms = 0.0
        for workers in (1, 2):
            title = f"{name}, workers: {workers}"
            with serving_on_redis(world, workers=workers) as running:
                measured = uvloop.run(measure(world, running, journey, bar=bar, name=title))
            line = {"bench": name, **describe(measured, running, world)}
            cost_ms = cpu_ms_per_login(median_round(measured.loaded))
            if workers == 1:
                alone_ms = cost_ms
            else:
                line["ratio_on_one_core"] = round(cost_ms / alone_ms, 3)
                if len(CORES) >= workers:
                    line["ratio_to_one_worker"] = round(_compare(world, journey, bar, name), 3)
            yield line

    return bench


def _compare(world: BenchWorld, journey: Journey, bar: Bar, name: str) -> float:
    """Return what a login costs with two workers, over what it costs with one."""
    beside = _prepare_once(world.folder.with_name("bench-beside"), world.schools)
    advance = bar(f"{name}, in turns", 2 * PUPILS_A_TURN * (TURNS + 1))
    with (
        every_core(),
        serving_on_redis(world, workers=1) as one,
        serving_on_redis(beside, workers=2) as two,
    ):
        for each in (one, two):
            spread_workers(each.pid)
        return uvloop.run(_take_turns((world, one), (beside, two), journey, advance=advance))


@cache
def _prepare_once(folder: Path, schools: int) -> BenchWorld:
    return prepare_world(folder, schools=schools)


async def _take_turns(
    one: tuple[BenchWorld, Running],
    two: tuple[BenchWorld, Running],
    journey: Journey,
    *,
    advance: Callable[[], None],
) -> float:
    pupils = range(PUPILS_A_TURN)
    ratios = []
    async with (
        driving(*one, journey, advance=advance, concurrency=CONCURRENCY) as of_one,
        driving(*two, journey, advance=advance, concurrency=2 * CONCURRENCY) as of_two,
    ):
        for _ in range(1 + TURNS):
            alone_ms = cpu_ms_per_login(await of_one.log_in(pupils))
            ratios.append(cpu_ms_per_login(await of_two.log_in(pupils)) / alone_ms)
    return median(ratios[1:])  # the first makes the pupils known
