"""A SAML request that wants no other school than those it names."""

from collections.abc import Sequence
from typing import Any

import pytest

from broker.domain.federation import SingleSignOn
from broker.flow.answers import ChooseSchool, PostMessage, Redirect
from broker.saml_xml.elements import Element, build_element
from tests.builders_oidc import SCHOOL_ISSUER
from tests.builders_saml import SCHOOL_ENTITY, samlp
from tests.flow.login_answers import Browser, read_response
from tests.flow.login_parties import OIDC_IDP, OIDC_SCHOOL, REKENRIJK, TAALTUIN
from tests.flow.login_world import NOOR, LoginWorld


def listing(schools: Sequence[str]) -> Element:
    entries = [build_element(samlp("IDPEntry"), {"ProviderID": each}) for each in schools]
    return build_element(samlp("Scoping"), {}, build_element(samlp("IDPList"), {}, *entries))


async def begin(world: LoginWorld, browser: Browser, *schools: str) -> Any:
    return browser.follow(await world.flow.begin(world.ask(TAALTUIN, listing(schools))))


@pytest.mark.parametrize("schools", [("22BB",), (SCHOOL_ENTITY,), ("99ZZ", "kompas.example")])
async def test_one_of_them_is_gone_to(
    world: LoginWorld, browser: Browser, schools: tuple[str, ...]
) -> None:
    assert isinstance(await begin(world, browser, *schools), Redirect)


@pytest.mark.parametrize("schools", [("99ZZ",), ("https://stranger.example", "99ZZ")])
async def test_none_of_ours(world: LoginWorld, browser: Browser, schools: tuple[str, ...]) -> None:
    answer = await begin(world, browser, *schools)
    assert isinstance(answer, PostMessage)
    assert read_response(answer).error == "NoSupportedIDP"
    assert world.audit.last.check == "check_listed_school_known"


@pytest.mark.parametrize("school", ["22BB", SCHOOL_ISSUER])
async def test_ours_and_not_open(world: LoginWorld, browser: Browser, school: str) -> None:
    world.change(OIDC_IDP, enabled=False)
    answer = await begin(world, browser, "99ZZ", school)
    assert read_response(answer).error == "NoAvailableIDP"


async def test_a_name_that_fits_several_and_a_list_that_goes_on_are_for_people(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("regenboog", brin="11AA")
    assert isinstance(await begin(world, browser, "11AA"), ChooseSchool)
    assert isinstance(await begin(world, browser, *["99ZZ"] * 11), ChooseSchool)


async def test_a_hint_of_openid_connect_stays_a_hint(world: LoginWorld, browser: Browser) -> None:
    assert isinstance(await world.begin(browser, REKENRIJK, hint="99ZZ"), ChooseSchool)


async def test_in_silence_no_other_school_s_session_answers(
    world: LoginWorld, browser: Browser
) -> None:
    world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ON)
    await world.log_in(REKENRIJK, NOOR, browser=browser)
    for school, error in (("99ZZ", "NoPassive"), ("22BB", "")):
        asked = world.ask(TAALTUIN, listing([school]), IsPassive="true")
        answer = (await world.flow.begin(asked, wish=browser.wish)).answer
        assert isinstance(answer, PostMessage)
        assert read_response(answer).error == error
