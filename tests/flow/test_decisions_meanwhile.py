"""Somebody else comes between two steps of one decision: nothing is half done, and it is shown."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.domain.attributes import Population
from broker.domain.documents import Kind
from broker.domain.ids import SchoolId
from broker.domain.relations import AgreementFound, CarriedFrom
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.decisions.decision_preparing import _new
from broker.flow.decisions.decision_reading import decided_by
from broker.flow.decisions.decision_refusals import DecisionEditedMeanwhile, DecisionUnusable
from broker.flow.decisions.decision_store import DraftMoved
from broker.flow.decisions.decision_types import DecidedBy
from broker.flow.federation.change import check_apply
from broker.flow.federation.narrow_change import MAX_ATTEMPTS, EditedMeanwhile, LeaningMoved
from tests.builders import an_agreement
from tests.flow.decision_world import (
    ADMIN,
    BOARD_ADMIN,
    BOTH,
    ECK,
    GIVEN,
    LEESLUST,
    ROLE,
    SIGNER,
    SN,
    STICHTING,
    VUURVOGEL,
    DecisionWorld,
    a_decision_world,
    a_draft,
    attributes,
    chosen,
)
from tests.flow.federation_builders import a_client, a_compiler, a_supplier, stated

ID = {"unverified_school": "vuurvogel", "unverified_supplier": "rekenrijk"}


@pytest.fixture
def world(tmp_path: Path) -> DecisionWorld:
    return a_decision_world(tmp_path)


class Between:
    """The store, in which something happens before a method is called, so many times."""

    def __init__(self, store: Any, method: str, happens: Callable[[], Any], times: int = 1) -> None:
        self.store, self.method, self.happens, self.times = store, method, happens, times

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.store, name)
        if name != self.method:
            return real
        if name in {"keep_drafts", "discard_draft", "sign", "put_in_force"}:

            async def later(*of: Any, **more: Any) -> Any:
                if self._now():
                    await self.happens()
                return await real(*of, **more)

            return later

        def at_once(*of: Any, **more: Any) -> Any:
            if self._now():
                self.happens()
            return real(*of, **more)

        return at_once

    def _now(self) -> bool:
        self.times -= 1
        return self.times >= 0


def between(world: DecisionWorld, method: str, happens: Callable[[], Any], times: int = 1) -> None:
    store = Between(world.store, method, happens, times)
    for each in (world.desk, world.desk._preparing, world.desk._signing):
        each._store = store  # type: ignore[assignment]


def raising(error: Exception) -> Callable[[], Awaitable[None]]:
    async def happens() -> None:
        raise error

    return happens


async def test_another_draft_is_kept_first(world: DecisionWorld) -> None:
    async def first() -> None:
        await world.store.keep_drafts([new], entries=[])

    prepared = await world.desk.prepare(ADMIN, a_draft())
    await world.desk.discard(ADMIN, prepared.number, revision=1)

    new = _new(
        ADMIN,
        prepared.prepared_role,
        a_draft(choice=chosen(ROLE)),
        there=None,
        batch="",
        now=world.now,
    )
    between(world, "keep_drafts", first)
    with pytest.raises(DecisionEditedMeanwhile) as caught:
        await world.desk.prepare(BOARD_ADMIN, a_draft())
    assert caught.value.draft is not None
    between(world, "keep_drafts", raising(DraftMoved()))
    with pytest.raises(DecisionEditedMeanwhile):
        await world.desk.prepare_many(BOARD_ADMIN, [a_draft(STICHTING)])


async def test_a_draft_goes_while_it_is_thrown_away(world: DecisionWorld) -> None:
    prepared = await world.desk.prepare(ADMIN, a_draft())

    async def gone() -> None:
        await other.discard(ADMIN, prepared.number, revision=1)

    other = a_desk(world)
    between(world, "discard_draft", gone)
    await world.desk.discard(ADMIN, prepared.number, revision=1)
    assert world.store.find_draft(prepared.number) is None


def a_desk(world: DecisionWorld) -> Any:
    return type(world.desk)(world.desk._signing._ports)


async def test_what_a_decision_leans_on_moves(world: DecisionWorld) -> None:
    prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
    between(world, "sign", raising(LeaningMoved()), times=MAX_ATTEMPTS)
    with pytest.raises(LeaningMoved):
        await world.desk.sign(SIGNER, prepared.number, revision=1)
    between(world, "sign", raising(LeaningMoved()), times=MAX_ATTEMPTS - 1)
    assert (await world.desk.sign(SIGNER, prepared.number, revision=1)).version == 1


@pytest.mark.parametrize(
    "error",
    [DraftMoved(), EditedMeanwhile((Kind.AGREEMENT, "school/vuurvogel/rekenrijk"), None)],
)
async def test_somebody_signs_first(world: DecisionWorld, error: Exception) -> None:
    prepared = await world.desk.prepare(BOARD_ADMIN, a_draft())
    between(world, "sign", raising(error))
    with pytest.raises(DecisionEditedMeanwhile):
        await world.desk.sign(SIGNER, prepared.number, revision=1)
    assert await world.desk.sign(SIGNER, prepared.number, revision=1)
    key = a_draft().decider.key(a_draft().supplier)
    there = world.store.read_documents([key])[key]
    between(world, "put_in_force", raising(EditedMeanwhile(key, there)))
    with pytest.raises(DecisionEditedMeanwhile) as caught:
        await world.desk.stop(ADMIN, **ID, based_on=1)
    assert caught.value.agreement == there.stated.document


async def test_an_agreement_is_signed_while_another_is_prepared(world: DecisionWorld) -> None:
    def signed() -> None:
        raise EditedMeanwhile((Kind.AGREEMENT, ""), None)

    between(world, "pins_of", signed)
    with pytest.raises(DecisionEditedMeanwhile):
        await world.desk.prepare(BOARD_ADMIN, a_draft())


async def test_a_supplier_goes_from_the_registry(world: DecisionWorld) -> None:
    """A worker's snapshot may still know it."""
    registry = world.registry

    class Kept:
        registry = world.registry

    gone = [
        each
        for key, each in world.store.current().documents.items()
        if key != (Kind.SUPPLIER, "rekenrijk")
    ]

    change = check_apply(world.store, gone, prune=True, compiler=a_compiler())
    world.store.write(change, by="tester", at=world.now)
    object.__setattr__(world.reader, "snapshots", Kept())
    assert "rekenrijk" in registry.suppliers
    with pytest.raises(NotAllowed):
        world.desk.look(ADMIN, **ID)
    with pytest.raises(NotAllowed):
        await world.desk.prepare(BOARD_ADMIN, a_draft())


