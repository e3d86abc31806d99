"""Steps of a school from one login to another on SQLite, and what rehearsals showed."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.switches import LoginSwitch, SwitchStage
from broker.flow.federation.change import check_apply
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.switching.rehearsal import Finding
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switch_refusals import NotRehearsed
from tests.builders_saml import NOW
from tests.domain.test_switches import a_step
from tests.flow.federation_builders import a_compiler, a_federation

SCHOOL = SchoolId("vuurvogel")


@pytest.fixture
def registry(tmp_path: Path) -> SqliteRegistry:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    store = SqliteRegistry(path)
    change = check_apply(store, a_federation(), prune=False, compiler=a_compiler(newest_epoch="a"))
    store.write(change, by="tester", at=NOW)
    return store


@pytest.fixture
def switches(registry: SqliteRegistry) -> SqliteSwitches:
    return SqliteSwitches(registry.path)


@pytest.fixture
def pair(registry: SqliteRegistry) -> LoginPair:
    (own,) = registry.load().idps_of_school[SCHOOL]
    return LoginPair(SCHOOL, own.id, SchoolIdpId("new"))


def take(switches: SqliteSwitches, pair: LoginPair | None, step: LoginSwitch) -> None:
    switches.take_step(SCHOOL, pair, lambda _: step, by="tester", at=NOW)


def test_workers_load_a_step_and_its_end(
    registry: SqliteRegistry, switches: SqliteSwitches, pair: LoginPair
) -> None:
    step = a_step(SwitchStage.CLASSES, classes=("groep 7b", "Ünit"), from_idp=pair.from_idp)
    step = replace(step, since=step.since + timedelta(milliseconds=250))
    before = registry.version()
    take(switches, pair, step)
    assert registry.version() == before + 1
    assert registry.load().switches == {SCHOOL: (step,)}
    assert switches.read(SCHOOL, None).steps == (step,)
    take(switches, None, replace(step, stage=SwitchStage.BACK))
    assert registry.load().switches == {}
    assert [each.version for each in switches.history(SCHOOL)] == [before + 1, before + 2]
    assert [each.by for each in switches.history(SCHOOL)] == ["tester", "tester"]


def test_what_is_refused_leaves_nothing(
    registry: SqliteRegistry, switches: SqliteSwitches, pair: LoginPair
) -> None:
    def refuse(_: object) -> LoginSwitch:
        raise NotRehearsed("check_rehearsed")

    before = registry.version()
    with pytest.raises(NotRehearsed):
        switches.take_step(SCHOOL, pair, refuse, by="tester", at=NOW)
    assert (registry.version(), switches.history(SCHOOL)) == (before, ())


def test_what_is_named_is_read(switches: SqliteSwitches, pair: LoginPair) -> None:
    state = switches.read(SCHOOL, pair)
    assert state.school is not None
    assert state.idps.keys() == {pair.from_idp}
    assert switches.read(SchoolId("nobody"), None).school is None


def test_a_volunteer_counts_once_and_the_last_time(
    registry: SqliteRegistry, switches: SqliteSwitches, pair: LoginPair
) -> None:
    before = registry.version()
    switches.keep_login(pair, b"a" * 32, Finding.OTHER_NUMBER)
    switches.keep_login(pair, b"a" * 32, Finding.SAME)
    switches.keep_login(pair, b"b" * 32, Finding.SAME)
    assert switches.read(SCHOOL, pair).rehearsed.volunteers == {Finding.SAME: 2}
    other = LoginPair(SCHOOL, pair.to_idp, pair.from_idp)
    assert switches.read(SCHOOL, other).rehearsed.volunteers == {}
    assert registry.version() == before


def test_the_last_list_counts_until_the_change_is_ended(
    switches: SqliteSwitches, pair: LoginPair
) -> None:
    switches.keep_list(pair, {Finding.SAME: 1}, at=NOW)
    switches.keep_list(pair, {Finding.SAME: 2, Finding.NOT_KNOWN: 1}, at=NOW)
    switches.keep_login(pair, b"a" * 32, Finding.SAME)
    found = switches.read(SCHOOL, pair).rehearsed
    assert found.listed == {Finding.SAME: 2, Finding.NOT_KNOWN: 1}
    step = a_step(SwitchStage.DONE, from_idp=pair.from_idp, to_idp=pair.to_idp)
    take(switches, pair, replace(step, stage=SwitchStage.BACK))
    assert switches.read(SCHOOL, pair).rehearsed == found
    take(switches, pair, step)
    assert switches.read(SCHOOL, pair).rehearsed.listed == {}
    assert switches.read(SCHOOL, pair).rehearsed.volunteers == {}


def test_a_registry_that_is_not_there(tmp_path: Path, pair: LoginPair) -> None:
    with pytest.raises(RegistryUnreadable):
        SqliteSwitches(tmp_path / "none.db").read(SCHOOL, pair)
