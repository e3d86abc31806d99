"""Deciding: a draft is prepared, somebody signs it, and it is in force; and stopping, at once.

What is signed is what was read: a draft is made on an agreement, a sheet and a draft that the page
showed, and when one of them is another by now, nothing is done and the page shows what is there.
Whatever is put in force goes through `flow.federation.narrow_change`: the checks of `broker apply`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date

from broker.domain.console_roles import Permission
from broker.flow.console.actors import Actor
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.comparing import compare_activated
from broker.flow.decisions.decision_preparing import DecisionPreparing
from broker.flow.decisions.decision_reading import DecisionReader, choice_by, find_counting
from broker.flow.decisions.decision_signing import DecisionPorts, DecisionSigning
from broker.flow.decisions.decision_types import (
    CatalogueLine,
    Decider,
    DecisionView,
    Draft,
    PreparedDecision,
    SignedDecision,
)
from broker.flow.decisions.draft_standing import read_standings
from broker.flow.decisions.many_decisions import (
    ActivatedService,
    ComparedService,
    ExpiringDecision,
    PreparedBatch,
)


class DecisionDesk:
    """What somebody does with decisions. Keeps nothing.

    `unverified_` ids come from forms and addresses: each method finds whose they are, and refuses
    another's. A school or a board decides: exactly one of both is named.
    Every method raises `NotAllowed`, and `RegistryUnreadable` when nothing can be read or written.
    """

    def __init__(self, ports: DecisionPorts) -> None:
        self._reader: DecisionReader = ports.reader
        self._store = ports.store
        self._preparing = DecisionPreparing(ports)
        self._signing = DecisionSigning(ports)

    def catalogue(
        self, actor: Actor, *, unverified_school: str = "", unverified_board: str = ""
    ) -> tuple[CatalogueLine, ...]:
        """Return every service that this school or board could use, by name."""
        return self._reader.catalogue(actor, school=unverified_school, board=unverified_board)

    def look(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
    ) -> DecisionView:
        """Return all that one needs to decide about one service."""
        return self._reader.look(
            actor, unverified_supplier, school=unverified_school, board=unverified_board
        )

    async def prepare(self, actor: Actor, draft: Draft, *, replaces: int = 0) -> PreparedDecision:
        """Keep a draft for whoever signs; the same draft once more changes nothing.

        Args:
            replaces: revision of the draft that was shown; 0: none was.

        Raises:
            DecisionEditedMeanwhile, DecisionUnusable
        """
        return await self._preparing.prepare(actor, draft, replaces=replaces)

    async def prepare_many(self, actor: Actor, drafts: Sequence[Draft]) -> PreparedBatch:
        """Keep many drafts, all or none; those that the actor prepared before give way."""
        return await self._preparing.prepare_many(actor, drafts)

    async def discard(self, actor: Actor, number: int, *, revision: int) -> None:
        """Throw a draft away; one that is gone already stays so.

        Raises:
            DecisionEditedMeanwhile: it is another one by now.
        """
        await self._preparing.discard(actor, number, revision=revision)

    def waiting(
        self, actor: Actor, *, unverified_school: str = "", unverified_board: str = ""
    ) -> tuple[PreparedDecision, ...]:
        """Return the drafts that wait to be signed, the newest first."""
        decider = self._see(actor, unverified_school, unverified_board)
        return self._store.drafts_of(decider)

    def find_prepared(self, actor: Actor, number: int) -> PreparedDecision:
        """Return one draft."""
        found = self._store.find_draft(number)
        if found is None:
            raise NotAllowed("check_draft_there")
        self._see_decider(actor, found.draft.decider)
        return found

    def batch(self, actor: Actor, batch: str) -> PreparedBatch:
        """Return the drafts of a batch that still wait; of an actor who may see each of them."""
        found = self._store.drafts_in(batch)
        for decider in dict.fromkeys(each.draft.decider for each in found):
            self._see_decider(actor, decider)
        return PreparedBatch(batch=batch, prepared=found)

    async def sign(self, actor: Actor, number: int, *, revision: int) -> SignedDecision:
        """Put a draft in force. Signing twice does nothing twice.

        Raises:
            LevelNeeded, FourEyesNeeded, ProcessorAgreementMissing
            DecisionEditedMeanwhile, DecisionUnusable
        """
        return await self._signing.sign(actor, number, revision=revision)

    async def sign_many(
        self, actor: Actor, batch: str, *, revisions: Mapping[int, int]
    ) -> tuple[SignedDecision, ...]:
        """Put all drafts of a batch in force by one signature, all or none.

        Raises:
            As `sign`.
        """
        return await self._signing.sign_many(actor, batch, revisions=revisions)

    async def stop(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
        based_on: int,
    ) -> int:
        """Stop the logins of a school or board at a supplier at once; return the new version.

        Raises:
            DecisionEditedMeanwhile
        """
        return await self._signing.stop(
            actor,
            school=unverified_school,
            board=unverified_board,
            supplier=unverified_supplier,
            based_on=based_on,
        )

    async def compare(
        self,
        actor: Actor,
        activated: Sequence[ActivatedService],
        *,
        from_day: date,
        until: date | None,
    ) -> tuple[ComparedService, ...]:
        """Return each line of a list beside what would be decided."""
        registry, today = self._reader.snapshots.registry, self._reader.today
        for school in dict.fromkeys(each.school for each in activated):
            self._reader.decider(actor, Permission.PREPARE_DECISION, school=school)
        empty = [
            Draft(
                decider=Decider(school=each.school),
                supplier=self._reader.supplier(Decider(school=each.school), each.supplier).id,
                choice=each.shared,
                from_day=from_day,
            )
            for each in activated
        ]
        standings = await asyncio.to_thread(read_standings, self._store, empty)
        compared = []
        for line, standing in zip(activated, standings, strict=True):
            found = find_counting(registry, standing.draft.decider, line.supplier, today)
            compared.append(
                compare_activated(
                    line,
                    supplier=standing.supplier,
                    own=standing.own,
                    holds=choice_by(None if found is None else found.agreement),
                    from_day=from_day,
                    until=until,
                )
            )
        return tuple(compared)

    def expiring(self, actor: Actor, *, days: int = 60) -> tuple[ExpiringDecision, ...]:
        """Return what ends within so many days at the actor's schools and boards."""
        return self._reader.expiring(actor, days=days)

    def signed(
        self,
        actor: Actor,
        *,
        unverified_school: str = "",
        unverified_board: str = "",
        unverified_supplier: str,
    ) -> tuple[SignedDecision, ...]:
        """Return what was signed, the newest first."""
        decider = self._see(actor, unverified_school, unverified_board)
        supplier = self._reader.supplier(decider, unverified_supplier)
        return self._store.signed_of(decider, supplier.id)

    def _see(self, actor: Actor, school: str, board: str) -> Decider:
        return self._reader.decider(actor, Permission.SEE_SCHOOL, school=school, board=board)

    def _see_decider(self, actor: Actor, decider: Decider) -> None:
        self._see(actor, decider.school or "", decider.board or "")
