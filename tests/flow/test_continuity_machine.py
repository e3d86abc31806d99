"""The state machine of `continuity_machine`, and the rules made wrong that it must find.

`make test` runs half a minute of it, with the rules of relations by themselves; `pytest
tests/flow/test_continuity_machine.py -k Continuity --hypothesis-profile=long` runs all of them
together, for an hour or so.
"""

import pytest
from hypothesis import settings

from tests.flow.continuity_faults import (
    IN_CHANGES,
    IN_FIRST_STATED,
    IN_RELATIONS,
    IN_RETENTION,
    IN_RULES,
    Plant,
)
from tests.flow.continuity_machine import ContinuityMachine, rules_of, what_is_found
from tests.flow.continuity_made_up import MakesUpPupils
from tests.flow.continuity_relations import SchoolsGoOn
from tests.flow.continuity_retention import RecordsEnd
from tests.flow.continuity_rotations import KeysRotate
from tests.flow.continuity_undo import ChangesAreUndone

IS_LONG = settings.get_current_profile_name() == "long"

# What chance finds is for the long run, and not for whoever builds: here it is the same each time.
TestContinuity = (ContinuityMachine if IS_LONG else RecordsEnd).TestCase
TestContinuity.settings = settings(
    max_examples=8000 if IS_LONG else 50,
    stateful_step_count=40,
    deadline=None,
    derandomize=not IS_LONG,
)

TestSchoolsGoOn = rules_of(SchoolsGoOn).TestCase
TestSchoolsGoOn.settings = settings(
    max_examples=1000 if IS_LONG else 50,
    stateful_step_count=6,
    deadline=None,
    derandomize=not IS_LONG,
)


TestMakesUpPupils = rules_of(MakesUpPupils).TestCase
TestMakesUpPupils.settings = settings(
    max_examples=1000 if IS_LONG else 15,
    stateful_step_count=10,
    deadline=None,
    derandomize=not IS_LONG,
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
    assert what_is_found(ChangesAreUndone, within_examples=300) in promises.split()


@pytest.mark.parametrize(
    ("plant", "promises"), IN_RELATIONS.items(), ids=[each.__name__ for each in IN_RELATIONS]
)
def test_a_fault_planted_in_what_goes_on_is_found(
    plant: Plant, promises: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert what_is_found(rules_of(SchoolsGoOn), within_examples=300, steps=8) in promises.split()


@pytest.mark.parametrize(
    ("plant", "promises"), IN_RETENTION.items(), ids=[each.__name__ for each in IN_RETENTION]
)
def test_a_fault_planted_in_what_ends_is_found(
    plant: Plant, promises: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert what_is_found(rules_of(RecordsEnd), within_examples=300) in promises.split()


@pytest.mark.parametrize(
    ("plant", "promises"), IN_FIRST_STATED.items(), ids=[each.__name__ for each in IN_FIRST_STATED]
)
def test_a_fault_planted_in_who_may_be_first_is_found(
    plant: Plant, promises: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert what_is_found(rules_of(MakesUpPupils), within_examples=100) in promises.split()
