"""The supplier's half: what is built is linted first, and what cannot be built releases nothing."""

import pytest
from msgspec.structs import replace

from broker.domain.release import ClaimsBeyondDecision
from broker.flow import oidc_answers, saml_answers
from broker.flow.answers import PostMessage, Welcome
from broker.flow.held_state.records import PREPARED, PreparedRelease
from broker.flow.parties import find_parties
from broker.flow.refusals import SupplierNotOpen
from broker.pseudonyms.epochs import EpochKeyMissing
from broker.saml_idp.refusals import AnswerTo, CannotEncrypt, SubjectNotSupported
from broker.saml_xml.bindings import decode_post
from broker.saml_xml.elements import build_element
from tests.builders_saml import SUPPLIER_ACS, XML, saml
from tests.flow.login_answers import Browser, read_redirect, read_response, refused
from tests.flow.login_parties import REKENRIJK, TAALTUIN, with_party
from tests.flow.login_world import SUPPLIER_STATE, LoginWorld


async def prepared(world: LoginWorld, party: str) -> PreparedRelease:
    world.change("vuurvogel", shared_devices=True)
    browser = Browser()
    page = await world.arrive(browser, party=party)
    assert isinstance(page, Welcome)
    return await world.flow._steps.look(PREPARED, browser.step(page.login))


class TestLint:
    """Two pieces of code must agree before a value leaves; else no receipt, no code, no answer."""

    async def test_claims(
        self, world: LoginWorld, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        built = oidc_answers.build_claims
        with monkeypatch.context() as patch:
            patch.setattr(
                oidc_answers,
                "build_claims",
                lambda decision, profile: {
                    **built(decision, profile=profile),
                    "family_name": "de Vries",
                },
            )
            page = refused(await world.arrive(browser))
        assert isinstance(page.refusal, ClaimsBeyondDecision)
        assert world.receipts.kept == []
        assert "released" not in world.audit.actions()
        assert (await world.log_in()).claims["given_name"] == "Sanne"

    async def test_attributes(
        self, world: LoginWorld, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(
                saml_answers, "build_attributes", lambda decision, naming: (("sn", ("de Vries",)),)
            )
            page = refused(await world.arrive(browser, party=TAALTUIN))
        assert isinstance(page.refusal, ClaimsBeyondDecision)
        assert world.receipts.kept == []
        assert (await world.log_in(TAALTUIN)).claims["givenName"] == ["Sanne"]


async def test_an_answer_that_cannot_be_encrypted_is_not_sent_plain(
    world: LoginWorld, browser: Browser
) -> None:
    supplier = world.records["taaltuin"]
    provider = supplier.relying_parties[0].protocol
    for certificates in (provider.encryption_certificates, ()):
        changes = {"encrypt_assertions": True, "encryption_certificates": certificates}
        protocol = replace(provider, **changes)
        world.put("taaltuin", with_party(supplier, TAALTUIN, protocol=protocol))
        answer = await world.arrive(browser, party=TAALTUIN)
        if certificates:
            assert isinstance(answer, PostMessage)
            root = XML.parse(decode_post(dict(answer.fields)["SAMLResponse"])).root
            assert next(root.iter(saml("EncryptedAssertion"))) is not None
        else:
            assert isinstance(refused(answer).refusal, CannotEncrypt)
    assert len(world.receipts.kept) == 1


async def test_an_epoch_without_its_key_is_said_to_the_supplier(
    world: LoginWorld, browser: Browser
) -> None:
    world.change("rekenrijk", epoch="z")
    answer = await world.arrive(browser)
    assert read_redirect(answer).error == EpochKeyMissing.oauth_error
    assert world.receipts.kept == []


async def test_a_request_that_failed_a_check_is_answered_at_its_proven_place(
    world: LoginWorld,
) -> None:
    subject = build_element(saml("Subject"), None, build_element(saml("NameID"), text="x"))
    with pytest.raises(SubjectNotSupported) as raised:
        world.ask(TAALTUIN, subject)
    step = world.flow.refuse_saml(raised.value)
    assert isinstance(step.answer, PostMessage)
    assert step.answer.url == SUPPLIER_ACS
    assert step.answer.destination_name == "Taaltuin"
    received = read_response(step.answer)
    assert (received.error, received.state) == ("RequestUnsupported", SUPPLIER_STATE)


async def test_a_closed_supplier_gets_no_answer_to_a_bad_request(world: LoginWorld) -> None:
    address = AnswerTo(
        relying_party=world.records["taaltuin"].relying_parties[0].id,
        request_id="_request",
        acs_url=SUPPLIER_ACS,
    )
    refusal = SubjectNotSupported("check_no_subject", answer_to=address)
    world.change("taaltuin", enabled=False)
    with pytest.raises(SupplierNotOpen):
        world.flow.refuse_saml(refusal)


async def test_a_saml_answer_needs_a_service_provider(world: LoginWorld) -> None:
    waiting = await prepared(world, TAALTUIN)
    registry = world.snapshots.registry
    own, other = (find_parties(registry, each) for each in (TAALTUIN, REKENRIJK))
    assert world.suppliers.build(waiting, parties=own, now=world.now).puts == ()
    with pytest.raises(SupplierNotOpen, match="check_protocol_unchanged"):
        world.suppliers.build(waiting, parties=other, now=world.now)


async def test_a_code_stands_for_a_pseudonym(world: LoginWorld) -> None:
    waiting = await prepared(world, REKENRIJK)
    parties = find_parties(world.snapshots.registry, REKENRIJK)
    assert len(world.suppliers.build(waiting, parties=parties, now=world.now).puts) == 2
    nameless = replace(waiting, pseudonym=None)
    with pytest.raises(ValueError, match="a code stands for a pseudonym"):
        world.suppliers.build(nameless, parties=parties, now=world.now)
