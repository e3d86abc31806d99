"""A narrow change: the same verdicts as `apply`, one form for another, all or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.console_roles import Role
from broker.domain.documents import AnyDocument, Kind
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import FederationProblems, Key
from broker.flow.federation.narrow_change import (
    MAX_ATTEMPTS,
    NOT_THERE,
    EditedMeanwhile,
    LeaningMoved,
    NarrowChange,
    NarrowPut,
    NotNarrow,
    change_narrowly,
    check_narrow,
)
from tests.builders_saml import NOW
from tests.flow.federation_builders import (
    Table,
    a_compiler,
    a_federation,
    a_school,
    a_supplier,
    an_agreement,
    stated,
    without,
)

AGREEMENT = (Kind.AGREEMENT, "school/vuurvogel/rekenrijk")
SUPPLIER = (Kind.SUPPLIER, "rekenrijk")
SCHOOL = (Kind.SCHOOL, "vuurvogel")
ENTRY = ConsoleEntry(at=NOW, actor="somebody", role=Role.SIGNER, action="decision-signed")


@pytest.fixture
def store(tmp_path: Path) -> SqliteRegistry:
    path = tmp_path / "registry.db"
    upgrade_database(path, "registry")
    store = SqliteRegistry(path)
    more = [
        stated(Kind.SCHOOL, a_school(id="regenboog", brin="33CC")),
        stated(Kind.SCHOOL, a_school(id="echt", brin="44DD", board="other", state="production")),
    ]
    supplier = a_supplier(sheet={"version": 2})
    change = check_apply(
        store, a_federation(supplier=supplier, more=more), prune=False, compiler=a_compiler()
    )
    store.write(change, by="tester", at=NOW)
    return store


def schools_of(board: str) -> Sequence[str]:
    return {"stichting": ("vuurvogel", "regenboog"), "other": ("echt",)}.get(board, ())


def document_of(table: Table, kind: Kind = Kind.AGREEMENT) -> AnyDocument:
    return stated(kind, table).document


def since(store: SqliteRegistry, key: Key) -> int:
    found = store.read_documents([key]).get(key)
    return NOT_THERE if found is None else found.since


def put(store: SqliteRegistry, *documents: AnyDocument, entries: Any = (ENTRY,)) -> int:
    kinds = {type(each).__name__: each for each in documents}
    puts = [NarrowPut(each, since(store, key_of(each))) for each in kinds.values()]
    return put_all(store, puts, entries=entries)


def put_all(store: SqliteRegistry, puts: Sequence[NarrowPut], *, entries: Any = (ENTRY,)) -> int:
    return asyncio.run(
        change_narrowly(
            store,
            puts,
            schools_of_board=schools_of,
            compiler=a_compiler(),
            note="decision",
            by="console",
            at=NOW,
            entries=entries,
        )
    )


def key_of(document: AnyDocument) -> Key:
    kinds = {"AgreementDocument": Kind.AGREEMENT, "SupplierDocument": Kind.SUPPLIER}
    return kinds.get(type(document).__name__, Kind.SCHOOL), document.id


END = date(2030, 7, 31)
BAD = [
    an_agreement(),
    an_agreement(version=1, approved=[]),
    an_agreement(version=2, approved=["shoeSize", "pgn"]),
    an_agreement(version=2, approved=["eckId"]),
    an_agreement(version=2, approved=["eckId"], until=END),
    an_agreement(version=2, approved_staff=["uid"], until=END),
    an_agreement(version=2, for_groups=[{"groups": ["3A"], "approved": ["nothing"]}]),
    an_agreement(version=2, until=date(2024, 7, 31)),
    an_agreement(version=2, sheet=3),
    an_agreement(version=2, supplier="nobody"),
    an_agreement(version=2, school="nowhere"),
    an_agreement(version=2, school="echt"),
    an_agreement(version=2, board="stichting"),
    without(an_agreement(version=2), "school"),
    without(an_agreement(board="nobody"), "school"),
    without(an_agreement(board="other"), "school"),
]
GOOD = [
    an_agreement(version=2, approved=[], sheet=2),
    an_agreement(school="regenboog", approved=["sn", "givenName"], until=END),
    without(an_agreement(board="stichting"), "school"),
    an_agreement(version=2, stopped={"by": "school", "on": END}),
]


@pytest.mark.parametrize("table", [*BAD, *GOOD])
def test_problems_are_those_of_apply(store: SqliteRegistry, table: Table) -> None:
    """The same documents, one after the other, have the same problems in the same words."""
    document = stated(Kind.AGREEMENT, table)

    def problems_of(check: Any) -> set[tuple[str, str, str]]:
        try:
            check()
        except FederationProblems as found:
            return {(each.path, each.problem, each.remedy) for each in found.problems}
        return set()

    def apply() -> None:
        check_apply(store, [document], prune=False, compiler=a_compiler())

    def narrow() -> None:
        check_narrow(
            store,
            [NarrowPut(document.document, since(store, document.key))],
            schools_of_board=schools_of,
            compiler=a_compiler(),
            note="decision",
        )

    assert problems_of(narrow) == problems_of(apply)
    assert bool(problems_of(narrow)) is (table in BAD[1:])


def test_it_is_in_force_with_its_entry_and_keeps_the_form_of_before(store: SqliteRegistry) -> None:
    assert put(store, document_of(an_agreement(version=2, approved=[]))) == 2
    registry = store.load()
    school = registry.schools[SchoolId("vuurvogel")]
    agreement = registry.agreement(school, SupplierId("rekenrijk"))
    assert agreement is not None
    assert (registry.version, agreement.version, agreement.approved) == (2, 2, frozenset())
    before = store.documents_at(1)
    assert before is not None
    assert before[AGREEMENT].document == document_of(an_agreement())
    kept = SqliteConsoleAudit(store.path).look()
    assert [each.entry for each in kept.entries] == [replace(ENTRY, at=NOW.replace(microsecond=0))]


def test_the_same_again_changes_nothing(store: SqliteRegistry) -> None:
    assert put(store, document_of(an_agreement())) == 1
    assert SqliteConsoleAudit(store.path).look().found == 0


def test_schools_never_meet_and_two_people_of_one_school_do(store: SqliteRegistry) -> None:
    mine = NarrowPut(document_of(an_agreement(version=2, approved=[])), since(store, AGREEMENT))
    other = NarrowPut(document_of(an_agreement(school="regenboog")), NOT_THERE)
    assert put_all(store, [mine]) == 2
    assert put_all(store, [other]) == 3
    late = NarrowPut(document_of(an_agreement(version=3)), mine.instead_of)
    with pytest.raises(EditedMeanwhile) as caught:
        put_all(store, [late])
    assert caught.value.key == AGREEMENT
    assert caught.value.there is not None
    assert caught.value.there.stated.document == mine.document
    with pytest.raises(EditedMeanwhile) as caught:
        put_all(store, [NarrowPut(document_of(an_agreement(school="echt")), instead_of=1)])
    assert caught.value.there is None
    assert store.version() == 3


def test_who_comes_between_check_and_write_is_seen(store: SqliteRegistry) -> None:
    def checked(document: AnyDocument) -> NarrowChange:
        puts = [NarrowPut(document, since(store, key_of(document)))]
        return check_narrow(
            store, puts, schools_of_board=schools_of, compiler=a_compiler(), note="decision"
        )

    def write(change: NarrowChange) -> int:
        return asyncio.run(store.put_in_force(change, by="console", at=NOW, entries=[ENTRY]))

    mine = checked(document_of(an_agreement(version=2, approved=[])))
    also = checked(document_of(an_agreement(version=2, approved=["sn"])))
    leans = checked(document_of(an_agreement(school="regenboog")))
    assert write(mine) == 2
    with pytest.raises(EditedMeanwhile):
        write(also)
    put(store, document_of(a_school(id="regenboog", brin="33CC", pupils=9), Kind.SCHOOL))
    with pytest.raises(LeaningMoved):
        write(leans)
    assert store.version() == 3


def test_what_leans_on_something_that_moves_is_checked_anew(store: SqliteRegistry) -> None:
    class Moving:
        """A store in which others change something so many times."""

        def __init__(self, times: int) -> None:
            self.times = times

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def put_in_force(self, change: NarrowChange, **more: Any) -> int:
            self.times -= 1
            if self.times >= 0:
                raise LeaningMoved("schools/vuurvogel")
            return await store.put_in_force(change, **more)

    changed = [NarrowPut(document_of(an_agreement(version=2, approved=[])), 1)]
    assert put_all(Moving(MAX_ATTEMPTS - 1), changed) == 2  # type: ignore[arg-type]
    changed = [NarrowPut(document_of(an_agreement(version=3)), 2)]
    with pytest.raises(LeaningMoved):
        put_all(Moving(MAX_ATTEMPTS), changed)  # type: ignore[arg-type]


def changed(store: SqliteRegistry, key: Key, **changes: Any) -> AnyDocument:
    document: Any = store.read_documents([key])[key].stated.document
    return msgspec.structs.replace(document, **changes)  # type: ignore[no-any-return]


class TestOtherDocuments:
    def test_switches_sheets_and_what_people_read_can_change(self, store: SqliteRegistry) -> None:
        supplier: Any = changed(store, SUPPLIER, enabled=False, display_name="Reken")
        party = msgspec.structs.replace(supplier.relying_party[0], enabled=False)
        supplier = msgspec.structs.replace(supplier, relying_party=(party,))
        assert put(store, supplier, changed(store, SCHOOL, enabled=False)) == 2
        registry = store.load()
        found = registry.suppliers[SupplierId("rekenrijk")]
        assert (found.enabled, found.relying_parties[0].enabled) == (False, False)
        assert not registry.schools[SchoolId("vuurvogel")].enabled
        login = (Kind.IDENTITY_PROVIDER, "vuurvogel")
        puts = [NarrowPut(changed(store, login, enabled=False), since(store, login))]
        assert put_all(store, puts) == 3

    @pytest.mark.parametrize(
        ("key", "changes"),
        [
            (SCHOOL, {"brin": "99ZZ"}),
            (SCHOOL, {"board": "other"}),
            (SCHOOL, {"state": "production"}),
            (SUPPLIER, {"eck_id_entitled": True}),
            (SUPPLIER, {"relying_party": ()}),
            (SUPPLIER, {"sheet": None}),
            ((Kind.IDENTITY_PROVIDER, "vuurvogel"), {"identifier": "uid"}),
        ],
    )
    def test_what_others_are_checked_against_cannot(
        self, store: SqliteRegistry, key: Key, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(NotNarrow):
            put_all(store, [NarrowPut(changed(store, key, **changes), since(store, key))])
        assert store.version() == 1

    def test_nor_can_one_be_added(self, store: SqliteRegistry) -> None:
        new = document_of(a_school(id="new", brin="55EE"), Kind.SCHOOL)
        with pytest.raises(NotNarrow):
            put_all(store, [NarrowPut(new, NOT_THERE)])

    def test_what_is_wrong_in_itself_is_told_as_apply_does(self, store: SqliteRegistry) -> None:
        attribute = document_of(
            a_supplier(attribute=[{"name": "shoeSize", "purpose": "x"}], sheet={"version": 3}),
            Kind.SUPPLIER,
        )
        wrong = changed(
            store,
            SUPPLIER,
            attribute=attribute.attribute,  # type: ignore[union-attr]
            sheet=attribute.sheet,  # type: ignore[union-attr]
        )
        with pytest.raises(FederationProblems) as caught:
            put(store, wrong)
        assert [each.path for each in caught.value.problems] == ["attribute[0].name"]
