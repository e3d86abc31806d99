"""A pupil of an old school at the one that goes on for it: the same account, or a fresh one."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.federation import Relation, RelationKind
from broker.domain.identity import Identity
from broker.domain.ids import SchoolId, SchoolIdpId, SupplierId
from broker.domain.registry import Registry, build_registry
from broker.flow.persons import successors
from broker.flow.persons.person_erasure import erase_person, find_person
from broker.flow.persons.person_records import PersonEvent, PersonRecord, SeenAt
from broker.flow.persons.person_rules import JoinRules
from broker.flow.persons.person_suppliers import Visit, find_holder, find_supplier_seen
from broker.flow.persons.persons import (
    KnownPerson,
    identify_person,
    present_person,
)
from broker.flow.persons.register import derive_register_keys, derive_tag, open_record, seal_record
from broker.flow.persons.successors import (
    NO_SUCCESSION,
    Succession,
    derive_old_roots,
    find_succession,
)
from broker.pseudonyms.derivation import (
    PersonRoot,
    load_root_key,
    parse_eckid,
    root_anew,
    root_from_eckid,
    root_from_local,
)
from tests.domain.federation_records import a_relation, a_school
from tests.flow.memory_register import MemoryRegister
from tests.flow.test_persons import RANDOM

KEYS, ROOT_KEY = derive_register_keys(bytes(range(32))), load_root_key(bytes(range(32)))
OLD, OTHER, NEW, NEXT = map(SchoolId, ("vuurvogel", "regenboog", "samenklank", "eenklank"))
FIRST = date(2026, 8, 1)
BEFORE, AFTER = date(2026, 6, 1), date(2026, 9, 7)
REKENRIJK = SupplierId("rekenrijk")

RENUMBER = a_relation(OLD, kind=RelationKind.RENUMBER, numbers_of=(OLD,), numbers_at=NEW)
MERGE = a_relation(numbers_of=(OLD, OTHER), numbers_at=NEW)
NEW_NUMBERS = a_relation(OLD, kind=RelationKind.RENUMBER)


def an_eck_id(name: str) -> str:
    return "https://ketenid.nl/201703/" + name.encode().hex().ljust(128, "0")


def eck_root(name: str) -> PersonRoot:
    return root_from_eckid(parse_eckid(an_eck_id(name)), key=ROOT_KEY)


def local_root(school: SchoolId, number: str) -> PersonRoot:
    return root_from_local(school, number, key=ROOT_KEY)


def succession_of(identity: Identity, registry: Registry, today: date) -> Succession:
    old_roots = derive_old_roots(identity, registry, today, ROOT_KEY)
    return find_succession(registry, identity.school, today, old_roots)


@dataclass
class Schools:
    """Logins at schools, on days, over one register."""

    relations: tuple[Relation, ...] = (RENUMBER,)
    register: MemoryRegister = field(default_factory=MemoryRegister)

    @property
    def registry(self) -> Registry:
        schools = (a_school(each) for each in (OLD, OTHER, NEW, NEXT))
        return build_registry(
            1, schools=schools, idps=(), suppliers=(), agreements=(), relations=self.relations
        )

    async def login(
        self,
        school: SchoolId,
        number: str | None = None,
        *,
        eck: str | None = None,
        today: date | None = None,
        population: Population | None = Population.PUPIL,
        visit: bool = False,
    ) -> KnownPerson:
        today = today or (BEFORE if school in (OLD, OTHER) else AFTER)
        identity = an_identity(school, number, eck, population)
        return await identify_person(
            present_person(identity, key=ROOT_KEY),
            register=self.register,
            keys=KEYS,
            school=school,
            eck_id_required=False,
            today=today,
            random=RANDOM,
            rules=JoinRules(),
            visit=Visit(REKENRIJK, "a") if visit else None,
            succession=succession_of(identity, self.registry, today),
            anew=partial(root_anew, key=ROOT_KEY),
        )

    def put(self, root: PersonRoot, record: PersonRecord) -> None:
        row = seal_record(record, root=root, keys=KEYS, nonce=bytes(12))
        self.register.rows[derive_tag(KEYS, root)] = row

    def record(self, root: PersonRoot) -> PersonRecord:
        return open_record(self.register.rows[derive_tag(KEYS, root)], root=root, keys=KEYS)


def an_identity(
    school: SchoolId,
    number: str | None = None,
    eck: str | None = None,
    population: Population | None = Population.PUPIL,
) -> Identity:
    return Identity(
        idp=SchoolIdpId("login"),
        school=school,
        population=population,
        identifier=number,
        eck_id=None if eck is None else an_eck_id(eck),
        attributes={},
        authenticated_at=datetime(2026, 9, 7, tzinfo=UTC),
        acr="",
        unknown=(),
    )


class TestNumber:
    async def test_the_same_number_opens_the_same_account(self) -> None:
        schools = Schools()
        old = await schools.login(OLD, "1001")
        new = await schools.login(NEW, "1001")
        assert (new.root, new.salt) == (old.root, old.salt)
        assert new.events == (PersonEvent.NUMBER_CARRIED,)

    @pytest.mark.parametrize("relation", [NEW_NUMBERS, None])
    async def test_without_a_relation_that_keeps_numbers_it_is_a_stranger(
        self, relation: Relation | None
    ) -> None:
        schools = Schools(relations=() if relation is None else (relation,))
        old = await schools.login(OLD, "1001")
        new = await schools.login(NEW, "1001")
        assert new.root != old.root
        assert new.events == (PersonEvent.FIRST_SEEN,)

    async def test_not_before_the_first_day_and_not_after_the_last(self) -> None:
        for today in (FIRST - timedelta(1), date(2027, 8, 1)):
            schools = Schools()
            old = await schools.login(OLD, "1001")
            assert (await schools.login(NEW, "1001", today=today)).root != old.root

    async def test_once_carried_the_relation_may_end(self) -> None:
        schools = Schools()
        old = await schools.login(OLD, "1001")
        await schools.login(NEW, "1001")
        schools.relations = ()
        assert (await schools.login(NEW, "1001")).root == old.root
        assert (await schools.login(OLD, "1001")).root == old.root

    async def test_no_look_up_more_and_one_write_once(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001")
        register = schools.register
        register.looked_up = register.written = 0
        await schools.login(NEW, "1001")
        assert (register.looked_up, register.written) == (1, 1)
        await schools.login(NEW, "1001")
        assert (register.looked_up, register.written) == (2, 1)

    async def test_an_eck_id_that_is_not_stated_costs_the_second_look_up(self) -> None:
        schools = Schools()
        old = await schools.login(OLD, "1001", eck="sanne")
        schools.register.looked_up = 0
        assert (await schools.login(NEW, "1001")).root == old.root
        assert schools.register.looked_up == 2

    async def test_a_number_that_nobody_had_is_a_new_pupil(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001")
        assert (await schools.login(NEW, "1002")).events == (PersonEvent.FIRST_SEEN,)

    async def test_staff_too_and_apart_from_pupils(self) -> None:
        schools = Schools()
        teacher = await schools.login(OLD, "1001", population=Population.STAFF)
        pupil = await schools.login(NEW, "1001")
        assert pupil.root != teacher.root
        again = await schools.login(NEW, "1001", population=Population.STAFF)
        assert again.root == teacher.root

    async def test_a_number_without_a_role_is_not_used(self) -> None:
        identity = an_identity(NEW, "1001", "sanne", None)
        found = succession_of(identity, Schools().registry, AFTER)
        assert (found.predecessors, found.numbers) == ({OLD}, ())

    async def test_a_school_without_a_relation_goes_on_for_nothing(self) -> None:
        identity = an_identity(OLD, "1001")
        registry = Schools().registry
        assert succession_of(identity, registry, AFTER) is NO_SUCCESSION

    async def test_who_left_before_the_last_school_year_does_not_come_back_by_number(self) -> None:
        """The number may have been issued anew since."""
        for last_login, same in ((date(2025, 8, 1), True), (date(2025, 7, 31), False)):
            schools = Schools()
            old = await schools.login(OLD, "1001", today=last_login)
            new = await schools.login(NEW, "1001")
            assert (new.root == old.root) is same

    async def test_chains_are_followed(self) -> None:
        onwards = a_relation(
            NEW, new=(NEXT,), kind=RelationKind.RENUMBER, numbers_of=(NEW,), numbers_at=NEXT
        )
        schools = Schools(relations=(RENUMBER, onwards))
        skipped = await schools.login(OLD, "1001")
        both = await schools.login(OLD, "1002")
        await schools.login(NEW, "1002")
        assert (await schools.login(NEXT, "1001")).root == skipped.root
        assert (await schools.login(NEXT, "1002")).root == both.root

    async def test_two_workers_carry_it_once(self) -> None:
        schools = Schools()
        old = await schools.login(OLD, "1001")
        schools.register.overtaken_by = lambda: schools.login(NEW, "1001")
        assert (await schools.login(NEW, "1001")).root == old.root
        assert len(schools.register.rows) == 2


class TestCollision:
    async def test_a_number_that_two_schools_gave_out_opens_neither_account(self) -> None:
        schools = Schools(relations=(MERGE,))
        here = await schools.login(OLD, "1001")
        there = await schools.login(OTHER, "1001")
        new = await schools.login(NEW, "1001")
        assert new.root not in (here.root, there.root)
        assert new.events == (PersonEvent.NUMBER_COLLIDES, PersonEvent.FIRST_SEEN)
        assert (await schools.login(NEW, "1001")).events == ()

    async def test_the_eck_id_decides(self) -> None:
        schools = Schools(relations=(MERGE,))
        here = await schools.login(OLD, "1001", eck="sanne")
        there = await schools.login(OTHER, "1001", eck="daan")
        assert (await schools.login(NEW, "1001", eck="daan")).root == there.root
        assert (await schools.login(NEW, "1002", eck="sanne")).root == here.root

    async def test_one_that_is_known_at_one_school_goes_on(self) -> None:
        schools = Schools(relations=(MERGE,))
        there = await schools.login(OTHER, "1001")
        assert (await schools.login(NEW, "1001")).root == there.root

    async def test_numbers_of_the_other_school_alone(self) -> None:
        relation = a_relation(numbers_of=(OLD,), numbers_at=NEW)
        schools = Schools(relations=(relation,))
        here = await schools.login(OLD, "1001")
        await schools.login(OTHER, "1001")
        assert (await schools.login(NEW, "1001")).root == here.root


class TestSplit:
    SPLIT = a_relation(
        OLD, new=(NEW, NEXT), kind=RelationKind.SPLIT, numbers_of=(OLD,), numbers_at=NEW
    )

    async def test_the_number_goes_on_at_one_school_and_never_at_the_other(self) -> None:
        for first, second in ((NEW, NEXT), (NEXT, NEW)):
            schools = Schools(relations=(self.SPLIT,))
            old = await schools.login(OLD, "1001")
            opened = {each: await schools.login(each, "1001") for each in (first, second)}
            assert opened[NEW].root == old.root
            assert opened[NEXT].root != old.root

    async def test_the_eck_id_goes_on_at_both(self) -> None:
        schools = Schools(relations=(self.SPLIT,))
        old = await schools.login(OLD, "1001", eck="sanne")
        assert (await schools.login(NEXT, "1001", eck="sanne")).root == old.root
        assert (await schools.login(NEW, "1002", eck="sanne")).root == old.root

    async def test_a_number_is_carried_to_one_row_only(self) -> None:
        """Whatever relations say later: whoever had it went to one school."""
        schools = Schools(relations=(self.SPLIT,))
        old = await schools.login(OLD, "1001")
        await schools.login(NEW, "1001")
        schools.relations = (
            a_relation(
                OLD, new=(NEXT,), kind=RelationKind.RENUMBER, numbers_of=(OLD,), numbers_at=NEXT
            ),
        )
        assert (await schools.login(NEXT, "1001")).root != old.root


class TestReissued:
    async def test_with_another_eck_id_it_never_merges(self) -> None:
        schools = Schools()
        sanne = await schools.login(OLD, "1001", eck="sanne")
        daan = await schools.login(NEW, "1001", eck="daan")
        assert daan.root == eck_root("daan") != sanne.root
        assert PersonEvent.LOCAL_REBOUND in daan.events
        assert (await schools.login(NEW, "1002", eck="sanne")).root == sanne.root

    async def test_erasing_the_new_owner_leaves_the_old_one(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001", eck="sanne")
        await schools.login(NEW, "1001", eck="daan")
        who = present_person(an_identity(NEW, "1001"), key=ROOT_KEY)
        await erase_person(who, register=schools.register, keys=KEYS)
        left = {eck_root("sanne"), local_root(OLD, "1001")}
        assert schools.register.known.keys() == {derive_tag(KEYS, each) for each in left}

    async def test_erasing_the_old_owner_leaves_the_new_one(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001")
        await schools.login(NEW, "1001", eck="sanne")
        await schools.login(NEW, "1001", eck="daan")
        who = present_person(an_identity(OLD, "1001"), key=ROOT_KEY)
        await erase_person(who, register=schools.register, keys=KEYS)
        assert derive_tag(KEYS, eck_root("daan")) in schools.register.rows
        assert derive_tag(KEYS, local_root(NEW, "1001")) in schools.register.rows


class TestEckId:
    async def test_who_is_known_at_the_old_school_is_no_newcomer(self) -> None:
        schools = Schools(relations=(NEW_NUMBERS,))
        old = await schools.login(OLD, eck="sanne")
        new = await schools.login(NEW, eck="sanne")
        assert new.root == old.root
        assert new.events == (PersonEvent.PIN_CARRIED,)
        assert (await schools.login(NEW, eck="sanne")).events == ()

    async def test_who_is_known_elsewhere_is(self) -> None:
        schools = Schools()
        await schools.login(OTHER, eck="sanne")
        assert PersonEvent.NEW_SCHOOL in (await schools.login(NEW, eck="sanne")).events

    async def test_an_account_of_the_number_goes_on_before_its_join_is_mature(self) -> None:
        """Elsewhere the ECK iD still opens its own account; here the pupil keeps the work."""
        schools = Schools(relations=(NEW_NUMBERS,))
        work = await schools.login(OLD, "1001")
        joined = await schools.login(OLD, "1001", eck="sanne")
        assert joined.root == work.root
        assert (await schools.login(NEW, "9009", eck="sanne")).root == work.root
        assert (await schools.login(NEXT, eck="sanne")).root == eck_root("sanne")

    async def test_a_join_matures_by_logins_at_both(self) -> None:
        schools = Schools(relations=(NEW_NUMBERS,))
        work = await schools.login(OLD, "1001")
        for day in range(3):
            await schools.login(OLD, "1001", eck="sanne", today=BEFORE + timedelta(day))
        for day in range(3):
            await schools.login(NEW, "9009", eck="sanne", today=AFTER + timedelta(day))
        assert (await schools.login(NEXT, eck="sanne")).root == work.root

    async def test_two_old_schools_with_two_accounts_say_nothing(self) -> None:
        schools = Schools(relations=(a_relation(),))
        work = await schools.login(OLD, "1001")
        await schools.login(OLD, "1001", eck="sanne")
        await schools.login(OTHER, eck="sanne")
        new = await schools.login(NEW, eck="sanne")
        assert new.root == eck_root("sanne") != work.root
        assert PersonEvent.NEW_SCHOOL in new.events

    async def test_two_old_schools_with_one_account_say_that(self) -> None:
        schools = Schools(relations=(a_relation(),))
        await schools.login(OLD, eck="sanne")
        await schools.login(OTHER, eck="sanne")
        assert (await schools.login(NEW, eck="sanne")).events == (PersonEvent.PIN_CARRIED,)

    async def test_one_that_comes_first_with_the_new_school_finds_the_numbers_work(self) -> None:
        schools = Schools()
        work = await schools.login(OLD, "1001")
        new = await schools.login(NEW, "1001", eck="sanne")
        assert new.root == work.root
        assert PersonEvent.JOINED_HERE in new.events
        assert (await schools.login(NEW, eck="sanne")).root == work.root
        assert (await schools.login(NEXT, eck="sanne")).root == eck_root("sanne")

    async def test_accounts_that_were_apart_at_the_old_school_join_as_they_would_there(
        self,
    ) -> None:
        schools = Schools()
        by_eck_id = await schools.login(OLD, eck="sanne")
        await schools.login(OLD, "1001")
        new = await schools.login(NEW, "1001", eck="sanne")
        assert new.root == by_eck_id.root
        assert PersonEvent.ACCOUNTS_JOINED in new.events


class TestWhatPeopleDecided:
    async def test_accounts_that_two_persons_split_stay_apart(self) -> None:
        schools = Schools()
        by_eck_id = await schools.login(OLD, eck="sanne")
        by_number = await schools.login(OLD, "1001")
        root = eck_root("sanne")
        split = schools.record(root)
        tag = derive_tag(KEYS, local_root(OLD, "1001"))
        seen = {OLD: replace(split.seen[OLD], apart=(tag,))}
        schools.put(root, replace(split, seen=seen))
        new = await schools.login(NEW, "1001", eck="sanne")
        assert new.root == by_eck_id.root
        assert PersonEvent.ACCOUNTS_KEPT_APART in new.events
        assert (await schools.login(NEW, "1001")).root == by_number.root

    async def test_they_stay_apart_also_where_the_account_of_another_old_school_goes_on(
        self,
    ) -> None:
        schools = Schools(relations=(a_relation(numbers_of=(OLD,), numbers_at=NEW),))
        by_eck_id = await schools.login(OTHER, eck="sanne")
        await schools.login(OLD, eck="sanne")
        by_number = await schools.login(OLD, "1001")
        root = eck_root("sanne")
        known = schools.record(root)
        tag = derive_tag(KEYS, local_root(OLD, "1001"))
        seen = {**known.seen, OLD: replace(known.seen[OLD], apart=(tag,), held_since=None)}
        schools.put(root, replace(known, seen=seen))
        assert (await schools.login(NEW, "1001", eck="sanne")).root == by_eck_id.root
        assert (await schools.login(NEW, "1001")).root == by_number.root

    async def test_a_school_that_another_one_objected_to_says_nothing(self) -> None:
        schools = Schools(relations=(a_relation(),))
        await schools.login(OLD, eck="sanne")
        await schools.login(OTHER, eck="sanne")
        root = eck_root("sanne")
        known = schools.record(root)
        fresh = replace(known.seen[OTHER], account=local_root(OTHER, "x"), objected=True)
        schools.put(root, replace(known, seen={**known.seen, OTHER: fresh}))
        assert (await schools.login(NEW, eck="sanne")).root == root


class TestPromise:
    async def test_what_a_supplier_was_told_at_the_old_school_holds_at_the_new_one(self) -> None:
        """The ECK iD's own account, though the number has one with work in it."""
        schools = Schools()
        work = await schools.login(OLD, "1001")
        root = eck_root("sanne")
        told = PersonRecord(
            population=Population.PUPIL,
            account=root,
            salt=bytes(16),
            seen={},
            school_year=2025,
            promised=(OLD,),
        )
        schools.put(root, told)
        new = await schools.login(NEW, "1001", eck="sanne")
        assert new.root == root != work.root
        assert schools.record(root).promised == (OLD, NEW)