async def test_the_eck_id_needs_an_end(world: DecisionWorld) -> None:
    draft = a_draft(supplier=LEESLUST, choice=chosen(ECK), sheet=0)
    with pytest.raises(DecisionUnusable) as caught:
        await world.desk.prepare(BOARD_ADMIN, draft)
    assert caught.value.problems[0].path == "approved[0]"


async def test_what_is_asked_of_pupils_alone_is_approved_of_pupils(world: DecisionWorld) -> None:
    """Where pupils and staff get the same and are asked something else, staff get what is asked."""
    of_pupils = [{**each, "populations": [Population.PUPIL]} for each in attributes(SN)]
    party = a_client(id="taal", client_id="taal")
    supplier = a_supplier(
        party, id="taal", legal_name="Taal B.V.", attribute=[*of_pupils, *attributes(GIVEN)]
    )
    world.apply(stated(Kind.SUPPLIER, supplier))
    draft = a_draft(supplier="taal", choice=chosen(SN, GIVEN), sheet=0)
    assert await world.desk.prepare(BOTH, draft)
    staff = a_draft(supplier="taal", choice=chosen(GIVEN, staff=[SN]), sheet=0, based_on=0)
    with pytest.raises(DecisionUnusable):
        await world.desk.prepare(BOTH, staff, replaces=1)


async def test_a_long_setting_stands_in_the_audit_by_its_digest(world: DecisionWorld) -> None:
    groups = [([f"group {number} of a school with many of them" for number in range(150)], [])]
    await world.desk.prepare(ADMIN, a_draft(choice=chosen(GIVEN, groups=groups)))
    (entry,) = world.audit.look().entries
    assert entry.entry.after.startswith('{"sha256":')


def test_what_old_schools_agreed_counts_as_theirs() -> None:
    found = AgreementFound(an_agreement(), (CarriedFrom(SchoolId("oud"), 1),))
    assert decided_by(VUURVOGEL, found) is DecidedBy.OLD_SCHOOLS
    assert decided_by(VUURVOGEL, replace(found, carried_from=())) is DecidedBy.ITSELF
