"""`first-day`: the first of September, when every login writes a pupil into the register.

New pupils log in twice: the first time is counted as the first day, the second as usual. With one
worker and Redis. Each round has pupils of its own.
"""

from collections.abc import Iterator
from statistics import median

import uvloop

from tests.bench.broker_process import serving_on_redis
from tests.bench.figures import Line, cpu_ms_per_login, loaded_figures
from tests.bench.progress import Bar
from tests.bench.whole_logins import SAML_OIDC, let_log_in
from tests.bench.world import BenchWorld

PUPILS = 300
ROUNDS = 5
FIRST_PUPIL = 1_000_000
"""Past those of the other benchmarks, who are known already."""


def bench_first_day(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """Compare first logins with usual ones."""
    begin = FIRST_PUPIL
    rounds: list[range] = []
    for _ in range(ROUNDS + 1):
        rounds += [range(begin, begin + PUPILS)] * 2
        begin += PUPILS
    advance = bar("first-day", len(rounds) * PUPILS)
    with serving_on_redis(world, workers=1) as running:
        measured = uvloop.run(let_log_in(world, running, SAML_OIDC, rounds, advance=advance))
    first, usual = measured[2::2], measured[3::2]  # those of the first round warm the broker up
    usual_ms = median(map(cpu_ms_per_login, usual))
    yield {
        "bench": "first-day",
        "workers": 1,
        **loaded_figures(first),
        "cpu_ms_per_usual_login": round(usual_ms, 3),
        "ratio_to_usual_login": round(median(map(cpu_ms_per_login, first)) / usual_ms, 3),
        "logins": ROUNDS * PUPILS,
        "warm_up_logins": 2 * PUPILS,
    }
