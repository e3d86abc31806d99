"""The school's privacy officer sees what pupils ask, finds whose it is, and decides.

Granting an objection puts in force what it asks, at the next login; ending it takes that back.
Granting a correction says that the school corrects it at its own administration. Granting an
erasure does nothing here by itself: two operators erase a person, by the number that the school
tells them (`broker person erase`), and the log shows that one is waited for.
"""

from asyncio import sleep
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import msgspec

from broker.domain.console_roles import Permission, Role
from broker.domain.dutch_days import day_of
from broker.domain.federation import School
from broker.flow.audit import AuditEvent, AuditLog
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_audit import ConsoleAudit, entry_of
from broker.flow.own_pupils.known_pupils import OwnPupils
from broker.flow.own_pupils.pupil_lists import ListedPupil
from broker.flow.ports import Clock, Snapshots
from broker.flow.requests.filing import open_request
from broker.flow.requests.person_requests import (
    Grounds,
    PersonRequest,
    RequestBook,
    RequestChanged,
    RequestId,
    RequestKind,
    RequestMove,
    RequestNotPossible,
    RequestNotThere,
    RequestState,
)
from broker.flow.shielding.shield_records import ShieldKeys, places_of

SOON_DAYS = 7
"""So many days before a deadline a request is shown as urgent."""

GROUNDS: Mapping[bool, tuple[Grounds, ...]] = MappingProxyType(
    {
        True: (Grounds.AS_ASKED, Grounds.TALKED_IT_OVER),
        False: (
            *(Grounds.NEEDED_FOR_LESSONS, Grounds.LAW_REQUIRES, Grounds.IS_CORRECT),
            *(Grounds.NOT_OURS, Grounds.TALKED_IT_OVER),
        ),
    }
)
"""What may be said of a request that is granted, and of one that is refused."""


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How a school stands."""

    open: int
    soon: int
    overdue: int


@dataclass(frozen=True, slots=True)
class OfficerDesk:
    """Where requests are decided."""

    book: RequestBook
    keys: ShieldKeys = field(repr=False)
    pupils: OwnPupils
    snapshots: Snapshots
    console_audit: ConsoleAudit
    audit: AuditLog
    clock: Clock

    async def list_for(self, actor: Actor, school: School) -> tuple[PersonRequest, ...]:
        """Return a school's requests: what is open first, by deadline; then what was decided.

        Raises:
            NotAllowed, RegisterUnavailable
        """
        self._check(actor, Permission.SEE_REQUESTS, school)
        stored = await self.book.of_school(school.id)
        found = [open_request(each, keys=self.keys) for each in stored]
        return tuple(sorted(found, key=lambda each: each.state is not RequestState.OPEN))

    async def count_open(self, actor: Actor, school: School) -> OpenCounts:
        """Return how many wait, and for how long still; raises as `list_for`."""
        today = day_of(self.clock())
        left = [
            each.days_left(today)
            for each in await self.list_for(actor, school)
            if each.state is RequestState.OPEN
        ]
        soon = sum(0 <= each <= SOON_DAYS for each in left)
        return OpenCounts(len(left), soon, sum(each < 0 for each in left))

    async def look(self, actor: Actor, school: School, request_id: RequestId) -> PersonRequest:
        """Return one request.

        Raises:
            NotAllowed, RegisterUnavailable
            RequestNotThere: there is none at this school, whatever there is elsewhere.
        """
        for each in await self.list_for(actor, school):
            if each.id == request_id:
                return each
        raise RequestNotThere("check_request_at_school")

    async def decide(
        self,
        actor: Actor,
        school: School,
        request_id: RequestId,
        *,
        granted: bool,
        grounds: Grounds,
    ) -> PersonRequest:
        """Decide an open request.

        Raises:
            NotAllowed, RequestNotThere
            RequestNotPossible: nobody decides so on these grounds.
            RequestChanged: it is not open any more.
            RegisterUnavailable, RegistryUnreadable: nobody knows whether it is decided.
        """
        role = self._check(actor, Permission.DECIDE_REQUEST, school)
        if grounds not in GROUNDS[granted]:
            raise RequestNotPossible("check_grounds_fit")
        after = RequestState.GRANTED if granted else RequestState.REFUSED
        found = await self.look(actor, school, request_id)
        if found.state is not RequestState.OPEN:
            raise RequestChanged("check_request_open")
        done = await self._move(actor, role, school, found, after, grounds)
        if granted and found.kind is RequestKind.ERASURE:
            self.audit.record(
                AuditEvent(action="erasure-awaited", school=school.id, supplier=found.supplier)
            )
        return done

    async def end(self, actor: Actor, school: School, request_id: RequestId) -> PersonRequest:
        """End an objection that was granted: what it took away goes out again.

        Raises as `decide`.
        """
        role = self._check(actor, Permission.DECIDE_REQUEST, school)
        found = await self.look(actor, school, request_id)
        is_objection = found.kind is RequestKind.OBJECTION
        if not is_objection or found.state is not RequestState.GRANTED:
            raise RequestChanged("check_objection_granted")
        return await self._move(actor, role, school, found, RequestState.WITHDRAWN, None)

    async def find_whose(
        self, actor: Actor, listed: Sequence[ListedPupil], *, school: School
    ) -> Mapping[RequestId, ListedPupil]:
        """Return whose each open request is, of the school's own list; others stay unknown.

        Raises:
            NotAllowed, RegisterUnavailable
        """
        self._check(actor, Permission.SEE_REQUESTS, school)
        is_open = {
            each.id
            for each in await self.book.of_school(school.id)
            if each.state is RequestState.OPEN
        }
        by_tag = await self.book.persons_of(school.id)
        found: dict[RequestId, ListedPupil] = {}
        for each in listed if is_open else ():
            for tag in await self._tags(each, school):
                found |= {of: each for of in by_tag.get(tag, ()) if of in is_open}
            await sleep(0)  # logins of this worker go between
        return found

    async def _tags(self, listed: ListedPupil, school: School) -> list[bytes]:
        registry, today = self.snapshots.registry, day_of(self.clock())
        pupil = await self.pupils.find(listed, school=school, registry=registry, today=today)
        if pupil is None:
            return []
        places = places_of(pupil.presented, school=school.id, keys=self.keys)
        return [each.tag for each in places]

    async def _move(
        self,
        actor: Actor,
        role: Role,
        school: School,
        found: PersonRequest,
        after: RequestState,
        grounds: Grounds | None,
    ) -> PersonRequest:
        """Write down and do it."""
        now = self.clock()
        told = {"request": found.id, "kind": found.kind.value}
        before = msgspec.json.encode({**told, "state": found.state.value})
        becomes = msgspec.json.encode(
            {**told, "state": after.value, "grounds": "" if grounds is None else grounds.value}
        )
        await self.console_audit.record(
            entry_of(
                *(actor, role, "request-decided"),
                at=now,
                school=school.id,
                supplier=found.supplier,
                before=before.decode(),
                after=becomes.decode(),
            )
        )
        move = RequestMove(
            found.id, school.id, before=found.state, after=after, on=day_of(now), grounds=grounds
        )
        if not await self.book.move(move):
            raise RequestChanged("check_request_unchanged")
        self.audit.record(AuditEvent(action="console-request-decided", school=school.id))
        return await self.look(actor, school, found.id)

    def _check(self, actor: Actor, permission: Permission, school: School) -> Role:
        return check_may(actor, permission, school=school, registry=self.snapshots.registry)
