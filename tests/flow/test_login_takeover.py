"""A take-over in logins: what goes out in each state, and a state that moves in mid-flow."""

from datetime import timedelta

import pytest

from broker.demo.people import made_up_eck_id
from broker.domain.agreements import NoticeMode
from broker.domain.attributes import ECK_ID
from broker.domain.ids import SupplierId
from broker.domain.takeover import TakeoverState
from broker.flow.answers import Refused, Welcome
from broker.flow.takeover.takeover_lists import ListKind, ListOf, derive_list_tag
from broker.flow.token import GrantRefused
from broker.oidc_op.caller_proof import CallerProof
from broker.oidc_op.userinfo import AccessTokenRefused
from broker.pseudonyms.derivation import parse_eckid, root_from_eckid
from tests.builders import a_declaration, a_takeover
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import BIOSFEER_OIDC, BIOSFEER_SAML
from tests.flow.login_world import SANNE, LoginWorld

BIOSFEER = SupplierId("biosfeer")
BOTH = (BIOSFEER_OIDC, BIOSFEER_SAML)


@pytest.fixture
def world() -> LoginWorld:
    """Biosfeer may have the ECK iDs of De Vuurvogel's pupils, and the school signed."""
    world = LoginWorld()
    supplier, agreement = world.records["biosfeer"], world.records["vuurvogel/biosfeer"]
    world.change(
        "biosfeer",
        eck_id_entitled=True,
        attributes=(*supplier.attributes, a_declaration(name=ECK_ID)),
    )
    world.change(
        "vuurvogel/biosfeer",
        approved=agreement.approved | {ECK_ID},
        last_day=world.now.date() + timedelta(days=365),
    )
    set_state(world, TakeoverState.NONE)
    return world


def set_state(world: LoginWorld, state: TakeoverState) -> None:
    last_day = world.now.date() + timedelta(days=30)
    world.put("takeover", a_takeover(state, supplier=BIOSFEER, last_day=last_day))


def eck_id_of(claims: object) -> object:
    assert isinstance(claims, dict)
    return claims.get("eck_id", claims.get("eckId", [None])[0])


@pytest.mark.parametrize("party", BOTH)
async def test_the_pseudonym_is_the_same_in_every_state(world: LoginWorld, party: str) -> None:
    subjects = set()
    for state in TakeoverState:
        if state is TakeoverState.CLOSED:
            world.wait(days=31)
        else:
            set_state(world, state)
        received = await world.log_in(party)
        subjects.add(received.subject)
        goes = state not in (TakeoverState.ON, TakeoverState.CLOSED)
        assert eck_id_of(dict(received.claims)) == (made_up_eck_id("sanne") if goes else None)
        released = [each for each in world.audit.events if each.action == "released"][-1]
        assert (("eckId", "taken-over") in released.withheld) is not goes
    assert len(subjects) == 1


async def test_a_page_that_waited_does_not_let_it_out(world: LoginWorld) -> None:
    world.change("vuurvogel/biosfeer", notice=NoticeMode.INFORM)
    set_state(world, TakeoverState.PREPARE)
    browser = Browser()
    page = await world.arrive(browser, SANNE, party=BIOSFEER_OIDC)
    assert isinstance(page, Welcome)
    assert page.shared is not None
    assert ECK_ID in page.shared
    set_state(world, TakeoverState.ON)
    answer = await world.press(browser, "go_on", page.login)
    assert isinstance(answer, Refused)
    assert answer.refusal.check == "check_released_still_allowed"
    assert answer.retry is not None


async def test_a_code_from_before_does_not_let_it_out(world: LoginWorld) -> None:
    set_state(world, TakeoverState.PREPARE)
    found = read_redirect(await world.arrive(Browser(), SANNE, party=BIOSFEER_OIDC))
    set_state(world, TakeoverState.ON)
    with pytest.raises(GrantRefused) as refused:
        await world.redeem(found.code, BIOSFEER_OIDC)
    assert refused.value.check == "check_takeover_unchanged"


async def test_nor_does_an_access_token_from_before(world: LoginWorld) -> None:
    set_state(world, TakeoverState.PREPARE)
    found = read_redirect(await world.arrive(Browser(), SANNE, party=BIOSFEER_OIDC))
    tokens = await world.redeem(found.code, BIOSFEER_OIDC)
    set_state(world, TakeoverState.ON)
    with pytest.raises(AccessTokenRefused):
        await world.token.userinfo([], CallerProof(f"Bearer {tokens.access_token}"))


async def test_a_code_that_holds_none_is_good(world: LoginWorld) -> None:
    set_state(world, TakeoverState.ON)
    found = read_redirect(await world.arrive(Browser(), SANNE, party=BIOSFEER_OIDC))
    set_state(world, TakeoverState.BACK)
    set_state(world, TakeoverState.ON)
    assert await world.redeem(found.code, BIOSFEER_OIDC)


@pytest.mark.parametrize("party", BOTH)
async def test_who_of_the_pilot_came_is_counted(world: LoginWorld, party: str) -> None:
    set_state(world, TakeoverState.PILOT)
    of = ListOf(ListKind.PILOT, world.records["vuurvogel"].id, BIOSFEER)
    root = root_from_eckid(parse_eckid(made_up_eck_id("sanne")), key=world.keys.root)
    await world.takeover_lists.replace(of, [derive_list_tag(world.keys.register, of, root)])
    await world.log_in(party)
    assert await world.takeover_lists.counts() == {of: (1, 1)}


async def test_lists_that_are_down_keep_nobody_out(world: LoginWorld) -> None:
    set_state(world, TakeoverState.PILOT)
    world.takeover_lists.down = True
    assert (await world.log_in(BIOSFEER_OIDC)).subject
