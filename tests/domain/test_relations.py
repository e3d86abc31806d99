"""What goes on from an old school to a new one, on which days, and never more than was approved."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.agreements import Agreement, GroupRule, NoticeMode, approved_for, rules_met
from broker.domain.attributes import Population
from broker.domain.federation import Relation, RelationKind
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.domain.relations import (
    AgreementFound,
    CarriedFrom,
    NumberSource,
    find_agreement,
    former_brins,
    notice_signer,
    number_schools,
    number_sources,
    predecessors,
    relation_into,
    successor,
)
from tests.domain.federation_records import a_relation, a_school, an_agreement

FIRST, LAST = date(2026, 8, 1), date(2027, 7, 31)
TODAY = date(2026, 9, 7)
SUPPLIER = SupplierId("rekenrijk")
OLD, OTHER, NEW, NEXT = map(SchoolId, ("vuurvogel", "regenboog", "samenklank", "eenklank"))
SCHOOLS = {
    OLD: a_school(OLD, brin="11AA"),
    OTHER: a_school(OTHER, brin="33CC", board="andere"),
    NEW: a_school(NEW, brin="55EE"),
    NEXT: a_school(NEXT, brin="66FF"),
}


def a_registry(*relations: Relation, agreements: Any = ()) -> Registry:
    return build_registry(
        1,
        schools=SCHOOLS.values(),
        idps=(),
        suppliers=(),
        agreements=agreements,
        relations=relations,
    )


def of_school(school: str, *approved: str, **changes: Any) -> Agreement:
    return an_agreement(school=school, approved=frozenset(approved), **changes)


def of_board(board: str, *approved: str, **changes: Any) -> Agreement:
    return an_agreement(school=None, board=board, approved=frozenset(approved), **changes)


def found_at(
    *agreements: Agreement, relation: Relation | None = None, today: date = TODAY
) -> AgreementFound | None:
    registry = a_registry(relation or a_relation(), agreements=agreements)
    return find_agreement(registry, SCHOOLS[NEW], SUPPLIER, today)


def approved_at(*agreements: Agreement, **how: Any) -> set[str] | None:
    found = found_at(*agreements, **how)
    return None if found is None else set(found.agreement.approved)


RENUMBER = a_relation(OLD, kind=RelationKind.RENUMBER)


class TestDays:
    @pytest.mark.parametrize(
        ("today", "holds"),
        [
            (FIRST - timedelta(1), False),
            (FIRST, True),
            (LAST, True),
            (LAST + timedelta(1), False),
        ],
    )
    def test_a_relation_holds_from_its_first_day_to_its_last(
        self, today: date, holds: bool
    ) -> None:
        kept = a_relation(numbers_of=(OLD,), numbers_at=NEW)
        registry = a_registry(kept, agreements=[of_school(OLD), of_school(OTHER)])
        assert (relation_into(registry, NEW, today) is not None) is holds
        assert bool(predecessors(registry, NEW, today)) is holds
        assert bool(number_sources(registry, NEW, today)) is holds
        assert bool(former_brins(registry, [NEW], today)) is holds
        found = find_agreement(registry, SCHOOLS[NEW], SUPPLIER, today)
        assert (found is not None) is holds

    def test_two_relations_one_after_the_other(self) -> None:
        earlier = a_relation(OTHER, kind=RelationKind.RENUMBER, last_day=FIRST)
        later = a_relation(OLD, kind=RelationKind.RENUMBER, first_day=FIRST + timedelta(1))
        registry = a_registry(earlier, later)
        assert predecessors(registry, NEW, FIRST) == {OTHER}
        assert predecessors(registry, NEW, TODAY) == {OLD}


class TestPredecessors:
    def test_a_school_without_a_relation_has_none(self) -> None:
        assert predecessors(a_registry(a_relation()), OLD, TODAY) == frozenset()

    def test_chains_are_followed(self) -> None:
        onwards = a_relation(NEW, new=(NEXT,), kind=RelationKind.RENUMBER)
        registry = a_registry(a_relation(), onwards)
        assert predecessors(registry, NEXT, TODAY) == {OLD, OTHER, NEW}

    def test_a_school_that_goes_on_is_not_its_own_predecessor(self) -> None:
        registry = a_registry(a_relation(OLD, OTHER, new=(OLD,)))
        assert predecessors(registry, OLD, TODAY) == {OTHER}


class TestSuccessor:
    def test_a_school_goes_on_as_the_last_of_a_chain(self) -> None:
        onwards = a_relation(NEW, new=(NEXT,), kind=RelationKind.RENUMBER)
        registry = a_registry(a_relation(), onwards)
        assert successor(registry, OLD, TODAY) == NEXT
        assert successor(registry, OLD, LAST + timedelta(1)) is None
        assert successor(registry, NEXT, TODAY) is None

    def test_one_that_goes_on_itself_or_as_several_has_none(self) -> None:
        assert successor(a_registry(a_relation(OLD, OTHER, new=(OLD,))), OLD, TODAY) is None
        split = a_relation(OLD, new=(NEW, NEXT), kind=RelationKind.SPLIT)
        assert successor(a_registry(split), OLD, TODAY) is None


class TestNumbers:
    def test_numbers_go_on_only_where_the_relation_says_so(self) -> None:
        assert number_sources(a_registry(a_relation()), NEW, TODAY) == ()
        kept = a_relation(numbers_of=(OTHER,), numbers_at=NEW)
        assert number_sources(a_registry(kept), NEW, TODAY) == (NumberSource(OTHER, FIRST),)

    def test_after_a_split_they_go_on_at_one_school(self) -> None:
        split = a_relation(
            OLD, new=(NEW, NEXT), kind=RelationKind.SPLIT, numbers_of=(OLD,), numbers_at=NEXT
        )
        registry = a_registry(split)
        assert number_sources(registry, NEW, TODAY) == ()
        assert number_sources(registry, NEXT, TODAY) == (NumberSource(OLD, FIRST),)

    def test_a_chain_goes_on_as_far_as_every_link_does(self) -> None:
        first = a_relation(numbers_of=(OLD, OTHER), numbers_at=NEW)
        onwards = a_relation(
            NEW,
            new=(NEXT,),
            kind=RelationKind.RENUMBER,
            first_day=TODAY,
            numbers_of=(NEW,),
            numbers_at=NEXT,
        )
        assert number_sources(a_registry(first, onwards), NEXT, TODAY) == (
            NumberSource(NEW, TODAY),
            NumberSource(OLD, FIRST),
            NumberSource(OTHER, FIRST),
        )
        assert number_sources(a_registry(a_relation(), onwards), NEXT, TODAY) == (
            NumberSource(NEW, TODAY),
        )

    def test_numbers_of_a_school_that_goes_on_are_no_other_schools(self) -> None:
        merge = a_relation(OLD, OTHER, new=(OLD,), numbers_of=(OLD, OTHER), numbers_at=OLD)
        assert number_sources(a_registry(merge), OLD, TODAY) == (NumberSource(OTHER, FIRST),)

    def test_a_list_may_name_numbers_of_a_relation_of_another_day(self) -> None:
        first = a_relation(numbers_of=(OLD,), numbers_at=NEW)
        onwards = a_relation(
            NEW,
            new=(NEXT, OTHER),
            kind=RelationKind.SPLIT,
            first_day=date(2030, 1, 1),
            numbers_of=(NEW,),
            numbers_at=NEXT,
        )
        registry = a_registry(first, onwards)
        assert number_schools(registry, NEXT) == {NEW, OLD}
        assert number_schools(registry, OTHER) == frozenset()


class TestBrins:
    def test_those_of_the_old_schools_and_those_that_are_written(self) -> None:
        registry = a_registry(a_relation(old_brins=("77GG",)))
        assert former_brins(registry, [OLD, NEW], TODAY) == {NEW: {"11AA", "33CC", "77GG"}}

    def test_they_may_end_before_the_relation(self) -> None:
        registry = a_registry(a_relation(brins_last_day=TODAY))
        assert former_brins(registry, [NEW], TODAY)
        assert not former_brins(registry, [NEW], TODAY + timedelta(1))

    def test_a_location_is_known_by_its_own(self) -> None:
        registry = build_registry(
            1,
            schools=[a_school(OLD, branch="11AA01"), SCHOOLS[NEW]],
            idps=(),
            suppliers=(),
            agreements=(),
            relations=[RENUMBER],
        )
        assert former_brins(registry, [NEW], TODAY) == {NEW: {"11AA01"}}

    def test_a_school_that_keeps_its_id_had_the_written_one(self) -> None:
        renumber = a_relation(NEW, kind=RelationKind.RENUMBER, old_brins=("44DD",))
        assert former_brins(a_registry(renumber), [NEW], TODAY) == {NEW: {"44DD"}}

    def test_chains_are_followed(self) -> None:
        onwards = a_relation(NEW, new=(NEXT,), kind=RelationKind.RENUMBER)
        registry = a_registry(RENUMBER, onwards)
        assert former_brins(registry, [NEXT], TODAY) == {NEXT: {"55EE", "11AA"}}


class TestAgreements:
    def test_without_a_relation_the_schools_own_or_its_boards(self) -> None:
        registry = a_registry(agreements=[of_school(OLD, "sn"), of_board("stichting", "mail")])
        found = find_agreement(registry, SCHOOLS[OLD], SUPPLIER, TODAY)
        assert found == AgreementFound(of_school(OLD, "sn"))
        found = find_agreement(registry, SCHOOLS[NEW], SUPPLIER, TODAY)
        assert found == AgreementFound(of_board("stichting", "mail"))
        assert find_agreement(a_registry(), SCHOOLS[NEW], SUPPLIER, TODAY) is None

    def test_another_brin_carries_the_old_schools_agreement(self) -> None:
        found = found_at(of_school(OLD, "sn", version=3), relation=RENUMBER)
        assert found == AgreementFound(of_school(NEW, "sn", version=3), (CarriedFrom(OLD, 3),))

    def test_a_merge_keeps_what_each_says_of_staff_and_of_groups(self) -> None:
        """Never more than what each of them approves of the same person."""
        one = of_school(
            OLD,
            *("sn", "mail"),
            approved_staff=frozenset({"sn", "initials"}),
            group_rules=(GroupRule(frozenset({"3A"}), frozenset({"sn", "birthDate"})),),
            sheet=3,
        )
        other = of_school(
            OTHER,
            *("sn", "initials"),
            group_rules=(GroupRule(frozenset({"3A", "3B"}), frozenset({"birthDate", "mail"})),),
            sheet=2,
        )
        found = found_at(one, other)
        assert found is not None
        merged = found.agreement
        assert (merged.approved, merged.approved_staff) == ({"sn"}, {"sn", "initials"})
        assert merged.sheet == 2
        for population in (*Population, None):
            for groups in ((), ("3A",), ("3B",), ("4",)):
                each = [approved_for(of, population, rules_met(of, groups)) for of in (one, other)]
                together = approved_for(merged, population, rules_met(merged, groups))
                assert together <= each[0] & each[1]
        assert approved_for(merged, Population.PUPIL, rules_met(merged, ("3B",))) == {"mail"}

    def test_a_merge_releases_what_all_of_them_approved(self) -> None:
        found = found_at(
            of_school(OLD, "sn", "mail", version=2, last_day=LAST),
            of_school(OTHER, "sn", "birthDate", version=5, first_day=FIRST),
        )
        assert found is not None
        assert found.agreement.approved == {"sn"}
        assert (found.agreement.first_day, found.agreement.last_day) == (FIRST, LAST)
        assert found.agreement.version == 7
        assert found.carried_from == (CarriedFrom(OLD, 2), CarriedFrom(OTHER, 5))

    def test_a_supplier_that_one_of_them_had_no_agreement_with_gets_nobody(self) -> None:
        assert approved_at(of_school(OLD, "sn")) is None
        assert approved_at(of_school(OLD, "sn"), of_school(OTHER, "sn")) == {"sn"}

    def test_one_that_has_ended_ends_the_carried_one(self) -> None:
        found = found_at(of_school(OLD, "sn"), of_school(OTHER, "sn", last_day=FIRST))
        assert found is not None
        assert not found.agreement.is_in_force(TODAY)

    def test_the_new_school_may_choose_one_schools_agreements(self) -> None:
        chosen = a_relation(agreements_of=OTHER)
        both = (of_school(OLD, "sn"), of_school(OTHER, "mail"))
        assert approved_at(*both, relation=chosen) == {"mail"}

    def test_or_carry_none(self) -> None:
        none = a_relation(agreements=False)
        assert approved_at(of_school(OLD), of_school(OTHER), relation=none) is None

    def test_its_own_agreement_ends_the_carried_one(self) -> None:
        both = (of_school(OLD, "sn"), of_school(OTHER, "sn"))
        assert approved_at(*both, of_school(NEW, "mail")) == {"mail"}
        ended = of_school(NEW, "mail", last_day=FIRST)
        assert approved_at(*both, ended) == {"mail"}, "the school let it end"

    def test_but_not_before_its_first_day(self) -> None:
        later = of_school(NEW, "mail", first_day=TODAY + timedelta(1))
        both = (of_school(OLD, "sn"), of_school(OTHER, "sn"))
        assert approved_at(*both, later) == {"sn"}
        assert approved_at(*both, later, today=TODAY + timedelta(1)) == {"mail"}
        assert approved_at(later) == {"mail"}, "nothing else is agreed: it is not in force yet"

    def test_what_a_school_narrowed_is_not_widened_by_the_new_ones_board(self) -> None:
        board = of_board("stichting", "sn", "mail")
        assert approved_at(of_school(OLD), board, relation=RENUMBER) == set()
        assert approved_at(board, relation=RENUMBER) == {"sn", "mail"}
        # The other school has none with this supplier: the board's does not fill that gap.
        assert approved_at(of_school(OLD, "sn"), board) is None

    def test_the_new_ones_board_goes_before_an_old_ones_board(self) -> None:
        of_other = a_relation(OTHER, kind=RelationKind.RENUMBER)
        carried = of_board("andere", "sn")
        assert approved_at(carried, relation=of_other) == {"sn"}
        assert approved_at(carried, of_board("stichting", "mail"), relation=of_other) == {"mail"}

    def test_a_school_that_goes_on_shares_what_the_other_one_approved_too(self) -> None:
        merge = a_relation(OLD, OTHER, new=(OLD,))
        registry = a_registry(
            merge, agreements=[of_board("stichting", "sn", "mail"), of_school(OTHER, "sn")]
        )
        found = find_agreement(registry, SCHOOLS[OLD], SUPPLIER, TODAY)
        assert found is not None
        assert found.agreement.approved == {"sn"}

    def test_chains_are_followed(self) -> None:
        onwards = a_relation(NEW, new=(NEXT,), kind=RelationKind.RENUMBER)
        registry = a_registry(
            a_relation(), onwards, agreements=[of_school(OLD, "sn"), of_school(OTHER, "sn")]
        )
        found = find_agreement(registry, SCHOOLS[NEXT], SUPPLIER, TODAY)
        assert found is not None
        assert found.agreement.school == NEXT
        assert found.carried_from == (CarriedFrom(OLD, 1), CarriedFrom(OTHER, 1))

    def test_a_notice_of_one_of_them_is_a_notice(self) -> None:
        informs = of_school(OTHER, notice=NoticeMode.INFORM)
        found = found_at(of_school(OLD), informs)
        assert found is not None
        assert found.agreement.notice is NoticeMode.INFORM
        assert notice_signer(found.carried_from, NEW) == "regenboog+vuurvogel"


@given(
    st.lists(st.sets(st.sampled_from(["sn", "mail", "givenName"])), min_size=2, max_size=2),
    st.sets(st.sampled_from(["sn", "mail", "givenName"])),
    st.booleans(),
    st.booleans(),
)
def test_nothing_carried_is_wider_than_what_each_old_school_released(
    approved: list[set[str]], by_board: set[str], with_board: bool, first_by_board: bool
) -> None:
    """Unless the new school or its board, and no old school, decided."""
    first, second = approved
    agreements = [
        of_board("stichting", *first) if first_by_board else of_school(OLD, *first),
        of_school(OTHER, *second),
    ]
    if with_board and not first_by_board:
        agreements.append(of_board("stichting", *by_board))
    assert approved_at(*agreements) == first & second
