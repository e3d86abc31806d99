"""A school tests its own login: verdicts, what suppliers would get, and nothing that is kept."""

from collections.abc import Mapping
from datetime import date

import pytest
from msgspec.structs import replace

from broker.domain.attribute_verdicts import Verdict
from broker.domain.attributes import ECK_ID, AttributeName
from broker.domain.federation import State
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.refusals import Refusal
from broker.domain.release import NoAgreement, RequiredAttributeNotStated, WithheldBecause
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.login_tests.login_tests import (
    LoginTestFlow,
    LoginTestOutcome,
    LoginTestPorts,
    LoginTestResult,
)
from broker.flow.refusals import (
    AssertionUsed,
    LoginStepAbsent,
    LoginStepUsed,
    SchoolNotOpen,
    StatesDiffer,
)
from tests.builders import a_declaration
from tests.flow.login_answers import AtSchool, read_at_school
from tests.flow.login_parties import (
    FIRST_NAME,
    OIDC_IDP,
    OIDC_SCHOOL,
    REKENRIJK,
    ROLE,
    SAML_IDP,
    SAML_SCHOOL,
)
from tests.flow.login_world import DAAN, NOOR, SANNE, SANNE_ELSEWHERE, LoginWorld

TELLING = frozenset(
    value
    for person in (SANNE, DAAN, NOOR)
    for name, values in person.attributes.items()
    if name in {"sn", "givenName", "mail", "employeeNumber", "eckId", "uid"}
    for value in values
)


class CountedTests:
    """`LoginTestLog` in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[SchoolId, SchoolIdpId, LoginTestOutcome, date]] = []
        self.is_down = False

    async def keep(
        self, school: SchoolId, idp: SchoolIdpId, outcome: LoginTestOutcome, day: date
    ) -> None:
        if self.is_down:
            raise RegistryUnreadable("down")
        self.kept.append((school, idp, outcome, day))


class Desk:
    """A world with an administrator's browser."""

    def __init__(self) -> None:
        self.world = LoginWorld(TELLING)
        self.log = CountedTests()
        self.held = BrowserStep("", "")

    @property
    def flow(self) -> LoginTestFlow:
        world = self.world
        return LoginTestFlow(
            LoginTestPorts(
                snapshots=world.snapshots,
                schools=world.schools,
                state=world.state,
                lists=SchoolLists(world.enrolments, world.keys.enrolment, EnrolmentRules()),
                log=self.log,
                keys=world.keys,
                audit=world.audit,
                clock=world.clock,
                random=world.random,
            )
        )

    async def begin(
        self, school: str = SAML_SCHOOL, *, idp: str = "", supplier: str = ""
    ) -> AtSchool:
        begun = await self.flow.begin(school, unverified_idp=idp, unverified_supplier=supplier)
        self.held = BrowserStep(begun.opened.name, begun.opened.handle.text)
        return read_at_school(begun.leads_to)

    async def saml(
        self,
        person: object = SANNE,
        *,
        supplier: str = "",
        stated: Mapping[str, tuple[str, ...] | None] | None = None,
        **changes: object,
    ) -> LoginTestResult:
        at = await self.begin(supplier=supplier)
        form = self.world.saml_answer(at, person, stated=stated, **changes)  # type: ignore[arg-type]
        return await self.flow.finish_saml(self.held, form=form)

    async def oidc(
        self, *, stated: Mapping[str, tuple[str, ...] | None] | None = None, **changes: object
    ) -> LoginTestResult:
        at = await self.begin(OIDC_SCHOOL)
        told = self.world.oidc_answer(at, NOOR, stated=stated, **changes)
        return await self.flow.finish_oidc(self.held, parameters=told)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def verdicts(result: LoginTestResult) -> dict[str, Verdict]:
    return {each.incoming or f"-{each.name}": each.verdict for each in result.attributes}


