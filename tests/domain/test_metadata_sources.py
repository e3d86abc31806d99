"""Until when metadata of sources are believed."""

from datetime import timedelta

from broker.domain.metadata_sources import (
    MAX_BELIEVED,
    EntityStanding,
    Origin,
    SourceStanding,
    SourceUpdate,
    Validity,
    apply_update,
    believed_until,
    build_validity,
)
from tests.builders_saml import NOW, SECOND

DAY = timedelta(days=1)
SCHOOL, OTHER = Origin("federation", "https://a.example"), Origin("elsewhere", "https://a.example")


def a_standing(**changes: object) -> SourceStanding:
    known = {"document": b"", "valid_until": NOW + DAY, "confirmed_at": NOW, "looked_at": NOW}
    return SourceStanding(**(known | changes))  # type: ignore[arg-type]


def test_a_partys_own_end_goes_before_its_sources() -> None:
    found = Validity({"federation": NOW + DAY}, {SCHOOL: NOW})
    assert found.until(SCHOOL) == NOW
    assert found.until(Origin("federation", "https://b.example")) == NOW + DAY
    assert found.until(OTHER) is None


def test_valid_up_to_the_moment_and_not_at_it() -> None:
    found = Validity({"federation": NOW + DAY})
    assert found.is_valid(SCHOOL, now=NOW + DAY - SECOND)
    assert not found.is_valid(SCHOOL, now=NOW + DAY)
    assert not found.is_valid(OTHER, now=NOW)


def test_the_next_end_is_one_that_is_to_come() -> None:
    found = Validity({"federation": NOW + DAY}, {SCHOOL: NOW})
    assert found.next_end(now=NOW - SECOND) == NOW
    assert found.next_end(now=NOW) == NOW + DAY
    assert found.next_end(now=NOW + DAY) is None


def test_no_metadata_are_believed_for_years() -> None:
    assert believed_until(NOW + DAY, confirmed_at=NOW) == NOW + DAY
    assert believed_until(NOW + 1000 * DAY, confirmed_at=NOW) == NOW + MAX_BELIEVED


def test_an_update_is_of_one_source() -> None:
    known = {"federation": a_standing(), "elsewhere": a_standing(valid_until=None)}
    own, others = EntityStanding(valid_until=NOW), EntityStanding(valid_until=NOW + DAY)
    update = SourceUpdate("federation", a_standing(failures=1), {"https://b.example": own})
    sources, entities = apply_update(known, {SCHOOL: own, OTHER: others}, update)
    assert sources["federation"].failures == 1
    assert entities.keys() == {SCHOOL, OTHER, Origin("federation", "https://b.example")}
    gone = SourceUpdate("federation", None, all_entities=True)
    sources, entities = apply_update(sources, entities, gone)
    assert (sources.keys(), entities.keys()) == ({"elsewhere"}, {OTHER})
    assert build_validity(sources, entities) == Validity({}, {OTHER: NOW + DAY})
