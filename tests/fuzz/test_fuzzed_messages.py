"""Mutated messages, and those that are kept in `seeds` because they once told something.

A mutation is refused by one of our own refusals, with the name of a check, or what is read of it
holds what its target says; no other exception ever, and never more work than `work.BOUNDS`.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.domain.refusals import Refusal, every_refusal
from tests.fuzz.steps import Step, steps, write_program
from tests.fuzz.target import accept
from tests.fuzz.targets import TARGETS

KEPT = [
    json.loads(line)
    for file in sorted((Path(__file__).parent / "seeds").glob("*.jsonl"))
    for line in file.read_text().splitlines()
]
EXAMPLES = 150
"""Of each target; `make fuzz` looks for longer."""
REGISTERED = {each.code for each in every_refusal()}


def check(name: str, base: str, program: list[Step]) -> str:
    """Hold what holds of every mutation; return by which check it was refused, "" for none."""
    target, found = TARGETS[name], read(name, base, program)
    if isinstance(found, Refusal):
        assert found.code in REGISTERED
        assert found.check
        return found.check
    honest = accept(target, base, [])
    assert target.holds(honest, found), write_program(name, base, program)
    return ""


def read(name: str, base: str, program: list[Step]) -> Any:
    """Return what is read of a mutation, or the refusal; any other exception is a failure."""
    try:
        return accept(TARGETS[name], base, program)
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=EXAMPLES)
@given(program=steps, data=st.data())
def test_a_mutated_message_is_refused_or_says_the_same(
    name: str, program: list[Step], data: st.DataObject
) -> None:
    check(name, data.draw(st.sampled_from(sorted(TARGETS[name].bases))), program)


@pytest.mark.parametrize(
    ("name", "base"), [(name, base) for name, target in TARGETS.items() for base in target.bases]
)
def test_the_message_as_it_was_is_accepted(name: str, base: str) -> None:
    assert check(name, base, []) == ""


@pytest.mark.parametrize("kept", KEPT, ids=lambda each: f"{each['target']}: {each['shows']}")
def test_a_kept_mutation_ends_as_it_is_written_down(kept: dict[str, Any]) -> None:
    assert check(kept["target"], kept["base"], kept["steps"]) == kept["refused_by"]


def test_every_target_has_kept_mutations_of_both_ends() -> None:
    """So that refusing everything fails, and accepting everything too."""
    for name in TARGETS:
        ends = {bool(each["refused_by"]) for each in KEPT if each["target"] == name}
        assert ends == {True, False}, name