async def test_a_login_that_is_fine(desk: Desk) -> None:
    result = await desk.saml()
    assert (result.refusal, result.outcome) == (None, LoginTestOutcome.FINE)
    assert set(verdicts(result).values()) <= {Verdict.MAPPED, Verdict.IGNORED}
    assert [each.supplier.id for each in result.outlooks] == ["biosfeer", "rekenrijk", "taaltuin"]
    decision = result.outlooks[1].decision
    assert decision is not None
    assert {each.name for each in decision.released} == {FIRST_NAME, ROLE}
    assert {each.reason for each in decision.withheld} == {WithheldBecause.NOT_DECLARED}
    assert desk.log.kept == [(SAML_SCHOOL, SAML_IDP, LoginTestOutcome.FINE, result.day)]
    assert desk.world.audit.actions() == ["login-tested"]


async def test_an_openid_provider_that_is_fine(desk: Desk) -> None:
    result = await desk.oidc()
    assert (result.refusal, result.outcome) == (None, LoginTestOutcome.FINE)
    assert verdicts(result)["sub"] is Verdict.IGNORED


async def test_the_decision_is_the_one_of_a_login(desk: Desk) -> None:
    await desk.world.log_in()
    (released,) = (each for each in desk.world.audit.events if each.action == "released")
    outlook = (await desk.saml(supplier="rekenrijk")).outlooks[0]
    assert outlook.decision is not None
    assert tuple(each.name for each in outlook.decision.released) == released.names
    assert [(e.name, e.reason) for e in outlook.decision.withheld] == list(released.withheld)


async def test_the_register_is_neither_asked_nor_written_and_nothing_is_kept(desk: Desk) -> None:
    """A false statement about somebody who is known shows and changes nothing of theirs."""
    await desk.world.log_in()
    world = desk.world
    rows, receipts = dict(world.register.rows), len(world.receipts.kept)
    world.faults.start()
    result = await desk.saml()
    assert result.refusal is None
    assert world.faults.counted.keys() == {"store"}
    assert (world.register.rows, len(world.receipts.kept)) == (rows, receipts)


async def test_samples_are_nobodys(desk: Desk) -> None:
    received = await desk.world.log_in()
    samples = [each.sample for _ in range(2) for each in (await desk.saml()).outlooks]
    assert len(set(samples)) == len(samples)
    assert received.subject not in samples
    assert {len(each) for each in samples} == {len(received.subject)}


async def test_the_eck_id_is_masked(desk: Desk) -> None:
    (eck_id,) = SANNE.attributes["eckId"]
    result = await desk.saml(stated={"uid": (eck_id,)})
    shown = {each.name: each.shown for each in result.attributes}
    assert shown[ECK_ID] == ("…" + eck_id[-4:],)
    assert eck_id not in repr(shown)
    assert shown[FIRST_NAME] == ("Sanne",)
    assert not [each for each in TELLING if each in repr(result)]


@pytest.mark.parametrize(
    ("stated", "name", "verdict"),
    [
        ({"eckId": ("no-eck-id",)}, "eckId", Verdict.WRONG_FORM),
        ({"employeeNumber": ("1", "2")}, "employeeNumber", Verdict.WRONG_FORM),
        ({"employeeNumber": ("-",)}, "employeeNumber", Verdict.WRONG_FORM),
        ({"eduPersonAffiliation": ("guest",)}, "eduPersonAffiliation", Verdict.WRONG_FORM),
        ({"nlEduPersonHomeOrganizationId": ("11A",)}, "nlEduPersonHomeOrganizationId",
         Verdict.WRONG_FORM),
        ({"nlEduPersonHomeOrganizationId": ("99ZZ",)}, "nlEduPersonHomeOrganizationId",
         Verdict.OUT_OF_SCOPE),
        ({"nlEduPersonHomeOrganizationId": ("33CC",)}, "nlEduPersonHomeOrganizationId",
         Verdict.OTHER_SCHOOL),
        ({"nlEduPersonHomeOrganizationId": None}, "-nlEduPersonHomeOrganizationId",
         Verdict.MISSING),
        ({"uid": ("sanne@else.example",)}, "uid", Verdict.OUT_OF_SCOPE),
        ({"givenName": ("x" * 1025,)}, "givenName", Verdict.WRONG_FORM),
        ({"givenName": ("",)}, "givenName", Verdict.EMPTY),
        ({"givenName": None}, "-givenName", Verdict.ABSENT),
        ({"pgn": ("123456782",)}, "pgn", Verdict.NEVER),
        ({"favouriteColour": ("green",)}, "favouriteColour", Verdict.UNKNOWN),
        ({"schoolMembership": ("student@11AA",)}, "schoolMembership", Verdict.UNKNOWN),
        ({"cn": ("Sanne de Vries",)}, "cn", Verdict.IGNORED),
    ],
)  # fmt: skip
async def test_each_attribute_has_a_verdict(
    desk: Desk, stated: dict[str, tuple[str, ...] | None], name: str, verdict: Verdict
) -> None:
    assert verdicts(await desk.saml(stated=stated))[name] is verdict


