"""What is known of sources in `registry.db`, and what a snapshot of a moment makes of it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.documents import Kind
from broker.domain.federation import SamlIdpEndpoints, SchoolIdp
from broker.domain.ids import RelyingPartyId, SchoolId, SchoolIdpId
from broker.domain.metadata_sources import EntityStanding, SourceUpdate
from broker.flow.federation.change import check_apply
from broker.flow.federation.refresh import check_refresh
from broker.flow.federation.snapshots import RegistryUnreadable
from tests.builders_metadata_sources import WEEK
from tests.builders_saml import NOW, SECOND, STRANGER_KEY
from tests.builders_saml_metadata import a_key, an_idp, an_sp, ui_info
from tests.flow.federation_builders import a_compiler, a_federation
from tests.flow.sourced_federation import SCHOOL, SERVICE, Sourced, documents

TOMORROW = NOW + timedelta(days=1)
LOGIN, PARTY = SchoolIdpId("vuurvogel"), RelyingPartyId("taaltuin")


@pytest.fixture
def sourced() -> Sourced:
    found = Sourced()
    found.publish(an_idp(), an_sp())
    return found


@pytest.fixture
def store(tmp_path: Path, sourced: Sourced) -> SqliteRegistry:
    """A registry with a login and a system from a source."""
    upgrade_database(tmp_path / "registry.db", "registry")
    made = SqliteRegistry(tmp_path / "registry.db")
    apply(made, sourced)
    return made


def apply(store: SqliteRegistry, sourced: Sourced, **changes: object) -> None:
    compiler = a_compiler(sources=sourced.publisher.access())
    change = check_apply(store, documents(**changes), prune=False, compiler=compiler)  # type: ignore[arg-type]
    store.write(change, by="tester", at=NOW)


def refresh(store: SqliteRegistry, sourced: Sourced, **options: bool) -> int:
    look = check_refresh(
        store.current(),
        store.records(),
        source_id="federation",
        access=sourced.publisher.access(TOMORROW),
        compiler=a_compiler(),
        **options,
    )
    return store.write(look.change, by="tester", at=NOW)


def test_parties_are_switched_off_when_their_metadata_end(store: SqliteRegistry) -> None:
    before = store.load(now=NOW + WEEK - SECOND)
    assert before.idps[LOGIN].enabled
    assert before.relying_parties[PARTY].enabled
    assert before.metadata_end == NOW + WEEK
    after = store.load(now=NOW + WEEK)
    assert not after.idps[LOGIN].enabled
    assert not after.relying_parties[PARTY].enabled
    assert after.idps_of_school[SchoolId("vuurvogel")] == ()
    assert after.metadata_end is None
    assert store.load().idps[LOGIN].enabled  # for whoever lets nobody log in


def test_a_party_of_its_own_end(store: SqliteRegistry) -> None:
    known = SqliteMetadata(store.path)
    source = known.standing()[0]["federation"]
    ended = {SCHOOL.entity_id: EntityStanding(valid_until=TOMORROW, etag="e", last_modified="l")}
    known.keep(SourceUpdate("federation", source, ended))
    found = store.load(now=TOMORROW)
    assert not found.idps[LOGIN].enabled
    assert found.relying_parties[PARTY].enabled
    assert store.load(now=NOW).metadata_end == TOMORROW
    assert known.standing()[1] == {SCHOOL: ended[SCHOOL.entity_id]}
    known.keep(SourceUpdate("federation", source, all_entities=True))
    assert known.standing()[1] == {}


def test_what_is_known_comes_back_as_it_was_kept(store: SqliteRegistry) -> None:
    known = SqliteMetadata(store.path)
    source, standing = known.sources()["federation"]
    assert source.id == "federation"
    assert standing is not None
    assert standing.valid_until == NOW + WEEK
    failed = replace(standing, failures=3, failure="gives no answer", valid_until=None)
    known.keep(SourceUpdate("federation", failed))
    assert known.sources()["federation"][1] == failed


def test_a_refresh_is_a_version_with_its_documents(store: SqliteRegistry, sourced: Sourced) -> None:
    new = a_key(STRANGER_KEY.certificate)
    sourced.publish(an_idp(keys=(new,)), an_sp(), valid_until=TOMORROW + WEEK)
    assert refresh(store, sourced) == 2
    found = store.load(now=NOW + WEEK)
    assert found.idps[LOGIN].endpoints.signing_certificates == (STRANGER_KEY.certificate,)  # type: ignore[union-attr]
    assert found.relying_parties[PARTY].enabled
    assert store.current().sources["federation"].valid_until == TOMORROW + WEEK


def test_a_party_that_is_out_is_off_at_once(store: SqliteRegistry, sourced: Sourced) -> None:
    sourced.publish(an_idp())
    refresh(store, sourced, accept_loss=True)
    found = store.load(now=TOMORROW)
    assert not found.relying_parties[PARTY].enabled
    assert found.idps[LOGIN].enabled
    assert store.current().entities[SERVICE].valid_until == TOMORROW


def test_a_source_that_goes_is_forgotten(store: SqliteRegistry) -> None:
    change = check_apply(store, a_federation(), prune=True, compiler=a_compiler())
    store.write(change, by="tester", at=NOW)
    assert SqliteMetadata(store.path).standing() == ({}, {})
    assert SqliteMetadata(store.path).sources() == {}


def test_a_source_without_standing_lets_nobody_in(store: SqliteRegistry) -> None:
    SqliteMetadata(store.path).keep(SourceUpdate("federation", None, all_entities=True))
    assert not store.load(now=NOW).idps[LOGIN].enabled
    assert SqliteMetadata(store.path).sources()["federation"][1] is None


def test_no_database(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnreadable):
        SqliteMetadata(tmp_path / "nowhere" / "registry.db").sources()


def test_a_snapshot_keeps_what_a_login_reads_alone(store: SqliteRegistry, sourced: Sourced) -> None:
    names = ui_info('<mdui:DisplayName xml:lang="nl">De Vuurvogel</mdui:DisplayName>')
    scope = "<shibmd:Scope>vuurvogel.example</shibmd:Scope>"
    keys = (a_key(STRANGER_KEY.certificate, use=None),)
    sourced.publish(an_idp(of_role=(names, scope), keys=keys), an_sp())
    refresh(store, sourced)
    record = store.records()[Kind.IDENTITY_PROVIDER, "vuurvogel"]
    assert isinstance(record, SchoolIdp)
    assert isinstance(record.endpoints, SamlIdpEndpoints)
    assert record.endpoints.display_names == {"nl": "De Vuurvogel"}
    assert record.endpoints.encryption_certificates == (STRANGER_KEY.certificate,)
    kept = store.load(now=NOW).idps[LOGIN]
    assert isinstance(kept.endpoints, SamlIdpEndpoints)
    assert (kept.endpoints.display_names, kept.endpoints.scopes) == ({}, ())
    assert kept.endpoints.encryption_certificates == ()
    assert kept.endpoints.signing_certificates == record.endpoints.signing_certificates
    assert kept.name == "De Vuurvogel"


def test_what_did_not_change_is_the_same_object_in_the_next_snapshot(
    store: SqliteRegistry, sourced: Sourced
) -> None:
    before = store.load(now=NOW)
    apply(store, sourced, login={"name": "Anders"})
    after = store.load(now=NOW)
    assert after.schools[SchoolId("vuurvogel")] is before.schools[SchoolId("vuurvogel")]
    assert after.idps[LOGIN].name == "Anders"
    assert store.load(now=NOW).idps[LOGIN] is after.idps[LOGIN]
    assert not store.load(now=NOW + WEEK).idps[LOGIN].enabled
    assert store.load(now=NOW).idps[LOGIN].enabled
