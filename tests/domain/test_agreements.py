"""For whom an agreement approves what: pupils, staff, groups, and whoever stopped it."""

from collections.abc import Collection
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.agreements import (
    Agreement,
    GroupRule,
    Stopped,
    StoppedBy,
    approved_for,
    rules_met,
)
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.ids import BoardId, SchoolId, SupplierId
from broker.domain.release import (
    AgreementNotInForce,
    RequiredAttributeNotApproved,
    WithheldBecause,
    decide_release,
)
from broker.domain.stopped_agreements import (
    AgreementStopped,
    StoppedByBoard,
    StoppedByFederation,
    StoppedBySchool,
    StoppedBySupplier,
)
from tests.builders import TODAY, a_declaration, a_supplier, an_agreement, values_of

DAY = timedelta(days=1)
GROUPS = ("3A", "3B", "plus", "4C")

names = st.sampled_from(sorted(VOCABULARY))
some_names = st.frozensets(names)
some_groups = st.frozensets(st.sampled_from(GROUPS))
group_rules = st.lists(
    st.builds(GroupRule, st.frozensets(st.sampled_from(GROUPS), min_size=1), some_names),
    max_size=4,
).map(tuple)
agreements = st.builds(
    Agreement,
    school=st.none(),
    board=st.just(BoardId("stichting-vuurvogel")),
    supplier=st.just(SupplierId("rekenrijk")),
    version=st.just(1),
    first_day=st.just(TODAY),
    last_day=st.none() | st.just(TODAY),
    approved=some_names,
    approved_staff=st.none() | some_names,
    group_rules=group_rules,
    sheet=st.integers(0, 3),
)
declarations = st.lists(
    st.builds(
        DeclaredAttribute,
        name=names,
        purpose=st.just("A purpose."),
        populations=st.sets(st.sampled_from(Population), min_size=1).map(tuple),
        asked_since=st.dictionaries(st.sampled_from(Population), st.integers(0, 3)),
    ),
    unique_by=lambda each: each.name,
).map(tuple)
somebody = st.sampled_from((None, *Population))


def approved_of(
    agreement: Agreement, population: Population | None, groups: Collection[str]
) -> frozenset[AttributeName]:
    """What the house rules say, said once more and otherwise."""
    of_staff = agreement.approved if agreement.approved_staff is None else agreement.approved_staff
    met = [each for each in agreement.group_rules if each.groups & set(groups)]
    of_pupil = {
        name
        for name in VOCABULARY
        if (all(name in each.approved for each in met) if met else name in agreement.approved)
    }
    of = {Population.PUPIL: of_pupil, Population.STAFF: of_staff}
    return frozenset(of[population] if population is not None else of_pupil & of_staff)


class TestLaws:
    @given(agreements, somebody, some_groups)
    def test_approved_is_what_the_rules_say(
        self, agreement: Agreement, population: Population | None, groups: frozenset[str]
    ) -> None:
        found = approved_for(agreement, population, rules_met(agreement, groups))
        assert found == approved_of(agreement, population, groups)
        assert agreement.approved_of_everybody <= found <= agreement.approved_of_anybody

    @given(agreements, somebody, some_groups)
    def test_with_groups_unknown_it_is_never_more_than_with_them(
        self, agreement: Agreement, population: Population | None, groups: frozenset[str]
    ) -> None:
        unknown = approved_for(agreement, population, None)
        assert unknown <= approved_for(agreement, population, rules_met(agreement, groups))

    @given(agreements, declarations, somebody, some_groups, some_names, st.booleans())
    def test_nothing_goes_out_that_is_not_declared_and_approved_and_stated(
        self,
        agreement: Agreement,
        declared: tuple[DeclaredAttribute, ...],
        population: Population | None,
        groups: frozenset[str],
        stated: frozenset[AttributeName],
        entitled: bool,
    ) -> None:
        decision = decide_release(
            supplier=a_supplier(attributes=declared, eck_id_entitled=entitled),
            school=SchoolId("vuurvogel"),
            agreement=agreement,
            population=population,
            stated=values_of(*stated),
            rules=rules_met(agreement, groups),
            today=TODAY,
        )
        of = (population,) if population is not None else tuple(Population)
        asked = {
            each.name
            for each in declared
            if set(of) <= set(each.populations)
            and all(each.asked_since.get(one, 0) <= agreement.sheet for one in of)
        }
        allowed = {
            each
            for each, attribute in VOCABULARY.items()
            if not attribute.restricted or (entitled and agreement.last_day is not None)
        }
        released = {each.name for each in decision.released}
        assert released == asked & approved_of(agreement, population, groups) & stated & allowed