async def test_what_is_not_taken_in_is_not_shown(desk: Desk) -> None:
    result = await desk.saml(stated={"pgn": ("123456782",), "colour": ("green",), "cn": ("S",)})
    shown = {each.incoming: each.shown for each in result.attributes}
    assert (shown["pgn"], shown["colour"], shown["cn"]) == ((), (), ())


async def test_who_names_nobody(desk: Desk) -> None:
    """A login that would be refused shows why, and all its attributes besides."""
    stated = {"eckId": None, "employeeNumber": None, "eduPersonAffiliation": None}
    result = await desk.saml(stated=stated)
    assert (result.refusal.code, result.outcome) == ("E-IDENTITY-4", None)  # type: ignore[union-attr]
    told = verdicts(result)
    assert told["-employeeNumber"] is told["-eduPersonAffiliation"] is Verdict.MISSING
    assert told["givenName"] is Verdict.MAPPED
    assert (result.outlooks, desk.log.kept) == ((), [])
    assert desk.world.audit.last.action == "refused"
    assert desk.world.audit.last.reference == result.reference != ""


async def test_an_answer_that_is_refused_shows_the_check_and_no_value(desk: Desk) -> None:
    result = await desk.saml(audiences=(("https://else.example",),))
    assert result.refusal is not None
    assert (result.refusal.code, result.refusal.check) == ("E-SAML-21", "check_audience")
    assert (result.attributes, result.outlooks, result.outcome) == ((), (), None)
    assert desk.log.kept == []


async def test_an_openid_provider_that_is_refused(desk: Desk) -> None:
    result = await desk.oidc(nonce="another")
    assert result.refusal is not None
    assert result.refusal.code.startswith("E-")
    assert result.attributes == ()


async def test_a_claim_of_a_form_that_no_attribute_has(desk: Desk) -> None:
    result = await desk.oidc(family_name={"a": "b"}, groups={"a": "b"}, picture={"a": "b"})
    told = verdicts(result)
    assert told["family_name"] is told["groups"] is Verdict.WRONG_FORM
    assert told.get("picture") in (None, Verdict.IGNORED)


async def test_a_chosen_supplier_without_agreement(desk: Desk) -> None:
    desk.world.put("vuurvogel/taaltuin", None)
    assert len((await desk.saml()).outlooks) == 2
    (outlook,) = (await desk.saml(supplier="taaltuin")).outlooks
    assert isinstance(outlook.refusal, NoAgreement)
    assert outlook.decision is None
    assert len((await desk.saml(supplier="nobody")).outlooks) == 2