class TestErasing:
    @pytest.mark.parametrize(
        "who",
        [
            an_identity(OLD, "1001"),
            an_identity(NEW, "1001"),
        ],
    )
    @pytest.mark.parametrize("eck", [None, "sanne"])
    async def test_by_either_number_everything_goes(self, who: Identity, eck: str | None) -> None:
        schools = Schools()
        await schools.login(OLD, "1001", eck=eck)
        await schools.login(NEW, "1001")
        presented = present_person(who, key=ROOT_KEY)
        found = await find_person(presented, register=schools.register, keys=KEYS)
        assert {OLD, NEW} >= found.schools
        await erase_person(presented, register=schools.register, keys=KEYS)
        assert schools.register.known == {}

    async def test_by_an_eck_id_that_came_later(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001")
        await schools.login(NEW, "1001")
        await schools.login(NEW, "1001", eck="sanne")
        who = present_person(an_identity(NEW, eck="sanne"), key=ROOT_KEY)
        await erase_person(who, register=schools.register, keys=KEYS)
        assert schools.register.known == {}


class TestSuppliers:
    async def test_they_are_found_by_the_account_wherever_the_number_went(self) -> None:
        schools = Schools()
        account = (await schools.login(OLD, "1001", visit=True)).root
        where = {"register": schools.register, "keys": KEYS}
        await schools.login(NEW, "1001", visit=True)
        holder = await find_holder(account, **where)  # type: ignore[arg-type]
        assert holder is not None
        assert holder.root == local_root(NEW, "1001")
        await schools.login(NEW, "1001", eck="sanne", visit=True)
        holder = await find_holder(account, **where)  # type: ignore[arg-type]
        assert holder is not None
        assert holder.root == eck_root("sanne")
        seen = await find_supplier_seen(account, supplier=REKENRIJK, **where)  # type: ignore[arg-type]
        assert seen is not None

    async def test_they_stay_with_whom_they_know_when_the_number_is_issued_anew(self) -> None:
        schools = Schools()
        account = (await schools.login(OLD, "1001", visit=True)).root
        where = {"register": schools.register, "keys": KEYS}
        await schools.login(NEW, "1001", eck="sanne", visit=True)
        await schools.login(NEW, "1001", eck="daan", visit=True)
        holder = await find_holder(account, **where)  # type: ignore[arg-type]
        assert holder is not None
        assert holder.root == eck_root("sanne")

    async def test_an_account_whose_later_rows_are_gone_holds_its_own(self) -> None:
        schools = Schools()
        account = (await schools.login(OLD, "1001", visit=True)).root
        await schools.login(NEW, "1001")
        del schools.register.rows[derive_tag(KEYS, local_root(NEW, "1001"))]
        holder = await find_holder(account, register=schools.register, keys=KEYS)
        assert holder is not None
        assert holder.root == account


async def test_rolled_back_everybody_is_who_they_were() -> None:
    schools = Schools()
    old = await schools.login(OLD, "1001")
    known = await schools.login(OLD, "2002", eck="noor")
    await schools.login(NEW, "1001")
    await schools.login(NEW, "2002", eck="noor")
    schools.relations = ()
    assert (await schools.login(OLD, "1001", today=AFTER)).root == old.root
    assert (await schools.login(OLD, "2002", eck="noor", today=AFTER)).root == known.root
    schools.relations = (RENUMBER,)
    assert (await schools.login(NEW, "1001")).root == old.root


class TestOnceMore:
    """The relation was taken back, and is made again."""

    async def went_back(self) -> tuple[Schools, PersonRoot]:
        schools = Schools()
        account = (await schools.login(OLD, "1001")).root
        await schools.login(NEW, "1001")
        schools.relations = ()
        return schools, account

    async def test_who_came_to_know_the_number_meanwhile_is_told(self) -> None:
        schools, account = await self.went_back()
        await schools.login(OLD, "1001", visit=True)
        schools.relations = (RENUMBER,)
        await schools.login(NEW, eck="noor")
        both = await schools.login(NEW, "1001", eck="noor", visit=True)
        assert (both.root, both.previous) == (eck_root("noor"), account)

    async def test_a_number_that_only_the_new_school_had_is_told_as_ever(self) -> None:
        schools = Schools()
        account = (await schools.login(NEW, "1001", visit=True)).root
        await schools.login(NEW, eck="noor")
        both = await schools.login(NEW, "1001", eck="noor", visit=True)
        assert (both.root, both.previous) == (eck_root("noor"), account)

    async def test_who_never_knew_it_is_not(self) -> None:
        schools, _ = await self.went_back()
        await schools.login(OLD, "1001")
        schools.relations = (RENUMBER,)
        await schools.login(NEW, eck="noor")
        both = await schools.login(NEW, "1001", eck="noor", visit=True)
        assert (both.root, both.previous) == (eck_root("noor"), None)

    async def test_nor_who_knew_whose_number_it_became_meanwhile(self) -> None:
        schools, _ = await self.went_back()
        await schools.login(OLD, "1001", eck="sanne", visit=True)
        schools.relations = (RENUMBER,)
        await schools.login(NEW, eck="noor")
        both = await schools.login(NEW, "1001", eck="noor", visit=True)
        assert (both.root, both.previous) == (eck_root("noor"), None)


class TestAfterGoingBack:
    """What happened at the new school while the relation held is known at the old one."""

    async def test_who_knew_an_account_is_told_when_it_is_left_behind(self) -> None:
        schools = Schools()
        await schools.login(OLD, eck="noor")
        before = await schools.login(OLD, "1001", visit=True)
        await schools.login(NEW, "1001", visit=True)
        schools.relations = ()
        both = await schools.login(OLD, "1001", eck="noor", visit=True)
        assert both.root == eck_root("noor")
        assert both.previous == before.root

    async def test_nobody_is_told_once_the_number_went_with_an_eck_id(self) -> None:
        """At the new school it is known by that one already."""
        schools = Schools()
        await schools.login(OLD, eck="noor")
        await schools.login(OLD, "1001", visit=True)
        await schools.login(NEW, "1001", eck="noor", visit=True)
        schools.relations = ()
        both = await schools.login(OLD, "1001", eck="noor", visit=True)
        assert (both.root, both.previous) == (eck_root("noor"), None)

    async def test_a_supplier_that_came_afterwards_is_found(self) -> None:
        schools = Schools()
        old = await schools.login(OLD, "1001")
        await schools.login(NEW, "1001")
        schools.relations = ()
        await schools.login(OLD, "1001", visit=True)
        assert await find_supplier_seen(
            old.root, supplier=REKENRIJK, register=schools.register, keys=KEYS
        )

    async def test_a_number_that_was_issued_anew_is_not_erased_with_who_had_it(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001", eck="noor")
        await schools.login(NEW, "1001", eck="noor")
        schools.relations = ()
        other = await schools.login(OLD, "1001", eck="sanne")
        schools.relations = (NEW_NUMBERS,)
        await schools.login(NEW, "1001", eck="noor")
        presented = present_person(an_identity(OLD, eck="noor"), key=ROOT_KEY)
        await erase_person(presented, register=schools.register, keys=KEYS)
        schools.relations = ()
        assert (await schools.login(OLD, "1001")).root == other.root

    async def test_one_that_was_issued_anew_at_the_new_school_is_nobody_of_before(self) -> None:
        schools = Schools()
        await schools.login(OLD, "1001", visit=True)
        await schools.login(NEW, "1001", eck="noor", visit=True)
        await schools.login(NEW, "1001", eck="sanne", visit=True)
        schools.relations = ()
        both = await schools.login(OLD, "1001", eck="sanne", visit=True)
        assert both.previous is None


async def test_no_number_and_no_tag_shows_itself() -> None:
    schools = Schools()
    identity = an_identity(NEW, "1001", "sanne")
    found = succession_of(identity, schools.registry, AFTER)
    shown = repr(found)
    assert local_root(OLD, "1001").hex() not in shown
    assert repr(local_root(OLD, "1001")) not in shown


def test_an_eck_id_that_was_never_here_knows_the_number_by_the_number_s_own_row() -> None:
    here, there = SchoolId("here"), SchoolId("there")
    account = bytes(32)
    seen = {here: SeenAt(account=account)}
    of_a_pupil = {"population": Population.PUPIL, "school_year": 2026, "salt": bytes(16)}
    local = PersonRecord(account=account, seen=seen, **of_a_pupil)  # type: ignore[arg-type]
    eck_id = replace(local, seen={})
    old: Any = SimpleNamespace(number=SimpleNamespace(school=there))
    login: Any = SimpleNamespace(school=here, local_tag=b"tag")
    known = successors._know_number(eck_id, local, old, login)
    assert known.seen[here].aliases == (b"tag",)
    again = successors._know_number(known, local, old, login)
    assert again == known
