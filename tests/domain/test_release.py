"""What is released: declared ∩ approved ∩ stated, and never more."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.agreements import Agreement
from broker.domain.attributes import AFFILIATION, ECK_ID, VOCABULARY, AttributeName, Population
from broker.domain.declared_attributes import DeclaredAttribute
from broker.domain.federation import Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.release import (
    AgreementNotInForce,
    ClaimsBeyondDecision,
    NoAgreement,
    Released,
    ReleaseDecision,
    RequiredAttributeNotApproved,
    RequiredAttributeNotStated,
    Withheld,
    WithheldBecause,
    decide_release,
    keep_asked,
    lint_claims,
    why_withheld,
)
from tests.builders import (
    EVERY_ATTRIBUTE,
    EVERYBODY,
    TODAY,
    a_declaration,
    a_supplier,
    an_agreement,
    values_of,
)

Values = Mapping[AttributeName, tuple[str, ...]]

DAY = timedelta(days=1)
NEVER = tuple(AttributeName(each) for each in ("pgn", "nlEduPersonHPGN", "Stampseudonym", "ｂｓｎ"))

names = st.sampled_from((*EVERY_ATTRIBUTE, *NEVER, AttributeName("shoeSize")))
some_names = st.frozensets(names)
populations = st.sets(st.sampled_from(EVERYBODY), min_size=1).map(tuple)
declarations = st.lists(
    st.builds(
        DeclaredAttribute, name=names, purpose=st.just("A purpose."), populations=populations
    ),
    unique_by=lambda each: each.name,
).map(tuple)
statements = st.dictionaries(
    names, st.lists(st.text(min_size=1), min_size=1, max_size=3).map(tuple), max_size=12
)


def decide(
    *,
    supplier: Supplier | None = None,
    agreement: Agreement | None = None,
    population: Population | None = Population.PUPIL,
    stated: Values | None = None,
    today: date = TODAY,
) -> ReleaseDecision:
    return decide_release(
        supplier=supplier or a_supplier(),
        school=SchoolId("vuurvogel"),
        agreement=agreement or an_agreement(),
        population=population,
        stated=values_of("givenName") if stated is None else stated,
        today=today,
    )


def released_by(decision: ReleaseDecision) -> set[AttributeName]:
    return {each.name for each in decision.released}


class TestLaws:
    @given(stated=statements, declared=declarations, approved=some_names, asked=some_names)
    def test_what_a_request_asks_narrows_and_never_widens(
        self,
        stated: Values,
        declared: tuple[DeclaredAttribute, ...],
        approved: frozenset[AttributeName],
        asked: frozenset[AttributeName],
    ) -> None:
        decision = decide(
            supplier=a_supplier(attributes=declared),
            agreement=an_agreement(approved=approved),
            stated=stated,
        )
        kept = keep_asked(decision, asked)
        assert released_by(kept) == released_by(decision) & asked
        assert set(kept.released) <= set(decision.released)
        left = {each.name for each in kept.withheld if each.reason is WithheldBecause.NOT_ASKED}
        assert left == released_by(decision) - asked
        assert set(decision.withheld) <= set(kept.withheld)

    @given(
        declared=declarations,
        approved=some_names,
        stated=statements,
        entitled=st.booleans(),
        ends=st.booleans(),
        population=st.sampled_from((None, *EVERYBODY)),
    )
    def test_released_is_declared_and_approved_and_stated_and_no_more(
        self,
        *,
        declared: tuple[DeclaredAttribute, ...],
        approved: frozenset[AttributeName],
        stated: Values,
        entitled: bool,
        ends: bool,
        population: Population | None,
    ) -> None:
        decision = decide(
            supplier=a_supplier(attributes=declared, eck_id_entitled=entitled),
            agreement=an_agreement(approved=approved, last_day=TODAY if ends else None),
            population=population,
            stated=stated,
        )
        released = released_by(decision)
        asked = {
            each.name
            for each in declared
            if (population in each.populations)
            or (population is None and set(each.populations) == set(EVERYBODY))
        }
        allowed = {
            each for each in VOCABULARY if not VOCABULARY[each].restricted or (entitled and ends)
        }
        assert released == asked & approved & set(stated) & allowed
        assert released.isdisjoint(NEVER)
        # released and withheld make up what was stated, each once and in its order
        withheld = {each.name for each in decision.withheld}
        assert released.isdisjoint(withheld)
        assert released | withheld == set(stated)
        assert len(decision.released) + len(decision.withheld) == len(stated)
        assert all(each.values == stated[each.name] for each in decision.released)
        # missing is what the school could still let its login send
        assert set(decision.missing) == (asked & approved) - set(stated)

    @given(declared=declarations, approved=some_names, stated=statements, more=some_names)
    def test_approving_more_takes_nothing_away(
        self,
        declared: tuple[DeclaredAttribute, ...],
        approved: frozenset[AttributeName],
        stated: Values,
        more: frozenset[AttributeName],
    ) -> None:
        supplier = a_supplier(attributes=declared)
        few = decide(supplier=supplier, agreement=an_agreement(approved=approved), stated=stated)
        many = decide(
            supplier=supplier, agreement=an_agreement(approved=approved | more), stated=stated
        )
        assert released_by(few) <= released_by(many)


class TestDefaultDeny:
    def test_releases_what_all_three_name(self) -> None:
        decision = decide()
        assert decision.released == (Released(AttributeName("givenName"), ("value of givenName",)),)
        assert (decision.withheld, decision.missing) == ((), ())
        assert (decision.supplier, decision.agreement_version) == ("rekenrijk", 1)

    def test_nothing_declared_releases_nothing(self) -> None:
        everything = an_agreement(approved=frozenset(EVERY_ATTRIBUTE), last_day=TODAY)
        decision = decide(
            supplier=a_supplier(attributes=(), eck_id_entitled=True),
            agreement=everything,
            stated=values_of(*EVERY_ATTRIBUTE),
        )
        assert decision.released == ()
        assert {each.reason for each in decision.withheld} == {WithheldBecause.NOT_DECLARED}

    def test_nothing_approved_releases_the_pseudonym_alone(self) -> None:
        decision = decide(agreement=an_agreement(approved=frozenset()))
        assert decision.released == ()
        assert decision.withheld == (
            Withheld(AttributeName("givenName"), WithheldBecause.NOT_APPROVED),
        )

    def test_nothing_stated_releases_nothing_and_says_what_is_missing(self) -> None:
        decision = decide(stated={})
        assert (decision.released, decision.withheld) == ((), ())
        assert decision.missing == ("givenName",)

    @pytest.mark.parametrize("name", [*NEVER, AttributeName("shoeSize")])
    def test_no_document_overrides_the_never_release_list(self, name: AttributeName) -> None:
        decision = decide(
            supplier=a_supplier(attributes=(a_declaration(name),), eck_id_entitled=True),
            agreement=an_agreement(approved=frozenset({name}), last_day=TODAY),
            stated={name: ("999996708",)},
        )
        assert decision.released == ()
        assert decision.withheld == (Withheld(name, WithheldBecause.NEVER),)

    def test_values_stay_out_of_sight(self) -> None:
        assert "value of" not in repr(decide())


class TestPopulation:
    asked_of_staff = a_declaration("givenName", populations=(Population.STAFF,))

    @pytest.mark.parametrize("population", EVERYBODY)
    def test_what_is_asked_of_everybody_goes_out_for_everybody(
        self, population: Population
    ) -> None:
        assert released_by(decide(population=population)) == {"givenName"}

    def test_what_is_asked_of_everybody_goes_out_when_the_role_is_unknown(self) -> None:
        assert released_by(decide(population=None)) == {"givenName"}

    def test_what_is_asked_of_staff_goes_out_for_staff(self) -> None:
        supplier = a_supplier(attributes=(self.asked_of_staff,))
        assert released_by(decide(supplier=supplier, population=Population.STAFF)) == {"givenName"}

    @pytest.mark.parametrize("population", [Population.PUPIL, None])
    def test_and_for_nobody_else(self, population: Population | None) -> None:
        decision = decide(
            supplier=a_supplier(attributes=(self.asked_of_staff,)), population=population
        )
        assert decision.withheld == (
            Withheld(AttributeName("givenName"), WithheldBecause.NOT_FOR_POPULATION),
        )

    def test_what_is_asked_of_others_is_not_missing(self) -> None:
        supplier = a_supplier(attributes=(self.asked_of_staff,))
        assert decide(supplier=supplier, stated={}).missing == ()


class TestRestricted:
    restricted = tuple(each.name for each in VOCABULARY.values() if each.restricted)

    def decide(self, name: str, *, entitled: bool, last_day: date | None) -> ReleaseDecision:
        return decide(
            supplier=a_supplier(attributes=(a_declaration(name),), eck_id_entitled=entitled),
            agreement=an_agreement(approved=frozenset({AttributeName(name)}), last_day=last_day),
            stated=values_of(name),
        )

    @pytest.mark.parametrize("name", restricted)
    def test_goes_to_an_entitled_supplier_until_an_end(self, name: str) -> None:
        assert released_by(self.decide(name, entitled=True, last_day=TODAY)) == {name}

    @pytest.mark.parametrize("name", restricted)
    def test_not_to_another_supplier(self, name: str) -> None:
        decision = self.decide(name, entitled=False, last_day=TODAY)
        assert decision.withheld[0].reason is WithheldBecause.NOT_ENTITLED

    @pytest.mark.parametrize("name", restricted)
    def test_not_without_end(self, name: str) -> None:
        decision = self.decide(name, entitled=True, last_day=None)
        assert decision.withheld[0].reason is WithheldBecause.NO_END_DATE

    def test_being_entitled_approves_nothing(self) -> None:
        assert (
            why_withheld(
                ECK_ID,
                declared=a_declaration(ECK_ID),
                approved=(),
                agreement=an_agreement(last_day=TODAY),
                entitled=True,
                population=Population.PUPIL,
            )
            is WithheldBecause.NOT_APPROVED
        )


class TestAgreement:
    def test_none_is_refused_with_the_suppliers_name(self) -> None:
        with pytest.raises(NoAgreement) as caught:
            decide_release(
                supplier=a_supplier(),
                school=SchoolId("vuurvogel"),
                agreement=None,
                population=Population.PUPIL,
                stated={},
                today=TODAY,
            )
        assert caught.value.subject == "RekenRijk"

    @pytest.mark.parametrize(
        "other", [{"supplier": SupplierId("biosfeer")}, {"school": SchoolId("regenboog")}]
    )
    def test_of_other_parties_is_none(self, other: dict[str, str]) -> None:
        with pytest.raises(NoAgreement):
            decide(agreement=an_agreement(**other))

    def test_of_the_board_counts_for_the_school(self) -> None:
        of_board = an_agreement(school=None, board="stichting-vuurvogel")
        assert released_by(decide(agreement=of_board)) == {"givenName"}

    @pytest.mark.parametrize("today", [date(2025, 8, 1), TODAY, date(2026, 7, 31)])
    def test_is_in_force_from_its_first_to_its_last_day(self, today: date) -> None:
        agreement = an_agreement(last_day=date(2026, 7, 31))
        assert released_by(decide(agreement=agreement, today=today)) == {"givenName"}

    @pytest.mark.parametrize("today", [date(2025, 7, 31), date(2026, 8, 1)])
    def test_and_on_no_other_day(self, today: date) -> None:
        with pytest.raises(AgreementNotInForce) as caught:
            decide(agreement=an_agreement(last_day=date(2026, 7, 31)), today=today)
        assert caught.value.subject == "RekenRijk"


class TestRequired:
    required = a_supplier(attributes=(a_declaration("sn", required=True),))
    approved = an_agreement(approved=frozenset({AttributeName("sn")}))

    def test_released_lets_the_login_through(self) -> None:
        decision = decide(
            supplier=self.required, agreement=self.approved, stated=values_of("sn", "mail")
        )
        assert released_by(decision) == {"sn"}

    def test_not_approved_names_the_attribute(self) -> None:
        with pytest.raises(RequiredAttributeNotApproved) as caught:
            decide(supplier=self.required, stated=values_of("sn"))
        assert caught.value.subject == "sn"
        assert caught.value.check == "check_required_released:sn"

    def test_neither_approved_nor_stated_is_first_the_approval(self) -> None:
        with pytest.raises(RequiredAttributeNotApproved):
            decide(supplier=self.required, stated={})

    def test_approved_and_not_stated_names_the_attribute(self) -> None:
        with pytest.raises(RequiredAttributeNotStated) as caught:
            decide(supplier=self.required, agreement=self.approved, stated={})
        assert caught.value.subject == "sn"

    def test_optional_ones_may_be_withheld(self) -> None:
        optional = a_supplier(attributes=(a_declaration("sn"),))
        assert decide(supplier=optional, stated=values_of("sn")).released == ()

    of_staff = a_supplier(
        attributes=(a_declaration("sn", required=True, populations=(Population.STAFF,)),)
    )

    def test_of_staff_is_not_asked_of_pupils(self) -> None:
        decision = decide(supplier=self.of_staff, population=Population.PUPIL)
        assert decision.released == ()

    def test_of_staff_needs_the_role_to_be_stated(self) -> None:
        with pytest.raises(RequiredAttributeNotStated) as caught:
            decide(supplier=self.of_staff, agreement=self.approved, population=None)
        assert caught.value.subject == AFFILIATION


NAMES = {"given_name": AttributeName("givenName"), "groups": AttributeName("nlEduPersonUnit")}

DECISION = ReleaseDecision(
    school=SchoolId("vuurvogel"),
    supplier=SupplierId("rekenrijk"),
    agreement_version=1,
    released=(
        Released(AttributeName("givenName"), ("Sanne",)),
        Released(AttributeName("nlEduPersonUnit"), ("7b", "koor")),
    ),
    withheld=(Withheld(AttributeName("sn"), WithheldBecause.NOT_APPROVED),),
    missing=(),
)


def lint(*claims: tuple[str, Collection[str]], names: Mapping[str, AttributeName] = NAMES) -> None:
    lint_claims(claims, decision=DECISION, names=names)


class TestLintClaims:
    @pytest.mark.parametrize(
        "claims",
        [
            (),
            (("given_name", ("Sanne",)),),
            (("given_name", ("Sanne",)), ("groups", ("koor", "7b"))),
            (("groups", ("koor",)),),
            (("groups", ()),),
        ],
    )
    def test_passes_what_was_released(
        self, claims: tuple[tuple[str, Collection[str]], ...]
    ) -> None:
        lint(*claims)

    @pytest.mark.parametrize(
        "claims",
        [
            (("given_name", ("Daan",)),),
            (("given_name", ("Sanne", "de Vries")),),
            (("given_name", ("sanne",)),),
            (("given_name", ("Sanne ",)),),
            (("given_name", ("Sanne", "Sanne")),),
            (("given_name", ("Sanne",)), ("given_name", ("Sanne",))),
            (("given_name", ("7b",)),),
            (("nickname", ("Sanne",)),),
            (("nickname", ()),),
            (("family_name", ("de Vries",)),),
            (("family_name", ()),),
            (("pgn", ("Sanne",)),),
        ],
    )
    def test_refuses_anything_more(self, claims: tuple[tuple[str, Collection[str]], ...]) -> None:
        names = NAMES | {"family_name": AttributeName("sn"), "pgn": AttributeName("givenName")}
        with pytest.raises(ClaimsBeyondDecision):
            lint(*claims, names=names)

    def test_refuses_a_name_that_a_profile_leads_to_the_never_release_list(self) -> None:
        decision = replace(DECISION, released=(Released(AttributeName("pgn"), ("999996708",)),))
        with pytest.raises(ClaimsBeyondDecision):
            lint_claims(
                [("number", ("999996708",))],
                decision=decision,
                names={"number": AttributeName("pgn")},
            )

    @given(
        claim=st.sampled_from(sorted(NAMES)),
        added=st.text(min_size=1),
        at=st.integers(min_value=0, max_value=3),
    )
    def test_refuses_any_addition_to_an_honest_answer(
        self, claim: str, added: str, at: int
    ) -> None:
        honest: dict[str, list[str]] = {"given_name": ["Sanne"], "groups": ["7b", "koor"]}
        lint(*honest.items())
        honest[claim].insert(at, added)
        with pytest.raises(ClaimsBeyondDecision) as caught:
            lint(*honest.items())
        assert caught.value.args == ("E-RELEASE-5", "lint_claim_values", NAMES[claim])

    @given(stated=statements)
    def test_passes_every_decision_as_decided(self, stated: Values) -> None:
        everything = tuple(a_declaration(each) for each in EVERY_ATTRIBUTE)
        decision = decide(
            supplier=a_supplier(attributes=everything, eck_id_entitled=True),
            agreement=an_agreement(approved=frozenset(EVERY_ATTRIBUTE), last_day=TODAY + DAY),
            stated=stated,
        )
        lint_claims(
            [(each.name, each.values) for each in decision.released],
            decision=decision,
            names={each: each for each in EVERY_ATTRIBUTE},
        )


def test_what_is_stated_for_another_school_is_withheld_by_name() -> None:
    unit = AttributeName("nlEduPersonUnit")
    decision = decide_release(
        supplier=a_supplier(attributes=(a_declaration("nlEduPersonUnit"),)),
        school=an_agreement().school or SchoolId(""),
        agreement=an_agreement(approved=frozenset({unit})),
        population=Population.PUPIL,
        stated={},
        elsewhere=(unit,),
        today=an_agreement().first_day,
    )
    assert [(each.name, each.reason) for each in decision.withheld] == [(unit, "other-school")]
    assert (decision.released, decision.missing) == ((), (unit,))
