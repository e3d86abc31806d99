"""A load that goes on from the one before answers as one from nothing, and costs what changed."""

import random
import shutil
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from broker.adapters.databases import agreements_following
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.documents import Kind
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.school_search import build_school_index, follow_school_index
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import StatedDocument
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    Table,
    a_client,
    a_compiler,
    a_federation,
    a_school,
    a_supplier,
    an_agreement,
    stated,
    without,
)

SUPPLIERS = ("rekenrijk", "alfa", "beta")
SCHOOLS = ("vuurvogel", "regenboog", "zon")


def named(supplier: str) -> Table:
    return {"id": supplier, "legal_name": supplier}


@pytest.fixture
def store(tmp_path: Path) -> SqliteRegistry:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    store = SqliteRegistry(path)
    more = [
        *(
            stated(Kind.SCHOOL, a_school(id=each, brin=f"{number}3CC"))
            for number, each in enumerate(SCHOOLS[1:], start=3)
        ),
        *(
            stated(
                Kind.SUPPLIER,
                a_supplier(a_client(id=each, client_id=each), id=each, legal_name=each),
            )
            for each in SUPPLIERS[1:]
        ),
    ]
    apply(store, *a_federation(more=more))
    return store


def apply(store: SqliteRegistry, *documents: StatedDocument, prune: bool = False) -> None:
    change = check_apply(store, documents, prune=prune, compiler=a_compiler())
    store.write(change, by="tester", at=NOW)


def remove(store: SqliteRegistry, id_: str) -> None:
    kept = [each for key, each in store.current().documents.items() if key[1] != id_]
    apply(store, *kept, prune=True)


def look(registry: Registry) -> dict[str, Any]:
    """Everything that a snapshot says, as plain values."""
    found: dict[str, Any] = {}
    for each in fields(registry):
        value = getattr(registry, each.name)
        found[each.name] = dict(value) if hasattr(value, "keys") else value
    return found


def a_table(picks: random.Random, version: int) -> Table:
    approved = picks.sample(["givenName", "sn", "mail"], picks.randint(0, 3))
    table = an_agreement(
        school=picks.choice(SCHOOLS),
        supplier=picks.choice(SUPPLIERS),
        version=version,
        approved=approved,
    )
    return table if picks.random() < 0.7 else without(table | {"board": "stichting"}, "school")


@pytest.mark.parametrize("beside", [0, 3, 5_000])
def test_following_says_what_loading_anew_says(
    store: SqliteRegistry, monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    monkeypatch.setattr(agreements_following, "BESIDE_AT_MOST", beside)
    picks = random.Random(7)
    for step in range(14):
        agreements = [key for key in store.current().documents if key[0] is Kind.AGREEMENT]
        if agreements and picks.random() < 0.2:
            remove(store, picks.choice(agreements)[1])
        elif picks.random() < 0.1:
            apply(store, stated(Kind.SCHOOL, a_school(name=f"School {step}")))
        else:
            apply(store, stated(Kind.AGREEMENT, a_table(picks, step + 2)))
        if picks.random() < 0.7:  # or several versions at once
            followed, anew = store.load(now=NOW), SqliteRegistry(store.path).load(now=NOW)
            assert look(followed) == look(anew)
            assert len(followed.school_agreements) == len(anew.school_agreements)


def test_where_only_agreements_changed_all_else_is_the_same_object(store: SqliteRegistry) -> None:
    before = store.load(now=NOW)
    index = build_school_index(before)
    apply(store, stated(Kind.AGREEMENT, an_agreement(version=2, approved=[])))
    after = store.load(now=NOW)
    assert after.schools is before.schools
    assert after.by_client_id is before.by_client_id
    assert follow_school_index(index, after).entries is index.entries
    key = SchoolId("vuurvogel"), SupplierId("rekenrijk")
    assert before.school_agreements[key].version == 1  # a snapshot never changes
    assert after.school_agreements[key].version == 2
    apply(store, stated(Kind.SCHOOL, a_school(name="Anders")))
    changed = store.load(now=NOW)
    assert changed.schools["vuurvogel"].name == "Anders"  # type: ignore[index]
    entries = follow_school_index(index, changed).entries
    assert any(each.name == "Anders" for _, _, each in entries)
    assert follow_school_index(None, changed).entries == entries


def test_a_database_with_another_history_is_loaded_anew(
    store: SqliteRegistry, tmp_path: Path
) -> None:
    """One that was put back in its place, from before a change that the worker knows."""
    shutil.copy(store.path, tmp_path / "backup.db")
    apply(store, stated(Kind.AGREEMENT, an_agreement(version=2, approved=[])))
    assert store.load(now=NOW).version == 2
    for end in ("", "-wal", "-shm"):
        Path(f"{store.path}{end}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", store.path)
    other = without(an_agreement(board="stichting", until=date(2031, 1, 1)), "school")
    apply(store, stated(Kind.AGREEMENT, other))
    assert look(store.load(now=NOW)) == look(SqliteRegistry(store.path).load(now=NOW))
    assert (BoardId("stichting"), SupplierId("rekenrijk")) in store.load().board_agreements
