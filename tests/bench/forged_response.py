"""`forged-response`: what it costs to refuse a forgery, beside what an honest response costs.

Both are counted from the posted response to the answer: a code, or the page of the refusal with
the record by which the pupil may try again. With one worker and Redis.
"""

from collections.abc import Callable, Iterator
from statistics import median

import uvloop

from broker.saml_xml.elements import serialize
from tests.bench.broker_process import Running, serving_on_redis
from tests.bench.client import Connection, HttpAnswer, HttpRequest, UnexpectedAnswer
from tests.bench.figures import MILLISECONDS_A_SECOND, Line
from tests.bench.forgeries import FORGERIES
from tests.bench.logins import Driver
from tests.bench.progress import Bar
from tests.bench.schools import AtSchool, SamlSchool, post_response, read_request_id
from tests.bench.suppliers import OidcSupplier
from tests.bench.world import BenchWorld

HONEST = "honest"
POSTS = 60
"""Of each form in a round."""
ROUNDS = 5
CONCURRENCY = 8
REFUSED = range(400, 500)


def bench_forged_response(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """Compare each form of forgery with honest responses of the same rounds."""
    forms = [HONEST, *FORGERIES]
    advance = bar("forged-response", (ROUNDS + 1) * len(forms) * POSTS)
    with serving_on_redis(world, workers=1) as running:
        costs = uvloop.run(measure(world, running, forms, advance=advance))
    honest_ms = costs.pop(HONEST)
    ratios = {name: cost_ms / honest_ms for name, cost_ms in costs.items()}
    yield {
        "bench": "forged-response",
        "workers": 1,
        "cpu_ms_honest": round(honest_ms, 3),
        **{f"cpu_ms_{name}": round(cost_ms, 3) for name, cost_ms in costs.items()},
        "costliest": max(ratios, key=lambda name: ratios[name]),
        "ratio_costliest_to_honest": round(max(ratios.values()), 3),
        "posts_of_each": ROUNDS * POSTS,
        "warm_up_posts_of_each": POSTS,
    }


async def measure(
    world: BenchWorld, running: Running, forms: list[str], *, advance: Callable[[], None]
) -> dict[str, float]:
    """Return the CPU-milliseconds for one post of each form: the median of its rounds."""
    school = SamlSchool(world)
    driver = Driver(
        world,
        running,
        school=school,
        supplier=OidcSupplier(world),
        concurrency=CONCURRENCY,
        advance=advance,
    )
    costs: dict[str, list[float]] = {name: [] for name in forms}
    async with driver:
        for _ in range(ROUNDS + 1):
            for name in forms:
                _, at_school, _ = await driver.begin(POSTS)
                posts = [make_post(school, each, form=name) for each in at_school]
                step = accepted if name == HONEST else refused
                _, phase = await driver.count(posts, step)
                costs[name].append(phase.cpu_seconds * MILLISECONDS_A_SECOND / POSTS)
                for _ in posts:
                    advance()
    return {name: median(of_form[1:]) for name, of_form in costs.items()}


def make_post(school: SamlSchool, at_school: AtSchool, *, form: str) -> HttpRequest:
    """Return what the browser posts: an honest response, or a forged one."""
    if form == HONEST:
        return school.answer(at_school, pupil=0)
    return post_response(serialize(FORGERIES[form](school, read_request_id(at_school))), at_school)


async def accepted(connection: Connection, request: HttpRequest) -> HttpAnswer:
    """Post what must be let through."""
    answer = await connection.send(request)
    if answer.status != 303:
        raise UnexpectedAnswer(f"an honest response: {answer.status}")
    return answer


async def refused(connection: Connection, request: HttpRequest) -> HttpAnswer:
    """Post what must be refused."""
    answer = await connection.send(request)
    if answer.status not in REFUSED:
        raise UnexpectedAnswer(f"a forged response: {answer.status}")
    return answer
