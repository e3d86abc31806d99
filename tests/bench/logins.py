"""Whole logins against one broker, in rounds of counted phases.

A round lets every pupil log in once, each in a browser of its own:

    authorize   the supplier's request -> redirect to the school     counted
    prepare     the school's answer                                  not counted; the broker idles
    finish      the school's answer -> the supplier's                counted
    token       the code -> ID token (OpenID Connect suppliers)      counted

Counted is the CPU time of all processes of the broker by the operating system, so whatever threads,
commits and a supervisor cost is in it; that of Redis beside it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from broker.demo.addresses import LOOPBACK
from tests.bench.accounting import CpuMark, mark_cpu
from tests.bench.broker_process import Running
from tests.bench.client import Connection, HttpRequest, UnexpectedAnswer
from tests.bench.schools import AtSchool, School, first_name_of
from tests.bench.suppliers import Asked, Supplier, read_id_token, redeem
from tests.bench.world import BenchWorld

VERIFY_EVERY = 20
"""Of so many answers one is verified with the broker's published keys; the rest are read."""

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


@dataclass(frozen=True, slots=True)
class Phase:
    """What one counted phase cost.

    Attributes:
        cpu_seconds: of the broker's processes.
        redis_cpu_seconds: of its Redis; 0 without.
        waited_seconds: of each login, in order.
    """

    cpu_seconds: float
    redis_cpu_seconds: float
    wall_seconds: float
    waited_seconds: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Round:
    """One login of each of some pupils.

    Attributes:
        subjects: of each pupil, in order.
    """

    phases: Mapping[str, Phase]
    subjects: tuple[str, ...] = field(repr=False)

    @property
    def logins(self) -> int:
        """Return how many logins it held."""
        return len(self.subjects)


class Driver:
    """Plays browsers, one school and one supplier against one broker.

    Args:
        concurrency: connections, each with one request under way.
        advance: called once for each login, when it is done.
    """

    def __init__(
        self,
        world: BenchWorld,
        running: Running,
        *,
        school: School,
        supplier: Supplier,
        concurrency: int,
        advance: Callable[[], None],
    ) -> None:
        self._running = running
        self._school = school
        self._supplier = supplier
        self._advance = advance
        self._connections = [Connection(LOOPBACK, world.port) for _ in range(concurrency)]

    async def __aenter__(self) -> "Driver":
        await self._supplier.learn(self._connections[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._connections:
            await each.close()

    async def log_in(self, pupils: Sequence[int]) -> Round:
        """Let every pupil log in once, and hold that each login succeeded."""
        asked, at_school, authorize = await self.begin(len(pupils))
        answers = [
            self._school.answer(each, pupil=pupil)
            for each, pupil in zip(at_school, pupils, strict=True)
        ]
        messages, finish = await self.count(list(zip(answers, asked, strict=True)), self._finish)
        phases = {"authorize": authorize, "finish": finish}
        if self._supplier.redeems:
            codes = list(zip(messages, asked, strict=True))
            messages, phases["token"] = await self.count(codes, _redeem)
        subjects = self._check(pupils, messages, asked)
        return Round(phases, subjects)

    async def begin(self, logins: int) -> tuple[list[Asked], list[AtSchool], Phase]:
        """Let so many browsers go to the school."""
        asked = [self._supplier.ask(brin=self._school.brin) for _ in range(logins)]
        at_school, authorize = await self.count([each.request for each in asked], self._arrive)
        return asked, at_school, authorize

    async def count(
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

        before, redis_before, began = *self._mark(), time.perf_counter()
        await asyncio.gather(*map(work, self._connections))
        wall_seconds, (after, redis_after) = time.perf_counter() - began, self._mark()
        phase = Phase(
            cpu_seconds=after.seconds_since(before),
            redis_cpu_seconds=redis_after.seconds_since(redis_before),
            wall_seconds=wall_seconds,
            waited_seconds=tuple(waited[index] for index in range(len(inputs))),
        )
        return [outputs[index] for index in range(len(inputs))], phase

    def _mark(self) -> tuple[CpuMark, CpuMark]:
        redis = self._running.redis_pid
        return mark_cpu(self._running.pid), CpuMark({}) if redis is None else mark_cpu(redis)

    async def _arrive(self, connection: Connection, request: HttpRequest) -> AtSchool:
        return self._school.arrive(await connection.send(request))

    async def _finish(self, connection: Connection, brought: tuple[HttpRequest, Asked]) -> str:
        request, asked = brought
        return self._supplier.receive(await connection.send(request), asked)

    def _check(
        self, pupils: Sequence[int], messages: Sequence[str], asked: Sequence[Asked]
    ) -> tuple[str, ...]:
        """Return each pupil's subject, after holding what every answer says."""
        subjects = []
        for index, (pupil, message, each) in enumerate(zip(pupils, messages, asked, strict=True)):
            subject, first_name = self._supplier.read(
                message, each, verify=index % VERIFY_EVERY == 0
            )
            if first_name != first_name_of(pupil):
                raise UnexpectedAnswer("a first name is another pupil's")
            subjects.append(subject)
            self._advance()
        if len(set(subjects)) != len(subjects):
            raise UnexpectedAnswer("two pupils have one subject")
        return tuple(subjects)


async def _redeem(connection: Connection, login: tuple[str, Asked]) -> str:
    code, asked = login
    return read_id_token(await connection.send(redeem(code, asked)))
