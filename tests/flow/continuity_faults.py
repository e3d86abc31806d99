"""Rules made wrong on purpose, one at a time: `continuity_machine` must find each of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace as change
from typing import Any

import pytest
from msgspec.structs import replace

from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.domain.federation import Relation
from broker.domain.ids import SchoolId
from broker.domain.takeover import Takeover
from broker.flow.naming import SupplierNames, name_person
from broker.flow.persons.arrival_budgets import _first_stated
from broker.flow.persons.person_arrivals import confirm_arrivals, later_arrivals
from broker.flow.persons.person_erasure import FoundPerson, find_person
from broker.flow.persons.person_joins import confirm_join, leave_behind
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plans import Plan
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Login,
    PersonRecord,
    SupplierSeen,
)
from broker.flow.persons.person_rules import _first_beside_local, resolve_person
from broker.flow.persons.person_suppliers import holder_root, note_visit
from broker.flow.persons.register import derive_tag
from broker.flow.persons.school_counts import Count, CountKind
from broker.flow.persons.successors import _carry_pin
from broker.pseudonyms.conversion import Conversion, name_root
from broker.pseudonyms.derivation import PersonRoot, derive_pseudonym, root_from_local
from broker.pseudonyms.group import multiply
from tests.flow.continuity_parties import HONEST, LIAR, REKENRIJK_ID
from tests.flow.continuity_rotations import SUPPLIERS

Plant = Callable[[pytest.MonkeyPatch], None]

PERSONS = "broker.flow.persons"
TAKEOVER = "broker.flow.takeover"
DATABASES = "broker.adapters.databases"


# Joins


def joins_whoever_saw_the_eck_id(patch: pytest.MonkeyPatch) -> None:
    """Binds a number with an account of its own to an ECK iD that other schools state."""
    patch.setattr(f"{PERSONS}.person_rules.must_stay_apart", lambda *_: False)


def takes_a_join_for_mature_at_once(patch: pytest.MonkeyPatch) -> None:
    def ripen(record: PersonRecord, *_: object) -> Any:
        return confirm_join(record), ()

    patch.setattr(f"{PERSONS}.person_rules.ripen_join", ripen)


def merges_who_has_a_number_anew(patch: pytest.MonkeyPatch) -> None:
    def merge(eck_root: Any, root: Any, found: FoundRecords, login: Any) -> Any:
        free = None if found.local is None else replace(found.local, bound_to=None)
        return _first_beside_local(eck_root, root, change(found, local=free), login)

    patch.setattr(f"{PERSONS}.person_rules._first_beside_local", merge)


def takes_teachers_for_pupils(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.persons.root_from_local_staff", root_from_local)


# Arrivals


def drops_the_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.persons.counts_of", lambda *_, **__: ())


def drops_the_budget_of_the_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.arrival_budgets._first_stated", lambda *_, **__: ())


def bounds_the_first_by_the_day(patch: pytest.MonkeyPatch) -> None:
    """A patient school has them all."""

    def counts(*args: Any, login: Login, budget: Any) -> tuple[Count, ...]:
        daily = Count(login.school, login.today, CountKind.FIRST, at_most=budget.first_in_all)
        return (daily,) if _first_stated(*args, login=login, budget=budget) else ()

    patch.setattr(f"{PERSONS}.arrival_budgets._first_stated", counts)


def lets_protected_pupils_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.person_rules.waits", lambda *_: False)


def confirms_protected_pupils_by_any_login(patch: pytest.MonkeyPatch) -> None:
    def confirm(record: PersonRecord, login: Any) -> PersonRecord:
        later = later_arrivals(
            record, login.school, today=login.today, after_days=login.settled_after_days
        )
        return confirm_arrivals(record, later)

    patch.setattr(f"{PERSONS}.person_rules.confirm_by_login", confirm)


def lets_a_school_in_that_was_objected_to(patch: pytest.MonkeyPatch) -> None:
    def object_and_change_nothing(person: Any, *, by: Any) -> Plan:
        plan = plan_objection(person, by=by)
        first, *_ = plan.changes
        seen = {
            school: replace(each, account=person.eck.seen[school].account)
            for school, each in first.record.seen.items()
        }
        return change(plan, changes=(Change(first.root, replace(first.record, seen=seen)),))

    patch.setattr("tests.flow.continuity_operators.plan_objection", object_and_change_nothing)


def lets_any_school_object(patch: pytest.MonkeyPatch) -> None:
    def later(record: PersonRecord, school: Any, **_: Any) -> frozenset[Any]:
        return frozenset(record.seen) - {school} if school in record.seen else frozenset()

    for module in ("person_objection", "person_plans"):
        patch.setattr(f"{PERSONS}.{module}.later_arrivals", later)


# What suppliers are told


def gives_nothing_back(patch: pytest.MonkeyPatch) -> None:
    def kept(record: PersonRecord, school: SchoolId, *_: object, **__: object) -> bytes:
        return record.seen[school].account

    patch.setattr("broker.flow.persons.person_given_back._account_again", kept)


def tells_at_every_school(patch: pytest.MonkeyPatch) -> None:
    def note(*args: Any, here: Any, **named: Any) -> Any:
        return note_visit(*args, here=frozenset({*HONEST, LIAR, *here}), **named)

    patch.setattr(f"{PERSONS}.persons.note_visit", note)


def tells_suppliers_that_never_knew(patch: pytest.MonkeyPatch) -> None:
    def leave(eck: PersonRecord, local: PersonRecord, **named: Any) -> PersonRecord:
        all_of_them = {each: SupplierSeen(epoch="a") for each in SUPPLIERS}
        return leave_behind(eck, replace(local, suppliers=all_of_them), **named)

    patch.setattr(f"{PERSONS}.person_joins.leave_behind", leave)
    patch.setattr(f"{PERSONS}.person_join_plan.leave_behind", leave)


def tells_nobody_what_was_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.person_joins.leave_behind", lambda eck, *_, **__: eck)
    patch.setattr(f"{PERSONS}.person_join_plan.leave_behind", lambda eck, *_, **__: eck)


def rotates_without_a_word(patch: pytest.MonkeyPatch) -> None:
    def name(*args: Any, **named: Any) -> SupplierNames:
        return change(name_person(*args, **named), previous=None)

    patch.setattr("broker.flow.release.name_person", name)


def converts_by_the_wrong_factor(patch: pytest.MonkeyPatch) -> None:
    def name(root: Any, *, conversion: Conversion) -> Any:
        return name_root(multiply(conversion.from_root, root), conversion=conversion)  # type: ignore[arg-type]

    patch.setattr("broker.flow.rotation.conversion.name_root", name)


def names_everybody_as_one_supplier_does(patch: pytest.MonkeyPatch) -> None:
    def derive(root: Any, *, supplier: Any, key: Any) -> Any:
        return derive_pseudonym(root, supplier=REKENRIJK_ID, key=key)

    patch.setattr("broker.flow.naming.derive_pseudonym", derive)


# Lists, take-overs, erasure


def believes_lists_of_any_size(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("broker.flow.enrolment.enrolment_feed.confirms_moves", lambda *_, **__: True)


def lets_a_held_school_protect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.listed_moves._may_protect", lambda *_, **__: True)


def reopens_a_closed_takeover(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Takeover, "state_on", lambda takeover, _today: takeover.state)


def maps_whoever_is_asked_about(patch: pytest.MonkeyPatch) -> None:
    async def find_account(root: Any, **_: Any) -> Any:
        return root

    patch.setattr(f"{TAKEOVER}.takeover_mapping.find_account", find_account)


def forgets_what_a_mapping_promised(patch: pytest.MonkeyPatch) -> None:
    def resolve(presented: Any, found: Any, *, login: Any, rules: Any) -> Any:
        known = found.eck_id
        unseen = known is not None and not known.seen
        found = change(found, eck_id=None) if unseen else found
        return resolve_person(presented, found, login=login, rules=rules)

    patch.setattr(f"{PERSONS}.persons.resolve_with_promise", resolve)


def lets_old_keys_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("broker.flow.own_schools.is_taken_over", lambda *_, **__: False)


def erases_the_eck_id_alone(patch: pytest.MonkeyPatch) -> None:
    async def find(presented: Any, *, register: Any, keys: Any) -> FoundPerson:
        found = await find_person(presented, register=register, keys=keys)
        own = {derive_tag(keys, each) for each in presented.roots}
        rows = {tag: mark for tag, mark in found.rows.items() if tag in own}
        return change(found, rows=rows)

    patch.setattr("broker.flow.operators.operator_actions.find_person", find)


def forgets_that_a_number_was_erased(patch: pytest.MonkeyPatch) -> None:
    async def find(presented: Any, *, register: Any, keys: Any) -> FoundPerson:
        found = await find_person(presented, register=register, keys=keys)
        return change(found, closes=frozenset())

    patch.setattr("broker.flow.operators.operator_actions.find_person", find)


# Schools that go on as others


def begins_anew_at_every_new_school(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.successors._carry_pin", lambda record, *_: record)


def forgets_objections_under_a_new_name(patch: pytest.MonkeyPatch) -> None:
    def carry(record: PersonRecord, *args: Any) -> PersonRecord:
        seen = {at: replace(each, objected=False) for at, each in record.seen.items()}
        carried = _carry_pin(replace(record, seen=seen), *args)
        return replace(carried, seen={**carried.seen, **record.seen})

    patch.setattr(f"{PERSONS}.successors._carry_pin", carry)


def believes_numbers_that_rested_for_years(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.successors._is_recent", lambda _: True)


def goes_on_after_the_last_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Relation, "is_in_force", lambda *_: True)


def joins_under_a_new_name_who_was_split(patch: pytest.MonkeyPatch) -> None:
    def parted(eck: PersonRecord, _: object, login: Login) -> bool:
        here = eck.seen.get(login.school)
        return here is not None and login.local_tag in here.apart

    patch.setattr(f"{PERSONS}.person_joins.were_parted", parted)


def tells_nobody_after_going_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.person_rows.with_suppliers_of", lambda old, _: old)


def erases_who_has_the_number_now(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{PERSONS}.person_rows.is_carried_from", lambda *_: False)


def looks_for_suppliers_in_one_row(patch: pytest.MonkeyPatch) -> None:
    def holder(account: PersonRoot, record: PersonRecord, **_: Any) -> PersonRoot:
        return holder_root(account, record, supplier=None)

    patch.setattr("broker.flow.rotation.conversion.holder_root", holder)


# What ends


def keeps_lists_of_closed_takeovers(patch: pytest.MonkeyPatch) -> None:
    replace_list = SqliteTakeoverLists.replace

    async def keep(lists: SqliteTakeoverLists, of: Any, tags: Any) -> Any:
        return await replace_list(lists, of, tags) if tags else None

    patch.setattr(SqliteTakeoverLists, "replace", keep)


def keeps_transfers_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{DATABASES}.sql_transfers.KEPT_DAYS_AFTER", 10_000)


def keeps_counts_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(f"{DATABASES}.sql_school_counts.KEPT_DAYS", 10_000)


IN_RULES: Mapping[Plant, str] = {
    joins_whoever_saw_the_eck_id: "kept previous register",
    takes_a_join_for_mature_at_once: "one-pseudonym register",
    merges_who_has_a_number_anew: "own-account one-pseudonym register",
    takes_teachers_for_pupils: "own-account",
    drops_the_budget: "budget",
    lets_protected_pupils_in: "protected register",
    confirms_protected_pupils_by_any_login: "protected register",
    lets_a_school_in_that_was_objected_to: "shut-out register",
    lets_any_school_object: "decided",
    tells_at_every_school: "previous",
    tells_suppliers_that_never_knew: "previous",
    tells_nobody_what_was_left: "previous",
    rotates_without_a_word: "previous",
    converts_by_the_wrong_factor: "conversion",
    names_everybody_as_one_supplier_does: "one-pseudonym own-account kept",
    gives_nothing_back: "register",
}
"""Faults in the rules about persons, with the promises of which one must be found broken first."""

IN_CHANGES: Mapping[Plant, str] = {
    believes_lists_of_any_size: "register decided",
    lets_a_held_school_protect: "register decided",
    reopens_a_closed_takeover: "closed old-keys",
    maps_whoever_is_asked_about: "mapping",
    forgets_what_a_mapping_promised: "mapping",
    lets_old_keys_out: "old-keys way-on",  # what is released is looked at once more at the end
    forgets_that_a_number_was_erased: "own-account kept",
    erases_the_eck_id_alone: "kept decided own-account",
}
"""Faults in what schools change."""

IN_RELATIONS: Mapping[Plant, str] = {
    begins_anew_at_every_new_school: "kept register",
    forgets_objections_under_a_new_name: "shut-out register",
    believes_numbers_that_rested_for_years: "kept",
    goes_on_after_the_last_day: "kept one-pseudonym register previous",
    joins_under_a_new_name_who_was_split: "kept previous register",
    tells_nobody_after_going_back: "previous conversion",
    erases_who_has_the_number_now: "kept previous",
    looks_for_suppliers_in_one_row: "conversion",
}
"""Faults in what goes on when schools merge, split or get another name."""

IN_RETENTION: Mapping[Plant, str] = {
    keeps_lists_of_closed_takeovers: "retention",
    keeps_transfers_for_ever: "retention",
    keeps_counts_for_ever: "retention",
}
"""Faults in what ends by itself."""

IN_FIRST_STATED: Mapping[Plant, str] = {
    drops_the_budget_of_the_first: "first-stated",
    bounds_the_first_by_the_day: "first-stated",
}
"""Faults in how many may come whom nobody stated before."""
