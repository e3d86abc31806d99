"""Logging out with SAML parties: asked by one, passed on to the others, by browser and by SOAP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.federation import SamlIdpEndpoints, SingleSignOn
from broker.domain.refusals import Refusal
from broker.domain.saml_published import SingleLogoutService
from broker.flow.held_state.browser_steps import BrowserStep
from broker.flow.held_state.handles import parse_handle
from broker.flow.sessions import logout_courier
from broker.flow.sessions.logout_answers import AnswerTaken, AskParty, LoggedOut, LogoutBegun
from broker.flow.sessions.saml_logouts import BrowserForm
from broker.flow.sessions.saml_peers import Side
from broker.flow.sessions.session_records import ParticipationRecord, SchoolSessionRecord
from broker.saml_xml import names as n
from broker.saml_xml.bindings import decode_post, decode_redirect
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.logout import refusals as r
from broker.saml_xml.logout.messages import decode_logout
from broker.saml_xml.refusals import (
    SignatureMissing,
    SupplierSignatureMissing,
    SupplierSignatureRefused,
)
from tests import builders_saml as saml
from tests.builders_logout import (
    IDP_SLO,
    SOAP_SLO,
    SP_SLO,
    a_logout_answer,
    a_logout_request,
    a_name,
    by_post,
    by_redirect,
    by_soap,
)
from tests.flow.login_answers import Browser, Received
from tests.flow.login_parties import (
    BIOSFEER_ENTITY,
    BIOSFEER_SAML,
    REKENRIJK,
    SAML_IDP,
    SAML_SCHOOL,
    TAALTUIN,
    with_party,
)
from tests.flow.login_world import NOOR, SANNE, LoginWorld
from tests.flow.logout_desk import Desk
from tests.flow.opened_records import open_all
from tests.saml_xml.corpus.keys import rsa_key

BIOSFEER_KEY = rsa_key("biosfeer")
TAALTUIN_OUT = "https://taaltuin.example/slo"
BIOSFEER_OUT = "https://biosfeer.example/slo"
SCHOOL_OUT = "https://login.vuurvogel.example/slo"

REDIRECT, POST, SOAP = n.BINDING_REDIRECT, n.BINDING_POST, n.BINDING_SOAP


def places(url: str, *bindings: str, **more: Any) -> tuple[SingleLogoutService, ...]:
    return tuple(SingleLogoutService(binding=each, url=url, **more) for each in bindings)


class SamlDesk(Desk):
    """A world in which the SAML parties have places to log out."""

    def __init__(self, world: LoginWorld, **rules: Any) -> None:
        super().__init__(world, **rules)
        self.let(TAALTUIN, single_logout_services=places(TAALTUIN_OUT, REDIRECT, POST))
        self.let(
            BIOSFEER_SAML,
            signing_certificates=(BIOSFEER_KEY.certificate,),
            single_logout_services=places(BIOSFEER_OUT, REDIRECT, POST),
        )

    def ask_school_too(self, **places_: str) -> None:
        """Let the SAML school's document ask for logout."""
        idp = self.world.records[SAML_IDP]
        assert isinstance(idp.endpoints, SamlIdpEndpoints)
        slo = places_ or {"slo_redirect_url": SCHOOL_OUT}
        endpoints = replace(idp.endpoints, **slo)
        self.world.put(SAML_IDP, replace(idp, endpoints=endpoints, single_logout=True))
        self.world.change(SAML_SCHOOL, single_sign_on=SingleSignOn.ON, shared_devices=False)

    async def arrive(self, browser: Browser, party: str = TAALTUIN) -> Received:
        """Log in as Noor by the session, or at school, and return what a SAML party got."""
        world = self.world
        if not browser.session:
            return await world.log_in(party, NOOR, browser=browser)
        return await world.receive(await world.begin(browser, party), party)

    def request(self, received: Received | None = None, **changes: Any) -> Element:
        fields: dict[str, Any] = {"IssueInstant": format_instant(self.world.now)}
        if received is not None:
            fields["name"] = a_name(received.subject)
            fields["indexes"] = (received.protocol_values["session_index"],)
        return a_logout_request(**{**fields, **changes})

    async def receive(
        self, message: Any, *, side: Side = Side.SUPPLIER, held: Sequence[BrowserStep] = ()
    ) -> BrowserStep:
        begun = await self.flow.receive(message, side=side, held=held)
        assert isinstance(begun, LogoutBegun)
        return BrowserStep(begun.name, begun.handle.text)

    async def look(self, step: BrowserStep, browser: Browser | None = None) -> Any:
        standings = [] if browser is None else browser.standings
        return await self.flow.show(step, unverified_standings=standings)

    def answer(self, asked: AskParty, **changes: Any) -> tuple[Any, dict[str, str]]:
        """Return the answer of a party that was asked, and what reached it."""
        root, fields = read_form(asked.form)
        is_school = asked.peer.side is Side.SCHOOL
        message = a_logout_answer(
            **{
                "issuer": asked.peer.entity_id,
                "InResponseTo": root.get("ID"),
                "Destination": SP_SLO if is_school else IDP_SLO,
                "IssueInstant": format_instant(self.world.now),
                **changes,
            }
        )
        key = saml.SCHOOL_KEY if is_school else saml.SUPPLIER_KEY
        if asked.peer.relying_party == BIOSFEER_SAML:
            key = BIOSFEER_KEY
        return by_redirect(message, key=key, relay_state=fields["RelayState"]), fields

    async def come_back(self, asked: AskParty, step: BrowserStep, **changes: Any) -> AnswerTaken:
        message, _ = self.answer(asked, **changes)
        taken = await self.flow.receive(message, side=asked.peer.side, held=[step])
        assert isinstance(taken, AnswerTaken)
        assert taken.name == step.state
        return taken


