"""The school's own key to its pupils: who is behind a pseudonym, and which pseudonym somebody has.

The school brings its own list; it is looked at in memory, a line at a time, and kept nowhere. Each
pseudonym is that of the account which a login at this school opens now, by the rules of a login,
which write nothing here. Who never logged in at this school has none: nobody learns by asking what
an account will be called.

A teacher finds pupils of the groups alone that the teacher's own login states, and by the list
alone that the school sent us: of what stands in an uploaded file a teacher could write anything.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

import msgspec

from broker.domain.console_roles import Permission, Role
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, Supplier
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_audit import ConsoleAudit, entry_of
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.own_pupils.known_pupils import OwnPupil, OwnPupils, suppliers_of_school
from broker.flow.own_pupils.pupil_lists import ListedPupil
from broker.flow.persons.person_reading import PersonReader
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.persons.successors import find_succession
from broker.flow.ports import Clock, Snapshots
from broker.flow.programs.quotas import Quota, QuotaExceeded, QuotaLedger
from broker.pseudonyms.derivation import Pseudonym, derive_pseudonym
from broker.pseudonyms.epochs import PairwiseKeys, select_key

QUOTA, TEACHERS_QUOTA = "own-pupils", "own-pupils-teachers"


class Reason(StrEnum):
    """Why somebody looks; from a list, so that no words about a pupil are kept."""

    RESULTS = "results"
    """To put results of the material to pupils."""
    HELP = "help"
    """A pupil or parent asked for help at the supplier."""
    RIGHTS = "rights"
    """A pupil or parent asked for access, correction or erasure."""
    LEAVING = "leaving"
    """The school or pupil leaves the supplier."""
    INCIDENT = "incident"
    """Something went wrong, and it must be known whom it is about."""


class ReasonMissing(Refusal):
    code = "E-PUPIL-7"
    whose_task = WhoseTask.SCHOOL
    what = "You did not say why you look this up."
    remedy = "Choose a reason. It is written down, without names or numbers of pupils."


class SupplierNotOfSchool(Refusal):
    code = "E-PUPIL-8"
    whose_task = WhoseTask.SCHOOL
    what = "Your school has no agreement with this supplier."
    remedy = "Choose a supplier of the list."
    http_status = 403


class LookedUpTooMuch(Refusal):
    code = "E-PUPIL-9"
    whose_task = WhoseTask.SCHOOL
    what = "You have looked up as many pupils as you may today. Nothing was looked up."
    remedy = "Go on tomorrow, or send only the pupils whom you need."
    http_status = 429


class FoundState(StrEnum):
    """What became of a line."""

    FOUND = "found"
    NOT_SEEN = "not-seen"
    """Nobody with this number or login has logged in at this school."""
    NOT_YOURS = "not-yours"
    """Not in a group of the teacher who asks, by the school's list; or not on it."""


