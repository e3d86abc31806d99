"""A school's privacy officer reads what that school shared of one pupil: the pupil's own receipts.

By the school's own number, for a reason, and written down before anything is read. It is what the
pupil sees at `/me`, of this school alone; an ECK iD finds nobody here.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from broker.domain.attributes import Population
from broker.domain.console_roles import Permission
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.console.actors import Actor, check_may, find_school
from broker.flow.console.console_audit import ConsoleAudit, entry_of
from broker.flow.me.me_records import ME_SECONDS, MeSession
from broker.flow.me.me_views import OwnYear, Visit
from broker.flow.me.me_visits import MeVisits
from broker.flow.ports import Clock, FlowKeys, Snapshots
from broker.pseudonyms.derivation import IdentifierNotDerivable, root_from_local


class ReadingReason(StrEnum):
    """Why an officer reads."""

    REQUEST = "request"
    COMPLAINT = "complaint"
    INCIDENT = "incident"


class ReadingNotPossible(Refusal):
    code = "E-ME-8"
    whose_task = WhoseTask.SCHOOL
    what = "Without a pupil number and a reason nothing is looked up."
    remedy = "Fill in the number under which your school knows the pupil, and choose why."
    http_status = 422


@dataclass(frozen=True, slots=True)
class SchoolReading:
    """Where an officer reads."""

    snapshots: Snapshots
    visits: MeVisits
    keys: FlowKeys
    audit: ConsoleAudit
    clock: Clock

    async def read(
        self,
        actor: Actor,
        unverified_school: str,
        *,
        number: str,
        unverified_reason: str,
        unverified_year: str,
    ) -> OwnYear:
        """Return what was shared of a pupil in one school year.

        Raises:
            NotAllowed, ReadingNotPossible
            RegistryUnreadable: it is not written down, so nothing is read.
            RegisterUnavailable, ReceiptsNotShown
        """
        registry, permission = self.snapshots.registry, Permission.DECIDE_REQUEST
        school = find_school(
            actor, permission, unverified_school=unverified_school, registry=registry
        )
        role = check_may(actor, permission, school=school, registry=registry)
        if unverified_reason not in {each.value for each in ReadingReason}:
            raise ReadingNotPossible("check_reading_reason")
        try:
            local = root_from_local(school.id, number, key=self.keys.root)
        except IdentifierNotDerivable:
            raise ReadingNotPossible("check_reading_number") from None
        told = msgspec.json.encode({"reason": unverified_reason}).decode()
        now = self.clock()
        await self.audit.record(
            entry_of(actor, role, "receipts-read", at=now, school=school.id, after=told)
        )
        session = MeSession(
            visitor="self",
            school=school.id,
            population=Population.PUPIL,
            eck_root=None,
            local_root=local,
            old_roots={},
            first_name="",
            began_at=now,
        )
        visit = Visit(session, school, ME_SECONDS)
        return await self.visits.show(visit, unverified_year=unverified_year)
