"""Parties whose metadata come from a source: applied by what its pinned key signed."""

from datetime import timedelta
from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.domain.metadata_sources import MAX_BELIEVED, MetadataSource
from tests.builders_metadata_sources import (
    FEDERATION_KEY,
    FEDERATION_URL,
    WEEK,
    a_source,
    an_aggregate,
    group,
    pem_of,
    signed,
)
from tests.builders_saml import (
    NOW,
    SCHOOL_ENTITY,
    SCHOOL_KEY,
    SCHOOL_SSO,
    STRANGER_KEY,
    SUPPLIER_ENTITY,
)
from tests.builders_saml_metadata import a_key, an_idp, an_sp, ui_info
from tests.flow.federation_builders import (
    a_federation,
    a_saml_login,
    problems_of,
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

NAME = '<mdui:DisplayName xml:lang="nl">De Vuurvogel inloggen</mdui:DisplayName>'
SCOPE = "<shibmd:Scope>vuurvogel.example</shibmd:Scope><shibmd:Scope>elders.example</shibmd:Scope>"


def refused(*entities: str, **changes: Any) -> str:
    """Return why a source whose aggregate differs cannot be applied."""
    found = Sourced()
    found.publish(*(entities or (an_idp(), an_sp())), **changes)
    return refused_by(found)


def refused_by(found: Sourced, **changes: Any) -> str:
    problems = problems_of(documents(**changes), found.store, sources=found.publisher.access())
    assert problems
    return problems[0][2]


class TestApplied:
    def test_parties_that_documents_name_alone(self) -> None:
        found = a_sourced()
        assert found.login.sso_redirect_url == SCHOOL_SSO
        assert found.login.metadata_source == found.service.metadata_source == "federation"
        assert len(found.publisher.asked) == 1
        assert found.until(SCHOOL) == found.until(SERVICE) == NOW + WEEK
        assert found.store.entities == {}
        source = found.store.records[Kind.METADATA_SOURCE, "federation"]
        assert source == MetadataSource(
            id="federation",
            state="test",  # type: ignore[arg-type]
            kind="url",
            place=FEDERATION_URL,
            certificates=(FEDERATION_KEY.certificate,),
            refresh_hours=6,
            alarm_days=2,
        )

    def test_a_single_entity(self) -> None:
        found = Sourced()
        found.publisher.places[FEDERATION_URL] = signed(an_idp())
        login = {"entity_id": SCHOOL_ENTITY, "metadata_source": "federation"}
        found.apply(
            a_federation(
                login=without(a_saml_login(**login), "metadata"),
                more=(stated(Kind.METADATA_SOURCE, a_source()),),
            )
        )
        assert found.login.sso_redirect_url == SCHOOL_SSO

    def test_aggregates_in_an_aggregate(self) -> None:
        found = Sourced()
        found.publish(group(an_idp()), group(group(an_sp())))
        found.apply(documents())
        assert found.login.sso_redirect_url == SCHOOL_SSO

    def test_what_ends_inside_before_the_whole_ends_by_itself(self) -> None:
        found = Sourced()
        tomorrow = 'validUntil="2026-03-03T08:00:00Z"'
        found.publish(an_idp(entity_attributes=tomorrow), group(an_sp(), attributes=tomorrow))
        found.apply(documents())
        assert found.until(SCHOOL) == found.until(SERVICE) == NOW + timedelta(days=1)

    def test_a_role_that_ends_before_its_entity(self) -> None:
        found = Sourced()
        tomorrow = 'validUntil="2026-03-03T08:00:00Z"'
        found.publish(an_idp(attributes=tomorrow), an_sp(attributes=tomorrow))
        found.apply(documents())
        assert found.until(SCHOOL) == found.until(SERVICE) == NOW + timedelta(days=1)

    def test_no_source_is_believed_for_years(self) -> None:
        found = Sourced()
        far = NOW + timedelta(days=1000)
        found.publish(an_idp(), an_sp(), valid_until=far)
        found.apply(documents())
        assert found.until(SCHOOL) == NOW + MAX_BELIEVED

    def test_a_change_of_something_else_asks_nobody(self) -> None:
        found = a_sourced()
        found.publisher.places.clear()
        found.apply(documents(login={"name": "Anders"}))
        assert len(found.publisher.asked) == 1
        assert found.login.sso_redirect_url == SCHOOL_SSO

    def test_another_party_of_a_source_has_an_end_of_its_own(self) -> None:
        found = Sourced()
        other = "https://login.elders.example"
        found.publish(an_idp(), an_sp())
        found.apply(documents())
        later = NOW + timedelta(days=3)
        found.publish(an_idp(), an_sp(), an_idp(entity_id=other), valid_until=later + WEEK)
        login = a_saml_login(id="tweede", entity_id=other, metadata_source="federation")
        found.apply(
            documents(more=(stated(Kind.IDENTITY_PROVIDER, without(login, "metadata")),)),
            now=later,
        )
        assert found.until(SCHOOL) == NOW + WEEK  # what was read of it is as old as it was
        assert found.until(type(SCHOOL)("federation", other)) == later + WEEK

    def test_another_party_of_a_source_that_does_not_answer(self) -> None:
        found = a_sourced()
        found.publisher.places[FEDERATION_URL] = None
        login = a_saml_login(
            id="tweede", entity_id="https://b.example", metadata_source="federation"
        )
        more = (stated(Kind.IDENTITY_PROVIDER, without(login, "metadata")),)
        problems = problems_of(documents(more=more), found.store, sources=found.publisher.access())
        assert [each[1:] for each in problems] == [
            ("metadata_source", "names federation, which gives no answer.")
        ]

    def test_the_documents_own_name_goes_first(self) -> None:
        found = Sourced()
        found.publish(an_idp(of_role=(ui_info(NAME),)), an_sp())
        found.apply(documents())
        assert found.store.records[LOGIN].name == "De Vuurvogel inloggen"
        found.apply(documents(login={"name": "Eigen naam"}))
        assert found.store.records[LOGIN].name == "Eigen naam"

    def test_a_source_that_goes_is_forgotten(self) -> None:
        from broker.flow.federation.change import check_apply
        from tests.flow.federation_builders import a_compiler

        found = a_sourced()
        change = check_apply(found.store, a_federation(), prune=True, compiler=a_compiler())
        found.store.write(change, by="tester", at=NOW)
        assert found.store.sources == {}

    def test_scopes_that_no_document_registers_are_told_and_count_for_nothing(self) -> None:
        from broker.flow.federation.change import check_apply
        from tests.flow.federation_builders import a_compiler

        found = Sourced()
        found.publish(an_idp(of_role=(SCOPE,)), an_sp())
        change = check_apply(
            found.store,
            documents(login={"scopes": ["Vuurvogel.example"]}),
            prune=False,
            compiler=a_compiler(sources=found.publisher.access()),
        )
        (warning,) = change.warnings
        assert "lacks elders.example" in warning.problem
        found.store.write(change, by="tester", at=NOW)
        assert found.store.records[LOGIN].scopes == ("Vuurvogel.example",)


class TestRefused:
    def test_unsigned(self) -> None:
        assert "is not signed." in refused(key=None)

    def test_signed_by_another_key(self) -> None:
        assert "not signed by a key that its document pins" in refused(key=STRANGER_KEY)

    def test_changed_after_it_was_signed(self) -> None:
        def evil(root: Any) -> None:
            for each in root.iter("{*}SingleSignOnService"):
                each.set("Location", "https://evil.example/")

        assert "was changed after" in refused(tamper=evil)

    def test_without_an_end(self) -> None:
        assert "does not say until when" in refused(valid_until=None)

    def test_at_its_end(self) -> None:
        assert "no longer valid" in refused(valid_until=NOW)
        assert a_sourced()

    def test_signed_further_down_only(self) -> None:
        found = Sourced()
        inside = signed(an_idp()).decode().replace("_root", "_inside")
        found.publish(inside, an_sp(), key=None)
        assert "is not signed." in refused_by(found)

    def test_the_signature_of_another_document_around_it(self) -> None:
        """The signed element as a child of a root that was not signed."""

        def wrap(root: Any) -> None:
            for each in root.iter("{*}SingleSignOnService"):
                each.set("Location", "https://evil.example/")
            root.set("ID", "_evil")
            root.append(__import__("lxml.etree", fromlist=["x"]).fromstring(honest))

        honest = an_aggregate(an_idp(), an_sp())
        assert "is refused (reference)" in refused(tamper=wrap)

    def test_a_doctype(self) -> None:
        found = Sourced()
        found.publish(an_idp(), an_sp())
        document = found.publisher.places[FEDERATION_URL]
        assert document is not None
        found.publisher.places[FEDERATION_URL] = b'<!DOCTYPE x [<!ENTITY y "z">]>' + document
        assert "holds a DOCTYPE" in refused_by(found)

    @pytest.mark.parametrize(
        ("document", "why"),
        [(b"<html/>", "no SAML metadata"), (b"<a", "no XML"), (b"", "too large")],
    )
    def test_no_metadata(self, document: bytes, why: str) -> None:
        found = Sourced()
        found.publisher.places[FEDERATION_URL] = document
        assert why in refused_by(found)

    def test_no_answer_and_nothing_there(self) -> None:
        found = Sourced()
        assert "no metadata at that place" in refused_by(found)
        found.publisher.places[FEDERATION_URL] = None
        assert "gives no answer" in refused_by(found)

    def test_a_party_that_is_not_described(self) -> None:
        assert f"does not describe {SUPPLIER_ENTITY}" in refused(an_idp())

    def test_a_party_that_is_described_twice(self) -> None:
        assert "described more than once" in refused(an_idp(), an_idp(), an_sp())

    def test_a_party_that_another_one_smuggles_in(self) -> None:
        """Whoever hands in its own metadata must not describe somebody else in their Extensions."""
        smuggler = an_idp(entity_id="https://login.elders.example", of_entity=(ui_info(an_idp()),))
        assert f"does not describe {SCHOOL_ENTITY}" in refused(smuggler, an_sp())

    def test_a_party_whose_part_has_ended(self) -> None:
        ended = an_idp(entity_attributes='validUntil="2026-03-02T08:00:00Z"')
        assert "described by what is not valid" in refused(ended, an_sp())
        role_ended = an_idp(attributes='validUntil="2026-03-02T08:00:00Z"')
        assert "described by what is not valid" in refused(role_ended, an_sp())

    def test_a_key_that_is_too_weak(self) -> None:
        weak = a_key(rsa_key("weak", bits=1024).certificate)
        assert "a certificate or key that we cannot use" in refused(an_idp(keys=(weak,)), an_sp())

    def test_places_that_are_not_https(self) -> None:
        plain = an_idp(sso="http://login.vuurvogel.example/sso")
        assert "neither https nor on loopback" in refused(plain, an_sp())

    def test_encryption_that_the_document_asks_for(self) -> None:
        found = Sourced()
        found.publish(an_idp(), an_sp())
        assert "no RSA key for encryption" in refused_by(found, party={"encrypt_assertions": True})

    def test_a_source_that_cannot_be_asked(self) -> None:
        found = Sourced()
        assert "cannot be asked here" in problems_of(documents(), found.store)[0][2]


class TestDocuments:
    @pytest.mark.parametrize(
        ("changes", "path", "problem"),
        [
            ({"mdq": "https://mdq.example"}, "mdq", "once more"),
            ({"url": "http://metadata.federation.example/"}, "url", "no https URL"),
            ({"signing_certificates": ["-----BEGIN"]}, "signing_certificates[0]", "not one"),
            (
                {"signing_certificates": [pem_of(rsa_key("weak", bits=1024).certificate)]},
                "signing_certificates[0]",
                "1024 bits",
            ),
            (
                {"signing_certificates": [pem_of(SCHOOL_KEY.certificate) * 2]},
                "signing_certificates[0]",
                "not one certificate",
            ),
        ],
    )
    def test_what_is_wrong_with_a_source(
        self, changes: dict[str, Any], path: str, problem: str
    ) -> None:
        found = Sourced()
        found.publish(an_idp(), an_sp())
        problems = problems_of(
            documents(source=a_source(**changes)), found.store, sources=found.publisher.access()
        )
        assert any(at == path and problem in told for _, at, told in problems), problems

    def test_a_source_without_a_place(self) -> None:
        source = stated(Kind.METADATA_SOURCE, without(a_source(), "url"))
        problems = problems_of([*a_federation(), source])
        assert problems[0][1:] == ("url", "is missing.")

    def test_a_certificate_in_a_file(self) -> None:
        source = stated(
            Kind.METADATA_SOURCE,
            a_source(signing_certificates=["federation.pem"]),
            **{"signing_certificates[0]": pem_of(FEDERATION_KEY.certificate)},
        )
        found = Sourced()
        found.publish(an_idp(), an_sp())
        found.apply([*a_federation(), source])
        assert found.store.sources["federation"].valid_until == NOW + WEEK

    @pytest.mark.parametrize("name", ["file", "mdq"])
    def test_each_kind_of_place(self, name: str) -> None:
        place = "/var/lib/federation.xml" if name == "file" else "https://mdq.example"
        source = without(a_source(**{name: place}), "url")
        found = Sourced()
        found.publisher.places[place] = an_aggregate(an_idp())
        found.apply([*a_federation(), stated(Kind.METADATA_SOURCE, source)])
        record = found.store.records[Kind.METADATA_SOURCE, "federation"]
        assert (record.kind, record.place) == (name, place)

    @pytest.mark.parametrize("name", ["file", "mdq"])
    def test_each_kind_of_place_that_gives_nothing(self, name: str) -> None:
        source = without(a_source(file="/nowhere.xml"), "url")
        problems = problems_of(
            [*a_federation(), stated(Kind.METADATA_SOURCE, source)],
            sources=Sourced().publisher.access(),
        )
        assert problems[0][1:] == ("file", "has no metadata at that place.")

    def test_a_party_with_metadata_twice_or_not_at_all(self) -> None:
        login = a_saml_login(metadata_source="federation")
        found = Sourced()
        found.publish(an_idp(entity_id=login["entity_id"]))
        both = problems_of(
            a_federation(login=login, more=(stated(Kind.METADATA_SOURCE, a_source()),)),
            sources=found.publisher.access(),
        )
        assert both[0][1:] == ("metadata_source", "stands beside metadata.")
        neither = problems_of(a_federation(login=without(a_saml_login(), "metadata")))
        assert neither[0][1:] == ("metadata", "is missing for protocol saml.")

    def test_a_source_that_does_not_exist_or_is_of_another_state(self) -> None:
        found = Sourced()
        lost = problems_of(documents()[:-1], found.store, sources=found.publisher.access())
        assert {each[1] for each in lost} == {
            "metadata_source",
            "relying_party[0].metadata_source",
        }
        assert "names the metadata source federation, which does not exist." in lost[0][2]
        found.publish(an_idp(), an_sp())
        other = problems_of(
            documents(source=a_source(state="production")),
            found.store,
            sources=found.publisher.access(),
        )
        assert "joins test with the source federation" in other[0][2]


def test_the_supplier_is_one_of_those_named() -> None:
    assert a_sourced().store.records[SUPPLIER].relying_parties[0].id == "taaltuin"
