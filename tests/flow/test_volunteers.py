"""Volunteers log in by both logins and see whether the account stays; nothing leaves, no trace."""

import pytest

from broker.domain.federation import State
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.domain.switches import SwitchStage
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.persons.person_joins import JoinRules
from broker.flow.refusals import AssertionUsed, LoginStepAbsent, LoginStepUsed, SchoolNotOpen
from broker.flow.switching.rehearsal import Finding
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switch_refusals import OtherSchoolStated, RehearsalNotOpen
from broker.flow.switching.volunteers import VolunteerFlow, VolunteerPorts, VolunteerStep
from tests.flow.login_answers import AtSchool, read_at_school
from tests.flow.login_parties import OIDC_IDP, SAML_IDP, SAML_SCHOOL
from tests.flow.login_world import DAAN, ELS, SANNE, SANNE_ELSEWHERE
from tests.flow.switched_world import SwitchedWorld

PAIR = LoginPair(SAML_SCHOOL, SAML_IDP, OIDC_IDP)


class KeptFindings:
    """`RehearsalLog` in memory."""

    def __init__(self) -> None:
        self.found: dict[bytes, Finding] = {}
        self.is_down = False

    async def keep_login(self, pair: LoginPair, volunteer: bytes, finding: Finding) -> None:
        if self.is_down:
            raise RegistryUnreadable("down")
        assert pair in (PAIR, LoginPair(SAML_SCHOOL, OIDC_IDP, SAML_IDP))
        self.found[volunteer] = finding


class Rehearsal:
    """A world in which a rehearsal is open, with a volunteer's browser."""

    def __init__(self) -> None:
        self.world = SwitchedWorld()
        self.world.take_step(SwitchStage.REHEARSAL)
        self.log = KeptFindings()
        self.held = BrowserStep("", "")

    @property
    def flow(self) -> VolunteerFlow:
        world = self.world
        return VolunteerFlow(
            VolunteerPorts(
                snapshots=world.snapshots,
                schools=world.schools,
                state=world.state,
                register=world.register,
                log=self.log,
                keys=world.keys,
                rules=JoinRules(),
                audit=world.audit,
                clock=world.clock,
                random=world.random,
            )
        )

    def follow(self, step: VolunteerStep) -> VolunteerStep:
        if step.opened is not None:
            self.held = BrowserStep(step.opened.name, step.opened.handle.text)
        return step

    async def begin(self) -> AtSchool:
        step = self.follow(await self.flow.begin(SAML_SCHOOL))
        assert step.leads_to is not None
        return read_at_school(step.leads_to)

    async def answer_saml(
        self, at: AtSchool, person: object = SANNE, **how: object
    ) -> VolunteerStep:
        form = self.world.saml_answer(at, person, **how)  # type: ignore[arg-type]
        return self.follow(await self.flow.finish_saml(self.held, form=form))

    async def go_on(self) -> AtSchool:
        step = self.follow(await self.flow.go_on(self.held))
        assert step.leads_to is not None
        return read_at_school(step.leads_to)

    async def answer_oidc(
        self, at: AtSchool, person: object = SANNE, **how: object
    ) -> VolunteerStep:
        told = self.world.oidc_answer(at, person, **how)  # type: ignore[arg-type]
        return self.follow(await self.flow.finish_oidc(self.held, parameters=told))

    async def rehearse(
        self, person: object = SANNE, *, old: object = None, new: object = None
    ) -> Finding | None:
        """Try both; `old` and `new` change what is stated."""
        between = await self.answer_saml(await self.begin(), person, stated=old)
        assert (between.leads_to, between.finding) == (None, None)
        return (await self.answer_oidc(await self.go_on(), person, stated=new)).finding


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


@pytest.mark.parametrize("person", [SANNE, DAAN, ELS])
async def test_the_same_account(rehearsal: Rehearsal, person: object) -> None:
    await rehearsal.world.log_in(person=person)  # type: ignore[arg-type]
    rows, receipts = dict(rehearsal.world.register.rows), len(rehearsal.world.receipts.kept)
    for _ in range(2):
        assert await rehearsal.rehearse(person) is Finding.SAME
    assert list(rehearsal.log.found.values()) == [Finding.SAME]
    assert rehearsal.world.register.rows == rows
    assert len(rehearsal.world.receipts.kept) == receipts
    assert rehearsal.world.audit.events[-1].action == "rehearsed"


@pytest.mark.parametrize(
    ("person", "old", "new", "finding"),
    [
        (DAAN, {}, {"employeeNumber": ("9",)}, Finding.OTHER_NUMBER),
        (SANNE, {}, {"eckId": None, "employeeNumber": ("9",)}, Finding.ECK_ID_MISSING),
        (DAAN, {}, {"eckId": ("no-eck-id",)}, Finding.NOT_USABLE),
        (DAAN, {"employeeNumber": None}, {}, Finding.NOT_USABLE_TODAY),
    ],
)
async def test_another_account(
    rehearsal: Rehearsal, person: object, old: object, new: object, finding: Finding
) -> None:
    await rehearsal.world.log_in(person=person)  # type: ignore[arg-type]
    assert await rehearsal.rehearse(person, old=old, new=new) is finding
    counted = [] if finding is Finding.NOT_USABLE_TODAY else [finding]
    assert list(rehearsal.log.found.values()) == counted


