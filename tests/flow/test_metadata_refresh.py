"""A source asked again: what changes, what stays, and until when."""

from datetime import timedelta
from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.domain.metadata_sources import MAX_BELIEVED, Origin
from broker.flow.federation.plan import KeyChange
from broker.flow.federation.refresh import SourceRefused, fail
from broker.flow.federation.source_reading import mdq_url
from tests.builders_metadata_sources import WEEK, a_source, signed
from tests.builders_saml import (
    NOW,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    STRANGER_KEY,
    SUPPLIER_ENCRYPTION,
    SUPPLIER_ENTITY,
    SUPPLIER_KEY,
)
from tests.builders_saml_metadata import a_key, an_idp, an_sp
from tests.flow.federation_builders import (
    a_saml_login,
    a_service_provider,
    a_supplier,
    stated,
    without,
)
from tests.flow.sourced_federation import (
    LOGIN,
    SCHOOL,
    SERVICE,
    SUPPLIER,
    Sourced,
    a_sourced,
    documents,
)
from tests.saml_xml.corpus.keys import rsa_key

TOMORROW = NOW + timedelta(days=1)
NEW_SSO = "https://nieuw.vuurvogel.example/sso"
SIGNS = 'AuthnRequestsSigned="true"'


def keys_of(*parties: Any) -> tuple[str, ...]:
    return tuple(a_key(each.certificate) for each in parties)


def ten_more(*, without_last: int = 0) -> tuple[list[Any], list[str]]:
    """Return documents of ten logins beside the one, and their entities."""
    names = [f"https://login.school{number}.example" for number in range(10)]
    tables = [
        without(
            a_saml_login(id=f"school{number}", entity_id=name, metadata_source="federation"),
            "metadata",
        )
        for number, name in enumerate(names)
    ]
    logins = [stated(Kind.IDENTITY_PROVIDER, each) for each in tables]
    kept = names[: len(names) - without_last]
    return logins, [an_idp(entity_id=name) for name in kept]


class TestWhatChanges:
    def test_nothing_where_nothing_is_new(self) -> None:
        found = a_sourced()
        look = found.refresh(now=TOMORROW)
        assert (look.adds_version, look.change.plan.documents) == (False, ())
        assert found.store.sources["federation"].confirmed_at == TOMORROW
        assert found.until(SCHOOL) == NOW + WEEK

    def test_only_the_end_where_it_was_published_again(self) -> None:
        found = a_sourced()
        found.publish(an_idp(), an_sp(), valid_until=TOMORROW + WEEK)
        look = found.refresh(now=TOMORROW)
        assert (look.adds_version, look.registered) == (False, 2)
        assert found.until(SCHOOL) == TOMORROW + WEEK

    def test_a_party_that_ends_before_the_whole(self) -> None:
        found = a_sourced()
        soon = 'validUntil="2026-03-03T08:00:00Z"'
        found.publish(an_idp(entity_attributes=soon), an_sp())
        assert found.refresh().adds_version
        assert found.until(SCHOOL) == TOMORROW
        assert found.until(SERVICE) == NOW + WEEK
        assert not found.refresh().adds_version
        assert found.until(SCHOOL) == TOMORROW

    def test_keys_and_places_with_their_fingerprints(self) -> None:
        found = a_sourced()
        found.publish(an_idp(keys=keys_of(STRANGER_KEY), sso=NEW_SSO), an_sp())
        look = found.refresh(now=TOMORROW)
        (planned,) = look.change.plan.documents
        old, new = (
            f"sha256 {each.verification.key_id[:16]}" for each in (SCHOOL_KEY, STRANGER_KEY)
        )
        assert planned.changes == (
            KeyChange("signing key", None, new),
            KeyChange("signing key", old, None),
            KeyChange("sso_redirect_url", '"https://login.vuurvogel.example/sso"', f'"{NEW_SSO}"'),
        )
        assert look.adds_version
        assert look.keys_changed == (LOGIN,)
        assert found.login.signing_certificates == (STRANGER_KEY.certificate,)
        assert found.login.sso_redirect_url == NEW_SSO
        again = found.refresh(now=TOMORROW)
        assert not again.adds_version

    def test_a_supplier_of_which_one_system_comes_from_a_source(self) -> None:
        found = Sourced()
        party = without(
            a_service_provider(id="bron", entity_id=SUPPLIER_ENTITY, metadata_source="federation"),
            "metadata",
        )
        own = a_service_provider(entity_id="https://taaltuin.example")
        found.publish(an_idp(), an_sp())
        base = [each for each in documents() if each.kind is not Kind.SUPPLIER]
        found.apply([*base, stated(Kind.SUPPLIER, a_supplier(party, own))])
        found.publish(an_idp(), an_sp(keys=keys_of(SUPPLIER_KEY, STRANGER_KEY)))
        look = found.refresh()
        (planned,) = look.change.plan.documents
        assert planned.key == SUPPLIER
        assert [each.path for each in planned.changes] == ["bron.signing key"]
        assert found.store.records[SUPPLIER].relying_parties[1].protocol.metadata_source == ""

    def test_all_again_asks_without_marks(self) -> None:
        found = a_sourced()
        found.refresh(all_again=True)
        assert [each.etag for each in found.publisher.asked] == ["", ""]
        found.refresh()
        assert found.publisher.asked[-1].etag

    def test_another_document_of_the_source_asks_for_everything(self) -> None:
        found = a_sourced()
        found.apply(documents(source=a_source(refresh_hours=1)))
        found.refresh()
        assert found.publisher.asked[-1].etag == ""


