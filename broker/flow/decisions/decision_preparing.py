"""Preparing: a draft is looked at in every way in which signing looks at it, and kept."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from broker.domain.console_roles import Permission, Role
from broker.domain.refusals import Refusal
from broker.flow.console.actors import Actor, check_may
from broker.flow.console.console_audit import ConsoleEntry, entry_of
from broker.flow.decisions.decision_refusals import DecisionEditedMeanwhile, DecisionUnusable
from broker.flow.decisions.decision_signing import DecisionPorts, tell_shortly
from broker.flow.decisions.decision_store import DraftMoved, NewDraft
from broker.flow.decisions.decision_types import Decider, Draft, PreparedDecision
from broker.flow.decisions.draft_standing import (
    DraftStanding,
    check_made_on,
    check_usable,
    file_of,
    read_standings,
    unusable,
)
from broker.flow.decisions.many_decisions import DraftProblem, PreparedBatch
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.federation.narrow_change import EditedMeanwhile, check_narrow
from broker.flow.random_texts import make_text

MANY_AT_MOST = 5000
BATCH_BYTES = 16


class DecisionPreparing:
    """Keeps drafts. Keeps nothing itself."""

    def __init__(self, ports: DecisionPorts) -> None:
        self._ports = ports
        self._reader, self._store = ports.reader, ports.store

    async def prepare(self, actor: Actor, draft: Draft, *, replaces: int) -> PreparedDecision:
        """Keep one draft; as `DecisionDesk.prepare`."""
        role = self._may_prepare(actor, draft)
        there = self._store.draft_for(draft.decider, draft.supplier)
        if there is not None and there.draft == draft:
            return there
        if replaces != (0 if there is None else there.revision):
            raise DecisionEditedMeanwhile("check_draft_as_shown", draft=there)
        (standing,) = await asyncio.to_thread(read_standings, self._store, [draft])
        check_made_on(standing)
        check_usable(standing, today=self._reader.today)
        problems = await asyncio.to_thread(self._find_problems, [standing])
        if problems:
            raise unusable(problems)
        now = self._reader.clock()
        new = _new(actor, role, draft, there=there, batch="", now=now)
        entry = _entry(actor, role, draft, there=there, at=now)
        try:
            (kept,) = await self._store.keep_drafts([new], entries=[entry])
        except DraftMoved:
            there = self._store.draft_for(draft.decider, draft.supplier)
            raise DecisionEditedMeanwhile("check_draft_as_shown", draft=there) from None
        return kept

    async def prepare_many(self, actor: Actor, drafts: Sequence[Draft]) -> PreparedBatch:
        """Keep many drafts, all or none; as `DecisionDesk.prepare_many`."""
        if len(drafts) > MANY_AT_MOST or len({_parties(each) for each in drafts}) < len(drafts):
            raise DecisionUnusable("check_each_once")
        roles = {each: self._role(actor, each) for each in {draft.decider for draft in drafts}}
        for each in drafts:
            self._reader.supplier(each.decider, each.supplier)
        there = await asyncio.to_thread(self._drafts_there, drafts)
        standings = await asyncio.to_thread(read_standings, self._store, drafts)
        problems: list[DraftProblem] = []
        sound: list[DraftStanding] = []
        for draft, standing in zip(drafts, standings, strict=True):
            try:
                _check_own(there.get(_parties(draft)), actor)
                check_made_on(standing)
                check_usable(standing, today=self._reader.today)
            except Refusal as refusal:
                problems.append(
                    DraftProblem(draft=draft, refused_by=refusal.code, subject=refusal.subject)
                )
            else:
                sound.append(standing)
        problems += _told(sound, await asyncio.to_thread(self._find_problems, sound))
        if problems or not drafts:
            return PreparedBatch(batch="", prepared=(), problems=tuple(problems))
        now, batch = self._reader.clock(), make_text(self._ports.random, BATCH_BYTES)
        new, entries = [], []
        for draft in drafts:
            role, before = roles[draft.decider], there.get(_parties(draft))
            new.append(_new(actor, role, draft, there=before, batch=batch, now=now))
            entries.append(_entry(actor, role, draft, there=before, at=now))
        try:
            kept = await self._store.keep_drafts(new, entries=entries)
        except DraftMoved:
            raise DecisionEditedMeanwhile("check_draft_as_shown") from None
        return PreparedBatch(batch=batch, prepared=kept)

    async def discard(self, actor: Actor, number: int, *, revision: int) -> None:
        """Throw a draft away; as `DecisionDesk.discard`."""
        there = self._store.find_draft(number)
        if there is None:
            return
        role = self._role(actor, there.draft.decider)
        entry = entry_of(
            actor,
            role,
            "decision-draft-discarded",
            at=self._reader.clock(),
            school=there.draft.decider.school,
            board=there.draft.decider.board,
            supplier=there.draft.supplier,
            before=tell_shortly(there.draft),
        )
        if not await self._store.discard_draft(number, revision=revision, entry=entry):
            now = self._store.find_draft(number)
            if now is not None:
                raise DecisionEditedMeanwhile("check_draft_as_shown", draft=now)

    def _may_prepare(self, actor: Actor, draft: Draft) -> Role:
        role = self._role(actor, draft.decider)
        self._reader.supplier(draft.decider, draft.supplier)
        return role

    def _role(self, actor: Actor, decider: Decider) -> Role:
        permission = Permission.PREPARE_DECISION
        named = self._reader.decider(
            actor, permission, school=decider.school or "", board=decider.board or ""
        )
        registry = self._reader.snapshots.registry
        school = None if named.school is None else registry.schools[named.school]
        return check_may(actor, permission, school=school, board=named.board, registry=registry)

    def _drafts_there(self, drafts: Sequence[Draft]) -> dict[tuple[Decider, str], PreparedDecision]:
        deciders = dict.fromkeys(each.decider for each in drafts)
        return {
            _parties(each.draft): each
            for decider in deciders
            for each in self._store.drafts_of(decider)
        }

    def _find_problems(self, standings: Sequence[DraftStanding]) -> tuple[Problem, ...]:
        """Return what `broker check` would find; who came between is found when it is signed."""
        today = self._reader.today
        try:
            check_narrow(
                self._store,
                [each.put(each.agreement(today)) for each in standings],
                schools_of_board=self._ports.schools_of_board,
                compiler=self._ports.compiler,
                note="draft",
            )
        except FederationProblems as found:
            return tuple(found.problems)
        except EditedMeanwhile:
            raise DecisionEditedMeanwhile("check_agreement_as_shown") from None
        return ()


def _parties(draft: Draft) -> tuple[Decider, str]:
    return draft.decider, draft.supplier


def _check_own(there: PreparedDecision | None, actor: Actor) -> None:
    if there is not None and there.prepared_by != actor.id:
        raise DecisionEditedMeanwhile("check_draft_as_shown", draft=there)


def _told(
    standings: Sequence[DraftStanding], problems: Iterable[Problem]
) -> Iterable[DraftProblem]:
    by_file = {
        file_of(each.draft.decider.key(each.draft.supplier)): each.draft for each in standings
    }
    for each in problems:
        refusal = unusable([each])
        yield DraftProblem(
            draft=by_file[each.file], refused_by=refusal.code, subject=refusal.subject
        )


def _new(
    actor: Actor,
    role: Role,
    draft: Draft,
    *,
    there: PreparedDecision | None,
    batch: str,
    now: datetime,
) -> NewDraft:
    return NewDraft(
        draft=draft,
        prepared_by=actor.id,
        prepared_role=role,
        prepared_at=now,
        batch=batch,
        replaces=None if there is None else (there.number, there.revision),
    )


def _entry(
    actor: Actor, role: Role, draft: Draft, *, there: PreparedDecision | None, at: datetime
) -> ConsoleEntry:
    return entry_of(
        actor,
        role,
        "decision-prepared",
        at=at,
        school=draft.decider.school,
        board=draft.decider.board,
        supplier=draft.supplier,
        before="" if there is None else tell_shortly(there.draft),
        after=tell_shortly(draft),
    )
