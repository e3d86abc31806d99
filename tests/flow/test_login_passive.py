"""A supplier that asks for no page never causes one, and learns why nobody comes."""

from collections.abc import Callable

import pytest

from broker.demo.people import Person
from broker.domain.agreements import NoticeMode
from broker.domain.federation import State
from broker.domain.refusals import Refusal, every_refusal
from broker.flow.answers import Answer, PostMessage, Redirect
from broker.flow.supplier_side import word_without_page
from broker.saml_xml import names as n
from tests.builders_oidc import school_endpoints
from tests.flow.login_answers import (
    Browser,
    Received,
    read_at_school,
    read_redirect,
    read_response,
)
from tests.flow.login_parties import OIDC_IDP, REKENRIJK, TAALTUIN
from tests.flow.login_world import NOOR, SANNE, SUPPLIER_STATE, LoginWorld
from tests.flow.test_login_combinations import every_combination

Change = Callable[[LoginWorld, Person], object]


async def begin(
    world: LoginWorld, browser: Browser, party: str, *, hint: str = "", **changes: object
) -> Answer:
    passive = {"IsPassive": "true"} if party == TAALTUIN else {"prompt": "none"}
    return await world.begin(browser, party, hint=hint, **passive, **changes)


def read(answer: Answer) -> Received:
    """Read what the supplier got; whatever else is shown fails the test."""
    assert isinstance(answer, Redirect | PostMessage), answer
    return read_response(answer) if isinstance(answer, PostMessage) else read_redirect(answer)


async def log_in(world: LoginWorld, person: Person, party: str, **answer: object) -> Received:
    browser = Browser()
    begun = await begin(world, browser, party, hint=person.school.brin)
    at_school = read_at_school(begun)
    assert at_school.passive
    return read(await world.come_back(browser, at_school, person, **answer))


@every_combination
async def test_one_who_is_logged_in_comes_back_without_a_page(
    world: LoginWorld, person: Person, party: str
) -> None:
    received = await log_in(world, person, party)
    assert (received.error, received.state) == ("", SUPPLIER_STATE)


@pytest.mark.parametrize(
    ("party", "error"), [(REKENRIJK, "login_required"), (TAALTUIN, "NoPassive")]
)
@pytest.mark.parametrize("hint", ["", "99ZZ"])
async def test_a_school_that_is_not_known_cannot_be_chosen(
    world: LoginWorld, browser: Browser, party: str, error: str, hint: str
) -> None:
    received = read(await begin(world, browser, party, hint=hint))
    assert (received.error, received.state) == (error, SUPPLIER_STATE)
    assert browser.cookies == {}


@every_combination
async def test_nobody_is_logged_in_at_school(
    world: LoginWorld, browser: Browser, person: Person, party: str
) -> None:
    at_school = read_at_school(await begin(world, browser, party, hint=person.school.brin))
    step = browser.step(at_school.state)
    if person is NOOR:
        told = [("error", "login_required"), ("state", at_school.state)]
        answer = await world.flow.finish_oidc(step, parameters=told)
    else:
        form = world.saml_answer(
            at_school, status=(n.STATUS_RESPONDER, n.STATUS_NO_PASSIVE), signed="nothing"
        )
        answer = await world.flow.finish_saml(step, form=form)
    received = read(browser.follow(answer))
    assert received.error == ("login_required" if party == REKENRIJK else "NoPassive")
    assert received.state == SUPPLIER_STATE


PAGES: dict[str, Change] = {
    "shared device": lambda world, person: world.change(person.school.id, shared_devices=True),
    "notice": lambda world, person: [
        world.change(f"{person.school.id}/{party}", notice=NoticeMode.INFORM)
        for party in ("rekenrijk", "taaltuin")
    ],
}


@every_combination
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_that_is_needed_is_not_shown(
    world: LoginWorld, person: Person, party: str, page: str
) -> None:
    PAGES[page](world, person)
    received = await log_in(world, person, party)
    assert received.error == ("interaction_required" if party == REKENRIJK else "NoPassive")
    assert world.receipts.kept == []


