"""What two persons do: register a third operator, erase a person; and the trace of each step."""

from base64 import b64decode
from dataclasses import replace
from functools import partial

import pytest

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal
from broker.flow.audit import AuditEvent
from broker.flow.operators.concealed import reveal
from broker.flow.operators.operator_actions import present_stated
from broker.flow.operators.operator_parameters import Erasure, read_erasure, read_operator
from broker.flow.operators.operator_refusals import (
    ActionUsed,
    OperatorExists,
    OperatorUnknown,
    PersonChanged,
    PersonNotKnown,
    PreparedUnreadable,
    SamePerson,
    SecondPersonNeeded,
)
from broker.flow.operators.operators import Signer
from broker.flow.operators.two_persons import Action, ConfirmedAction, PreparedAction
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import RegisterUnavailable, derive_register_keys, derive_tag
from broker.pseudonyms.derivation import (
    EckIdUnusable,
    IdentifierNotDerivable,
    PersonRoot,
    load_root_key,
    parse_eckid,
    root_anew,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from tests.flow.memory_register import MemoryRegister
from tests.flow.operators import ANNA, BEA, CAS, NOW, SEALING, Desk, a_desk, a_signer, registered_as
from tests.flow.register_world import FIRST_DAY, KOMPAS, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(range(32)))
ROOT_KEY = load_root_key(bytes(range(32)))
ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
E1, L1, L2 = a_root("E:1"), a_root("L:1"), a_root("L:2")


class Register(MemoryRegister):
    """A register with a source of numbers, in which somebody logs in."""

    drawn = 0

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    async def login(
        self, eck_id: PersonRoot | None, local: PersonRoot | None, *, school: SchoolId = VUURVOGEL
    ) -> KnownPerson:
        return await identify_person(
            Presented(Population.PUPIL, eck_id=eck_id, local=local),
            register=self,
            keys=KEYS,
            school=school,
            eck_id_required=False,
            today=FIRST_DAY,
            random=self.draw,
            rules=JoinRules(),
            anew=partial(root_anew, key=ROOT_KEY),
        )


async def prepare_erasure(
    desk: Desk,
    register: MemoryRegister,
    *,
    eck_id: PersonRoot | None = None,
    local: PersonRoot | None = None,
    school: SchoolId = VUURVOGEL,
    by: Signer = ANNA,
) -> PreparedAction:
    return await desk.at.prepare_erasure(
        Presented(Population.PUPIL, eck_id=eck_id, local=local),
        school=school,
        by=by,
        register=register,
        keys=KEYS,
    )


def refusal_event(desk: Desk) -> AuditEvent:
    last = desk.events.seen[-1]
    assert last.action == "refused"
    return last


def test_one_person_adds_the_first_two() -> None:
    desk = a_desk()
    desk.at.add_first_operator(registered_as(ANNA))
    desk.at.add_first_operator(registered_as(BEA))
    assert desk.operators.by_name == {each.name: registered_as(each) for each in (ANNA, BEA)}
    assert [each.operators for each in desk.events.seen] == [("anna",), ("bea",)]
    assert desk.told() == ["operator-added", "operator-added"]


def test_from_the_third_on_it_takes_two() -> None:
    desk = a_desk(ANNA, BEA)
    with pytest.raises(SecondPersonNeeded):
        desk.at.add_first_operator(registered_as(CAS))
    assert refusal_event(desk).check == "check_first_operators"
    assert CAS.name not in desk.operators.by_name


async def test_two_persons_add_a_third_who_may_then_confirm() -> None:
    desk, register = a_desk(ANNA, BEA), MemoryRegister()
    prepared = desk.at.prepare_operator(registered_as(CAS), by=ANNA)
    confirmed = await desk.at.confirm(prepared, by=BEA, register=register)
    assert confirmed.action is Action.ADD_OPERATOR
    assert desk.operators.by_name[CAS.name] == registered_as(CAS)
    fourth = desk.at.prepare_operator(registered_as(a_signer("dirk", 4)), by=BEA)
    assert await desk.at.confirm(fourth, by=CAS, register=register)


