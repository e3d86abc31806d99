"""Pins and windows on SQLite: decided and stored at once, and followed by workers."""

from functools import partial
from pathlib import Path

import pytest

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.ids import SupplierId
from broker.flow.federation.change import check_apply
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.rotation.rotation_refusals import SupplierUnknown, WindowOpen
from broker.flow.rotation.rotations import (
    Decide,
    RotationState,
    RotationWindow,
    close_window,
    open_window,
    turn_back,
)
from tests.builders_saml import NOW
from tests.flow.federation_builders import a_compiler, a_federation

REKENRIJK = SupplierId("rekenrijk")
TO_B = partial(open_window, letter="b", keys="abc")


@pytest.fixture
def registry(tmp_path: Path) -> SqliteRegistry:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    store = SqliteRegistry(path)
    change = check_apply(store, a_federation(), prune=False, compiler=a_compiler(newest_epoch="a"))
    store.write(change, by="tester", at=NOW)
    return store


@pytest.fixture
def rotations(registry: SqliteRegistry) -> SqliteRotations:
    return SqliteRotations(registry.path)


def change(rotations: SqliteRotations, decide: Decide) -> RotationState:
    return rotations.change(REKENRIJK, decide, note="rotate", by="tester", at=NOW)


def loaded(registry: SqliteRegistry) -> tuple[str, str | None]:
    supplier = registry.load().suppliers[REKENRIJK]
    return supplier.epoch, supplier.previous_epoch


def test_workers_load_a_window_and_its_end(
    registry: SqliteRegistry, rotations: SqliteRotations
) -> None:
    assert loaded(registry) == ("a", None)
    opened = change(rotations, TO_B)
    assert opened.window == RotationWindow(REKENRIJK, "a", "b", opened_version=2)
    assert loaded(registry) == ("b", "a")
    change(rotations, turn_back)
    assert loaded(registry) == ("a", "b")
    change(rotations, turn_back)
    assert loaded(registry) == ("b", "a")
    assert change(rotations, close_window) == RotationState(REKENRIJK, "b")
    assert loaded(registry) == ("b", None)
    assert registry.version() == 5


def test_one_window_follows_another(registry: SqliteRegistry, rotations: SqliteRotations) -> None:
    change(rotations, TO_B)
    change(rotations, close_window)
    change(rotations, partial(open_window, letter="c", keys="abc"))
    assert loaded(registry) == ("c", "b")


def test_what_is_refused_changes_nothing(
    registry: SqliteRegistry, rotations: SqliteRotations
) -> None:
    opened = change(rotations, TO_B)
    with pytest.raises(WindowOpen):
        change(rotations, partial(open_window, letter="c", keys="abc"))
    with pytest.raises(SupplierUnknown):
        rotations.change(SupplierId("nobody"), TO_B, note="rotate", by="tester", at=NOW)
    assert rotations.read(REKENRIJK) == opened
    assert registry.version() == 2


def test_applying_documents_leaves_a_window_open(
    registry: SqliteRegistry, rotations: SqliteRotations
) -> None:
    change(rotations, TO_B)
    again = check_apply(
        registry, a_federation()[:2], prune=True, compiler=a_compiler(newest_epoch="c")
    )
    registry.write(again, by="tester", at=NOW)
    back = check_apply(registry, a_federation(), prune=False, compiler=a_compiler())
    registry.write(back, by="tester", at=NOW)
    assert loaded(registry) == ("b", "a")


def test_a_registry_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnreadable):
        SqliteRotations(tmp_path / "none.db").read(REKENRIJK)


def test_epochs_are_needed_by_pins_and_by_open_windows(rotations: SqliteRotations) -> None:
    assert rotations.epochs_in_use() == {"a": ("rekenrijk",)}
    change(rotations, TO_B)
    assert rotations.epochs_in_use() == {"a": ("rekenrijk",), "b": ("rekenrijk",)}
    change(rotations, close_window)
    assert rotations.epochs_in_use() == {"b": ("rekenrijk",)}
