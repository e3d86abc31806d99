"""Several logins in one browser, in any order; steps of another browser; retries that go on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.demo.people import Person
from broker.domain.refusals import Refusal
from broker.flow.answers import Answer, ChooseSchool, PostMessage, Redirect, Welcome
from broker.flow.refusals import LoginStepAbsent, LoginStepUsed
from broker.oidc_rp.refusals import SchoolAnswerNotExpected
from broker.saml_sp.refusals import ResponseToAnotherRequest
from tests.flow.login_answers import (
    AtSchool,
    Browser,
    read_at_school,
    read_redirect,
    read_response,
    refused,
    welcomed,
)
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK, TAALTUIN
from tests.flow.login_world import DAAN, NOOR, SANNE, SUPPLIER_STATE, LoginWorld
from tests.flow.test_login_combinations import every_combination

PEOPLE = (SANNE, DAAN, NOOR)
PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_three_tabs_three_suppliers_any_order(
    world: LoginWorld, browser: Browser, order: tuple[int, ...]
) -> None:
    alone = LoginWorld()
    tabs = [
        await world.go_to_school(browser, party, person.school.id)
        for party, person in zip(PARTIES, PEOPLE, strict=True)
    ]
    for each in order:
        party, person = PARTIES[each], PEOPLE[each]
        received = await world.receive(await world.come_back(browser, tabs[each], person), party)
        assert received.subject == (await alone.log_in(party, person)).subject
        assert received.state == SUPPLIER_STATE


class TestAnotherBrowser:
    """Completing somebody else's flow fails at every step."""

    async def test_choosing(self, world: LoginWorld, browser: Browser) -> None:
        chooser = await world.begin(browser)
        assert isinstance(chooser, ChooseSchool)
        for step in (
            lambda: world.choose(Browser(), chooser.login, "vuurvogel"),
            lambda: world.flow.read_choosing(Browser().step(chooser.login)),
        ):
            with pytest.raises(LoginStepAbsent):
                await step()
        assert await world.choose(browser, chooser.login, "vuurvogel")

    @every_combination
    async def test_coming_back(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        at_school = await world.go_to_school(browser, party, person.school.id)
        with pytest.raises(LoginStepAbsent):
            await world.come_back(Browser(), at_school, person)
        received = await world.receive(await world.come_back(browser, at_school, person), party)
        assert received.subject

    @pytest.mark.parametrize("button", ["go_on", "not_me"])
    async def test_pressing(self, world: LoginWorld, browser: Browser, button: str) -> None:
        world.change("vuurvogel", shared_devices=True)
        page = welcomed(await world.arrive(browser))
        with pytest.raises(LoginStepAbsent):
            await world.press(Browser(), button, page.login)
        assert await world.press(browser, button, page.login)

    @pytest.mark.parametrize("person", [SANNE, NOOR], ids=["saml", "oidc"])
    async def test_an_answer_fits_its_own_login_only(
        self, world: LoginWorld, browser: Browser, person: Person
    ) -> None:
        """The attacker's answer under the victim's state, and the other way round."""
        theirs = await world.go_to_school(Browser(), school=person.school.id)
        mine = await world.go_to_school(browser, school=person.school.id)
        step = browser.step(mine.state)
        if person is NOOR:
            brought = world.oidc_answer(theirs, person)
            answer = browser.follow(await world.flow.finish_oidc(step, parameters=brought))
        else:
            form = world.saml_answer(theirs, person)
            answer = browser.follow(await world.flow.finish_saml(step, form=form))
        page = refused(answer)
        assert isinstance(page.refusal, ResponseToAnotherRequest | SchoolAnswerNotExpected)
        assert world.receipts.kept == []

    async def test_an_answer_to_another_login_of_the_same_browser(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        tabs = [await world.go_to_school(browser, school="kompas") for _ in range(2)]
        parameters = world.oidc_answer(tabs[0], NOOR)
        # the state of one tab with the cookie of the other: what was kept decides
        swapped = type(browser.step(""))(tabs[0].state, browser.cookies[tabs[1].state].handle.text)
        page = refused((await world.flow.finish_oidc(swapped, parameters=parameters)).answer)
        assert isinstance(page.refusal, SchoolAnswerNotExpected)

    async def test_a_handle_opens_its_own_kind_of_step(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        chooser = await world.begin(browser)
        assert isinstance(chooser, ChooseSchool)
        step = browser.step(chooser.login)
        steps: list[Callable[[], object]] = [
            lambda: world.flow.go_on(step),
            lambda: world.flow.not_me(step),
            lambda: world.flow.finish_saml(step, form=[]),
            lambda: world.flow.finish_oidc(step, parameters=[]),
        ]
        for each in steps:
            with pytest.raises(LoginStepAbsent):
                await each()  # type: ignore[misc]
        assert await world.choose(browser, chooser.login, "kompas")


class TestTwice:
    @every_combination
    async def test_a_school_s_answer_counts_once(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        at_school = await world.go_to_school(browser, party, person.school.id)
        before = Browser(dict(browser.cookies))
        assert await world.come_back(browser, at_school, person)
        with pytest.raises(LoginStepUsed):
            await world.come_back(before, at_school, person)
        with pytest.raises(LoginStepAbsent):
            await world.come_back(browser, at_school, person)
        assert len(world.receipts.kept) == 1

    @every_combination
    async def test_a_double_click_races_to_one_release(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        world.change(person.school.id, shared_devices=True)
        page = welcomed(await world.arrive(browser, person, party=party))
        step = browser.step(page.login)
        raced = await asyncio.gather(
            world.flow.go_on(step),
            world.flow.not_me(step),
            world.flow.go_on(step),
            return_exceptions=True,
        )
        assert sum(not isinstance(each, LoginStepUsed) for each in raced) == 1
        assert len(world.receipts.kept) == 1

    async def test_a_step_that_came_too_late_is_absent(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        at_school = await world.go_to_school(browser)
        world.wait(minutes=30)
        with pytest.raises(LoginStepAbsent):
            await world.come_back(browser, at_school)


class TestRetry:
    """The supplier's request, and with it the deep link, survives a refusal."""

    @every_combination
    async def test_chooser_school_refused_retry_supplier(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        at_school = await world.go_to_school(browser, party, person.school.id)
        wrong: dict[str, object] = {"nonce": "another"}
        if person is SANNE:
            wrong = {"in_response_to": "_another"}
        page = refused(await world.come_back(browser, at_school, person, **wrong))
        assert page.refusal.may_retry
        assert page.retry is not None
        assert browser.cookies[page.retry.name] == page.retry
        assert at_school.state not in browser.cookies
        assert page.retry_school == person.school.id
        answer = await world.choose(browser, page.retry.name, page.retry_school)
        answer = await world.come_back(browser, read_at_school(answer), person)
        received = await world.receive(answer, party)
        assert (received.error, received.state) == ("", SUPPLIER_STATE)
        assert received.subject

    async def test_a_school_that_is_not_known_leads_back_to_the_chooser(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        chooser = await world.begin(browser)
        assert isinstance(chooser, ChooseSchool)
        page = refused(await world.choose(browser, chooser.login, "atlantis"))
        assert page.retry is not None
        assert page.retry_school == ""
        answer = await world.choose(browser, page.retry.name, "vuurvogel")
        received = await world.receive(await world.come_back(browser, read_at_school(answer)))
        assert received.state == SUPPLIER_STATE

    async def test_what_trying_cannot_mend_offers_no_retry(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.put("vuurvogel/rekenrijk", None)
        page = refused(await world.arrive(browser))
        assert page.retry is None
        assert page.way_back == "https://rekenrijk.example/"
        assert page.way_back_name == "RekenRijk"


@dataclass
class Tab:
    """One login, as its person and its supplier see it."""

    party: str
    person: Person
    seen: list[AtSchool] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["school", "school", "again", "go_on", "go_on", "not_me", "swap"]),
        st.integers(0, 2),
    ),
    max_size=24,
)


@given(STEPS, st.booleans())
@settings(max_examples=60)
async def test_no_interleaving_of_tabs_gives_a_wrong_person_or_a_second_answer(
    steps: list[tuple[int, str, int]], shared: bool
) -> None:
    """Each request to a school is answered at most once, with who logged in for it."""
    world, browser = LoginWorld(), Browser()
    for school in ("vuurvogel", "kompas"):
        world.change(school, shared_devices=shared)
    expected = {
        (party, person.id): (await mine(party, person)) for party in PARTIES for person in PEOPLE
    }
    tabs = [Tab(party, person) for party, person in zip(PARTIES, PEOPLE, strict=True)]
    for tab in tabs:
        tab.seen.append(await world.go_to_school(browser, tab.party, tab.person.school.id))
    everything = Browser(dict(browser.cookies))  # it never drops a cookie
    for number, action, other in steps:
        tab = tabs[number]
        try:
            answer = await take_step(world, everything, tab, action, tabs[other])
        except Refusal:
            continue
        if isinstance(answer, Welcome):
            tab.pages.append(answer.login)
        elif isinstance(answer, Redirect | PostMessage) and is_for_supplier(answer):
            tab.answers.append(answer)
    for tab in tabs:
        assert len(tab.answers) <= len(tab.seen)
        for answer in tab.answers:
            received = await world.receive(answer, tab.party)
            assert received.subject in ("", expected[tab.party, tab.person.id])
    assert len(world.receipts.kept) >= sum(len(each.answers) for each in tabs)


async def take_step(
    world: LoginWorld, browser: Browser, tab: Tab, action: str, other: Tab
) -> Answer:
    cookies = dict(browser.cookies)
    try:
        if action in ("go_on", "not_me"):
            login = tab.pages[-1] if tab.pages else ""
            answer = await world.press(browser, action, login)
            if action == "not_me":
                tab.seen.append(read_at_school(answer))
            return answer
        at_school = tab.seen[0] if action == "again" else tab.seen[-1]
        if action == "swap":  # another tab's answer under this tab's state
            state = at_school.state
            at_school = other.seen[-1]
            parameters = world.oidc_answer(at_school, other.person)
            step = browser.step(state)
            if at_school.nonce:
                return browser.follow(await world.flow.finish_oidc(step, parameters=parameters))
            form = world.saml_answer(at_school, other.person)
            return browser.follow(await world.flow.finish_saml(step, form=form))
        return await world.come_back(browser, at_school, tab.person)
    finally:
        browser.cookies = {**cookies, **browser.cookies}


def is_for_supplier(answer: Redirect | PostMessage) -> bool:
    if isinstance(answer, PostMessage):
        return not read_response(answer).error
    return answer.url.startswith(("https://rekenrijk", "https://biosfeer")) and not (
        read_redirect(answer).error
    )


async def mine(party: str, person: Person) -> str:
    return (await LoginWorld().log_in(party, person)).subject
