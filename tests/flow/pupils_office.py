"""The console's desks about pupils, over the world of a login; and people at work in them."""

import asyncio
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Self

from broker.demo.people import Person
from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.domain.federation import School
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_audit import AuditPage, ConsoleEntry
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.own_pupils.known_pupils import OwnPupils
from broker.flow.own_pupils.pseudonym_finder import PseudonymFinder
from broker.flow.own_pupils.pupil_lists import ListedPupil
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_reading import PersonReader
from broker.flow.requests.deciding import OfficerDesk
from broker.flow.requests.filing import RequestDesk
from broker.flow.shielding.shield_desk import ShieldDesk
from broker.flow.shielding.shields import Shielding
from tests import builders_saml as saml
from tests.flow.login_world import LoginWorld
from tests.flow.memory_quotas import MemoryQuotas


@dataclass
class ListedEntries:
    """A `ConsoleAudit` in memory."""

    entries: list[ConsoleEntry] = field(default_factory=list)

    async def record(self, *entries: ConsoleEntry) -> None:
        self.entries += entries

    def look(self, **_: object) -> AuditPage:
        return AuditPage((), 0)

    def verify(self) -> int | None:
        return None

    @property
    def last(self) -> ConsoleEntry:
        return self.entries[-1]


class Office:
    """The desks of one world."""

    def __init__(self, world: LoginWorld, *, lines_a_day: int = 100) -> None:
        self.world = world
        self.entries = ListedEntries()
        self.quotas = MemoryQuotas()
        lists = SchoolLists(world.enrolments, world.keys.enrolment, EnrolmentRules())
        self.pupils = OwnPupils(lists, world.register, world.keys.register, world.keys.root)
        self.shields = ShieldDesk(
            pupils=self.pupils,
            shielding=Shielding(world.shields, world.keys.shields, world.random),
            snapshots=world.snapshots,
            console_audit=self.entries,
            audit=world.audit,
            clock=world.clock,
            random=world.random,
        )
        self.requests = RequestDesk(
            book=world.shields,
            keys=world.keys.shields,
            clock=world.clock,
            random=token_bytes,
            audit=world.audit,
            days=28,
        )
        self.officer = OfficerDesk(
            book=world.shields,
            keys=world.keys.shields,
            pupils=self.pupils,
            snapshots=world.snapshots,
            console_audit=self.entries,
            audit=world.audit,
            clock=world.clock,
        )
        self.finder = PseudonymFinder(
            pupils=self.pupils,
            reader=PersonReader(world.register, world.keys.register, JoinRules()),
            pairwise=world.keys.pairwise,
            quotas=self.quotas,
            snapshots=world.snapshots,
            console_audit=self.entries,
            audit=world.audit,
            clock=world.clock,
            lines_a_day=lines_a_day,
        )

    def school(self, name: str = "vuurvogel") -> School:
        found: School = self.world.records[name]
        return found


def number_of(person: Person) -> str:
    return person.attributes["employeeNumber"][0]


def listed(*identifiers: str) -> list[ListedPupil]:
    return [ListedPupil(line, (each,)) for line, each in enumerate(identifiers, start=1)]


def somebody(*roles: Role, school: str = "vuurvogel", groups: tuple[str, ...] = ()) -> Actor:
    """Return who holds roles at a school, and has just logged in."""
    held = tuple(HeldRole(each, PlaceKind.SCHOOL, school) for each in roles)
    return Actor(ConsoleUserId("u" * 32), ActorKind.PERSON, held, since=saml.NOW, groups=groups)


def an_operator() -> Actor:
    held = (HeldRole(Role.OPERATOR, PlaceKind.FEDERATION),)
    return Actor(ConsoleUserId("o" * 32), ActorKind.OPERATOR, held, since=saml.NOW)


def a_supplier_admin() -> Actor:
    held = (HeldRole(Role.SUPPLIER_ADMIN, PlaceKind.SUPPLIER, "rekenrijk"),)
    return Actor(ConsoleUserId("s" * 32), ActorKind.PERSON, held, since=saml.NOW)


ADMIN, OFFICER = somebody(Role.SCHOOL_ADMIN), somebody(Role.PRIVACY_OFFICER)
"""Of De Vuurvogel."""

STRANGERS = (
    somebody(Role.SCHOOL_ADMIN, school="regenboog"),
    somebody(Role.ICT_PARTNER),
    an_operator(),
    a_supplier_admin(),
    somebody(),
)
"""Who may do none of this at De Vuurvogel."""


class Between:
    """Something else that this worker does: counts its turns while a list is gone through."""

    def __init__(self) -> None:
        self.turns = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _go(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)
