"""What goes out of pupils of a class, of staff, and once somebody stopped an agreement."""

from typing import Any

import msgspec
import pytest

from broker.domain.agreements import GroupRule, Stopped, StoppedBy
from broker.domain.federation import SingleSignOn
from broker.domain.refusals import Refusal
from broker.domain.stopped_agreements import StoppedByBoard, StoppedBySchool
from broker.flow.answers import Redirect
from broker.flow.held_state.handles import parse_handle
from broker.flow.refusals import AgreementChanged
from broker.flow.sessions.session_records import SESSION
from broker.oidc_op.token import GrantRefused
from tests.builders import TODAY
from tests.flow.login_answers import Browser, refused, welcomed
from tests.flow.login_parties import FIRST_NAME, ROLE, SAML_SCHOOL
from tests.flow.login_world import ELS, SANNE, LoginWorld
from tests.flow.switched_world import SANNES_CLASS
from tests.flow.test_refresh import claims_of
from tests.flow.token_desk import OFFLINE, refresh, register, tokens

AGREEMENT = "vuurvogel/rekenrijk"


ALL = frozenset({FIRST_NAME, ROLE})


def rule(*groups: str, approved: Any = ()) -> GroupRule:
    return GroupRule(frozenset(groups), frozenset(approved))


@pytest.mark.parametrize(
    ("rules", "gets"),
    [
        ((), True),
        ((rule("another class"),), True),
        ((rule(SANNES_CLASS),), False),
        ((rule(SANNES_CLASS, approved=[FIRST_NAME]),), True),
        ((rule(SANNES_CLASS, approved=[FIRST_NAME]), rule(SANNES_CLASS, "4C")), False),
    ],
)
async def test_a_class_decides_what_goes_out_of_its_pupils(
    world: LoginWorld, rules: tuple[GroupRule, ...], gets: bool
) -> None:
    world.change(AGREEMENT, group_rules=rules)
    received = await world.log_in(person=SANNE)
    assert ("given_name" in received.claims) is gets


async def test_who_states_no_class_gets_what_is_approved_of_all(world: LoginWorld) -> None:
    world.change(AGREEMENT, group_rules=(rule(SANNES_CLASS),))
    received = await world.log_in(person=SANNE, stated={"nlEduPersonUnit": None})
    assert "given_name" in received.claims


async def test_of_staff_goes_out_what_is_approved_of_staff(world: LoginWorld) -> None:
    world.change(AGREEMENT, approved_staff=frozenset())
    assert "given_name" not in (await world.log_in(person=ELS)).claims
    assert "given_name" in (await world.log_in(person=SANNE)).claims


@pytest.mark.parametrize(
    ("by", "refusal"), [(StoppedBy.SCHOOL, StoppedBySchool), (StoppedBy.BOARD, StoppedByBoard)]
)
async def test_a_stopped_one_ends_on_a_page_that_says_who_stopped_it(
    world: LoginWorld, browser: Browser, by: StoppedBy, refusal: type[Refusal]
) -> None:
    at_school = await world.go_to_school(browser)
    world.change(AGREEMENT, version=2, stopped=Stopped(by, TODAY))
    page = refused(await world.come_back(browser, at_school))
    assert type(page.refusal) is refusal
    assert world.audit.last.check == "check_agreement_not_stopped"
    world.change(AGREEMENT, version=3, stopped=None)
    assert isinstance(await world.come_back(browser, await world.go_to_school(browser)), Redirect)


class TestWhileAPageWaits:
    async def go_on(self, world: LoginWorld, browser: Browser, replaced_by: Any = None) -> Any:
        world.change(SAML_SCHOOL, shared_devices=True)
        rules = (rule("another class"), rule(SANNES_CLASS, approved=[FIRST_NAME]))
        world.change(AGREEMENT, group_rules=rules, approved=frozenset())
        page = welcomed(await world.arrive(browser))
        if replaced_by is not None:
            world.put(AGREEMENT, replaced_by)
        return await world.press(browser, "go_on", page.login)

    async def test_its_rules_count(self, world: LoginWorld, browser: Browser) -> None:
        received = await world.receive(await self.go_on(world, browser))
        assert "given_name" in received.claims

    @pytest.mark.parametrize(
        "changes",
        [
            {"school": None, "board": "stichting"},
            {"stopped": Stopped(StoppedBy.SCHOOL, TODAY)},
        ],
    )
    async def test_those_of_a_stopped_one_or_of_the_board_s_same_version_do_not(
        self, world: LoginWorld, browser: Browser, changes: dict[str, Any]
    ) -> None:
        world.change(SAML_SCHOOL, board="stichting")
        other = msgspec.structs.replace(world.records[AGREEMENT], approved=ALL, **changes)
        page = refused(await self.go_on(world, browser, other))
        assert isinstance(page.refusal, AgreementChanged)


class TestRefreshed:
    @pytest.fixture
    def refreshing(self, world: LoginWorld) -> LoginWorld:
        register(world, refresh_hours=24, refresh_idle_hours=6)
        rules = (rule(SANNES_CLASS, approved=[FIRST_NAME]),)
        world.change(AGREEMENT, group_rules=rules, approved=frozenset({ROLE}))
        return world

    async def test_by_the_same_version_as_the_login(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        second = await refresh(refreshing, first.refresh_token)
        assert "given_name" in claims_of(second.id_token)

    async def test_by_another_version_only_what_goes_out_of_every_group(
        self, refreshing: LoginWorld
    ) -> None:
        """Of which class somebody is, is not held; so what hangs on it waits for a login."""
        first = await tokens(refreshing, scope=OFFLINE)
        refreshing.change(AGREEMENT, version=2)
        second = await refresh(refreshing, first.refresh_token)
        assert "given_name" not in claims_of(second.id_token)
        assert "given_name" in claims_of((await tokens(refreshing, scope=OFFLINE)).id_token)

    async def test_not_by_a_stopped_one(self, refreshing: LoginWorld) -> None:
        first = await tokens(refreshing, scope=OFFLINE)
        refreshing.change(AGREEMENT, version=2, stopped=Stopped(StoppedBy.SCHOOL, TODAY))
        with pytest.raises(GrantRefused, match="check_agreement_not_stopped"):
            await refresh(refreshing, first.refresh_token)


async def test_a_session_keeps_the_class_where_it_decides(world: LoginWorld) -> None:
    world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON)

    async def keeps_class() -> bool:
        browser = Browser()
        await world.log_in(browser=browser)
        session = await world.state.get(SESSION, parse_handle(browser.session))
        return "nlEduPersonUnit" in session.attributes

    assert not await keeps_class()
    world.change(AGREEMENT, group_rules=(rule("any class"),))
    assert await keeps_class()