def read_form(form: BrowserForm) -> tuple[Element, dict[str, str]]:
    """Return what a party reads, its signature by our key verified."""
    keys = [saml.BROKER_KEY.verification]
    fields = dict(form.fields)
    if form.url:
        message = decode_redirect(form.url.partition("?")[2].encode())
        assert message.signature is not None
        saml.XML.verify_query(message.signature, keys=keys)
        root = saml.XML.parse(message.message).root
    else:
        kind = "SAMLRequest" if "SAMLRequest" in fields else "SAMLResponse"
        root = saml.XML.verify(saml.XML.parse(decode_post(fields[kind])).root, keys=keys).root
    assert root.get("Destination") == form.action
    return root, fields


def statuses(form: BrowserForm | None) -> list[str]:
    assert form is not None
    root, _ = read_form(form)
    return [each.get("Value", "").rpartition(":")[2] for each in root.iter(samlp_code())]


def samlp_code() -> str:
    return saml.samlp("StatusCode")


@pytest.fixture
def desk(world: LoginWorld) -> SamlDesk:
    return SamlDesk(world)


# Asked by a supplier --------------------------------------------------------------------------


@pytest.mark.parametrize("by", [by_redirect, by_post])
async def test_a_service_provider_logs_out_alone(desk: SamlDesk, browser: Browser, by: Any) -> None:
    received = await desk.arrive(browser)
    message = by(desk.request(received), key=saml.SUPPLIER_KEY, relay_state="les-3")
    step = await desk.receive(message)
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert shown.may_answer_at_once
    assert shown.has_nothing_to_tell
    assert statuses(shown.answer) == ["Success"]
    assert shown.answer is not None
    assert bool(shown.answer.url) == (by is by_redirect)
    root, fields = read_form(shown.answer)
    assert root.get("InResponseTo") == desk.request().get("ID")
    assert fields["RelayState"] == "les-3"
    assert shown.answer.action == TAALTUIN_OUT
    assert not await desk.is_in(browser)


async def test_without_an_index_the_browsers_own_session_is_meant(
    desk: SamlDesk, browser: Browser
) -> None:
    received = await desk.arrive(browser)
    other = await desk.arrive(Browser())
    assert other.subject == received.subject
    message = by_redirect(desk.request(received, indexes=()), key=saml.SUPPLIER_KEY)
    shown = await desk.look(await desk.receive(message), browser)
    assert [each.relying_party.id for each in shown.parties] == [TAALTUIN]
    assert not await desk.is_in(browser)


async def test_everybody_hears_of_it_each_in_its_own_way(desk: SamlDesk, browser: Browser) -> None:
    """One page, whatever they speak: OpenID Connect by its back channel, SAML by the browser."""
    taaltuin = await desk.arrive(browser)
    biosfeer = await desk.arrive(browser, BIOSFEER_SAML)
    await desk.log_in(browser)
    step = await desk.receive(by_post(desk.request(taaltuin), key=saml.SUPPLIER_KEY))
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    assert asked.peer.relying_party == BIOSFEER_SAML
    assert {each.relying_party.id: each.is_out for each in asked.so_far.parties} == {
        TAALTUIN: True,
        BIOSFEER_SAML: None,
        REKENRIJK: None,
    }
    root, fields = read_form(asked.form)
    name = next(root.iter(saml.saml("NameID")))
    assert (name.text, name.get("Format")) == (biosfeer.subject, n.NAMEID_PERSISTENT)
    assert name.get("SPNameQualifier") == BIOSFEER_ENTITY
    assert (
        next(root.iter(saml.samlp("SessionIndex"))).text
        == (biosfeer.protocol_values["session_index"])
    )
    assert len(fields["RelayState"]) <= 80
    assert await desk.told() == ["https://rekenrijk.example/out"]
    await desk.come_back(asked, step)
    done = await desk.look(step, browser)
    assert isinstance(done, LoggedOut)
    assert done.is_everywhere
    assert done.may_answer_at_once
    assert statuses(done.answer) == ["Success"]
    assert not await desk.is_in(browser)
    assert desk.world.audit.actions().count("logout-told") == 2


