"""Single sign-on: what a browser's session answers, and when the school must be asked."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from broker.domain.agreements import NoticeMode
from broker.domain.assurance import ACR_VALUES, HIGH, LOW
from broker.domain.federation import SchoolFrom, SingleSignOn
from broker.domain.switches import SwitchStage
from broker.flow.answers import ChooseSchool, OtherLogin, PostMessage, WhichSchool
from broker.flow.held_state.handles import parse_handle
from broker.flow.held_state.login_store import Absent
from broker.flow.persons.register import mark_of
from broker.flow.refusals import StoreUnavailable
from broker.flow.school_logins import LoginWish
from broker.flow.sessions.session_records import (
    SESSION,
    HeldSession,
    ParticipationRecord,
    SessionRecord,
    StandingRecord,
)
from broker.saml_xml.elements import build_element
from broker.saml_xml.names import AUTHN_PASSWORD_PROTECTED
from tests import builders_oidc as oidc
from tests import builders_saml as saml
from tests.builders import a_declaration
from tests.flow.login_answers import (
    Browser,
    Received,
    read_at_school,
    read_redirect,
    read_response,
    refused,
    welcomed,
)
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    OIDC_IDP,
    OIDC_SCHOOL,
    OTHER_SCHOOL,
    REKENRIJK,
    SAML_IDP,
    SAML_SCHOOL,
    TAALTUIN,
)
from tests.flow.login_world import NOOR, SANNE, LoginWorld
from tests.flow.opened_records import open_all
from tests.flow.switched_world import SANNES_CLASS, SwitchedWorld

EVERYWHERE = (REKENRIJK, BIOSFEER_OIDC, BIOSFEER_SAML, TAALTUIN)


@pytest.fixture
def world(telling_values: frozenset[str]) -> LoginWorld:
    world = LoginWorld(telling_values)
    for each in (SAML_SCHOOL, OTHER_SCHOOL, OIDC_SCHOOL):
        world.change(each, single_sign_on=SingleSignOn.ON)
    return world


async def next_login(
    world: LoginWorld, browser: Browser, party: str = BIOSFEER_OIDC, **changes: Any
) -> Received:
    """Open material of another supplier; the answer must come at once."""
    answer = await world.begin(browser, party, **changes)
    return await world.receive(answer, party)


async def asks_the_school(
    world: LoginWorld, browser: Browser, party: str = BIOSFEER_OIDC, **changes: Any
) -> None:
    """Open material; the chooser must come, or the school's login where a hint names it."""
    answer = await world.begin(browser, party, **changes)
    if not isinstance(answer, ChooseSchool):
        assert read_at_school(answer).state


@pytest.mark.parametrize("person", [SANNE, NOOR])
@pytest.mark.parametrize("first", EVERYWHERE)
async def test_one_login_at_school_serves_every_supplier_and_protocol(
    world: LoginWorld, browser: Browser, person: Any, first: str
) -> None:
    await world.log_in(first, person, browser=browser)
    for party in EVERYWHERE:
        alone = await world.log_in(party, person)
        again = await next_login(world, browser, party)
        assert again.subject == alone.subject
        assert again.claims == alone.claims
    assert len(browser.begun) == 1
    assert len(world.receipts.kept) == 1 + 2 * len(EVERYWHERE)


async def test_what_it_costs(world: LoginWorld, browser: Browser) -> None:
    world.faults.start()
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    trips = [each for each in world.faults.calls if each.startswith("store")]
    assert trips == [
        *("store.put", "store.get", "store.put"),  # the chooser, and on to the school
        *("store.take", "store.put", "store.take", "store.get"),  # the answer, code and userinfo
    ]
    world.faults.start()
    await next_login(world, browser)
    trips = [each for each in world.faults.calls if each.startswith("store")]
    assert trips == ["store.get", "store.put", "store.take", "store.get"]
    assert world.faults.calls.count("register.find") == 1


