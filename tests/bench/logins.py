"""`login-saml-oidc`: whole logins from a SAML school to an OpenID Connect supplier.

A round lets every pupil log in once, each in a browser of its own, in phases:

    authorize   the supplier's request -> redirect to the school     counted
    prepare     the school's response, the supplier's assertion      not counted; the broker idles
    finish      the posted response -> code                          counted
    token       the code -> ID token                                 counted

The pupils are known already: a first round, not counted, writes their register rows. Counted is
the CPU time of the broker's processes by the operating system, so whatever threads and commits
cost is in it.
"""

import asyncio
import time
import zlib
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from lxml import etree

from broker.demo.addresses import LOOPBACK
from broker.jose.keys import parse_key_set
from broker.jose.tokens import verify_token
from tests.bench.accounting import cpu_seconds
from tests.bench.client import Connection, HttpAnswer, UnexpectedAnswer
from tests.bench.messages import (
    PlannedLogin,
    acs_form,
    build_response,
    first_name_of,
    plan_login,
    token_form,
)
from tests.bench.world import CLIENT_ID, REDIRECT_URI, SCHOOL_URL, BenchWorld

VERIFY_EVERY = 20
"""Of so many ID tokens one is verified with the broker's published keys; the rest are read."""

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


@dataclass(frozen=True, slots=True)
class StartedLogin:
    """A browser that stands at the school."""

    plan: PlannedLogin
    request_id: str
    relay_state: str
    cookies: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreparedLogin:
    """What browser and supplier will post."""

    started: StartedLogin
    response: bytes = field(repr=False)
    acs_form: bytes = field(repr=False)
    token_form: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Phase:
    """What one counted phase cost.

    Attributes:
        cpu_seconds: of the broker's processes.
        waited_seconds: of each login, in order.
    """

    cpu_seconds: float
    wall_seconds: float
    waited_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One login of every pupil.

    Attributes:
        subjects: of each pupil, in order.
        sample: one of the prepared logins, for the yardstick.
    """

    authorize: Phase
    finish: Phase
    token: Phase
    subjects: tuple[str, ...] = field(repr=False)
    sample: PreparedLogin = field(repr=False)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Return the counted phases in order."""
        return (self.authorize, self.finish, self.token)


