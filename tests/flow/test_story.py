"""The story of a login, from log lines in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from broker.flow.following.check_results import CheckResult
from broker.flow.following.story import LogLine, NoLogLine, Story, parse_line, tell_stories

BEGUN = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
REFERENCE = "befoheko"


def a_line(event: str = "request", *, second: float = 0, **fields: Any) -> LogLine:
    stated = {"login": "aaaqeayeaudaocaj", "worker": "broker-1/7", **fields}
    return LogLine(event=event, timestamp=BEGUN + timedelta(seconds=second), **stated)


BEGIN = a_line(second=1, step="begin", protocol="saml", verdict="begun", relying_party="taaltuin")
CHOICE = a_line(second=2, step="choose-school", verdict="ok", idp="kompas", worker="broker-2/9")
REFUSAL = a_line(
    "refused",
    second=3,
    code="E-RELEASE-3",
    check="check_required_released:givenName",
    reference=REFERENCE,
    school="kompas",
    supplier="taaltuin",
)
ANSWER = a_line(
    second=3.001,
    step="school-answer",
    protocol="oidc",
    verdict="refused",
    code="E-RELEASE-3",
    check="check_required_released:givenName",
    reference=REFERENCE,
    status=403,
    ms=12.5,
)
WHOLE = (BEGIN, CHOICE, REFUSAL, ANSWER)


def the_story(*lines: LogLine) -> Story:
    (story,) = tell_stories(lines, reference=REFERENCE)
    return story


def test_steps_stand_in_order_with_what_was_written_down_in_them() -> None:
    story = the_story(*reversed(WHOLE))
    assert [each.step for each in story.steps] == ["begin", "choose-school", "school-answer"]
    assert [each.worker for each in story.steps] == ["broker-1/7", "broker-2/9", "broker-1/7"]
    assert [len(each.events) for each in story.steps] == [0, 0, 1]
    last = story.steps[-1]
    assert (last.code, last.reference, last.status, last.ms) == (
        "E-RELEASE-3",
        REFERENCE,
        403,
        12.5,
    )
    assert last.events[0].subject == "givenName"
    failed = [
        (group.title, name)
        for group in last.checks
        for name, result in group.checks
        if result is CheckResult.FAILED
    ]
    assert failed == [("what the school approved", "check_required_released")]


def test_before_a_school_is_chosen_the_way_there_was_not_reached() -> None:
    def way(**changes: Any) -> set[CheckResult]:
        lines = (msgspec.structs.replace(BEGIN, **changes), REFUSAL, ANSWER)
        checks = the_story(*lines).steps[0].checks
        (group,) = [each for each in checks if each.title == "the way to the school"]
        return {result for _, result in group.checks}

    assert way() == {CheckResult.NOT_REACHED}
    assert way(idp="kompas") == {CheckResult.PASSED}
    assert way(idp="kompas", verdict="released") == {CheckResult.NOT_REACHED}


def test_a_session_that_answers_is_told_as_a_release() -> None:
    def receipt(**changes: Any) -> set[CheckResult]:
        lines = (msgspec.structs.replace(BEGIN, idp="kompas", **changes), REFUSAL, ANSWER)
        checks = the_story(*lines).steps[0].checks
        (group,) = [each for each in checks if each.title == "the receipt"]
        return {result for _, result in group.checks}

    assert receipt() == {CheckResult.NOT_REACHED}
    assert receipt(verdict="released") == {CheckResult.PASSED}


def test_a_page_that_waits_hands_nothing_over() -> None:
    def receipt(verdict: str) -> set[CheckResult]:
        shown = a_line(second=2, step="school-answer", protocol="saml", verdict=verdict)
        checks = the_story(shown, REFUSAL).steps[0].checks
        (group,) = [each for each in checks if each.title == "the receipt"]
        return {result for _, result in group.checks}

    assert receipt("ok") == {CheckResult.NOT_REACHED}
    assert receipt("released") == {CheckResult.PASSED}


def test_lines_of_other_logins_are_left_out() -> None:
    other = a_line(second=2, step="begin", protocol="oidc", login="mfrggzdfmztwq2lk")
    assert the_story(*WHOLE, other) == the_story(*WHOLE)


def test_a_reference_that_was_given_twice_is_two_stories() -> None:
    again = [
        msgspec.structs.replace(
            each, login="mfrggzdfmztwq2lk", timestamp=each.timestamp - timedelta(days=9)
        )
        for each in WHOLE
    ]
    stories = tell_stories([*WHOLE, *again], reference=REFERENCE)
    assert [each.login for each in stories] == ["mfrggzdfmztwq2lk", "aaaqeayeaudaocaj"]
    assert {len(each.steps) for each in stories} == {3}


def test_a_request_of_no_login_is_a_story_of_its_own() -> None:
    lines = [msgspec.structs.replace(each, login="") for each in (REFUSAL, ANSWER)]
    stranger = a_line(second=9, login="", step="begin")
    story = the_story(*lines, stranger)
    assert story.login == ""
    assert [each.step for each in story.steps] == ["school-answer"]


def test_without_lines_of_requests_the_events_remain() -> None:
    story = the_story(REFUSAL, a_line("released", second=9, names=("givenName",)))
    assert [(each.step, each.verdict) for each in story.steps] == [
        ("", "refused"),
        ("", "released"),
    ]
    assert story.steps[0].checks == ()


def test_an_unknown_reference_is_no_story() -> None:
    assert tell_stories(WHOLE, reference="unknown") == ()


class TestLines:
    def test_a_line_of_ours_is_read_and_more_fields_are_passed_over(self) -> None:
        line = msgspec.json.encode(ANSWER)
        assert parse_line(line) == ANSWER
        assert parse_line(line[:-1] + b',"new":[1]}') == ANSWER

    @pytest.mark.parametrize(
        "damaged",
        [
            b"",
            b"Started broker.",
            b'{"event":"request","timest',
            b'{"event":"request"}',
            b'{"event":"request","timestamp":"yesterday"}',
            b'{"event":"request","timestamp":"2026-09-01T07:31:05"}',
            b'{"event":1,"timestamp":"2026-09-01T07:31:05Z"}',
            b'{"event":"\xff","timestamp":"2026-09-01T07:31:05Z"}',
            b"[]",
        ],
    )
    def test_what_is_damaged_or_not_ours_is_refused(self, damaged: bytes) -> None:
        with pytest.raises(NoLogLine):
            parse_line(damaged)