@pytest.mark.parametrize(
    ("new", "check"),
    [
        (a_signer("anna", 9), "check_operator_name_new"),
        (replace(ANNA, name=CAS.name), "check_operator_key_new"),
    ],
)
def test_name_and_key_are_new(new: Signer, check: str) -> None:
    for act in (
        lambda desk: desk.at.add_first_operator(registered_as(new)),
        lambda desk: desk.at.prepare_operator(registered_as(new), by=ANNA),
    ):
        desk = a_desk(ANNA)
        with pytest.raises(OperatorExists):
            act(desk)
        assert refusal_event(desk).check == check


async def test_a_name_that_was_taken_in_between_stays_taken() -> None:
    desk = a_desk(ANNA, BEA)
    prepared = desk.at.prepare_operator(registered_as(CAS), by=ANNA)
    other = registered_as(a_signer("cas", 9))
    desk.operators.add(other)
    with pytest.raises(OperatorExists):
        await desk.at.confirm(prepared, by=BEA, register=MemoryRegister())
    assert desk.operators.by_name[CAS.name] == other


async def test_two_persons_erase_a_third() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    before = await register.login(E1, L1)
    await register.login(E1, L2, school=REGENBOOG)
    await register.login(a_root("E:other"), None)
    prepared = await prepare_erasure(desk, register, local=L1)
    assert len(register.rows) == 4
    await desk.at.confirm(prepared, by=BEA, register=register)
    assert list(register.known) == [derive_tag(KEYS, a_root("E:other"))]
    assert (await register.login(E1, L1)).salt != before.salt


async def test_what_is_prepared_tells_nobody_whose_number_it_is() -> None:
    """By number and by ECK iD the same rows are meant, and the documents share nothing."""
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    by_both = [
        (await prepare_erasure(desk, register, eck_id=E1)).body.parameters["sealed"],
        (await prepare_erasure(desk, register, local=L1)).body.parameters["sealed"],
    ]
    assert len(set(by_both)) == 2
    assert len({len(each) for each in by_both}) == 1
    tags = [derive_tag(KEYS, root) for root in (E1, L1)]
    for each in by_both:
        plain = b64decode(each)
        assert not any(tag in plain or tag.hex().encode() in plain for tag in tags)


async def test_what_is_sealed_elsewhere_or_for_another_action_is_unreadable() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    said = (await prepare_erasure(desk, register, local=L1)).body.parameters
    of = {"id": "", "prepared_by": ANNA.name, "confirmed_by": BEA.name}
    fine = ConfirmedAction(action=Action.ERASE_PERSON, parameters=said, **of)  # type: ignore[arg-type]
    assert derive_tag(KEYS, L1).hex() in reveal(fine, keys=SEALING)
    for other in (
        replace(fine, action=Action.SPLIT_PERSON),
        replace(fine, parameters={}),
        replace(fine, parameters={"sealed": "no base64"}),
    ):
        with pytest.raises(PreparedUnreadable, match="check_sealed_here"):
            reveal(other, keys=SEALING)
    with pytest.raises(PreparedUnreadable):
        reveal(fine, keys=KEYS)


async def test_the_steps_of_an_erasure_leave_their_trace() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    prepared = await prepare_erasure(desk, register, local=L1)
    await desk.at.confirm(prepared, by=BEA, register=register)
    first, second, third = desk.events.seen
    assert first == AuditEvent(
        action="action-prepared",
        reference=prepared.body.id,
        school=VUURVOGEL,
        names=("person-erase",),
        operators=("anna",),
    )
    assert second == AuditEvent(
        action="action-confirmed",
        reference=prepared.body.id,
        names=("person-erase",),
        operators=("anna", "bea"),
    )
    assert third == replace(second, action="action-done")


async def test_nothing_is_known_of_a_stranger() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    with pytest.raises(PersonNotKnown):
        await prepare_erasure(desk, register, local=L2)
    event = refusal_event(desk)
    assert (event.check, event.school, event.operators) == (
        *("check_person_known", VUURVOGEL, ("anna",)),
    )


async def test_a_school_that_never_stated_a_person_learns_nothing() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    with pytest.raises(PersonNotKnown):
        await prepare_erasure(desk, register, eck_id=E1, school=KOMPAS)
    assert await prepare_erasure(desk, register, eck_id=E1)


async def test_who_is_no_operator_looks_nothing_up() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    with pytest.raises(OperatorUnknown):
        await prepare_erasure(desk, register, local=L1, by=CAS)
    assert register.looked_up == 0
    with pytest.raises(PersonNotKnown):
        await prepare_erasure(desk, register, local=L1)
    assert register.looked_up > 0