class TestGroups:
    rules = (
        GroupRule(frozenset({"3A", "3B"}), frozenset({AttributeName("givenName")})),
        GroupRule(
            frozenset({"plus"}), frozenset({AttributeName("givenName"), AttributeName("sn")})
        ),
        GroupRule(frozenset({"4C"}), frozenset()),
    )
    agreement = an_agreement(approved=frozenset({AttributeName("mail")}), group_rules=rules)

    @pytest.mark.parametrize(
        ("groups", "approved"),
        [
            ((), {"mail"}),
            (("5D",), {"mail"}),
            (("3A",), {"givenName"}),
            (("5D", "plus"), {"givenName", "sn"}),
            (("3B", "plus"), {"givenName"}),
            (("3A", "4C"), set()),
            (("3a",), {"givenName"}),
            ((" 3A\u00a0",), {"givenName"}),
        ],
    )
    def test_pupils_get_what_all_rules_of_their_groups_approve(
        self, groups: tuple[str, ...], approved: set[str]
    ) -> None:
        met = rules_met(self.agreement, groups)
        assert approved_for(self.agreement, Population.PUPIL, met) == approved

    def test_staff_are_in_no_group(self) -> None:
        assert approved_for(self.agreement, Population.STAFF, (2,)) == {"mail"}


class TestStopped:
    @pytest.mark.parametrize(
        ("by", "refusal"),
        [
            (StoppedBy.SCHOOL, StoppedBySchool),
            (StoppedBy.BOARD, StoppedByBoard),
            (StoppedBy.SUPPLIER, StoppedBySupplier),
            (StoppedBy.FEDERATION, StoppedByFederation),
        ],
    )
    def test_refuses_and_says_who_stopped_it(
        self, by: StoppedBy, refusal: type[AgreementStopped]
    ) -> None:
        agreement = an_agreement(stopped=Stopped(by, TODAY))
        assert not agreement.is_in_force(TODAY)
        with pytest.raises(AgreementStopped) as caught:
            release(agreement)
        assert type(caught.value) is refusal
        assert caught.value.subject == "RekenRijk"

    def test_stops_from_its_day_on(self) -> None:
        agreement = an_agreement(stopped=Stopped(StoppedBy.SCHOOL, TODAY + DAY))
        assert agreement.is_in_force(TODAY)
        assert release(agreement) == {"givenName"}

    def test_who_stopped_it_is_told_also_after_its_end(self) -> None:
        ended = an_agreement(last_day=TODAY - DAY)
        with pytest.raises(AgreementNotInForce):
            release(ended)
        stopped = an_agreement(last_day=TODAY - DAY, stopped=Stopped(StoppedBy.BOARD, date.min))
        with pytest.raises(StoppedByBoard):
            release(stopped)


class TestSheets:
    """A new version of a sheet leaves the approved set working; only what is new waits."""

    supplier = a_supplier(
        attributes=(
            a_declaration("givenName"),
            a_declaration("sn", required=True, required_since=2),
        )
    )

    @pytest.mark.parametrize("sheet", [0, 1])
    def test_signed_on_an_earlier_sheet_it_goes_on_without(self, sheet: int) -> None:
        assert release(an_agreement(sheet=sheet), supplier=self.supplier) == {"givenName"}

    def test_signed_on_this_sheet_it_is_required(self) -> None:
        with pytest.raises(RequiredAttributeNotApproved):
            release(an_agreement(sheet=2), supplier=self.supplier)

    def test_what_is_asked_of_others_since_was_not_approved_of_them(self) -> None:
        asked = a_declaration("givenName", asked_since={Population.PUPIL: 2})
        supplier = a_supplier(attributes=(asked,))
        assert release(an_agreement(sheet=2), supplier=supplier) == {"givenName"}
        assert release(an_agreement(sheet=1), supplier=supplier) == set()
        decision = decide_release(
            supplier=supplier,
            school=SchoolId("vuurvogel"),
            agreement=an_agreement(sheet=1),
            population=Population.PUPIL,
            stated=values_of("givenName"),
            today=TODAY,
        )
        assert [each.reason for each in decision.withheld] == [WithheldBecause.NOT_APPROVED]
        unstated = decide_release(
            supplier=supplier,
            school=SchoolId("vuurvogel"),
            agreement=an_agreement(sheet=1),
            population=Population.PUPIL,
            stated={},
            today=TODAY,
        )
        assert unstated.missing == ()


def release(agreement: Agreement, **changes: object) -> set[AttributeName]:
    decision = decide_release(
        **{  # type: ignore[arg-type]
            "supplier": a_supplier(),
            "school": SchoolId("vuurvogel"),
            "agreement": agreement,
            "population": Population.PUPIL,
            "stated": values_of("givenName", "sn"),
            "today": TODAY,
        }
        | changes
    )
    return {each.name for each in decision.released}
