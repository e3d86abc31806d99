"""Logging out: who is meant, who is told and when, and what the page says of it."""

import asyncio
from dataclasses import replace as replace_ports
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.federation import SingleSignOn
from broker.domain.ids import SupplierId
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.held_state.handles import Handle
from broker.flow.refusals import LoginStepUsed, LogoutStepAbsent
from broker.flow.sessions import logout_courier, logout_telling
from broker.flow.sessions.logout import LogoutFlow
from broker.flow.sessions.logout_answers import AskLogout, LoggedOut, LogoutRules
from broker.flow.sessions.logout_courier import LogoutCalls, LogoutMessage
from broker.oidc_op.jwks import TokenKeys
from broker.oidc_op.logout import LOGOUT_EVENT
from tests import builders_oidc as oidc
from tests.flow.login_answers import Browser, read_redirect
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    OIDC_SCHOOL,
    REKENRIJK,
    TAALTUIN,
)
from tests.flow.login_world import NOOR, LoginWorld
from tests.flow.logout_desk import BYE, Desk, claims_of
from tests.flow.token_desk import OFFLINE, refresh


@pytest.fixture
def desk(world: LoginWorld) -> Desk:
    return Desk(world)


async def test_everybody_who_took_part_is_told_once(desk: Desk, browser: Browser) -> None:
    token = await desk.log_in(browser)
    for party in (BIOSFEER_OIDC, BIOSFEER_OIDC, TAALTUIN):
        await desk.log_in(browser, party)
    shown = await desk.log_out(browser, token, post_logout_redirect_uri=BYE, state="s")
    assert not shown.has_nothing_to_tell
    assert {each.relying_party.id: each.is_out for each in shown.parties} == {
        REKENRIJK: True,
        BIOSFEER_OIDC: None,
        TAALTUIN: False,
    }
    assert shown.is_waiting
    assert (shown.record.idps, shown.record.is_elsewhere) == (("kompas-login",), False)
    assert await desk.told() == [
        "https://biosfeer-web.example/out",
        "https://rekenrijk.example/out",
    ]
    (_, one), (_, other) = desk.suppliers.got
    assert one["events"] == {LOGOUT_EVENT: {}}
    assert {one["sid"], one["sub"], one["jti"]} & {
        other["sid"],
        other["sub"],
        other["jti"],
    } == set()
    assert not await desk.is_in(browser)
    assert await desk.world.sessions.has_ended(one["sid"])
    assert desk.world.audit.actions()[-2:].count("logout-told") == 2


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_a_message_is_signed_as_the_client_s_id_tokens(
    desk: Desk, browser: Browser, algorithm: str
) -> None:
    """Back-Channel Logout 1.0 2.4: a client verifies what it registered, and nothing else."""
    desk.let(REKENRIJK, id_token_algorithm=algorithm)
    desk.suppliers.algorithm = algorithm
    token = await desk.log_in(browser)
    assert claims_of(token, algorithm)
    await desk.log_out(browser, token)
    assert await desk.told() == ["https://rekenrijk.example/out"]


async def test_refresh_tokens_outlive_a_logout(desk: Desk, browser: Browser) -> None:
    """Back-Channel Logout 1.0 2.7: those of `offline_access` SHOULD NOT be revoked."""
    desk.let(REKENRIJK, refresh_hours=24)
    code = read_redirect(
        await desk.world.come_back(
            browser,
            await desk.world.go_to_school(browser, REKENRIJK, OIDC_SCHOOL, scope=OFFLINE),
            NOOR,
        )
    ).code
    given = await desk.world.redeem(code)
    await desk.log_out(browser, given.id_token)
    await desk.told()
    assert not await desk.is_in(browser)
    again = await refresh(desk.world, given.refresh_token)
    assert claims_of(again.id_token)["sub"] == claims_of(given.id_token)["sub"]