async def test_a_login_in_between_stops_the_erasure() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    prepared = await prepare_erasure(desk, register, local=L1)
    await register.login(E1, L2, school=REGENBOOG)
    with pytest.raises(PersonChanged):
        await desk.at.confirm(prepared, by=BEA, register=register)
    assert len(register.rows) == 3
    event = refusal_event(desk)
    assert (event.check, event.reference) == ("check_person_unchanged", prepared.body.id)
    again = await prepare_erasure(desk, register, local=L1)
    await desk.at.confirm(again, by=BEA, register=register)
    assert register.known == {}
    assert register.rows.keys() == {derive_tag(KEYS, each) for each in (L1, L2)}


async def test_what_fails_half_way_is_used_up() -> None:
    class Down(Register):
        down = False

        async def erase(self, *_: object, **__: object) -> int:
            raise RegisterUnavailable("check_written")

    desk, register = a_desk(ANNA, BEA), Down()
    await register.login(E1, L1)
    prepared = await prepare_erasure(desk, register, local=L1)
    failed: list[type[Refusal]] = []
    for _ in range(2):
        with pytest.raises((RegisterUnavailable, ActionUsed)) as refusal:
            await desk.at.confirm(prepared, by=BEA, register=register)
        failed.append(refusal.type)
    assert failed == [RegisterUnavailable, ActionUsed]
    assert desk.told() == ["action-prepared", "action-confirmed", "refused", "refused"]


async def test_one_person_alone_erases_nobody() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(E1, L1)
    prepared = await prepare_erasure(desk, register, local=L1)
    with pytest.raises(SamePerson):
        await desk.at.confirm(prepared, by=ANNA, register=register)
    assert len(register.rows) == 2
    assert refusal_event(desk).operators == ("anna",)


def test_a_stated_number_or_eck_id_is_read_as_a_login_s() -> None:
    by_number = present_stated("1", school=VUURVOGEL, population=Population.PUPIL, key=ROOT_KEY)
    by_eck_id = present_stated(ECK_ID, school=VUURVOGEL, population=Population.PUPIL, key=ROOT_KEY)
    of_staff = present_stated("1", school=VUURVOGEL, population=Population.STAFF, key=ROOT_KEY)
    assert by_number.roots == (root_from_local(VUURVOGEL, "1", key=ROOT_KEY),)
    assert by_eck_id.roots == (root_from_eckid(parse_eckid(ECK_ID), key=ROOT_KEY),)
    assert of_staff.roots == (root_from_local_staff(VUURVOGEL, "1", key=ROOT_KEY),)
    assert of_staff.population is Population.STAFF


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(IdentifierNotDerivable):
        present_stated("", school=VUURVOGEL, population=Population.PUPIL, key=ROOT_KEY)
    with pytest.raises(EckIdUnusable):
        present_stated(ECK_ID[:-1], school=VUURVOGEL, population=Population.PUPIL, key=ROOT_KEY)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"name": "cas"},
        {"name": "cas", "public_key": "no"},
        {"name": "cas", "public_key": "00"},
        {"name": "../cas", "public_key": "00" * 32},
    ],
)
def test_an_action_that_names_no_operator_is_refused(parameters: dict[str, str]) -> None:
    assert read_operator({"name": "cas", "public_key": "00" * 32}).public_key == bytes(32)
    with pytest.raises(PreparedUnreadable, match="check_names_operator"):
        read_operator(parameters)


def test_an_action_that_names_no_rows_is_refused() -> None:
    marks, moves = {"00": "ff", "01": ""}, b"[]".hex()
    for stated in (marks, {**marks, "moves": moves}):
        assert read_erasure(stated) == Erasure({b"\0": b"\xff", b"\1": b""}, (), frozenset())
    tags = [bytes([each] * 32) for each in (1, 2)]
    assert read_erasure({"closes": b"".join(tags).hex()}).closes == set(tags)
    for unreadable in (
        *({"name": "cas"}, {**marks, "moves": "7b7d"}, {"moves": "no"}, {"closes": "no"}),
    ):
        with pytest.raises(PreparedUnreadable, match="check_names_rows"):
            read_erasure(unreadable)


def test_the_clock_is_the_desk_s() -> None:
    prepared = a_desk(ANNA, BEA).at.prepare_operator(registered_as(CAS), by=ANNA)
    assert prepared.body.prepared_at == int(NOW.timestamp())
