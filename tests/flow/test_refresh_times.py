"""When a source is asked again, and what ends soon."""

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.domain.federation import State
from broker.domain.metadata_sources import (
    EntityStanding,
    MetadataSource,
    Origin,
    SourceStanding,
)
from broker.flow.federation.refresh_times import (
    FIRST_RETRY,
    JITTER,
    Ending,
    due_at,
    find_due,
    find_ending,
)
from tests.builders_saml import NOW, SECOND

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCE = MetadataSource(
    id="federation",
    state=State.TEST,
    kind="url",
    place="https://x.example",
    certificates=(),
    refresh_hours=6,
    alarm_days=2,
)
KNOWN = SourceStanding(document=b"", valid_until=NOW + 7 * DAY, confirmed_at=NOW, looked_at=NOW)


def test_a_little_before_its_hours_have_passed() -> None:
    due = due_at(SOURCE, KNOWN)
    assert NOW + 6 * HOUR * (1 - JITTER) <= due <= NOW + 6 * HOUR
    looks = (replace(KNOWN, looked_at=NOW + number * SECOND) for number in range(9))
    others = {due_at(SOURCE, each) - each.looked_at for each in looks}
    assert len(others) > 1
    assert find_due({"federation": (SOURCE, KNOWN)}, now=due - SECOND) == []
    assert find_due({"federation": (SOURCE, KNOWN)}, now=due) == ["federation"]
    assert find_due({"federation": (SOURCE, None)}, now=NOW) == ["federation"]


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, FIRST_RETRY), (2, 2 * FIRST_RETRY), (60, 6 * HOUR)]
)
def test_sooner_after_a_failure(failures: int, pause: timedelta) -> None:
    assert due_at(SOURCE, replace(KNOWN, failures=failures)) == NOW + pause


def test_what_ends_within_the_days_of_its_document() -> None:
    sources = {"federation": (SOURCE, KNOWN), "new": (SOURCE, None)}
    own = {
        Origin("federation", "https://a.example"): EntityStanding(valid_until=NOW + 2 * DAY),
        Origin("federation", "https://b.example"): EntityStanding(valid_until=NOW + 3 * DAY),
        Origin("elsewhere", "https://c.example"): EntityStanding(valid_until=NOW),
    }
    assert list(find_ending(sources, own, now=NOW)) == [
        Ending("federation", "https://a.example", NOW + 2 * DAY, "")
    ]
    failing = {"federation": (SOURCE, replace(KNOWN, failure="gives no answer"))}
    assert list(find_ending(failing, {}, now=NOW + 5 * DAY)) == [
        Ending("federation", "", NOW + 7 * DAY, "gives no answer")
    ]
    by_query = {"federation": (SOURCE, replace(KNOWN, valid_until=None))}
    assert list(find_ending(by_query, {}, now=NOW + 5 * DAY)) == []