@dataclass(frozen=True, slots=True)
class FoundPupil:
    """One line of the answer.

    Attributes:
        pseudonym: None when there is none to tell.
        previous: by which the supplier may still know this pupil, while its keys rotate.
        is_known: whether the supplier was ever told it.
    """

    listed: ListedPupil
    state: FoundState
    pseudonym: Pseudonym | None = field(default=None, repr=False)
    previous: Pseudonym | None = field(default=None, repr=False)
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class PseudonymFinder:
    """Answers a school about its own pupils.

    Attributes:
        lines_a_day: that the teachers of a school may look up together, and the others likewise.
    """

    pupils: OwnPupils
    reader: PersonReader
    pairwise: PairwiseKeys = field(repr=False)
    quotas: QuotaLedger
    snapshots: Snapshots
    console_audit: ConsoleAudit
    audit: AuditLog
    clock: Clock
    lines_a_day: int

    def suppliers_of(self, actor: Actor, school: School) -> tuple[Supplier, ...]:
        """Return the suppliers with whom the school has an agreement, by name.

        Raises:
            NotAllowed
        """
        self._check(actor, school)
        return suppliers_of_school(self.snapshots.registry, school, day_of(self.clock()))

    def is_teacher(self, actor: Actor, school: School) -> bool:
        """Tell whether somebody finds pupils of own groups alone.

        Raises:
            NotAllowed
        """
        return self._check(actor, school) is Role.TEACHER

    async def find(
        self,
        actor: Actor,
        listed: Sequence[ListedPupil],
        *,
        school: School,
        supplier: SupplierId,
        reason: Reason | None,
        pause: Callable[[], Awaitable[object]],
    ) -> tuple[FoundPupil, ...]:
        """Return the pseudonym of each listed pupil at a supplier, in order.

        Written down and counted before anything is looked up: who guesses pays for guesses.

        Args:
            pause: awaited between lines, so that logins of this worker go between.

        Raises:
            NotAllowed, ReasonMissing, SupplierNotOfSchool, LookedUpTooMuch
            RegisterUnavailable, RegistryUnreadable, QuotasUnavailable
            EpochKeyMissing: the supplier's pseudonyms cannot be derived.
        """
        role = self._check(actor, school)
        known = self._supplier_of(actor, school, supplier)
        if reason is None:
            raise ReasonMissing("check_reason_given")
        await self._spend(role, school, len(listed))
        await self._tell(actor, role, school, known, reason, len(listed))
        groups = frozenset(actor.groups) if role is Role.TEACHER else None
        today = day_of(self.clock())
        found = []
        for each in listed:
            found.append(await self._find_one(each, school, known, groups, today))
            await pause()
        return tuple(found)

    async def find_whose(
        self,
        actor: Actor,
        pseudonyms: Sequence[str],
        listed: Sequence[ListedPupil],
        *,
        school: School,
        supplier: SupplierId,
        reason: Reason | None,
        pause: Callable[[], Awaitable[object]],
    ) -> tuple[FoundPupil, ...]:
        """Return the listed pupils whose pseudonym at a supplier is one of these; as `find`."""
        wanted = set(pseudonyms)
        found = await self.find(
            actor, listed, school=school, supplier=supplier, reason=reason, pause=pause
        )
        return tuple(each for each in found if wanted & {each.pseudonym, each.previous})

    async def _find_one(
        self,
        listed: ListedPupil,
        school: School,
        supplier: Supplier,
        groups: frozenset[str] | None,
        today: date,
    ) -> FoundPupil:
        registry = self.snapshots.registry
        pupil = await self.pupils.find(listed, school=school, registry=registry, today=today)
        if groups is not None and (
            pupil is None or pupil.groups is None or groups.isdisjoint(pupil.groups)
        ):
            return FoundPupil(listed, FoundState.NOT_YOURS)
        if pupil is None:
            return FoundPupil(listed, FoundState.NOT_SEEN)
        return await self._name(listed, pupil, school, supplier, today)

    async def _name(
        self,
        listed: ListedPupil,
        pupil: OwnPupil,
        school: School,
        supplier: Supplier,
        today: date,
    ) -> FoundPupil:
        registry = self.snapshots.registry
        old = dict(pupil.old_numbers)
        try:
            person = await self.reader.read(
                pupil.presented,
                school=school,
                today=today,
                succession=find_succession(registry, school.id, today, old),
            )
        except RegisterUnavailable:
            raise
        except Refusal:  # a login would be refused, so there is no account to tell of
            person = None
        if person is None:
            return FoundPupil(listed, FoundState.NOT_SEEN)
        root = person.accounts[0].root
        epochs = (supplier.epoch, supplier.previous_epoch)
        names = [
            derive_pseudonym(root, supplier=supplier.id, key=select_key(self.pairwise, pinned=each))
            for each in epochs
            if each is not None
        ]
        return FoundPupil(
            listed,
            FoundState.FOUND,
            pseudonym=names[0],
            previous=names[1] if len(names) > 1 else None,
            is_known=supplier.id in person.suppliers,
        )

    def _check(self, actor: Actor, school: School) -> Role:
        """Return the widest role by which somebody may look: a teacher may less than the others."""
        registry, permission = self.snapshots.registry, Permission.FIND_PSEUDONYMS
        wider = tuple(each for each in actor.held if each.role is not Role.TEACHER)
        try:
            return check_may(
                replace(actor, held=wider), permission, school=school, registry=registry
            )
        except NotAllowed:
            return check_may(actor, permission, school=school, registry=registry)

    def _supplier_of(self, actor: Actor, school: School, supplier: SupplierId) -> Supplier:
        for each in self.suppliers_of(actor, school):
            if each.id == supplier:
                return each
        raise SupplierNotOfSchool("check_supplier_of_school")

    async def _spend(self, role: Role, school: School, lines: int) -> None:
        day = day_of(self.clock()).isoformat()
        purpose = TEACHERS_QUOTA if role is Role.TEACHER else QUOTA
        try:
            await self.quotas.spend(Quota(purpose, school.id, day, self.lines_a_day), lines)
        except QuotaExceeded:
            raise LookedUpTooMuch("check_lines_within_day") from None

    async def _tell(
        self,
        actor: Actor,
        role: Role,
        school: School,
        supplier: Supplier,
        reason: Reason,
        lines: int,
    ) -> None:
        after = msgspec.json.encode({"reason": reason.value, "lines": lines}).decode()
        await self.console_audit.record(
            entry_of(
                *(actor, role, "pseudonyms-found"),
                at=self.clock(),
                school=school.id,
                supplier=supplier.id,
                after=after,
            )
        )
        self.audit.record(
            AuditEvent(
                action="console-pseudonyms-found",
                school=school.id,
                supplier=supplier.id,
                counts=(("lines", lines),),
            )
        )
