"""What was announced to a browser skips the chooser of a login, and decides nothing else."""

from typing import Any

import pytest

from broker.flow.answers import ChooseLogin, ChooseSchool
from broker.flow.school_logins import LoginWish, wish_for
from tests.flow.login_answers import Browser, read_at_school
from tests.flow.login_parties import OIDC_SCHOOL, REKENRIJK, SAML_IDP, SAML_SCHOOL
from tests.flow.login_world import SANNE, LoginWorld

ANNOUNCED = LoginWish(unverified_announced_school=SAML_SCHOOL, unverified_announced_login=SAML_IDP)


async def begin(world: LoginWorld, browser: Browser, wish: LoginWish, **changes: Any) -> Any:
    return browser.follow(await world.flow.begin(world.ask(REKENRIJK, **changes), wish=wish))


async def test_it_goes_to_the_school_whose_login_asks_who_it_is(
    world: LoginWorld, browser: Browser
) -> None:
    school = read_at_school(await begin(world, browser, ANNOUNCED))
    assert await world.receive(await world.come_back(browser, school, SANNE))


async def test_a_link_to_this_supplier_goes_before_it(world: LoginWorld, browser: Browser) -> None:
    wish = LoginWish(
        unverified_started_at=REKENRIJK,
        unverified_start_school=OIDC_SCHOOL,
        unverified_announced_school=SAML_SCHOOL,
    )
    request = world.ask(REKENRIJK)
    assert wish.hints_for(request) == (OIDC_SCHOOL, SAML_SCHOOL)
    assert ANNOUNCED.hints_for(request) == (SAML_SCHOOL,)


@pytest.mark.parametrize("changes", [{"prompt": "select_account"}, {"prompt": "none"}])
async def test_it_is_no_hint_where_people_choose_anew_or_nothing_is_shown(
    world: LoginWorld, changes: dict[str, str]
) -> None:
    request = world.ask(REKENRIJK, **changes)
    assert ANNOUNCED.hints_for(request) == ()


async def test_who_chooses_anew_is_not_sent_to_the_announced_login(world: LoginWorld) -> None:
    anew = wish_for(world.ask(REKENRIJK, prompt="select_account"), ANNOUNCED)
    assert anew.unverified_announced_login == ""
    assert wish_for(world.ask(REKENRIJK), ANNOUNCED) == ANNOUNCED


async def test_a_school_that_is_not_known_is_chosen(world: LoginWorld, browser: Browser) -> None:
    answer = await begin(world, browser, LoginWish(unverified_announced_school="nowhere"))
    assert isinstance(answer, ChooseSchool)
    assert not isinstance(answer, ChooseLogin)
