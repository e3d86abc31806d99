"""A world in which somebody looks at what was shared."""

from datetime import timedelta
from typing import Any

from broker.demo.people import Person
from broker.domain.attributes import Population
from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.documents import AgreementDocument
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.me.me_records import MeSession
from broker.flow.me.me_views import OwnYear
from broker.flow.me.me_visits import MePorts, MeVisits
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.flow.own_logins.own_logins import OwnLoginFlow, OwnLoginPorts, OwnLoginResult
from broker.flow.parents.parent_visits import ParentPorts, ParentVisits
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.persons import present_roots
from tests.flow.login_answers import read_at_school
from tests.flow.login_world import SANNE, LoginWorld
from tests.flow.memory_letters import MemoryLetters


class WrittenHistory:
    """`AgreementHistory` over a list."""

    def __init__(self) -> None:
        self.documents: list[AgreementDocument] = []

    async def find(
        self, *, school: SchoolId, board: BoardId, supplier: SupplierId, version: int
    ) -> tuple[AgreementDocument, ...]:
        return tuple(
            each
            for each in self.documents
            if each.supplier == supplier
            and each.version == version
            and (each.school == school or each.board == board)
        )


class MeDesk:
    """Somebody at `/me`, over the ports of a world of logins."""

    def __init__(self, world: LoginWorld | None = None, *, letters: object = None) -> None:
        self.world = world or LoginWorld()
        self.history = WrittenHistory()
        self.letters: Any = letters or MemoryLetters()

    @property
    def visits(self) -> MeVisits:
        world = self.world
        return MeVisits(
            MePorts(
                snapshots=world.snapshots,
                state=world.state,
                register=world.register,
                receipts=world.receipts,
                history=self.history,
                lists=SchoolLists(world.enrolments, world.keys.enrolment, EnrolmentRules()),
                keys=world.keys,
                rules=JoinRules(),
                letters=self.letters,
                audit=world.audit,
                clock=world.clock,
            )
        )

    def session(
        self,
        person: Person = SANNE,
        *,
        school: str = "",
        eck_id: bool = True,
        number: bool = True,
        population: Population = Population.PUPIL,
        **changes: object,
    ) -> MeSession:
        """Return what is kept of somebody who logged in, by what the login stated."""
        at = SchoolId(school or person.school.id)
        stated = person.attributes
        ecks = stated.get("eckId", ())
        presented = present_roots(
            at,
            population=population,
            number=stated["employeeNumber"][0] if number else None,
            eck_id=ecks[0] if ecks and eck_id else None,
            key=self.world.keys.root,
        )
        fields = {
            "visitor": "self",
            "school": at,
            "population": presented.population,
            "eck_root": presented.eck_id,
            "local_root": presented.local,
            "old_roots": {},
            "first_name": "",
            "began_at": self.world.now,
        }
        return MeSession(**{**fields, **changes})

    async def open(self, person: Person = SANNE, **how: object) -> str:
        """Log in, and return the handle in the browser."""
        opened = await self.visits.open(self.session(person, **how))
        return opened.handle.text

    async def look(self, person: Person = SANNE, *, year: str = "", **how: object) -> OwnYear:
        """Log in and look."""
        visit = await self.visits.find(await self.open(person, **how))
        return await self.visits.show(visit, unverified_year=year)

    @property
    def parents(self) -> ParentVisits:
        world = self.world
        return ParentVisits(
            ParentPorts(
                snapshots=world.snapshots,
                state=world.state,
                register=world.register,
                letters=self.letters,
                keys=world.keys,
                rules=JoinRules(),
                audit=world.audit,
                clock=world.clock,
                random=world.random,
            )
        )

    @property
    def own_logins(self) -> OwnLoginFlow:
        world = self.world
        return OwnLoginFlow(
            OwnLoginPorts(
                snapshots=world.snapshots,
                schools=world.schools,
                state=world.state,
                lists=SchoolLists(world.enrolments, world.keys.enrolment, EnrolmentRules()),
                keys=world.keys,
                audit=world.audit,
                clock=world.clock,
                random=world.random,
            )
        )

    async def log_in(self, person: Person = SANNE) -> OwnLoginResult:
        """Log in at school to look; returns who that login says it is."""
        place = LoginPlace(PlaceKind.SCHOOL, person.school.id)
        begun = await self.own_logins.begin(OwnPurpose.ME, place, back="/me")
        step = BrowserStep(begun.opened.name, begun.opened.handle.text)
        form = self.world.saml_answer(read_at_school(begun.leads_to), person)
        return await self.own_logins.finish_saml(step, form=form)

    def wait_days(self, days: int) -> None:
        self.world.now += timedelta(days=days)