async def test_a_school_that_wants_no_session_has_none(world: LoginWorld, browser: Browser) -> None:
    world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.OFF)
    received = await world.log_in(REKENRIJK, NOOR, browser=browser)
    assert "sid" not in received.protocol_values
    assert (browser.begun, browser.session) == ([], "")


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "login"},
        {"prompt": "select_account"},
        {"max_age": "60"},
        {"acr_values": "http://eidas.europa.eu/LoA/high"},
    ],
)
async def test_a_request_that_asks_more_goes_to_the_school(
    world: LoginWorld, browser: Browser, changes: Any
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    await asks_the_school(world, browser, **changes)
    assert (await next_login(world, browser)).subject


async def test_force_authn_and_contexts_of_saml_go_to_the_school(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    await asks_the_school(world, browser, TAALTUIN, ForceAuthn="true")
    wanted = build_element(saml.saml("AuthnContextClassRef"))
    wanted.text = "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI"
    asked = world.ask(TAALTUIN, build_element(saml.samlp("RequestedAuthnContext"), None, wanted))
    assert asked.requested_authn_contexts
    step = await world.flow.begin(asked, wish=browser.wish)
    assert isinstance(step.answer, ChooseSchool)


async def test_the_class_that_libraries_ask_by_default_needs_no_new_login(
    world: LoginWorld, browser: Browser
) -> None:
    """node-saml and OneLogin: exactly PasswordProtectedTransport, whatever the school calls it."""
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    wanted = build_element(saml.saml("AuthnContextClassRef"), text=AUTHN_PASSWORD_PROTECTED)
    requested = build_element(saml.samlp("RequestedAuthnContext"), {"Comparison": "exact"}, wanted)
    step = await world.flow.begin(world.ask(TAALTUIN, requested), wish=browser.wish)
    assert isinstance(step.answer, PostMessage)


async def test_a_level_that_the_school_stated_is_enough(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser, acr=LOW)
    assert (await next_login(world, browser, acr_values=f"{HIGH} {LOW}")).subject
    await asks_the_school(world, browser, acr_values=HIGH)
    essential = f'{{"id_token": {{"acr": {{"essential": true, "values": ["{HIGH}"]}}}}}}'
    told = read_redirect(await world.begin(browser, BIOSFEER_OIDC, prompt="none", claims=essential))
    assert told.error == "unmet_authentication_requirements"


async def test_a_hint_and_claims_that_name_two_people_name_nobody(
    world: LoginWorld, browser: Browser
) -> None:
    code = read_redirect(await world.arrive(browser, NOOR)).code
    token = (await world.redeem(code)).id_token
    claims = f'{{"id_token": {{"sub": {{"value": "a{52 * "b"}"}}}}}}'
    told = read_redirect(
        await world.begin(browser, prompt="none", id_token_hint=token, claims=claims)
    )
    assert told.error == "login_required"


async def test_max_age_counts_from_the_login_at_school(world: LoginWorld, browser: Browser) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    world.wait(minutes=20)
    received = await next_login(world, browser, max_age="3600")
    told = received.protocol_values["auth_time"]
    assert isinstance(told, int)
    assert world.now.timestamp() - told < 3600
    world.wait(minutes=35)
    await asks_the_school(world, browser, max_age="3600")
    assert (await next_login(world, browser)).subject


async def test_nobody_is_told_of_a_login_that_did_not_take_place(
    world: LoginWorld, browser: Browser
) -> None:
    """OIDC Core 2: `auth_time` stays while the session answers, and is no mark that two share."""

    async def told(party: str, **asked: str) -> Any:
        found = await next_login(world, browser, party, max_age="36000", **asked)
        return found.protocol_values["auth_time"]

    async def log_in(**asked: str) -> Any:
        at_school = await world.go_to_school(browser, REKENRIJK, OIDC_SCHOOL, **asked)
        answer = await world.come_back(browser, at_school, NOOR)
        return (await world.receive(answer)).protocol_values["auth_time"]

    at_first = await log_in(max_age="36000")
    world.wait(minutes=16)
    assert await told(REKENRIJK) == at_first
    at_other = await told(BIOSFEER_OIDC)
    assert at_other != at_first
    world.wait(minutes=16)
    assert "auth_time" not in (await next_login(world, browser, REKENRIJK)).protocol_values
    assert await told(REKENRIJK, prompt="none") == at_first
    assert await told(BIOSFEER_OIDC) == at_other
    world.faults.start()
    await told(REKENRIJK)
    trips = [each for each in world.faults.calls if each.startswith("store")]
    assert trips == ["store.get", "store.get", "store.put", "store.take", "store.get"]
    assert await log_in(prompt="login", max_age="36000") > at_first
    assert await told(REKENRIJK) > at_first


async def test_it_ends_by_itself_however_busy_it_is(world: LoginWorld, browser: Browser) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    for _ in range(3):
        world.wait(minutes=19)
        await next_login(world, browser)
    world.wait(minutes=3)
    await asks_the_school(world, browser)


async def test_another_school_leaves_the_session(world: LoginWorld, browser: Browser) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    await asks_the_school(world, browser, hint="11AA")
    assert (await next_login(world, browser, hint="22BB")).subject
    noor = browser.session
    at_school = read_at_school(await world.begin(browser, REKENRIJK, hint="11AA"))
    received = await world.receive(await world.come_back(browser, at_school, SANNE))
    assert browser.session != noor
    assert (await next_login(world, browser, REKENRIJK)).subject == received.subject


@pytest.mark.parametrize("handle", ["", "A" * 43, "not a handle", "A" * 43 + "q"])
async def test_a_handle_that_opens_nothing_is_no_session(
    world: LoginWorld, browser: Browser, handle: str
) -> None:
    browser.session = handle
    await asks_the_school(world, browser)


async def test_a_store_that_is_unsure_is_no_session_either(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    world.faults.start(fails_at=1)
    page = refused(await world.begin(browser, BIOSFEER_OIDC))
    assert isinstance(page.refusal, StoreUnavailable)
    world.faults.start(fails_at=-1)
    with pytest.raises(StoreUnavailable):
        await world.sessions.has_ended("A" * 43)


# Without a page -----------------------------------------------------------------------------


@pytest.mark.parametrize("party", EVERYWHERE)
async def test_without_a_page_a_session_answers(
    world: LoginWorld, browser: Browser, party: str
) -> None:
    passive: Any = (
        {"IsPassive": "true"} if party in (TAALTUIN, BIOSFEER_SAML) else {"prompt": "none"}
    )
    nobody = await world.begin(browser, party, **passive)
    told = read_response(nobody) if "IsPassive" in passive else read_redirect(nobody)  # type: ignore[arg-type]
    assert told.error in ("login_required", "NoPassive")
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    assert (await next_login(world, browser, party, **passive)).subject


@pytest.mark.parametrize("hint", ["", "22BB"])
async def test_who_has_no_agreement_learns_of_no_session(
    world: LoginWorld, browser: Browser, hint: str
) -> None:
    """Not even that there is one, and at which school: neither without a page nor by a level."""
    levels = [*ACR_VALUES]
    nobody = await world.begin(Browser(), BIOSFEER_OIDC, prompt="none")
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    world.put("kompas/biosfeer", None)
    high = {"id_token": {"acr": {"essential": True, "values": levels}}}
    for asked in ({}, {"claims": msgspec.json.encode(high).decode()}):
        silent = await world.begin(browser, BIOSFEER_OIDC, prompt="none", hint=hint, **asked)
        assert read_redirect(silent) == read_redirect(nobody)
    page = refused(await world.begin(browser, BIOSFEER_OIDC))  # the person reads why
    assert page.refusal.code == "E-RELEASE-1"
    told = read_redirect(await world.begin(browser, REKENRIJK, prompt="none", **asked))
    assert told.error == "unmet_authentication_requirements"


@pytest.mark.parametrize("party", [BIOSFEER_OIDC, TAALTUIN])
@pytest.mark.parametrize("named", ["22BB", oidc.SCHOOL_ISSUER])
async def test_without_an_agreement_a_hint_asks_nobody(
    world: LoginWorld, browser: Browser, party: str, named: str
) -> None:
    """A supplier names schools in silence: whether it goes to the school, and so how long it takes,
    would say whether somebody of that school sits here.
    """
    passive: Any = {"IsPassive": "true"} if party == TAALTUIN else {"prompt": "none"}
    agreement = "kompas/taaltuin" if party == TAALTUIN else "kompas/biosfeer"
    agreed = world.records[agreement]
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    for record in (None, replace(agreed, last_day=world.now.date() - timedelta(days=1))):
        world.put(agreement, record)
        seen = []
        for each in (browser, Browser()):
            world.faults.start()
            told = await world.begin(each, party, hint=named, **passive)
            read = read_response(told) if isinstance(told, PostMessage) else read_redirect(told)
            seen.append((read, list(world.faults.calls)))
        assert seen[0] == seen[1]
        assert seen[0][0].error == ("NoPassive" if party == TAALTUIN else "login_required")
        assert world.school.forms == world.school.forms[:1]
    world.put(agreement, agreed)
    assert (await next_login(world, browser, party, hint=named, **passive)).subject
    at_school = read_at_school(await world.begin(Browser(), party, hint=named, **passive))
    assert at_school.passive


async def test_a_session_of_a_school_without_agreement_counts_as_none(
    world: LoginWorld, browser: Browser
) -> None:
    """Also at a login that serves another school, with which there is one."""
    await world.log_in(REKENRIJK, SANNE, browser=browser)
    world.put("vuurvogel/biosfeer", None)
    for each in (browser, Browser()):
        answer = await world.begin(each, BIOSFEER_OIDC, hint=saml.SCHOOL_ENTITY, prompt="none")
        at_school = read_at_school(answer)
        assert at_school.passive
        told = read_redirect(await world.come_back(each, at_school, SANNE))
        assert told.error == "login_required"
    assert (await next_login(world, browser, REKENRIJK, prompt="none")).subject


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("party", [BIOSFEER_OIDC, TAALTUIN])
async def test_who_was_erased_is_brought_back_by_the_school_alone(
    world: LoginWorld, browser: Browser, party: str, closes: bool
) -> None:
    passive: Any = {"IsPassive": "true"} if party == TAALTUIN else {"prompt": "none"}
    first = await world.log_in(REKENRIJK, NOOR, browser=browser)
    assert (await next_login(world, browser, party)).subject
    rows = world.register.rows
    marks = {tag: mark_of(each.sealed) for tag, each in rows.items()}
    await world.register.erase(marks, closes=tuple(marks) if closes else ())
    left = dict(rows)
    nobody = await world.begin(Browser(), party, **passive)
    told = await world.begin(browser, party, **passive)
    for each in (nobody, told):
        read = read_response(each) if isinstance(each, PostMessage) else read_redirect(each)
        assert read.error == ("NoPassive" if party == TAALTUIN else "login_required")
    await asks_the_school(world, browser, party)
    assert rows == left
    again = await world.log_in(REKENRIJK, NOOR, browser=browser)
    assert (again.subject == first.subject) is not closes
    assert (await next_login(world, browser, party)).subject


async def test_a_hint_names_the_only_person_that_may_answer(
    world: LoginWorld, browser: Browser
) -> None:
    others = read_redirect(await world.arrive(Browser(), SANNE)).code
    sannes = (await world.redeem(others)).id_token
    code = read_redirect(await world.arrive(browser, NOOR)).code
    own = (await world.redeem(code)).id_token
    again = await next_login(world, browser, REKENRIJK, prompt="none", id_token_hint=own)
    assert again.subject
    other = read_redirect(
        await world.begin(browser, REKENRIJK, prompt="none", id_token_hint=sannes)
    )
    assert (other.error, other.code) == ("login_required", "")
    # with pages the school may be asked for that person
    await asks_the_school(world, browser, REKENRIJK, id_token_hint=sannes)


async def test_somebody_else_than_a_hint_names_is_never_answered_for(
    world: LoginWorld, browser: Browser
) -> None:
    """OIDC Core 3.1.2.1: neither by a session nor by a login at school that followed."""
    sannes = (await world.redeem(read_redirect(await world.arrive(Browser())).code)).id_token
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    written = len(world.receipts.kept)
    for person, code in ((NOOR, ""), (SANNE, "a code")):
        at_school = await world.go_to_school(
            browser, REKENRIJK, person.school.id, id_token_hint=sannes
        )
        told = read_redirect(await world.come_back(browser, at_school, person))
        assert (told.error, bool(told.code)) == ("" if code else "login_required", bool(code))
        assert len(world.receipts.kept) == written + bool(code)


@pytest.mark.parametrize("wrong", ["changed", "of another client", "no token"])
async def test_a_hint_that_is_not_ours_is_refused(
    world: LoginWorld, browser: Browser, wrong: str
) -> None:
    code = read_redirect(await world.arrive(browser, NOOR)).code
    token = (await world.redeem(code)).id_token
    party = BIOSFEER_OIDC if wrong == "of another client" else REKENRIJK
    hints = {"changed": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "no token": "x"}
    told = read_redirect(await world.begin(browser, party, id_token_hint=hints.get(wrong, token)))
    assert told.error == "invalid_request"


# Whose session it is ------------------------------------------------------------------------


async def test_a_school_may_have_its_person_seen_first(world: LoginWorld, browser: Browser) -> None:
    world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ASK)
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    page = welcomed(await world.begin(browser, BIOSFEER_OIDC))
    assert (page.first_name, page.may_switch, page.shared) == ("Noor", True, None)
    answer = await world.press(browser, "go_on", page.login)
    assert (await world.receive(answer, BIOSFEER_OIDC)).protocol_values["sid"]
    assert len(browser.begun) == 1
    # where nobody was seen before, nothing goes on without a page
    told = read_response(await world.begin(browser, TAALTUIN, IsPassive="true"))  # type: ignore[arg-type]
    assert told.error == "NoPassive"
    assert (await next_login(world, browser, REKENRIJK, prompt="none")).subject


async def test_who_is_somebody_else_ends_the_session(world: LoginWorld, browser: Browser) -> None:
    world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ASK)
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    before = browser.session
    page = welcomed(await world.begin(browser, BIOSFEER_OIDC))
    at_school = read_at_school(await world.press(browser, "not_me", page.login))
    assert at_school.force_login
    assert browser.session == ""
    browser.session = before  # who kept the cookie has nothing
    await asks_the_school(world, browser)
    with pytest.raises(Absent):
        await world.state.get(SESSION, parse_handle(before))


async def test_a_notice_waits_for_its_button_and_the_session_begins_with_the_release(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("kompas/rekenrijk", notice=NoticeMode.INFORM)
    page = welcomed(await world.arrive(browser, NOOR))
    assert browser.session == ""
    await world.receive(await world.press(browser, "go_on", page.login))
    assert (await next_login(world, browser)).subject
    world.change("kompas/biosfeer", notice=NoticeMode.INFORM)
    page = welcomed(await world.begin(browser, BIOSFEER_OIDC))
    assert page.shared is not None


async def test_not_me_on_a_notice_of_a_new_session(world: LoginWorld, browser: Browser) -> None:
    world.change("kompas/rekenrijk", notice=NoticeMode.INFORM)
    page = welcomed(await world.arrive(browser, NOOR))
    read_at_school(await world.press(browser, "not_me", page.login))
    assert browser.session == ""


@pytest.mark.parametrize("asks", [False, True])
async def test_somebody_of_two_schools_says_for_which_one_the_next_login_is(
    world: LoginWorld, browser: Browser, asks: bool
) -> None:
    if asks:
        world.change(OTHER_SCHOOL, single_sign_on=SingleSignOn.ASK)
    both = {"nlEduPersonHomeOrganizationId": ("11AA", "33CC")}
    answer = await world.arrive(browser, SANNE, stated=both)
    assert isinstance(answer, WhichSchool)
    step = await world.flow.choose_own(browser.step(answer.login), unverified_school=SAML_SCHOOL)
    assert (await world.receive(browser.follow(step))).subject
    assert browser.session
    page = await world.begin(browser, BIOSFEER_OIDC)
    assert isinstance(page, WhichSchool)
    assert (page.may_switch, page.first_name) == (asks, "Sanne" if asks else "")
    step = await world.flow.choose_own(browser.step(page.login), unverified_school=OTHER_SCHOOL)
    received = await world.receive(browser.follow(step), BIOSFEER_OIDC)
    assert received.subject


# Every rule runs again ----------------------------------------------------------------------


async def test_an_agreement_is_needed_for_each_supplier(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    world.put("kompas/biosfeer", None)
    page = refused(await world.begin(browser, BIOSFEER_OIDC))
    assert page.refusal.code == "E-RELEASE-1"
    told = read_redirect(await world.begin(browser, BIOSFEER_OIDC, prompt="none"))
    assert told.error == "login_required"


@pytest.mark.parametrize(
    ("party", "changes"),
    [
        (OIDC_IDP, {"enabled": False}),
        (OIDC_SCHOOL, {"single_sign_on": SingleSignOn.OFF}),
        (OIDC_IDP, None),
    ],
)
async def test_what_was_switched_off_ends_the_session(
    world: LoginWorld, browser: Browser, party: str, changes: Any
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    if changes is None:
        world.put(party, None)
    else:
        world.change(party, **changes)
    await asks_the_school(world, browser)


async def test_what_was_not_kept_makes_the_school_speak_again(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    supplier = world.records["biosfeer"]
    needs = a_declaration("sn", required=True)
    world.change("biosfeer", attributes=(*supplier.attributes, needs))
    agreement = world.records["kompas/biosfeer"]
    world.change("kompas/biosfeer", approved=agreement.approved | {"sn"})
    await asks_the_school(world, browser)
    told = read_redirect(await world.begin(browser, BIOSFEER_OIDC, prompt="none"))
    assert told.error == "login_required"


async def test_it_keeps_what_some_agreement_approves_and_what_the_rules_read(
    world: LoginWorld,
) -> None:
    async def kept() -> set[str]:
        browser = Browser()
        await world.log_in(REKENRIJK, NOOR, browser=browser)
        return set((await world.state.get(SESSION, parse_handle(browser.session))).attributes)

    usual = await kept()
    assert usual == {
        *("givenName", "eckId", "employeeNumber", "eduPersonAffiliation"),
        "nlEduPersonHomeOrganizationId",
    }
    assert await kept() == usual
    world.wait(days=1)
    assert await kept() == usual
    world.change(OIDC_IDP, login_identifier="sub")
    assert await kept() == usual | {"sub"}
    domains = {"kompas.example": OIDC_SCHOOL}
    world.change(OIDC_IDP, school_from=SchoolFrom.DOMAIN, domains=domains, login_identifier=None)
    assert {"mail"} <= await kept() - usual <= {"mail", "uid"}


async def test_a_class_is_kept_while_classes_change_their_login(browser: Browser) -> None:
    world = SwitchedWorld()
    world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON)
    world.take_step(SwitchStage.CLASSES, "9Z")
    chooser = await world.begin(browser)
    assert isinstance(chooser, ChooseSchool)
    step = await world.flow.choose(
        browser.step(chooser.login),
        unverified_school=SAML_SCHOOL,
        wish=LoginWish(unverified_clicked=SAML_IDP),
    )
    await world.come_back(browser, read_at_school(browser.follow(step)), SANNE)
    session = await world.state.get(SESSION, parse_handle(browser.session))
    assert "nlEduPersonUnit" in session.attributes
    world.take_step(SwitchStage.CLASSES, SANNES_CLASS)
    assert isinstance(await world.begin(browser, BIOSFEER_OIDC), OtherLogin)


async def test_that_a_school_switches_is_told_where_it_agreed_alone(browser: Browser) -> None:
    """Without an agreement it would say that somebody of that school is logged in."""
    world = SwitchedWorld()
    world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON)
    await world.log_in(REKENRIJK, SANNE, browser=browser)
    world.take_step(SwitchStage.ALL)
    for agreed, error in ((True, "interaction_required"), (False, "login_required")):
        if not agreed:
            world.put("vuurvogel/biosfeer", None)
        told = read_redirect(await world.begin(browser, BIOSFEER_OIDC, prompt="none"))
        assert told.error == error
    assert told == read_redirect(await world.begin(Browser(), BIOSFEER_OIDC, prompt="none"))


# Ends and tabs ------------------------------------------------------------------------------


async def test_each_relying_party_has_a_sid_of_its_own(world: LoginWorld, browser: Browser) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    sids = set()
    for party in EVERYWHERE:
        found = (await next_login(world, browser, party)).protocol_values
        again = (await next_login(world, browser, party)).protocol_values
        name = "sid" if "sid" in found else "session_index"
        assert found[name] == again[name]
        sids.add(str(found[name]).removeprefix("_"))
        assert not await world.sessions.has_ended(str(found[name]).removeprefix("_"))
    assert len(sids) == len(EVERYWHERE)
    assert await world.sessions.has_ended("A" * 43)


async def test_a_session_that_ends_while_a_tab_logs_in_makes_the_school_speak(
    world: LoginWorld, browser: Browser
) -> None:
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    (session,) = browser.begun
    real = world.sessions.find

    async def ended_meanwhile(handle: str) -> Any:
        found = await real(handle)
        await world.sessions.drop(HeldSession(handle=session.handle.text, is_new=False))
        return found

    world.sessions.find = ended_meanwhile  # type: ignore[method-assign]
    await asks_the_school(world, browser)


async def test_tabs_side_by_side_each_begin_a_session(world: LoginWorld, browser: Browser) -> None:
    first = await world.go_to_school(browser, REKENRIJK, OIDC_SCHOOL)
    other = await world.go_to_school(browser, BIOSFEER_OIDC, OIDC_SCHOOL)
    answers = await asyncio.gather(
        world.come_back(browser, first, NOOR), world.come_back(browser, other, NOOR)
    )
    for party, answer in zip((REKENRIJK, BIOSFEER_OIDC), answers, strict=True):
        assert (await world.receive(answer, party)).protocol_values["sid"]
    assert len({each.name for each in browser.begun}) == 2


async def test_what_a_relying_party_holds_opens_its_own_part_alone(
    world: LoginWorld, browser: Browser
) -> None:
    """Also for who has our keys and the whole store: a `sid` leads neither up nor to others."""
    received = await world.log_in(REKENRIJK, NOOR, browser=browser)
    await next_login(world, browser)
    opened = await open_all(world.state, parse_handle(str(received.protocol_values["sid"])))
    (part,) = opened
    assert isinstance(part, ParticipationRecord)
    assert (part.relying_party, part.subject) == (REKENRIJK, received.subject)
    opened = await open_all(world.state, parse_handle(browser.session))
    kinds = [type(each) for each in opened]
    assert kinds.count(ParticipationRecord) == 2
    assert {SessionRecord, StandingRecord} <= set(kinds)
