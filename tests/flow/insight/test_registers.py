"""Registers say what is in force, to whom they belong, and count nobody."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from broker.domain.agreements import GroupRule, Stopped, StoppedBy
from broker.domain.attributes import ECK_ID, AttributeName, Population
from broker.domain.console_roles import Role
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.sheet_documents import SheetDocument
from broker.domain.sheets import ServiceSheet
from broker.domain.tolerances import IdpException, Tolerance
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.insight.registers import (
    COUNTED_DAYS,
    RegisterPorts,
    Registers,
    Standing,
    standing_of,
)
from broker.flow.key_plans.key_facts import CertificateFacts
from tests.builders import a_declaration, an_agreement
from tests.flow.insight.console_actors import an_actor
from tests.flow.login_parties import FIRST_NAME, ROLE
from tests.flow.login_world import LoginWorld

OPERATOR = an_actor(Role.OPERATOR, "")
SHEET = ServiceSheet(sheet=SheetDocument(version=1))


class Counts:
    """`LoginCounts` in memory."""

    def __init__(self) -> None:
        self.sums: dict[SchoolId, tuple[int, int]] = {}
        self.asked: tuple[date, date] | None = None

    def sum_logins(
        self, schools: Iterable[SchoolId], *, since: date, before: date
    ) -> Mapping[SchoolId, tuple[int, int]]:
        self.asked = since, before
        return {each: self.sums[each] for each in schools if each in self.sums}


class Desk:
    """A world with its registers."""

    def __init__(self) -> None:
        self.world = LoginWorld()
        self.counts = Counts()
        self.certificates: list[CertificateFacts] = []
        self.registers = Registers(
            RegisterPorts(
                snapshots=self.world.snapshots,
                find_sheet={SupplierId("rekenrijk"): SHEET}.get,
                counts=self.counts,
                read_certificates=lambda logins: self.certificates if list(logins) else [],
                clock=self.world.clock,
            )
        )

    @property
    def today(self) -> date:
        return self.world.now.date()


def test_the_register_of_a_school() -> None:
    desk = Desk()
    world = desk.world
    world.change(
        "rekenrijk",
        attributes=(
            a_declaration("givenName"),
            a_declaration("sn", populations=(Population.STAFF,)),
            a_declaration("eckId"),
        ),
        eck_id_entitled=True,
    )
    approved = frozenset(map(AttributeName, ("givenName", "sn", "eckId", "mail")))
    rule = GroupRule(frozenset({"7B"}), frozenset())
    world.change(
        "vuurvogel/rekenrijk",
        approved=approved,
        approved_staff=frozenset(map(AttributeName, ("sn",))),
        group_rules=(rule,),
        last_day=desk.today + timedelta(days=30),
    )
    world.put("vuurvogel/biosfeer", None)
    school, lines = desk.registers.of_school(an_actor(), "vuurvogel")
    assert (school.id, [each.supplier.id for each in lines]) == (
        "vuurvogel",
        ["rekenrijk", "taaltuin"],
    )
    first, second = lines
    assert (first.pupils, first.staff) == ((FIRST_NAME, ECK_ID), ("sn",))
    assert (first.linked_by, first.groups, first.sheet) == ((ECK_ID,), True, SHEET)
    assert (first.standing, first.by_board, first.is_carried) == (Standing.IN_FORCE, False, False)
    assert first.ends_within(desk.today)
    assert (second.pupils, second.sheet, second.groups) == ((FIRST_NAME, ROLE), None, False)
    assert not second.ends_within(desk.today)


def test_the_register_of_a_supplier() -> None:
    desk = Desk()
    desk.world.put("kompas/rekenrijk", None)
    admin = an_actor(Role.SUPPLIER_ADMIN, "rekenrijk")
    supplier, lines = desk.registers.of_supplier(admin, "rekenrijk")
    assert supplier.id == "rekenrijk"
    assert [each.school.id for each in lines] == ["regenboog", "vuurvogel"]
    assert {each.sheet for each in lines} == {SHEET}


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.IN_FORCE),
        ({"first_day": date(2030, 1, 1)}, Standing.NOT_YET),
        ({"last_day": date(2025, 9, 1)}, Standing.ENDED),
        ({"stopped": Stopped(StoppedBy.SCHOOL, date(2025, 9, 1))}, Standing.STOPPED),
    ],
)
def test_how_an_agreement_stands(changes: dict[str, Any], standing: Standing) -> None:
    assert standing_of(an_agreement(**changes), date(2026, 1, 1)) is standing


def test_counts_of_a_school_are_of_whole_days_gone_by() -> None:
    desk = Desk()
    desk.counts.sums[SchoolId("vuurvogel")] = (200, 150)
    share = desk.registers.share_of_school(an_actor(), "vuurvogel")
    assert (share.logins, share.with_eck_id) == (200, 150)
    assert desk.counts.asked == (desk.today - timedelta(days=COUNTED_DAYS), desk.today)
    kompas = desk.registers.share_of_school(OPERATOR, "kompas")
    assert kompas.logins == 0


def test_counts_of_the_federation_are_for_who_runs_it() -> None:
    desk = Desk()
    desk.counts.sums |= {SchoolId("vuurvogel"): (200, 150), SchoolId("regenboog"): (100, 0)}
    sectors, schools = desk.registers.shares(OPERATOR)
    assert [(each.sector, each.schools, each.logins, each.with_eck_id) for each in sectors] == [
        ("po", 2, 300, 150)
    ]
    assert [each.school.id for each in schools] == ["regenboog", "vuurvogel"]
    for actor in (an_actor(), an_actor(Role.SUPPLIER_ADMIN, "rekenrijk")):
        with pytest.raises(NotAllowed):
            desk.registers.shares(actor)


def test_what_ends_soon() -> None:
    desk = Desk()
    soon, late = desk.today + timedelta(days=9), desk.today + timedelta(days=99)
    desk.world.change("vuurvogel/rekenrijk", last_day=soon)
    desk.world.change("vuurvogel/taaltuin", last_day=late)
    desk.world.change(
        "vuurvogel-login",
        exceptions=(
            IdpException(name=Tolerance.SHA1_SIGNATURES, last_day=soon, reason="-"),
            IdpException(name=Tolerance.AES_CBC, last_day=late, reason="-"),
        ),
    )
    desk.certificates = [
        CertificateFacts("identity_providers/x", "signing", at(soon), only=True),
        CertificateFacts("identity_providers/x", "signing", at(late), only=False),
    ]
    _, found = desk.registers.ending(an_actor(), "vuurvogel")
    assert [each.supplier.id for each in found.agreements] == ["rekenrijk"]
    assert found.certificates == (desk.certificates[0],)
    assert [(name, last_day) for _, name, last_day in found.exceptions] == [
        (Tolerance.SHA1_SIGNATURES.value, soon)
    ]


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "school"),
    [
        (an_actor(), "regenboog"),
        (an_actor(), "nowhere"),
        (an_actor(Role.SUPPLIER_ADMIN, "rekenrijk"), "vuurvogel"),
        (an_actor(Role.TEACHER), "vuurvogel"),
    ],
)
def test_a_register_of_another_school_is_not_there(actor: Any, school: str) -> None:
    registers = Desk().registers
    for read in (registers.of_school, registers.share_of_school, registers.ending):
        with pytest.raises(NotAllowed):
            read(actor, school)
        assert read(an_actor(), "vuurvogel")


@pytest.mark.parametrize("supplier", ["taaltuin", "nobody"])
def test_a_register_of_another_supplier_is_not_there(supplier: str) -> None:
    registers = Desk().registers
    admin = an_actor(Role.SUPPLIER_ADMIN, "rekenrijk")
    with pytest.raises(NotAllowed):
        registers.of_supplier(admin, supplier)
    with pytest.raises(NotAllowed):
        registers.of_supplier(an_actor(), "rekenrijk")
    assert registers.of_supplier(admin, "rekenrijk")
