"""A school shields a pupil, changes how much, and ends it: by its own number, at its own logins.

Whom it shields stands nowhere readable, so there is no list of them to look at: whoever may see it
asks about one pupil, or holds the school's own list beside what rests.
"""

from asyncio import sleep
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from broker.domain.attributes import Population
from broker.domain.console_roles import Permission, Role
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, Supplier
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.domain.shielding import Shield, ShieldLevel
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_audit import ConsoleAudit, entry_of
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.own_pupils.known_pupils import OwnPupil, OwnPupils, suppliers_of_school
from broker.flow.own_pupils.pupil_lists import ListedPupil
from broker.flow.ports import Clock, Random, Snapshots
from broker.flow.shielding.shield_records import (
    ShieldPlace,
    ShieldRecord,
    derive_shield_tag,
    places_of,
    seal_shield,
)
from broker.flow.shielding.shielded_logins import find_shields
from broker.flow.shielding.shields import Shielding, StoredShield

ID_BYTES = 12


class NoSuchPupil(Refusal):
    code = "E-PUPIL-5"
    whose_task = WhoseTask.SCHOOL
    what = "This cannot be a number or login of a pupil."
    remedy = "Write it as your school's login states it, and nothing else."


class SupplierNotChosen(Refusal):
    code = "E-PUPIL-6"
    whose_task = WhoseTask.SCHOOL
    what = "You did not say at which suppliers, or named one that is not there."
    remedy = "Choose all suppliers, or one or more of the list."


@dataclass(frozen=True, slots=True)
class ShieldView:
    """How a pupil stands at a school.

    Attributes:
        has_been_here: false: nobody with this number logged in here yet. It may be a new pupil, or
            a slip of the pen.
        shields: of the school itself, and of objections that hold.
    """

    has_been_here: bool
    shields: tuple[Shield, ...]


@dataclass(frozen=True, slots=True)
class ShieldDesk:
    """Where a school shields pupils; a teacher or other employee likewise."""

    pupils: OwnPupils
    shielding: Shielding
    snapshots: Snapshots
    console_audit: ConsoleAudit
    audit: AuditLog
    clock: Clock
    random: Random

    def suppliers_of(self, actor: Actor, school: School) -> tuple[Supplier, ...]:
        """Return the suppliers with whom the school has an agreement, by name.

        Raises:
            NotAllowed
        """
        self._check(actor, Permission.SEE_PROTECTED, school)
        return suppliers_of_school(self.snapshots.registry, school, day_of(self.clock()))

    async def look(
        self,
        actor: Actor,
        identifier: str,
        *,
        school: School,
        population: Population = Population.PUPIL,
    ) -> ShieldView:
        """Return how one pupil stands.

        Raises:
            NotAllowed, NoSuchPupil, RegisterUnavailable
        """
        self._check(actor, Permission.SEE_PROTECTED, school)
        return await self._view(await self._find(identifier, school, population), school)

    async def shield(
        self,
        actor: Actor,
        identifier: str,
        *,
        school: School,
        level: ShieldLevel,
        suppliers: Sequence[SupplierId],
        population: Population = Population.PUPIL,
    ) -> ShieldView:
        """Shield a pupil, in place of what the school decided about this one before.

        Args:
            suppliers: at which; empty: at all.

        Raises:
            NotAllowed, NoSuchPupil, SupplierNotChosen
            RegisterUnavailable, RegistryUnreadable: nobody knows whether it holds.
        """
        role = self._check(actor, Permission.PROTECT_PUPIL, school)
        if any(each not in self.snapshots.registry.suppliers for each in suppliers):
            raise SupplierNotChosen("check_suppliers_known")
        pupil = await self._find(identifier, school, population)
        record = ShieldRecord(level=level, suppliers=tuple(sorted(set(suppliers))))
        after = {"level": level.value, "suppliers": record.suppliers}
        await self._tell(actor, role, "pupil-shielded", school, after)
        places = places_of(pupil.presented, school=school.id, keys=self.shielding.keys)
        await self.shielding.book.put(school.id, self._seal(record, places))
        return await self._view(pupil, school)

    async def unshield(
        self,
        actor: Actor,
        identifier: str,
        *,
        school: School,
        population: Population = Population.PUPIL,
    ) -> ShieldView:
        """End what the school decided about a pupil; an objection goes on.

        Raises:
            NotAllowed, NoSuchPupil
            RegisterUnavailable, RegistryUnreadable: nobody knows whether it ended.
        """
        role = self._check(actor, Permission.PROTECT_PUPIL, school)
        pupil = await self._find(identifier, school, population)
        await self._tell(actor, role, "pupil-unshielded", school, {})
        keys = self.shielding.keys
        old = [derive_shield_tag(keys, at, root) for at, root in pupil.old_numbers]
        places = places_of(pupil.presented, school=school.id, keys=keys)
        await self.shielding.book.remove([*(each.tag for each in places), *old])
        return await self._view(pupil, school)

    async def find_shielded(
        self, actor: Actor, listed: Sequence[ListedPupil], *, school: School
    ) -> tuple[ListedPupil, ...]:
        """Return which pupils of the school's own list it shields itself.

        Raises:
            NotAllowed, RegisterUnavailable
        """
        self._check(actor, Permission.SEE_PROTECTED, school)
        tags = (await self.shielding.book.tags_of(school.id)).keys()
        found = []
        for each in listed:
            pupil = await self._find_listed(each, school, Population.PUPIL)
            if pupil is not None and tags & self._tags(pupil, school):
                found.append(each)
            await sleep(0)  # logins of this worker go between
        return tuple(found)

    def _check(self, actor: Actor, permission: Permission, school: School) -> Role:
        return check_may(actor, permission, school=school, registry=self.snapshots.registry)

    async def _find(self, identifier: str, school: School, population: Population) -> OwnPupil:
        listed = ListedPupil(1, (identifier,))
        pupil = await self._find_listed(listed, school, population) if identifier else None
        if pupil is None:
            raise NoSuchPupil("check_identifier_usable")
        return pupil

    async def _find_listed(
        self, listed: ListedPupil, school: School, population: Population
    ) -> OwnPupil | None:
        return await self.pupils.find(
            listed,
            school=school,
            population=population,
            registry=self.snapshots.registry,
            today=day_of(self.clock()),
        )

    def _tags(self, pupil: OwnPupil, school: School) -> set[bytes]:
        places = places_of(pupil.presented, school=school.id, keys=self.shielding.keys)
        return {each.tag for each in places}

    async def _view(self, pupil: OwnPupil, school: School) -> ShieldView:
        found = await find_shields(
            pupil.presented,
            school=school.id,
            old_roots=dict(pupil.old_numbers),
            shielding=self.shielding,
        )
        return ShieldView(pupil.has_been_here, tuple(found.by_id.values()))

    def _seal(self, record: ShieldRecord, places: Sequence[ShieldPlace]) -> list[StoredShield]:
        of = self.random(ID_BYTES).hex()
        return [
            StoredShield.own(
                each.tag, of, seal_shield(record, place=each, of=of, nonce=self.random(NONCE_BYTES))
            )
            for each in places
        ]

    async def _tell(
        self, actor: Actor, role: Role, action: str, school: School, after: Mapping[str, object]
    ) -> None:
        """Write down what is about to take effect; it names nobody."""
        now: datetime = self.clock()
        told = msgspec.json.encode(after).decode() if after else ""
        await self.console_audit.record(
            entry_of(actor, role, action, at=now, school=school.id, after=told)
        )
        self.audit.record(AuditEvent(action=f"console-{action}", school=school.id))