def test_how_often_and_how_long_suppliers_are_tried() -> None:
    """As the README says of Back-Channel Logout 1.0 2.5; each try takes a token of two minutes."""
    assert 1 + len(logout_courier.AGAIN_AFTER_SECONDS) == 4
    assert LogoutRules().longest_wait_seconds == 20


async def test_the_page_can_be_looked_at_again(desk: Desk, browser: Browser) -> None:
    token = await desk.log_in(browser)
    await desk.log_in(browser, BIOSFEER_OIDC)
    step = await desk.begin(token)
    first = await desk.flow.show(step, unverified_standings=browser.standings)
    await desk.told()
    again = await desk.flow.show(step, unverified_standings=browser.standings)
    assert isinstance(first, LoggedOut)
    assert isinstance(again, LoggedOut)
    assert (first.is_waiting, again.is_waiting) == (True, False)
    pressed = await desk.flow.confirm(step, unverified_standings=browser.standings)
    assert pressed == again
    assert desk.suppliers.tries == 2
    desk.world.put("biosfeer", None)
    fewer = await desk.flow.show(step, unverified_standings=[])
    assert isinstance(fewer, LoggedOut)
    assert [each.relying_party.id for each in fewer.parties] == [REKENRIJK]


async def test_who_took_part_alone_has_nothing_to_read(desk: Desk, browser: Browser) -> None:
    token = await desk.log_in(browser)
    shown = await desk.log_out(browser, token)
    assert shown.has_nothing_to_tell
    await desk.told()


async def test_without_a_proof_a_person_presses_the_button(desk: Desk, browser: Browser) -> None:
    await desk.log_in(browser)
    for request, named in (({}, None), ({"client_id": oidc.CLIENT_ID}, REKENRIJK)):
        step = await desk.begin(**request)
        asked = await desk.flow.show(step, unverified_standings=browser.standings)
        assert isinstance(asked, AskLogout)
        assert (asked.relying_party and asked.relying_party.id) == named
    assert await desk.is_in(browser)
    shown = await desk.flow.confirm(
        step,
        unverified_standings=[
            *(*browser.standings, "nonsense", "A" * 43 + "q", "B" * 42 + "A"),
            *browser.standings,
        ],
    )
    assert {each.relying_party.id for each in shown.parties} == {REKENRIJK, BIOSFEER_OIDC}
    assert not await desk.is_in(browser)
    await desk.told()


async def test_tabs_that_began_side_by_side_lose_nobody(desk: Desk, browser: Browser) -> None:
    world = desk.world
    first = await world.go_to_school(browser, REKENRIJK, OIDC_SCHOOL)
    other = await world.go_to_school(browser, BIOSFEER_OIDC, OIDC_SCHOOL)
    answers = await asyncio.gather(
        world.come_back(browser, first, NOOR), world.come_back(browser, other, NOOR)
    )
    token = (await world.redeem(read_redirect(answers[0]).code)).id_token
    await desk.log_out(browser, token)
    assert len(await desk.told()) == 2
    assert not await desk.is_in(browser)


async def test_a_session_of_another_browser_is_left_by_who_asks_alone(
    desk: Desk, browser: Browser
) -> None:
    stranger = Browser()
    token = await desk.log_in(stranger)
    await desk.log_in(stranger, BIOSFEER_OIDC)
    await desk.log_in(browser)
    shown = await desk.log_out(browser, token)
    assert shown.record.is_elsewhere
    assert not shown.has_nothing_to_tell
    assert [each.relying_party.id for each in shown.parties] == [REKENRIJK]
    assert await desk.is_in(browser)
    assert await desk.is_in(stranger)
    again = await desk.log_out(browser, token)
    assert (again.parties, again.record.is_elsewhere) == ((), True)
    assert await desk.log_in(stranger)  # by the school's login, for its part here is over
    await desk.told()


