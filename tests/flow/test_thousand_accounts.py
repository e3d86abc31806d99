"""A thousand accounts keyed on the ECK iD go prepare, on, back, on: none is lost, nor any work.

The flows, protocols and signatures are real, by SAML and by OpenID Connect; register, lists, quotas
and take-overs rest in SQLite, and are closed and opened anew (restarts) on the way. Pupils log in
eight at a time, by two workers, while the state moves.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.demo.accounts import Exercises
from broker.demo.people import VUURVOGEL, Person, made_up_eck_id
from broker.domain.attributes import ECK_ID
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import TakeoverState
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping
from broker.flow.takeover.takeover_pilot import ListDesk
from tests.builders import a_declaration, a_takeover
from tests.flow.login_answers import Browser, Received
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML, registry_of
from tests.flow.login_world import LoginWorld

PUPILS = 1000
AT_ONCE = 8
MADE_BEFORE = 3
SCHOOL, BIOSFEER = SchoolId("vuurvogel"), SupplierId("biosfeer")
SYSTEMS = (BIOSFEER_OIDC, BIOSFEER_SAML)


def a_pupil(number: int) -> Person:
    return Person(
        f"pupil-{number}",
        VUURVOGEL,
        {
            "uid": (f"pupil-{number}@vuurvogel.example",),
            "employeeNumber": (f"77{number:05}",),
            "givenName": ("Kim",),
            "eduPersonAffiliation": ("student",),
            "nlEduPersonHomeOrganizationId": ("11AA",),
            "eckId": (made_up_eck_id(f"pupil {number}"),),
        },
    )


def eck_id_of(pupil: Person) -> str:
    return pupil.attributes["eckId"][0]


@dataclass
class School:
    """A thousand pupils, the supplier with their accounts, and a broker that is restarted."""

    folder: Path
    world: LoginWorld = field(default_factory=LoginWorld)
    accounts: Exercises = field(default_factory=Exercises)
    pupils: Sequence[Person] = tuple(map(a_pupil, range(PUPILS)))
    made: dict[str, int] = field(default_factory=dict)
    turn: int = 0

    def set_up(self) -> None:
        """Let the supplier be entitled and the school approve; accounts of before are there."""
        for name in ("registry", "register"):
            upgrade_database(self.folder / f"{name}.db", name)  # type: ignore[arg-type]
        for pupil in self.pupils:
            self.accounts.keep_before(eck_id_of(pupil), made=MADE_BEFORE)
            self.made[pupil.id] = MADE_BEFORE
        supplier = self.world.records["biosfeer"]
        agreement = self.world.records["vuurvogel/biosfeer"]
        last_day = self.world.now.date() + timedelta(days=365)
        self.world.change(
            "biosfeer",
            eck_id_entitled=True,
            attributes=(*supplier.attributes, a_declaration(name=ECK_ID)),
        )
        self.world.change(
            "vuurvogel/biosfeer", approved=agreement.approved | {ECK_ID}, last_day=last_day
        )
        self.restart()
        self.takeovers.sign(
            a_takeover(
                TakeoverState.NONE,
                supplier=BIOSFEER,
                last_day=self.world.now.date() + timedelta(days=100),
                quota=2 * PUPILS,
            ),
            by="anna and bea",
            at=self.world.now,
        )

    @property
    def takeovers(self) -> SqliteTakeovers:
        return SqliteTakeovers(self.folder / "registry.db")

    def restart(self) -> None:
        """Open what rests anew, by two workers that share nothing else."""
        world = self.world
        world.register = SqlitePersonRegister(self.folder / "register.db")  # type: ignore[assignment]
        world.takeover_lists = SqliteTakeoverLists(self.folder / "register.db")  # type: ignore[assignment]
        self.workers = [world.make_worker(world.store) for _ in range(2)]
        self.follow()

    async def stop(self) -> None:
        await self.world.register.close()  # type: ignore[attr-defined]
        await self.world.takeover_lists.close()  # type: ignore[attr-defined]

    def follow(self) -> None:
        """Put in force what the registry holds, as a worker does when its version moves."""
        loaded = SqliteRegistry(self.folder / "registry.db").load().takeovers
        records = {f"takeover {each.school}": each for each in loaded.values()}
        self.world.records |= records
        self.world.snapshots.swap(registry_of(self.world.records))

    def move(self, to: TakeoverState) -> None:
        (stored,) = self.takeovers.all()
        self.takeovers.move(stored.takeover, to=to, by="root", at=self.world.now)
        self.follow()

    async def arrive(self, pupil: Person, **changes: Any) -> Received:
        """Log in by the next route and worker, and make an exercise at the supplier."""
        self.turn += 1
        party, worker = SYSTEMS[self.turn % 2], self.workers[self.turn // 2 % 2]
        received = await log_in(self.world, worker, pupil, party, **changes)
        self.accounts.arrive(received.subject, received.claims)
        self.accounts.add(received.subject)
        self.made[pupil.id] += 1
        return received

    async def all_arrive(self, pupils: Sequence[Person], *, moves_to: str = "") -> None:
        """Let pupils log in, some at a time; in the middle the state moves, if it is to."""
        for start in range(0, len(pupils), AT_ONCE):
            if moves_to and start >= len(pupils) // 2:
                self.move(TakeoverState(moves_to))
                moves_to = ""
            await asyncio.gather(*map(self.arrive, pupils[start : start + AT_ONCE]))

    async def put_list(self, kind: ListKind, stated: Sequence[str], digest: bytes) -> int:
        desk = ListDesk(
            registry=self.world.snapshots.registry,
            lists=self.world.takeover_lists,
            register=self.world.register,
            register_keys=self.world.keys.register,
            root=self.world.keys.root,
            audit=self.world.audit,
            clock=self.world.clock,
            random=self.world.random,
        )
        of = ListOf(kind, SCHOOL, BIOSFEER)
        if kind is ListKind.PILOT:
            return (await desk.put_pilot(of, stated)).new
        return (await desk.put_pupils(of, stated, digest=digest, dry_run=False)).new

    async def map(self, pupils: Sequence[Person]) -> int:
        """Ask which pseudonyms belong to accounts, write them down, and tell how many came."""
        mapping = TakeoverMapping(
            ports=MappingPorts(
                register=self.world.register,
                lists=self.world.takeover_lists,
                keys=self.world.keys.register,
                root=self.world.keys.root,
                pairwise=self.world.keys.pairwise,
                settled_after_days=14,
                random=self.world.random,
            ),
            store=self.takeovers,
            asked_per_school=10 * PUPILS,
            audit=self.world.audit,
            clock=self.world.clock,
        )
        answers = await mapping.answer(
            list(map(eck_id_of, pupils)),
            school=SCHOOL,
            supplier=BIOSFEER,
            registry=self.world.snapshots.registry,
        )
        found = [(pupil, each) for pupil, (_, each) in zip(pupils, answers, strict=True) if each]
        for pupil, pseudonym in found:
            self.accounts.take_over(eck_id_of(pupil), pseudonym)
        return len(found)

    def work_of(self, pupil: Person, received: Received) -> tuple[int, int]:
        return self.accounts.count(received.subject), self.made[pupil.id]


async def log_in(
    world: LoginWorld, worker: Any, pupil: Person, party: Any, **changes: Any
) -> Received:
    """Run one login by one worker."""
    world.use(worker)
    browser = Browser()
    at_school = await world.go_to_school(browser, party, SCHOOL)
    answer = await world.come_back(browser, at_school, pupil, **changes)
    return await world.receive(answer, party)


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    school = School(tmp_path)
    school.set_up()
    yield school
    await school.stop()


async def test_a_thousand_accounts_stay_a_thousand(school: School) -> None:
    pupils = school.pupils
    by_number, at_prepare, listed = pupils[:50], pupils[50:400], pupils[400:900]
    in_between, never_before = pupils[900:950], pupils[950:]

    # Some are known by the school's number already, with no ECK iD in their logins: they have a
    # second account at the supplier, until a join tells it by `previous_sub`.
    for start in range(0, len(by_number), AT_ONCE):
        together = by_number[start : start + AT_ONCE]
        await asyncio.gather(*(school.arrive(each, stated={"eckId": None}) for each in together))
    assert len(school.accounts.accounts) == PUPILS + len(by_number)
    school.move(TakeoverState.PREPARE)
    await school.all_arrive(at_prepare)
    await school.stop()
    school.restart()

    # Those who did not log in are asked about, as far as the school signed for them.
    digest = bytes(range(32))
    (stored,) = school.takeovers.all()
    school.takeovers.sign(
        replace(stored.takeover, pupils=digest), by="anna and bea", at=school.world.now
    )
    school.follow()
    signed = [*by_number, *listed]
    assert await school.put_list(ListKind.PUPILS, list(map(eck_id_of, signed)), digest) == 550
    assert await school.map(pupils) == 900
    (stored,) = school.takeovers.all()
    assert stored.asked == PUPILS

    # On, while pupils log in; who was never asked about nor seen begins anew, for now.
    await school.all_arrive([*by_number, *at_prepare[:100], *in_between], moves_to="on")
    assert len(school.accounts.accounts) >= PUPILS
    await school.all_arrive(listed[:100])
    school.world.wait(days=1)

    # Back, with a restart: the fresh ones turn out to be pupils who have an account.
    school.move(TakeoverState.BACK)
    await school.stop()
    school.restart()
    await school.all_arrive([*in_between, *never_before, *at_prepare[:50]])
    assert len(school.accounts.accounts) == PUPILS

    # On for good, everybody; and the supplier deletes the ECK iDs that it has.
    await school.all_arrive(in_between, moves_to="on")
    school.accounts.forget_eck_ids()
    last: dict[str, Received] = {}
    for start in range(0, PUPILS, AT_ONCE):
        together = pupils[start : start + AT_ONCE]
        arrived = await asyncio.gather(*map(school.arrive, together))
        last |= {pupil.id: each for pupil, each in zip(together, arrived, strict=True)}

    assert len(school.accounts.accounts) == PUPILS
    assert all("eck_id" not in each.claims and "eckId" not in each.claims for each in last.values())
    lost = [pupil.id for pupil in pupils if len(set(school.work_of(pupil, last[pupil.id]))) != 1]
    assert lost == []
    assert len({each.subject for each in last.values()}) == PUPILS
