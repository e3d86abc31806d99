"""Every I/O of a login fails in turn, before or after it was carried out: nothing half-released."""

from contextlib import suppress

import pytest

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.domain.refusals import Refusal
from broker.flow.answers import Answer, PostMessage, Refused, Welcome
from tests.builders_oidc import school_endpoints
from tests.flow.fakes import Lost
from tests.flow.login_answers import (
    Browser,
    Received,
    read_at_school,
    read_redirect,
    read_response,
    refused,
)
from tests.flow.login_parties import OIDC_IDP, REKENRIJK
from tests.flow.login_world import NOOR, SANNE, SUPPLIER_STATE, LoginWorld
from tests.flow.test_login_combinations import every_combination

MOST_CALLS = 20
"""More than any of these journeys makes; the last ones fail nothing, which is checked."""


def with_pages(world: LoginWorld) -> None:
    """Let both schools show every page that there is."""
    for school in ("vuurvogel", "kompas"):
        world.change(school, shared_devices=True)
        for supplier in ("rekenrijk", "taaltuin"):
            world.change(f"{school}/{supplier}", notice=NoticeMode.INFORM)


def with_userinfo(world: LoginWorld) -> None:
    """Let the school's provider have a userinfo endpoint and publish its keys."""
    endpoints = school_endpoints(
        jwks="", jwks_uri="https://keys.example", userinfo_endpoint="https://userinfo.example"
    )
    world.change(OIDC_IDP, endpoints=endpoints)
    world.school.userinfo = {"sub": NOOR.id}


async def run(world: LoginWorld, party: str, person: Person) -> Answer:
    browser = Browser()
    answer = await world.begin(browser, party, hint=person.school.brin)
    if isinstance(answer, Refused):
        return answer
    answer = await world.come_back(browser, read_at_school(answer), person)
    if isinstance(answer, Welcome):
        answer = await world.press(browser, "go_on", answer.login)
    return answer


def released(answer: Answer) -> Received | None:
    """Return what left for the supplier, when it was more than an error."""
    if isinstance(answer, Refused):
        return None
    read = read_response(answer) if isinstance(answer, PostMessage) else read_redirect(answer)
    assert read.state == SUPPLIER_STATE
    return None if read.error else read


@every_combination
@pytest.mark.parametrize("pages", [False, True], ids=["straight", "pages"])
@pytest.mark.parametrize("lost", ["request", "answer"])
async def test_whatever_fails_nothing_is_half_released(
    telling_values: frozenset[str], person: Person, party: str, pages: bool, lost: Lost
) -> None:
    succeeded = 0
    for fails_at in range(1, MOST_CALLS + 1):
        world = LoginWorld(telling_values)
        with_userinfo(world)
        if pages:
            with_pages(world)
        world.faults.start(fails_at=fails_at, lost=lost)
        left = None
        with suppress(Refusal):  # any other exception is a fault, and fails the test
            answer = await run(world, party, person)
            left = released(answer)
            if left is None:
                assert world.audit.last.action == "refused"
            else:
                assert len(world.receipts.kept) == 1
                assert "released" in world.audit.actions()
                if party == REKENRIJK:
                    assert (await world.receive(answer, party)).subject
                succeeded += len(world.faults.calls) < fails_at
        if left is None:
            assert "released" not in world.audit.actions()
            assert len(world.receipts.kept) <= 1  # one that was prepared, at most
    assert succeeded >= 1


@every_combination
async def test_a_failure_that_may_be_retried_leads_to_the_same_place(
    telling_values: frozenset[str], person: Person, party: str
) -> None:
    retried = 0
    for fails_at in range(1, MOST_CALLS + 1):
        world, browser = LoginWorld(telling_values), Browser()
        at_school = await world.go_to_school(browser, party, person.school.id)
        world.faults.start(fails_at=1 + fails_at)  # the first takes what waits for the browser
        answer = await world.come_back(browser, at_school, person)
        if not isinstance(answer, Refused):
            break
        retry = refused(answer).retry
        assert retry is not None, answer
        back = await world.choose(browser, retry.name, answer.retry_school)
        again = await world.come_back(browser, read_at_school(back), person)
        received = await world.receive(again, party)
        assert (received.error, received.state) == ("", SUPPLIER_STATE)
        retried += 1
    assert retried >= 2


async def test_the_store_down_for_good_leaves_a_way_back(world: LoginWorld) -> None:
    browser = Browser()
    at_school = await world.go_to_school(browser)
    world.faults.start(fails_at=-1)
    with pytest.raises(Refusal, match="E-LOGIN-9"):
        await world.come_back(browser, at_school)
    page = refused(await world.begin(Browser()))
    assert page.refusal.http_status == 503
    assert page.retry is None
    assert page.way_back == "https://rekenrijk.example/"


async def test_a_notice_that_cannot_be_noted_holds_up_nobody(world: LoginWorld) -> None:
    world.change("vuurvogel/rekenrijk", notice=NoticeMode.INFORM)
    for _ in range(2):
        browser = Browser()
        page = await world.arrive(browser, SANNE)
        assert isinstance(page, Welcome)
        world.faults.start(fails_at=4)  # take, append, put, then the register
        answer = await world.press(browser, "go_on", page.login)
        assert world.faults.calls[3] == "register.find"
        assert (await world.receive(answer)).subject
        assert "notice-not-noted" in world.audit.actions()
