"""`login-<school>-<supplier>` with the in-process store, and the same `-redis`."""

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import uvloop

from tests.bench.accounting import worker_megabytes
from tests.bench.broker_process import Running, serving, serving_on_redis
from tests.bench.client import UnexpectedAnswer
from tests.bench.figures import Line, cpu_ms_per_login, loaded_figures, median_round, single_figures
from tests.bench.logins import Driver, Round
from tests.bench.progress import Bar
from tests.bench.schools import OidcSchool, SamlSchool
from tests.bench.suppliers import OidcSupplier, SamlSupplier
from tests.bench.world import BenchWorld
from tests.bench.yardstick import RESPONSES, measure_rsa_decryption, measure_yardstick

PUPILS = 400
WARM_ROUNDS = 1
LOADED_ROUNDS = 5
CONCURRENCY = 8
"""Logins under way for each worker: what they share, as a commit, is dearer for fewer of them."""


@dataclass(frozen=True, slots=True)
class Journey:
    """From which kind of school to which kind of supplier."""

    school: Callable[[BenchWorld], SamlSchool | OidcSchool]
    supplier: Callable[[BenchWorld], OidcSupplier | SamlSupplier]


SAML_OIDC = Journey(SamlSchool, OidcSupplier)
SAML_SAML = Journey(SamlSchool, SamlSupplier)
OIDC_OIDC = Journey(OidcSchool, OidcSupplier)


@dataclass(frozen=True, slots=True)
class Measured:
    """Rounds with several logins under way, and one with one at a time.

    Attributes:
        memory_mb: of one worker, after them.
    """

    loaded: list[Round] = field(repr=False)
    single: Round = field(repr=False)
    memory_mb: float


async def measure(
    world: BenchWorld, running: Running, journey: Journey, *, bar: Bar, name: str
) -> Measured:
    """Let known pupils log in, after a first round that makes them known and is not counted."""
    loaded = await let_log_in(
        world,
        running,
        journey,
        [range(PUPILS)] * (WARM_ROUNDS + LOADED_ROUNDS),
        advance=bar(name, PUPILS * (WARM_ROUNDS + LOADED_ROUNDS)),
        concurrency=CONCURRENCY * running.workers,
    )
    (single,) = await let_log_in(
        world,
        running,
        journey,
        [range(PUPILS)],
        advance=bar(f"{name}, 1 at once", PUPILS),
        concurrency=1,
    )
    if len({each.subjects for each in (*loaded, single)}) != 1:
        raise UnexpectedAnswer("a pupil's subject changed")
    return Measured(loaded[WARM_ROUNDS:], single, worker_megabytes(running.pid))


async def let_log_in(
    world: BenchWorld,
    running: Running,
    journey: Journey,
    rounds: Sequence[Sequence[int]],
    *,
    advance: Callable[[], None],
    concurrency: int = CONCURRENCY,
) -> list[Round]:
    """Return a round for each list of pupils."""
    school = journey.school(world)
    driver = Driver(
        world,
        running,
        school=school,
        supplier=journey.supplier(world),
        concurrency=concurrency,
        advance=advance,
    )
    async with AsyncExitStack() as stack:
        if isinstance(school, OidcSchool):
            await stack.enter_async_context(school.answering())
        await stack.enter_async_context(driver)
        return [await driver.log_in(pupils) for pupils in rounds]


def describe(measured: Measured, running: Running, world: BenchWorld) -> Line:
    """Return the figures of one broker."""
    return {
        "workers": running.workers,
        **loaded_figures(measured.loaded),
        **single_figures(measured.single),
        "memory_mb": round(measured.memory_mb, 1),
        "start_seconds": round(running.start_seconds, 2),
        "logins": LOADED_ROUNDS * PUPILS,
        "warm_up_logins": WARM_ROUNDS * PUPILS,
        "concurrency": CONCURRENCY * running.workers,
        "known_pupils": PUPILS,
        "registered_schools": world.schools,
        "python": platform.python_version(),
    }


def bench_in_process(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """`login-saml-oidc`, with the yardstick beside it."""
    name = "login-saml-oidc"
    with serving(world) as running:
        measured = uvloop.run(measure(world, running, SAML_OIDC, bar=bar, name=name))
    yardstick_ms = measure_yardstick(world, advance=bar("pysaml2 with xmlsec1", RESPONSES))
    yield {
        "bench": name,
        **describe(measured, running, world),
        "yardstick_cpu_ms": round(yardstick_ms, 2),
        "yardstick_ratio": round(yardstick_ms / cpu_ms_per_login(median_round(measured.loaded)), 1),
        "rsa_decrypt_cpu_ms": round(measure_rsa_decryption(world), 3),
    }


def bench_on_redis(name: str, journey: Journey) -> Callable[[BenchWorld, Bar], Iterator[Line]]:
    """Return the benchmark of a journey with Redis: one worker, then two."""

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
                line["ratio_to_one_worker"] = round(cost_ms / alone_ms, 3)
            yield line

    return bench