async def test_a_server_reads_and_reaches_nobody_by_a_pupils_token(
    desk: Desk, browser: Browser
) -> None:
    """A curious supplier: its own token, no browser of the pupil."""
    for party in (REKENRIJK, BIOSFEER_OIDC):
        desk.let(party, frontchannel_logout_uri=f"https://{party}.example/front")
    desk.flow = LogoutFlow(replace_ports(desk.ports, rules=LogoutRules(0, front_channel=True)))
    token = await desk.log_in(browser)
    others = await desk.log_in(browser, BIOSFEER_OIDC)
    sid = claims_of(others)["sid"]
    shown = await desk.log_out(Browser(), token)
    assert shown.record.idps == ()
    assert [each.relying_party.id for each in shown.parties] == [REKENRIJK]
    assert sid not in shown.parties[0].frontchannel_url
    assert await desk.told() == ["https://rekenrijk.example/out"]
    assert await desk.world.sessions.has_ended(claims_of(token)["sid"])
    assert not await desk.world.sessions.has_ended(sid)
    # the pupil's own browser, as ever
    token = await desk.log_in(browser, BIOSFEER_OIDC)
    desk.suppliers.got.clear()
    shown = await desk.log_out(browser, token)
    assert shown.record.idps == ("kompas-login",)
    await desk.told()
    assert not await desk.is_in(browser)


async def test_who_is_registered_no_more_leaves_nothing(desk: Desk, browser: Browser) -> None:
    token = await desk.log_in(browser)
    step = await desk.begin(token)
    desk.world.put("rekenrijk", None)
    shown = await desk.flow.show(step, unverified_standings=[])
    assert isinstance(shown, LoggedOut)
    assert shown.parties == ()


async def test_a_login_without_session_leaves_others_alone(desk: Desk, browser: Browser) -> None:
    desk.world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.OFF)
    token = await desk.log_in(Browser())
    desk.world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ON)
    assert (await desk.log_out(Browser(), token)).has_nothing_to_tell
    await desk.log_in(browser)
    shown = await desk.log_out(browser, token)
    assert (shown.parties, shown.record.is_elsewhere) == ((), True)
    assert await desk.is_in(browser)


async def test_handles_of_nothing_end_nothing(desk: Desk) -> None:
    shown = await desk.flow.confirm(await desk.begin(), unverified_standings=["B" * 42 + "A"])
    assert (shown.parties, shown.record.idps) == ((), ())


async def test_made_up_handles_cost_one_look_up(desk: Desk, browser: Browser) -> None:
    """A browser can show as many as its headers hold; each would be asked of every system."""
    await desk.log_in(browser)
    trips = {}
    for count in (0, 300):
        made_up = [Handle(each.to_bytes(32)).text for each in range(count)]
        step = await desk.begin()
        desk.world.faults.start()
        await desk.flow.confirm(step, unverified_standings=[*made_up, *browser.standings])
        trips[count] = desk.world.faults.calls.count("store.get_all")
        assert len(await desk.told()) == 1 + (count == 300)
        await desk.log_in(browser)
    assert trips[300] == trips[0] > 0


async def test_a_system_of_another_supplier_by_now_is_told_nothing(
    desk: Desk, browser: Browser
) -> None:
    token = await desk.log_in(browser)
    await desk.log_in(browser, BIOSFEER_OIDC)
    supplier = desk.world.records["biosfeer"]
    desk.world.put("biosfeer", None)
    parties = tuple(
        replace(each, supplier=SupplierId("new-owner")) for each in supplier.relying_parties
    )
    desk.world.put(
        "new-owner", replace(supplier, id=SupplierId("new-owner"), relying_parties=parties)
    )
    shown = await desk.log_out(browser, token)
    assert [each.relying_party.id for each in shown.parties] == [REKENRIJK]
    assert await desk.told() == ["https://rekenrijk.example/out"]


