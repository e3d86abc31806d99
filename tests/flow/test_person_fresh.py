"""Whoever gets a number after somebody was erased opens nothing of before, on every path.

A test of each path on which the row of a number goes, or its own account could come back; and
beside it what must go on as it was.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.persons.person_anew import plan_begin_anew
from broker.flow.persons.person_changes import PlanPorts, plan_change
from broker.flow.persons.person_erasure import erase_person, find_person
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plan_refusals import AliasRefused
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    plan_protection,
    plan_split,
)
from broker.flow.persons.person_records import PersonEvent, PersonRecord, Presented
from broker.flow.persons.person_rules import EckIdMissing
from broker.flow.persons.person_suppliers import Visit, find_holder
from broker.flow.persons.persons import KnownPerson, identify_person, no_account_anew
from broker.flow.persons.register import derive_register_keys, derive_tag, open_record
from broker.flow.persons.successors import NO_SUCCESSION, OldNumber, Succession
from broker.flow.switching.rehearsal import Finding, Oracle, compare
from broker.pseudonyms.derivation import (
    PersonRoot,
    load_root_key,
    root_anew,
    root_apart,
    root_from_local,
    root_from_local_staff,
)
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL

KEYS = derive_register_keys(bytes(range(32)))
ROOT_KEY = load_root_key(bytes(range(32)))
OLD = SchoolId("oude-school")
SUPPLIER = SupplierId("rekenrijk")


def eck(name: str) -> PersonRoot:
    return root_from_local(SchoolId("stands-for"), name, key=ROOT_KEY)


def number(text: str, school: SchoolId = VUURVOGEL) -> PersonRoot:
    return root_from_local(school, text, key=ROOT_KEY)


N = number("1")
ALICE, BOB, CAROL = eck("alice"), eck("bob"), eck("carol")


@dataclass
class World:
    """Logins, decisions and erasures over one register."""

    register: MemoryRegister = field(default_factory=MemoryRegister)
    drawn: int = 0
    today: date = FIRST_DAY

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    async def login(
        self,
        eck_id: PersonRoot | None = None,
        local: PersonRoot | None = None,
        *,
        school: SchoolId = VUURVOGEL,
        succession: Succession = NO_SUCCESSION,
        population: Population = Population.PUPIL,
    ) -> KnownPerson:
        return await identify_person(
            Presented(population, eck_id=eck_id, local=local),
            register=self.register,
            keys=KEYS,
            school=school,
            eck_id_required=False,
            today=self.today,
            random=self.draw,
            rules=JoinRules(),
            visit=Visit(SUPPLIER, "a"),
            succession=succession,
            anew=partial(root_anew, key=ROOT_KEY),
        )

    async def account(
        self, eck_id: PersonRoot | None = None, local: PersonRoot | None = None, **how: object
    ) -> PersonRoot:
        return (await self.login(eck_id, local, **how)).root  # type: ignore[arg-type]

    async def erase(self, eck_id: PersonRoot | None = None, local: PersonRoot | None = None) -> int:
        who = Presented(Population.PUPIL, eck_id=eck_id, local=local)
        return await erase_person(who, register=self.register, keys=KEYS)

    async def decide(
        self,
        plan: object,
        eck_id: PersonRoot | None = None,
        local: PersonRoot | None = None,
        *,
        school: SchoolId = VUURVOGEL,
        **how: object,
    ) -> None:
        by = Deciding(
            school=school,
            today=self.today,
            settled_after_days=14,
            tag_of=lambda root: derive_tag(KEYS, root),
            fresh_account=lambda root, at: root_apart(root, at, key=ROOT_KEY),
        )
        planned = await plan_change(
            Presented(Population.PUPIL, eck_id=eck_id, local=local),
            lambda person: plan(person, by=by, **how),  # type: ignore[operator]
            ports=PlanPorts(self.register, KEYS, self.draw),
        )
        await self.register.rewrite(planned.rewrites)

    async def split(self, local: PersonRoot = N) -> None:
        await self.decide(plan_split, None, local, only_joins=False)

    def record(self, root: PersonRoot) -> PersonRecord:
        return open_record(self.register.rows[derive_tag(KEYS, root)], root=root, keys=KEYS)

    def is_closed(self, root: PersonRoot) -> bool:
        row = self.register.rows.get(derive_tag(KEYS, root))
        return row is not None and row.is_closed


@pytest.fixture
def world() -> World:
    return World()


class TestNumberIssuedAnew:
    async def test_erasing_the_new_owner_does_not_open_the_first_one_s_account(
        self, world: World
    ) -> None:
        assert await world.account(None, N) == N  # Alice, by the number alone
        assert await world.account(ALICE, N) == N
        assert await world.account(BOB, N) == BOB  # issued anew: re-bound
        await world.erase(BOB)
        fresh = await world.account(None, N)
        assert fresh not in (N, ALICE, BOB)
        assert await world.account(None, N) == fresh
        assert await world.account(ALICE) == N, "Alice keeps hers"

    async def test_who_was_not_erased_is_not_disturbed(self, world: World) -> None:
        await world.account(BOB, N)
        await world.account(CAROL, number("2"))
        await world.erase(BOB)
        assert await world.account(None, number("2")) == CAROL
        assert await world.account(None, number("3")) == number("3")

    async def test_nor_the_account_of_who_was_erased_before_it_was_issued_anew(
        self, world: World
    ) -> None:
        assert await world.account(None, N) == N
        await world.erase(None, N)
        assert await world.account(None, N) != N

    async def test_who_was_erased_and_comes_back_with_the_eck_id_has_the_eck_id_s_own(
        self, world: World
    ) -> None:
        await world.account(ALICE, N)
        await world.erase(ALICE)
        assert await world.account(ALICE, N) == ALICE
        assert await world.account(None, N) == ALICE

    async def test_a_new_owner_with_an_eck_id_joins_nothing_of_before(self, world: World) -> None:
        assert await world.account(None, N) == N
        await world.erase(None, N)
        assert await world.account(BOB, N) == BOB
        assert world.record(BOB).join is None
        assert await world.account(BOB, school=REGENBOOG) == BOB

    async def test_erased_once_more_it_is_another_account(self, world: World) -> None:
        opened = [await world.account(None, N)]
        for _ in range(3):
            await world.erase(None, N)
            opened.append(await world.account(None, N))
        assert len(set(opened)) == 4
        await world.erase(None, N)
        assert list(world.register.rows) == [derive_tag(KEYS, N)]
        assert await world.erase(None, N) == 0
        assert world.is_closed(N)

    async def test_of_staff_as_well(self, world: World) -> None:
        els = root_from_local_staff(VUURVOGEL, "1", key=ROOT_KEY)
        assert await world.account(None, els, population=Population.STAFF) == els
        assert await world.account(None, N) == N
        who = Presented(Population.STAFF, eck_id=None, local=els)
        await erase_person(who, register=world.register, keys=KEYS)
        assert await world.account(None, els, population=Population.STAFF) != els
        assert await world.account(None, N) == N, "a pupil with that number is somebody else"


class TestWhatRests:
    async def test_a_byte_that_names_nobody_and_no_school_sees(self, world: World) -> None:
        await world.account(ALICE, N)
        await world.account(ALICE, number("9", REGENBOOG), school=REGENBOOG)
        await world.erase(ALICE)
        assert {each.sealed for each in world.register.rows.values()} == {b"\0"}
        assert {each.school_year for each in world.register.rows.values()} == {0}
        assert world.register.rows.keys() == {
            derive_tag(KEYS, each) for each in (N, number("9", REGENBOOG))
        }
        who = Presented(Population.PUPIL, eck_id=None, local=N)
        found = await find_person(who, register=world.register, keys=KEYS)
        assert (found.schools, found.closes) == (frozenset(), {derive_tag(KEYS, N)})

    async def test_an_event_tells_and_names_nobody(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        login = await world.login(None, N)
        assert login.events == (PersonEvent.FIRST_SEEN, PersonEvent.FRESH_ACCOUNT)
        assert (await world.login(None, N)).events == ()
        assert (await world.login(None, number("2"))).events == (PersonEvent.FIRST_SEEN,)

    async def test_a_login_that_has_no_key_for_it_fails(self) -> None:
        with pytest.raises(ValueError, match="root key"):
            no_account_anew(N, bytes(16))


class TestSuppliersOfTheFreshAccount:
    async def test_they_are_found_by_it_and_not_by_the_account_of_before(
        self, world: World
    ) -> None:
        where = {"register": world.register, "keys": KEYS}
        await world.account(None, N)
        assert await find_holder(N, **where) is not None  # type: ignore[arg-type]
        await world.erase(None, N)
        assert await find_holder(N, **where) is None  # type: ignore[arg-type]
        fresh = await world.account(None, N)
        assert await find_holder(N, **where) is None  # type: ignore[arg-type]
        holder = await find_holder(fresh, **where)  # type: ignore[arg-type]
        assert holder is not None
        assert holder.root == N
        assert SUPPLIER in holder.record.suppliers

    async def test_also_once_an_eck_id_came(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        fresh = await world.account(None, N)
        assert await world.account(BOB, N) == fresh, "rule 9: Bob's own work, joined"
        holder = await find_holder(fresh, register=world.register, keys=KEYS)
        assert holder is not None
        assert holder.root == BOB
        await world.erase(BOB)
        assert list(world.register.rows) == [derive_tag(KEYS, N)], "the account's row goes too"


class TestPeopleDecide:
    async def test_a_split_opens_the_fresh_account_and_not_the_first_one_s(
        self, world: World
    ) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        assert await world.account(BOB, N) == BOB
        await world.split()
        fresh = await world.account(None, N)
        assert fresh not in (N, BOB)
        assert await world.account(BOB, N) == BOB
        assert await world.account(None, N) == fresh
        holder = await find_holder(fresh, register=world.register, keys=KEYS)
        assert holder is not None
        assert holder.root == N
        await world.erase(None, N)
        assert world.register.known.keys() == {derive_tag(KEYS, BOB)}
        assert await world.account(BOB, N) == BOB
        assert await world.account(None, N) not in (N, BOB, fresh), "and apart for good"

    async def test_a_split_of_a_number_that_nobody_was_erased_from(self, world: World) -> None:
        await world.account(BOB, N)
        await world.split()
        assert await world.account(None, N) == N

    async def test_a_join_undone_opens_the_fresh_account(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        fresh = await world.account(None, N)
        assert await world.account(BOB, N) == fresh
        await world.decide(plan_split, None, N, only_joins=True)
        assert await world.account(BOB) == BOB
        assert await world.account(None, N) == fresh

    async def test_a_join_by_hand_undone_as_well(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        fresh = await world.account(None, N)
        await world.account(BOB, school=REGENBOOG)
        await world.account(BOB)
        await world.decide(plan_join, BOB, N)
        assert await world.account(None, N) == BOB
        assert derive_tag(KEYS, fresh) in world.record(BOB).seen[VUURVOGEL].aliases
        await world.decide(plan_split, None, N, only_joins=True)
        assert await world.account(None, N) == fresh
        assert derive_tag(KEYS, fresh) not in world.record(BOB).seen[VUURVOGEL].aliases
        await world.erase(BOB)
        assert await world.account(None, N) == fresh, "erasing Bob leaves the number's owner"

    async def test_joined_twice_they_would_lead_to_each_other(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        fresh = await world.account(None, N)
        await world.account(BOB)
        record = world.record(BOB)
        here = replace(record.seen[VUURVOGEL], account=fresh)
        with pytest.raises(AliasRefused):
            plan_join(
                _opened(BOB, replace(record, seen={VUURVOGEL: here}), N, world.record(N)),
                by=_by(),
            )

    async def test_the_number_of_a_former_owner_is_parted_from_nobody(self, world: World) -> None:
        await world.account(None, N)
        await world.erase(None, N)
        fresh = await world.account(ALICE, N)
        assert fresh == ALICE
        await world.split()
        assert await world.account(CAROL, N) == await world.account(None, N)
        await world.account(BOB, N)
        with pytest.raises(AliasRefused):
            await world.split()

    async def test_after_a_split_the_erased_eck_id_never_takes_the_number_s_account(
        self, world: World
    ) -> None:
        """The split said that the number's account is another pupil's."""
        await world.account(None, N)
        assert await world.account(BOB, N) == N
        await world.split()
        assert await world.account(BOB, N) == BOB
        await world.erase(BOB)
        assert await world.account(None, N) == N
        again = await world.account(BOB, N)
        assert again not in (N, BOB)
        assert await world.account(BOB, N) == again, "rule 11 does not join them either"
        assert await world.account(None, N) == N
        assert await world.account(BOB, school=REGENBOOG) == again

    async def test_who_began_anew_and_was_erased_does_not_come_back_to_the_shared_account(
        self, world: World
    ) -> None:
        await world.account(BOB, school=REGENBOOG)
        await world.account(BOB, N)
        await world.decide(plan_begin_anew, BOB)
        apart = root_apart(BOB, VUURVOGEL, key=ROOT_KEY)
        assert await world.account(BOB, N) == apart
        await world.erase(BOB)
        assert world.is_closed(BOB)
        assert derive_tag(KEYS, apart) not in world.register.rows
        assert await world.account(BOB, N) not in (BOB, apart, N)
        assert await world.account(None, N) == await world.account(BOB)
        await world.erase(BOB)
        assert world.is_closed(BOB), "once more"

    async def test_nor_who_was_objected_to(self, world: World) -> None:
        await world.account(BOB)
        world.today += timedelta(days=1)
        await world.account(BOB, school=REGENBOOG)
        await world.decide(plan_objection, BOB)
        await world.erase(BOB)
        assert await world.account(BOB, school=REGENBOOG) != BOB

    async def test_nor_who_is_objected_to_once_more(self, world: World) -> None:
        """The fresh account of before the erasure may be another pupil's."""
        opened = []
        for _ in range(2):
            await world.account(BOB)
            world.today += timedelta(days=1)
            await world.account(BOB, school=REGENBOOG)
            await world.decide(plan_objection, BOB)
            opened.append(await world.account(BOB, school=REGENBOOG))
            await world.erase(BOB)
        assert len(set(opened)) == 2

    async def test_nor_does_a_school_that_stated_a_protected_pupil_meanwhile(
        self, world: World
    ) -> None:
        await world.account(ALICE, N)
        await world.account(BOB, number("2"))
        await world.decide(plan_protection, ALICE, protected=True)
        for who in (ALICE, BOB):
            await world.erase(who)
        assert world.is_closed(ALICE)
        assert await world.account(ALICE, school=REGENBOOG) != ALICE
        assert await world.account(BOB, school=REGENBOOG) == BOB, "who was not protected"


