"""The desk at which a school's login is changed: each step one line in the audit."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.domain.refusals import Refusal
from broker.domain.switches import SwitchStage
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.operators.two_persons import Action
from broker.flow.switching.rehearsal import Finding
from broker.flow.switching.switch_checks import LoginPair
from broker.flow.switching.switch_refusals import (
    DayPast,
    DocumentsDisagree,
    NotRehearsed,
    SwitchNotRunning,
    SwitchRunning,
)
from tests.domain.test_switches import NEW, NOW, OLD, SCHOOL, TODAY
from tests.flow.memory_register import MemoryRegister
from tests.flow.operators import ANNA, BEA, a_desk
from tests.flow.switch_desk import Events, MemorySwitches, a_switch_desk

PAIR = LoginPair(SCHOOL, OLD.id, NEW.id)
FINE = {Finding.SAME: 3}


def test_one_line_for_each_step() -> None:
    store, events = MemorySwitches(), Events()
    desk = a_switch_desk(store, events)
    desk.open_rehearsal(PAIR)
    desk.check_may_rehearse(PAIR)
    desk.keep_list(PAIR, FINE)
    desk.switch(PAIR, classes=("7b",), first_day=None)
    desk.switch(PAIR, classes=(), first_day=TODAY)
    desk.roll_back(SCHOOL)
    assert [each.action for each in events.events] == [
        "rehearsal-opened",
        "rehearsed-by-list",
        "login-switched-by-class",
        "login-switched",
        "login-switched-back",
    ]
    assert [each.stage for each in store.steps] == [
        SwitchStage.REHEARSAL,
        SwitchStage.CLASSES,
        SwitchStage.ALL,
        SwitchStage.BACK,
    ]


def refuse(doing: object, refusal: type[Refusal], events: Events) -> None:
    before = len(events.events)
    with pytest.raises(refusal):
        doing()  # type: ignore[operator]
    assert [each.action for each in events.events[before:]] == ["refused"]


def test_one_line_for_each_refusal() -> None:
    store, events = MemorySwitches(), Events()
    desk = a_switch_desk(store, events)
    refuse(lambda: desk.switch(PAIR, classes=(), first_day=None), NotRehearsed, events)
    refuse(lambda: desk.roll_back(SCHOOL), SwitchNotRunning, events)
    refuse(lambda: desk.finish(SCHOOL), SwitchNotRunning, events)
    desk.keep_list(PAIR, FINE)
    yesterday = TODAY - timedelta(1)
    refuse(lambda: desk.switch(PAIR, classes=(), first_day=yesterday), DayPast, events)
    desk.switch(PAIR, classes=(), first_day=TODAY + timedelta(9))
    with pytest.raises(SwitchRunning):
        desk.check_may_rehearse(PAIR)
    refuse(lambda: desk.open_rehearsal(PAIR), SwitchRunning, events)
    refuse(lambda: desk.finish(SCHOOL), SwitchNotRunning, events)
    assert [each.stage for each in store.steps] == [SwitchStage.ALL]


def test_a_switch_ends_when_the_documents_say_the_same() -> None:
    store, events = MemorySwitches(), Events()
    desk = a_switch_desk(store, events)
    desk.keep_list(PAIR, FINE)
    desk.switch(PAIR, classes=(), first_day=None)
    refuse(lambda: desk.finish(SCHOOL), DocumentsDisagree, events)
    store.idps[NEW.id] = replace(NEW, rehearsal_only=False)
    refuse(lambda: desk.finish(SCHOOL), DocumentsDisagree, events)
    del store.idps[OLD.id]
    assert desk.finish(SCHOOL).stage is SwitchStage.DONE


async def test_two_persons_switch_despite_changes() -> None:
    store, events = MemorySwitches(), Events()
    switches = a_switch_desk(store, events, clock=lambda: NOW)
    desk = a_desk(ANNA, BEA).at
    prepared = desk.prepare_switch(
        PAIR, classes=("7b",), first_day=TODAY, by=ANNA, switches=switches
    )
    assert prepared.body.action == Action.SWITCH_LOGIN
    assert store.steps == []
    await desk.confirm(prepared, by=BEA, register=MemoryRegister(), switches=switches)
    assert (store.steps[0].classes, store.steps[0].first_day) == (("7b",), TODAY)


async def test_a_switch_needs_where_to_switch() -> None:
    switches = a_switch_desk(MemorySwitches(), Events())
    desk = a_desk(ANNA, BEA).at
    prepared = desk.prepare_switch(PAIR, classes=(), first_day=None, by=ANNA, switches=switches)
    with pytest.raises(PreparedUnreadable):
        await desk.confirm(prepared, by=BEA, register=MemoryRegister())