async def test_an_openid_connect_supplier_reaches_saml_ones(
    desk: SamlDesk, browser: Browser
) -> None:
    token = await desk.log_in(browser)
    for party in (TAALTUIN, BIOSFEER_SAML):
        await desk.arrive(browser, party)
    step = await desk.begin(token)
    seen, values = [], []
    shown = await desk.look(step, browser)
    while isinstance(shown, AskParty):
        seen.append(shown.peer.relying_party)
        root, fields = read_form(shown.form)
        values.append({root.get("ID"), fields["RelayState"], fields["SAMLRequest"]})
        await desk.come_back(shown, step)
        shown = await desk.look(step, browser)
    assert seen == [BIOSFEER_SAML, TAALTUIN]
    assert not values[0] & values[1]
    assert isinstance(shown, LoggedOut)
    await desk.told()
    assert (await desk.look(step)).is_everywhere
    assert (await desk.look(step)).answer is None


async def test_who_does_not_come_back_is_gone_on_without(desk: SamlDesk, browser: Browser) -> None:
    taaltuin = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(taaltuin), key=saml.SUPPLIER_KEY))
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert {each.relying_party.id: each.is_out for each in shown.parties} == {
        TAALTUIN: True,
        BIOSFEER_SAML: False,
    }
    assert not shown.may_answer_at_once
    assert statuses(shown.answer) == ["Success", "PartialLogout"]
    assert desk.world.audit.actions()[-1] == "logout-not-told"
    await desk.come_back(asked, step)  # late, and believed
    assert (await desk.look(step)).is_everywhere


async def test_a_place_that_is_gone_is_not_waited_for(desk: SamlDesk, browser: Browser) -> None:
    taaltuin = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(taaltuin), key=saml.SUPPLIER_KEY))
    assert isinstance(await desk.look(step, browser), AskParty)
    desk.let(BIOSFEER_SAML, single_logout_services=())
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert [each.is_out for each in shown.parties] == [False, True]


async def test_a_party_that_says_no_leaves_it_partial(desk: SamlDesk, browser: Browser) -> None:
    taaltuin = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(taaltuin), key=saml.SUPPLIER_KEY))
    asked = await desk.look(step, browser)
    await desk.come_back(asked, step, status=(n.STATUS_RESPONDER,))
    assert statuses((await desk.look(step)).answer) == ["Success", "PartialLogout"]


async def test_the_answer_goes_where_the_metadata_says(desk: SamlDesk, browser: Browser) -> None:
    back = "https://taaltuin.example/slo-answers"
    desk.let(TAALTUIN, single_logout_services=places(TAALTUIN_OUT, POST, response_url=back))
    received = await desk.arrive(browser)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert (shown.answer.action, shown.answer.url) == (back, "")


@pytest.mark.parametrize("services", [(), places(TAALTUIN_OUT, SOAP)])
async def test_who_has_no_place_for_an_answer_gets_none(
    desk: SamlDesk, browser: Browser, services: Any
) -> None:
    desk.let(TAALTUIN, single_logout_services=services)
    received = await desk.arrive(browser)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert (shown.answer, shown.may_answer_at_once) == (None, False)
    assert not await desk.is_in(browser)


