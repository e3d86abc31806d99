"""Two accounts that one supplier is to be told of: a transfer and a join do not drive each other
out."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.flow.persons.announcements import (
    announce,
    announcements_of,
    drop_ended,
    suppliers_of,
    suppliers_without,
    with_announcements,
)
from broker.flow.persons.person_records import Announcement, PersonRecord, SupplierSeen
from broker.flow.persons.person_rows import find_records
from broker.pseudonyms.derivation import PersonRoot
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root
from tests.flow.test_person_suppliers import (
    E1,
    KEYS,
    L1,
    REKENRIJK,
    TAALTUIN,
    change_seen,
    visit,
)

OLD, OTHER = a_root("E:primary"), a_root("L:other")
LAST_DAY = FIRST_DAY + timedelta(days=60)
TRANSFER = Announcement(previous=OLD, until=LAST_DAY, beside=E1)
JOIN = Announcement(previous=L1, beside=E1, told_at=VUURVOGEL)
TOLD_JOIN = replace(JOIN, until=LAST_DAY)
NEWER = Announcement(previous=OTHER, beside=E1, told_at=VUURVOGEL)
ELSEWHERE = Announcement(previous=OTHER, until=LAST_DAY, beside=OLD, told_at=REGENBOOG)


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ((), JOIN, (JOIN,)),
        ((TRANSFER,), JOIN, (TRANSFER, JOIN)),
        ((JOIN,), TRANSFER, (TRANSFER, JOIN)),
        ((TRANSFER, JOIN), NEWER, (TRANSFER, NEWER, JOIN)),
        ((TOLD_JOIN,), NEWER, (NEWER,)),
        ((ELSEWHERE,), JOIN, (JOIN, ELSEWHERE)),
        ((TOLD_JOIN,), JOIN, (JOIN,)),
        ((TRANSFER,), replace(TRANSFER, beside=OLD), (replace(TRANSFER, beside=OLD),)),
    ],
)
def test_their_order(
    before: tuple[Announcement, ...], new: Announcement, after: tuple[Announcement, ...]
) -> None:
    seen = with_announcements(SupplierSeen(epoch="a", school=REGENBOOG), before)
    changed = announce(seen, new)
    assert announcements_of(changed) == after
    assert with_announcements(changed, before) == seen


def test_what_is_over_goes_and_the_next_one_comes() -> None:
    seen = with_announcements(SupplierSeen(epoch="a"), (TRANSFER, JOIN, ELSEWHERE))
    assert drop_ended(seen, today=LAST_DAY) is seen
    after = drop_ended(seen, today=LAST_DAY + timedelta(days=1))
    assert announcements_of(after) == (JOIN,)


def test_a_split_takes_away_what_was_told_of_its_account_alone() -> None:
    record_of = with_announcements(SupplierSeen(epoch="a"), (TRANSFER, JOIN))
    plain = SupplierSeen(epoch="a")
    eck = PersonRecord(
        population=Population.PUPIL,
        account=E1,
        salt=bytes(16),
        seen={},
        school_year=2026,
        suppliers={REKENRIJK: record_of, TAALTUIN: plain},
    )
    kept = suppliers_without(eck, L1)
    assert announcements_of(kept[REKENRIJK]) == (TRANSFER,)
    assert kept[TAALTUIN] == plain
    assert suppliers_of(eck, L1, joined=False) == {REKENRIJK: plain}
    joined = suppliers_of(eck, E1, joined=True)
    assert announcements_of(joined[REKENRIJK]) == (TRANSFER, JOIN)


async def of_rekenrijk(register: MemoryRegister, root: PersonRoot) -> tuple[Announcement, ...]:
    record = (await find_records((root,), register=register, keys=KEYS))[root]
    return announcements_of(record.suppliers[REKENRIJK])


@pytest.mark.parametrize("offered_to", [E1, L1])
async def test_a_join_of_two_known_accounts_leaves_a_pending_transfer(
    offered_to: PersonRoot,
) -> None:
    """Whichever of the two accounts the transfer was accepted for, it is told, then the join."""
    register = MemoryRegister()
    await visit(register, local=L1)
    await visit(register, E1)
    await change_seen(register, offered_to, previous=OLD, until=LAST_DAY, beside=offered_to)
    joined = await visit(register, E1, L1)
    assert (joined.root, joined.previous) == (E1, OLD)
    assert await of_rekenrijk(register, E1) == (TRANSFER, JOIN)
    assert (await visit(register, E1, L1, today=LAST_DAY)).previous == OLD
    day_after = LAST_DAY + timedelta(days=1)
    assert (await visit(register, E1, L1, today=day_after)).previous == L1
    year = day_after + timedelta(days=365)
    assert (await visit(register, E1, L1, today=year)).previous == L1
    assert (await visit(register, E1, L1, today=year + timedelta(days=1))).previous is None
    assert await of_rekenrijk(register, E1) == ()


async def test_what_is_for_another_school_keeps_nothing_waiting() -> None:
    register = MemoryRegister()
    await visit(register, E1)
    await change_seen(
        register,
        E1,
        **{name: getattr(ELSEWHERE, name) for name in ("previous", "until", "beside", "told_at")},
        later=(JOIN,),
    )
    assert (await visit(register, E1)).previous == L1
    told = await of_rekenrijk(register, E1)
    assert [each.previous for each in told] == [OTHER, L1]
