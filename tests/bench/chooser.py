"""`chooser`: searching among 7,000 schools, as a pupil types a name into the chooser."""

from collections.abc import Callable, Iterator
from time import perf_counter
from urllib.parse import quote

import uvloop

from broker.demo.addresses import LOOPBACK
from tests.bench.accounting import mark_cpu
from tests.bench.broker_process import Running, serving
from tests.bench.client import Connection, HttpRequest, UnexpectedAnswer
from tests.bench.documents import NAMES, TOWNS
from tests.bench.figures import MILLISECONDS_A_SECOND, Line, percentiles_of
from tests.bench.progress import Bar
from tests.bench.suppliers import OidcSupplier
from tests.bench.world import BenchWorld

ROUNDS = 10
QUERIES = (*NAMES, *TOWNS, "willem zwijger 41", "22ab", "zz", "school die er niet is")


def bench_chooser(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """Measure what a search costs: one browser, one search after another."""
    advance = bar("chooser", (ROUNDS + 1) * len(QUERIES))
    with serving(world) as running:
        yield {
            "bench": "chooser",
            "schools": world.schools,
            **uvloop.run(measure(world, running, advance=advance)),
        }


async def measure(world: BenchWorld, running: Running, *, advance: Callable[[], None]) -> Line:
    """Search every query a few times; the first time is not counted."""
    connection = Connection(LOOPBACK, world.port)
    asked = OidcSupplier(world).ask(brin="").request
    begun = await connection.send(HttpRequest(asked.path.replace("&idp_hint=", "")))
    place = begun.header("location")
    if not place.startswith("/schools?login="):
        raise UnexpectedAnswer(f"no chooser: {begun.status} {place}")
    waited_ms: list[float] = []

    async def search_all() -> None:
        for query in QUERIES:
            began = perf_counter()
            answer = await connection.send(
                HttpRequest(f"{place}&q={quote(query)}", cookies=begun.cookies)
            )
            waited_ms.append((perf_counter() - began) * MILLISECONDS_A_SECOND)
            if answer.status != 200:
                raise UnexpectedAnswer(f"chooser: {answer.status}")
            advance()

    await search_all()
    waited_ms.clear()
    before = mark_cpu(running.pid)
    for _ in range(ROUNDS):
        await search_all()
    cpu_ms = mark_cpu(running.pid).seconds_since(before) * MILLISECONDS_A_SECOND
    await connection.close()
    return {
        "searches": len(waited_ms),
        "cpu_ms_per_search": round(cpu_ms / len(waited_ms), 2),
        **percentiles_of(waited_ms),
    }
