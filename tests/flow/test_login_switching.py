"""A school changes its login, by class, all and back: the supplier keeps the same pupil."""

import pytest

from broker.domain.switches import SwitchStage
from broker.flow.answers import Answer, ChooseLogin, ChooseSchool, OtherLogin
from broker.flow.school_logins import LoginWish
from tests.flow.feeding import feed
from tests.flow.login_answers import AtSchool, Browser, read_at_school, read_redirect
from tests.flow.login_parties import OIDC_IDP, REKENRIJK, SAML_IDP, SAML_SCHOOL, TAALTUIN
from tests.flow.login_world import DAAN, ELS, SANNE
from tests.flow.switched_world import CLASS, SANNES_CLASS, SwitchedWorld

Both = pytest.mark.parametrize("party", [REKENRIJK, TAALTUIN])


@pytest.fixture
def world() -> SwitchedWorld:
    return SwitchedWorld()


async def choose_login(world: SwitchedWorld, browser: Browser, login: str, party: str) -> AtSchool:
    """Begin, choose the school, and choose one of its logins."""
    chooser = await world.begin(browser, party)
    assert isinstance(chooser, ChooseSchool)
    asked = await world.choose(browser, chooser.login, SAML_SCHOOL)
    assert asked == ChooseLogin(chooser.login, SAML_SCHOOL)
    step = await world.flow.choose(
        browser.step(asked.login),
        unverified_school=asked.school,
        wish=LoginWish(unverified_clicked=login),
    )
    return read_at_school(browser.follow(step))


@Both
@pytest.mark.parametrize("person", [SANNE, DAAN, ELS])
async def test_the_account_stays_through_all_of_it(
    world: SwitchedWorld, party: str, person: object
) -> None:
    before = await world.log_in(party, person)  # type: ignore[arg-type]
    world.take_step(SwitchStage.ALL)
    after = await world.log_in(party, person)  # type: ignore[arg-type]
    world.take_step(SwitchStage.BACK)
    again = await world.log_in(party, person)  # type: ignore[arg-type]
    assert before.subject == after.subject == again.subject


@Both
async def test_by_class_one_button_leads_to_the_new_login(world: SwitchedWorld, party: str) -> None:
    before = await world.log_in(party, SANNE)
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    browser = Browser()
    at_old = await choose_login(world, browser, SAML_IDP, party)
    page = await world.come_back(browser, at_old, SANNE)
    assert isinstance(page, OtherLogin)
    assert (page.idp.id, page.school.id) == (OIDC_IDP, SAML_SCHOOL)
    at_new = await world.press_other(browser, page)
    after = await world.receive(await world.come_back(browser, at_new, SANNE), party)
    assert after.subject == before.subject
    assert after.state == before.state
    assert "sent-on" in [each.action for each in world.audit.events]


async def test_by_class_others_go_on_by_both(world: SwitchedWorld) -> None:
    before = await world.log_in(REKENRIJK, DAAN)
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    for login in (SAML_IDP, OIDC_IDP):
        browser = Browser()
        at_school = await choose_login(world, browser, login, REKENRIJK)
        answer = await world.come_back(browser, at_school, DAAN)
        assert (await world.receive(answer)).subject == before.subject


@pytest.mark.parametrize(
    ("listed", "stated", "is_sent_on"),
    [
        (SANNES_CLASS.upper(), (), True),
        ("8A|plusgroep", (), False),
        (None, (), False),
        (SANNES_CLASS, ("8A",), False),  # what a login states goes before the list
    ],
)
async def test_of_whom_the_login_tells_no_class_the_list_does(
    world: SwitchedWorld, listed: str | None, stated: tuple[str, ...], is_sent_on: bool
) -> None:
    world.change(SAML_IDP, login_identifier="uid")
    told = {CLASS: stated or None, "uid": ("sanne.1",)}
    if listed is not None:
        row = {"login": "sanne.1", "number": SANNE.attributes["employeeNumber"][0]}
        await feed(world, {**row, "groups": listed}, school=SAML_SCHOOL)
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    browser = Browser()
    at_old = await choose_login(world, browser, SAML_IDP, REKENRIJK)
    page = await world.come_back(browser, at_old, SANNE, stated=told)
    assert isinstance(page, OtherLogin) is is_sent_on


async def test_a_list_is_asked_for_a_class_only_while_classes_switch(world: SwitchedWorld) -> None:
    world.change(SAML_IDP, login_identifier="uid")
    for stage, asked in ((None, 1), (SwitchStage.CLASSES, 2), (SwitchStage.BACK, 1)):
        if stage is not None:
            world.take_step(stage, *([SANNES_CLASS] if stage is SwitchStage.CLASSES else []))
        world.faults.start()
        browser = Browser()
        if stage is SwitchStage.CLASSES:
            at_old = await choose_login(world, browser, SAML_IDP, REKENRIJK)
        else:
            at_old = await world.go_to_school(browser)
        told = {CLASS: None, "uid": ("sanne.1",)}
        assert read_redirect(await world.come_back(browser, at_old, SANNE, stated=told)).code
        assert world.faults.calls.count("enrolments.find") == asked


