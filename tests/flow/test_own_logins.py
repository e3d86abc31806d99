"""Somebody logs in to pages of our own and the console: who it is there, and who is kept out."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as with_fields
from datetime import timedelta
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from broker.domain.assurance import MULTI_FACTOR
from broker.domain.console_roles import LoginPlace, PlaceKind
from broker.domain.federation import SchoolIdp, State
from broker.domain.identity import PersonNotStated
from broker.domain.ids import BoardId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, build_school_index
from broker.domain.stated_schools import SchoolNotStated
from broker.flow.at_school import LevelAsked
from broker.flow.console.console_sessions import ConsoleSessions, SessionTimes
from broker.flow.console.sign_in import NoEmployee, SignIn, SignInPorts
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.own_logins.own_login_records import OwnPurpose
from broker.flow.own_logins.own_logins import OwnLoginFlow, OwnLoginPorts, OwnLoginResult
from broker.flow.refusals import LoginStepUsed, SchoolNotOpen, StatesDiffer
from tests.flow.login_answers import AtSchool, read_at_school
from tests.flow.login_parties import OIDC_IDP, OIDC_SCHOOL, OTHER_SCHOOL, SAML_IDP, SAML_SCHOOL
from tests.flow.login_world import DAAN, ELS, NOOR, LoginWorld

SCHOOL = LoginPlace(PlaceKind.SCHOOL, SAML_SCHOOL)
SUPPLIER = LoginPlace(PlaceKind.SUPPLIER, "rekenrijk")
FEDERATION = LoginPlace(PlaceKind.FEDERATION)
EMPLOYEE = {"eduPersonAffiliation": ("employee",)}


@dataclass
class Still:
    """A registry that a test chose."""

    registry: Registry

    @property
    def index(self) -> SchoolIndex:
        return build_school_index(self.registry)


class Desk:
    """A world with one browser."""

    def __init__(self) -> None:
        self.world = LoginWorld(frozenset())
        self.snapshots = Still(with_employees(self.world.snapshots.registry))
        self.held = BrowserStep("", "")
        self.sessions = ConsoleSessions(self.world.state, SessionTimes())

    @property
    def flow(self) -> OwnLoginFlow:
        world = self.world
        return OwnLoginFlow(
            OwnLoginPorts(
                snapshots=self.snapshots,
                schools=world.schools,
                state=world.state,
                lists=SchoolLists(world.enrolments, world.keys.enrolment, EnrolmentRules()),
                keys=world.keys,
                audit=world.audit,
                clock=world.clock,
                random=world.random,
            )
        )

    @property
    def sign_in(self) -> SignIn:
        ports = SignInPorts(
            self.snapshots, self.sessions, self.world.keys.register.tag, self.world.audit
        )
        return SignIn(ports)

    async def begin(self, place: LoginPlace = SCHOOL, **how: object) -> AtSchool:
        begun = await self.flow.begin(OwnPurpose.CONSOLE, place, back="/console", **how)  # type: ignore[arg-type]
        self.held = BrowserStep(begun.opened.name, begun.opened.handle.text)
        return read_at_school(begun.leads_to)

    async def saml(self, person: object = ELS, **changes: object) -> OwnLoginResult:
        form = self.world.saml_answer(await self.begin(), person, **changes)  # type: ignore[arg-type]
        return await self.flow.finish_saml(self.held, form=form)

    async def oidc(
        self,
        place: LoginPlace = SUPPLIER,
        *,
        stated: Mapping[str, tuple[str, ...] | None] | None = None,
    ) -> OwnLoginResult:
        told = self.world.oidc_answer(await self.begin(place), NOOR, stated=stated or EMPLOYEE)
        return await self.flow.finish_oidc(self.held, parameters=told)


def with_employees(registry: Registry) -> Registry:
    """Return a registry with a login of a supplier's and of the federation's employees."""

    def login(name: str, **whose: object) -> SchoolIdp:
        whose = {"id": SchoolIdpId(name), "schools": (), **whose}
        return replace(registry.idps[OIDC_IDP], **whose)

    supplier = login("rekenrijk-staff", supplier=SupplierId("rekenrijk"))
    federation = login("federation-staff", federation=True)
    idps = {**registry.idps, supplier.id: supplier, federation.id: federation}
    return with_fields(
        registry,
        idps=MappingProxyType(idps),
        idps_of_supplier=MappingProxyType({SupplierId("rekenrijk"): (supplier,)}),
        idps_of_federation=(federation,),
    )


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_an_employee_of_a_school_is_known_by_a_number_and_no_name(desk: Desk) -> None:
    result = await desk.saml()
    assert (result.school, result.place) == (
        desk.snapshots.registry.schools[SAML_SCHOOL],
        SCHOOL,
    )
    user = desk.sign_in.identify(result)
    assert len(user) == 32
    assert user == desk.sign_in.identify(await desk.saml())
    assert "Jansen" not in repr(result)


async def test_the_same_number_elsewhere_is_somebody_else(desk: Desk) -> None:
    number = {"employeeNumber": ("1",), **EMPLOYEE}
    users = {
        desk.sign_in.identify(await desk.oidc(place, stated=number))
        for place in (SUPPLIER, FEDERATION)
    }
    assert len(users) == 2


async def test_one_account_at_two_schools_of_a_board_is_one_person(desk: Desk) -> None:
    alone = await desk.sign_in.sign_in(await desk.saml(), before="")
    assert alone.session.also == ()
    registry = desk.snapshots.registry
    here, there = registry.schools[SAML_SCHOOL], registry.schools[OTHER_SCHOOL]
    for board, ids in ((here.board, 1), (BoardId("another"), 0)):
        schools = {**registry.schools, OTHER_SCHOOL: replace(there, board=board)}
        desk.snapshots.registry = with_fields(registry, schools=schools)
        result = await desk.saml()
        both = with_fields(result, idp=replace(result.idp, schools=(SAML_SCHOOL, OTHER_SCHOOL)))
        session = (await desk.sign_in.sign_in(both, before="")).session
        assert len(session.also) == ids
        at_other = with_fields(both, place=LoginPlace(PlaceKind.SCHOOL, OTHER_SCHOOL))
        assert (desk.sign_in.identify(at_other) in session.also) is bool(ids)


async def test_a_pupil_is_not_signed_in(desk: Desk) -> None:
    pupil = await desk.saml(DAAN)
    with pytest.raises(NoEmployee):
        await desk.sign_in.sign_in(pupil, before="")
    at_supplier = await desk.oidc(stated={"eduPersonAffiliation": ("student",)})
    with pytest.raises(NoEmployee):
        await desk.sign_in.sign_in(at_supplier, before="")
    assert (await desk.sign_in.sign_in(await desk.oidc(), before="")).session.login_kind is (
        PlaceKind.SUPPLIER
    )


async def test_a_login_gives_a_new_session_and_ends_the_one_of_before(desk: Desk) -> None:
    first = await desk.sign_in.sign_in(await desk.saml(), before="")
    second = await desk.sign_in.sign_in(await desk.saml(), before=first.handle.text)
    assert first.handle != second.handle
    now = desk.world.clock()
    assert await desk.sessions.find(first.handle.text, now=now) is None
    assert await desk.sessions.find(second.handle.text, now=now) is not None
    assert await desk.sessions.find("nonsense", now=now) is None


async def test_a_session_ends_when_idle_and_after_a_working_day(desk: Desk) -> None:
    opened = await desk.sign_in.sign_in(await desk.saml(), before="")
    begun, handle = desk.world.clock(), opened.handle.text
    assert await desk.sessions.find(handle, now=begun + timedelta(minutes=30)) is None
    for minutes in range(20, 8 * 60, 20):
        now = begun + timedelta(minutes=minutes)
        assert await desk.sessions.find(handle, now=now) is not None, minutes
    assert await desk.sessions.find(handle, now=begun + timedelta(hours=8)) is None
    await desk.sessions.end(handle)
    await desk.sessions.end(handle)
    await desk.sessions.end("")
    assert await desk.sessions.find(handle, now=begun) is None


async def test_the_chosen_school_must_be_the_stated_one(desk: Desk) -> None:
    at = await desk.begin(LoginPlace(PlaceKind.SCHOOL, OTHER_SCHOOL))
    form = desk.world.saml_answer(at, ELS)
    with pytest.raises(SchoolNotStated):
        await desk.flow.finish_saml(desk.held, form=form)
    assert (await desk.saml()).identity is not None


async def test_an_answer_is_used_once(desk: Desk) -> None:
    form = desk.world.saml_answer(await desk.begin(), ELS)
    await desk.flow.finish_saml(desk.held, form=form)
    with pytest.raises(LoginStepUsed):
        await desk.flow.finish_saml(desk.held, form=form)


async def test_who_states_no_number_is_nobody(desk: Desk) -> None:
    with pytest.raises(PersonNotStated):
        await desk.oidc(stated={"employeeNumber": None, **EMPLOYEE})
    assert (await desk.oidc()).identifier is not None


async def test_a_level_is_asked_where_the_login_has_words_for_it(desk: Desk) -> None:
    plain = await desk.begin(asked=LevelAsked(force_login=True, levels=(MULTI_FACTOR,)))
    assert plain.request_id
    registry = desk.snapshots.registry
    sure = replace(registry.idps[OIDC_IDP], acr={"2": MULTI_FACTOR})
    schools = {**registry.idps_of_school, OIDC_SCHOOL: (sure,)}
    desk.snapshots.registry = with_fields(
        registry, idps={**registry.idps, OIDC_IDP: sure}, idps_of_school=schools
    )
    place = LoginPlace(PlaceKind.SCHOOL, OIDC_SCHOOL)
    at = await desk.begin(place, asked=LevelAsked(force_login=True, levels=(MULTI_FACTOR,)))
    told = desk.world.oidc_answer(at, NOOR, stated=EMPLOYEE, acr="2")
    result = await desk.flow.finish_oidc(desk.held, parameters=told)
    assert (result.level, result.is_forced) == (MULTI_FACTOR, True)


@pytest.mark.parametrize(
    "place",
    [
        LoginPlace(PlaceKind.SCHOOL, "nobody"),
        LoginPlace(PlaceKind.SUPPLIER, "nobody"),
        LoginPlace(PlaceKind.SUPPLIER, "taaltuin"),
        LoginPlace(PlaceKind.BOARD, "stichting-vuurvogel"),
        LoginPlace(PlaceKind.FEDERATION, "by-another-name"),
    ],
)
async def test_a_place_without_a_login_is_refused(desk: Desk, place: LoginPlace) -> None:
    with pytest.raises(SchoolNotOpen):
        desk.flow.logins_at(place)
    assert desk.flow.logins_at(SCHOOL)
    assert desk.flow.logins_at(FEDERATION)


async def test_a_login_of_another_place_or_that_is_gone_is_refused(desk: Desk) -> None:
    with pytest.raises(SchoolNotOpen):
        await desk.begin(unverified_idp=OIDC_IDP)
    form = desk.world.saml_answer(await desk.begin(unverified_idp=SAML_IDP), ELS)
    registry = desk.snapshots.registry
    other = {**registry.idps_of_school, SAML_SCHOOL: registry.idps_of_school[OIDC_SCHOOL]}
    desk.snapshots.registry = with_fields(registry, idps_of_school=other)
    with pytest.raises(SchoolNotOpen):
        await desk.flow.finish_saml(desk.held, form=form)


async def test_test_and_production_never_meet(desk: Desk) -> None:
    registry = desk.snapshots.registry
    test = replace(registry.idps[SAML_IDP], state=State.TEST)
    if registry.schools[SAML_SCHOOL].state is State.TEST:
        test = replace(test, state=State.PRODUCTION)
    schools = {**registry.idps_of_school, SAML_SCHOOL: (test,)}
    desk.snapshots.registry = with_fields(registry, idps_of_school=schools)
    with pytest.raises(StatesDiffer):
        desk.flow.logins_at(SCHOOL)
