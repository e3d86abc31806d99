"""`chooser`: searching among 7,000 schools, as a pupil types a name into the chooser."""

from collections.abc import Callable
from statistics import quantiles
from time import perf_counter
from urllib.parse import quote

from broker.demo.addresses import LOOPBACK
from tests.bench.accounting import cpu_seconds
from tests.bench.client import Connection, UnexpectedAnswer
from tests.bench.messages import plan_login
from tests.bench.world import NAMES, SCHOOLS, TOWNS, BenchWorld

MILLISECONDS_A_SECOND = 1000
ROUNDS = 10
QUERIES = (*NAMES, *TOWNS, "willem zwijger 41", "22ab", "zz", "school die er niet is")


async def measure_chooser(
    world: BenchWorld, *, pid: int, advance: Callable[[], None]
) -> dict[str, object]:
    """Return what a search costs: one browser, one search after another."""
    connection = Connection(LOOPBACK, world.port)
    path = plan_login(0).path.partition("&idp_hint=")[0]
    begun = await connection.get(path)
    place, cookies = begun.header("location"), begun.cookies
    if not place.startswith("/schools?login="):
        raise UnexpectedAnswer(f"no chooser: {begun.status} {place}")
    before = cpu_seconds(pid)
    waited = []
    for _ in range(ROUNDS):
        for query in QUERIES:
            began = perf_counter()
            answer = await connection.get(f"{place}&q={quote(query)}", cookies=cookies)
            waited.append(perf_counter() - began)
            if answer.status != 200:
                raise UnexpectedAnswer(f"chooser: {answer.status}")
            advance()
    searches = len(waited)
    await connection.close()
    percentiles = quantiles(waited, n=100)
    return {
        "bench": "chooser",
        "schools": SCHOOLS,
        "searches": searches,
        "cpu_ms_per_search": round(
            (cpu_seconds(pid) - before) * MILLISECONDS_A_SECOND / searches, 2
        ),
        "p50_ms": round(percentiles[49] * MILLISECONDS_A_SECOND, 2),
        "p99_ms": round(percentiles[98] * MILLISECONDS_A_SECOND, 2),
    }