async def test_the_assertion_of_who_is_sent_on_is_used_up(world: SwitchedWorld) -> None:
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    browser = Browser()
    at_old = await choose_login(world, browser, SAML_IDP, REKENRIJK)
    held = dict(browser.cookies)
    form = world.saml_answer(at_old, SANNE)
    first = browser.follow(await world.flow.finish_saml(browser.step(at_old.state), form=form))
    assert isinstance(first, OtherLogin)
    browser.cookies = held
    with pytest.raises(Exception, match="E-LOGIN-2"):
        await world.flow.finish_saml(browser.step(at_old.state), form=form)


async def test_who_is_under_way_at_the_old_login_finishes(world: SwitchedWorld) -> None:
    browser = Browser()
    at_old = await world.go_to_school(browser)
    world.wait(seconds=1)
    world.take_step(SwitchStage.ALL)
    answer = await world.come_back(browser, at_old, SANNE)
    assert read_redirect(answer).code


async def test_who_is_under_way_at_the_new_login_is_brought_back(world: SwitchedWorld) -> None:
    """Going back is at once: the reason may be what the new login states."""
    world.take_step(SwitchStage.ALL)
    browser = Browser()
    at_new = await world.go_to_school(browser)
    assert at_new.nonce
    world.take_step(SwitchStage.BACK)
    page = await world.come_back(browser, at_new, SANNE)
    at_old = await world.press_other(browser, page)
    assert not at_old.nonce
    assert read_redirect(await world.come_back(browser, at_old, SANNE)).code


@pytest.mark.parametrize("hint", ["vuurvogel", "11AA"])
async def test_a_hint_names_the_school_and_the_pupil_the_login(
    world: SwitchedWorld, browser: Browser, hint: str
) -> None:
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    asked = await world.begin(browser, hint=hint)
    assert isinstance(asked, ChooseLogin)
    world.take_step(SwitchStage.ALL)
    assert read_at_school(await world.choose(browser, asked.login, asked.school)).nonce


async def test_a_remembered_login_is_not_asked_for(world: SwitchedWorld, browser: Browser) -> None:
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    asked = world.ask_hinting(REKENRIJK, "vuurvogel")
    for login, is_new in ((SAML_IDP, False), (OIDC_IDP, True)):
        wish = LoginWish(unverified_remembered=login)
        at_school = read_at_school(browser.follow(await world.flow.begin(asked, wish=wish)))
        assert bool(at_school.nonce) == is_new


async def test_a_supplier_that_lets_people_choose_anew_has_no_login_remembered(
    world: SwitchedWorld, browser: Browser
) -> None:
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    wish = LoginWish(unverified_remembered=OIDC_IDP)
    asked = world.ask_hinting(REKENRIJK, "vuurvogel", prompt="select_account")
    begun = browser.follow(await world.flow.begin(asked, wish=wish))
    assert isinstance(begun, ChooseLogin)
    step = browser.step(begun.login)
    again = await world.flow.choose(step, unverified_school=begun.school, wish=wish)
    assert isinstance(again.answer, ChooseLogin)


def passive(world: SwitchedWorld) -> object:
    return world.ask_hinting(REKENRIJK, "vuurvogel", prompt="none")


async def begin_passive(world: SwitchedWorld, browser: Browser, login: str) -> AtSchool:
    wish = LoginWish(unverified_remembered=login)
    begun = await world.flow.begin(passive(world), wish=wish)  # type: ignore[arg-type]
    return read_at_school(browser.follow(begun))


async def test_without_a_page_the_old_login_does(world: SwitchedWorld, browser: Browser) -> None:
    before = await world.log_in()
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    at_old = await begin_passive(world, browser, SAML_IDP)
    answer = await world.come_back(browser, at_old, SANNE)
    assert (await world.receive(answer)).subject == before.subject


async def test_without_a_page_a_login_that_was_left_does_not(
    world: SwitchedWorld, browser: Browser
) -> None:
    world.take_step(SwitchStage.ALL)
    at_new = await begin_passive(world, browser, "")
    world.take_step(SwitchStage.BACK)
    answer: Answer = await world.come_back(browser, at_new, SANNE)
    assert read_redirect(answer).error == "interaction_required"


async def test_that_is_not_me_asks_at_a_login_that_is_still_offered(world: SwitchedWorld) -> None:
    world.change(SAML_SCHOOL, shared_devices=True)
    browser = Browser()
    page = await world.arrive(browser, SANNE)
    world.take_step(SwitchStage.ALL)
    answer = await world.press(browser, "not_me", page.login)  # type: ignore[union-attr]
    assert read_at_school(answer).nonce
