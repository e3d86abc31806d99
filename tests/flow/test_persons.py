"""From what a login states to the account it opens, over a register."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from broker.domain.attributes import Population
from broker.domain.identity import Identity
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.flow.held_state.framing import UnreadableRecord, expand_key, extract_key, seal
from broker.flow.persons.person_erasure import erase_person
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import PersonEvent, PersonRecord, Presented, as_root
from broker.flow.persons.person_rules import EckIdMissing
from broker.flow.persons.persons import (
    MAX_ATTEMPTS,
    KnownPerson,
    identify_person,
    note_notice_seen,
    present_person,
)
from broker.flow.persons.register import (
    CLOSED_ROW,
    RegisterUnavailable,
    RowWrite,
    StoredRow,
    derive_register_keys,
    derive_tag,
    open_record,
    seal_record,
)
from broker.pseudonyms.derivation import (
    PersonRoot,
    load_root_key,
    lp,
    parse_eckid,
    root_anew,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(range(32)))
ROOT_KEY = load_root_key(bytes(range(32)))
ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
E1, E2, L1 = a_root("E:1"), a_root("E:2"), a_root("L:1")
SUPPLIER = SupplierId("rekenrijk")


def counting_random() -> Callable[[int], bytes]:
    counter = itertools.count(1)
    return lambda count: next(counter).to_bytes(count, "big")


RANDOM = counting_random()


def presented(eck_id: PersonRoot | None = None, local: PersonRoot | None = None) -> Presented:
    return Presented(Population.PUPIL, eck_id=eck_id, local=local)


async def identify(
    register: MemoryRegister,
    eck_id: PersonRoot | None = None,
    local: PersonRoot | None = None,
    *,
    school: SchoolId = VUURVOGEL,
    eck_id_required: bool = False,
    today: date = FIRST_DAY,
) -> KnownPerson:
    return await identify_person(
        presented(eck_id, local),
        register=register,
        keys=KEYS,
        school=school,
        eck_id_required=eck_id_required,
        today=today,
        random=RANDOM,
        rules=JoinRules(),
        anew=partial(root_anew, key=ROOT_KEY),
    )


async def see_notice(register: MemoryRegister, who: Presented, version: int) -> None:
    await note_notice_seen(
        who,
        school=VUURVOGEL,
        supplier=SUPPLIER,
        version=version,
        register=register,
        keys=KEYS,
        random=RANDOM,
    )


def an_identity(
    population: Population | None, *, eck_id: str | None = None, identifier: str | None = None
) -> Identity:
    return Identity(
        idp=SchoolIdpId("login"),
        school=VUURVOGEL,
        population=population,
        identifier=identifier,
        eck_id=eck_id,
        attributes={},
        authenticated_at=datetime(2026, 9, 7, tzinfo=UTC),
        acr="",
        unknown=(),
    )


async def test_known_person_costs_one_look_up_and_no_write() -> None:
    register = MemoryRegister()
    first = await identify(register, E1, L1)
    assert (register.looked_up, register.written, len(register.rows)) == (1, 1, 2)
    assert first.events == (PersonEvent.FIRST_SEEN, PersonEvent.LOCAL_BOUND)
    again = await identify(register, E1, L1)
    assert (register.looked_up, register.written) == (2, 1)
    assert (again.root, again.salt, again.events) == (E1, first.salt, ())


async def test_number_with_another_eck_id_costs_a_second_look_up() -> None:
    register = MemoryRegister()
    await identify(register, E1, L1)
    register.looked_up = 0
    assert (await identify(register, E2, L1)).root == E2
    assert register.looked_up == 2
    assert (await identify(register, None, L1)).root == E2
    assert await erase_person(presented(E1), register=register, keys=KEYS) == 1
    assert (await identify(register, None, L1)).root == E2


async def test_unknown_number_is_refused_where_eck_ids_are_required() -> None:
    register = MemoryRegister()
    with pytest.raises(EckIdMissing):
        await identify(register, None, L1, eck_id_required=True)
    await identify(register, E1, L1, eck_id_required=True)
    assert (await identify(register, None, L1, eck_id_required=True)).root == E1


async def test_two_workers_that_meet_a_person_at_once_converge() -> None:
    register = MemoryRegister()
    others: list[KnownPerson] = []

    async def other_worker() -> None:
        others.append(await identify(register, E1, L1))

    register.overtaken_by = other_worker
    mine = await identify(register, E1, L1)
    assert (mine.root, mine.salt) == (others[0].root, others[0].salt)
    assert len(register.rows) == 2


async def test_two_workers_with_different_news_lose_neither() -> None:
    register = MemoryRegister()
    await identify(register, E1)

    async def other_worker() -> None:
        await identify(register, E1, school=REGENBOOG)

    register.overtaken_by = other_worker
    await identify(register, E1, L1)
    row = register.rows[derive_tag(KEYS, E1)]
    record = open_record(row, root=E1, keys=KEYS)
    assert set(record.seen) == {VUURVOGEL, REGENBOOG}
    assert record.seen[VUURVOGEL].aliases == (derive_tag(KEYS, L1),)


class NeverAsExpected(MemoryRegister):
    async def apply(self, writes: object, counts: object = ()) -> bool:
        self.written += 1
        return False


async def test_register_that_never_settles_is_refused() -> None:
    register = NeverAsExpected()
    with pytest.raises(RegisterUnavailable):
        await identify(register, E1)
    assert register.written == MAX_ATTEMPTS
    known = MemoryRegister()
    await identify(known, E1)
    register.rows = known.rows
    with pytest.raises(RegisterUnavailable):
        await see_notice(register, presented(E1), 1)


async def test_register_that_is_down_for_writing_still_lets_known_persons_in() -> None:
    register = MemoryRegister()
    await identify(register, E1)
    register.down = True
    assert (await identify(register, E1)).root == E1
    with pytest.raises(RegisterUnavailable) as refused:
        await identify(register, E2)
    assert (refused.value.code, refused.value.http_status) == ("E-PERSON-2", 503)


async def test_damaged_row_is_no_fresh_account() -> None:
    register = MemoryRegister()
    await identify(register, E1)
    tag = derive_tag(KEYS, E1)
    whole = register.rows[tag]
    for damaged in (
        StoredRow(whole.sealed[:-1] + bytes([whole.sealed[-1] ^ 1]), whole.school_year),
        StoredRow(whole.sealed, whole.school_year + 1),
        StoredRow(b"", whole.school_year),
    ):
        register.rows[tag] = damaged
        with pytest.raises(RegisterUnavailable):
            await identify(register, E1)
    register.rows[tag] = whole
    assert (await identify(register, E1)).root == E1


async def test_notice_is_remembered_by_every_identifier_that_was_presented() -> None:
    register = MemoryRegister()
    assert (await identify(register, E1, L1)).seen_notice(VUURVOGEL, SUPPLIER) == 0
    await see_notice(register, presented(E1, L1), 3)
    for eck_id, local in ((E1, L1), (E1, None), (None, L1)):
        person = await identify(register, eck_id, local)
        assert person.seen_notice(VUURVOGEL, SUPPLIER) == 3
        assert person.seen_notice(REGENBOOG, SUPPLIER) == 0
    written = register.written
    await see_notice(register, presented(E1, L1), 2)
    assert register.written == written, "an older version takes nothing back"


async def test_newest_version_of_two_rows_counts() -> None:
    register = MemoryRegister()
    await identify(register, E1, L1)
    await see_notice(register, presented(E1), 4)
    await see_notice(register, presented(None, L1), 2)
    assert (await identify(register, E1, L1)).seen_notice(VUURVOGEL, SUPPLIER) == 4


@pytest.mark.parametrize("who", [presented(E1), presented(None, L1), presented(E1, L1)])
async def test_erasing_a_person_removes_every_row(who: Presented) -> None:
    register = MemoryRegister()
    await identify(register, E1, L1)
    await identify(register, E1, a_root("L:elsewhere"), school=REGENBOOG)
    await identify(register, E2)
    assert await erase_person(who, register=register, keys=KEYS) == 3
    assert list(register.known) == [derive_tag(KEYS, E2)]
    assert await erase_person(who, register=register, keys=KEYS) == 0


async def test_erasing_makes_a_new_salt() -> None:
    register = MemoryRegister()
    before = await identify(register, None, L1)
    assert await erase_person(presented(None, L1), register=register, keys=KEYS) == 1
    after = await identify(register, None, L1)
    assert after.salt != before.salt
    assert after.root not in (before.root, L1)


def test_pupil_presents_eck_id_and_number() -> None:
    made = present_person(
        an_identity(Population.PUPIL, eck_id=ECK_ID, identifier="1"), key=ROOT_KEY
    )
    assert made.eck_id == root_from_eckid(parse_eckid(ECK_ID), key=ROOT_KEY)
    assert made.local == root_from_local(VUURVOGEL, "1", key=ROOT_KEY)
    assert made.population is Population.PUPIL


def test_staff_present_a_root_of_their_own_kind_and_never_an_eck_id() -> None:
    made = present_person(
        an_identity(Population.STAFF, eck_id=ECK_ID, identifier="1"), key=ROOT_KEY
    )
    pupil = present_person(an_identity(Population.PUPIL, identifier="1"), key=ROOT_KEY)
    assert made.eck_id is None
    assert made.local == root_from_local_staff(VUURVOGEL, "1", key=ROOT_KEY) != pupil.local
    with pytest.raises(ValueError, match="at least one"):
        present_person(an_identity(Population.STAFF, eck_id=ECK_ID), key=ROOT_KEY)


def test_number_without_a_role_is_not_used() -> None:
    made = present_person(an_identity(None, eck_id=ECK_ID, identifier="1"), key=ROOT_KEY)
    assert made.eck_id is not None
    assert made.local is None


def test_row_opens_with_its_root_alone() -> None:
    record = PersonRecord(
        population=Population.PUPIL, account=E1, salt=bytes(16), seen={}, school_year=2026
    )
    row = seal_record(record, root=E1, keys=KEYS, nonce=bytes(12))
    assert open_record(row, root=E1, keys=KEYS) == record
    with pytest.raises(UnreadableRecord):
        open_record(row, root=E2, keys=KEYS)
    with pytest.raises(UnreadableRecord):
        open_record(row, root=E1, keys=replace(KEYS, seal=extract_key(bytes(32))))
    assert len(row.sealed) % 256 == 1 + 12 + 16


def test_row_of_another_shape_does_not_open() -> None:
    class Other(msgspec.Struct):
        name: str

    key = expand_key(KEYS.seal, b"schuilnaam/register-row/v1" + lp(E1))
    place = lp(derive_tag(KEYS, E1), (2026).to_bytes(2, "big"))
    row = StoredRow(seal(key, Other("Sanne"), nonce=bytes(12), bound_to=place), 2026)
    with pytest.raises(UnreadableRecord) as refused:
        open_record(row, root=E1, keys=KEYS)
    assert refused.value.__context__ is None


def test_format_is_frozen() -> None:
    vector = json.loads((Path(__file__).parents[1] / "vectors/register.json").read_text())
    keys = derive_register_keys(bytes.fromhex(vector["register_key"]))
    root = as_root(bytes.fromhex(vector["root"]))
    record = msgspec.convert(vector["newer_record"], PersonRecord)
    row = seal_record(record, root=root, keys=keys, nonce=bytes.fromhex(vector["nonce"]))
    assert derive_tag(keys, root).hex() == vector["tag"]
    assert (row.sealed.hex(), row.school_year) == (vector["newer_sealed"], vector["school_year"])
    assert row.life.hex() == vector["life"]
    assert open_record(row, root=root, keys=keys) == record


def test_what_erasing_leaves_is_frozen_too() -> None:
    vector = json.loads((Path(__file__).parents[1] / "vectors/register.json").read_text())
    assert StoredRow(bytes.fromhex(vector["closed"]), vector["closed_school_year"]) == CLOSED_ROW
    keys = derive_register_keys(bytes.fromhex(vector["register_key"]))
    root = as_root(bytes.fromhex(vector["root"]))
    record = msgspec.convert(vector["after_erasure"], PersonRecord)
    row = seal_record(record, root=root, keys=keys, nonce=bytes.fromhex(vector["nonce"]))
    assert row.sealed.hex() == vector["after_erasure_sealed"]


def test_row_of_the_first_version_opens() -> None:
    vector = json.loads((Path(__file__).parents[1] / "vectors/register.json").read_text())
    keys = derive_register_keys(bytes.fromhex(vector["register_key"]))
    root = as_root(bytes.fromhex(vector["root"]))
    row = StoredRow(bytes.fromhex(vector["sealed"]), vector["school_year"])
    record = open_record(row, root=root, keys=keys)
    assert record == msgspec.convert(vector["record"], PersonRecord)
    assert (record.suppliers, record.protected) == ({}, False)


def test_nothing_shows_itself() -> None:
    person = KnownPerson(root=E1, salt=b"salt", salts={}, notices={"vuurvogel/x": 1}, events=())
    row = StoredRow(b"sealed", 2026)
    write = RowWrite(tag=b"tag", sealed=b"sealed", school_year=2026, replaces=b"old")
    assert repr(person) == "KnownPerson(events=())"
    assert repr((row, write, KEYS)) == (
        "(StoredRow(school_year=2026), RowWrite(school_year=2026), RegisterKeys())"
    )
