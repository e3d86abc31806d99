"""The state machine of `continuity_machine`, and rules made wrong on purpose that it must find.

`make test` runs a minute of it; `pytest tests/flow/test_continuity_machine.py
--hypothesis-profile=long` runs for about an hour.
"""

from collections.abc import Callable
from dataclasses import replace as change
from typing import Any

import pytest
from hypothesis import settings
from msgspec.structs import replace

from broker.flow import naming
from broker.flow.persons.person_plans import Plan
from broker.flow.persons.person_records import Change, PersonRecord, SupplierSeen
from broker.flow.persons.persons import (
    KnownPerson,
    person_arrivals,
    person_joins,
    person_plans,
    person_rules,
    person_suppliers,
    persons,
)
from broker.pseudonyms import conversion as conversions
from broker.pseudonyms import derivation
from broker.pseudonyms.group import multiply
from tests.flow import continuity_operators
from tests.flow.continuity_machine import ContinuityMachine, what_is_found
from tests.flow.continuity_operators import SUPPLIERS
from tests.flow.continuity_world import HONEST, LIAR, REKENRIJK_ID

IS_LONG = settings.get_current_profile_name() == "long"

TestContinuity = ContinuityMachine.TestCase
TestContinuity.settings = settings(
    max_examples=10_000 if IS_LONG else 60, stateful_step_count=40, deadline=None
)

Plant = Callable[[pytest.MonkeyPatch], None]


def joins_whoever_saw_the_eck_id(patch: pytest.MonkeyPatch) -> None:
    """Binds a number with an account of its own to an ECK iD that other schools state."""
    patch.setattr(person_rules, "must_stay_apart", lambda *_: False)


def takes_a_join_for_mature_at_once(patch: pytest.MonkeyPatch) -> None:
    def ripen(record: PersonRecord, login: Any, rules: Any) -> Any:
        return person_joins.confirm_join(record), ()

    patch.setattr(person_rules, "ripen_join", ripen)


def drops_the_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(persons, "counts_of", lambda *_, **__: ())


def lets_protected_pupils_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(person_rules, "waits", lambda *_: False)


def confirms_protected_pupils_by_any_login(patch: pytest.MonkeyPatch) -> None:
    def confirm(record: PersonRecord, login: Any) -> PersonRecord:
        later = person_arrivals.later_arrivals(
            record, login.school, today=login.today, after_days=login.settled_after_days
        )
        return person_arrivals.confirm_arrivals(record, later)

    patch.setattr(person_rules, "confirm_by_login", confirm)


def lets_a_school_in_that_was_objected_to(patch: pytest.MonkeyPatch) -> None:
    plan_objection = person_plans.plan_objection

    def object_and_change_nothing(person: Any, *, by: Any) -> Plan:
        plan = plan_objection(person, by=by)
        first, *_ = plan.changes
        seen = {
            school: replace(each, account=person.eck.seen[school].account)
            for school, each in first.record.seen.items()
        }
        return change(plan, changes=(Change(first.root, replace(first.record, seen=seen)),))

    patch.setattr(continuity_operators, "plan_objection", object_and_change_nothing)


def lets_any_school_object(patch: pytest.MonkeyPatch) -> None:
    def later(record: PersonRecord, school: Any, **_: Any) -> frozenset[Any]:
        return frozenset(record.seen) - {school} if school in record.seen else frozenset()

    patch.setattr(person_plans, "later_arrivals", later)


def merges_who_has_a_number_anew(patch: pytest.MonkeyPatch) -> None:
    first_beside_local = person_rules._first_beside_local

    def merge(eck_root: Any, root: Any, local: PersonRecord | None, login: Any) -> Any:
        free = None if local is None else replace(local, bound_to=None)
        return first_beside_local(eck_root, root, free, login)

    patch.setattr(person_rules, "_first_beside_local", merge)


def tells_at_every_school(patch: pytest.MonkeyPatch) -> None:
    note_visit = person_suppliers.note_visit

    def note(*args: Any, here: Any, **named: Any) -> Any:
        return note_visit(*args, here=frozenset({*HONEST, LIAR}), **named)

    patch.setattr(persons, "note_visit", note)


def tells_suppliers_that_never_knew(patch: pytest.MonkeyPatch) -> None:
    leave_behind = person_joins.leave_behind

    def leave(eck: PersonRecord, local: PersonRecord, **named: Any) -> PersonRecord:
        all_of_them = {each: SupplierSeen(epoch="a") for each in SUPPLIERS}
        return leave_behind(eck, replace(local, suppliers=all_of_them), **named)

    patch.setattr(person_joins, "leave_behind", leave)
    patch.setattr(person_plans, "leave_behind", leave)


def tells_nobody_what_was_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(person_joins, "leave_behind", lambda eck, *_, **__: eck)
    patch.setattr(person_plans, "leave_behind", lambda eck, *_, **__: eck)


def rotates_without_a_word(patch: pytest.MonkeyPatch) -> None:
    name_person = naming.name_person

    def name(person: KnownPerson, **named: Any) -> naming.SupplierNames:
        return change(name_person(person, **named), previous=None)

    patch.setattr("broker.flow.release.name_person", name)


def converts_by_the_wrong_factor(patch: pytest.MonkeyPatch) -> None:
    name_root = conversions.name_root

    def name(root: Any, *, conversion: conversions.Conversion) -> Any:
        return name_root(multiply(conversion.from_root, root), conversion=conversion)  # type: ignore[arg-type]

    patch.setattr("broker.flow.rotation.conversion.name_root", name)


def names_everybody_as_one_supplier_does(patch: pytest.MonkeyPatch) -> None:
    derive = derivation.derive_pseudonym
    patch.setattr(
        naming,
        "derive_pseudonym",
        lambda root, supplier, key: derive(root, supplier=REKENRIJK_ID, key=key),
    )


def takes_teachers_for_pupils(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(persons, "root_from_local_staff", derivation.root_from_local)


PLANTED = (
    joins_whoever_saw_the_eck_id,
    takes_a_join_for_mature_at_once,
    drops_the_budget,
    lets_protected_pupils_in,
    confirms_protected_pupils_by_any_login,
    lets_a_school_in_that_was_objected_to,
    lets_any_school_object,
    merges_who_has_a_number_anew,
    tells_at_every_school,
    tells_suppliers_that_never_knew,
    tells_nobody_what_was_left,
    rotates_without_a_word,
    converts_by_the_wrong_factor,
    names_everybody_as_one_supplier_does,
    takes_teachers_for_pupils,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda each: each.__name__)
def test_a_planted_fault_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert what_is_found(ContinuityMachine, within_examples=300)
