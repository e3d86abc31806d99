"""Every refusal of the journeys, raised by its check, each beside a twin that goes on."""

from collections.abc import Awaitable, Callable

import pytest

from broker.domain.agreements import NoticeMode
from broker.domain.federation import SingleSignOn, State
from broker.domain.refusals import Refusal
from broker.flow import refusals as r
from broker.flow.answers import (
    Answer,
    ChooseSchool,
    PostMessage,
    Redirect,
    Refused,
    WhichSchool,
)
from broker.flow.persons.register import mark_of
from tests.flow.login_answers import (
    Browser,
    read_at_school,
    refused,
    welcomed,
)
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    OIDC_SCHOOL,
    OTHER_SCHOOL,
    SAML_IDP,
    SAML_SCHOOL,
)
from tests.flow.login_world import NOOR, LoginWorld

Journey = Callable[[LoginWorld, bool], Awaitable[Answer]]


async def chosen(world: LoginWorld, school: str = SAML_SCHOOL) -> Answer:
    browser = Browser()
    chooser = await world.begin(browser)
    assert isinstance(chooser, ChooseSchool)
    return await world.choose(browser, chooser.login, school)


async def passively(
    world: LoginWorld, *, fails_at: int = 0, max_age: str | None = None, **answer: object
) -> Answer:
    browser = Browser()
    begun = await world.begin(browser, prompt="none", hint="22BB", max_age=max_age)
    world.faults.start(fails_at=fails_at)
    return await world.come_back(browser, read_at_school(begun), NOOR, **answer)


async def in_another_browser(world: LoginWorld, wrong: bool) -> Answer:
    own, other = Browser(), Browser()
    at_school = await world.go_to_school(own)
    return await world.come_back(other if wrong else own, at_school)


async def twice(world: LoginWorld, wrong: bool) -> Answer:
    browser = Browser()
    at_school = await world.go_to_school(browser)
    before = Browser(dict(browser.cookies))
    answer = await world.come_back(browser, at_school)
    return await world.come_back(before, at_school) if wrong else answer


async def at_a_school_of_no_name(world: LoginWorld, wrong: bool) -> Answer:
    return await chosen(world, "atlantis" if wrong else SAML_SCHOOL)


async def at_a_closed_school(world: LoginWorld, wrong: bool) -> Answer:
    world.change(SAML_SCHOOL, enabled=not wrong)
    return await chosen(world)


async def for_a_closed_supplier(world: LoginWorld, wrong: bool) -> Answer:
    browser = Browser()
    chooser = await world.begin(browser)
    world.change("rekenrijk", enabled=not wrong)
    assert isinstance(chooser, ChooseSchool)
    return await world.choose(browser, chooser.login, SAML_SCHOOL)


async def at_a_real_school_for_a_test(world: LoginWorld, wrong: bool) -> Answer:
    for each in (SAML_SCHOOL, SAML_IDP):
        world.change(each, state=State.PRODUCTION if wrong else State.TEST)
    return await chosen(world)


async def without_page_and_school(world: LoginWorld, wrong: bool) -> Answer:
    return await world.begin(Browser(), prompt="none", hint="" if wrong else "11AA")


async def without_page_and_notice(world: LoginWorld, wrong: bool) -> Answer:
    if wrong:
        world.change("kompas/rekenrijk", notice=NoticeMode.INFORM)
    return await passively(world)


async def without_page_and_too_late(world: LoginWorld, wrong: bool) -> Answer:
    seconds_ago = 3600 if wrong else 600
    return await passively(
        world, max_age="3600", auth_time=int(world.now.timestamp()) - seconds_ago
    )


async def while_the_store_is_down(world: LoginWorld, wrong: bool) -> Answer:
    world.faults.start(fails_at=-1 if wrong else 0)
    return await world.begin(Browser())


async def while_the_school_is_down(world: LoginWorld, wrong: bool) -> Answer:
    browser = Browser()
    at_school = await world.go_to_school(browser, school=OIDC_SCHOOL)
    world.faults.start(fails_at=2 if wrong else 0)
    return await world.come_back(browser, at_school, NOOR)


async def with_an_assertion_again(world: LoginWorld, wrong: bool) -> Answer:
    def named(own_id: str) -> Callable[[object], object]:
        return lambda assertion: assertion.set("ID", own_id)  # type: ignore[attr-defined]

    await world.arrive(Browser(), edit_assertion=named("_first"))
    return await world.arrive(Browser(), edit_assertion=named("_first" if wrong else "_second"))


async def under_another_agreement(world: LoginWorld, wrong: bool) -> Answer:
    world.change("vuurvogel/rekenrijk", notice=NoticeMode.INFORM)
    browser = Browser()
    page = welcomed(await world.arrive(browser))
    world.change("vuurvogel/rekenrijk", version=2 if wrong else 1)
    return await world.press(browser, "go_on", page.login)


