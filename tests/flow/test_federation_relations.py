"""Relations between schools: what one document must say, and what must hold between them."""

from datetime import date
from typing import Any

import pytest

from broker.domain.documents import Kind
from broker.domain.federation import Relation, RelationKind
from broker.flow.federation.change import check_apply, check_return
from broker.flow.federation.relation_links import RELATION_LINK_CHECKS
from broker.flow.federation.relations import RELATION_CHECKS
from tests.flow.federation_builders import (
    MemoryFederation,
    Table,
    a_compiler,
    a_federation,
    a_school,
    an_oidc_login,
    apply,
    problems_of,
    stated,
    without,
)

SCHOOLS = [
    stated(Kind.SCHOOL, a_school(id=school, brin=brin))
    for school, brin in (("regenboog", "33CC"), ("samenklank", "55EE"), ("eenklank", "66FF"))
]


def a_relation(**changes: Any) -> Table:
    return {
        "id": "merge",
        "kind": "merge",
        "old": ["vuurvogel", "regenboog"],
        "new": ["samenklank"],
        "from": date(2026, 8, 1),
        "until": date(2027, 7, 31),
    } | changes


def a_split(**changes: Any) -> Table:
    return a_relation(
        id="split", kind="split", old=["samenklank"], new=["vuurvogel", "eenklank"], **changes
    )


def a_renumbering(**changes: Any) -> Table:
    return a_relation(
        **{"id": "renumber", "kind": "renumber", "old": ["regenboog"], "new": ["eenklank"]}
        | changes
    )


def applied(*relations: Table, more: Any = ()) -> MemoryFederation:
    documents = [stated(Kind.RELATION, each) for each in relations]
    return apply(a_federation(more=[*SCHOOLS, *documents, *more]))


def paths_of(*relations: Table, more: Any = (), **changes: Any) -> list[str]:
    documents = [stated(Kind.RELATION, each) for each in relations]
    found = problems_of(a_federation(more=[*SCHOOLS, *documents, *more], **changes))
    assert {file for file, _, _ in found} <= {"relations.toml"}
    return [path for _, path, _ in found]


def test_checks_are_counted() -> None:
    assert len(RELATION_CHECKS) == 8
    assert len(RELATION_LINK_CHECKS) == 5


def test_a_merge_is_compiled() -> None:
    store = applied(a_relation())
    assert store.records[Kind.RELATION, "merge"] == Relation(
        id="merge",
        kind=RelationKind.MERGE,
        old=("vuurvogel", "regenboog"),
        new=("samenklank",),
        first_day=date(2026, 8, 1),
        last_day=date(2027, 7, 31),
        brins_last_day=date(2027, 7, 31),
    )


def test_everything_that_a_relation_can_say() -> None:
    said = a_relation(
        agreements_of="regenboog",
        numbers="kept",
        distinct_numbers=True,
        old_brins=["77GG"],
        brins_until=date(2026, 12, 31),
    )
    record = applied(said).records[Kind.RELATION, "merge"]
    assert (record.agreements, record.agreements_of) == (True, "regenboog")
    assert record.numbers_of == ("vuurvogel", "regenboog")
    assert record.numbers_at == "samenklank"
    assert record.old_brins == ("77GG",)
    assert record.brins_last_day == date(2026, 12, 31)
    assert not applied(a_relation(agreements="none")).records[Kind.RELATION, "merge"].agreements


@pytest.mark.parametrize(
    "fine",
    [
        a_relation(new=["vuurvogel"]),
        a_relation(old=["vuurvogel", "regenboog", "eenklank"]),
        a_split(),
        a_split() | {"new": ["samenklank", "eenklank"]},
        a_renumbering(),
        a_renumbering(new=["regenboog"], old_brins=["44DD"]),
        a_renumbering(numbers="kept"),
        a_relation(numbers="kept", numbers_of=["regenboog"]),
        a_relation(numbers="kept", distinct_numbers=True),
        a_split(numbers="kept", numbers_at="eenklank"),
        a_split(numbers="kept", numbers_at="samenklank") | {"new": ["samenklank", "eenklank"]},
        a_relation(until=date(2026, 8, 1)),
        a_relation(until=date(2028, 7, 31)),
        a_relation(brins_until=date(2026, 8, 1)),
    ],
)
def test_relations_that_are_fine(fine: Table) -> None:
    assert paths_of(fine) == []


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (a_relation(old=["vuurvogel"]), "old"),
        (a_relation(new=["samenklank", "eenklank"]), "new"),
        (a_split() | {"new": ["eenklank"]}, "new"),
        (a_split() | {"old": ["samenklank", "regenboog"]}, "old"),
        (a_renumbering(old=["regenboog", "vuurvogel"]), "old"),
        (a_relation(old=["vuurvogel", "regenboog", "vuurvogel"]), "old[2]"),
        (a_relation(until=date(2026, 7, 31)), "until"),
        (a_relation(until=date(2028, 8, 1)), "until"),
        (a_relation(brins_until=date(2026, 7, 31)), "brins_until"),
        (a_relation(brins_until=date(2027, 8, 1)), "brins_until"),
        (a_relation(agreements_of="samenklank"), "agreements_of"),
        (a_relation(agreements_of="regenboog", agreements="none"), "agreements_of"),
        (a_renumbering(numbers_of=["regenboog"]), "numbers_of"),
        (a_renumbering(numbers_at="eenklank"), "numbers_at"),
        (a_relation(distinct_numbers=True), "distinct_numbers"),
        (a_relation(numbers="kept", numbers_of=["samenklank"]), "numbers_of[0]"),
        (a_renumbering(numbers="kept", numbers_at="regenboog"), "numbers_at"),
        (a_relation(numbers="kept"), "numbers"),
        (a_relation(numbers="kept", new=["vuurvogel"], numbers_of=["regenboog"]), "numbers"),
        (a_split(numbers="kept"), "numbers"),
        (
            a_split(numbers="kept", numbers_at="eenklank") | {"new": ["samenklank", "eenklank"]},
            "numbers_at",
        ),
        (a_renumbering(new=["regenboog"]), "old_brins"),
    ],
)
def test_relations_that_are_not(wrong: Table, path: str) -> None:
    assert paths_of(wrong) == [path]


