"""`forged-messages`: what it costs to refuse a forgery, beside what an honest message costs.

At three doors: a school's answer, a supplier's request, a supplier's logout. Each is counted from
the message to the answer: for an honest one what it leads to, for a forged one the page of the
refusal. With one worker and Redis.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from statistics import median

import uvloop

from broker.saml_xml.elements import serialize
from tests.bench.broker_process import Running, serving_on_redis
from tests.bench.client import Connection, HttpAnswer, HttpRequest, UnexpectedAnswer
from tests.bench.figures import MILLISECONDS_A_SECOND, Line
from tests.bench.forged_requests import LOGOUTS, REQUESTS, Door, encrypted_name
from tests.bench.forged_responses import FORGERIES
from tests.bench.logins import Driver
from tests.bench.progress import Bar
from tests.bench.schools import AtSchool, SamlSchool, post_response, read_request_id
from tests.bench.suppliers import OidcSupplier
from tests.bench.world import BenchWorld

HONEST = "honest"
HONEST_POST = "honest_post"
POSTS = 40
"""Of each form in a round."""
ROUNDS = 3
CONCURRENCY = 8
REFUSED = range(400, 500)

Post = Callable[[], HttpRequest]
Costs = dict[str, float]
"""Form -> CPU-milliseconds."""


def bench_forged_messages(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """Compare each form of forgery with honest messages of the same rounds and the same door."""
    doors: Mapping[str, Door] = {"request": REQUESTS, "logout": LOGOUTS}
    forms = len(FORGERIES) + 1 + sum(len(each.forgeries()) + 2 for each in doors.values()) + 1
    advance = bar("forged-messages", (ROUNDS + 1) * forms * POSTS)
    with serving_on_redis(world, workers=1) as running:
        costs = uvloop.run(measure(world, running, doors, advance=advance))
    ratios = {
        f"{door} {name}": cost_ms / at_door[HONEST]
        for door, at_door in costs.items()
        for name, cost_ms in at_door.items()
        if name not in (HONEST, HONEST_POST)
    }
    costliest = max(ratios, key=lambda name: ratios[name])
    yield {
        "bench": "forged-messages",
        "workers": 1,
        **{
            f"cpu_ms_{door}_{name}": round(cost_ms, 3)
            for door, at_door in costs.items()
            for name, cost_ms in at_door.items()
        },
        "costliest": costliest,
        "ratio_costliest_to_honest": round(ratios[costliest], 3),
        "posts_of_each": ROUNDS * POSTS,
        "warm_up_posts_of_each": POSTS,
    }


async def measure(
    world: BenchWorld,
    running: Running,
    doors: Mapping[str, Door],
    *,
    advance: Callable[[], None],
) -> dict[str, Costs]:
    """Return what each form costs at each door: the median of its rounds."""
    school = SamlSchool(world)
    driver = Driver(
        world,
        running,
        school=school,
        supplier=OidcSupplier(world),
        concurrency=CONCURRENCY,
        advance=advance,
    )
    async with driver:
        costs = {"response": await _measure_responses(driver, school, advance=advance)}
        for name, door in doors.items():
            makes = {HONEST: door.honest, HONEST_POST: door.honest_post, **door.forgeries()}
            if name == "logout":
                makes["encrypted_name"] = encrypted_name

            async def begin(form: str, makes: Mapping[str, Callable[..., HttpRequest]] = makes):  # type: ignore[no-untyped-def]
                return [makes[form](world) for _ in range(POSTS)]

            costs[name] = await _measure(driver, list(makes), begin, advance=advance)
    return costs


async def _measure_responses(
    driver: Driver, school: SamlSchool, *, advance: Callable[[], None]
) -> Costs:
    async def begin(form: str) -> list[HttpRequest]:
        _, at_school, _ = await driver.begin(POSTS)
        return [make_post(school, each, form=form) for each in at_school]

    return await _measure(driver, [HONEST, *FORGERIES], begin, advance=advance)


async def _measure(
    driver: Driver,
    forms: list[str],
    begin: Callable[[str], Awaitable[list[HttpRequest]]],
    *,
    advance: Callable[[], None],
) -> Costs:
    """Return the CPU-milliseconds for one message of each form."""
    costs: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(ROUNDS + 1):
        for name in forms:
            posts = await begin(name)
            step = accepted if name in (HONEST, HONEST_POST) else refused
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
    """Send what must be let through."""
    answer = await connection.send(request)
    if answer.status != 303:
        raise UnexpectedAnswer(f"an honest message: {answer.status} {answer.body[-600:]!r}")
    return answer


async def refused(connection: Connection, request: HttpRequest) -> HttpAnswer:
    """Send what must be refused."""
    answer = await connection.send(request)
    if answer.status not in REFUSED:
        raise UnexpectedAnswer(f"a forged message: {answer.status} {request.path[:60]}")
    return answer
