"""Erasing who has a number now takes nothing from who had it before, and the other way round.

Two rows lead from an account to who opens it: the number's own, which is the new owner's once the
number is issued anew, and the one beside it, which stays when that owner is erased.
"""

import pytest

from broker.domain.attributes import Population
from broker.flow.persons.person_erasure import find_person
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_plans import plan_split
from broker.flow.persons.person_records import Presented
from broker.flow.persons.person_rules import EckIdMissing
from broker.flow.persons.person_suppliers import find_holder, find_supplier_seen
from broker.flow.persons.register import derive_tag, way_root
from broker.flow.persons.successors import OldNumber, Succession
from broker.flow.rotation.conversion import NotConverted, convert_batch
from broker.pseudonyms.conversion import find_root, make_conversion
from broker.pseudonyms.derivation import PersonRoot, derive_pseudonym, load_pseudonym_key
from tests.flow.register_world import FIRST_DAY, REGENBOOG
from tests.flow.test_conversion import MemoryRows
from tests.flow.test_person_fresh import (
    ALICE,
    BOB,
    CAROL,
    KEYS,
    OLD,
    SUPPLIER,
    N,
    World,
    number,
)

LEFT = load_pseudonym_key(bytes(range(32)), epoch="a")
ENTERED = load_pseudonym_key(bytes(range(1, 33)), epoch="b")
AT_OLD = number("1", OLD)
GOES_ON = Succession(frozenset({OLD}), (OldNumber(OLD, AT_OLD, FIRST_DAY),))


@pytest.fixture
def world() -> World:
    return World()


def converted(world: World, account: PersonRoot) -> PersonRoot | NotConverted:
    """Return the account that the supplier's name of an account converts to."""
    (answer,) = convert_batch(
        [derive_pseudonym(account, supplier=SUPPLIER, key=LEFT)],
        conversion=make_conversion(SUPPLIER, left=LEFT, entered=ENTERED),
        rows=MemoryRows(dict(world.register.rows)),
        keys=KEYS,
    ).answers
    if isinstance(answer, NotConverted):
        return answer
    return find_root(answer, conversion=make_conversion(SUPPLIER, left=ENTERED, entered=LEFT))


async def holder(world: World, account: PersonRoot) -> PersonRoot | None:
    found = await find_holder(account, register=world.register, keys=KEYS, supplier=SUPPLIER)
    return None if found is None else found.root


async def issued_anew(world: World) -> None:
    """Alice's work is in the account of the number that Bob has now."""
    await world.account(None, N)
    assert await world.account(ALICE, N) == N
    assert await world.account(BOB, N) == BOB