async def test_who_wants_no_answer_gets_none(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    extension = saml.build_element(
        saml.samlp("Extensions"),
        {},
        saml.build_element("{urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo}Asynchronous"),
    )
    message = a_logout_request(
        extension,
        name=a_name(received.subject),
        indexes=(received.protocol_values["session_index"],),
        IssueInstant=format_instant(desk.world.now),
    )
    step = await desk.receive(by_redirect(message, key=saml.SUPPLIER_KEY))
    assert (await desk.look(step, browser)).answer is None
    assert not await desk.is_in(browser)


async def test_who_is_registered_no_more_gets_no_answer(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    desk.world.put("taaltuin", None)
    desk.world.put("biosfeer", None)
    shown = await desk.look(step, browser)
    assert (shown.answer, shown.parties) == (None, ())


# Whose session it is --------------------------------------------------------------------------


async def test_nobody_ends_or_learns_of_another_suppliers_session(
    desk: SamlDesk, browser: Browser
) -> None:
    """Its own key and the victim's name and index: the answer is that of no session at all."""
    biosfeer = await desk.arrive(browser, BIOSFEER_SAML)
    stranger = Browser()
    own = await desk.arrive(stranger)
    answers = []
    for message in (
        desk.request(biosfeer),
        desk.request(biosfeer, name=a_name(own.subject)),
        desk.request(own, name=a_name(biosfeer.subject)),
        desk.request(name=a_name("nobody"), indexes=("_" + "A" * 43,)),
        desk.request(name=a_name("nobody"), indexes=("no-handle",)),
    ):
        message.set("ID", f"_id-{len(answers)}")
        step = await desk.receive(by_redirect(message, key=saml.SUPPLIER_KEY))
        shown = await desk.look(step)  # no cookie of the victim's browser
        assert (shown.parties, shown.record.idps) == ((), ())
        answers.append(statuses(shown.answer))
    assert answers == [["Success"]] * 5
    assert await desk.is_in(browser)
    assert await desk.is_in(stranger)


async def test_another_browsers_session_is_left_by_who_asks_alone(
    desk: SamlDesk, browser: Browser
) -> None:
    pupil = Browser()
    received = await desk.arrive(pupil)
    await desk.arrive(pupil, BIOSFEER_SAML)
    await desk.arrive(browser)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert shown.record.is_elsewhere
    assert not shown.may_answer_at_once  # somebody is still logged in here, and must read so
    assert [each.relying_party.id for each in shown.parties] == [TAALTUIN]
    assert await desk.is_in(browser)
    assert await desk.is_in(pupil)


async def test_qualifiers_of_others_are_refused(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    good = {"NameQualifier": saml.BROKER_IDP, "SPNameQualifier": saml.SUPPLIER_ENTITY}
    for name in good:
        wrong = a_name(received.subject, **{**good, name: "https://other.example"})
        with pytest.raises(r.SupplierLogoutMalformed):
            await desk.receive(
                by_redirect(desk.request(received, name=wrong), key=saml.SUPPLIER_KEY)
            )
    name = a_name(received.subject, **good)
    step = await desk.receive(by_redirect(desk.request(received, name=name), key=saml.SUPPLIER_KEY))
    assert (await desk.look(step, browser)).parties


async def test_a_store_that_began_to_remember_lately_takes_a_message_of_today(
    desk: SamlDesk,
) -> None:
    """It is told since when the message can have been used: else it would refuse for an hour."""
    for age, within in ((timedelta(0), CLOCK_SKEW), (-CLOCK_SKEW, timedelta(0))):
        made = desk.request(IssueInstant=format_instant(desk.world.now - age))
        arrived = decode_logout(by_post(made, key=saml.SUPPLIER_KEY), xml=saml.XML)
        asked = desk.flow._ports.saml.read_request(arrived, side=Side.SUPPLIER)
        assert {each.made_within_milliseconds for each in asked.claims} == {
            within // timedelta(milliseconds=1)
        }


async def test_a_message_counts_once(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    message = by_redirect(desk.request(received), key=saml.SUPPLIER_KEY)
    assert await desk.receive(message)
    with pytest.raises(r.SupplierLogoutUsed):
        await desk.receive(message)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"key": None}, SupplierSignatureMissing),
        ({"key": saml.STRANGER_KEY}, SupplierSignatureRefused),
        ({"key": BIOSFEER_KEY}, SupplierSignatureRefused),
        ({"issuer": "https://unknown.example"}, r.SupplierLogoutSenderUnknown),
        ({"issuer": saml.SCHOOL_ENTITY}, r.SupplierLogoutSenderUnknown),
        ({"issuer": None}, r.SupplierLogoutMalformed),
        ({"Destination": SP_SLO}, r.SupplierLogoutForSomebodyElse),
    ],
)
async def test_what_is_not_proven_ends_nothing(
    desk: SamlDesk, browser: Browser, change: dict[str, Any], refusal: type[Refusal]
) -> None:
    received = await desk.arrive(browser)
    key = change.pop("key", saml.SUPPLIER_KEY)
    with pytest.raises(refusal):
        await desk.receive(by_redirect(desk.request(received, **change), key=key))
    assert await desk.is_in(browser)
    assert await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))


@pytest.mark.parametrize("who", ["taaltuin", "party"])
async def test_who_is_switched_off_ends_nothing(desk: SamlDesk, browser: Browser, who: str) -> None:
    received = await desk.arrive(browser)
    supplier = desk.world.records["taaltuin"]
    if who == "party":
        parties = tuple(replace(each, enabled=False) for each in supplier.relying_parties)
        desk.world.put("taaltuin", replace(supplier, relying_parties=parties))
    else:
        desk.world.change("taaltuin", enabled=False)
    with pytest.raises(r.SupplierLogoutSenderUnknown):
        await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))


