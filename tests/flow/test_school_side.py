"""How a pupil is sent to a school, and what its answer must be, where SAML and OIDC differ."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.flow.answers import PostMessage, Redirect, Welcome
from broker.flow.held_state.browser_steps import store_in_words
from broker.flow.held_state.login_store import Claim, LoginStoreRefusal, Put, check_distinct
from broker.flow.parties import check_school_open
from broker.flow.refusals import SchoolNotOpen, SchoolUnreachable, StoreUnavailable
from broker.oidc_op.unguessable import most_bits
from broker.oidc_rp.refusals import (
    ClientKeyMissing,
    SchoolAnswerNotExpected,
    SchoolLoginCancelled,
    UnknownKey,
    UserinfoRefused,
)
from broker.saml_sp.refusals import LoginNotFresh, ProviderUnreachable
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.refusals import ValueUnwritable
from tests.builders import a_school, a_school_idp, a_supplier
from tests.builders_oidc import SCHOOL_KEY, jwks_of, make_key, school_endpoints
from tests.builders_saml import XML, samlp
from tests.flow.login_answers import AtSchool, Browser, read_redirect, refused
from tests.flow.login_parties import OIDC_IDP, REKENRIJK, SAML_IDP, TAALTUIN
from tests.flow.login_world import NOOR, LoginWorld


def provider(world: LoginWorld, **changes: object) -> None:
    world.change(OIDC_IDP, endpoints=school_endpoints(**changes))


async def to_vuurvogel(world: LoginWorld, browser: Browser, **changes: Any) -> AtSchool:
    return await world.go_to_school(browser, school="vuurvogel", **changes)


async def to_kompas(world: LoginWorld, browser: Browser, **changes: Any) -> AtSchool:
    return await world.go_to_school(browser, school="kompas", **changes)


class TestSending:
    async def test_by_post_where_the_school_has_no_redirect(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        endpoints = replace(
            world.records[SAML_IDP].endpoints,
            sso_redirect_url=None,
            sso_post_url="https://login.vuurvogel.example/post",
            sign_requests=True,
        )
        world.change(SAML_IDP, endpoints=endpoints)
        answer = await world.begin(browser, hint="vuurvogel")
        assert isinstance(answer, PostMessage)
        assert answer.destination_name == "De Vuurvogel"
        fields = dict(answer.fields)
        root = XML.parse(decode_post(fields["SAMLRequest"])).root
        assert root.tag == samlp("AuthnRequest")
        assert XML.is_signed(root)
        at_school = AtSchool(
            state=fields["RelayState"],
            force_login=False,
            choose_account=False,
            passive=False,
            max_age=None,
            request_id=root.get("ID") or "",
        )
        assert read_redirect(await world.come_back(browser, at_school)).code

    async def test_a_school_without_an_address_cannot_be_reached(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        endpoints = replace(world.records[SAML_IDP].endpoints, sso_redirect_url=None)
        world.change(SAML_IDP, endpoints=endpoints)
        page = refused(await world.begin(browser, hint="vuurvogel"))
        assert isinstance(page.refusal, ProviderUnreachable)

    @pytest.mark.parametrize(
        ("wish", "saml_forced", "oidc_forced", "choice"),
        [
            ({}, False, False, False),
            ({"prompt": "login"}, True, True, False),
            ({"prompt": "select_account"}, True, False, True),
            ({"max_age": "0"}, True, True, False),
            ({"max_age": "3600"}, True, False, False),
        ],
    )
    async def test_what_a_supplier_wishes_of_the_login(
        self,
        world: LoginWorld,
        browser: Browser,
        wish: dict[str, str],
        saml_forced: bool,
        oidc_forced: bool,
        choice: bool,
    ) -> None:
        assert (await to_vuurvogel(world, browser, **wish)).force_login == saml_forced
        at_kompas = await to_kompas(world, browser, **wish)
        assert (at_kompas.force_login, at_kompas.choose_account) == (oidc_forced, choice)

    async def test_each_login_has_fresh_values(self, world: LoginWorld, browser: Browser) -> None:
        for school in ("kompas", "vuurvogel"):
            one, other = [await world.go_to_school(browser, school=school) for _ in range(2)]
            for name in ("state", "nonce", "code_challenge", "request_id"):
                values = (getattr(one, name), getattr(other, name))
                assert values == ("", "") or values[0] != values[1]
                if school == "kompas" and name in ("state", "nonce"):
                    assert min(map(most_bits, values)) >= 128


class TestSaml:
    async def test_an_encrypted_assertion(self, world: LoginWorld, browser: Browser) -> None:
        at_school = await to_vuurvogel(world, browser)
        answer = await world.come_back(browser, at_school, encrypted=True)
        assert read_redirect(answer).code

    async def test_an_old_login_where_a_new_one_was_asked(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        old = world.now - timedelta(minutes=30)
        for wish in ({"prompt": "login"}, {"max_age": "7200"}):
            at_school = await to_vuurvogel(world, browser, **wish)
            page = refused(await world.come_back(browser, at_school, authn_instant=old))
            assert isinstance(page.refusal, LoginNotFresh)
        at_school = await to_vuurvogel(world, browser)
        assert read_redirect(await world.come_back(browser, at_school, authn_instant=old)).code

    @pytest.mark.parametrize("party", [REKENRIJK, TAALTUIN])
    async def test_a_pupil_who_cancels_goes_back_to_the_supplier(
        self, world: LoginWorld, browser: Browser, party: str
    ) -> None:
        at_school = await world.go_to_school(browser, party)
        form = world.saml_answer(
            at_school, status=(n.STATUS_RESPONDER, n.STATUS_AUTHN_FAILED), signed="nothing"
        )
        step = await world.flow.finish_saml(browser.step(at_school.state), form=form)
        received = await world.receive(browser.follow(step), party)
        assert received.error == ("access_denied" if party == REKENRIJK else "AuthnFailed")
        assert world.audit.last.code == "E-SAML-30"


class TestOidc:
    async def test_keys_that_are_published_elsewhere_are_asked_anew_once(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        provider(world, jwks="", jwks_uri="https://login.kompas.example/jwks")
        world.school.jwks = [jwks_of(make_key()), jwks_of(SCHOOL_KEY)]
        at_school = await to_kompas(world, browser)
        assert read_redirect(await world.come_back(browser, at_school, NOOR)).code
        assert world.school.asked_again == [False, True]

    async def test_a_key_that_nobody_knows_is_refused(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        provider(world, jwks="", jwks_uri="https://login.kompas.example/jwks")
        world.school.jwks = [jwks_of(make_key())]
        page = refused(await world.arrive(browser, NOOR))
        assert isinstance(page.refusal, UnknownKey)
        assert page.retry is not None

    async def test_keys_that_cannot_be_read_are_no_answer(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        provider(world, jwks="", jwks_uri="https://login.kompas.example/jwks")
        world.school.jwks = ["no keys"]
        page = refused(await world.arrive(browser, NOOR))
        assert (type(page.refusal), page.refusal.check) == (
            SchoolUnreachable,
            "check_school_keys_usable",
        )

    async def test_userinfo_is_asked_when_it_is_registered(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        provider(world, userinfo_endpoint="https://login.kompas.example/userinfo")
        world.school.userinfo = {"sub": "noor", "given_name": "Eleonora"}
        received = await world.log_in(person=NOOR, stated={"givenName": None})
        assert received.claims["given_name"] == "Eleonora"
        world.school.userinfo = {"sub": "daan", "given_name": "Daan"}
        page = refused(await world.arrive(browser, NOOR))
        assert isinstance(page.refusal, UserinfoRefused)

    @pytest.mark.parametrize("states_issuer", [False, True])
    async def test_who_says_that_it_states_its_issuer_must(
        self, world: LoginWorld, browser: Browser, states_issuer: bool
    ) -> None:
        """RFC 9207 2.4: without it, another provider could have sent the answer here."""
        provider(world, states_issuer=states_issuer)
        assert (await world.log_in(person=NOOR)).subject
        at_school = await to_kompas(world, browser)
        silent = [each for each in world.oidc_answer(at_school, NOOR) if each[0] != "iss"]
        step = await world.flow.finish_oidc(browser.step(at_school.state), parameters=silent)
        answer = browser.follow(step)
        if states_issuer:
            page = refused(answer)
            assert isinstance(page.refusal, SchoolAnswerNotExpected)
            assert page.refusal.check == "check_issuer_expected"
        else:
            assert read_redirect(answer).code

    async def test_by_a_secret_of_ours(self, world: LoginWorld, browser: Browser) -> None:
        provider(world, authentication="client_secret_basic")
        page = refused(await world.arrive(browser, NOOR))
        assert isinstance(page.refusal, ClientKeyMissing)
        world.school.secrets[OIDC_IDP] = "our-secret"
        assert (await world.log_in(person=NOOR)).subject
        assert "Authorization" in world.school.forms[-1]

    async def test_the_school_learns_no_supplier(self, world: LoginWorld, browser: Browser) -> None:
        await world.arrive(browser, NOOR)
        sent = repr(world.school.forms)
        assert "rekenrijk" not in sent
        assert "lesson" not in sent

    async def test_a_pupil_who_cancels_goes_back_to_the_supplier(
        self, world: LoginWorld, browser: Browser
    ) -> None:
        at_school = await to_kompas(world, browser)
        told = [("error", "access_denied"), ("state", at_school.state)]
        step = await world.flow.finish_oidc(browser.step(at_school.state), parameters=told)
        assert read_redirect(browser.follow(step)).error == "access_denied"
        assert world.audit.last.code == SchoolLoginCancelled.code


class TestValues:
    """Values that a school may state and that cannot be kept or written: refused, no fault."""

    @pytest.mark.parametrize("pages", [False, True])
    async def test_larger_than_what_is_kept(
        self, world: LoginWorld, browser: Browser, pages: bool
    ) -> None:
        world.change("kompas", shared_devices=pages)
        provider(world, userinfo_endpoint="https://login.kompas.example/userinfo")
        names = [f"{number:02}" + "N" * 1_000 for number in range(50)]  # each is short enough
        world.school.userinfo = {"sub": "noor", "given_name": names}
        page = refused(await world.arrive(browser, NOOR, stated={"givenName": None}))
        assert isinstance(page.refusal, StoreUnavailable)
        assert world.receipts.kept == []
        world.school.userinfo = {"sub": "noor", "given_name": "N" * 1_000}
        answer = await world.arrive(browser, NOOR, stated={"givenName": None})
        assert isinstance(answer, Welcome if pages else Redirect)

    async def test_that_xml_cannot_carry(self, world: LoginWorld, browser: Browser) -> None:
        page = refused(
            await world.arrive(browser, NOOR, party=TAALTUIN, stated={"givenName": ("N\x01",)})
        )
        assert isinstance(page.refusal, ValueUnwritable)
        assert world.receipts.kept == []

    @pytest.mark.parametrize("value", ["", " ", "\x00", "\ud7ff", "\U0010ffff", "n" * 70_000, "0"])
    async def test_of_any_kind_never_end_in_a_fault(
        self, world: LoginWorld, browser: Browser, value: str
    ) -> None:
        for name in ("givenName", "employeeNumber", "eckId", "eduPersonAffiliation", "uid"):
            answer = await world.arrive(browser, NOOR, stated={name: (value,)})
            assert answer is not None


def test_a_login_that_is_switched_off_is_refused_wherever_it_comes_from() -> None:
    check_school_open(a_school(), a_supplier(), a_school_idp())
    with pytest.raises(SchoolNotOpen, match="check_idp_enabled"):
        check_school_open(a_school(), a_supplier(), a_school_idp(enabled=False))


def test_an_answer_of_the_store_that_is_not_known_is_unsure() -> None:
    class NewAnswer(LoginStoreRefusal):
        pass

    with pytest.raises(StoreUnavailable), store_in_words():
        raise NewAnswer
    with pytest.raises(NewAnswer), store_in_words(known=(NewAnswer,)):
        raise NewAnswer


def test_a_call_of_the_store_names_something_and_each_thing_once() -> None:
    claim, put = Claim(bytes(32), 1), Put(bytes(range(32)), b"x", 1)  # type: ignore[arg-type]
    check_distinct([claim.locator, put.locator])
    for wrong in ([], [claim.locator, claim.locator]):
        with pytest.raises(ValueError, match=r"nothing|twice"):
            check_distinct(wrong)
