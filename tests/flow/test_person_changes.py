"""Carrying out what people, or a school's program, decide about one person."""

from datetime import timedelta
from functools import partial

import pytest

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.operator_refusals import (
    OperatorUnknown,
    PersonChanged,
    PreparedUnreadable,
)
from broker.flow.operators.two_persons import Action, PreparedAction, encode_prepared
from broker.flow.persons.person_changes import (
    PlannedChange,
    PlanPorts,
    plan_change,
    read_rewrites,
    write_rewrites,
)
from broker.flow.persons.person_erasure import erase_person
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plan_refusals import BothNeeded, NothingToDecide
from broker.flow.persons.person_plans import (
    Deciding,
    plan_split,
)
from broker.flow.persons.person_records import Presented, as_root
from broker.flow.persons.person_rows import find_records
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import (
    RowRewrite,
    derive_register_keys,
    derive_tag,
)
from broker.pseudonyms.derivation import (
    PersonRoot,
    load_root_key,
    root_anew,
    root_apart,
    root_from_local,
)
from tests.flow.memory_register import MemoryRegister
from tests.flow.operators import ANNA, BEA, CAS, Desk, a_desk
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL

KEYS = derive_register_keys(bytes(range(32)))
ROOT_KEY = load_root_key(bytes(range(32)))
ECK = root_from_local(SchoolId("stands-for"), "an ECK iD", key=ROOT_KEY)
HERE = root_from_local(VUURVOGEL, "1", key=ROOT_KEY)
THERE = root_from_local(REGENBOOG, "9", key=ROOT_KEY)


class Register(MemoryRegister):
    drawn = 0

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    @property
    def ports(self) -> PlanPorts:
        return PlanPorts(self, KEYS, self.draw)

    async def login(
        self,
        eck_id: PersonRoot | None,
        local: PersonRoot | None,
        *,
        school: SchoolId = VUURVOGEL,
        after_days: int = 0,
    ) -> KnownPerson:
        return await identify_person(
            Presented(Population.PUPIL, eck_id=eck_id, local=local),
            register=self,
            keys=KEYS,
            school=school,
            eck_id_required=False,
            today=FIRST_DAY + timedelta(days=after_days),
            random=self.draw,
            rules=JoinRules(),
            visit=Visit(SupplierId("rekenrijk"), "a"),
            anew=partial(root_anew, key=ROOT_KEY),
        )

    async def plan_objection(self) -> PlannedChange:
        return await plan_change(
            pupil(HERE), lambda person: plan_objection(person, by=BY_HERE), ports=self.ports
        )


def pupil(local: PersonRoot | None, eck_id: PersonRoot | None = None) -> Presented:
    return Presented(Population.PUPIL, eck_id=eck_id, local=local)


def deciding(school: SchoolId) -> Deciding:
    return Deciding(
        school=school,
        today=FIRST_DAY + timedelta(days=2),
        settled_after_days=14,
        tag_of=lambda root: derive_tag(KEYS, root),
        fresh_account=lambda root, at: root_apart(root, at, key=ROOT_KEY),
    )


BY_HERE = deciding(VUURVOGEL)


async def a_moved_register() -> Register:
    register = Register()
    await register.login(ECK, HERE)
    await register.login(ECK, THERE, school=REGENBOOG, after_days=1)
    return register


async def prepare(desk: Desk, register: Register) -> PreparedAction:
    prepared, planned = await desk.at.prepare_change(
        Action.OBJECT_TRANSFER, school=VUURVOGEL, by=ANNA, plan=register.plan_objection
    )
    assert planned.plan.lines
    return prepared


async def test_two_persons_object_and_the_other_school_gets_a_fresh_account() -> None:
    desk, register = a_desk(ANNA, BEA), await a_moved_register()
    prepared = await prepare(desk, register)
    document = encode_prepared(prepared)
    for hidden in (ECK, HERE, THERE):
        assert hidden.hex().encode() not in document
    assert (await register.login(ECK, THERE, school=REGENBOOG, after_days=1)).root == ECK
    await desk.at.confirm(prepared, by=BEA, register=register)
    apart = root_apart(ECK, REGENBOOG, key=ROOT_KEY)
    assert (await register.login(ECK, THERE, school=REGENBOOG)).root == apart
    assert (await register.login(ECK, HERE)).root == ECK
    assert (await register.login(None, THERE, school=REGENBOOG)).root == apart
    assert desk.told() == ["action-prepared", "action-confirmed", "action-done"]
    assert [each.school for each in desk.events.seen] == [VUURVOGEL, None, None]


async def test_erasing_takes_the_fresh_account_s_row_along() -> None:
    desk, register = a_desk(ANNA, BEA), await a_moved_register()
    await desk.at.confirm(await prepare(desk, register), by=BEA, register=register)
    await register.login(ECK, THERE, school=REGENBOOG)
    await erase_person(pupil(HERE), register=register, keys=KEYS)
    assert register.rows.keys() == {derive_tag(KEYS, each) for each in (ECK, HERE, THERE)}
    assert register.known == {}