class TestErasingTheNewOwner:
    async def test_leaves_the_first_one_known_by_her_account(self, world: World) -> None:
        await issued_anew(world)
        assert converted(world, N) == N
        await world.erase(BOB)
        assert world.is_closed(N)
        assert await holder(world, N) == ALICE
        assert converted(world, N) == N
        assert converted(world, BOB) is NotConverted.UNKNOWN

    async def test_also_once_a_third_one_has_the_number(self, world: World) -> None:
        await issued_anew(world)
        await world.erase(BOB)
        assert await world.account(CAROL, N) == CAROL
        assert await holder(world, N) == ALICE
        assert converted(world, N) == N
        await world.erase(CAROL)
        assert converted(world, N) == N

    async def test_who_is_known_by_no_supplier_is_still_unknown(self, world: World) -> None:
        await issued_anew(world)
        await world.erase(BOB)
        assert converted(world, number("9")) is NotConverted.UNKNOWN

    async def test_after_two_owners_since(self, world: World) -> None:
        await issued_anew(world)
        assert await world.account(CAROL, N) == CAROL
        await world.erase(CAROL)
        assert converted(world, N) == N
        await world.erase(BOB)
        assert converted(world, N) == N

    async def test_at_the_school_that_the_number_went_on_to(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        assert await world.account(ALICE, N, succession=GOES_ON) == AT_OLD
        assert await world.account(BOB, N, succession=GOES_ON) == BOB
        await world.erase(BOB)
        assert await holder(world, AT_OLD) == ALICE
        assert converted(world, AT_OLD) == AT_OLD


class TestErasingTheFirstOne:
    async def test_leaves_no_way_to_her_account(self, world: World) -> None:
        await issued_anew(world)
        there = await find_person(
            Presented(Population.PUPIL, eck_id=ALICE, local=None),
            register=world.register,
            keys=KEYS,
        )
        tag = derive_tag(KEYS, way_root(KEYS, N))
        assert tag in there.rows
        await world.erase(ALICE)
        assert tag not in world.register.rows
        await world.erase(BOB)
        assert await holder(world, N) is None
        assert converted(world, N) is NotConverted.UNKNOWN

    async def test_leaves_the_new_owner_s(self, world: World) -> None:
        await issued_anew(world)
        await world.erase(ALICE)
        assert converted(world, BOB) == BOB
        assert await world.account(None, N) == BOB


async def test_a_number_that_came_back_and_was_split_leads_to_its_account_alone(
    world: World,
) -> None:
    await issued_anew(world)
    assert await world.account(ALICE, N) == N  # it was a mistake of the school's
    await world.decide(plan_split, None, N, only_joins=False)
    await world.erase(None, N)
    assert await holder(world, N) is None, "nobody opens it any more"
    assert converted(world, N) is NotConverted.UNKNOWN


class TestNumberThatWentOnAndCameBack:
    """The relation is taken back: who logged in at either school is one person."""

    async def came_back(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        assert await world.account(None, N, succession=GOES_ON) == AT_OLD
        await world.account(ALICE, school=OLD)
        assert await world.account(ALICE, AT_OLD, school=OLD) == ALICE, "rule 11"

    async def test_is_bound_at_both(self, world: World) -> None:
        await self.came_back(world)
        assert await world.account(None, N) == ALICE
        assert world.record(N).bound_to == ALICE
        seen = await find_supplier_seen(
            AT_OLD, supplier=SUPPLIER, register=world.register, keys=KEYS
        )
        assert seen is not None
        assert seen.previous == AT_OLD

    async def test_is_erased_at_both(self, world: World) -> None:
        await self.came_back(world)
        await world.erase(ALICE)
        assert world.is_closed(N)
        assert world.is_closed(AT_OLD)
        assert await world.account(None, N, succession=GOES_ON) not in (N, AT_OLD, ALICE)

    async def test_is_bound_at_both_by_two_persons_as_well(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        await world.account(None, N, succession=GOES_ON)
        await world.account(ALICE)  # seen elsewhere: only people make them one
        await world.account(ALICE, AT_OLD, school=OLD)
        await world.decide(plan_join, ALICE, AT_OLD, school=OLD)
        assert world.record(N).bound_to == ALICE
        await world.erase(ALICE)
        assert world.is_closed(N)
        assert world.is_closed(AT_OLD)

    async def test_issued_anew_at_one_it_is_hers_at_the_other(self, world: World) -> None:
        await self.came_back(world)
        assert await world.account(BOB, N) == BOB, "and not what she left behind at the other"
        assert await world.account(ALICE, AT_OLD, school=OLD) == ALICE
        with pytest.raises(EckIdMissing):  # whose it is says nobody: rule 20
            await world.account(None, AT_OLD, school=OLD)
        await world.erase(ALICE)
        assert await world.account(None, N) == BOB

    async def test_keeps_the_work_of_an_eck_id_that_came_there(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        assert await world.account(ALICE, N, succession=GOES_ON) == AT_OLD
        assert await world.account(ALICE, AT_OLD, school=OLD) == AT_OLD
        assert await world.account(ALICE, school=OLD) == AT_OLD
        assert await world.account(None, AT_OLD, school=OLD) == AT_OLD
        assert converted(world, AT_OLD) == AT_OLD
        await world.erase(ALICE)
        assert world.is_closed(AT_OLD)
        assert world.is_closed(N)

    async def test_also_of_who_logged_in_here_by_the_number_since(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=GOES_ON)
        assert await world.account(None, AT_OLD, school=OLD) == AT_OLD
        assert await world.account(ALICE, AT_OLD, school=OLD) == AT_OLD
        assert converted(world, AT_OLD) == AT_OLD

    async def test_but_opens_it_for_no_other_eck_id(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=GOES_ON)
        assert await world.account(BOB, school=REGENBOOG) == BOB
        assert await world.account(BOB, AT_OLD, school=OLD) == BOB
        assert await world.account(ALICE, N) == AT_OLD

    async def test_nor_where_the_number_is_what_the_eck_id_left_behind(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        await world.account(None, N, succession=GOES_ON)
        await world.account(ALICE)
        assert await world.account(ALICE, N) == ALICE, "rule 11, at the new school"
        assert await world.account(ALICE, AT_OLD, school=OLD) == ALICE

    async def test_who_was_bound_there_before_keeps_it(self, world: World) -> None:
        await world.account(None, AT_OLD, school=OLD)
        await world.account(None, N, succession=GOES_ON)
        await world.account(BOB, N)  # issued anew while it was open there
        await world.account(ALICE, school=OLD)
        await world.account(ALICE, AT_OLD, school=OLD)
        assert world.record(N).bound_to == BOB
