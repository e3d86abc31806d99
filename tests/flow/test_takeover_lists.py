"""Lists of pupils for a take-over: refused by line, planned, and kept as tags."""

from collections.abc import Callable, Iterable
from dataclasses import replace as replaced
from datetime import timedelta

import pytest

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import TakeoverState
from broker.domain.takeover_refusals import (
    ListUnusable,
    NotSignedFor,
    OtherListSigned,
    TakeoverEnded,
)
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys
from broker.flow.held_state.framing import mac
from broker.flow.operators.concealed import reveal
from broker.flow.operators.erased_beside import BesideRows
from broker.flow.operators.two_persons import Action, ConfirmedAction, PreparedAction
from broker.flow.persons.person_erasure import FoundPerson
from broker.flow.persons.person_records import Presented
from broker.flow.shielding.shield_records import derive_shield_keys
from broker.flow.takeover import takeover_lists
from broker.flow.takeover.takeover_arrival import note_arrival
from broker.flow.takeover.takeover_lists import ListKind, ListOf, derive_list_tag, read_list
from broker.flow.takeover.takeover_pilot import ListDesk, ListPlan
from tests.builders import TODAY, a_takeover
from tests.flow.operators import ANNA, BEA, SEALING
from tests.flow.takeover_fakes import MemoryLists
from tests.flow.test_takeover_mapping import (
    KEYS,
    REGENBOOG,
    ROOT_KEY,
    Mapped,
    an_eck_id,
    local_of,
    mapped,
    root_of,
)
from tests.flow.test_takeovers import REKENRIJK, VUURVOGEL

__all__ = ["mapped"]  # a fixture

DIGEST = bytes(range(32))
PILOT = ListOf(ListKind.PILOT, VUURVOGEL, REKENRIJK)
PUPILS = replaced(PILOT, kind=ListKind.PUPILS)


async def put(
    mapped: Mapped, *stated: str, of: ListOf = PILOT, digest: bytes = DIGEST, dry_run: bool = False
) -> ListPlan:
    desk = a_list_desk(mapped)
    if of.kind is ListKind.PUPILS:
        return await desk.put_pupils(of, stated, digest=digest, dry_run=dry_run)
    assert desk.count_pilot(of, stated) == len(stated)
    return await desk.put_pilot(of, stated)


def a_list_desk(mapped: Mapped) -> ListDesk:
    return ListDesk(
        registry=mapped.world.registry,
        lists=mapped.lists,
        register=mapped.register,
        register_keys=KEYS,
        root=ROOT_KEY,
        audit=mapped.world.desk.events,
        clock=lambda: mapped.world.desk.now,
        random=mapped.random,
    )


class TestReading:
    def test_lines_keep_their_numbers_and_keys(self) -> None:
        stated = [an_eck_id("a") + ", klas7/17 ", "", an_eck_id("b"), " 1100417"]
        read = read_list(stated, school=VUURVOGEL, key=ROOT_KEY, numbers=True)
        assert [(each.number, each.root, each.key) for each in read] == [
            (1, root_of("a"), "klas7/17"),
            (3, root_of("b"), ""),
            (4, local_of("1100417"), ""),
        ]

    @pytest.mark.parametrize(
        ("stated", "told"),
        [
            ([an_eck_id("a"), "x", an_eck_id("a"), ","], "line 2 is malformed, line 3 is that of"),
            ([], "it is empty"),
            (["1"], "line 1 is malformed"),
            ([an_eck_id("j").upper()], "line 1 is malformed"),
        ],
    )
    def test_lines_that_cannot_be_used_are_told_by_number(
        self, stated: list[str], told: str
    ) -> None:
        with pytest.raises(ListUnusable) as refused:
            read_list(stated, school=VUURVOGEL, key=ROOT_KEY)
        assert refused.value.subject.startswith(told)
        assert "ketenid" not in refused.value.subject

    def test_a_number_has_a_bound(self) -> None:
        with pytest.raises(ListUnusable):
            read_list(["7" * 2049], school=VUURVOGEL, key=ROOT_KEY, numbers=True)
        assert read_list(["7" * 2048], school=VUURVOGEL, key=ROOT_KEY, numbers=True)

    def test_of_many_problems_the_first_are_told(self) -> None:
        with pytest.raises(ListUnusable) as refused:
            read_list(["x"] * 25, school=VUURVOGEL, key=ROOT_KEY)
        assert refused.value.subject.endswith("line 20 is malformed, and 5 more")

    def test_a_list_has_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(takeover_lists, "MAX_LINES", 2)
        stated = [an_eck_id(each) for each in "abc"]
        assert len(read_list(stated[:2], school=VUURVOGEL, key=ROOT_KEY)) == 2
        with pytest.raises(ListUnusable):
            read_list(stated, school=VUURVOGEL, key=ROOT_KEY)

    def test_tags_of_two_lists_do_not_match(self) -> None:
        lists = (
            PILOT,
            PUPILS,
            replaced(PILOT, school=REGENBOOG),
            replaced(PILOT, supplier=SupplierId("taaltuin")),
        )
        tags = {derive_list_tag(KEYS, of, root_of(name)) for of in lists for name in "ab"}
        assert len(tags) == 8


