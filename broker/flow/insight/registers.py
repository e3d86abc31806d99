"""Registers of what is live: who gets what of whom, by which agreement, and what ends.

Everything is read when it is asked for, from the registry that logins use, the service sheets in
force and the shared counts; nothing is a copy that could say something else. A school's register
goes through the suppliers, a supplier's through the schools: neither through all agreements.

A school sees its own register, a supplier its own, whoever runs the federation one that he names.
Counts are of logins, of days gone by; fewer than ten are told by nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from broker.domain.agreements import Agreement
from broker.domain.attributes import VOCABULARY, AttributeName, Population
from broker.domain.console_roles import Permission
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, Sector, Supplier
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.linkability import identifies
from broker.domain.registry import Registry
from broker.domain.relations import AgreementFound, find_agreement
from broker.domain.release import why_withheld
from broker.domain.sheets import ServiceSheet
from broker.flow.console.actors import Actor, check_may, find_school, find_supplier
from broker.flow.key_plans.key_facts import CertificateFacts
from broker.flow.ports import Clock, Snapshots

WARNED_DAYS = 60
"""Before something ends: a summer holiday, and boards that meet once a month."""

COUNTED_DAYS = 7
"""Before today; a whole week, so that each day of it counts once."""


class Standing(StrEnum):
    """How an agreement stands today."""

    IN_FORCE = "in-force"
    NOT_YET = "not-yet"
    ENDED = "ended"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One agreement, and what goes out by it.

    Attributes:
        by_board: the board decided for the school.
        is_carried: it comes from a school that this one goes on for.
        sheet: of the supplier, as published now; None while it has none.
    """

    school: School
    supplier: Supplier
    agreement: Agreement
    standing: Standing
    by_board: bool
    is_carried: bool
    sheet: ServiceSheet | None

    @property
    def pupils(self) -> tuple[AttributeName, ...]:
        """Return what goes out of pupils who state everything, in the vocabulary's order."""
        return _released(self.supplier, self.agreement, Population.PUPIL)

    @property
    def staff(self) -> tuple[AttributeName, ...]:
        """Return the same of employees."""
        return _released(self.supplier, self.agreement, Population.STAFF)

    @property
    def groups(self) -> bool:
        """Tell whether something else holds of some groups."""
        return bool(self.agreement.group_rules)

    @property
    def linked_by(self) -> tuple[AttributeName, ...]:
        """Return by what this supplier counts as linkable; empty where it does not."""
        return tuple(filter(identifies, dict.fromkeys((*self.pupils, *self.staff))))

    def ends_within(self, today: date, days: int = WARNED_DAYS) -> bool:
        """Tell whether it holds today and ends within so many days."""
        last_day = self.agreement.last_day
        holds = self.standing is Standing.IN_FORCE
        return holds and last_day is not None and last_day <= today + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class LoginShare:
    """Logins of pupils at a school in the counted days, and those among them with an ECK iD."""

    school: School
    logins: int
    with_eck_id: int


@dataclass(frozen=True, slots=True)
class SectorShare:
    """The same of all schools of an education sector that counted any."""

    sector: Sector
    schools: int
    logins: int
    with_eck_id: int


@dataclass(frozen=True, slots=True)
class EndingSoon:
    """What ends at a school.

    Attributes:
        agreements: within `WARNED_DAYS`.
        certificates: of its logins, likewise.
        exceptions: name and last day of each that is tolerated of a login.
    """

    agreements: tuple[RegisterLine, ...]
    certificates: tuple[CertificateFacts, ...]
    exceptions: tuple[tuple[SchoolIdp, str, date], ...]


