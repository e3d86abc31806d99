"""What each state of a take-over means, and which steps lead from one to another."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.agreements import Agreement
from broker.domain.attributes import ECK_ID, UID, AttributeName, Population
from broker.domain.ids import SchoolId
from broker.domain.release import (
    ReleaseDecision,
    RequiredAttributeNotApproved,
    Withheld,
    WithheldBecause,
    decide_release,
)
from broker.domain.takeover import (
    MEANINGS,
    OLD_KEYS,
    Takeover,
    TakeoverState,
    check_next_state,
    withholds_old_keys,
)
from broker.domain.takeover_refusals import NotNextState, TakeoverEnded
from tests.builders import (
    TODAY,
    a_declaration,
    a_supplier,
    a_takeover,
    an_agreement,
    values_of,
)

DAY = timedelta(days=1)
SETTABLE = [each for each in TakeoverState if each is not TakeoverState.CLOSED]
GIVEN_NAME = AttributeName("givenName")


def decide(
    takeover: Takeover | None,
    *,
    entitled: bool = True,
    agreement: Agreement | None = None,
    required: bool = False,
    stated: tuple[str, ...] = ("eckId", "uid", "givenName"),
    today: date = TODAY,
) -> ReleaseDecision:
    declared = tuple(
        a_declaration(name=name, required=required and name in OLD_KEYS)
        for name in (ECK_ID, UID, GIVEN_NAME)
    )
    return decide_release(
        supplier=a_supplier(attributes=declared, eck_id_entitled=entitled),
        school=SchoolId("vuurvogel"),
        agreement=agreement
        or an_agreement(approved=frozenset({ECK_ID, UID, GIVEN_NAME}), last_day=TODAY + 365 * DAY),
        population=Population.PUPIL,
        stated=values_of(*stated),
        today=today,
        taken_over=withholds_old_keys(takeover, today=today),
    )


def released(decision: ReleaseDecision) -> set[str]:
    return {each.name for each in decision.released}


class TestWhatGoesOut:
    @pytest.mark.parametrize("state", SETTABLE)
    def test_the_old_keys_go_out_only_where_the_table_lets_them(self, state: TakeoverState) -> None:
        decision = decide(a_takeover(state))
        let_out = MEANINGS[state].releases_old_keys
        assert released(decision) == ({ECK_ID, UID, GIVEN_NAME} if let_out else {GIVEN_NAME})
        reasons = [] if let_out else [WithheldBecause.TAKEN_OVER] * 2
        assert [each.reason for each in decision.withheld] == reasons

    def test_only_on_and_closed_withhold(self) -> None:
        withholding = {each for each in TakeoverState if not MEANINGS[each].releases_old_keys}
        assert withholding == {TakeoverState.ON, TakeoverState.CLOSED}

    @pytest.mark.parametrize("state", SETTABLE)
    def test_after_the_last_day_the_pseudonym_goes_alone(self, state: TakeoverState) -> None:
        takeover = a_takeover(state, last_day=TODAY)
        assert withholds_old_keys(takeover, today=TODAY) == (state is TakeoverState.ON)
        assert withholds_old_keys(takeover, today=TODAY + DAY)
        assert released(decide(takeover, today=TODAY + DAY)) == {GIVEN_NAME}

    @given(
        state=st.sampled_from(SETTABLE),
        entitled=st.booleans(),
        approved=st.frozensets(st.sampled_from((ECK_ID, UID, GIVEN_NAME))),
        ends=st.booleans(),
        stated=st.sets(st.sampled_from(("eckId", "uid", "givenName"))),
    )
    def test_a_takeover_never_lets_out_what_would_not_go_without(
        self,
        *,
        state: TakeoverState,
        entitled: bool,
        approved: frozenset[AttributeName],
        ends: bool,
        stated: set[str],
    ) -> None:
        agreement = an_agreement(approved=approved, last_day=TODAY if ends else None)
        circumstances = {"entitled": entitled, "agreement": agreement, "stated": tuple(stated)}
        without = decide(None, **circumstances)  # type: ignore[arg-type]
        within = decide(a_takeover(state), **circumstances)  # type: ignore[arg-type]
        assert released(within) <= released(without)
        assert released(without) - released(within) <= OLD_KEYS
        assert {each.name for each in (*within.released, *within.withheld)} == stated

    def test_a_key_that_was_replaced_is_not_required_any_more(self) -> None:
        for stated in (("eckId", "givenName"), ("givenName",)):
            decision = decide(a_takeover(TakeoverState.ON), required=True, stated=stated)
            assert released(decision) == {GIVEN_NAME}
            assert decision.missing == ()

    def test_while_it_goes_out_it_may_be_required(self) -> None:
        agreement = an_agreement(approved=frozenset({GIVEN_NAME}), last_day=TODAY)
        with pytest.raises(RequiredAttributeNotApproved):
            decide(a_takeover(TakeoverState.PREPARE), required=True, agreement=agreement)

    def test_what_is_not_approved_is_withheld_for_that_reason(self) -> None:
        agreement = an_agreement(approved=frozenset(), last_day=TODAY)
        decision = decide(a_takeover(TakeoverState.ON), agreement=agreement, stated=("eckId",))
        assert decision.withheld == (Withheld(ECK_ID, WithheldBecause.NOT_APPROVED),)


class TestSteps:
    @pytest.mark.parametrize("state", SETTABLE)
    @pytest.mark.parametrize("to", TakeoverState)
    def test_only_the_steps_of_the_table(self, state: TakeoverState, to: TakeoverState) -> None:
        if to in MEANINGS[state].next:
            check_next_state(a_takeover(state), to=to, today=TODAY)
            return
        with pytest.raises(NotNextState) as refused:
            check_next_state(a_takeover(state), to=to, today=TODAY)
        assert refused.value.subject == f"{state} -> {to}"

    @pytest.mark.parametrize("state", SETTABLE)
    @pytest.mark.parametrize("to", TakeoverState)
    def test_nothing_leads_out_of_closed(self, state: TakeoverState, to: TakeoverState) -> None:
        with pytest.raises(TakeoverEnded):
            check_next_state(a_takeover(state, last_day=TODAY), to=to, today=TODAY + DAY)

    def test_no_command_closes(self) -> None:
        assert all(TakeoverState.CLOSED not in each.next for each in MEANINGS.values())

    def test_every_step_but_the_end_can_be_taken_back(self) -> None:
        """From each state, every state that was reached before can be reached again."""

        def reachable(state: TakeoverState) -> set[TakeoverState]:
            found = {state}
            while more := {to for each in found for to in MEANINGS[each].next} - found:
                found |= more
            return found

        for state in SETTABLE:
            releasing = {each for each in reachable(state) if MEANINGS[each].releases_old_keys}
            assert releasing, state
            assert TakeoverState.ON in reachable(state), state

    def test_the_mapping_is_open_from_the_beginning_to_the_end(self) -> None:
        shut = {each for each in TakeoverState if not MEANINGS[each].mapping_open}
        assert shut == {TakeoverState.NONE, TakeoverState.CLOSED}