# Answers --------------------------------------------------------------------------------------


async def asked_biosfeer(desk: SamlDesk, browser: Browser) -> tuple[BrowserStep, AskParty]:
    received = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    return step, asked


async def test_an_answer_that_nobody_asked_for(desk: SamlDesk, browser: Browser) -> None:
    step, asked = await asked_biosfeer(desk, browser)
    message, _ = desk.answer(asked)
    for held in ((), (BrowserStep("x", ""),), (BrowserStep("x", "A" * 43),)):
        with pytest.raises(r.SupplierLogoutNotAsked):
            await desk.flow.receive(message, side=Side.SUPPLIER, held=held)
    with pytest.raises(r.LogoutNotAsked):
        await desk.flow.receive(message, side=Side.SCHOOL, held=[step])
    without = by_redirect(
        a_logout_answer(issuer=asked.peer.entity_id), key=BIOSFEER_KEY, relay_state=None
    )
    with pytest.raises(r.SupplierLogoutNotAsked):
        await desk.flow.receive(without, side=Side.SUPPLIER, held=[step])
    assert (await desk.come_back(asked, step)).refusal is None


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"InResponseTo": "_other"}, r.SupplierLogoutNotAsked),
        ({"issuer": saml.SUPPLIER_ENTITY}, SupplierSignatureRefused),
        ({"issuer": "https://unknown.example"}, r.SupplierLogoutSenderUnknown),
        ({"IssueInstant": "2020-01-01T00:00:00Z"}, r.SupplierLogoutOutOfTime),
    ],
)
async def test_an_answer_that_is_refused_counts_as_none(
    desk: SamlDesk, browser: Browser, change: dict[str, Any], refusal: type[Refusal]
) -> None:
    """The person goes on; what is wrong is written down."""
    step, asked = await asked_biosfeer(desk, browser)
    taken = await desk.come_back(asked, step, **change)
    assert isinstance(taken.refusal, refusal)
    shown = await desk.look(step)
    assert isinstance(shown, LoggedOut)
    assert not shown.is_everywhere


async def test_one_party_does_not_answer_for_another(desk: SamlDesk, browser: Browser) -> None:
    step, asked = await asked_biosfeer(desk, browser)
    root, fields = read_form(asked.form)
    message = by_redirect(
        a_logout_answer(InResponseTo=root.get("ID"), IssueInstant=format_instant(desk.world.now)),
        key=saml.SUPPLIER_KEY,
        relay_state=fields["RelayState"],
    )
    taken = await desk.flow.receive(message, side=Side.SUPPLIER, held=[step])
    assert isinstance(taken, AnswerTaken)
    assert isinstance(taken.refusal, r.SupplierLogoutMalformed)


# By SOAP --------------------------------------------------------------------------------------


def soap_answers(desk: SamlDesk, **changes: Any) -> Any:
    """Let Biosfeer answer calls."""

    def answer(_: str, envelope: bytes) -> bytes:
        root = saml.XML.parse_envelope(envelope).root
        root = saml.XML.verify(root, keys=[saml.BROKER_KEY.verification]).root
        fields = {
            "issuer": BIOSFEER_ENTITY,
            "InResponseTo": root.get("ID"),
            "Destination": None,
            "IssueInstant": format_instant(desk.world.now),
        }
        merged = {**fields, **changes}
        key = merged.pop("key", BIOSFEER_KEY)
        return by_soap(a_logout_answer(**merged), key=key)

    return answer


async def test_who_can_be_called_is_called(desk: SamlDesk, browser: Browser) -> None:
    desk.let(BIOSFEER_SAML, single_logout_services=places(BIOSFEER_OUT, SOAP, REDIRECT))
    desk.suppliers.answer_envelope = soap_answers(desk)
    received = await desk.arrive(browser)
    other = await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert shown.is_waiting
    assert statuses(shown.answer) == ["Success", "PartialLogout"]
    await desk.told()
    ((url, envelope),) = desk.suppliers.envelopes
    asked = saml.XML.parse_envelope(envelope).root
    assert (url, asked.get("Destination")) == (BIOSFEER_OUT, BIOSFEER_OUT)
    assert next(asked.iter(saml.saml("NameID"))).text == other.subject
    assert statuses((await desk.look(step)).answer) == ["Success"]


