"""The broker is killed amid a transfer, at each of its writes: it goes on, once, for one pupil."""

from dataclasses import replace as change
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain import transfer_refusals as t
from broker.domain.ids import SchoolId
from broker.flow.operators.two_persons import Action
from broker.flow.persons.announcements import announce, announcements_of
from broker.flow.persons.person_records import Announcement, Change
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.transfers.transfer_offers import OfferStage
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK
from tests.flow.login_world import NOOR, SANNE, LoginWorld
from tests.flow.register_world import a_root
from tests.flow.test_transfers import BIOSFEER, Move, move

__all__ = ["move"]


class Killed(BaseException):
    """The process ends here: no `except` of ours sees it."""


def kill_at(move: Move, monkeypatch: pytest.MonkeyPatch, *, write: int, done: bool) -> None:
    """Let the process end before, or after, its so manieth write of a confirmation."""
    writes = [0]
    change_offer, apply = move.offers.change, move.world.register.apply

    def dies(before: bool) -> None:
        writes[0] += before
        if writes[0] == write and before is not done:
            raise Killed

    def changed(*args: Any) -> bool:
        dies(True)
        was_changed = change_offer(*args)
        dies(False)
        return was_changed

    async def applied(*args: Any, **more: Any) -> bool:
        dies(True)
        stored = await apply(*args, **more)
        dies(False)
        return stored

    monkeypatch.setattr(move.offers, "change", changed)
    monkeypatch.setattr(move.world.register, "apply", applied)


WRITES = 3
LEFT = a_root("L:left")


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_it_can_be_confirmed_once_more(
    world: LoginWorld, move: Move, monkeypatch: pytest.MonkeyPatch, write: int, done: bool
) -> None:
    old = await world.log_in(BIOSFEER_OIDC, SANNE)
    code = await move.offer()
    stated = await move.prepare_accept(code)
    with monkeypatch.context() as patched:
        kill_at(move, patched, write=write, done=done)
        with pytest.raises(Killed):
            await move.confirm(Action.ACCEPT_TRANSFER, stated)
    ended = write == WRITES and done
    if ended:
        with pytest.raises(t.TransferUsed):
            await move.prepare_accept(code)
    else:
        await move.confirm(Action.ACCEPT_TRANSFER, await move.prepare_accept(code))
    assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR)) == old.subject
    (row,) = move.offers.rows.values()
    assert (row.stage, row.accepting) == (OfferStage.USED, None)
    with pytest.raises(t.TransferUsed):
        await move.prepare_accept(code)


async def test_there_are_so_many_writes(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = await move.prepare_accept(await move.offer())
    kill_at(move, monkeypatch, write=WRITES + 1, done=False)
    await move.confirm(Action.ACCEPT_TRANSFER, stated)


async def test_nobody_else_goes_on_with_it(
    world: LoginWorld, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is still there, and another pupil of the same school has it."""
    code = await move.offer()
    stated = await move.prepare_accept(code)
    with monkeypatch.context() as patched:
        kill_at(move, patched, write=2, done=False)
        with pytest.raises(Killed):
            await move.confirm(Action.ACCEPT_TRANSFER, stated)
    other = another_pupil()
    await world.log_in(REKENRIJK, other)
    with pytest.raises(t.TransferUsed):
        await move.prepare_accept(code, other)
    await move.confirm(Action.ACCEPT_TRANSFER, await move.prepare_accept(code))


def another_pupil() -> Any:
    attributes = {
        **NOOR.attributes,
        "eckId": (NOOR.attributes["eckId"][0][:-4] + "abcd",),
        "employeeNumber": ("990099",),
    }
    return change(NOOR, attributes=attributes)


async def test_a_join_that_comes_in_between_waits_for_the_transfer(
    world: LoginWorld, move: Move
) -> None:
    """Between the check and the write a login may have left an account behind."""
    old = await world.log_in(BIOSFEER_OIDC, SANNE)
    await world.log_in(BIOSFEER_OIDC, NOOR)
    stated = await move.prepare_accept(await move.offer())
    presented = move.presented(NOOR)
    await leave_one_behind(move, presented.roots[0])
    await move.confirm(Action.ACCEPT_TRANSFER, stated)
    assert move.previous(await world.log_in(BIOSFEER_OIDC, NOOR)) == old.subject
    found = await look_up(presented, register=world.register, keys=world.keys.register)
    assert found.records.eck_id is not None
    told = announcements_of(found.records.eck_id.suppliers[BIOSFEER])
    assert [each.previous for each in told][1:] == [LEFT]


async def leave_one_behind(move: Move, root: Any) -> None:
    presented = move.presented(NOOR)
    found = await look_up(presented, register=move.world.register, keys=move.world.keys.register)
    record = found.records.eck_id
    assert record is not None
    left = Announcement(previous=LEFT, beside=root, told_at=SchoolId(NOOR.school.id))
    seen = announce(record.suppliers[BIOSFEER], left)
    rest = replace(record, suppliers={**record.suppliers, BIOSFEER: seen})
    assert await store_changes(
        (Change(root, rest),),
        found.rows,
        register=move.world.register,
        keys=move.world.keys.register,
        random=move.world.random,
    )
