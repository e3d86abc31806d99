"""The school's answer through the browser: of this login, from this provider, or nothing."""

import pytest

from broker.oidc_rp.callback import MAX_CODE_CHARS, MAX_PARAMETERS, check_callback
from broker.oidc_rp.refusals import (
    SchoolAnswerNotExpected,
    SchoolAnswerUnreadable,
    SchoolAnswerWithoutLogin,
    SchoolLoginCancelled,
    SchoolLoginFailed,
    SchoolLoginRequired,
)
from tests.builders_oidc import SCHOOL_ISSUER, pairs, school_endpoints


def receive(*more: tuple[str, str], iss_required: bool = False, **changes: str | None) -> str:
    answer = pairs({"code": "code-1", "state": "state-1"}, **changes)
    return check_callback(
        [*answer, *more],
        endpoints=school_endpoints(),
        expected_state="state-1",
        iss_required=iss_required,
    )


def test_a_code_of_this_login() -> None:
    assert receive() == "code-1"
    assert receive(iss=SCHOOL_ISSUER) == "code-1"
    assert receive(iss=SCHOOL_ISSUER, iss_required=True, session_state="x") == "code-1"


@pytest.mark.parametrize("state", [None, "", "state-2", "state-1 ", "é"])
def test_check_state_expected(state: str | None) -> None:
    with pytest.raises(SchoolAnswerNotExpected, match="check_state_expected"):
        receive(state=state)


def test_an_empty_expectation_matches_nothing() -> None:
    with pytest.raises(SchoolAnswerNotExpected, match="check_state_expected"):
        check_callback([("code", "c")], endpoints=school_endpoints(), expected_state="")


@pytest.mark.parametrize("iss", ["", SCHOOL_ISSUER + "/", "https://evil.test"])
def test_check_issuer_expected(iss: str) -> None:
    for required in (True, False):
        with pytest.raises(SchoolAnswerNotExpected, match="check_issuer_expected"):
            receive(iss=iss, iss_required=required)


def test_an_advertised_issuer_must_be_there() -> None:
    with pytest.raises(SchoolAnswerNotExpected, match="check_issuer_expected"):
        receive(iss_required=True)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("access_denied", SchoolLoginCancelled),
        ("login_required", SchoolLoginRequired),
        ("interaction_required", SchoolLoginRequired),
        ("account_selection_required", SchoolLoginRequired),
        ("consent_required", SchoolLoginRequired),
        ("server_error", SchoolLoginFailed),
        ("<script>", SchoolLoginFailed),
        ("", SchoolLoginFailed),
    ],
)
def test_check_answer_is_no_error(error: str, expected: type[SchoolAnswerWithoutLogin]) -> None:
    with pytest.raises(SchoolAnswerWithoutLogin) as caught:
        receive(error=error, error_description="Noor de Vries")
    assert type(caught.value) is expected
    assert "Noor" not in str(caught.value)
    assert "script" not in str(caught.value)


def test_an_error_of_another_login_is_not_believed() -> None:
    with pytest.raises(SchoolAnswerNotExpected):
        receive(error="access_denied", state="other")


@pytest.mark.parametrize("code", [None, "", "x" * (MAX_CODE_CHARS + 1)])
def test_check_code_present(code: str | None) -> None:
    with pytest.raises(SchoolAnswerUnreadable, match="check_code_present"):
        receive(code=code)
    assert receive(code="x" * MAX_CODE_CHARS)


@pytest.mark.parametrize("name", ["code", "state", "iss"])
def test_check_parameters_once(name: str) -> None:
    with pytest.raises(SchoolAnswerUnreadable, match="check_parameters_once"):
        receive((name, "x"), (name, "x"))
    many = [(f"p{each}", "x") for each in range(MAX_PARAMETERS)]
    with pytest.raises(SchoolAnswerUnreadable, match="check_parameters_once"):
        receive(*many)


def test_check_parameters_unicode() -> None:
    with pytest.raises(SchoolAnswerUnreadable, match="check_parameters_unicode"):
        receive(state="\ud800")
