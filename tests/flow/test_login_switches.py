"""Switched off mid-flow: whoever takes part is looked up anew at every step."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain.federation import State
from broker.domain.refusals import Refusal
from broker.domain.relying_parties import AssertionConsumerService
from broker.flow.answers import ChooseSchool, PostMessage, Redirect, Refused
from broker.flow.refusals import SchoolNotOpen, StatesDiffer, SupplierNotOpen
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.token import GrantRefused
from broker.oidc_op.userinfo import AccessTokenRefused
from tests.flow.login_answers import Browser, read_at_school, read_redirect, refused, welcomed
from tests.flow.login_parties import OIDC_IDP, REKENRIJK, SAML_IDP, TAALTUIN, with_party
from tests.flow.login_world import NOOR, SANNE, LoginWorld
from tests.flow.test_login_combinations import every_combination
from tests.flow.test_login_pages import move

Switch = Callable[[LoginWorld, Person, str], None]


def idp_of(person: Person) -> str:
    return SAML_IDP if person is SANNE else OIDC_IDP


def school_off(world: LoginWorld, person: Person, party: str) -> None:
    world.change(person.school.id, enabled=False)


def idp_off(world: LoginWorld, person: Person, party: str) -> None:
    world.change(idp_of(person), enabled=False)


def idp_gone(world: LoginWorld, person: Person, party: str) -> None:
    world.put(idp_of(person), None)


def idp_of_another_state(world: LoginWorld, person: Person, party: str) -> None:
    world.change(idp_of(person), state=State.PRODUCTION)


def supplier_off(world: LoginWorld, person: Person, party: str) -> None:
    world.change(party, enabled=False)


def relying_party_off(world: LoginWorld, person: Person, party: str) -> None:
    world.put(party, with_party(world.records[party], party, enabled=False))  # type: ignore[arg-type]


def relying_party_gone(world: LoginWorld, person: Person, party: str) -> None:
    world.change(party, relying_parties=())


def address_gone(world: LoginWorld, person: Person, party: str) -> None:
    (own,) = world.records[party].relying_parties
    elsewhere = f"https://{party}.example/elsewhere"
    changes: dict[str, object] = {"redirect_uris": (elsewhere,)}
    if party == TAALTUIN:
        service = AssertionConsumerService(url=elsewhere, index=1)
        changes = {"assertion_consumer_services": (service,)}
    world.change(party, relying_parties=(replace(own, protocol=replace(own.protocol, **changes)),))


def other_protocol(world: LoginWorld, person: Person, party: str) -> None:
    (own,) = world.records[party].relying_parties
    other = TAALTUIN if party == REKENRIJK else REKENRIJK
    (theirs,) = world.records[other].relying_parties
    world.records[other] = None
    world.change(party, relying_parties=(replace(own, protocol=theirs.protocol),))


SCHOOL_SWITCHES: tuple[Switch, ...] = (school_off, idp_off, idp_gone, idp_of_another_state)
SUPPLIER_SWITCHES: tuple[Switch, ...] = (
    supplier_off,
    relying_party_off,
    relying_party_gone,
    address_gone,
    other_protocol,
)
Step = Callable[[LoginWorld, Browser, Person, str, Switch], Awaitable[object]]


async def before_the_school_is_chosen(
    world: LoginWorld, browser: Browser, person: Person, party: str, switch: Switch
) -> object:
    chooser = await world.begin(browser, party)
    assert isinstance(chooser, ChooseSchool)
    switch(world, person, party)
    return await world.choose(browser, chooser.login, person.school.id)


async def while_at_school(
    world: LoginWorld, browser: Browser, person: Person, party: str, switch: Switch
) -> object:
    at_school = await world.go_to_school(browser, party, person.school.id)
    switch(world, person, party)
    return await world.come_back(browser, at_school, person)


async def while_we_wait_for_the_school(
    world: LoginWorld, browser: Browser, person: Person, party: str, switch: Switch
) -> object:
    at_school = await world.go_to_school(browser, party, person.school.id)
    world.school.meanwhile = lambda: switch(world, person, party)
    if person is SANNE:  # nothing is asked of a SAML school, so nothing can happen meanwhile
        switch(world, person, party)
    return await world.come_back(browser, at_school, person)


async def while_the_page_waits(
    world: LoginWorld, browser: Browser, person: Person, party: str, switch: Switch
) -> object:
    world.change(person.school.id, shared_devices=True)
    page = welcomed(await world.arrive(browser, person, party=party))
    switch(world, person, party)
    return await world.press(browser, "go_on", page.login)


async def before_not_me(
    world: LoginWorld, browser: Browser, person: Person, party: str, switch: Switch
) -> object:
    world.change(person.school.id, shared_devices=True)
    page = welcomed(await world.arrive(browser, person, party=party))
    switch(world, person, party)
    return await world.press(browser, "not_me", page.login)


STEPS: tuple[Step, ...] = (
    before_the_school_is_chosen,
    while_at_school,
    while_we_wait_for_the_school,
    while_the_page_waits,
    before_not_me,
)
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda each: each.__name__)


@every_combination
@every_step
@pytest.mark.parametrize("switch", SCHOOL_SWITCHES, ids=lambda each: each.__name__)
async def test_a_school_that_is_switched_off_releases_nothing(
    world: LoginWorld, browser: Browser, person: Person, party: str, step: Step, switch: Switch
) -> None:
    answer = refused(await step(world, browser, person, party, switch))  # type: ignore[arg-type]
    assert isinstance(answer.refusal, SchoolNotOpen | StatesDiffer)
    assert answer.way_back == f"https://{party}.example/"
    assert world.receipts.kept == []


@every_combination
@every_step
@pytest.mark.parametrize("switch", SUPPLIER_SWITCHES, ids=lambda each: each.__name__)
async def test_a_supplier_that_is_switched_off_is_told_nothing(
    world: LoginWorld, browser: Browser, person: Person, party: str, step: Step, switch: Switch
) -> None:
    with pytest.raises(SupplierNotOpen):
        await step(world, browser, person, party, switch)
    assert world.receipts.kept == []


@every_combination
@every_step
async def test_with_nobody_switched_off_it_goes_on(
    world: LoginWorld, browser: Browser, person: Person, party: str, step: Step
) -> None:
    def nobody(world: LoginWorld, person: Person, party: str) -> None:
        world.change("biosfeer", enabled=False)

    answer = await step(world, browser, person, party, nobody)
    assert isinstance(answer, Redirect | PostMessage)


@pytest.mark.parametrize("switch", SUPPLIER_SWITCHES, ids=lambda each: each.__name__)
async def test_a_closed_supplier_cannot_begin(world: LoginWorld, switch: Switch) -> None:
    request = world.ask()
    switch(world, SANNE, REKENRIJK)
    with pytest.raises(SupplierNotOpen):
        await world.flow.begin(request)


@pytest.mark.parametrize("switch", SCHOOL_SWITCHES, ids=lambda each: each.__name__)
async def test_a_hint_at_a_closed_school_leads_to_the_chooser(
    world: LoginWorld, browser: Browser, switch: Switch
) -> None:
    assert isinstance(await world.begin(browser, hint="11AA"), Redirect)
    switch(world, SANNE, REKENRIJK)
    answer = await world.begin(browser, hint="11AA")
    assert isinstance(answer, ChooseSchool | Refused)


async def test_a_login_that_was_taken_from_a_school_speaks_for_it_no_more(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("vuurvogel", shared_devices=True)
    page = welcomed(await world.arrive(browser))
    world.change(SAML_IDP, schools=("regenboog",))
    answer = refused(await world.press(browser, "go_on", page.login))
    assert (type(answer.refusal), answer.refusal.check) == (SchoolNotOpen, "check_school_of_idp")


async def test_a_clicked_school_that_is_gone_cannot_be_asked_again(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("vuurvogel", shared_devices=True)
    page = welcomed(await world.arrive(browser))
    world.records["vuurvogel"] = None
    world.change(SAML_IDP, schools=("regenboog",))
    answer = refused(await world.press(browser, "not_me", page.login))
    assert (type(answer.refusal), answer.refusal.check) == (SchoolNotOpen, "check_school_known")


class TestBackChannel:
    """What a code stands for is given only while all who stand behind it are open."""

    SWITCHES = (school_off, idp_off, idp_gone, idp_of_another_state, supplier_off)

    @pytest.mark.parametrize("switch", SWITCHES, ids=lambda each: each.__name__)
    async def test_token(self, world: LoginWorld, browser: Browser, switch: Switch) -> None:
        code = read_redirect(await world.arrive(browser, NOOR)).code
        world.client_keys.meanwhile = lambda: switch(world, NOOR, REKENRIJK)
        with pytest.raises(GrantRefused):
            await world.redeem(code)

    @pytest.mark.parametrize("switch", SWITCHES, ids=lambda each: each.__name__)
    async def test_userinfo(self, world: LoginWorld, browser: Browser, switch: Switch) -> None:
        tokens = await world.redeem(read_redirect(await world.arrive(browser, NOOR)).code)
        bearer = f"Bearer {tokens.access_token}"
        assert await world.token.userinfo([], CallerProof(bearer))
        switch(world, NOOR, REKENRIJK)
        with pytest.raises(AccessTokenRefused):
            await world.token.userinfo([], CallerProof(bearer))

    async def test_a_pseudonym_is_not_given_to_the_next_owner(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        codes = [read_redirect(await world.arrive(browser, NOOR)).code for _ in range(2)]
        tokens = await world.redeem(codes[0])
        move(world)
        with pytest.raises(GrantRefused, match="check_supplier_unchanged"):
            await world.redeem(codes[1])
        with pytest.raises(AccessTokenRefused, match="check_supplier_unchanged"):
            await world.token.userinfo([], CallerProof(f"Bearer {tokens.access_token}"))

    @pytest.mark.parametrize(
        "change",
        [{"version": 2}, {"last_day": date(2020, 1, 1)}, None],
        ids=["new", "ended", "gone"],
    )
    async def test_what_the_school_took_back_is_not_given(
        self, world: LoginWorld, browser: Browser, change: dict[str, Any] | None
    ) -> None:
        codes = [read_redirect(await world.arrive(browser, NOOR)).code for _ in range(2)]
        tokens = await world.redeem(codes[0])
        bearer = f"Bearer {tokens.access_token}"
        assert await world.token.userinfo([], CallerProof(bearer))
        if change is None:
            world.put("kompas/rekenrijk", None)
        else:
            world.change("kompas/rekenrijk", **change)
        with pytest.raises(GrantRefused, match="check_agreement_unchanged"):
            await world.redeem(codes[1])
        with pytest.raises(AccessTokenRefused, match="check_agreement_unchanged"):
            await world.token.userinfo([], CallerProof(bearer))

    async def test_a_school_that_is_gone(self, world: LoginWorld, browser: Browser) -> None:
        code = read_redirect(await world.arrive(browser, NOOR)).code
        world.records["kompas"] = None
        world.change(OIDC_IDP, schools=("vuurvogel",))
        with pytest.raises(GrantRefused, match="check_school_known"):
            await world.redeem(code)


async def test_a_login_that_changed_its_protocol_is_no_answer(world: LoginWorld) -> None:
    saml, oidc = world.records[SAML_IDP].endpoints, world.records[OIDC_IDP].endpoints
    for person, mine, theirs in ((SANNE, SAML_IDP, oidc), (NOOR, OIDC_IDP, saml)):
        browser = Browser()
        at_school = await world.go_to_school(browser, school=person.school.id)
        kept = world.records[mine].endpoints
        world.change(mine, endpoints=theirs)
        answer = refused(await world.come_back(browser, at_school, person))
        assert isinstance(answer.refusal, Refusal)
        world.change(mine, endpoints=kept)


async def test_a_school_without_a_login_cannot_be_chosen(
    world: LoginWorld, browser: Browser
) -> None:
    chooser = await world.begin(browser)
    assert isinstance(chooser, ChooseSchool)
    assert read_at_school(await world.choose(browser, chooser.login, "kompas"))
    world.change(OIDC_IDP, enabled=False)
    answer = refused(await world.choose(browser, chooser.login, "kompas"))
    assert answer.refusal.check == "check_school_has_login"
