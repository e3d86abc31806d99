"""The state machine of `continuity_machine`, and the rules made wrong that it must find.

`make test` runs half a minute of it; `pytest tests/flow/test_continuity_machine.py -k Continuity
--hypothesis-profile=long` runs for an hour or so.
"""

import pytest
from hypothesis import settings

from tests.flow.continuity_faults import PLANTED, Plant
from tests.flow.continuity_machine import ContinuityMachine, what_is_found

IS_LONG = settings.get_current_profile_name() == "long"

TestContinuity = ContinuityMachine.TestCase
TestContinuity.settings = settings(
    max_examples=8000 if IS_LONG else 60, stateful_step_count=40, deadline=None
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda each: each.__name__)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert what_is_found(ContinuityMachine, within_examples=300)