async def test_a_step_that_is_not_held_is_absent(desk: Desk) -> None:
    for handle in ("", "A" * 43):
        step = BrowserStep("state", handle)
        with pytest.raises(LogoutStepAbsent):
            await desk.flow.show(step, unverified_standings=[])
        with pytest.raises(LogoutStepAbsent):
            await desk.flow.confirm(step, unverified_standings=[])


async def test_two_at_once_end_it_once(desk: Desk, browser: Browser) -> None:
    token = await desk.log_in(browser)
    step = await desk.begin(token)
    find_done = desk.flow._stops.find_done

    async def found_before(handle: Any) -> None:
        assert await find_done(handle) is None
        desk.flow._stops.find_done = find_done  # type: ignore[method-assign]
        await desk.flow.confirm(step, unverified_standings=browser.standings)

    desk.flow._stops.find_done = found_before  # type: ignore[method-assign]
    with pytest.raises(LoginStepUsed):
        await desk.flow.confirm(step, unverified_standings=browser.standings)
    assert len(await desk.told()) == 1


async def test_pages_of_suppliers_are_shown_where_that_is_on(world: LoginWorld) -> None:
    for on, expected in ((False, 0), (True, 1)):
        desk, browser = Desk(world, front_channel=on), Browser()
        desk.let(REKENRIJK, frontchannel_logout_uri="https://rekenrijk.example/front?a=b")
        token = await desk.log_in(browser)
        await desk.log_in(browser, BIOSFEER_OIDC)
        shown = await desk.log_out(browser, token)
        frames = [each.frontchannel_url for each in shown.parties if each.frontchannel_url]
        assert len(frames) == expected
        assert all("&iss=https" in each and "&sid=" in each for each in frames)
        await desk.told()


# The courier --------------------------------------------------------------------------------


async def test_who_does_not_answer_is_tried_again_and_then_given_up(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logout_courier, "AGAIN_AFTER_SECONDS", (0.0, 0.0))
    desk.suppliers.silent = {"https://biosfeer-web.example/out"}
    token = await desk.log_in(browser)
    await desk.log_in(browser, BIOSFEER_OIDC)
    step = await desk.begin(token)
    await desk.flow.show(step, unverified_standings=browser.standings)
    await desk.told()
    shown = await desk.flow.show(step, unverified_standings=[])
    assert isinstance(shown, LoggedOut)
    assert {each.relying_party.id: each.is_out for each in shown.parties} == {
        REKENRIJK: True,
        BIOSFEER_OIDC: False,
    }
    assert desk.suppliers.tries == 1 + 3
    assert "logout-not-told" in desk.world.audit.actions()


async def test_what_waits_is_sent_when_the_process_stops(
    world: LoginWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logout_telling, "LAST_WAIT_SECONDS", 0.01)
    desk, browser = Desk(world, longest_wait_seconds=10_000), Browser()
    token = await desk.log_in(browser)
    await desk.log_in(browser, BIOSFEER_OIDC)
    await desk.log_out(browser, token)
    desk.suppliers.silent = {"https://rekenrijk.example/out"}
    await desk.courier.close()
    assert "https://biosfeer-web.example/out" in await desk.told()
    await desk.courier.close()


async def test_at_the_end_nobody_can_tell_by_the_order_who_logged_out(desk: Desk) -> None:
    """Each goes at a moment of its own, not one after the other as they came to wait."""
    waits = {"first": 0.02, "second": 0.005, "third": 0.01}
    for supplier, last in waits.items():
        desk.courier.send(
            replace_ports(a_message(supplier), wait_seconds=10_000, last_wait_seconds=last)
        )
    never_waits = replace_ports(a_message("fourth"), wait_seconds=0.0, last_wait_seconds=10_000)
    desk.courier.send(never_waits)  # who waits less than that anyway is not kept longer
    order: list[str] = []

    async def post_form(url: str, **_: Any) -> bytes:
        order.append(url.removeprefix("https://").partition(".")[0])
        return b""

    desk.suppliers.post_form = post_form  # type: ignore[method-assign]
    await desk.courier.close()
    assert order == ["fourth", "second", "third", "first"]


