"""What a relation would change, told before it does."""

from datetime import date
from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.documents import Kind
from broker.domain.federation import Relation, RelationKind
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry, build_registry
from broker.domain.relations import CarriedFrom
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import FederationProblems, StatedDocument
from broker.flow.federation.relation_rehearsal import (
    Becomes,
    Lists,
    NumbersForeseen,
    SupplierForeseen,
    read_numbers,
    registry_after,
    rehearse_numbers,
    rehearse_relation,
)
from tests.domain.federation_records import a_relation, a_school, a_supplier, an_agreement
from tests.flow import federation_builders as documents
from tests.flow.test_federation_relations import SCHOOLS
from tests.flow.test_federation_relations import a_relation as a_document
from tests.flow.test_successors import KEYS, NEW, OLD, OTHER, ROOT_KEY, Schools

TODAY = date(2026, 6, 1)


def a_registry(*agreements: Any, relation: Relation) -> Registry:
    return build_registry(
        1,
        schools=[
            a_school(OLD, brin="11AA"),
            a_school(OTHER, brin="33CC"),
            a_school(NEW, brin="55EE", board="nieuw"),
        ],
        idps=(),
        suppliers=[a_supplier(id=each) for each in ("rekenrijk", "taaltuin")],
        agreements=agreements,
        relations=[relation],
    )


def of(school: str, *approved: str, supplier: str = "rekenrijk", **changes: Any) -> Any:
    return an_agreement(school=school, supplier=supplier, approved=frozenset(approved), **changes)


def foresee(*agreements: Any) -> tuple[SupplierForeseen, ...]:
    relation = a_relation()
    registry = a_registry(*agreements, relation=relation)
    return rehearse_relation(relation, registry=registry, today=TODAY).suppliers


def test_what_is_carried_and_what_goes_out_no_more() -> None:
    (found,) = foresee(of(OLD, "sn", "mail", version=3), of(OTHER, "sn"))
    assert found == SupplierForeseen(
        NEW,
        "rekenrijk",
        Becomes.CARRIED,
        ("sn",),
        ("mail",),
        (CarriedFrom(OLD, 3), CarriedFrom(OTHER, 1)),
    )


def test_a_supplier_that_is_lost() -> None:
    (found,) = foresee(of(OLD, "sn"))
    assert (found.becomes, found.approved, found.lost) == (Becomes.LOST, (), ("sn",))


def test_one_that_nobody_had_any_more_is_not_lost() -> None:
    assert foresee(of(OLD, last_day=date(2026, 7, 31))) == ()


def test_its_own_and_its_boards_agreements_are_told() -> None:
    board = an_agreement(school=None, board="nieuw", supplier="taaltuin")
    own, boards = foresee(of(NEW, "sn"), board)
    assert (own.becomes, boards.becomes) == (Becomes.OWN, Becomes.BOARD)


def test_it_looks_at_the_first_day_or_today() -> None:
    relation = a_relation()
    registry = a_registry(relation=relation)
    assert rehearse_relation(relation, registry=registry, today=TODAY).day == date(2026, 8, 1)
    later = rehearse_relation(relation, registry=registry, today=date(2026, 9, 7))
    assert later.day == date(2026, 9, 7)
    assert later.brins == {NEW: {"11AA", "33CC"}}


def checked(*more: StatedDocument, store: documents.MemoryFederation) -> Any:
    return check_apply(store, more, prune=False, compiler=documents.a_compiler())


def test_the_registry_as_it_would_be() -> None:
    store = documents.apply(documents.a_federation(more=SCHOOLS))
    change = checked(
        documents.stated(Kind.RELATION, a_document()),
        documents.stated(Kind.SCHOOL, documents.a_school(name="New name")),
        documents.stated(Kind.AGREEMENT, documents.an_agreement(version=2, approved=[])),
        documents.stated(
            Kind.AGREEMENT,
            documents.without(documents.an_agreement(board="stichting"), "school"),
        ),
        store=store,
    )
    before = a_relation(OLD, kind=RelationKind.RENUMBER, id="merge")
    registry = registry_after(a_registry(relation=before), change)
    assert registry.schools[OLD].name == "New name"
    assert registry.school_agreements[OLD, "rekenrijk"].version == 2
    assert ("stichting", "rekenrijk") in registry.board_agreements
    (relation,) = registry.relations_into[NEW]
    assert relation.kind is RelationKind.MERGE


class TestNumbers:
    KEPT = a_relation(numbers_of=(OLD,), numbers_at=NEW)

    async def count(
        self, schools: Schools, relation: Relation, population: Population, **lists: set[str]
    ) -> NumbersForeseen:
        numbers = {SchoolId(school): frozenset(found) for school, found in lists.items()}
        return await rehearse_numbers(
            relation,
            Lists(numbers, population),
            registry=a_registry(relation=relation),
            day=date(2026, 8, 1),
            register=schools.register,
            keys=KEYS,
            root_key=ROOT_KEY,
        )

    async def test_they_are_counted(self) -> None:
        schools = Schools(relations=())
        for number in ("1", "2"):
            await schools.login(OLD, number)
        await schools.login(OLD, "3", today=date(2024, 9, 1))
        await schools.login(OTHER, "4")
        found = await self.count(
            schools,
            self.KEPT,
            Population.PUPIL,
            vuurvogel={"1", "2", "3", "5", "6"},
            regenboog={"2", "4", "\ud800"},
        )
        assert found == NumbersForeseen(listed=7, stay=1, fresh=2, collide=1, unknown=3)
        assert len(schools.register.rows) == 4, "nothing is written"

    async def test_of_staff_too(self) -> None:
        schools = Schools(relations=())
        await schools.login(OLD, "1", population=Population.STAFF)
        counts = await self.count(schools, self.KEPT, Population.STAFF, vuurvogel={"1"})
        assert counts.stay == 1
        counts = await self.count(schools, self.KEPT, Population.PUPIL, vuurvogel={"1"})
        assert counts.unknown == 1

    async def test_at_a_school_that_goes_on_they_stay(self) -> None:
        schools = Schools(relations=())
        await schools.login(OLD, "1", today=date(2024, 9, 1))
        merge = a_relation(OLD, OTHER, new=(OLD,))
        counts = await self.count(schools, merge, Population.PUPIL, vuurvogel={"1"})
        assert counts.stay == 1

    async def test_a_list_of_another_school_is_refused(self) -> None:
        with pytest.raises(FederationProblems):
            await self.count(Schools(), self.KEPT, Population.PUPIL, samenklank={"1"})


def test_a_list_has_one_number_a_line() -> None:
    assert read_numbers(b"1\r\n\r\n 2 \n2\n", file="a") == {"1", "2"}


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe1"])
def test_what_is_no_list_is_refused_without_a_value(content: bytes) -> None:
    with pytest.raises(FederationProblems) as caught:
        read_numbers(content, file="a")
    (problem,) = caught.value.problems
    assert (problem.file, problem.remedy != "") == ("a", True)