class TestWhatItMayNotChange:
    def test_what_it_asked_for_stays(self) -> None:
        found = Sourced()
        wants = 'WantAuthnRequestsSigned="true"'
        found.publish(an_idp(attributes=wants), an_sp(attributes=SIGNS))
        found.apply(documents())
        assert found.login.sign_requests
        assert found.service.require_signed_requests
        found.publish(an_idp(), an_sp())
        look = found.refresh()
        assert [each.path for each in look.change.warnings] == [
            "sign_requests",
            "taaltuin.require_signed_requests",
        ]
        assert found.login.sign_requests
        assert found.service.require_signed_requests
        agreed = found.refresh(accept_loss=True, all_again=True)
        assert agreed.adds_version
        assert not found.login.sign_requests
        assert not found.service.require_signed_requests

    def test_both_signatures_of_an_answer_stay(self) -> None:
        found = Sourced()
        found.publish(an_idp(), an_sp(attributes='WantAssertionsSigned="true"'))
        found.apply(documents())
        assert found.service.answers.signed == "both"
        found.publish(an_idp(), an_sp(attributes='WantAssertionsSigned="false"'))
        look = found.refresh()
        assert "taaltuin.answers.signed" in [each.path for each in look.change.warnings]
        assert found.service.answers.signed == "both"
        found.refresh(accept_loss=True, all_again=True)
        assert found.service.answers.signed == "response"

    def test_what_its_document_says_stays(self) -> None:
        found = Sourced()
        encryption = a_key(SUPPLIER_ENCRYPTION.certificate, use="encryption")
        signing = a_key(SUPPLIER_KEY.certificate)
        found.publish(an_idp(), an_sp(keys=(signing, encryption)))
        asks = {"encrypt_assertions": True, "require_signed_requests": True}
        found.apply(documents(party=asks, login={"scopes": ["vuurvogel.example"]}))
        scope = "<shibmd:Scope>elders.example</shibmd:Scope>"
        found.publish(an_idp(of_role=(scope,)), an_sp(keys=(signing, encryption), acs=NEW_SSO))
        look = found.refresh(accept_loss=True)
        assert found.service.encrypt_assertions
        assert found.service.require_signed_requests
        assert found.service.assertion_consumer_services[0].url == NEW_SSO
        record = found.store.records[LOGIN]
        assert record.scopes == ("vuurvogel.example",)
        assert record.schools == ("vuurvogel",)
        assert "lacks elders.example" in look.change.warnings[0].problem

    @pytest.mark.parametrize(
        "entity",
        [
            an_sp(),  # no key to encrypt to
            an_sp(acs="http://taaltuin.example/acs"),
            an_sp(keys=(a_key(rsa_key("weak", bits=1024).certificate),)),
        ],
    )
    def test_what_cannot_be_used_leaves_what_was(self, entity: str) -> None:
        found = Sourced()
        encryption = a_key(SUPPLIER_ENCRYPTION.certificate, use="encryption")
        honest = an_sp(keys=(a_key(SUPPLIER_KEY.certificate), encryption))
        found.publish(an_idp(), honest)
        found.apply(documents(party={"encrypt_assertions": True}))
        before = found.service
        found.publish(an_idp(), entity, valid_until=TOMORROW + WEEK)
        look = found.refresh(now=TOMORROW)
        assert look.change.warnings[0].file == "suppliers/rekenrijk"
        assert found.service == before
        assert found.until(SERVICE) == NOW + WEEK
        assert found.until(SCHOOL) == TOMORROW + WEEK
        assert found.store.sources["federation"].etag == ""  # looked at again, new or not
        found.publish(an_idp(), honest, valid_until=TOMORROW + WEEK)
        found.refresh(now=TOMORROW)
        assert found.until(SERVICE) == TOMORROW + WEEK

    def test_one_that_is_described_twice_stays_as_it_was(self) -> None:
        found = a_sourced()
        found.publish(an_idp(), an_idp(sso=NEW_SSO), an_sp(), valid_until=TOMORROW + WEEK)
        look = found.refresh(now=TOMORROW)
        assert look.change.warnings[0].path == SCHOOL_ENTITY
        assert found.login.sso_redirect_url != NEW_SSO
        assert found.until(SCHOOL) == NOW + WEEK