async def test_login_in_between_stops_it_and_nothing_is_half_done() -> None:
    desk, register = a_desk(ANNA, BEA), await a_moved_register()
    prepared = await prepare(desk, register)
    await register.login(ECK, HERE, after_days=1)  # confirms the arrival, so the row changed
    rows = dict(register.rows)
    with pytest.raises(PersonChanged):
        await desk.at.confirm(prepared, by=BEA, register=register)
    assert register.rows == rows
    assert desk.events.seen[-1].code == "E-OPERATOR-13"


async def test_refused_plan_and_unknown_signer_leave_one_event_and_nothing_else() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(ECK, HERE)
    with pytest.raises(NothingToDecide):
        await prepare(desk, register)
    with pytest.raises(OperatorUnknown):
        await desk.at.prepare_change(
            Action.OBJECT_TRANSFER, school=VUURVOGEL, by=CAS, plan=register.plan_objection
        )
    assert desk.told() == ["refused", "refused"]


async def test_split_moves_suppliers_in_their_counts() -> None:
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(None, HERE)
    await register.login(ECK, HERE)
    prepared, _ = await desk.at.prepare_change(
        Action.UNDO_JOIN,
        school=VUURVOGEL,
        by=ANNA,
        plan=lambda: plan_change(
            pupil(HERE),
            lambda person: plan_split(person, only_joins=True, by=BY_HERE),
            ports=register.ports,
        ),
    )
    await desk.at.confirm(prepared, by=BEA, register=register)
    assert (await register.login(ECK, None)).root == ECK
    assert (await register.login(None, HERE)).root == HERE
    rows = await find_records((ECK, HERE), register=register, keys=KEYS)
    assert all(each.suppliers for each in rows.values())


async def test_whether_number_and_eck_id_are_one_pupil_s_two_persons_learn() -> None:
    """Prepared alike for a pair, for two pupils and for nobody; the second person is told."""
    desk, register = a_desk(ANNA, BEA), Register()
    await register.login(ECK, None, school=REGENBOOG)
    await register.login(None, HERE)
    await register.login(ECK, None, after_days=1)

    async def prepare_join() -> PreparedAction:
        prepared, _ = await desk.at.prepare_change(
            Action.JOIN_PERSON,
            school=VUURVOGEL,
            by=ANNA,
            plan=lambda: plan_change(
                pupil(HERE, ECK),
                lambda person: plan_join(person, by=BY_HERE),
                ports=register.ports,
            ),
        )
        return prepared

    possible = await prepare_join()
    await desk.at.confirm(possible, by=BEA, register=register)
    assert (await register.login(None, HERE)).root == ECK
    rows = dict(register.rows)
    done = await prepare_join()
    with pytest.raises(NothingToDecide, match="check_not_joined_yet"):
        await desk.at.confirm(done, by=BEA, register=register)
    register.rows.clear()
    nobody = await prepare_join()
    register.rows |= rows
    with pytest.raises(BothNeeded, match="check_both_known"):
        await desk.at.confirm(nobody, by=BEA, register=register)
    assert register.rows == rows
    assert len({len(encode_prepared(each)) for each in (possible, done, nobody)}) == 1
    assert desk.told().count("action-prepared") == 3
    assert desk.told().count("refused") == 2


async def test_prepared_rows_are_read_as_they_were_written() -> None:
    register = await a_moved_register()
    planned = await register.plan_objection()
    rewrites = [*planned.rewrites, RowRewrite(b"tag", b"mark", None)]
    assert read_rewrites(write_rewrites(rewrites)) == rewrites
    of_before = {tag: text.rpartition("/")[0] for tag, text in write_rewrites(rewrites).items()}
    assert [each.mark for each in read_rewrites(of_before)] == [each.mark for each in rewrites]
    assert {each.row.life for each in read_rewrites(of_before) if each.row} == {b""}


@pytest.mark.parametrize(
    "parameters", [{"zz": "00/00/2026/5b5d"}, {"00": "00/00"}, {"00": "00/00/x/5b5d"}, {"00": "0"}]
)
def test_parameters_that_name_no_rows_are_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(PreparedUnreadable):
        read_rewrites(parameters)
    with pytest.raises(PreparedUnreadable):
        read_rewrites({"00": "00/00/2026/" + b"no json".hex()})


def test_fresh_account_is_of_one_eck_id_at_one_school() -> None:
    made = {
        root_apart(root, school, key=ROOT_KEY)
        for root in (ECK, HERE)
        for school in (VUURVOGEL, REGENBOOG)
    }
    assert len(made | {ECK, HERE}) == 6
    assert as_root(next(iter(made))) in made