async def test_what_a_supplier_needs_and_does_not_get_is_counted_as_incomplete(desk: Desk) -> None:
    desk.world.change("rekenrijk", attributes=(a_declaration("sn", required=True),))
    desk.world.change("vuurvogel/rekenrijk", approved=frozenset({AttributeName("sn")}))
    result = await desk.saml(stated={"sn": None}, supplier="rekenrijk")
    assert isinstance(result.outlooks[0].refusal, RequiredAttributeNotStated)
    assert result.outcome is LoginTestOutcome.INCOMPLETE
    assert desk.log.kept[-1][2] is LoginTestOutcome.INCOMPLETE


async def test_a_school_that_requires_the_eck_id(desk: Desk) -> None:
    desk.world.change(SAML_SCHOOL, eck_id_required=True)
    assert (await desk.saml()).outcome is LoginTestOutcome.FINE
    result = await desk.saml(DAAN)
    assert (result.outcome, verdicts(result)["-eckId"]) == (
        LoginTestOutcome.INCOMPLETE,
        Verdict.MISSING,
    )


async def test_another_school_than_the_one_that_is_tested(desk: Desk) -> None:
    result = await desk.saml(SANNE_ELSEWHERE)
    assert result.refusal is not None
    assert result.refusal.code == "E-IDENTITY-1"


async def test_what_cannot_be_counted_is_shown_all_the_same(desk: Desk) -> None:
    desk.log.is_down = True
    assert (await desk.saml()).outcome is LoginTestOutcome.FINE
    assert desk.world.audit.last.action == "login-test-not-counted"


async def test_a_login_for_rehearsal_only_can_be_tested(desk: Desk) -> None:
    desk.world.change(SAML_IDP, rehearsal_only=True)
    assert [each.id for each in desk.flow.look(SAML_SCHOOL)[1]] == [SAML_IDP]
    assert (await desk.saml()).refusal is None


@pytest.mark.parametrize(
    ("record", "changes", "refusal"),
    [
        (SAML_SCHOOL, {"enabled": False}, SchoolNotOpen),
        (SAML_IDP, {"enabled": False}, SchoolNotOpen),
        (SAML_IDP, {"state": State.PRODUCTION}, StatesDiffer),
    ],
)
async def test_who_is_switched_off_is_not_tested_at_any_step(
    desk: Desk, record: str, changes: dict[str, object], refusal: type[Refusal]
) -> None:
    at = await desk.begin()
    form = desk.world.saml_answer(at, SANNE)
    desk.world.change(record, **changes)
    with pytest.raises(refusal):
        await desk.begin()
    with pytest.raises(refusal):
        await desk.flow.finish_saml(desk.held, form=form)


async def test_a_login_of_another_school_is_not_tested(desk: Desk) -> None:
    with pytest.raises(SchoolNotOpen):
        await desk.begin(idp=OIDC_IDP)
    with pytest.raises(SchoolNotOpen):
        await desk.begin("nobody")
    assert (await desk.begin(idp=SAML_IDP)).request_id


async def test_a_test_belongs_to_its_browser_and_is_used_once(desk: Desk) -> None:
    at = await desk.begin()
    form = desk.world.saml_answer(at, SANNE)
    with pytest.raises(LoginStepAbsent):
        await desk.flow.finish_saml(BrowserStep(desk.held.state, ""), form=form)
    assert (await desk.flow.finish_saml(desk.held, form=form)).refusal is None
    with pytest.raises(LoginStepUsed):
        await desk.flow.finish_saml(desk.held, form=form)


async def test_an_assertion_is_used_once(desk: Desk) -> None:
    same = lambda assertion: assertion.set("ID", "_the-same")  # noqa: E731
    assert (await desk.saml(edit_assertion=same)).refusal is None
    assert isinstance((await desk.saml(edit_assertion=same)).refusal, AssertionUsed)


async def test_who_may_be_chosen(desk: Desk) -> None:
    school, _ = desk.flow.look(SAML_SCHOOL)
    assert [each.id for each in desk.flow.suppliers_of(school)] == [
        "biosfeer",
        REKENRIJK,
        "taaltuin",
    ]
    assert desk.flow.suppliers_of(replace(school, state=State.PRODUCTION)) == ()