class TestLoss:
    def test_few_that_are_gone_are_out_at_once(self) -> None:
        logins, entities = ten_more()
        found = Sourced()
        found.publish(an_idp(), an_sp(), *entities)
        found.apply(documents(more=tuple(logins)))
        _, fewer = ten_more(without_last=1)
        found.publish(an_idp(), an_sp(), *fewer)
        look = found.refresh(now=TOMORROW)
        gone = Origin("federation", "https://login.school9.example")
        assert look.absent == (gone,)
        assert look.adds_version
        assert found.until(gone) == TOMORROW
        found.publish(an_idp(), an_sp(), *entities)
        back = found.refresh(now=TOMORROW)
        assert back.adds_version
        assert found.until(gone) == NOW + WEEK

    def test_many_need_somebody_who_agrees(self) -> None:
        found = a_sourced()
        found.publish(an_idp(), valid_until=TOMORROW + WEEK)
        with pytest.raises(SourceRefused) as caught:
            found.refresh(now=TOMORROW)
        assert caught.value.problem.problem == ("no longer describes 1 of 2 registered parties.")
        assert found.until(SERVICE) == found.until(SCHOOL) == NOW + WEEK
        found.refresh(now=TOMORROW, accept_loss=True)
        assert found.until(SERVICE) == TOMORROW
        assert found.until(SCHOOL) == TOMORROW + WEEK

    def test_an_empty_source_loses_all(self) -> None:
        found = a_sourced()
        found.publish(an_idp(entity_id="https://elders.example"))
        with pytest.raises(SourceRefused):
            found.refresh()


class TestFailing:
    def test_what_is_in_force_stays_until_it_ends(self) -> None:
        found = a_sourced()
        found.publish(an_idp(), an_sp(), key=STRANGER_KEY)
        with pytest.raises(SourceRefused) as caught:
            found.refresh(now=TOMORROW)
        assert "not signed by a key" in caught.value.problem.problem
        access = found.publisher.access(TOMORROW)
        known = fail(found.store.sources["federation"], caught.value, access=access)
        assert known is not None
        assert (known.failures, known.looked_at) == (1, TOMORROW)
        assert known.failure == caught.value.problem.problem
        assert known.valid_until == NOW + WEEK
        assert fail(None, caught.value, access=access) is None

    def test_nothing_newer_than_what_has_ended(self) -> None:
        found = a_sourced()
        with pytest.raises(SourceRefused) as caught:
            found.refresh(now=NOW + WEEK)
        assert "nothing newer" in caught.value.problem.problem

    def test_whoever_was_out_is_let_in_again(self) -> None:
        found = a_sourced()
        late = NOW + WEEK
        found.publish(an_idp(), an_sp(), valid_until=late + WEEK)
        look = found.refresh(now=late)
        assert look.adds_version
        assert found.until(SCHOOL) == late + WEEK

    def test_what_ends_sooner_is_told(self) -> None:
        found = a_sourced()
        found.publish(an_idp(), an_sp(), valid_until=TOMORROW)
        assert found.refresh().adds_version


