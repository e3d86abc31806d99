from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.saml_xml.instants import format_instant, parse_instant
from broker.saml_xml.refusals import MessageUnreadable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T08:00:00Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00.123Z", datetime(2026, 3, 2, 8, 0, 0, 123_000, tzinfo=UTC)),
        ("2026-03-02T08:00:00.1234567Z", datetime(2026, 3, 2, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-03-02T09:00:00+01:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-01T22:30:00-09:30", datetime(2026, 3, 2, 8, tzinfo=UTC)),
    ],
)
def test_an_instant_with_a_zone_is_read(text: str, expected: datetime) -> None:
    instant = parse_instant(text)
    assert instant == expected
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T08:00:00",  # no zone: anybody's guess
        "2026-03-02",
        "",
        " 2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00Z\n",
        "2026-03-02 08:00:00Z",
        "2026-03-02T08:00Z",
        "2026-03-02T08:00:00z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T08:00:60Z",
        "2026-02-30T08:00:00Z",
        "2026-03-02T08:00:00.Z",
        "2026-03-02T08:00:00+15:00",
        "2026-03-02T08:00:00+0100",
        "12026-03-02T08:00:00Z",
        "-2026-03-02T08:00:00Z",
        "0000-03-02T08:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-03-02T08:00:00Z",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MessageUnreadable, match="instant"):
        parse_instant(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_we_write_reads_back_in_whole_seconds(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant.replace(microsecond=0)


def test_an_instant_is_written_in_utc() -> None:
    amsterdam = timezone(timedelta(hours=2))
    assert format_instant(datetime(2026, 7, 1, 10, tzinfo=amsterdam)) == "2026-07-01T08:00:00Z"


def test_a_naive_instant_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 7, 1, 10))  # noqa: DTZ001 -- that is the mistake
