"""Who is erased leaves what rests beside the register too: counts, a school's list, a transfer."""

from broker.domain.attributes import Population
from broker.domain.ids import SupplierId
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys, derive_person_tag
from broker.flow.operators.erased_beside import BesideRows
from broker.flow.operators.operator_parameters import read_erasure, write_erasure
from broker.flow.persons.person_erasure import find_person
from broker.flow.persons.person_records import (
    Change,
    PersonRecord,
    Presented,
    SeenAt,
    SupplierSeen,
)
from broker.flow.persons.person_rows import store_changes
from broker.flow.persons.register import SupplierMove, derive_register_keys, derive_tag
from broker.flow.persons.supplier_counts import derive_mark
from broker.flow.shielding.shield_records import derive_shield_keys, derive_shield_tag
from broker.flow.transfers.transfer_offers import derive_transfer_person_tag
from tests.flow.feeding import feed
from tests.flow.login_world import LoginWorld
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import KOMPAS, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(32))
ENROLMENT = derive_enrolment_keys(bytes(32))
SHIELDS = derive_shield_keys(bytes(32))
E1, ACCOUNT = a_root("E:1"), a_root("L:1")
BIOSFEER, OTHER = SupplierId("biosfeer"), SupplierId("lettervos")


async def a_register() -> MemoryRegister:
    register = MemoryRegister()
    record = PersonRecord(
        population=Population.PUPIL,
        account=ACCOUNT,
        salt=bytes(16),
        seen={VUURVOGEL: SeenAt(account=ACCOUNT)},
        promised=(KOMPAS,),
        school_year=2026,
        suppliers={BIOSFEER: SupplierSeen(epoch="b")},
    )
    change = Change(E1, record)
    await store_changes((change,), {}, register=register, keys=KEYS, random=bytes)
    return register


async def test_tags_of_all_schools_and_suppliers_that_knew_this_person() -> None:
    who = Presented(Population.PUPIL, eck_id=E1, local=None)
    found = await find_person(who, register=await a_register(), keys=KEYS)
    tags = set(BesideRows(KEYS, ENROLMENT, SHIELDS, KOMPAS).tags(found))
    at_named = set(BesideRows(KEYS, ENROLMENT, SHIELDS, REGENBOOG).tags(found))
    for root in (E1, ACCOUNT):
        assert derive_person_tag(ENROLMENT, VUURVOGEL, root) in tags
        assert derive_person_tag(ENROLMENT, KOMPAS, root) in tags
        assert derive_person_tag(ENROLMENT, REGENBOOG, root) not in tags
        assert derive_transfer_person_tag(KEYS, root, BIOSFEER) in tags
        assert derive_transfer_person_tag(KEYS, root, OTHER) not in tags
        assert derive_shield_tag(SHIELDS, VUURVOGEL, root) in tags
        assert derive_shield_tag(SHIELDS, REGENBOOG, root) not in tags
        assert derive_shield_tag(SHIELDS, REGENBOOG, root) in at_named
    assert len(tags) == 10
    assert derive_tag(KEYS, E1) not in tags


async def test_the_person_leaves_the_counts_of_suppliers() -> None:
    register, moved = await a_register(), list[SupplierMove]()
    who = Presented(Population.PUPIL, eck_id=E1, local=None)
    found = await find_person(who, register=register, keys=KEYS)
    mark = derive_mark(KEYS, supplier=BIOSFEER, root=E1)
    left = SupplierMove(BIOSFEER, left="b", entered="", mark=mark)
    assert found.moves == (left,)
    beside = b"beside".ljust(32)
    erasure = read_erasure(write_erasure(found, beside=[beside]))
    assert (erasure.marks, erasure.moves) == ({**found.rows, beside: b""}, found.moves)
    register.moved_by = moved.extend
    assert await register.erase(erasure.marks, erasure.moves, closes=erasure.closes) == 1
    assert moved == [left]


async def test_a_list_says_whose_its_rows_are_to_who_has_that_person(world: LoginWorld) -> None:
    await feed(world, {"login": "sub-1", "number": "1"})
    await feed(world, {"login": "sub-1", "number": "2"}, allow_vanishing=True)
    ((tag, persons),) = world.enrolments.persons.items()
    assert (len(world.enrolments.rows), len(persons)) == (1, 1)
    assert tag in world.enrolments.rows
    await feed(world, allow_vanishing=True)
    assert world.enrolments.persons == {}
