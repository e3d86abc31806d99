"""From counted rounds to the figures of a line, units in their names."""

from collections.abc import Iterable, Sequence
from statistics import median, quantiles

from tests.bench.logins import Phase, Round

MILLISECONDS_A_SECOND = 1000

Line = dict[str, object]
"""One benchmark's figures, printed as a JSON object."""


def cpu_ms_per_login(measured: Round) -> float:
    """Return the CPU-milliseconds of the broker for one login."""
    return _milliseconds(measured.phases.values(), measured.logins)


def median_round(measured: Sequence[Round]) -> Round:
    """Return the round of median cost, so that what else the machine did counts less."""
    return sorted(measured, key=cpu_ms_per_login)[len(measured) // 2]


def loaded_figures(measured: Sequence[Round]) -> Line:
    """Return CPU and throughput with several logins under way, of the median round."""
    costs = [cpu_ms_per_login(each) for each in measured]
    middle = median_round(measured)
    wall_seconds = sum(phase.wall_seconds for phase in middle.phases.values())
    redis_ms = median(
        sum(phase.redis_cpu_seconds for phase in each.phases.values())
        * MILLISECONDS_A_SECOND
        / each.logins
        for each in measured
    )
    return {
        "cpu_ms_per_login": round(cpu_ms_per_login(middle), 3),
        **{
            f"cpu_ms_{name}": round(_milliseconds([phase], middle.logins), 3)
            for name, phase in middle.phases.items()
        },
        "cpu_ms_best_round": round(min(costs), 3),
        "cpu_ms_worst_round": round(max(costs), 3),
        "redis_cpu_ms_per_login": round(redis_ms, 3),
        "logins_per_second": round(middle.logins / wall_seconds, 1),
    }


def single_figures(measured: Round) -> Line:
    """Return latency with one login under way at a time: the sum of its requests."""
    waited = [
        sum(of_login) * MILLISECONDS_A_SECOND
        for of_login in zip(
            *(phase.waited_seconds for phase in measured.phases.values()), strict=True
        )
    ]
    return {
        "cpu_ms_per_login_unloaded": round(cpu_ms_per_login(measured), 3),
        **percentiles_of(waited),
    }


def percentiles_of(milliseconds: Sequence[float]) -> Line:
    """Return median and 99th percentile of what was waited."""
    percentiles = quantiles(milliseconds, n=100)
    return {"p50_ms": round(percentiles[49], 2), "p99_ms": round(percentiles[98], 2)}


def _milliseconds(phases: Iterable[Phase], logins: int) -> float:
    return sum(phase.cpu_seconds for phase in phases) * MILLISECONDS_A_SECOND / logins
