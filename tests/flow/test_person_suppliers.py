"""Which suppliers know a person: noted at the first login there, in the holder's row."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Presented,
    Resolved,
    SupplierSeen,
    as_root,
)
from broker.flow.persons.person_rows import find_records, look_up, store_changes
from broker.flow.persons.person_suppliers import Visit, find_holder, find_supplier_seen, note_visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import derive_register_keys, derive_tag
from broker.pseudonyms.derivation import PersonRoot
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(range(32)))
REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")
E1, E2, L1 = a_root("E:1"), a_root("E:2"), a_root("L:1")


def random(count: int) -> bytes:
    return bytes(count)


async def visit(
    register: MemoryRegister,
    eck_id: PersonRoot | None = None,
    local: PersonRoot | None = None,
    *,
    at: Visit | None = None,
    school: SchoolId = VUURVOGEL,
    today: date = FIRST_DAY,
) -> KnownPerson:
    return await identify_person(
        Presented(Population.PUPIL, eck_id=eck_id, local=local),
        register=register,
        keys=KEYS,
        school=school,
        eck_id_required=False,
        today=today,
        random=random,
        rules=JoinRules(),
        visit=at or Visit(REKENRIJK, "a"),
    )


async def seen(register: MemoryRegister, account: PersonRoot) -> dict[SupplierId, SupplierSeen]:
    holder = await find_holder(account, register=register, keys=KEYS)
    return {} if holder is None else holder.record.suppliers


async def change_seen(register: MemoryRegister, root: PersonRoot, **fields: object) -> None:
    """Change what rekenrijk knows of a person, as a join does."""
    record = (await find_records((root,), register=register, keys=KEYS))[root]
    changed = replace(record.suppliers[REKENRIJK], **fields)
    suppliers = {**record.suppliers, REKENRIJK: changed}
    assert await store_changes(
        [Change(root, replace(record, suppliers=suppliers))],
        {root: register.rows[derive_tag(KEYS, root)]},
        register=register,
        keys=KEYS,
        random=random,
    )


async def test_supplier_is_noted_once_and_in_the_same_write() -> None:
    register = MemoryRegister()
    await visit(register, E1, L1)
    assert register.written == 1
    await visit(register, E1, L1)
    assert register.written == 1, "a known person with nothing new costs no write"
    await visit(register, E1, L1, at=Visit(TAALTUIN, "a"))
    assert register.written == 2
    assert await seen(register, E1) == {
        REKENRIJK: SupplierSeen(epoch="a"),
        TAALTUIN: SupplierSeen(epoch="a"),
    }


async def test_supplier_that_got_another_epoch_s_pseudonym_is_noted_again() -> None:
    register = MemoryRegister()
    await visit(register, E1)
    await visit(register, E1, at=Visit(REKENRIJK, "b"))
    assert (await seen(register, E1))[REKENRIJK].epoch == "b"


async def test_supplier_stands_with_the_eck_id_when_the_number_comes_alone() -> None:
    register = MemoryRegister()
    await visit(register, E1, L1)
    await visit(register, None, L1, at=Visit(TAALTUIN, "a"))
    for account in (E1, L1):
        assert set(await seen(register, account)) == {REKENRIJK, TAALTUIN}
    rows = await find_records((E1, L1), register=register, keys=KEYS)
    assert rows[L1].suppliers == {}


async def test_number_whose_eck_id_s_row_is_gone_keeps_them_and_gives_them_back() -> None:
    register = MemoryRegister()
    await visit(register, E1, L1)
    del register.rows[derive_tag(KEYS, E1)]
    await visit(register, None, L1)
    assert set(await seen(register, L1)) == {REKENRIJK}
    await visit(register, E1, L1)
    assert set(await seen(register, E1)) == {REKENRIJK}


async def test_eck_id_that_comes_later_takes_them_over() -> None:
    register = MemoryRegister()
    await visit(register, None, L1)
    assert set(await seen(register, L1)) == {REKENRIJK}
    await visit(register, E1, L1, at=Visit(TAALTUIN, "a"))
    assert set(await seen(register, E1)) == set(await seen(register, L1)) == {REKENRIJK, TAALTUIN}


async def test_account_of_a_number_that_was_issued_anew_stays_with_its_person() -> None:
    register = MemoryRegister()
    await visit(register, None, L1)
    await visit(register, E1, L1)
    await visit(register, E2, L1, at=Visit(TAALTUIN, "a"))
    assert set(await seen(register, L1)) == {REKENRIJK}
    assert set(await seen(register, E2)) == {TAALTUIN}


async def test_person_without_a_row_was_nowhere() -> None:
    register = MemoryRegister()
    assert await find_supplier_seen(E1, supplier=REKENRIJK, register=register, keys=KEYS) is None
    await visit(register, E1)
    found = await find_supplier_seen(E1, supplier=REKENRIJK, register=register, keys=KEYS)
    assert found == SupplierSeen(epoch="a")
    assert await find_supplier_seen(E1, supplier=TAALTUIN, register=register, keys=KEYS) is None


async def test_account_left_behind_is_told_beside_its_own_account_alone() -> None:
    register = MemoryRegister()
    await visit(register, None, L1)
    await change_seen(register, L1, previous=E2, beside=L1)
    assert (await visit(register, E1, L1)).previous == E2
    elsewhere = await visit(register, E1, school=REGENBOOG)
    assert (elsewhere.root, elsewhere.previous) == (E1, None), "the join holds at its school"
    assert (await visit(register, E1, L1)).previous == E2


async def test_account_left_behind_is_told_for_a_bounded_time_from_the_first_telling() -> None:
    register = MemoryRegister()
    assert (await visit(register, E1)).previous is None
    await change_seen(register, E1, previous=L1)
    day = FIRST_DAY + timedelta(days=100)
    at = Visit(REKENRIJK, "a", told_days=10)
    assert (await visit(register, E1, at=at, today=day)).previous == L1
    written = register.written
    last = day + timedelta(days=10)
    assert (await visit(register, E1, at=at, today=last)).previous == L1
    assert register.written == written
    assert (await visit(register, E1, at=at, today=last + timedelta(days=1))).previous is None
    assert (await seen(register, E1))[REKENRIJK] == SupplierSeen(epoch="a")


async def test_telling_waits_while_the_supplier_s_key_is_rotated() -> None:
    register = MemoryRegister()
    await visit(register, E1)
    await change_seen(register, E1, previous=L1)
    rotating = Visit(REKENRIJK, "a", window_open=True)
    assert (await visit(register, E1, at=rotating)).previous is None
    assert (await seen(register, E1))[REKENRIJK].until is None
    assert (await visit(register, E1)).previous == L1


async def test_account_that_is_open_is_not_told_as_left_behind() -> None:
    register = MemoryRegister()
    await visit(register, E1)
    await change_seen(register, E1, previous=E1)
    assert (await visit(register, E1)).previous is None


async def test_other_suppliers_are_not_told() -> None:
    register = MemoryRegister()
    await visit(register, E1)
    await change_seen(register, E1, previous=L1)
    assert (await visit(register, E1, at=Visit(TAALTUIN, "a"))).previous is None
    assert (await visit(register, E1, school=REGENBOOG)).previous == L1, "whatever the school"


async def test_account_that_one_school_joined_is_told_at_that_school_alone() -> None:
    register = MemoryRegister()
    await visit(register, None, L1)
    await visit(register, E1, at=Visit(TAALTUIN, "a"))
    assert (await visit(register, E1, L1, at=Visit(TAALTUIN, "a"))).previous is None
    assert (await visit(register, E1, school=REGENBOOG)).previous is None, "it said nothing of L1"
    assert (await visit(register, E1)).previous == L1


async def test_login_without_a_pseudonym_notes_nobody() -> None:
    register = MemoryRegister()
    await identify_person(
        Presented(Population.PUPIL, eck_id=E1, local=None),
        register=register,
        keys=KEYS,
        school=VUURVOGEL,
        eck_id_required=False,
        today=FIRST_DAY,
        random=random,
        rules=JoinRules(),
    )
    assert await seen(register, E1) == {}


async def test_holder_that_is_neither_found_nor_written_is_a_fault() -> None:
    presented = Presented(Population.PUPIL, eck_id=E1, local=None)
    found = (await look_up(presented, register=MemoryRegister(), keys=KEYS)).records
    with pytest.raises(ValueError, match="holder"):
        note_visit(
            presented,
            FoundRecords(found.eck_id),
            Resolved(account=as_root(E1), salt=bytes(16)),
            visit=Visit(REKENRIJK, "a"),
            today=FIRST_DAY,
            here=frozenset({VUURVOGEL}),
        )
