"""A list is measured by what logins would release, and nobody else's place opens it."""

from typing import Any

import pytest

from broker.domain.agreements import GroupRule
from broker.domain.attributes import ECK_ID, MAIL, AttributeName
from broker.domain.console_roles import Role
from broker.domain.csv_reading import CsvTooLarge, CsvUnreadable
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.insight.class_lists import MAX_PERSONS, NumberOfTheLaw, read_class_list
from broker.flow.insight.list_meter import ListMeter, Measured
from broker.flow.refusals import SchoolNotOpen
from tests.builders import a_declaration
from tests.flow.insight.console_actors import an_actor
from tests.flow.login_world import LoginWorld

LIST = b"""Roepnaam;Achternaam;Klas;Rol;Telefoon
Sanne;de Vries;7B;leerling;06
Sanne;Bakker;7B;leerling;06
Daan;Bakker;8A|plusgroep;leerling;06
Els;Visser;;docent;06
"""
TELLING = ("Sanne", "Vries", "plusgroep")


def measure(
    world: LoginWorld, body: bytes = LIST, *, other: str = "", actor: Any = None, **named: Any
) -> Measured:
    meter = ListMeter(snapshots=world.snapshots, clock=world.clock)
    fields = {"unverified_school": "vuurvogel", "unverified_supplier": "rekenrijk", **named}
    school = fields.pop("unverified_school")
    return meter.measure(actor or an_actor(), school, body, unverified_other=other, **fields)


def approve(world: LoginWorld, supplier: str, *names: str, **changes: Any) -> None:
    asked = tuple(map(a_declaration, names))
    world.change(supplier, attributes=asked, eck_id_entitled=True)
    approved = frozenset(map(AttributeName, names))
    world.change(f"vuurvogel/{supplier}", approved=approved, **changes)


def test_who_could_be_recognised() -> None:
    world = LoginWorld()
    found = measure(world)
    ((supplier, meter),) = found.meters
    assert (supplier.id, meter.persons, found.matches) == ("rekenrijk", 4, None)
    assert meter.found is not None
    assert meter.found.sizes.alone == 2
    assert not meter.found.is_full
    assert meter.not_listed == ()
    assert found.listed.left_out == 1
    assert not any(each in repr(found) for each in TELLING)


def test_what_a_supplier_gets_and_the_list_does_not_hold_is_named() -> None:
    world = LoginWorld()
    approve(world, "rekenrijk", "givenName", "birthDate", "mail")
    ((_, meter),) = measure(world).meters
    assert meter.not_listed == (MAIL, "birthDate")
    assert meter.found is not None
    assert (meter.found.is_full, meter.found.sizes.alone) == (True, 4)


def test_two_suppliers_match_by_what_both_get() -> None:
    world = LoginWorld()
    approve(world, "taaltuin", "givenName", "sn")
    approve(world, "rekenrijk", "sn", "nlEduPersonUnit")
    found = measure(world, other="taaltuin").matches
    assert found is not None
    assert (found.persons, found.by, found.matched) == (4, ("sn",), 2)
    assert found.smallest == ("sn",)
    again = measure(world, other="rekenrijk")
    assert again.matches is None  # itself alone


def test_an_eck_id_at_both_matches_everybody() -> None:
    world = LoginWorld()
    last_day = world.now.date().replace(year=world.now.year + 1)
    approve(world, "taaltuin", "eckId", last_day=last_day)
    approve(world, "rekenrijk", "eckId", last_day=last_day)
    found = measure(world, other="taaltuin").matches
    assert found is not None
    assert (found.by, found.matched) == ((ECK_ID,), 4)


def test_classes_and_staff_get_what_was_decided_of_them() -> None:
    world = LoginWorld()
    rule = GroupRule(frozenset({"plusgroep"}), frozenset())
    approve(world, "rekenrijk", "givenName", approved_staff=frozenset(), group_rules=(rule,))
    ((_, meter),) = measure(world).meters
    assert meter.found is not None
    assert (meter.found.sizes.alone, meter.found.sizes.few) == (0, 4)  # two by two


def test_where_nobody_can_log_in_nothing_is_counted() -> None:
    world = LoginWorld()
    world.put("vuurvogel/rekenrijk", None)
    found = measure(world, other="taaltuin")
    (_, meter), _ = found.meters
    assert (meter.persons, meter.found) == (0, None)
    assert found.matches is not None
    assert found.matches.persons == 0


def test_suppliers_to_choose_from() -> None:
    world = LoginWorld()
    meter = ListMeter(snapshots=world.snapshots, clock=world.clock)
    school, suppliers = meter.look(an_actor(), "vuurvogel")
    assert (school.id, [each.id for each in suppliers]) == (
        "vuurvogel",
        ["biosfeer", "rekenrijk", "taaltuin"],
    )


@pytest.mark.parametrize(
    "named",
    [
        {"unverified_school": "regenboog"},
        {"unverified_supplier": "nobody"},
        {"other": "nobody"},
        {"actor": an_actor(Role.SUPPLIER_ADMIN, "rekenrijk")},
        {"actor": an_actor(Role.OPERATOR, "")},
    ],
)
def test_what_is_somebody_elses_is_not_there(named: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        measure(LoginWorld(), **named)
    assert measure(LoginWorld()).meters


def test_a_school_without_a_login_says_so() -> None:
    world = LoginWorld()
    world.change("vuurvogel-login", enabled=False)
    with pytest.raises(SchoolNotOpen):
        measure(world)


@pytest.mark.parametrize("heading", ["BSN", "Onderwijsnummer", "hpgn"])
def test_a_list_with_a_number_of_the_law_is_refused(heading: str) -> None:
    with pytest.raises(NumberOfTheLaw):
        read_class_list(LIST.replace(b"Telefoon", heading.encode()))
    assert read_class_list(LIST.replace(b"Telefoon", "Téléphone".encode())).pupils


def test_what_is_no_list_or_too_long_is_refused() -> None:
    with pytest.raises(CsvUnreadable):
        read_class_list(b"\0")
    with pytest.raises(CsvTooLarge):
        read_class_list(b"klas\n" + b"7B\n" * (MAX_PERSONS + 1))
    assert len(read_class_list(b"klas\n" + b"7B\n" * MAX_PERSONS).pupils) == MAX_PERSONS