class TestQueries:
    """Each party by itself (MDQ)."""

    BASE = "https://mdq.federation.example/"

    def sourced(self) -> Sourced:
        found = Sourced()
        self.put(found, SCHOOL_ENTITY, an_idp())
        self.put(found, SUPPLIER_ENTITY, an_sp())
        found.apply(documents(source=without(a_source(mdq=self.BASE), "url")))
        return found

    def put(self, found: Sourced, entity_id: str, entity: str, **changes: Any) -> None:
        found.publisher.places[mdq_url(self.BASE, entity_id)] = signed(entity, **changes)

    def test_each_is_asked_for_alone(self) -> None:
        found = self.sourced()
        assert {each.place for each in found.publisher.asked} == {
            mdq_url(self.BASE, SCHOOL_ENTITY),
            mdq_url(self.BASE, SUPPLIER_ENTITY),
        }
        assert found.until(SCHOOL) == found.until(SERVICE) == NOW + WEEK
        assert found.store.sources["federation"].valid_until is None

    def test_only_what_changed_is_read(self) -> None:
        found = self.sourced()
        self.put(found, SCHOOL_ENTITY, an_idp(sso=NEW_SSO), valid_until=TOMORROW + WEEK)
        look = found.refresh(now=TOMORROW)
        assert [each.key for each in look.change.plan.documents] == [LOGIN]
        assert found.until(SCHOOL) == TOMORROW + WEEK
        assert found.until(SERVICE) == NOW + WEEK
        assert not found.refresh(now=TOMORROW).adds_version

    def test_one_that_never_changes_is_believed_for_as_long_as_it_is_confirmed(self) -> None:
        """Its source names an end years ahead, and says "the same" each time: our own end moves."""
        found, far = Sourced(), NOW + 20 * MAX_BELIEVED
        self.put(found, SCHOOL_ENTITY, an_idp(), valid_until=far)
        self.put(found, SUPPLIER_ENTITY, an_sp(), valid_until=far)
        found.apply(documents(source=without(a_source(mdq=self.BASE), "url")))
        assert found.until(SCHOOL) == NOW + MAX_BELIEVED
        found.refresh(now=NOW + MAX_BELIEVED / 2)
        assert found.until(SCHOOL) == NOW + MAX_BELIEVED
        late = NOW + MAX_BELIEVED - timedelta(days=1)
        found.refresh(now=late)
        assert found.until(SCHOOL) == found.until(SERVICE) == late + MAX_BELIEVED

    def test_one_that_fails_leaves_the_others(self) -> None:
        found = self.sourced()
        self.put(found, SCHOOL_ENTITY, an_idp(sso=NEW_SSO), key=STRANGER_KEY)
        self.put(found, SUPPLIER_ENTITY, an_sp(acs=NEW_SSO))
        look = found.refresh(now=TOMORROW)
        assert look.change.warnings[0].path == SCHOOL_ENTITY
        assert found.login.sso_redirect_url != NEW_SSO
        assert found.service.assertion_consumer_services[0].url == NEW_SSO

    def test_an_answer_about_somebody_else(self) -> None:
        found = self.sourced()
        self.put(found, SCHOOL_ENTITY, an_idp(entity_id="https://elders.example"))
        look = found.refresh()
        assert "not in the answer" in look.change.warnings[0].problem

    def test_one_that_does_not_answer(self) -> None:
        found = self.sourced()
        found.publisher.places[mdq_url(self.BASE, SCHOOL_ENTITY)] = None
        look = found.refresh()
        assert "gets no answer" in look.change.warnings[0].problem
        assert found.until(SCHOOL) == NOW + WEEK

    def test_one_that_is_gone(self) -> None:
        found = self.sourced()
        del found.publisher.places[mdq_url(self.BASE, SCHOOL_ENTITY)]
        with pytest.raises(SourceRefused):
            found.refresh()
        found.refresh(accept_loss=True)
        assert found.until(SCHOOL) == NOW

    def test_none_answers(self) -> None:
        found = self.sourced()
        found.publisher.places = dict.fromkeys(found.publisher.places)
        with pytest.raises(SourceRefused):
            found.refresh()


def test_an_earlier_version_brings_no_key_back() -> None:
    from broker.flow.federation.change import check_return
    from tests.flow.federation_builders import a_compiler

    found = a_sourced()
    found.publish(an_idp(keys=keys_of(STRANGER_KEY)), an_sp())
    found.refresh()
    found.apply(documents(login={"name": "Anders"}))
    change = check_return(found.store, version=1, compiler=a_compiler())
    found.store.write(change, by="tester", at=NOW)
    assert found.store.records[LOGIN].name == ""
    assert found.login.signing_certificates == (STRANGER_KEY.certificate,)
