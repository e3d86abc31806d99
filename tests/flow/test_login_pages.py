"""The page between school and supplier: the notice, shared devices, and "that is not me"."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import ClassVar

import pytest
from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.domain.attributes import AttributeName, Population
from broker.flow.answers import ChooseSchool, Redirect, Welcome
from broker.flow.held_state.records import PREPARED
from broker.flow.page_between import find_page_needed
from broker.flow.refusals import AgreementChanged, LoginStepAbsent, LoginStepUsed
from tests.builders import a_school, an_agreement
from tests.builders_oidc import school_endpoints
from tests.flow.login_answers import AtSchool, Browser, Received, read_at_school, refused, welcomed
from tests.flow.login_parties import (
    FIRST_NAME,
    OIDC_IDP,
    REKENRIJK,
    ROLE,
    SAML_SCHOOL,
    TAALTUIN,
)
from tests.flow.login_world import DAAN, ELS, NOOR, SANNE, SUPPLIER_STATE, LoginWorld
from tests.flow.test_login_combinations import every_combination

AGREEMENT = "vuurvogel/rekenrijk"


class TestNotice:
    """Shown once for each version, person and supplier, before anything leaves."""

    async def test_it_names_what_is_shared_and_goes_on_by_a_button(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.change(AGREEMENT, notice=NoticeMode.INFORM)
        page = welcomed(await world.arrive(browser))
        assert set(page.shared or ()) == {FIRST_NAME, ROLE}
        assert (page.first_name, page.may_switch) == ("", False)
        assert world.receipts.kept == []
        received = await world.receive(await world.press(browser, "go_on", page.login))
        assert (received.error, received.state) == ("", SUPPLIER_STATE)
        assert len(world.receipts.kept) == 1

    async def test_once_for_each_version_person_and_supplier(self, world: LoginWorld) -> None:
        for supplier in ("rekenrijk", "taaltuin"):
            world.change(f"vuurvogel/{supplier}", notice=NoticeMode.INFORM)

        async def is_shown(person: Person = SANNE, party: str = REKENRIJK) -> bool:
            browser = Browser()
            answer = await world.arrive(browser, person, party=party)
            if isinstance(answer, Welcome):
                await world.press(browser, "go_on", answer.login)
            return isinstance(answer, Welcome)

        assert await is_shown()
        assert not await is_shown()
        assert await is_shown(DAAN)
        assert await is_shown(party=TAALTUIN)
        world.change(AGREEMENT, version=2)
        assert await is_shown()
        assert not await is_shown()

    async def test_left_unanswered_it_shows_again(self, world: LoginWorld) -> None:
        world.change(AGREEMENT, notice=NoticeMode.INFORM)
        for _ in range(2):
            assert isinstance(await world.arrive(Browser()), Welcome)

    async def test_staff_go_straight_on(self, world: LoginWorld, browser: Browser) -> None:
        world.change(AGREEMENT, notice=NoticeMode.INFORM)
        assert isinstance(await world.arrive(browser, ELS), Redirect)

    def test_without_agreement_there_is_nothing_to_tell(self) -> None:
        find = partial(find_page_needed, "Sanne", population=Population.PUPIL, seen=0)
        informs = an_agreement(notice=NoticeMode.INFORM)
        assert find(school=a_school(), agreement=None) is None
        assert find(school=a_school(), agreement=informs) is not None

    def test_a_shared_device_greets_once(self) -> None:
        find = partial(find_page_needed, "Sanne", population=None, agreement=None, seen=0)
        shared = a_school(shared_devices=True)
        assert find(school=shared) is not None
        assert find(school=shared, greeted=True) is None

    async def test_a_page_without_notice_keeps_no_root(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        roots = []
        for notice in (NoticeMode.NONE, NoticeMode.INFORM):
            world.change(SAML_SCHOOL, shared_devices=True)
            world.change(AGREEMENT, notice=notice)
            page = welcomed(await world.arrive(browser))
            kept = await world.flow._steps.look(PREPARED, browser.step(page.login))
            roots.append((kept.eck_root is None, kept.local_root is None))
        assert roots == [(True, True), (False, False)]


@every_combination
class TestSharedDevice:
    """On a device that pupils share, each login shows who it is for, and lets another go on."""

    async def test_it_greets_and_goes_on(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        world.change(person.school.id, shared_devices=True)
        page = welcomed(await world.arrive(browser, person, party=party))
        assert (page.first_name, page.shared, page.may_switch) == (person.first_name, None, True)
        assert person.first_name not in repr(page)
        received = await world.receive(await world.press(browser, "go_on", page.login), party)
        assert received.subject

    async def test_not_me_makes_the_school_ask_again(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        world.change(person.school.id, shared_devices=True)
        page = welcomed(await world.arrive(browser, person, party=party))
        at_school = read_at_school(await world.press(browser, "not_me", page.login))
        assert at_school.force_login
        assert at_school.choose_account == (person is NOOR)
        assert list(browser.cookies)[-1] == at_school.state
        assert page.login not in browser.cookies
        assert world.receipts.kept == []
        world.wait(seconds=30)
        other = {"employeeNumber": ("998877",), "eckId": None}
        page = welcomed(await world.come_back(browser, at_school, person, stated=other))
        received = await world.receive(await world.press(browser, "go_on", page.login), party)
        assert (received.error, received.state) == ("", SUPPLIER_STATE)
        assert received.subject != (await mine(world, person, party)).subject

    async def test_after_not_me_what_was_prepared_is_gone(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        world.change(person.school.id, shared_devices=True)
        page = welcomed(await world.arrive(browser, person, party=party))
        before = Browser(dict(browser.cookies))
        await world.press(browser, "not_me", page.login)
        for button in ("go_on", "not_me"):
            with pytest.raises(LoginStepUsed):
                await world.press(before, button, page.login)
        assert world.receipts.kept == []

    async def test_an_old_login_after_not_me_is_refused_and_the_retry_asks_again_too(
        self, world: LoginWorld, browser: Browser, person: Person, party: str
    ) -> None:
        world.change(person.school.id, shared_devices=True)
        page = welcomed(await world.arrive(browser, person, party=party))
        at_school = read_at_school(await world.press(browser, "not_me", page.login))
        long_ago = world.now - timedelta(hours=1)
        old: dict[str, object] = {"authn_instant": long_ago}
        if person is NOOR:
            old = {"auth_time": int(long_ago.timestamp())}
        answer = refused(await world.come_back(browser, at_school, person, **old))
        assert answer.retry is not None
        again = await world.choose(browser, answer.retry.name, answer.retry_school)
        assert read_at_school(again).force_login
        # ... also after the chooser's own refusal in between
        lost = refused(await world.choose(browser, answer.retry.name, "atlantis"))
        assert lost.retry is not None
        again = await world.choose(browser, lost.retry.name, person.school.id)
        assert read_at_school(again).force_login


async def mine(world: LoginWorld, person: Person, party: str) -> Received:
    browser = Browser()
    answer = await world.arrive(browser, person, party=party)
    if isinstance(answer, Welcome):
        answer = await world.press(browser, "go_on", answer.login)
    return await world.receive(answer, party)


async def test_not_me_at_a_provider_that_cannot_ask_again_offers_another_account(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("kompas", shared_devices=True)
    world.change(OIDC_IDP, endpoints=school_endpoints(can_reauthenticate=False))
    page = welcomed(await world.arrive(browser, NOOR))
    at_school = read_at_school(await world.press(browser, "not_me", page.login))
    assert (at_school.choose_account, at_school.force_login) == (True, False)
    assert isinstance(await world.come_back(browser, at_school, NOOR), Welcome)


class TestButtons:
    """Back button, double click and re-post: a friendly page and no second login."""

    @pytest.mark.parametrize("first", ["go_on", "not_me"])
    @pytest.mark.parametrize("second", ["go_on", "not_me"])
    async def test_a_page_counts_once(
        self, world: LoginWorld, browser: Browser, first: str, second: str
    ) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        before = Browser(dict(browser.cookies))
        await world.press(browser, first, page.login)
        with pytest.raises(LoginStepUsed):
            await world.press(before, second, page.login)
        with pytest.raises(LoginStepAbsent):  # the cookie is cleared
            await world.press(browser, second, page.login)
        assert len(world.receipts.kept) == (first == "go_on")

    async def test_a_page_is_gone_after_ten_minutes(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        world.wait(minutes=10)
        with pytest.raises(LoginStepAbsent):
            await world.press(browser, "go_on", page.login)

    async def test_the_chooser_may_be_used_again(self, world: LoginWorld, browser: Browser) -> None:
        chooser = await world.begin(browser)
        assert isinstance(chooser, ChooseSchool)
        steps: list[AtSchool] = [
            read_at_school(await world.choose(browser, chooser.login, school))
            for school in ("kompas", "vuurvogel", "vuurvogel")
        ]
        assert len({each.state for each in steps}) == 3
        assert (await world.flow.read_choosing(browser.step(chooser.login))).supplier.id == (
            "rekenrijk"
        )
        received = await world.receive(await world.come_back(browser, steps[-1]))
        assert received.state == SUPPLIER_STATE


class TestWhileThePageWaits:
    """The school's decision counts when the button is pressed, not when the page was shown."""

    CHANGES: ClassVar[dict[str, Callable[[LoginWorld], None]]] = {
        "withdrawn": lambda world: world.put(AGREEMENT, None),
        "new version": lambda world: world.change(AGREEMENT, version=2),
        "ended": lambda world: world.change(AGREEMENT, last_day=world.records[AGREEMENT].first_day),
        "narrowed": lambda world: world.change(AGREEMENT, approved=frozenset({ROLE})),
        "not declared any more": lambda world: world.change("rekenrijk", attributes=()),
        "another supplier's": lambda world: move(world),
    }

    @pytest.mark.parametrize("change", CHANGES)
    async def test_what_changed_is_not_released(
        self, world: LoginWorld, browser: Browser, change: str
    ) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        self.CHANGES[change](world)
        answer = refused(await world.press(browser, "go_on", page.login))
        assert isinstance(answer.refusal, AgreementChanged)
        assert world.receipts.kept == []
        assert answer.retry is not None
        assert answer.retry_school == SAML_SCHOOL

    async def test_what_did_not_change_is(self, world: LoginWorld, browser: Browser) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        world.change("vuurvogel/taaltuin", version=2)
        world.change(AGREEMENT, approved=frozenset({FIRST_NAME, ROLE, AttributeName("sn")}))
        received = await world.receive(await world.press(browser, "go_on", page.login))
        assert received.claims["given_name"] == "Sanne"

    async def test_the_retry_releases_what_is_approved_now(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        world.change(SAML_SCHOOL, shared_devices=True)
        page = welcomed(await world.arrive(browser))
        world.change(AGREEMENT, version=2, approved=frozenset({ROLE}))
        answer = refused(await world.press(browser, "go_on", page.login))
        assert answer.retry is not None
        at_school = read_at_school(
            await world.choose(browser, answer.retry.name, answer.retry_school)
        )
        page = welcomed(await world.come_back(browser, at_school))
        received = await world.receive(await world.press(browser, "go_on", page.login))
        assert received.claims == {"eduperson_affiliation": ["student"]}
        assert received.state == SUPPLIER_STATE


def move(world: LoginWorld) -> None:
    """Let the relying party become another supplier's, with an agreement of the same version."""
    taaltuin, rekenrijk = world.records["taaltuin"], world.records["rekenrijk"]
    moved = tuple(replace(each, supplier=taaltuin.id) for each in rekenrijk.relying_parties)
    world.records["rekenrijk"] = None
    world.change("taaltuin", relying_parties=(*taaltuin.relying_parties, *moved))
