"""`scale-schools`: what a login, memory and start cost with few schools and with all there are.

With one worker and Redis. The last size has 200,000 agreements too.
"""

import shutil
from collections.abc import Iterator

import uvloop

from tests.bench.accounting import worker_megabytes
from tests.bench.broker_process import serving_on_redis
from tests.bench.figures import Line, cpu_ms_per_login, loaded_figures, median_round
from tests.bench.progress import Bar
from tests.bench.whole_logins import PUPILS, SAML_OIDC, let_log_in
from tests.bench.world import FOLDER, prepare_world

SIZES = ((10, 10), (1_000, 1_000), (7_000, 200_000))
"""Schools and agreements."""

ROUNDS = 5


def bench_scale_schools(bar: Bar) -> Iterator[Line]:
    """Measure each size in a world of its own."""
    smallest_ms = 0.0
    for schools, agreements in SIZES:
        title = f"scale-schools, {schools:,} and {agreements:,} agreements"
        advance = bar(title, PUPILS * (ROUNDS + 1))
        world = prepare_world(
            FOLDER.with_name("bench-scale"), schools=schools, agreements=agreements
        )
        with serving_on_redis(world, workers=1) as running:
            started_mb = worker_megabytes(running.pid)
            rounds = [range(PUPILS)] * (ROUNDS + 1)
            measured = uvloop.run(let_log_in(world, running, SAML_OIDC, rounds, advance=advance))
            memory_mb = worker_megabytes(running.pid)
        cost_ms = cpu_ms_per_login(median_round(measured[1:]))
        smallest_ms = smallest_ms or cost_ms
        yield {
            "bench": "scale-schools",
            "schools": schools,
            "agreements": world.agreements,
            "workers": 1,
            **loaded_figures(measured[1:]),
            "ratio_to_fewest_schools": round(cost_ms / smallest_ms, 3),
            "memory_mb": round(memory_mb, 1),
            "memory_mb_at_start": round(started_mb, 1),
            "start_seconds": round(running.start_seconds, 2),
            "logins": ROUNDS * PUPILS,
            "warm_up_logins": PUPILS,
        }
        shutil.rmtree(world.folder)
