"""Whole logins of known pupils, of any journey; `login-saml-oidc` with the in-process store."""

import platform
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import uvloop

from tests.bench.accounting import worker_megabytes
from tests.bench.broker_process import Running, serving
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
    async with driving(world, running, journey, advance=advance, concurrency=concurrency) as driver:
        return [await driver.log_in(pupils) for pupils in rounds]


@asynccontextmanager
async def driving(
    world: BenchWorld,
    running: Running,
    journey: Journey,
    *,
    advance: Callable[[], None],
    concurrency: int,
) -> AsyncIterator[Driver]:
    """Play the parties of a journey while the context lasts."""
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
        yield await stack.enter_async_context(driver)


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