async def test_who_never_opened_material_loses_nothing(rehearsal: Rehearsal) -> None:
    assert await rehearsal.rehearse(new={"eckId": None}) is Finding.NOT_KNOWN


async def test_what_cannot_be_counted_is_told_all_the_same(rehearsal: Rehearsal) -> None:
    await rehearsal.world.log_in()
    rehearsal.log.is_down = True
    assert await rehearsal.rehearse() is Finding.SAME
    assert rehearsal.world.audit.events[-1].action == "rehearsal-not-counted"


async def test_a_school_that_does_not_rehearse(rehearsal: Rehearsal) -> None:
    assert rehearsal.flow.look(SAML_SCHOOL)[0].id == SAML_SCHOOL
    for school in ("regenboog", "nobody"):
        with pytest.raises(RehearsalNotOpen):
            rehearsal.flow.look(school)
    rehearsal.world.change(SAML_SCHOOL, enabled=False)
    with pytest.raises(RehearsalNotOpen):
        rehearsal.flow.look(SAML_SCHOOL)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"enabled": False}, SchoolNotOpen),
        ({"schools": (SchoolId("kompas"),)}, RehearsalNotOpen),
        ({"state": State.PRODUCTION}, RehearsalNotOpen),
    ],
)
async def test_logins_that_do_not_fit_any_more(
    rehearsal: Rehearsal, changes: dict[str, object], refusal: type[Refusal]
) -> None:
    at = await rehearsal.begin()
    rehearsal.world.change(OIDC_IDP, **changes)
    with pytest.raises(refusal):
        await rehearsal.answer_saml(at)


@pytest.mark.parametrize("stage", [SwitchStage.BACK, SwitchStage.CLASSES, SwitchStage.ALL])
async def test_a_rehearsal_that_ends_under_way(rehearsal: Rehearsal, stage: SwitchStage) -> None:
    await rehearsal.answer_saml(await rehearsal.begin())
    rehearsal.world.take_step(stage, "7b")
    with pytest.raises(RehearsalNotOpen):
        await rehearsal.go_on()


async def test_another_rehearsal_that_began_meanwhile(rehearsal: Rehearsal) -> None:
    at = await rehearsal.begin()
    rehearsal.world.take_step(SwitchStage.REHEARSAL, from_idp=OIDC_IDP, to_idp=SAML_IDP)
    with pytest.raises(RehearsalNotOpen):
        await rehearsal.answer_saml(at)


async def test_a_login_of_another_school(rehearsal: Rehearsal) -> None:
    with pytest.raises(OtherSchoolStated):
        await rehearsal.answer_saml(await rehearsal.begin(), SANNE_ELSEWHERE)


async def test_each_step_works_once_and_in_its_browser(rehearsal: Rehearsal) -> None:
    at = await rehearsal.begin()
    first = rehearsal.held
    await rehearsal.answer_saml(at)
    between, rehearsal.held = rehearsal.held, first
    with pytest.raises(LoginStepUsed):
        await rehearsal.answer_saml(at)
    with pytest.raises(LoginStepAbsent):
        await rehearsal.flow.go_on(BrowserStep(between.state, ""))
    rehearsal.held = between
    await rehearsal.go_on()
    rehearsal.held = between
    with pytest.raises(LoginStepUsed):
        await rehearsal.go_on()


async def test_an_assertion_is_used_once(rehearsal: Rehearsal) -> None:
    """Also where the new login is the SAML one, whose answer ends the rehearsal."""
    world = rehearsal.world
    world.change(OIDC_IDP, rehearsal_only=False)
    world.take_step(SwitchStage.REHEARSAL, from_idp=OIDC_IDP, to_idp=SAML_IDP)
    forms = []
    for _ in range(2):
        at_old = await rehearsal.begin()
        told = world.oidc_answer(at_old, SANNE)
        rehearsal.follow(await rehearsal.flow.finish_oidc(rehearsal.held, parameters=told))
        at_new = await rehearsal.go_on()
        same = lambda assertion: assertion.set("ID", "_the-same")  # noqa: E731
        forms.append((rehearsal.held, world.saml_answer(at_new, SANNE, edit_assertion=same)))
    (held, form), (other_held, other_form) = forms
    assert (await rehearsal.flow.finish_saml(held, form=form)).finding is Finding.NOT_KNOWN
    with pytest.raises(AssertionUsed):
        await rehearsal.flow.finish_saml(other_held, form=other_form)
