"""A level that a supplier wants is asked of the school in the school's own words: whole logins."""

import json
from typing import Any

import pytest

from broker.domain.assurance import HIGH, LOW, MULTI_FACTOR, SUBSTANTIAL
from broker.domain.federation import OidcIdpEndpoints, SingleSignOn
from broker.flow.answers import ChooseSchool, PostMessage, Redirect
from broker.flow.wanted_level import NO_WORDS, find_level_words, find_wanted_level
from broker.oidc_rp.refusals import SchoolHasNoLevel, SchoolLoginFailed
from broker.saml_sp.refusals import LevelNotGiven, LoginFailedAtSchool
from broker.saml_xml import names as n
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import saml, samlp
from tests.flow.login_answers import AtSchool, Browser, read_at_school, refused
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    OIDC_IDP,
    OIDC_SCHOOL,
    REKENRIJK,
    SAML_IDP,
    TAALTUIN,
)
from tests.flow.login_world import NOOR, SANNE, LoginWorld

MFA = "https://login.example/mfa"
PASSWORD = n.AUTHN_PASSWORD
SMARTCARD = n.AUTHN_CLASSES + "SmartcardPKI"
NO_CONTEXT = (n.STATUS_RESPONDER, n.STATUS_NO_AUTHN_CONTEXT)
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "value": SUBSTANTIAL}}})


def wanting(*classes: str) -> Element:
    references = (build_element(saml("AuthnContextClassRef"), text=each) for each in classes)
    return build_element(samlp("RequestedAuthnContext"), {"Comparison": "exact"}, *references)


@pytest.fixture(autouse=True)
def documents(world: LoginWorld) -> None:
    meanings = {PASSWORD: LOW, MFA: SUBSTANTIAL, "two words": MULTI_FACTOR}
    world.change(SAML_IDP, acr=meanings)
    world.change(OIDC_IDP, acr=meanings)


async def at_vuurvogel(world: LoginWorld, browser: Browser, **asked: Any) -> AtSchool:
    return await world.go_to_school(browser, school="vuurvogel", **asked)


async def begin_at_taaltuin(world: LoginWorld, browser: Browser, *classes: str) -> AtSchool:
    """Go to the school from a SAML supplier that names classes; none: no RequestedAuthnContext."""
    step = await world.flow.begin(world.ask(TAALTUIN, *([wanting(*classes)] if classes else [])))
    chooser: Any = browser.follow(step)
    return read_at_school(await world.choose(browser, chooser.login, "vuurvogel"))