@every_combination
@pytest.mark.parametrize(
    ("key", "oauth", "saml"),
    [
        ("agreement", "login_required", "NoPassive"),
        ("school", "login_required", "NoPassive"),
        ("state", "login_required", "NoPassive"),
        ("receipts", "temporarily_unavailable", "Responder"),
        ("register", "temporarily_unavailable", "Responder"),
        ("store", "temporarily_unavailable", "Responder"),
        ("identity", "interaction_required", "NoPassive"),
    ],
)
async def test_what_would_have_been_a_page_is_told(
    world: LoginWorld, browser: Browser, person: Person, party: str, key: str, oauth: str, saml: str
) -> None:
    school = person.school.id
    at_school = read_at_school(await begin(world, browser, party, hint=person.school.brin))
    stated: dict[str, None] = {}
    if key == "agreement":
        world.put(f"{school}/{party}", None)
    elif key == "school":
        world.change(school, enabled=False)
    elif key == "state":
        world.change(school, state=State.PRODUCTION)
    elif key == "identity":
        stated = {"eckId": None, "employeeNumber": None}
    else:
        count = await calls_until(world, key, person, party)
        world.faults.start(fails_at=count)
    answer = await world.come_back(browser, at_school, person, stated=stated)
    if key == "store" and (person, party) == (NOOR, TAALTUIN):
        assert read(answer).error == ""  # nothing is kept for this one
        return
    received = read(answer)
    assert received.error == (oauth if party == REKENRIJK else saml)
    assert received.state == SUPPLIER_STATE


async def calls_until(world: LoginWorld, port: str, person: Person, party: str) -> int:
    """Return which call of a school's answer is the last one of a port."""
    other, browser = LoginWorld(), Browser()
    at_school = read_at_school(await begin(other, browser, party, hint=person.school.brin))
    other.faults.start()
    await other.come_back(browser, at_school, person)
    wanted = "store.put" if port == "store" else port
    found = [n for n, call in enumerate(other.faults.calls, 1) if call.startswith(wanted)]
    return found[-1] if found else 0


async def test_a_login_that_is_too_old_must_be_made_anew(world: LoginWorld) -> None:
    now = int(world.now.timestamp())
    for seconds, error in ((60, ""), (3600, "login_required")):
        browser = Browser()
        begun = await begin(world, browser, REKENRIJK, hint="22BB", max_age="3600")
        at_school = read_at_school(begun)
        received = read(await world.come_back(browser, at_school, NOOR, auth_time=now - seconds))
        assert received.error == error


async def test_a_saml_login_that_is_too_old_must_be_made_anew(
    world: LoginWorld, browser: Browser
) -> None:
    begun = await begin(world, browser, TAALTUIN, hint="11AA", ForceAuthn="true")
    at_school = read_at_school(begun)
    assert at_school.force_login
    old = world.now.replace(hour=6)
    received = read(await world.come_back(browser, at_school, SANNE, authn_instant=old))
    assert received.error == "NoPassive"
    assert world.audit.last.check == "check_fresh_login"


async def test_a_new_login_without_a_page_is_refused_at_once(
    world: LoginWorld, browser: Browser
) -> None:
    received = read(await begin(world, browser, REKENRIJK, hint="22BB", max_age="0"))
    assert received.error == "login_required"


async def test_a_provider_that_cannot_ask_again_says_so_without_pretending(
    world: LoginWorld, browser: Browser
) -> None:
    world.change(OIDC_IDP, endpoints=school_endpoints(can_reauthenticate=False))
    answer = await world.begin(browser, hint="22BB", prompt="login")
    assert read(answer).error == "login_required"
    assert isinstance(await world.begin(browser, hint="22BB"), Redirect)


async def test_a_closed_supplier_is_not_even_told_so(world: LoginWorld, browser: Browser) -> None:
    at_school = read_at_school(await begin(world, browser, REKENRIJK, hint="22BB"))
    world.change("rekenrijk", enabled=False)
    with pytest.raises(Refusal, match="E-LOGIN-5"):
        await world.come_back(browser, at_school, NOOR)


def test_every_refusal_can_be_told_without_a_page() -> None:
    for kind in every_refusal():
        if not kind.__module__.startswith("broker.") or kind.may_redirect:
            continue
        if kind.__module__.startswith("broker.flow.sheets"):  # of no login, and told with problems
            continue
        told = word_without_page(kind("check_it"))
        assert told.may_redirect
        assert told.check == "check_it"
        assert told.oauth_error != "invalid_request"