class LoginCounts(Protocol):
    """Where counts of logins rest."""

    def sum_logins(
        self, schools: Iterable[SchoolId], *, since: date, before: date
    ) -> Mapping[SchoolId, tuple[int, int]]:
        """Return, of each of these that counted any: logins of pupils, and those with an ECK iD.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class RegisterPorts:
    """Where registers are read from."""

    snapshots: Snapshots
    find_sheet: Callable[[SupplierId], ServiceSheet | None]
    counts: LoginCounts
    read_certificates: Callable[[Iterable[SchoolIdp]], Iterable[CertificateFacts]]
    clock: Clock


class Registers:
    """Reads. Keeps nothing."""

    def __init__(self, ports: RegisterPorts) -> None:
        self._ports = ports

    def of_school(self, actor: Actor, unverified_school: str) -> tuple[School, list[RegisterLine]]:
        """Return every agreement that counts for a school, by the supplier's name.

        Raises:
            NotAllowed: no such school, or not for this actor.
            RegistryUnreadable: a sheet cannot be read.
        """
        registry = self._ports.snapshots.registry
        school = find_school(
            actor,
            Permission.SEE_REGISTERS,
            unverified_school=unverified_school,
            registry=registry,
        )
        return school, self._lines_of(school, registry)

    def of_supplier(
        self, actor: Actor, unverified_supplier: str
    ) -> tuple[Supplier, list[RegisterLine]]:
        """Return every agreement of a supplier, by the school's name; raises as `of_school`."""
        registry = self._ports.snapshots.registry
        supplier = find_supplier(
            actor,
            Permission.SEE_REGISTERS,
            unverified_supplier=unverified_supplier,
            registry=registry,
        )
        today, sheet = self._today(), self._ports.find_sheet(supplier.id)
        found = (
            (school, find_agreement(registry, school, supplier.id, today))
            for school in registry.schools.values()
        )
        lines = [
            _line(school, supplier, each, sheet=sheet, today=today)
            for school, each in found
            if each is not None
        ]
        return supplier, sorted(
            lines, key=lambda each: (each.school.name.casefold(), each.school.id)
        )

    def share_of_school(self, actor: Actor, unverified_school: str) -> LoginShare:
        """Return a school's own logins; raises as `of_school`, and `RegisterUnavailable`."""
        school = find_school(
            actor,
            Permission.SEE_REGISTERS,
            unverified_school=unverified_school,
            registry=self._ports.snapshots.registry,
        )
        return LoginShare(school, *self._sums([school.id]).get(school.id, (0, 0)))

    def shares(self, actor: Actor) -> tuple[list[SectorShare], list[LoginShare]]:
        """Return the logins of the federation, by sector and by school.

        Raises:
            NotAllowed: to whoever does not run it.
            RegisterUnavailable
        """
        registry = self._ports.snapshots.registry
        check_may(actor, Permission.OPERATE, registry=registry)
        found = [
            LoginShare(registry.schools[school], *counted)
            for school, counted in self._sums(registry.schools).items()
        ]
        return list(_by_sector(found)), sorted(found, key=lambda each: each.school.name.casefold())

    def ending(self, actor: Actor, unverified_school: str) -> tuple[School, EndingSoon]:
        """Return what ends at a school within `WARNED_DAYS`; raises as `of_school`."""
        school, lines = self.of_school(actor, unverified_school)
        registry, today = self._ports.snapshots.registry, self._today()
        logins = registry.offered_logins(school.id, today=today)
        until = today + timedelta(days=WARNED_DAYS)
        certificates = self._ports.read_certificates(logins)
        return school, EndingSoon(
            agreements=tuple(each for each in lines if each.ends_within(today)),
            certificates=tuple(each for each in certificates if day_of(each.expires_at) <= until),
            exceptions=tuple(
                (idp, each.name.value, each.last_day)
                for idp in logins
                for each in idp.exceptions
                if each.last_day <= until
            ),
        )

    def _lines_of(self, school: School, registry: Registry) -> list[RegisterLine]:
        today = self._today()
        found = (
            (supplier, find_agreement(registry, school, supplier.id, today))
            for supplier in registry.suppliers.values()
        )
        lines = [
            _line(school, supplier, each, sheet=self._ports.find_sheet(supplier.id), today=today)
            for supplier, each in found
            if each is not None
        ]
        return sorted(lines, key=lambda each: each.supplier.display_name.casefold())

    def _sums(self, schools: Iterable[SchoolId]) -> Mapping[SchoolId, tuple[int, int]]:
        today = self._today()
        return self._ports.counts.sum_logins(
            schools, since=today - timedelta(days=COUNTED_DAYS), before=today
        )

    def _today(self) -> date:
        return day_of(self._ports.clock())


def standing_of(agreement: Agreement, today: date) -> Standing:
    """Return how an agreement stands on a day in the Netherlands."""
    if agreement.is_stopped(today):
        return Standing.STOPPED
    if agreement.is_in_force(today):
        return Standing.IN_FORCE
    return Standing.NOT_YET if today < agreement.first_day else Standing.ENDED


def _line(
    school: School,
    supplier: Supplier,
    found: AgreementFound,
    *,
    sheet: ServiceSheet | None,
    today: date,
) -> RegisterLine:
    agreement = found.agreement
    return RegisterLine(
        school=school,
        supplier=supplier,
        agreement=agreement,
        standing=standing_of(agreement, today),
        by_board=agreement.school is None,
        is_carried=bool(found.carried_from),
        sheet=sheet,
    )


def _released(
    supplier: Supplier, agreement: Agreement, population: Population
) -> tuple[AttributeName, ...]:
    """Return what goes out of such people by the rule of every login, whatever they state."""
    declared = {each.name: each for each in supplier.attributes}
    is_staff = population is Population.STAFF
    approved = agreement.approved_of_staff if is_staff else agreement.approved
    return tuple(
        name
        for name in VOCABULARY
        if name in declared
        and why_withheld(
            name,
            declared=declared[name],
            approved=approved,
            agreement=agreement,
            entitled=supplier.eck_id_entitled,
            population=population,
        )
        is None
    )


def _by_sector(shares: Iterable[LoginShare]) -> Iterator[SectorShare]:
    for sector in Sector:
        of = [each for each in shares if each.school.sector is sector]
        if of:
            logins = sum(each.logins for each in of)
            yield SectorShare(sector, len(of), logins, sum(each.with_eck_id for each in of))