@pytest.mark.parametrize(
    ("changes", "tries"),
    [
        ({"status": (n.STATUS_RESPONDER,)}, 1),
        ({"key": saml.STRANGER_KEY}, 3),
        ({"key": None}, 3),
        ({"InResponseTo": "_other"}, 3),
        ({"issuer": saml.SUPPLIER_ENTITY, "key": saml.SUPPLIER_KEY}, 3),
    ],
)
async def test_what_a_called_party_says_is_checked(
    desk: SamlDesk,
    browser: Browser,
    changes: dict[str, Any],
    tries: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clear no is taken; what cannot be believed is asked again, and then given up."""
    monkeypatch.setattr(logout_courier, "AGAIN_AFTER_SECONDS", (0.0, 0.0))
    desk.let(BIOSFEER_SAML, single_logout_services=places(BIOSFEER_OUT, SOAP))
    desk.suppliers.answer_envelope = soap_answers(desk, **changes)
    received = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    await desk.look(step, browser)
    await desk.told()
    assert len(desk.suppliers.envelopes) == tries
    shown = await desk.look(step)
    assert [each.is_out for each in shown.parties] == [False, True]
    ids = {saml.XML.parse_envelope(each).root.get("ID") for _, each in desk.suppliers.envelopes}
    assert len(ids) == tries


async def test_who_speaks_another_protocol_meanwhile_is_not_visited(
    desk: SamlDesk, browser: Browser
) -> None:
    received = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    assert isinstance(await desk.look(step, browser), AskParty)
    client = desk.world.snapshots.registry.relying_parties[REKENRIJK].protocol
    supplier = desk.world.records["biosfeer"]
    desk.world.put("biosfeer", with_party(supplier, BIOSFEER_SAML, protocol=client))
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert not shown.is_everywhere


async def test_a_school_that_is_gone_meanwhile_is_not_visited(
    desk: SamlDesk, browser: Browser
) -> None:
    desk.ask_school_too()
    received = await at_saml_school(desk, browser)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    assert isinstance(await desk.look(step, browser), AskParty)
    desk.world.put(SAML_IDP, None)
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert shown.schools == ()


async def test_a_place_that_is_gone_meanwhile_is_not_called(
    desk: SamlDesk, browser: Browser
) -> None:
    desk.let(BIOSFEER_SAML, single_logout_services=places(BIOSFEER_OUT, SOAP))
    received = await desk.arrive(browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    await desk.look(step, browser)
    desk.let(BIOSFEER_SAML, single_logout_services=())
    await desk.told()
    assert not (await desk.look(step)).is_everywhere


async def test_a_call_ends_its_own_part_and_tells_nobody(desk: SamlDesk, browser: Browser) -> None:
    """No browser is there, so nobody else is told; its own logout still reaches them."""
    received = await desk.arrive(browser)
    await desk.log_in(browser)
    message = desk.request(received, Destination=SOAP_SLO)
    answer = await desk.flow.receive_call(by_soap(message, key=saml.SUPPLIER_KEY))
    root = saml.XML.parse_envelope(answer).root
    root = saml.XML.verify(root, keys=[saml.BROKER_KEY.verification]).root
    codes = [each.get("Value") for each in root.iter(samlp_code())]
    assert codes == [n.STATUS_SUCCESS, n.STATUS_PARTIAL_LOGOUT]
    assert root.get("InResponseTo") == message.get("ID")
    assert not desk.courier.under_way
    assert not await desk.is_in(browser)  # nobody goes on by it
    step = await desk.begin()
    shown = await desk.flow.confirm(step, unverified_standings=browser.standings)
    assert [each.relying_party.id for each in shown.parties] == [REKENRIJK]
    assert await desk.told() == ["https://rekenrijk.example/out"]


async def test_a_call_about_nobody_is_answered_alike(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    biosfeer = await desk.arrive(browser, BIOSFEER_SAML)
    answers = set()
    for index, (who, change) in enumerate(
        [(received, {}), (biosfeer, {}), (None, {"indexes": ()}), (received, {"indexes": ()})]
    ):
        message = desk.request(who, Destination=SOAP_SLO, ID=f"_id-{index}", **change)
        answer = await desk.flow.receive_call(by_soap(message, key=saml.SUPPLIER_KEY))
        root = saml.XML.parse_envelope(answer).root
        answers.add(tuple(each.get("Value") for each in root.iter(samlp_code())))
    assert len(answers) == 1
    assert not await desk.world.sessions.has_ended(
        biosfeer.protocol_values["session_index"].removeprefix("_")
    )


async def test_a_call_counts_once_and_only_when_it_asks(desk: SamlDesk, browser: Browser) -> None:
    received = await desk.arrive(browser)
    body = by_soap(desk.request(received, Destination=SOAP_SLO), key=saml.SUPPLIER_KEY)
    await desk.flow.receive_call(body)
    with pytest.raises(r.SupplierLogoutUsed):
        await desk.flow.receive_call(body)
    with pytest.raises(r.SupplierLogoutMalformed):
        await desk.flow.receive_call(by_soap(a_logout_answer(), key=saml.SUPPLIER_KEY))
    with pytest.raises(SupplierSignatureMissing):
        await desk.flow.receive_call(by_soap(desk.request(received), key=None))


# Schools --------------------------------------------------------------------------------------


async def at_saml_school(desk: SamlDesk, browser: Browser, **changes: Any) -> Received:
    return await desk.world.log_in(TAALTUIN, SANNE, browser=browser, **changes)


def school_request(desk: SamlDesk, **changes: Any) -> Element:
    fields: dict[str, Any] = {
        "issuer": saml.SCHOOL_ENTITY,
        "name": a_name("sanne@vuurvogel.example"),
        "indexes": ("_session",),
        "Destination": SP_SLO,
        "IssueInstant": format_instant(desk.world.now),
    }
    return a_logout_request(**{**fields, **changes})


async def test_the_school_is_asked_last_where_its_document_says_so(
    desk: SamlDesk, browser: Browser
) -> None:
    desk.ask_school_too()
    received = await at_saml_school(desk, browser)
    await desk.arrive(browser, BIOSFEER_SAML)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    first = await desk.look(step, browser)
    assert first.peer.relying_party == BIOSFEER_SAML
    await desk.come_back(first, step)
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    assert (asked.peer.idp, asked.form.action) == (SAML_IDP, SCHOOL_OUT)
    root, _ = read_form(asked.form)
    name = next(root.iter(saml.saml("NameID")))
    assert (name.text, name.get("Format")) == ("sanne@vuurvogel.example", n.NAMEID_UNSPECIFIED)
    assert next(root.iter(saml.samlp("SessionIndex"))).text == "_session"
    issuer = next(root.iter(saml.saml("Issuer")))
    assert issuer.text == saml.BROKER_SP
    await desk.come_back(asked, step)
    done = await desk.look(step, browser)
    assert [each.is_out for each in done.schools] == [True]
    assert statuses(done.answer) == ["Success"]


async def test_without_its_wish_the_school_is_left_alone(desk: SamlDesk, browser: Browser) -> None:
    desk.ask_school_too()
    desk.world.change(SAML_IDP, single_logout=False)
    received = await at_saml_school(desk, browser)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert (shown.schools, shown.record.idps) == ((), (SAML_IDP,))


@pytest.mark.parametrize("by", [by_redirect, by_post])
async def test_a_school_logs_its_pupil_out_everywhere(
    desk: SamlDesk, browser: Browser, by: Any
) -> None:
    desk.ask_school_too(
        slo_redirect_url=SCHOOL_OUT,
        slo_post_url=SCHOOL_OUT,
        slo_post_response_url=SCHOOL_OUT + "/a",
    )
    await at_saml_school(desk, browser)
    message = by(school_request(desk), key=saml.SCHOOL_KEY, relay_state="of-school")
    step = await desk.receive(message, side=Side.SCHOOL)
    asked = await desk.look(step, browser)
    assert isinstance(asked, AskParty)
    assert asked.peer.relying_party == TAALTUIN
    await desk.come_back(asked, step)
    done = await desk.look(step, browser)
    assert done.may_answer_at_once
    assert done.schools == ()  # it asked, so nobody asks it
    assert statuses(done.answer) == ["Success"]
    _, fields = read_form(done.answer)
    assert fields["RelayState"] == "of-school"
    assert done.answer.action == (SCHOOL_OUT if by is by_redirect else SCHOOL_OUT + "/a")
    assert not await desk.is_in(browser)


@pytest.mark.parametrize(
    "change",
    [
        {"name": a_name("daan@vuurvogel.example")},
        {"indexes": ("_of-another-session",)},
    ],
)
async def test_a_school_means_the_session_that_it_names(
    desk: SamlDesk, browser: Browser, change: dict[str, Any]
) -> None:
    desk.ask_school_too()
    await at_saml_school(desk, browser)
    message = by_redirect(school_request(desk, **change), key=saml.SCHOOL_KEY)
    shown = await desk.look(await desk.receive(message, side=Side.SCHOOL), browser)
    assert isinstance(shown, LoggedOut)
    assert shown.record.is_elsewhere
    assert statuses(shown.answer) == ["Success"]
    assert await desk.is_in(browser)
    again = by_redirect(school_request(desk, ID="_again", indexes=()), key=saml.SCHOOL_KEY)
    await desk.look(await desk.receive(again, side=Side.SCHOOL), browser)
    assert not await desk.is_in(browser)


async def test_a_school_without_a_browser_of_ours_is_answered(desk: SamlDesk) -> None:
    desk.ask_school_too()
    message = by_redirect(school_request(desk), key=saml.SCHOOL_KEY)
    shown = await desk.look(await desk.receive(message, side=Side.SCHOOL))
    assert statuses(shown.answer) == ["Success"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"key": None}, SignatureMissing),
        ({"issuer": saml.SUPPLIER_ENTITY}, r.LogoutSenderUnknown),
        ({"Destination": IDP_SLO}, r.LogoutForSomebodyElse),
    ],
)
async def test_what_a_school_did_not_prove_ends_nothing(
    desk: SamlDesk, browser: Browser, change: dict[str, Any], refusal: type[Refusal]
) -> None:
    desk.ask_school_too()
    await at_saml_school(desk, browser)
    key = change.pop("key", saml.SCHOOL_KEY)
    with pytest.raises(refusal):
        await desk.receive(by_redirect(school_request(desk, **change), key=key), side=Side.SCHOOL)
    assert await desk.is_in(browser)


async def test_a_school_that_is_switched_off_or_speaks_otherwise_ends_nothing(
    desk: SamlDesk, browser: Browser
) -> None:
    desk.ask_school_too()
    await at_saml_school(desk, browser)
    step = await desk.receive(
        by_redirect(school_request(desk, ID="_first"), key=saml.SCHOOL_KEY), side=Side.SCHOOL
    )
    idp = desk.world.records[SAML_IDP]
    desk.world.change(SAML_IDP, enabled=False)
    with pytest.raises(r.LogoutSenderUnknown):
        await desk.receive(by_redirect(school_request(desk), key=saml.SCHOOL_KEY), side=Side.SCHOOL)
    desk.world.put(SAML_IDP, None)
    shown = await desk.look(step, browser)
    while isinstance(shown, AskParty):
        shown = await desk.look(step, browser)
    assert shown.answer is None
    desk.world.put(SAML_IDP, idp)


async def test_a_school_that_speaks_another_protocol_by_now_is_not_asked(
    desk: SamlDesk, browser: Browser
) -> None:
    desk.ask_school_too()
    received = await at_saml_school(desk, browser)
    other = desk.world.records["kompas-login"].endpoints
    desk.world.change(SAML_IDP, endpoints=other)
    step = await desk.receive(by_redirect(desk.request(received), key=saml.SUPPLIER_KEY))
    shown = await desk.look(step, browser)
    assert isinstance(shown, LoggedOut)
    assert shown.schools == ()


async def test_a_supplier_learns_how_long_a_logout_reaches_it(
    desk: SamlDesk, browser: Browser
) -> None:
    """In steps of five minutes, as every time; nothing where there is no session to log out of."""
    desk.world.now += timedelta(minutes=3, seconds=7)
    until = datetime.fromisoformat((await desk.arrive(browser)).protocol_values["session_until"])
    reach = until - desk.world.now
    assert timedelta(hours=4) - timedelta(minutes=5) < reach <= timedelta(hours=4)
    assert (until.minute % 5, until.second) == (0, 0)
    without = await at_saml_school(desk, Browser())
    assert "session_until" not in without.protocol_values
    assert without.protocol_values["session_index"]


async def test_a_login_costs_no_trip_more(desk: SamlDesk) -> None:
    """How the school knows the session rides along with what is put anyway."""
    trips = {}
    for wish in (False, True):
        desk.ask_school_too()
        desk.world.change(SAML_IDP, single_logout=wish)
        desk.world.faults.start()
        await at_saml_school(desk, Browser())
        trips[wish] = [each for each in desk.world.faults.calls if each.startswith("store.")]
    assert trips[True] == trips[False]


async def test_what_a_party_holds_finds_no_name_of_the_school(
    desk: SamlDesk, browser: Browser
) -> None:
    """Also for who has our keys and the whole store: the name may be somebody's mail address."""
    desk.ask_school_too()
    received = await at_saml_school(desk, browser)
    assert "sanne@vuurvogel.example" not in repr(received)
    assert all("sanne@" not in each for each in browser.standings)
    state, index = desk.world.state, str(received.protocol_values["session_index"])
    opened = await open_all(state, parse_handle(index.removeprefix("_")))
    assert [type(each) for each in opened] == [ParticipationRecord]
    (standing,) = browser.standings
    opened = await open_all(state, parse_handle(standing))
    names = [each.named.name_id for each in opened if isinstance(each, SchoolSessionRecord)]
    assert names == ["sanne@vuurvogel.example"], "but by the browser it is found, to log out there"
