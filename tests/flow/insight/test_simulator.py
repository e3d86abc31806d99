"""Who may look, at what, and what is shown side by side."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from broker.domain.agreements import Agreement, GroupRule
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.console_roles import Role
from broker.domain.decision_outline import Choice
from broker.domain.federation import School, State
from broker.domain.identity import PersonNotStated
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_types import Decider, Draft, PreparedDecision
from broker.flow.insight.drafted import find_drafted
from broker.flow.insight.simulator import (
    Asked,
    Simulator,
    SimulatorPorts,
    Situation,
    approve_required,
)
from broker.flow.refusals import SchoolNotOpen
from tests.builders import a_declaration, a_supplier, an_agreement
from tests.flow.insight.console_actors import an_actor
from tests.flow.insight.test_simulated import NAMES
from tests.flow.login_parties import FIRST_NAME, ROLE
from tests.flow.login_world import LoginWorld

VUURVOGEL = Asked(school="vuurvogel", supplier="rekenrijk")


class Drafts:
    """What is prepared."""

    def __init__(self) -> None:
        self.agreement: Agreement | None = None

    def find(self, _school: School, _supplier: SupplierId) -> Agreement | None:
        return self.agreement


def open_simulator(world: LoginWorld, drafts: Drafts | None = None) -> Simulator:
    return Simulator(
        SimulatorPorts(
            snapshots=world.snapshots,
            names=NAMES,
            find_draft=(drafts or Drafts()).find,
            clock=world.clock,
            random=world.random,
        )
    )


def test_what_can_be_chosen() -> None:
    world = LoginWorld()
    world.change("taaltuin", enabled=False)
    world.change("biosfeer", state=State.PRODUCTION)
    found = open_simulator(world).look(an_actor(), "vuurvogel")
    assert [each.id for each in found.suppliers] == ["rekenrijk"]
    assert [each.id for each in found.logins] == ["vuurvogel-login"]
    assert set(found.states) == set(VOCABULARY) - {"schoolMembership"}
    world.change("vuurvogel-login", enabled=False)
    assert open_simulator(world).look(an_actor(), "vuurvogel").states == ()


@pytest.mark.parametrize(
    "asked",
    [
        Asked(school="regenboog", supplier="rekenrijk"),
        Asked(school="nowhere", supplier="rekenrijk"),
        Asked(school="vuurvogel", supplier="nobody"),
        Asked(school="vuurvogel", supplier="rekenrijk", relying_party="taaltuin"),
        Asked(school="vuurvogel", supplier="rekenrijk", login="kompas-login"),
    ],
)
def test_what_is_somebody_elses_is_not_there(asked: Asked) -> None:
    simulator = open_simulator(LoginWorld())
    with pytest.raises(NotAllowed):
        simulator.simulate(an_actor(), asked)
    fine = Asked(
        school="vuurvogel",
        supplier="rekenrijk",
        relying_party="rekenrijk",
        login="vuurvogel-login",
    )
    assert simulator.simulate(an_actor(), fine).answers


@pytest.mark.parametrize(
    ("role", "place"),
    [(Role.SUPPLIER_ADMIN, "rekenrijk"), (Role.OPERATOR, ""), (Role.TEACHER, "vuurvogel")],
)
def test_who_may_not_simulate(role: Role, place: str) -> None:
    simulator = open_simulator(LoginWorld())
    with pytest.raises(NotAllowed):
        simulator.simulate(an_actor(role, place), VUURVOGEL)
    with pytest.raises(NotAllowed):
        simulator.look(an_actor(role, place), "vuurvogel")
    board = an_actor(Role.BOARD_ADMIN, "stichting-vuurvogel")
    assert simulator.simulate(board, VUURVOGEL).answers


def test_a_school_without_a_login_says_so() -> None:
    world = LoginWorld()
    world.change("vuurvogel-login", enabled=False)
    with pytest.raises(SchoolNotOpen):
        open_simulator(world).simulate(an_actor(), VUURVOGEL)


def test_a_system_that_is_switched_off_is_not_there() -> None:
    world = LoginWorld()
    world.change("rekenrijk", relying_parties=())
    with pytest.raises(NotAllowed):
        open_simulator(world).simulate(an_actor(), VUURVOGEL)


def test_as_it_is_with_the_draft_and_with_the_newest_sheet() -> None:
    world, drafts = LoginWorld(), Drafts()
    simulator = open_simulator(world, drafts)
    found = simulator.simulate(an_actor(), VUURVOGEL)
    assert [(each, of.released) for each, of in found.answers] == [
        (Situation.AS_IT_IS, (FIRST_NAME, ROLE))
    ]
    drafts.agreement = an_agreement(version=2, approved=frozenset({ROLE}))
    surname = a_declaration("sn", required=True, required_since=2)
    of_supplier = (a_declaration("givenName"), a_declaration("eduPersonAffiliation"), surname)
    world.change("rekenrijk", sheet_version=2, attributes=of_supplier)
    world.change("vuurvogel/rekenrijk", sheet=1)
    found = simulator.simulate(an_actor(), VUURVOGEL)
    assert [(each, of.released) for each, of in found.answers] == [
        (Situation.AS_IT_IS, (FIRST_NAME, ROLE)),
        (Situation.WITH_DRAFT, (ROLE,)),
        (Situation.WITH_SHEET, (FIRST_NAME, "sn", ROLE)),
    ]


def test_without_an_agreement_the_draft_alone_lets_somebody_in() -> None:
    world, drafts = LoginWorld(), Drafts()
    world.put("vuurvogel/rekenrijk", None)
    drafts.agreement = an_agreement(version=2, approved=frozenset({ROLE}))
    found = open_simulator(world, drafts).simulate(an_actor(), VUURVOGEL)
    assert [of.refusal is None for _, of in found.answers] == [False, True]


def test_a_login_that_names_nobody_is_refused_whatever_was_decided() -> None:
    asked = Asked(
        school="vuurvogel",
        supplier="rekenrijk",
        left_out=("eduPersonAffiliation", "eckId", "no-attribute"),
        population=Population.STAFF,
    )
    ((situation, answer),) = open_simulator(LoginWorld()).simulate(an_actor(), asked).answers
    assert situation is Situation.AS_IT_IS
    assert isinstance(answer.refusal, PersonNotStated)


def test_groups_are_bounded() -> None:
    asked = Asked(school="vuurvogel", supplier="rekenrijk", groups=("x" * 99,) * 9)
    ((_, answer),) = open_simulator(LoginWorld()).simulate(an_actor(), asked).answers
    (unit,) = (each for each in answer.attributes if each.name == "nlEduPersonUnit")
    assert [len(each) for each in unit.values] == [60]


def names(*of: str) -> Any:
    return frozenset(map(AttributeName, of))


def test_what_the_newest_sheet_requires_is_approved_of_those_of_whom_it_is_asked() -> None:
    supplier = a_supplier(
        sheet_version=3,
        attributes=(
            a_declaration("sn", required=True, populations=(Population.PUPIL,)),
            a_declaration("initials", required=True, populations=(Population.STAFF,)),
            a_declaration("givenName"),
        ),
    )
    agreement = an_agreement(
        approved=names("mail"), group_rules=(GroupRule(frozenset({"3A"}), names("uid")),)
    )
    newest = approve_required(agreement, supplier)
    assert newest.sheet == 3
    assert newest.approved == names("mail", "sn")
    assert newest.approved_staff == names("mail", "initials")
    assert newest.group_rules[0].approved == names("uid", "sn")


def prepared(decider: Decider, **changes: Any) -> PreparedDecision:
    draft = Draft(
        decider=decider,
        supplier=SupplierId("rekenrijk"),
        choice=Choice(pupils=names("sn"), staff=names()),
        based_on=2,
        **{"from_day": date(2030, 1, 1), **changes},
    )
    return PreparedDecision(
        number=1,
        revision=1,
        draft=draft,
        prepared_by="0" * 32,
        prepared_role=Role.SCHOOL_ADMIN,
        prepared_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_what_is_prepared_counts_as_if_it_began_today() -> None:
    world = LoginWorld()
    school = world.snapshots.registry.schools[SchoolId("vuurvogel")]
    waiting: dict[Decider, PreparedDecision] = {}

    def draft_for(decider: Decider, _: SupplierId) -> PreparedDecision | None:
        return waiting.get(decider)

    def find() -> Agreement | None:
        supplier = SupplierId("rekenrijk")
        return find_drafted(school, supplier, draft_for=draft_for, clock=world.clock)

    assert find() is None
    board = Decider(board=school.board)
    waiting[board] = prepared(board)
    found = find()
    assert found is not None
    assert (found.board, found.version, found.approved) == (school.board, 3, names("sn"))
    assert found.is_in_force(world.now.date())
    own = Decider(school=school.id)
    waiting[own] = prepared(own, from_day=date(2025, 1, 1))
    found = find()
    assert found is not None
    assert (found.school, found.first_day) == (school.id, date(2025, 1, 1))
