"""Whoever waits is remembered for the day, and by nothing that says who it is."""

from datetime import timedelta
from itertools import count

import pytest

from broker.domain.ids import SchoolId
from broker.flow.persons import waiting_pupils
from broker.flow.persons.waiting_pupils import WaitingPupils
from broker.pseudonyms.derivation import PersonRoot
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root

ONE, OTHER = a_root("one"), a_root("other")


KEYS = count(1)


def mark(
    waiting: WaitingPupils,
    root: PersonRoot = ONE,
    *,
    school: SchoolId = REGENBOOG,
    days: int = 0,
) -> bytes:
    return waiting.mark_of(
        root,
        school=school,
        today=FIRST_DAY + timedelta(days=days),
        random=lambda size: bytes([next(KEYS)]) * size,
    )


def test_of_one_pupil_at_one_school_on_one_day() -> None:
    waiting = WaitingPupils()
    first = mark(waiting)
    assert not waiting.remembers(first)
    waiting.remember(first)
    assert waiting.remembers(mark(waiting))
    assert not waiting.remembers(mark(waiting, OTHER))
    assert not waiting.remembers(mark(waiting, school=VUURVOGEL))
    assert not waiting.remembers(mark(waiting, days=1))
    assert not waiting.remembers(mark(waiting)), "another day forgets everybody"


def test_marks_of_two_days_or_two_workers_have_nothing_in_common() -> None:
    one, other = WaitingPupils(), WaitingPupils()
    marks = {mark(one), mark(other), mark(one, days=1)}
    assert len(marks) == 3
    assert all(ONE not in each for each in marks)


def test_who_is_too_many_to_be_remembered_counts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_pupils, "MOST_REMEMBERED", 1)
    waiting = WaitingPupils()
    for root in (ONE, OTHER):
        waiting.remember(mark(waiting, root))
    assert waiting.remembers(mark(waiting, ONE))
    assert not waiting.remembers(mark(waiting, OTHER))
