"""Two children and one browser: neither ever reaches the other's account."""

from collections.abc import Callable

import pytest

from broker.demo.addresses import Party
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]


async def test_that_is_not_me_lets_the_school_ask_again(browsers: Browsers) -> None:
    sanne = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    shared = browsers()
    await shared.open_material(Party.REKENRIJK)
    await shared.choose("vuurvogel")
    await shared.log_in_at_school("sanne")
    assert "Hoi Sanne!" in shared.text
    await shared.press("not-me")
    assert shared.is_at(Party.VUURVOGEL)
    assert shared.shows("pupil", "daan")
    await shared.log_in_at_school("daan")
    assert "Hoi Daan!" in shared.text
    assert "Sanne" not in shared.text
    await shared.go_on()
    daan = await shared.received(Party.REKENRIJK)
    assert daan["claims"]["given_name"] == "Daan"
    assert daan["subject"] != sanne["subject"]


async def test_what_was_prepared_for_the_first_child_is_gone(visitor: Visitor) -> None:
    await visitor.open_material(Party.REKENRIJK)
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("sanne")
    greeting_sanne = visitor.page
    await visitor.press("not-me")
    back = visitor.another_tab()
    back.page = greeting_sanne
    await back.press("continue")
    assert "E-LOGIN-1" in back.text or "E-LOGIN-2" in back.text
    assert (await visitor.received(Party.REKENRIJK)) == {"error": "nothing_received"}


async def test_the_next_child_in_the_browser_is_asked_anew(visitor: Visitor) -> None:
    sanne = await visitor.log_in(Party.BIOSFEER_SAML, "vuurvogel", "sanne")
    daan = await visitor.log_in(Party.BIOSFEER_SAML, "vuurvogel", "daan")
    assert (sanne["claims"]["givenName"], daan["claims"]["givenName"]) == (["Sanne"], ["Daan"])
    assert sanne["subject"] != daan["subject"]


async def test_two_children_in_two_tabs_each_arrive_as_themselves(visitor: Visitor) -> None:
    tabs = {"sanne": visitor, "daan": visitor.another_tab()}
    for name, tab in tabs.items():
        await tab.open_material(Party.REKENRIJK)
        await tab.choose("vuurvogel")
        await tab.log_in_at_school(name)
    received = {}
    for name in ("daan", "sanne"):
        await tabs[name].go_on()
        received[name] = await tabs[name].received(Party.REKENRIJK)
    assert received["daan"]["claims"]["given_name"] == "Daan"
    assert received["sanne"]["claims"]["given_name"] == "Sanne"
    assert received["daan"]["subject"] != received["sanne"]["subject"]


@pytest.mark.parametrize("party", [Party.REKENRIJK, Party.TAALTUIN])
async def test_nobody_is_logged_in_silently_on_a_shared_device(
    visitor: Visitor, party: Party
) -> None:
    await visitor.log_in(Party.BIOSFEER_OIDC, "vuurvogel", "sanne")
    how = {"prompt": "none"} if party is Party.REKENRIJK else {"is_passive": "1"}
    await visitor.open_material(party, idp_hint="11AA", **how)
    await visitor.pass_on()
    assert visitor.is_at(party)
    assert visitor.page.status_code == 403
    assert "error" in await visitor.received(party)
