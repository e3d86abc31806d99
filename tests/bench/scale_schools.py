"""`scale-schools`: what a login, memory and start cost with few schools and with all there are.

With one worker and Redis for each size; the last one has 200,000 agreements too. The brokers serve
in turns, so that what else the machine does costs each as much, and the ratio is that of turns.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from statistics import median

import uvloop

from tests.bench.accounting import worker_megabytes
from tests.bench.broker_process import Running, serving_on_redis
from tests.bench.figures import Line, cpu_ms_per_login, loaded_figures
from tests.bench.logins import Round
from tests.bench.progress import Bar
from tests.bench.whole_logins import CONCURRENCY, PUPILS, SAML_OIDC, driving
from tests.bench.world import FOLDER, BenchWorld, prepare_world

SIZES = ((10, 10), (1_000, 1_000), (7_000, 200_000))
"""Schools and agreements."""

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Size:
    """A broker with so many schools.

    Attributes:
        started_mb: memory of its worker before the first login.
    """

    world: BenchWorld
    running: Running
    started_mb: float


def bench_scale_schools(bar: Bar) -> Iterator[Line]:
    """Measure each size in a world of its own."""
    advance = bar("scale-schools, in turns", PUPILS * (ROUNDS + 1) * len(SIZES))
    with ExitStack() as stack:
        sizes = []
        for schools, agreements in SIZES:
            folder = FOLDER.with_name(f"bench-scale-{schools}")
            world = prepare_world(folder, schools=schools, agreements=agreements)
            stack.callback(shutil.rmtree, folder)
            running = stack.enter_context(serving_on_redis(world, workers=1))
            sizes.append(Size(world, running, worker_megabytes(running.pid)))
        measured = uvloop.run(_take_turns(sizes, advance=advance))
        for size, rounds in zip(sizes, measured, strict=True):
            yield {
                "bench": "scale-schools",
                "schools": size.world.schools,
                "agreements": size.world.agreements,
                "workers": 1,
                **loaded_figures(rounds),
                "ratio_to_fewest_schools": round(_ratio(rounds, measured[0]), 3),
                "memory_mb": round(worker_megabytes(size.running.pid), 1),
                "memory_mb_at_start": round(size.started_mb, 1),
                "start_seconds": round(size.running.start_seconds, 2),
                "logins": ROUNDS * PUPILS,
                "warm_up_logins": PUPILS,
            }


async def _take_turns(sizes: Sequence[Size], *, advance: Callable[[], None]) -> list[list[Round]]:
    """Return the rounds of each size, but for the first, which makes the pupils known."""
    async with AsyncExitStack() as stack:
        drivers = [
            await stack.enter_async_context(
                driving(
                    each.world, each.running, SAML_OIDC, advance=advance, concurrency=CONCURRENCY
                )
            )
            for each in sizes
        ]
        turns = [
            [await driver.log_in(range(PUPILS)) for driver in drivers] for _ in range(ROUNDS + 1)
        ]
    return [list(rounds) for rounds in zip(*turns[1:], strict=True)]


def _ratio(rounds: Sequence[Round], of_fewest: Sequence[Round]) -> float:
    return median(
        cpu_ms_per_login(one) / cpu_ms_per_login(fewest)
        for one, fewest in zip(rounds, of_fewest, strict=True)
    )
