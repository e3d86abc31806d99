"""What a signed statement must say: every check of `STATEMENT_CHECKS`, with its twin."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.refusals import Refusal, WhoseTask
from broker.saml_sp import refusals as r
from broker.saml_sp.checks import ASSERTION_MAX_AGE, STATEMENT_CHECKS, usable_until
from broker.saml_sp.login import SamlLogin
from broker.saml_sp.statement import SignedAssertion, read_statement
from broker.saml_xml import names as n
from broker.saml_xml.clock import CLOCK_SKEW
from broker.saml_xml.elements import Element, build_element
from tests.builders_saml import (
    BROKER_ACS,
    BROKER_SP,
    MINUTE,
    NOW,
    PUPIL,
    SCHOOL_ENTITY,
    SECOND,
    a_response,
    an_expectation,
    read,
    saml,
)
from tests.saml_sp.refusing import refused

OTHER = "https://somebody-else.example"


class TestForUs:
    @pytest.mark.parametrize("field", ["issuer", "response_issuer"])
    def test_issuers(self, field: str) -> None:
        for other in (OTHER, SCHOOL_ENTITY + "/", SCHOOL_ENTITY.upper(), ""):
            refused(r.ResponseFromSomebodyElse, "check_issuers", **{field: other})

    def test_destination(self) -> None:
        for other in (None, OTHER, BROKER_ACS + "?x", BROKER_ACS + "/"):
            refused(r.ResponseForSomebodyElse, "check_destination", destination=other)

    def test_in_response_to(self) -> None:
        for other in (None, "_another"):
            refused(
                r.ResponseToAnotherRequest, "check_in_response_to", response_in_response_to=other
            )

    def test_one_confirmation(self) -> None:
        for changes in (
            {"confirmations": 0},
            {"confirmations": 2},
            {"confirmed_until": None},
            {"confirmed_from": NOW - MINUTE},
        ):
            refused(r.ResponseMalformed, "check_one_confirmation", **changes)

    def test_one_confirmation_of_bearers(self) -> None:
        def no_data(assertion: Element) -> None:
            confirmation = assertion.find(f".//{saml('SubjectConfirmation')}")
            assert confirmation is not None
            confirmation.remove(confirmation[0])

        def holder_of_key(assertion: Element) -> None:
            confirmation = assertion.find(f".//{saml('SubjectConfirmation')}")
            assert confirmation is not None
            confirmation.set("Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")

        for edit in (no_data, holder_of_key):
            refused(r.ResponseMalformed, "check_one_confirmation", edit_assertion=edit)

    def test_recipient(self) -> None:
        for other in (None, OTHER, BROKER_ACS.upper()):
            refused(r.ResponseForSomebodyElse, "check_recipient", recipient=other)

    def test_confirmed_request(self) -> None:
        for other in (None, "_another"):
            refused(r.ResponseToAnotherRequest, "check_confirmed_request", in_response_to=other)

    @pytest.mark.parametrize(
        "audiences", [(), ((OTHER,),), ((BROKER_SP,), (OTHER,)), ((BROKER_SP + "/",),)]
    )
    def test_audience(self, audiences: tuple[tuple[str, ...], ...]) -> None:
        refused(r.ResponseForSomebodyElse, "check_audience", audiences=audiences)

    @pytest.mark.parametrize(
        "audiences", [((OTHER, BROKER_SP),), ((BROKER_SP,), (OTHER, BROKER_SP))]
    )
    def test_audience_among_others(self, audiences: tuple[tuple[str, ...], ...]) -> None:
        assert read(audiences=audiences).login.attributes == PUPIL

    def test_conditions_understood(self) -> None:
        def add(local: str) -> Any:
            def edit(assertion: Element) -> None:
                conditions = assertion.find(saml("Conditions"))
                assert conditions is not None
                conditions.append(build_element(saml(local)))

            return edit

        refused(
            r.ResponseMalformed,
            "check_conditions_understood",
            edit_assertion=add("ProxyRestriction"),
        )
        assert read(edit_assertion=add("OneTimeUse")).login.attributes == PUPIL


class TestTimes:
    @pytest.mark.parametrize("field", ["issue_instant", "not_before", "authn_instant"])
    def test_not_too_early(self, field: str) -> None:
        assert read_with(field, NOW + CLOCK_SKEW)
        caught = refused(
            r.ResponseTooEarly, "check_not_too_early", **{field: NOW + CLOCK_SKEW + SECOND}
        )
        assert caught.whose_task is WhoseTask.SCHOOL

    @pytest.mark.parametrize("field", ["confirmed_until", "not_on_or_after", "session_until"])
    def test_not_too_late(self, field: str) -> None:
        assert read_with(field, NOW - CLOCK_SKEW + SECOND)
        caught = refused(r.ResponseTooLate, "check_not_too_late", **{field: NOW - CLOCK_SKEW})
        assert caught.whose_task is WhoseTask.PUPIL
        assert caught.may_retry

    def test_not_too_late_by_our_own_cap(self) -> None:
        hours: dict[str, Any] = {
            "confirmed_until": NOW + 60 * MINUTE,
            "not_on_or_after": NOW + 60 * MINUTE,
        }
        last = NOW + ASSERTION_MAX_AGE + CLOCK_SKEW
        assert read(now=last - SECOND, **hours).assertion_not_on_or_after == last
        refused(r.ResponseTooLate, "check_not_too_late", now=last, **hours)

    @pytest.mark.parametrize("year", [1, 9999])
    @pytest.mark.parametrize(
        "field", ["issue_instant", "not_before", "authn_instant", "not_on_or_after"]
    )
    def test_the_ends_of_time_are_no_accident(self, field: str, year: int) -> None:
        end = datetime(year, 12 if year > 1 else 1, 31, tzinfo=NOW.tzinfo)
        try:
            read_with(field, end)
        except Refusal:
            return
        assert (field, year) in {("not_before", 1), ("authn_instant", 1), ("not_on_or_after", 9999)}

    def test_fresh_login_when_forced(self) -> None:
        expected = an_expectation(force_authn_since=NOW)
        assert read(expected=expected, authn_instant=NOW - CLOCK_SKEW)
        old = NOW - CLOCK_SKEW - SECOND
        refused(r.LoginNotFresh, "check_fresh_login", expected=expected, authn_instant=old)
        assert read(authn_instant=old - 600 * MINUTE)

    def test_fresh_login_within_max_age(self) -> None:
        expected = an_expectation(max_age_seconds=3600)
        oldest = NOW - timedelta(hours=1) - CLOCK_SKEW
        assert read(expected=expected, authn_instant=oldest)
        refused(
            r.LoginNotFresh, "check_fresh_login", expected=expected, authn_instant=oldest - SECOND
        )
        assert read(expected=an_expectation(max_age_seconds=10**30), authn_instant=oldest)

    @given(
        moment=st.integers(-2000, 2000),
        until=st.integers(-2000, 2000),
        session=st.none() | st.integers(-2000, 2000),
    )
    def test_what_is_remembered_is_exactly_what_would_be_accepted(
        self, moment: int, until: int, session: int | None
    ) -> None:
        """Replay: after `assertion_not_on_or_after` the checks refuse by themselves."""
        ends = NOW + until * SECOND
        changes = {
            "not_before": None,
            "not_on_or_after": ends,
            "session_until": None if session is None else NOW + session * SECOND,
        }
        try:
            login = end_of_use(changes, NOW + moment * SECOND)
        except (r.ResponseTooLate, r.ResponseTooEarly):
            return
        assert NOW + moment * SECOND < login
        with pytest.raises(r.ResponseTooLate):
            end_of_use(changes, login)


def read_with(field: str, instant: datetime) -> SamlLogin:
    changes: dict[str, Any] = {field: instant}
    return read(**changes)


def end_of_use(changes: dict[str, Any], now: datetime) -> datetime:
    """Return the end of the statement that `changes` describe, without cryptography."""
    response = a_response(signed="nothing", **changes)
    statement = read_statement(SignedAssertion(response[-1], None, response))  # type: ignore[arg-type]
    for check in STATEMENT_CHECKS:
        check(statement, an_expectation(), now)
    return usable_until(statement)


class TestWho:
    def test_level(self) -> None:
        expected = an_expectation(authn_contexts=(n.AUTHN_PASSWORD,))
        assert read(expected=expected).login.acr == n.AUTHN_PASSWORD
        for other in (None, n.AUTHN_UNSPECIFIED):
            refused(r.LevelNotReached, "check_level", expected=expected, authn_context=other)

    @pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0"])
    def test_name_id_not_blank(self, blank: str) -> None:
        refused(r.NameIdUnusable, "check_name_id", name_id=blank)

    def test_name_id_for_us(self) -> None:
        persistent = {"Format": n.NAMEID_PERSISTENT, "SPNameQualifier": BROKER_SP}
        assert read(name_id_attributes=persistent).name_id.sp_name_qualifier == BROKER_SP
        refused(
            r.NameIdUnusable,
            "check_name_id",
            name_id_attributes=persistent | {"SPNameQualifier": OTHER},
        )

    def test_name_id_stated(self) -> None:
        refused(r.NameIdUnusable, "check_name_id_stated", name_id=None)

        def without_subject(assertion: Element) -> None:
            assertion.remove(assertion.find(saml("Subject")))  # type: ignore[arg-type]

        refused(r.NameIdUnusable, "check_subject_stated", edit_assertion=without_subject)


def test_every_check_of_the_table_has_a_test() -> None:
    tests = {name for cls in (TestForUs, TestTimes, TestWho) for name in dir(cls)}
    for check in STATEMENT_CHECKS:
        tested = check.__name__.replace("check_", "test_")
        assert any(name.startswith(tested) for name in tests), check.__name__


def test_the_table_has_as_many_checks_as_were_reviewed() -> None:
    assert len(STATEMENT_CHECKS) == 13
