"""Whom a school means by an identifier: its own number, or the login by which its list knows
somebody. Never anybody else, for both are bound to the school before they find anything.

An ECK iD is none: other schools and suppliers know it too.
"""

from dataclasses import dataclass, field
from datetime import date

from broker.domain.attributes import Population
from broker.domain.federation import School, Supplier
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement, number_sources
from broker.flow.enrolment.enrolment_records import (
    EnrolmentRecord,
    derive_login_tag,
    open_enrolment,
)
from broker.flow.enrolment.enrolments import SchoolLists
from broker.flow.held_state.framing import UnreadableRecord
from broker.flow.own_pupils.pupil_lists import ListedPupil
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.register import PersonRegister, RegisterKeys, RegisterUnavailable
from broker.pseudonyms.derivation import (
    IdentifierNotDerivable,
    InvalidPart,
    PersonRoot,
    RootKey,
    root_from_local,
    root_from_local_staff,
)


def suppliers_of_school(registry: Registry, school: School, today: date) -> tuple[Supplier, ...]:
    """Return the suppliers with whom a school has an agreement, by name."""
    found = (
        each
        for each in registry.suppliers.values()
        if find_agreement(registry, school, each.id, today) is not None
    )
    return tuple(sorted(found, key=lambda each: (each.display_name.casefold(), each.id)))


@dataclass(frozen=True, slots=True)
class OwnPupil:
    """Somebody whom a school knows by an identifier.

    Attributes:
        presented: the roots by which logins at this school present this person, as far as the
            school's number, its list and the register at this school lead to them.
        has_been_here: a login presented this person here before, or the school's list has them.
        groups: of the school's list; None when it does not know this person.
        old_numbers: of the same number at the schools that this one goes on for.
    """

    presented: Presented = field(repr=False)
    has_been_here: bool
    groups: tuple[str, ...] | None = field(default=None, repr=False)
    old_numbers: tuple[tuple[SchoolId, PersonRoot], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class OwnPupils:
    """What it takes to find them."""

    lists: SchoolLists
    register: PersonRegister
    register_keys: RegisterKeys = field(repr=False)
    root: RootKey = field(repr=False)

    async def find(
        self,
        listed: ListedPupil,
        *,
        school: School,
        population: Population = Population.PUPIL,
        registry: Registry,
        today: date,
    ) -> OwnPupil | None:
        """Return whom a school means; None when an identifier cannot be one.

        Raises:
            RegisterUnavailable: list or register cannot be read.
        """
        try:
            return await self._find(
                listed, school=school, population=population, registry=registry, today=today
            )
        except (IdentifierNotDerivable, InvalidPart):
            return None

    async def _find(
        self,
        listed: ListedPupil,
        *,
        school: School,
        population: Population,
        registry: Registry,
        today: date,
    ) -> OwnPupil:
        record = None
        for identifier in listed.identifiers:
            record = record or await self._find_listed(identifier, school=school, today=today)
        if record is not None:
            presented = Presented(
                record.population,
                eck_id=None if record.eck_root is None else as_root(record.eck_root),
                local=None if record.local_root is None else as_root(record.local_root),
            )
            return await self._follow(presented, groups=record.groups)
        derive = root_from_local_staff if population is Population.STAFF else root_from_local
        number = listed.identifiers[0]
        local = derive(school.id, number, key=self.root)
        old = tuple(
            (each.school, derive(each.school, number, key=self.root))
            for each in number_sources(registry, school.id, today)
        )
        return await self._follow(Presented(population, eck_id=None, local=local), old_numbers=old)

    async def _find_listed(
        self, login: str, *, school: School, today: date
    ) -> EnrolmentRecord | None:
        """Return what the school's list says of a login; None when it says nothing (any more)."""
        keys = self.lists.keys
        stored = await self.lists.book.find(derive_login_tag(keys, school.id, login))
        if stored is None:
            return None
        try:
            record = open_enrolment(stored.sealed, school=school.id, login=login, keys=keys)
        except UnreadableRecord:
            raise RegisterUnavailable("check_enrolment_opens") from None
        return None if record.until is not None and record.until < today else record

    async def _follow(
        self,
        presented: Presented,
        *,
        groups: tuple[str, ...] | None = None,
        old_numbers: tuple[tuple[SchoolId, PersonRoot], ...] = (),
    ) -> OwnPupil:
        """Return the person with the ECK iD to which a login here bound the school's number."""
        known = False
        if presented.local is not None:
            records = await find_records(
                (presented.local,), register=self.register, keys=self.register_keys
            )
            record = records.get(presented.local)
            known = record is not None
            if record is not None and record.bound_to is not None and presented.eck_id is None:
                presented = Presented(
                    presented.population, eck_id=as_root(record.bound_to), local=presented.local
                )
        return OwnPupil(presented, known or groups is not None, groups, old_numbers)