async def test_a_message_takes_random_waits(world: LoginWorld) -> None:
    sent: list[LogoutMessage] = []
    desk, browser = Desk(world, longest_wait_seconds=20), Browser()
    desk.courier.send = sent.append  # type: ignore[method-assign]
    token = await desk.log_in(browser)
    await desk.log_in(browser, BIOSFEER_OIDC)
    await desk.log_out(browser, token)
    by_party = {each.relying_party: each for each in sent}
    asked, other = by_party[REKENRIJK], by_party[BIOSFEER_OIDC]
    assert (asked.wait_seconds, asked.last_wait_seconds) == (0, 0)
    assert 0 < other.wait_seconds <= 20
    assert 0 < other.last_wait_seconds <= logout_courier.LAST_WAIT_SECONDS
    assert logout_courier.LAST_WAIT_SECONDS < logout_courier.LAST_CALLS_SECONDS


async def test_who_is_too_slow_at_the_end_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logout_courier, "LAST_CALLS_SECONDS", 0.0)
    never = asyncio.Event()

    async def hangs(*_: Any, **__: Any) -> bytes:
        await never.wait()
        return b""

    monkeypatch.setattr(desk.suppliers, "post_form", hangs)
    desk.courier.send(a_message())
    await desk.courier.close()
    await asyncio.gather(*desk.courier.under_way, return_exceptions=True)
    assert not desk.courier.under_way


async def test_too_many_at_once_are_not_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logout_courier, "MAX_WAITING", 0)
    desk.courier.send(a_message())
    assert desk.world.audit.actions() == ["logout-not-told"]


async def test_a_supplier_that_answers_nobody_leaves_room_for_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the queue nor the connections, which logins at schools need as well."""
    monkeypatch.setattr(logout_courier, "MAX_WAITING_FOR_ONE", 40)
    never, calling, answered = asyncio.Event(), [], asyncio.Event()

    async def hangs(url: str, **_: Any) -> bytes:
        if "rekenrijk" in url:
            calling.append(url)
            await never.wait()
        answered.set()
        return b""

    monkeypatch.setattr(desk.suppliers, "post_form", hangs)
    for _ in range(41):
        desk.courier.send(a_message())
    assert desk.world.audit.actions() == ["logout-not-told"]
    other = a_message("biosfeer")
    desk.courier.send(other)
    await answered.wait()
    assert len(calling) == logout_courier.MAX_CALLS_TO_ONE
    never.set()
    await desk.courier.close()
    assert len(calling) == 40
    desk.courier.send(a_message())
    await desk.courier.close()
    assert len(calling) == 41


async def test_a_store_that_is_down_and_a_key_that_is_gone_stop_nothing(
    desk: Desk, browser: Browser
) -> None:
    token = await desk.log_in(browser)
    await desk.log_out(browser, token)
    desk.world.faults.start(fails_at=-1)
    assert len(await desk.told()) == 1
    desk.world.faults.start()
    again = Desk(desk.world)
    token = await again.log_in(browser)
    object.__setattr__(desk.world.keys, "token", TokenKeys(active=(), retired=(oidc.BROKER_KEY,)))
    shown = await again.log_out(browser, token)
    assert shown.parties
    await again.courier.close()
    assert await again.told() == []


def a_message(supplier: str = "rekenrijk") -> LogoutMessage:
    async def tell(_: bool) -> None:
        return None

    async def call(calls: LogoutCalls) -> bool:
        await calls.post_form(f"https://{supplier}.example/out", headers={}, form={})
        return True

    return LogoutMessage(
        relying_party=REKENRIJK,
        supplier=SupplierId(supplier),
        call=call,
        tell=tell,
        wait_seconds=0,
    )