def test_schools_of_a_relation_exist() -> None:
    assert paths_of(a_relation(new=["nowhere"])) == ["new[0]"]
    assert paths_of(a_relation(old=["nowhere", "regenboog"])) == ["old[0]"]


def test_test_and_production_never_become_one() -> None:
    real = stated(Kind.SCHOOL, a_school(id="echt", brin="88HH", state="production"))
    assert paths_of(a_relation(new=["echt"]), more=[real]) == ["new[0]"]


def test_education_sectors_do_not_become_one() -> None:
    secondary = stated(Kind.SCHOOL, a_school(id="kompas", brin="22BB", sector="vo"))
    assert paths_of(a_relation(new=["kompas"]), more=[secondary]) == ["new[0]"]


def test_relations_make_no_circle() -> None:
    later = {"from": date(2030, 8, 1), "until": date(2031, 7, 31)}
    back = a_renumbering(old=["samenklank"], new=["vuurvogel"], **later)
    assert paths_of(a_relation(), back) == ["new[0]", "new[0]"]
    onwards = a_renumbering(old=["samenklank"], **later)
    assert paths_of(a_relation(), onwards) == []
    roundabout = a_renumbering(id="third", **later, old=["eenklank"], new=["vuurvogel"])
    assert paths_of(a_relation(), onwards, roundabout) == ["new[0]"] * 3


def test_one_relation_for_a_school_on_a_day() -> None:
    again = a_renumbering(**{"from": date(2027, 7, 31), "until": date(2027, 12, 31)})
    assert paths_of(a_relation(), again) == ["old[0]"]
    same_new = a_renumbering(old=["eenklank"], new=["samenklank"])
    assert paths_of(a_relation(), same_new) == ["new[0]"]
    after = a_renumbering(**{"from": date(2027, 8, 1), "until": date(2027, 12, 31)})
    assert paths_of(a_relation(), after) == []


def test_numbers_that_go_on_are_the_same_attribute() -> None:
    other = stated(
        Kind.IDENTITY_PROVIDER,
        an_oidc_login(
            id="eenklank",
            schools=["eenklank"],
            issuer="https://eenklank.example",
            identifier="uid",
        ),
    )
    onwards = a_renumbering(old=["vuurvogel"], numbers="kept")
    assert paths_of(onwards, more=[other]) == ["numbers"]
    assert paths_of(onwards) == []
    assert paths_of(without(onwards, "numbers"), more=[other]) == []


def test_a_brin_of_before_is_no_other_schools() -> None:
    assert paths_of(a_renumbering(old_brins=["11AA"])) == ["old_brins[0]"]
    assert paths_of(a_renumbering(old_brins=["33CC", "44DD"])) == []


def test_a_relation_is_removed_as_any_other_document() -> None:
    store = applied(a_relation())
    apply([*a_federation(more=SCHOOLS)], store, prune=True)
    assert (Kind.RELATION, "merge") not in store.current().documents


@pytest.mark.parametrize(
    ("today", "warned"),
    [(None, 1), (date(2026, 9, 7), 1), (date(2026, 7, 31), 0), (date(2027, 8, 1), 0)],
)
def test_taking_one_away_while_it_holds_is_a_warning(today: date | None, warned: int) -> None:
    store = apply(a_federation(more=SCHOOLS))
    apply([stated(Kind.RELATION, a_relation())], store)
    compiler = a_compiler(today=today)
    back = check_return(store, version=1, compiler=compiler)
    assert len(back.warnings) == warned
    pruned = check_apply(store, a_federation(more=SCHOOLS), prune=True, compiler=compiler)
    assert len(pruned.warnings) == warned