class TestSamlSchool:
    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({}, ()),
            ({"acr_values": SUBSTANTIAL}, (MFA, PASSWORD, "two words")),
            ({"acr_values": f"{MULTI_FACTOR} {LOW}"}, ("two words", PASSWORD, MFA)),
            ({"acr_values": HIGH}, ()),
            ({"acr_values": "urn:gold"}, ()),
            ({"claims": ESSENTIAL}, (MFA,)),
        ],
    )
    async def test_is_asked_by_what_its_document_explains(
        self, world: LoginWorld, browser: Browser, asked: dict[str, str], words: tuple[str, ...]
    ) -> None:
        assert (await at_vuurvogel(world, browser, **asked)).levels == words

    @pytest.mark.parametrize("stated", [MFA, SUBSTANTIAL, HIGH])
    async def test_an_essential_level_that_it_states_is_told(
        self, world: LoginWorld, browser: Browser, stated: str
    ) -> None:
        at_school = await at_vuurvogel(world, browser, claims=ESSENTIAL)
        answer = await world.come_back(browser, at_school, authn_context=stated)
        assert (await world.receive(answer)).protocol_values["acr"] == SUBSTANTIAL

    async def test_one_that_it_did_not_keep_to_is_told_as_such(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        at_school = await at_vuurvogel(world, browser, claims=ESSENTIAL)
        answer = await world.come_back(browser, at_school, authn_context=PASSWORD)
        assert (await world.receive(answer)).error == "unmet_authentication_requirements"
        assert (world.audit.last.code, world.audit.last.check) == ("E-SAML-27", "check_level")

    async def test_one_that_it_says_it_has_not_is_told_as_such(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        at_school = await at_vuurvogel(world, browser, claims=ESSENTIAL)
        answer = await world.come_back(browser, at_school, status=NO_CONTEXT, signed="nothing")
        assert (await world.receive(answer)).error == "unmet_authentication_requirements"
        assert world.audit.last.code == LevelNotGiven.code

    async def test_where_the_supplier_can_do_without_it_is_asked_once_more_for_none(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        first = await at_vuurvogel(world, browser, acr_values=SUBSTANTIAL)
        answer = await world.come_back(browser, first, status=NO_CONTEXT, signed="nothing")
        second = read_at_school(answer)
        assert second.levels == ()
        received = await world.receive(
            await world.come_back(browser, second, authn_context=PASSWORD)
        )
        assert received.protocol_values["acr"] == LOW

    async def test_it_is_asked_once_more_and_no_more(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        first = await at_vuurvogel(world, browser, acr_values=SUBSTANTIAL)
        answer = await world.come_back(browser, first, status=NO_CONTEXT, signed="nothing")
        second = read_at_school(answer)
        answer = await world.come_back(browser, second, status=NO_CONTEXT, signed="nothing")
        assert (await world.receive(answer)).error == "access_denied"
        assert world.audit.last.code == LoginFailedAtSchool.code

    async def test_a_school_that_is_gone_meanwhile_is_not_asked_once_more(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        first = await at_vuurvogel(world, browser, acr_values=SUBSTANTIAL)
        world.change(SAML_IDP, schools=("regenboog",))
        world.put("vuurvogel", None)
        page = refused(await world.come_back(browser, first, status=NO_CONTEXT, signed="nothing"))
        assert page.refusal.check == "check_school_known"


class TestOidcSchool:
    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({}, ()),
            ({"acr_values": SUBSTANTIAL}, (MFA,)),
            ({"acr_values": f"{MULTI_FACTOR} {LOW}"}, (PASSWORD, MFA)),  # no spaces in acr_values
            ({"acr_values": MULTI_FACTOR}, ()),
            ({"claims": ESSENTIAL}, (MFA,)),
        ],
    )
    async def test_is_asked_by_what_its_document_explains(
        self, world: LoginWorld, browser: Browser, asked: dict[str, str], words: tuple[str, ...]
    ) -> None:
        assert (await world.go_to_school(browser, school="kompas", **asked)).levels == words

    async def test_what_it_states_is_told(self, world: LoginWorld, browser: Browser) -> None:
        at_school = await world.go_to_school(browser, school="kompas", claims=ESSENTIAL)
        answer = await world.come_back(browser, at_school, NOOR, acr=MFA)
        assert (await world.receive(answer)).protocol_values["acr"] == SUBSTANTIAL

    @pytest.mark.parametrize(
        ("asked", "error", "code"),
        [
            ({"claims": ESSENTIAL}, "unmet_authentication_requirements", SchoolHasNoLevel.code),
            ({}, "", SchoolLoginFailed.code),
        ],
    )
    async def test_it_says_that_it_has_no_such_level(
        self, world: LoginWorld, browser: Browser, asked: dict[str, str], error: str, code: str
    ) -> None:
        at_school = await world.go_to_school(browser, school="kompas", **asked)
        told = [("error", "unmet_authentication_requirements"), ("state", at_school.state)]
        step = await world.flow.finish_oidc(browser.step(at_school.state), parameters=told)
        answer = browser.follow(step)
        assert world.audit.last.code == code
        if error:
            assert (await world.receive(answer)).error == error
        else:
            assert refused(answer).refusal.code == code

    async def test_where_the_supplier_can_do_without_it_is_asked_once_more_for_none(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        first = await world.go_to_school(browser, school="kompas", acr_values=SUBSTANTIAL)
        told = [("error", "unmet_authentication_requirements"), ("state", first.state)]
        step = await world.flow.finish_oidc(browser.step(first.state), parameters=told)
        second = read_at_school(browser.follow(step))
        assert second.levels == ()
        received = await world.receive(await world.come_back(browser, second, NOOR, acr="1"))
        assert received.subject


class TestSamlSupplier:
    async def test_a_level_is_asked_and_told(self, world: LoginWorld, browser: Browser) -> None:
        at_school = await begin_at_taaltuin(world, browser, SUBSTANTIAL)
        assert at_school.levels == (MFA,)
        answer = await world.come_back(browser, at_school, authn_context=MFA)
        received = await world.receive(answer, TAALTUIN)
        assert received.protocol_values["authn_context"] == SUBSTANTIAL

    async def test_a_level_that_the_login_has_not_is_no_login(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        at_school = await begin_at_taaltuin(world, browser, HIGH)
        assert at_school.levels == ()
        answer = await world.come_back(browser, at_school, authn_context=MFA)
        assert (await world.receive(answer, TAALTUIN)).error == "NoAuthnContext"

    @pytest.mark.parametrize(
        ("classes", "told"),
        [
            ((), n.AUTHN_UNSPECIFIED),
            ((PASSWORD,), PASSWORD),
            ((n.AUTHN_PASSWORD_PROTECTED,), n.AUTHN_UNSPECIFIED),
        ],
    )
    async def test_classes_that_are_no_level_of_ours_ask_nothing(
        self, world: LoginWorld, browser: Browser, classes: tuple[str, ...], told: str
    ) -> None:
        """node-saml and OneLogin ask for PasswordProtectedTransport by default."""
        at_school = await begin_at_taaltuin(world, browser, *classes)
        assert at_school.levels == ()
        answer = await world.come_back(browser, at_school, authn_context=PASSWORD)
        received = await world.receive(answer, TAALTUIN)
        assert received.protocol_values["authn_context"] == told

    @pytest.mark.parametrize("stated", [SMARTCARD, PASSWORD])
    async def test_another_class_is_met_or_there_is_no_login(
        self, world: LoginWorld, browser: Browser, stated: str
    ) -> None:
        at_school = await begin_at_taaltuin(world, browser, SMARTCARD)
        assert at_school.levels == ()
        answer = await world.come_back(browser, at_school, authn_context=stated)
        received = await world.receive(answer, TAALTUIN)
        if stated == SMARTCARD:
            assert received.protocol_values["authn_context"] == SMARTCARD
        else:
            assert received.error == "NoAuthnContext"

    async def test_better_than_a_level_is_not_asked_at_school(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        asked = wanting(LOW)
        asked.set("Comparison", "better")
        chooser: Any = browser.follow(await world.flow.begin(world.ask(TAALTUIN, asked)))
        at_school = read_at_school(await world.choose(browser, chooser.login, "vuurvogel"))
        assert at_school.levels == ()
        answer = await world.come_back(browser, at_school, authn_context=MFA)
        received = await world.receive(answer, TAALTUIN)
        assert received.protocol_values["authn_context"] == SUBSTANTIAL

    @pytest.mark.parametrize(("stated", "told"), [(MFA, SUBSTANTIAL), (PASSWORD, PASSWORD)])
    async def test_a_level_beside_another_class_is_told_where_it_is_there(
        self, world: LoginWorld, browser: Browser, stated: str, told: str
    ) -> None:
        at_school = await begin_at_taaltuin(world, browser, SUBSTANTIAL, PASSWORD)
        assert at_school.levels == (MFA, PASSWORD, "two words")
        answer = await world.come_back(browser, at_school, authn_context=stated)
        received = await world.receive(answer, TAALTUIN)
        assert received.protocol_values["authn_context"] == told

    async def test_it_can_do_without_beside_another_class(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        first = await begin_at_taaltuin(world, browser, SUBSTANTIAL, PASSWORD)
        answer = await world.come_back(browser, first, status=NO_CONTEXT, signed="nothing")
        second = read_at_school(answer)
        assert second.levels == ()
        received = await world.receive(await world.come_back(browser, second), TAALTUIN)
        assert received.protocol_values["authn_context"] == PASSWORD


async def test_nobody_learns_of_a_level_that_was_not_asked(
    world: LoginWorld, browser: Browser
) -> None:
    answer = await world.arrive(browser, SANNE, authn_context=MFA)
    assert "acr" not in (await world.receive(answer, REKENRIJK)).protocol_values


def test_what_is_no_request_wants_no_level(world: LoginWorld) -> None:
    assert find_wanted_level(object()) is None
    assert find_level_words(object(), world.records[SAML_IDP]) == NO_WORDS
    assert isinstance(world.records[OIDC_IDP].endpoints, OidcIdpEndpoints)


class TestSession:
    """A session answers where its login had the level, and no other way."""

    @pytest.fixture(autouse=True)
    def sessions(self, world: LoginWorld) -> None:
        world.change(OIDC_SCHOOL, single_sign_on=SingleSignOn.ON)

    @pytest.mark.parametrize(
        ("classes", "answers"),
        [
            ((LOW,), True),
            ((SUBSTANTIAL,), True),
            ((HIGH,), False),
            ((SMARTCARD,), False),
            ((PASSWORD,), True),
            ((), True),
        ],
    )
    async def test_for_a_saml_supplier(
        self, world: LoginWorld, browser: Browser, classes: tuple[str, ...], answers: bool
    ) -> None:
        await world.log_in(REKENRIJK, NOOR, browser=browser, acr=MFA)
        asked = world.ask(TAALTUIN, *([wanting(*classes)] if classes else []))
        step = await world.flow.begin(asked, wish=browser.wish)
        assert isinstance(step.answer, PostMessage if answers else ChooseSchool)
        if answers and classes:
            received = await world.receive(browser.follow(step), TAALTUIN)
            told = n.AUTHN_UNSPECIFIED if classes == (PASSWORD,) else classes[0]
            assert received.protocol_values["authn_context"] == told

    @pytest.mark.parametrize(
        ("level", "answers"), [(LOW, True), (SUBSTANTIAL, True), (HIGH, False)]
    )
    async def test_for_an_openid_connect_supplier(
        self, world: LoginWorld, browser: Browser, level: str, answers: bool
    ) -> None:
        await world.log_in(REKENRIJK, NOOR, browser=browser, acr=MFA)
        asked = world.ask(BIOSFEER_OIDC, acr_values=level)
        step = await world.flow.begin(asked, wish=browser.wish)
        assert isinstance(step.answer, Redirect if answers else ChooseSchool)
