"""How far the checks of a request came: what is known, and what nobody can know."""

from itertools import chain

import pytest

from broker.flow.following.check_results import CheckResult, GroupResult, tell_checks
from broker.flow.following.step_checks import HAND_OVER, groups_of
from broker.flow.following.trail import LoginStep
from broker.saml_sp.checks import STATEMENT_CHECKS

PASSED, FAILED, NOT_REACHED, UNKNOWN = CheckResult
ANSWER = (LoginStep.SCHOOL_ANSWER, "saml")


def results(groups: tuple[GroupResult, ...]) -> dict[str, CheckResult]:
    return dict(chain.from_iterable(each.checks for each in groups))


def of_group(groups: tuple[GroupResult, ...], title: str) -> set[CheckResult]:
    (found,) = [each for each in groups if each.title == title]
    return {result for _, result in found.checks}


@pytest.mark.parametrize("step", [each for each in LoginStep if each is not LoginStep.BEGIN])
def test_every_step_has_checks(step: LoginStep) -> None:
    assert any(groups_of(step, protocol) for protocol in ("", "oidc", "saml"))


def test_where_nothing_refused_all_passed() -> None:
    assert set(results(tell_checks(*ANSWER)).values()) == {PASSED}


def test_of_a_table_what_came_before_passed_and_what_comes_after_was_not_reached() -> None:
    told = tell_checks(*ANSWER, failed="check_audience", code="E-SAML-21")
    (statement,) = [each for each in told if each.title == "the statement"]
    names = [each.__name__ for each in STATEMENT_CHECKS]
    at = names.index("check_audience")
    assert statement.checks == tuple(
        (name, PASSED if n < at else FAILED if n == at else NOT_REACHED)
        for n, name in enumerate(names)
    )
    assert of_group(told, "signature and encryption") == {PASSED}
    assert of_group(told, "what the school approved") == {NOT_REACHED}


def test_what_has_no_order_tells_nothing_of_the_others() -> None:
    told = tell_checks(*ANSWER, failed="digest", code="E-XML-3")
    assert of_group(told, "signature and encryption") == {FAILED, UNKNOWN}
    assert of_group(told, "the statement") == {NOT_REACHED}


def test_what_is_made_at_several_moments_tells_nothing_of_what_comes_after() -> None:
    told = tell_checks(*ANSWER, failed="check_login_step", code="E-LOGIN-9")
    assert of_group(told, "the browser began this login") == {PASSED}
    assert of_group(told, "the statement") == {UNKNOWN}


def test_a_required_attribute_is_no_part_of_the_checks_name() -> None:
    told = tell_checks(*ANSWER, failed="check_required_released:givenName", code="E-RELEASE-3")
    assert results(told)["check_required_released"] is FAILED


def test_what_was_wrong_inside_what_was_decrypted() -> None:
    told = tell_checks(*ANSWER, failed="decrypted-depth", code="E-XML-5")
    assert results(told)["decrypted-element"] is FAILED


@pytest.mark.parametrize(
    ("code", "title"), [("E-RECEIPT-1", "the receipt"), ("E-PERSON-2", "who it is")]
)
def test_of_two_checks_of_one_name_the_code_tells_which(code: str, title: str) -> None:
    told = tell_checks(*ANSWER, failed="check_written", code=code)
    assert [each.title for each in told if FAILED in dict(each.checks).values()] == [title]


def test_a_fault_of_ours_is_no_check() -> None:
    told = tell_checks(*ANSWER, failed="KeyError", code="E-HTTP-5")
    assert told[-1].checks == (("KeyError", FAILED),)
    assert set(results(told[:-1]).values()) == {UNKNOWN}


def test_what_there_was_no_reason_to_come_to() -> None:
    told = tell_checks(*ANSWER, skipped=HAND_OVER)
    assert of_group(told, "the receipt") == {NOT_REACHED}
    assert of_group(told, "who it is") == {PASSED}