class Driver:
    """Plays browsers, school and supplier against one broker.

    Args:
        pid: of the broker.
        concurrency: connections, each with one request under way.
        advance: called once for each request that was answered or prepared.
    """

    def __init__(
        self, world: BenchWorld, *, pid: int, concurrency: int, advance: Callable[[], None]
    ) -> None:
        self._world = world
        self._pid = pid
        self._advance = advance
        self._connections = [Connection(LOOPBACK, world.port) for _ in range(concurrency)]

    async def log_in_once_each(self, pupils: int) -> Round:
        """Let every pupil log in once, and hold that each login succeeded."""
        plans = [plan_login(pupil) for pupil in range(pupils)]
        started, authorize = await self._count(plans, start)
        prepared = [self._prepare(each) for each in started]
        codes, finish = await self._count(prepared, finish_at_school)
        redeemable = list(zip(prepared, codes, strict=True))
        id_tokens, token = await self._count(redeemable, redeem)
        subjects = await self._check(plans, id_tokens)
        return Round(authorize, finish, token, subjects, prepared[0])

    async def close(self) -> None:
        """Close the connections."""
        for each in self._connections:
            await each.close()

    def _prepare(self, started: StartedLogin) -> PreparedLogin:
        response = build_response(
            self._world,
            pupil=started.plan.pupil,
            request_id=started.request_id,
            now=datetime.now(UTC).replace(microsecond=0),
        )
        self._advance()
        return PreparedLogin(
            started=started,
            response=response,
            acs_form=acs_form(response, relay_state=started.relay_state),
            token_form=token_form(self._world, started.plan),
        )

    async def _count(
        self, inputs: Sequence[InputT], step: Callable[[Connection, InputT], Awaitable[OutputT]]
    ) -> tuple[list[OutputT], Phase]:
        """Take a step for each input, spread over the connections, and count what it cost."""
        outputs: dict[int, OutputT] = {}
        waited: dict[int, float] = {}
        queue = iter(enumerate(inputs))

        async def work(connection: Connection) -> None:
            for index, each in queue:
                began = time.perf_counter()
                outputs[index] = await step(connection, each)
                waited[index] = time.perf_counter() - began
                self._advance()

        cpu_before, began = cpu_seconds(self._pid), time.perf_counter()
        await asyncio.gather(*map(work, self._connections))
        wall_seconds = time.perf_counter() - began
        phase = Phase(
            cpu_seconds=cpu_seconds(self._pid) - cpu_before,
            wall_seconds=wall_seconds,
            waited_seconds=tuple(waited[index] for index in range(len(inputs))),
        )
        return [outputs[index] for index in range(len(inputs))], phase

    async def _check(self, plans: Iterable[PlannedLogin], id_tokens: list[str]) -> tuple[str, ...]:
        """Return each pupil's subject, after holding what every ID token says."""
        published = (await self._connections[0].get("/oidc/jwks")).body.decode()
        keys = parse_key_set(published)
        subjects = []
        for index, (plan, id_token) in enumerate(zip(plans, id_tokens, strict=True)):
            claims = read_claims(id_token)
            if index % VERIFY_EVERY == 0:
                claims = dict(verify_token(id_token, keys=keys, algorithms=("ES256",)).claims)
            expected = {
                "iss": self._world.addresses.issuer,
                "aud": CLIENT_ID,
                "nonce": plan.nonce,
                "given_name": first_name_of(plan.pupil),
            }
            wrong = [name for name, value in expected.items() if claims.get(name) != value]
            if wrong:
                raise UnexpectedAnswer(f"ID token: {', '.join(wrong)}")
            subjects.append(str(claims["sub"]))
        if len(set(subjects)) != len(subjects):
            raise UnexpectedAnswer("two pupils have one subject")
        return tuple(subjects)


async def start(connection: Connection, plan: PlannedLogin) -> StartedLogin:
    """Ask for a login; the answer sends the browser to the school."""
    answer = await connection.get(plan.path)
    query = _redirected(answer, to=f"{SCHOOL_URL}/saml/sso")
    request = zlib.decompress(b64decode(query["SAMLRequest"][0]), wbits=-zlib.MAX_WBITS)
    return StartedLogin(
        plan=plan,
        request_id=str(etree.fromstring(request).get("ID")),
        relay_state=query["RelayState"][0],
        cookies=answer.cookies,
    )


async def finish_at_school(connection: Connection, prepared: PreparedLogin) -> str:
    """Post the school's response; the answer sends the browser to the supplier with a code."""
    answer = await connection.post(
        "/saml/sp/acs", prepared.acs_form, cookies=prepared.started.cookies
    )
    query = _redirected(answer, to=REDIRECT_URI)
    if query.get("state") != [prepared.started.plan.state]:
        raise UnexpectedAnswer("the redirect to the supplier has another state")
    return query["code"][0]


async def redeem(connection: Connection, login: tuple[PreparedLogin, str]) -> str:
    """Return the ID token for a code."""
    prepared, code = login
    form = prepared.token_form + f"&code={quote(code)}".encode()
    answer = await connection.post("/oidc/token", form)
    if answer.status != 200:
        raise UnexpectedAnswer(f"token: {answer.status} {answer.body[:200]!r}")
    return str(msgspec.json.decode(answer.body)["id_token"])


def read_claims(token: str) -> dict[str, object]:
    """Return a token's claims without verifying it."""
    payload = token.split(".")[1]
    found: dict[str, object] = msgspec.json.decode(
        b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_")
    )
    return found


def _redirected(answer: HttpAnswer, *, to: str) -> dict[str, list[str]]:
    """Return the query of a redirect to a place."""
    location = answer.header("location")
    if answer.status != 303 or not location.startswith(f"{to}?"):
        raise UnexpectedAnswer(f"no redirect to {to}: {answer.status} {location}")
    return parse_qs(urlsplit(location).query)
