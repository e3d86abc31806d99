"""Deep links, hints, tabs, back buttons and other people's browsers."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from lxml import html

from broker.demo.addresses import Party
from tests.journeys.conftest import World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]
LESSON = "/les/3"


@pytest.mark.parametrize("party", [Party.REKENRIJK, Party.TAALTUIN])
async def test_a_deep_link_survives_chooser_error_and_retry(visitor: Visitor, party: Party) -> None:
    await visitor.visit(party, LESSON)
    assert visitor.path == "/schools"
    await visitor.choose("vuurvogel")
    await visitor.log_in_at_school("sanne", scenario="expired")
    assert "E-SAML-24" in visitor.text
    await visitor.choose("vuurvogel")  # the button "try again"
    assert visitor.is_at(Party.VUURVOGEL)
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    assert visitor.is_at(party)
    assert visitor.path == LESSON


async def test_a_deep_link_survives_a_cancelled_login(visitor: Visitor) -> None:
    await visitor.visit(Party.REKENRIJK, LESSON)
    await visitor.choose("kompas")
    await visitor.log_in_at_school("noor", scenario="cancelled")
    assert f'href="/login?target={LESSON}"' in visitor.page.text
    await visitor.open_material(Party.REKENRIJK, target=LESSON)
    await visitor.choose("kompas")
    await visitor.log_in_at_school("noor")
    assert visitor.path == LESSON


def name_of(world: World, hint: str) -> str:
    """Return a hint with the address of the school for which it stands."""
    places = {"<kompas>": Party.KOMPAS, "<vuurvogel>": Party.VUURVOGEL}
    for place, party in places.items():
        hint = hint.replace(place, world.at[party])
    return hint


@pytest.mark.parametrize(
    ("party", "parameter", "hint", "school"),
    [
        (Party.REKENRIJK, "login_hint", "iemand@vuurvogel.example", Party.VUURVOGEL),
        (Party.REKENRIJK, "login_hint", "kompas.example", Party.KOMPAS),
        (Party.REKENRIJK, "idp_hint", "11AA", Party.VUURVOGEL),
        (Party.REKENRIJK, "idp_hint", "<kompas>", Party.KOMPAS),
        (Party.BIOSFEER_OIDC, "acr_values", "idp:22BB", Party.KOMPAS),
        (Party.TAALTUIN, "idp_hint", "33CC", Party.REGENBOOG),
        (Party.BIOSFEER_SAML, "idp_hint", "<vuurvogel>/saml/metadata", Party.VUURVOGEL),
    ],
)
async def test_a_hint_skips_the_chooser_and_no_more(
    world: World, visitor: Visitor, party: Party, parameter: str, hint: str, school: Party
) -> None:
    await visitor.open_material(party, **{parameter: name_of(world, hint)})
    await visitor.pass_on()
    assert visitor.is_at(school)
    assert visitor.shows("pupil")


@pytest.mark.parametrize("hint", ["99ZZ", "nowhere.example", "https://evil.test/?.kompas.example"])
async def test_an_unknown_hint_leads_to_the_chooser(visitor: Visitor, hint: str) -> None:
    await visitor.open_material(Party.REKENRIJK, idp_hint=hint)
    assert visitor.is_at(Party.BROKER)
    assert visitor.path == "/schools"


async def test_three_tabs_and_three_suppliers_in_any_order(visitor: Visitor) -> None:
    parties = (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_SAML)
    tabs = {party: visitor.another_tab() for party in parties}
    for party in parties:
        await tabs[party].open_material(party)
    for party in (Party.BIOSFEER_SAML, Party.REKENRIJK, Party.TAALTUIN):
        await tabs[party].choose("vuurvogel")
    for party in (Party.TAALTUIN, Party.BIOSFEER_SAML, Party.REKENRIJK):
        await tabs[party].log_in_at_school("sanne")
    for party in (Party.REKENRIJK, Party.TAALTUIN, Party.BIOSFEER_SAML):
        await tabs[party].go_on()
        assert tabs[party].is_at(party), tabs[party].text
    subjects = {(await visitor.received(party))["subject"] for party in parties}
    assert len(subjects) == 3


async def test_another_browser_cannot_finish_a_saml_login(browsers: Browsers) -> None:
    pupil, thief = browsers(), browsers()
    await pupil.open_material(Party.REKENRIJK)
    await pupil.choose("vuurvogel")
    await pupil.press("pupil", "sanne")
    assert pupil.is_passing_on  # the school's answer, not posted yet
    thief.page = pupil.page
    await thief.pass_on()
    assert "E-LOGIN-1" in thief.text
    await pupil.pass_on()
    welcome = pupil.page
    thief.page = welcome
    await thief.press("continue")
    assert "E-LOGIN-1" in thief.text
    assert "error" in await thief.received(Party.REKENRIJK)
    await pupil.go_on()
    assert "subject" in await pupil.received(Party.REKENRIJK)


async def test_another_browser_cannot_finish_an_oidc_login(browsers: Browsers) -> None:
    pupil, thief = browsers(), browsers()
    await pupil.open_material(Party.REKENRIJK)
    await pupil.choose("kompas")
    pupil.client.follow_redirects = False
    await pupil.press("pupil", "noor")
    callback = pupil.page.headers["location"]
    thief.page = await thief.client.get(callback)
    assert "E-LOGIN-1" in thief.text
    pupil.client.follow_redirects = True
    pupil.page = await pupil.client.get(callback)
    assert "subject" in await pupil.received(Party.REKENRIJK)


async def test_an_answer_does_not_fit_somebody_elses_login(browsers: Browsers) -> None:
    """A thief cannot log a pupil in as somebody else with an answer from another login."""
    pupil, thief = browsers(), browsers()
    for each, name in ((pupil, "sanne"), (thief, "daan")):
        await each.open_material(Party.REKENRIJK)
        await each.choose("vuurvogel")
        await each.press("pupil", name)
    (form,) = html.fromstring(thief.page.content).forms
    (own,) = html.fromstring(pupil.page.content).forms
    mixed = {
        "SAMLResponse": form.fields["SAMLResponse"],
        "RelayState": own.fields["RelayState"],
    }
    pupil.page = await pupil.client.post(own.action, data=mixed)
    assert pupil.is_at(Party.BROKER)
    assert pupil.page.status_code == 400
    assert "error" in await pupil.received(Party.REKENRIJK)


async def test_a_form_that_is_posted_again_is_told_so_kindly(visitor: Visitor) -> None:
    await visitor.open_material(Party.TAALTUIN)
    await visitor.choose("vuurvogel")
    await visitor.press("pupil", "sanne")
    school_answer = visitor.page
    await visitor.pass_on()
    welcome = visitor.page
    await visitor.go_on()
    before = await visitor.received(Party.TAALTUIN)
    again = visitor.another_tab()
    for page, button in ((school_answer, None), (welcome, "continue"), (welcome, "not-me")):
        again.page = page
        if button:
            await again.press(button)
        else:
            await again.pass_on()
        assert again.page.status_code == 400
        assert "E-LOGIN-1" in again.text or "E-LOGIN-2" in again.text
        assert "Begin opnieuw vanuit je lesmateriaal" in again.text
    assert await visitor.received(Party.TAALTUIN) == before


async def test_an_unknown_supplier_ends_on_our_page(world: World, visitor: Visitor) -> None:
    address = urljoin(world.at[Party.BROKER], "/oidc/authorize")
    for changed in ({"client_id": "nobody"}, {"redirect_uri": "https://evil.test/callback"}):
        parameters = {
            "response_type": "code",
            "client_id": "rekenrijk",
            "redirect_uri": world.at[Party.REKENRIJK] + "/callback",
            "scope": "openid",
            "state": "s",
            "nonce": "n",
            **changed,
        }
        visitor.page = await visitor.client.get(address, params=parameters)
        assert visitor.is_at(Party.BROKER)
        assert visitor.page.status_code in {400, 401, 403}
        assert "data-reference" in visitor.page.text