async def without_page_and_receipts(world: LoginWorld, wrong: bool) -> Answer:
    return await passively(world, fails_at=5 if wrong else 0)


async def of_somebody_who_was_erased(world: LoginWorld, wrong: bool) -> Answer:
    """A session goes on, and its person is erased while the page asks for which school this is."""
    for each in (SAML_SCHOOL, OTHER_SCHOOL):
        world.change(each, single_sign_on=SingleSignOn.ON)
    browser, both = Browser(), {"nlEduPersonHomeOrganizationId": ("11AA", "33CC")}

    async def choose(page: Answer) -> Answer:
        assert isinstance(page, WhichSchool)
        held = browser.step(page.login)
        return browser.follow(await world.flow.choose_own(held, unverified_school=SAML_SCHOOL))

    await choose(await world.arrive(browser, party=BIOSFEER_OIDC, stated=both))
    page = await world.begin(browser)
    if wrong:
        rows = world.register.rows.items()
        await world.register.erase({tag: mark_of(each.sealed) for tag, each in rows})
    return await choose(page)


JOURNEYS: dict[type[Refusal], tuple[Journey, str]] = {
    r.LoginStepAbsent: (in_another_browser, "check_login_step"),
    r.LoginStepUsed: (twice, "check_login_step"),
    r.SchoolUnknown: (at_a_school_of_no_name, "check_school_known"),
    r.SchoolNotOpen: (at_a_closed_school, "check_school_enabled"),
    r.SupplierNotOpen: (for_a_closed_supplier, "check_supplier_enabled"),
    r.StatesDiffer: (at_a_real_school_for_a_test, "check_states_equal"),
    r.InteractionRequired: (without_page_and_notice, "check_no_page_when_passive"),
    r.NotLoggedIn: (without_page_and_school, "check_school_known_when_passive"),
    r.LoginRequired: (without_page_and_too_late, "check_login_within_max_age"),
    r.StoreUnavailable: (while_the_store_is_down, "check_login_step"),
    r.SchoolUnreachable: (while_the_school_is_down, "check_school_answers"),
    r.AssertionUsed: (with_an_assertion_again, "check_login_step"),
    r.AgreementChanged: (under_another_agreement, "check_agreement_unchanged"),
    r.FailedWithoutPage: (without_page_and_receipts, ""),
    r.PersonForgotten: (of_somebody_who_was_erased, "check_person_still_known"),
}

TOLD = {
    r.InteractionRequired: "interaction_required",
    r.NotLoggedIn: "login_required",
    r.LoginRequired: "login_required",
    r.FailedWithoutPage: "temporarily_unavailable",
}
"""What a supplier learns that asked for no page; everybody else sees a page of ours."""


def test_every_refusal_of_the_journeys_has_its_journey() -> None:
    own = {each for each in vars(r).values() if isinstance(each, type) and each is not Refusal}
    of_logging_out = {r.LogoutStepAbsent}  # test_logout.py
    assert {each for each in own if issubclass(each, Refusal)} - of_logging_out == set(JOURNEYS)


@pytest.mark.parametrize("refusal", [each for each in JOURNEYS if each not in TOLD])
async def test_refused_on_a_page_of_ours(world: LoginWorld, refusal: type[Refusal]) -> None:
    journey, check = JOURNEYS[refusal]
    try:
        page = refused(await journey(world, True))
    except Refusal as raised:  # no relying party is known, or none may be told: the edge's page
        found, way_back = raised, ""
    else:
        found, way_back = page.refusal, page.way_back
        assert len(page.reference) == 8
        assert way_back == "https://rekenrijk.example/"
        assert (world.audit.last.reference, world.audit.last.check) == (page.reference, check)
    assert (type(found), found.check) == (refusal, check)
    assert not found.may_redirect


@pytest.mark.parametrize("refusal", TOLD)
async def test_told_to_a_supplier_that_asked_for_no_page(
    world: LoginWorld, refusal: type[Refusal]
) -> None:
    journey, check = JOURNEYS[refusal]
    answer = await journey(world, True)
    assert isinstance(answer, Redirect)
    assert f"error={TOLD[refusal]}" in answer.url
    assert f"error_description={refusal.code}" in answer.url
    assert (world.audit.last.action, world.audit.last.check) == ("refused", check)


@pytest.mark.parametrize("refusal", JOURNEYS)
async def test_the_twin_goes_on(world: LoginWorld, refusal: type[Refusal]) -> None:
    journey, _ = JOURNEYS[refusal]
    answer = await journey(world, False)
    assert isinstance(answer, Redirect | PostMessage | ChooseSchool)
    assert not isinstance(answer, Refused)
    assert "error=" not in getattr(answer, "url", "")
