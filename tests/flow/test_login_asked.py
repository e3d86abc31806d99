"""What a supplier asks to be told, where, and how it gets the answer: whole logins."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from broker.demo.people import Person
from broker.domain.assurance import LOW, MULTI_FACTOR, SUBSTANTIAL
from broker.domain.relying_parties import ClaimProfile
from broker.flow.answers import PostMessage, Redirect, WhichSchool
from broker.flow.authorization_requests import RefusedRequest
from broker.flow.held_state.records import kept_of
from broker.saml_xml.names import AUTHN_PASSWORD
from tests.builders_oidc import ISSUER, REDIRECT_URI, a_native_client, an_authorization_request
from tests.flow.login_answers import (
    AtSchool,
    Browser,
    Received,
    read_at_school,
    read_redirect,
    welcomed,
)
from tests.flow.login_parties import OIDC_IDP, REKENRIJK, SAML_IDP, with_party
from tests.flow.login_world import NOOR, SANNE, SUPPLIER_STATE, LoginWorld

NAME = {"given_name": "Sanne"}


async def ask(
    world: LoginWorld, person: Person = SANNE, *, browser: Browser | None = None, **asked: Any
) -> Received:
    """Log in once, with a request that asks for something."""
    browser = browser or Browser()
    answer = asked.pop("answer", {})
    at_school = await world.go_to_school(browser, REKENRIJK, person.school.id, **asked)
    return await world.receive(await world.come_back(browser, at_school, person, **answer))


def claims(**members: Any) -> str:
    return json.dumps(members)


def stated_in(received: Received) -> tuple[set[str], set[str]]:
    """Return the names of released claims in the ID token and in userinfo."""
    known = {"given_name", "eduperson_affiliation"}
    return known & set(received.protocol_values), known & set(received.claims)


@pytest.mark.parametrize(
    ("asked", "in_id_token", "in_userinfo"),
    [
        (None, {"given_name", "eduperson_affiliation"}, {"given_name", "eduperson_affiliation"}),
        (claims(id_token={"acr": None}), *[{"given_name", "eduperson_affiliation"}] * 2),
        (claims(userinfo={"given_name": {"essential": True}}), set(), {"given_name"}),
        (claims(id_token={"given_name": {"value": "Daan"}}), {"given_name"}, set()),
        (
            claims(id_token={"eduperson_affiliation": None}, userinfo={"given_name": None}),
            {"eduperson_affiliation"},
            {"given_name"},
        ),
        (claims(userinfo={"email": None, "birthdate": None}), set(), set()),
    ],
)
async def test_claims_place_and_narrow_what_the_school_released(
    world: LoginWorld, asked: str | None, in_id_token: set[str], in_userinfo: set[str]
) -> None:
    received = await ask(world, claims=asked, scope="openid")
    assert stated_in(received) == (in_id_token, in_userinfo)
    (released,) = [each for each in world.audit.events if each.action == "released"]
    assert len(released.names) == len(in_id_token | in_userinfo)
    reasons = {reason for _, reason in released.withheld}
    assert ("not-asked" in reasons) is (len(released.names) < 2)


async def test_scopes_add_what_they_name_to_userinfo(world: LoginWorld) -> None:
    asked = claims(userinfo={"eduperson_affiliation": None})
    received = await ask(world, claims=asked, scope="openid profile")
    assert stated_in(received) == (set(), {"given_name", "eduperson_affiliation"})


async def test_claims_are_named_as_the_client_reads_them(world: LoginWorld) -> None:
    supplier = with_party(world.records["rekenrijk"], REKENRIJK, claims=ClaimProfile.ENTREE)
    world.put("rekenrijk", supplier)
    received = await ask(world, claims=claims(userinfo={"givenName": None}))
    assert {"givenName", "eduPersonAffiliation"} & set(received.claims) == {"givenName"}


# Who it must be ---------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["id_token", "userinfo"])
async def test_another_person_than_asked_is_told_and_nothing_else(
    world: LoginWorld, member: str
) -> None:
    sanne = (await ask(world)).subject
    written = len(world.receipts.kept)
    asked = claims(**{member: {"sub": {"value": sanne}}})
    assert (await ask(world, claims=asked)).subject == sanne
    received = await ask(world, NOOR, claims=asked)
    assert (received.error, received.state) == ("login_required", SUPPLIER_STATE)
    assert len(world.receipts.kept) == written + 1


# How surely -------------------------------------------------------------------------------------


def with_levels(world: LoginWorld) -> None:
    world.change(SAML_IDP, acr={AUTHN_PASSWORD: LOW})
    world.change(OIDC_IDP, acr={"2": SUBSTANTIAL})


@pytest.mark.parametrize(
    ("stated", "asked", "told"),
    [
        ("2", {"acr_values": f"{LOW} {SUBSTANTIAL}"}, LOW),
        ("2", {"acr_values": "urn:gold"}, SUBSTANTIAL),
        ("2", {"claims": claims(id_token={"acr": None})}, SUBSTANTIAL),
        ("2", {"acr_values": MULTI_FACTOR}, SUBSTANTIAL),
        ("3", {"acr_values": SUBSTANTIAL}, None),
        (SUBSTANTIAL, {"acr_values": SUBSTANTIAL}, SUBSTANTIAL),
        (LOW, {"acr_values": SUBSTANTIAL}, LOW),
        ("2", {}, None),
        ("2", {"claims": "{}"}, None),
    ],
)
async def test_the_level_of_a_login_is_told_truthfully_when_asked(
    world: LoginWorld, stated: str, asked: dict[str, str], told: str | None
) -> None:
    with_levels(world)
    received = await ask(world, NOOR, answer={"acr": stated}, **asked)
    assert received.protocol_values.get("acr") == told


async def test_a_saml_login_has_the_level_that_its_document_says(world: LoginWorld) -> None:
    with_levels(world)
    received = await ask(world, acr_values=SUBSTANTIAL)
    assert received.protocol_values["acr"] == LOW


@pytest.mark.parametrize("values", [{"value": SUBSTANTIAL}, {"values": [SUBSTANTIAL, LOW]}])
async def test_an_essential_level_is_there_or_nothing_is_released(
    world: LoginWorld, values: dict[str, Any]
) -> None:
    with_levels(world)
    asked = claims(id_token={"acr": {"essential": True, **values}})
    received = await ask(world, NOOR, answer={"acr": "2"}, claims=asked)
    assert received.protocol_values["acr"] == SUBSTANTIAL
    received = await ask(world, NOOR, answer={"acr": "1"}, claims=asked)
    assert (received.error, received.state) == (
        "unmet_authentication_requirements",
        SUPPLIER_STATE,
    )
    assert len(world.receipts.kept) == 1


async def test_the_level_stays_while_a_person_chooses_a_school(world: LoginWorld) -> None:
    with_levels(world)
    browser = Browser()
    at_school: AtSchool = await world.go_to_school(browser, acr_values=LOW)
    both = {"nlEduPersonHomeOrganizationId": ("11AA", "33CC")}
    page = await world.come_back(browser, at_school, SANNE, stated=both)
    assert isinstance(page, WhichSchool)
    step = await world.flow.choose_own(browser.step(page.login), unverified_school="regenboog")
    received = await world.receive(browser.follow(step))
    assert received.protocol_values["acr"] == LOW


# The answer's way -------------------------------------------------------------------------------


async def test_the_code_is_posted_when_the_supplier_wants_it_so(world: LoginWorld) -> None:
    browser = Browser()
    at_school = await world.go_to_school(browser, response_mode="form_post")
    posted = await world.come_back(browser, at_school)
    assert isinstance(posted, PostMessage)
    assert (posted.url, posted.destination_name) == (REDIRECT_URI, "RekenRijk")
    assert not posted.may_be_framed
    found = dict(posted.fields)
    assert list(found) == ["code", "state", "iss"]
    assert (found["state"], found["iss"]) == (SUPPLIER_STATE, ISSUER)
    assert await world.redeem(found["code"])


async def test_a_refusal_is_posted_too(world: LoginWorld, browser: Browser) -> None:
    posted = await world.begin(browser, prompt="none", response_mode="form_post")
    assert isinstance(posted, PostMessage)
    assert posted.may_be_framed
    assert dict(posted.fields)["error"] == "login_required"
    redirected = read_redirect(await world.begin(browser, prompt="none"))
    assert redirected.error == "login_required"


@pytest.mark.parametrize("mode", ["form_post", "query", "fragment", None])
async def test_a_failed_check_is_told_in_the_mode_that_was_asked(
    world: LoginWorld, mode: str | None
) -> None:
    fields = an_authorization_request(response_mode=mode, response_type="token")
    refused = await world.authorization.read(fields)
    assert isinstance(refused, RefusedRequest)
    answer = world.flow.refuse_oidc(refused).answer
    assert isinstance(answer, PostMessage) is (mode == "form_post")


def test_the_request_is_kept_without_its_hints_and_with_its_wishes(world: LoginWorld) -> None:
    request = world.ask(
        acr_values=f"school:kompas {LOW}",
        ui_locales="nl",
        login_hint="noor",
        claims=claims(userinfo={"email": None, "sub": {"value": "x"}}),
    )
    assert kept_of(request) == replace(request, hints=(), ui_locales=())
    assert kept_of(request).acr is not None  # type: ignore[union-attr]


# Apps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["nl.rekenrijk.app:/cb", "http://127.0.0.1:51004/cb"])
async def test_nothing_goes_to_an_app_unseen(world: LoginWorld, browser: Browser, uri: str) -> None:
    registered = ("nl.rekenrijk.app:/cb", "http://127.0.0.1/cb", REDIRECT_URI)
    client = a_native_client(redirect_uris=registered)
    world.put("rekenrijk", with_party(world.records["rekenrijk"], REKENRIJK, protocol=client))
    at_school = await world.go_to_school(browser, redirect_uri=uri)
    page = welcomed(await world.come_back(browser, at_school))
    assert (page.shared, page.first_name, page.may_switch) == (None, "", False)
    answer = await world.press(browser, "go_on", page.login)
    assert isinstance(answer, Redirect)
    assert answer.url.startswith(f"{uri}?code=")
    passive = await world.begin(browser, hint="vuurvogel", prompt="none", redirect_uri=uri)
    told = read_redirect(await world.come_back(browser, read_at_school(passive)))
    assert told.error == "interaction_required"


async def test_an_app_s_own_site_is_known_by_its_address(
    world: LoginWorld, browser: Browser
) -> None:
    client = a_native_client(redirect_uris=(REDIRECT_URI,))
    world.put("rekenrijk", with_party(world.records["rekenrijk"], REKENRIJK, protocol=client))
    at_school = await world.go_to_school(browser)
    assert isinstance(await world.come_back(browser, at_school), Redirect)
