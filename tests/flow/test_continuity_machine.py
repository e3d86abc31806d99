"""The state machine of `continuity_machine`, and the rules made wrong that it must find.

`make test` runs half a minute of it; `pytest tests/flow/test_continuity_machine.py -k Continuity
--hypothesis-profile=long` runs for an hour or so.
"""

import pytest
from hypothesis import settings

from tests.flow.continuity_faults import IN_CHANGES, IN_RULES, Plant
from tests.flow.continuity_machine import ContinuityMachine, what_is_found
from tests.flow.continuity_operators import KeysRotate

IS_LONG = settings.get_current_profile_name() == "long"

TestContinuity = ContinuityMachine.TestCase
TestContinuity.settings = settings(
    max_examples=8000 if IS_LONG else 50, stateful_step_count=40, deadline=None
)


@pytest.mark.parametrize(
    ("plant", "promises"), IN_RULES.items(), ids=[each.__name__ for each in IN_RULES]
)
def test_a_fault_planted_in_the_rules_is_found(
    plant: Plant, promises: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert what_is_found(KeysRotate, within_examples=300) in promises.split()


@pytest.mark.parametrize(
    ("plant", "promises"), IN_CHANGES.items(), ids=[each.__name__ for each in IN_CHANGES]
)
def test_a_fault_planted_in_what_schools_change_is_found(
    plant: Plant, promises: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert what_is_found(ContinuityMachine, within_examples=300) in promises.split()