class TestPutting:
    async def test_a_pilot_of_pupils_whom_the_school_has(self, mapped: Mapped) -> None:
        await mapped.login("a", "1")
        await mapped.login(local="2")
        plan = await put(mapped, an_eck_id("a"), "2")
        assert (plan.new, plan.kept, plan.removed) == (2, 0, 0)
        plan = await put(mapped, an_eck_id("a"))
        assert (plan.new, plan.kept, plan.removed) == (0, 1, 1)
        assert await mapped.lists.counts() == {PILOT: (1, 0)}
        events = [each.action for each in mapped.world.desk.events.seen]
        assert events == ["takeover-listed"] * 2
        assert mapped.world.desk.events.seen[0].names == ("pilot", "listed 2")

    async def test_others_and_unknown_ones_are_refused_in_the_same_words(
        self, mapped: Mapped
    ) -> None:
        await mapped.login("theirs", school=REGENBOOG)
        await mapped.login("ours")
        with pytest.raises(ListUnusable) as refused:
            await put(mapped, an_eck_id("theirs"), an_eck_id("ours"), an_eck_id("nobody"), "99")
        assert refused.value.subject == (
            "line 1 is not known at this school, line 3 is not known at this school,"
            " line 4 is not known at this school"
        )
        assert await mapped.lists.counts() == {}
        assert mapped.world.desk.events.seen == []  # noted where two operators confirm

    async def test_who_stands_in_the_signed_list_may_be_on_a_pilot(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        assert (await put(mapped, an_eck_id("new"))).new == 1

    async def test_only_the_list_that_was_signed(self, mapped: Mapped) -> None:
        await mapped.world.sign(pupils=DIGEST)
        with pytest.raises(OtherListSigned):
            await put(mapped, an_eck_id("a"), of=PUPILS, digest=bytes(32))
        assert mapped.world.desk.events.seen[-1].action == "refused"
        plan = await put(mapped, an_eck_id("a"), of=PUPILS, dry_run=True)
        assert (plan.new, await mapped.lists.counts()) == (1, {})
        plan = await put(mapped, an_eck_id("a"), an_eck_id("b"), of=PUPILS)
        assert plan.new == 2
        assert len(await mapped.ask("a", "b")) == 2

    async def test_no_list_without_a_take_over(self, mapped: Mapped) -> None:
        with pytest.raises(NotSignedFor):
            await put(mapped, an_eck_id("a"), of=replaced(PILOT, school=SchoolId("regenboog")))
        mapped.world.move("on")
        mapped.world.desk.now = mapped.world.desk.now.replace(year=2030)
        with pytest.raises(TakeoverEnded):
            await put(mapped, an_eck_id("a"))


async def test_lists_go_when_the_take_over_is_closed(mapped: Mapped) -> None:
    await mapped.sign_list("a")
    await mapped.login("a", "1")
    await put(mapped, an_eck_id("a"))
    assert set(await mapped.lists.counts()) == {PUPILS, PILOT}
    takeover = mapped.world.registry.takeovers[VUURVOGEL, REKENRIJK]
    last_day = takeover.last_day
    await takeover_lists.forget_closed(mapped.lists, [takeover], today=last_day)
    assert set(await mapped.lists.counts()) == {PUPILS, PILOT}
    await takeover_lists.forget_closed(mapped.lists, [takeover], today=last_day + timedelta(days=1))
    assert await mapped.lists.counts() == {}


def beside(*lists: ListOf) -> Callable[[FoundPerson], Iterable[bytes]]:
    return BesideRows(
        *(
            KEYS,
            derive_enrolment_keys(bytes(32)),
            derive_shield_keys(bytes(32)),
            SchoolId("kompas"),
        ),
        lists,
    ).tags


def said_in(prepared: PreparedAction) -> set[str]:
    body = prepared.body
    names = (body.prepared_by, body.prepared_by)
    return set(
        reveal(ConfirmedAction(Action(body.action), body.parameters, body.id, *names), keys=SEALING)
    )


async def test_who_is_erased_leaves_the_lists(mapped: Mapped) -> None:
    await mapped.login("a", "1")
    await put(mapped, an_eck_id("a"))
    elsewhere = replaced(PILOT, school=REGENBOOG)
    prepared = await mapped.world.desk.at.prepare_erasure(
        Presented(Population.PUPIL, eck_id=None, local=local_of("1")),
        school=VUURVOGEL,
        by=ANNA,
        register=mapped.register,
        keys=KEYS,
        beside=beside(PILOT, elsewhere),
    )
    tags = said_in(prepared)
    assert derive_list_tag(KEYS, PILOT, root_of("a")).hex() in tags
    assert derive_list_tag(KEYS, elsewhere, root_of("a")).hex() not in tags
    await mapped.world.desk.at.confirm(prepared, by=BEA, register=mapped.register)
    assert mapped.register.known == {}


async def test_who_is_erased_by_eck_id_leaves_a_pilot_that_lists_the_number(
    mapped: Mapped,
) -> None:
    """Of the number only the tag of its row is known then: the pilot goes by the account."""
    await mapped.login("a", "1")
    await mapped.login("b", "2")
    await put(mapped, "1", an_eck_id("b"))
    prepared = await mapped.world.desk.at.prepare_erasure(
        Presented(Population.PUPIL, eck_id=root_of("a"), local=None),
        school=VUURVOGEL,
        by=ANNA,
        register=mapped.register,
        keys=KEYS,
        beside=beside(PILOT),
    )
    listed = {each.hex() for each in mapped.lists.tags[PILOT]}
    assert len(listed & said_in(prepared)) == 1
    assert derive_list_tag(KEYS, PILOT, root_of("b")).hex() in listed
    assert derive_list_tag(KEYS, PILOT, root_of("b")).hex() not in said_in(prepared)


async def test_a_pilot_that_names_somebody_twice_counts_one(mapped: Mapped) -> None:
    known = await mapped.login("a", "1")
    assert (await put(mapped, an_eck_id("a"), "1")).new == 1
    assert set(mapped.lists.tags[PILOT]) == {derive_list_tag(KEYS, PILOT, known.root)}


async def test_a_list_does_not_follow_from_the_register(mapped: Mapped) -> None:
    """Else who has all keys learns which rows are of which school."""
    await mapped.login("a", "1")
    await put(mapped, an_eck_id("a"))
    of = (PILOT.kind, PILOT.school, PILOT.supplier)
    labels = (b"schuilnaam/takeover-tag/v1", b"")
    followed = {mac(KEYS.tag, label, *of, tag) for tag in mapped.register.rows for label in labels}
    assert followed.isdisjoint(mapped.lists.tags[PILOT])
    assert mac(KEYS.tag, labels[0], *of, root_of("a")) in mapped.lists.tags[PILOT]


async def test_who_was_answered_about_and_never_came_can_be_erased(mapped: Mapped) -> None:
    await mapped.sign_list("new")
    await mapped.ask("new")
    prepared = await mapped.world.desk.at.prepare_erasure(
        Presented(Population.PUPIL, eck_id=root_of("new"), local=None),
        school=VUURVOGEL,
        by=ANNA,
        register=mapped.register,
        keys=KEYS,
    )
    await mapped.world.desk.at.confirm(prepared, by=BEA, register=mapped.register)
    assert mapped.register.known == {}


class TestArrival:
    """Who of the pilot came; it never keeps anybody out."""

    presented = Presented(Population.PUPIL, eck_id=root_of("a"), local=local_of("1"))

    async def arrive(
        self, mapped: Mapped, *, state: TakeoverState | None = TakeoverState.PILOT
    ) -> None:
        await note_arrival(
            self.presented,
            account=root_of("a"),
            takeover=None if state is None else a_takeover(state),
            lists=mapped.lists,
            keys=KEYS,
            audit=mapped.world.desk.events,
            today=TODAY,
        )

    async def test_somebody_listed_is_counted_once(self, mapped: Mapped) -> None:
        await mapped.login("a", "1")
        await put(mapped, "1")
        for _ in range(2):
            await self.arrive(mapped)
            assert await mapped.lists.counts() == {PILOT: (1, 1)}

    async def test_somebody_who_is_not_listed_is_not(self, mapped: Mapped) -> None:
        await mapped.login("b")
        await put(mapped, an_eck_id("b"))
        await self.arrive(mapped)
        assert await mapped.lists.counts() == {PILOT: (1, 0)}

    @pytest.mark.parametrize("state", [None, TakeoverState.PREPARE, TakeoverState.ON])
    async def test_outside_a_pilot_nothing_is_looked_up(
        self, mapped: Mapped, state: TakeoverState | None
    ) -> None:
        mapped.lists = MemoryLists(down=True)
        await self.arrive(mapped, state=state)
        assert mapped.world.desk.events.seen == []

    async def test_lists_that_are_down_refuse_nobody(self, mapped: Mapped) -> None:
        mapped.lists = MemoryLists(down=True)
        await self.arrive(mapped)
        (event,) = mapped.world.desk.events.seen
        assert (event.action, event.check) == ("pilot-not-counted", "check_lists_readable")