def _by() -> Deciding:
    return Deciding(
        school=VUURVOGEL,
        today=FIRST_DAY,
        settled_after_days=14,
        tag_of=lambda root: derive_tag(KEYS, root),
        fresh_account=lambda root, at: root_apart(root, at, key=ROOT_KEY),
    )


def _opened(
    eck_root: PersonRoot, of_eck: PersonRecord, root: PersonRoot, of_number: PersonRecord
) -> OpenedPerson:
    return OpenedPerson(eck_root, of_eck, root, of_number)


class TestSchoolThatGoesOn:
    """De Vuurvogel goes on for the old school, whose numbers are kept."""

    AT_OLD = number("1", OLD)
    GOES_ON = Succession(frozenset({OLD}), (OldNumber(OLD, AT_OLD, FIRST_DAY),))

    async def test_the_number_is_not_taken_over_from_who_was_erased_there(
        self, world: World
    ) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.erase(None, self.AT_OLD)
        assert await world.account(None, N, succession=self.GOES_ON) == N
        assert await world.account(None, self.AT_OLD, school=OLD) not in (N, self.AT_OLD)

    async def test_it_is_from_who_was_not(self, world: World) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        assert await world.account(None, N, succession=self.GOES_ON) == self.AT_OLD

    async def test_erased_at_the_new_school_it_is_not_taken_over_again(self, world: World) -> None:
        """The old school's row of the first owner is still there, and leads to this number."""
        await world.account(ALICE, self.AT_OLD, school=OLD)
        assert await world.account(None, N, succession=self.GOES_ON) == ALICE
        assert await world.account(BOB, N, succession=self.GOES_ON) == BOB
        await world.erase(BOB)
        assert not world.is_closed(self.AT_OLD)
        opened = await world.account(None, N, succession=self.GOES_ON)
        assert opened not in (ALICE, BOB, self.AT_OLD, N)

    async def test_erased_by_either_number_both_are_closed(self, world: World) -> None:
        for erased in (self.AT_OLD, N):
            world.register.rows.clear()
            await world.account(None, self.AT_OLD, school=OLD)
            await world.account(None, N, succession=self.GOES_ON)
            await world.erase(None, erased)
            assert world.is_closed(self.AT_OLD)
            assert world.is_closed(N)

    async def test_one_of_two_old_schools_where_it_was_erased_leaves_it_open(
        self, world: World
    ) -> None:
        """Two people had it; who comes now may be either."""
        other = number("1", SchoolId("andere-school"))
        both = Succession(
            frozenset({OLD, SchoolId("andere-school")}),
            (*self.GOES_ON.numbers, OldNumber(SchoolId("andere-school"), other, FIRST_DAY)),
        )
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(None, other, school=SchoolId("andere-school"))
        await world.erase(None, other)
        assert await world.account(None, N, succession=both) == N

    async def test_once_the_relation_is_undone_the_old_school_asks_whose_it_is(
        self, world: World
    ) -> None:
        await world.account(ALICE, self.AT_OLD, school=OLD)
        await world.account(None, N, succession=self.GOES_ON)
        assert await world.account(None, self.AT_OLD, school=OLD) == ALICE
        await world.account(BOB, N, succession=self.GOES_ON)  # issued anew at the new school
        with pytest.raises(EckIdMissing, match="check_number_not_reissued"):
            await world.login(None, self.AT_OLD, school=OLD)
        assert await world.account(ALICE, self.AT_OLD, school=OLD) == ALICE
        assert await world.account(BOB, self.AT_OLD, school=OLD) == BOB
        assert await world.account(None, self.AT_OLD, school=OLD) == BOB

    async def test_also_when_the_new_owner_was_erased(self, world: World) -> None:
        await world.account(ALICE, self.AT_OLD, school=OLD)
        await world.account(None, N, succession=self.GOES_ON)
        await world.account(BOB, N, succession=self.GOES_ON)
        await world.erase(BOB)
        with pytest.raises(EckIdMissing):
            await world.login(None, self.AT_OLD, school=OLD)

    async def test_nor_by_the_eck_id_of_who_gets_the_number_once_the_relation_is_undone(
        self, world: World
    ) -> None:
        """At the old school no ECK iD ever came with it; at the new one Alice's did."""
        await world.account(None, self.AT_OLD, school=OLD)
        assert await world.account(ALICE, N, succession=self.GOES_ON) == self.AT_OLD
        assert await world.account(BOB, self.AT_OLD, school=OLD) == BOB
        assert await world.account(None, self.AT_OLD, school=OLD) == BOB
        assert await world.account(None, N) == self.AT_OLD, "Alice keeps hers at the new school"
        holder = await find_holder(self.AT_OLD, register=world.register, keys=KEYS)
        assert holder is not None
        assert holder.root == ALICE
        await world.erase(None, N)
        assert await world.account(None, self.AT_OLD, school=OLD) == BOB, "erasing Alice is hers"

    async def test_her_own_eck_id_opens_her_work_at_the_old_school_again(
        self, world: World
    ) -> None:
        """The two met while the new school counted as this one: nobody else saw either."""
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=self.GOES_ON)
        assert await world.account(ALICE, self.AT_OLD, school=OLD) == self.AT_OLD
        assert await world.account(None, self.AT_OLD, school=OLD) == self.AT_OLD
        assert await world.account(BOB, N, succession=self.GOES_ON) == BOB
        assert await world.account(ALICE, self.AT_OLD, school=OLD) == self.AT_OLD
        assert await world.account(ALICE, N) == self.AT_OLD

    async def test_once_the_new_school_issued_it_anew_the_eck_id_is_kept_apart(
        self, world: World
    ) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=self.GOES_ON)
        await world.account(BOB, N, succession=self.GOES_ON)
        assert await world.account(ALICE, self.AT_OLD, school=OLD) == ALICE
        assert await world.account(ALICE, N) == self.AT_OLD

    async def test_nor_by_an_eck_id_where_the_new_school_issued_the_number_anew(
        self, world: World
    ) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=self.GOES_ON)
        await world.account(BOB, N, succession=self.GOES_ON)
        assert await world.account(CAROL, self.AT_OLD, school=OLD) == CAROL
        assert await world.account(ALICE, N) == self.AT_OLD

    async def test_nor_once_that_one_was_erased(self, world: World) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=self.GOES_ON)
        await world.account(BOB, N, succession=self.GOES_ON)
        await world.erase(None, N)
        assert await world.account(CAROL, self.AT_OLD, school=OLD) == CAROL
        assert await world.account(None, self.AT_OLD, school=OLD) == CAROL
        await world.account(None, N)
        await world.erase(CAROL)
        assert world.is_closed(self.AT_OLD)

    async def test_nor_when_somebody_else_logged_in_with_it_since(self, world: World) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(ALICE, N, succession=self.GOES_ON)
        await world.account(BOB, N, succession=self.GOES_ON)
        await world.erase(None, N)
        await world.account(None, N)
        assert await world.account(CAROL, self.AT_OLD, school=OLD) == CAROL

    async def test_nor_where_the_new_school_went_on_in_a_third(self, world: World) -> None:
        third = number("1", REGENBOOG)
        goes_on = Succession(frozenset({VUURVOGEL}), (OldNumber(VUURVOGEL, N, FIRST_DAY),))
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(None, N, succession=self.GOES_ON)
        opened = await world.account(ALICE, third, school=REGENBOOG, succession=goes_on)
        assert opened == self.AT_OLD
        assert await world.account(BOB, self.AT_OLD, school=OLD) == BOB
        assert await world.account(CAROL, N) == CAROL

    async def test_a_number_that_no_eck_id_came_with_joins_as_ever(self, world: World) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.account(None, N, succession=self.GOES_ON)
        assert await world.account(ALICE, self.AT_OLD, school=OLD) == self.AT_OLD

    async def test_a_fresh_account_goes_on_as_any_other(self, world: World) -> None:
        await world.account(None, self.AT_OLD, school=OLD)
        await world.erase(None, self.AT_OLD)
        fresh = await world.account(None, self.AT_OLD, school=OLD)
        assert await world.account(None, N, succession=self.GOES_ON) == fresh
        holder = await find_holder(fresh, register=world.register, keys=KEYS)
        assert holder is not None
        assert holder.root == N
        await world.account(BOB, N)
        await world.erase(BOB)
        assert world.register.known == {}


async def test_a_rehearsal_shows_no_change_where_both_logins_state_such_a_number(
    world: World,
) -> None:
    await world.account(None, N)
    await world.erase(None, N)
    oracle = Oracle(VUURVOGEL, False, world.register, KEYS, JoinRules(), FIRST_DAY)
    who = Presented(Population.PUPIL, eck_id=None, local=N)
    before, after = await oracle.foresee(who), await oracle.foresee(who)
    assert compare(before, after) is Finding.NOT_KNOWN
    await world.account(None, N)
    before, after = await oracle.foresee(who), await oracle.foresee(who)
    assert compare(before, after) is Finding.SAME
