"""The forms in which a list arrives, and what is no list."""

from typing import Any

import pytest

from broker.domain import enrolment_file
from broker.domain.enrolment import FeedRefused
from broker.domain.enrolment_file import FeedUnreadable, read_csv, read_json_lines


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_table(mark: str, separator: str, ending: str) -> None:
    rows = ["Login;eck_id;groups", 'a;x;"7B|""8A"""', "", "b;y;", ";;"]
    body = (mark + ending.join(rows).replace(";", separator)).encode()
    lines = read_csv(body)
    assert [each.number for each in lines] == [2, 4]
    assert lines[0].fields == {"login": "a", "eck_id": "x", "groups": '7B|"8A"'}
    assert lines[1].read("groups") == ""
    assert lines[1].read("until") == ""
    assert "x" not in repr(lines[0])


def test_a_list_may_be_empty() -> None:
    assert read_csv(b"login;eck_id\n") == []


@pytest.mark.parametrize(
    ("body", "check"),
    [
        (b"", "check_feed_is_text"),
        (b" \n", "check_feed_is_text"),
        (b"login\n\xff", "check_feed_is_text"),
        (b"login\na\0", "check_feed_is_text"),
        (b"sub;eck_id\na;x", "check_column_login"),
        (b"login;name\na;x", "check_columns_known"),
        (b"login;login\na;x", "check_columns_once"),
        (b'login;eck_id\na;"x', "check_feed_is_a_table"),
    ],
)
def test_what_is_no_list(body: bytes, check: str) -> None:
    with pytest.raises(FeedUnreadable, match=check) as caught:
        read_csv(body)
    assert caught.value.__context__ is None or b"x" not in str(caught.value.__context__).encode()
    assert read_csv(b"login;eck_id\na;x")


def test_each_line_has_the_fields_of_the_header() -> None:
    with pytest.raises(FeedRefused) as caught:
        read_csv(b"login;eck_id\na;x\nb;y;z")
    assert [each.line for each in caught.value.problems] == [3]


def test_json_lines() -> None:
    (line,) = read_json_lines([(4, b'{"login": "a", "protected": "yes"}')])
    assert (line.number, line.read("login"), line.read("protected")) == (4, "a", "yes")
    assert "a" not in repr(enrolment_file._SentLine(login="a")).removeprefix("_SentLine")


@pytest.mark.parametrize(
    "line", [b"{", b'{"login": 5}', b'{"eck_id": "x"}', b'{"login": "a", "name": "x"}', b"\xff"]
)
def test_a_line_that_is_no_such_object(line: bytes) -> None:
    with pytest.raises(FeedRefused) as caught:
        read_json_lines([(1, b'{"login": "a"}'), (2, line)])
    assert [each.line for each in caught.value.problems] == [2]


def test_a_list_has_an_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(enrolment_file, "MAX_LINES", 2)
    assert len(read_csv(b"login\na\nb")) == 2
    with pytest.raises(FeedUnreadable, match="check_feed_lines_bounded"):
        read_csv(b"login\na\nb\nc")
    with pytest.raises(FeedUnreadable, match="check_feed_lines_bounded"):
        read_json_lines((number, b'{"login": "a"}') for number in range(3))
