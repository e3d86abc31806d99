"""Whatever changes, the pupil keeps the work: a state machine over everything that may change.

Honest pupils log in at several schools, with an ECK iD, a number or both; they move, and numbers
are issued anew. A school that lies states whatever it likes. Keys rotate, accounts are joined and
split, take-overs begin and end, logins are switched, workers restart. After each step what reached
a supplier is held against `continuity_promises`; `Violated` is raised when one does not hold.
`test_continuity_machine` shows that planted faults are found.
"""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RULE_MARKER, run_state_machine_as_test

from tests.flow.continuity_actors import Actors
from tests.flow.continuity_made_up import MakesUpPupils
from tests.flow.continuity_promises import Violated
from tests.flow.continuity_relations import SchoolsGoOn
from tests.flow.continuity_retention import RecordsEnd


class ContinuityMachine(RecordsEnd, SchoolsGoOn, MakesUpPupils):
    """All of it."""


def rules_of(machine: type[Actors]) -> Any:
    """Return a machine with the rules of one class alone: it finds faults in them much sooner."""

    def hidden(step: Callable[..., None]) -> Callable[..., None]:
        def carry_out(self: Actors, *args: Any, **named: Any) -> None:
            step(self, *args, **named)

        return carry_out

    inherited = {
        name: hidden(each)
        for name, each in inspect.getmembers(machine, inspect.isfunction)
        if hasattr(each, RULE_MARKER) and name not in vars(machine)
    }
    return type(f"RulesOf{machine.__name__}", (machine,), inherited)


def what_is_found(planted: type[Actors], *, within_examples: int, steps: int = 25) -> str:
    """Return the name of the promise that is found broken first; the same one each time."""
    with pytest.raises(Violated) as found:
        run_state_machine_as_test(
            planted,
            settings=settings(
                max_examples=within_examples,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return str(found.value).partition(":")[0].replace(" ", "-")
