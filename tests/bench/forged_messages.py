"""`forged-messages`: what it costs to refuse a forgery, beside what an honest message costs.

At three doors: a school's answer, a supplier's request, a supplier's logout. Each is counted from
the message to the answer: for an honest one what it leads to, for a forged one the page of the
refusal. With one worker and Redis.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
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
POSTS = 20
"""Of each form in a round."""
ROUNDS = 3
CONCURRENCY = 8
REFUSED = range(400, 500)

Step = Callable[[Connection, HttpRequest], Awaitable[HttpAnswer]]
Begin = Callable[[str], Awaitable[list[HttpRequest]]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message of a form costs, and which honest form came the same way."""

    cpu_ms: float
    beside: str


def bench_forged_messages(world: BenchWorld, bar: Bar) -> Iterator[Line]:
    """Compare each form of forgery with honest messages of the same rounds, door and binding."""
    doors: Mapping[str, Door] = {"request": REQUESTS, "logout": LOGOUTS}
    forms = len(FORGERIES) + 1 + sum(len(each.forgeries()) + 2 for each in doors.values()) + 1
    advance = bar("forged-messages", (ROUNDS + 1) * forms * POSTS)
    with serving_on_redis(world, workers=1) as running:
        costs = uvloop.run(measure(world, running, doors, advance=advance))
    ratios = {
        f"{door}_{name}": cost.cpu_ms / at_door[cost.beside].cpu_ms
        for door, at_door in costs.items()
        for name, cost in at_door.items()
        if name not in (HONEST, HONEST_POST)
    }
    costliest = max(ratios, key=lambda name: ratios[name])
    yield {
        "bench": "forged-messages",
        "workers": 1,
        **{
            f"cpu_ms_{door}_{name}": round(cost.cpu_ms, 3)
            for door, at_door in costs.items()
            for name, cost in at_door.items()
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
) -> dict[str, dict[str, Cost]]:
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

    async def answer(form: str) -> list[HttpRequest]:
        _, at_school, _ = await driver.begin(POSTS)
        return [make_post(school, each, form=form) for each in at_school]

    async with driver:
        costs = {
            "response": await _measure(
                driver, [HONEST, *FORGERIES], answer, accept=accepted, advance=advance
            )
        }
        for name, door in doors.items():
            makes: dict[str, Callable[[BenchWorld], HttpRequest]] = {
                HONEST: door.honest,
                HONEST_POST: door.honest_post,
                **door.forgeries(),
            }
            if door is LOGOUTS:
                makes["encrypted_name"] = encrypted_name
            costs[name] = await _measure(
                driver,
                list(makes),
                partial(_make_all, world, makes),
                accept=logged_out if door is LOGOUTS else accepted,
                advance=advance,
            )
    return costs


async def _make_all(
    world: BenchWorld, makes: Mapping[str, Callable[[BenchWorld], HttpRequest]], form: str
) -> list[HttpRequest]:
    return [makes[form](world) for _ in range(POSTS)]


async def _measure(
    driver: Driver, forms: list[str], begin: Begin, *, accept: Step, advance: Callable[[], None]
) -> dict[str, Cost]:
    """Return what one message of each form costs."""
    costs: dict[str, list[float]] = {name: [] for name in forms}
    beside: dict[str, str] = {}
    for _ in range(ROUNDS + 1):
        for name in forms:
            posts = await begin(name)
            by_post = posts[0].form is not None and HONEST_POST in forms
            beside[name] = HONEST_POST if by_post else HONEST
            step = accept if name in (HONEST, HONEST_POST) else refused
            _, phase = await driver.count(posts, step)
            costs[name].append(phase.cpu_seconds * MILLISECONDS_A_SECOND / POSTS)
            for _ in posts:
                advance()
    return {name: Cost(median(found[1:]), beside[name]) for name, found in costs.items()}


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


async def logged_out(connection: Connection, request: HttpRequest) -> HttpAnswer:
    """Send a logout that must be let through, and go on to where it ends, with our answer."""
    taken = await accepted(connection, request)
    page = await connection.send(HttpRequest(taken.header("location"), cookies=taken.cookies))
    if b"SAMLResponse" not in page.header("location").encode() + page.body:
        raise UnexpectedAnswer(f"an honest logout: {page.status}")
    return page


async def refused(connection: Connection, request: HttpRequest) -> HttpAnswer:
    """Send what must be refused."""
    answer = await connection.send(request)
    if answer.status not in REFUSED:
        raise UnexpectedAnswer(f"a forged message: {answer.status} {request.path[:60]}")
    return answer
