"""What a supplier is answered about a school's pupils; and that a login opens what was answered."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal
from broker.domain.takeover_refusals import (
    AskedTooMuch,
    EckIdNotApproved,
    ListUnusable,
    MappingNotOpen,
    NotEntitled,
    NotSignedFor,
    TakeoverEnded,
    TakeoversUnavailable,
)
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Change, PersonEvent, Presented
from broker.flow.persons.person_rows import find_records, look_up, store_changes
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import (
    CLOSED_ROW,
    RegisterUnavailable,
    derive_register_keys,
    derive_tag,
)
from broker.flow.takeover import takeover_mapping
from broker.flow.takeover.takeover_asking import CHECKS
from broker.flow.takeover.takeover_lists import ListKind, ListOf, derive_list_tag
from broker.flow.takeover.takeover_mapping import (
    MAX_ATTEMPTS,
    MappingPorts,
    TakeoverMapping,
)
from broker.pseudonyms.derivation import (
    PersonRoot,
    derive_pseudonym,
    load_root_key,
    parse_eckid,
    root_anew,
    root_from_eckid,
    root_from_local,
)
from broker.pseudonyms.epochs import load_pairwise_keys
from tests.flow.memory_register import MemoryRegister
from tests.flow.takeover_fakes import MemoryLists
from tests.flow.test_takeovers import REKENRIJK, TODAY, VUURVOGEL, World

KEYS = derive_register_keys(bytes(range(32)))
ROOT_KEY = load_root_key(bytes(range(32)))
PAIRWISE = load_pairwise_keys({"a": bytes(range(2, 34))})
REGENBOOG = SchoolId("regenboog")


def an_eck_id(name: str) -> str:
    return "https://ketenid.nl/201703/" + name.encode().hex().rjust(128, "1")


def root_of(name: str) -> PersonRoot:
    return root_from_eckid(parse_eckid(an_eck_id(name)), key=ROOT_KEY)


def local_of(name: str, school: SchoolId = VUURVOGEL) -> PersonRoot:
    return root_from_local(school, name, key=ROOT_KEY)


def name_of(account: PersonRoot, supplier: SupplierId = REKENRIJK) -> str:
    return derive_pseudonym(account, supplier=supplier, key=PAIRWISE.by_letter["a"])


@dataclass
class Mapped:
    """A school that signed, a register in which pupils log in, and who asks."""

    world: World = field(default_factory=World)
    register: MemoryRegister = field(default_factory=MemoryRegister)
    lists: MemoryLists = field(default_factory=MemoryLists)
    counter: Any = field(default_factory=lambda: itertools.count(1))
    asked_per_school: int = 100

    def random(self, count: int) -> bytes:
        return int(next(self.counter)).to_bytes(count, "big")

    @property
    def mapping(self) -> TakeoverMapping:
        return TakeoverMapping(
            ports=MappingPorts(
                register=self.register,
                lists=self.lists,
                keys=KEYS,
                root=ROOT_KEY,
                pairwise=PAIRWISE,
                settled_after_days=14,
                random=self.random,
            ),
            store=self.world.store,
            asked_per_school=self.asked_per_school,
            audit=self.world.desk.events,
            clock=lambda: self.world.desk.now,
        )

    async def ask(
        self, *names: str, school: SchoolId = VUURVOGEL, supplier: SupplierId = REKENRIJK
    ) -> list[str | None]:
        answers = await self.mapping.answer(
            [an_eck_id(each) for each in names],
            school=school,
            supplier=supplier,
            registry=self.world.registry,
        )
        return [pseudonym for _, pseudonym in answers]

    async def login(
        self,
        eck_id: str | None = None,
        local: str | None = None,
        *,
        school: SchoolId = VUURVOGEL,
        days: int = 0,
    ) -> KnownPerson:
        return await identify_person(
            Presented(
                Population.PUPIL,
                eck_id=None if eck_id is None else root_of(eck_id),
                local=None if local is None else local_of(local, school),
            ),
            register=self.register,
            keys=KEYS,
            school=school,
            eck_id_required=False,
            today=TODAY + timedelta(days=days),
            random=self.random,
            rules=JoinRules(),
            visit=Visit(REKENRIJK, "a"),
            anew=partial(root_anew, key=ROOT_KEY),
        )

    async def sign_list(self, *names: str, school: SchoolId = VUURVOGEL) -> None:
        of = ListOf(ListKind.PUPILS, school, REKENRIJK)
        await self.lists.replace(of, [derive_list_tag(KEYS, of, root_of(each)) for each in names])


@pytest.fixture
async def mapped() -> Mapped:
    """A take-over that is being prepared."""
    mapped = Mapped()
    await mapped.world.sign()
    mapped.world.move("prepare")
    mapped.world.desk.events.seen.clear()
    return mapped


class TestWhoMayAsk:
    async def test_the_supplier_that_the_school_signed_for(self, mapped: Mapped) -> None:
        await mapped.login("sanne")
        assert await mapped.ask("sanne", "nobody") == [name_of(root_of("sanne")), None]
        (event,) = mapped.world.desk.events.seen
        assert (event.action, event.school, event.supplier) == (
            "takeover-mapped",
            VUURVOGEL,
            REKENRIJK,
        )
        assert event.names == ("asked 2", "answered 1")

    @pytest.mark.parametrize("state", ["pilot", "on", "on back"])
    async def test_in_every_state_up_to_the_last_day(self, mapped: Mapped, state: str) -> None:
        await mapped.login("sanne")
        mapped.world.move(*state.split())
        mapped.world.desk.now += timedelta(days=90)
        assert await mapped.ask("sanne") == [name_of(root_of("sanne"))]

    @pytest.mark.parametrize(
        ("school", "supplier"),
        [("nobody", "rekenrijk"), ("regenboog", "rekenrijk"), ("vuurvogel", "taaltuin")],
    )
    async def test_nobody_else(self, mapped: Mapped, school: str, supplier: str) -> None:
        await mapped.login("sanne", school=REGENBOOG)
        with pytest.raises(NotSignedFor):
            await mapped.ask("sanne", school=SchoolId(school), supplier=SupplierId(supplier))
        assert mapped.world.store.asked == {}

    async def test_not_before_it_begins(self, mapped: Mapped) -> None:
        mapped.world.move("none")
        with pytest.raises(MappingNotOpen):
            await mapped.ask("sanne")

    async def test_never_after_the_last_day(self, mapped: Mapped) -> None:
        await mapped.login("sanne")
        mapped.world.desk.now += timedelta(days=91)
        with pytest.raises(TakeoverEnded):
            await mapped.ask("sanne")
        assert mapped.world.store.asked == {}

    @pytest.mark.parametrize("days", [90, 91])
    async def test_a_list_that_was_begun_on_the_last_day(self, mapped: Mapped, days: int) -> None:
        """And is answered when that day is over: with nothing."""
        await mapped.login("sanne")
        begun = mapped.world.desk.now + timedelta(days=90)
        mapped.world.desk.now = begun

        def day_goes_by(_done: int) -> None:
            mapped.world.desk.now = begun + timedelta(days=days - 90)

        asking = mapped.mapping.answer(
            [an_eck_id("sanne")],
            school=VUURVOGEL,
            supplier=REKENRIJK,
            registry=mapped.world.registry,
            progress=day_goes_by,
        )
        if days == 90:
            assert [told for _, told in await asking] == [name_of(root_of("sanne"))]
            return
        with pytest.raises(TakeoverEnded):
            await asking

    @pytest.mark.parametrize(
        ("party", "changes", "refusal"),
        [
            ("rekenrijk", {"eck_id_entitled": False}, NotEntitled),
            ("rekenrijk", {"enabled": False}, NotSignedFor),
            ("vuurvogel", {"enabled": False}, NotSignedFor),
            ("vuurvogel/rekenrijk", {"last_day": TODAY - timedelta(days=1)}, EckIdNotApproved),
        ],
    )
    async def test_not_when_somebody_is_switched_off(
        self, mapped: Mapped, party: str, changes: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        records = mapped.world.records
        records[party] = replace(records[party], **changes)
        with pytest.raises(refusal):
            await mapped.ask("sanne")

    async def test_not_without_agreement(self, mapped: Mapped) -> None:
        mapped.world.records["vuurvogel/rekenrijk"] = None
        with pytest.raises(EckIdNotApproved):
            await mapped.ask("sanne")

    def test_every_check_is_refused_above(self) -> None:
        assert [each.__name__ for each in CHECKS] == [
            "check_parties_open",
            "check_not_ended",
            "check_begun",
            "check_entitled",
            "check_agreement",
        ]


class TestCountingLines:
    """What one operator learns who prepares: how many lines there are."""

    async def test_nothing_is_looked_up_or_taken_of_the_quota(self, mapped: Mapped) -> None:
        mapped.register.down = mapped.lists.down = True
        counted = mapped.mapping.count(
            [an_eck_id("sanne"), "", an_eck_id("x")],
            school=VUURVOGEL,
            supplier=REKENRIJK,
            registry=mapped.world.registry,
        )
        assert (counted, mapped.world.store.asked) == (2, {})

    async def test_who_may_not_ask_may_not_count(self, mapped: Mapped) -> None:
        mapped.world.records["vuurvogel/rekenrijk"] = None
        with pytest.raises(EckIdNotApproved):
            mapped.mapping.count(
                [an_eck_id("sanne")],
                school=VUURVOGEL,
                supplier=REKENRIJK,
                registry=mapped.world.registry,
            )


class TestQuota:
    async def test_what_exceeds_it_is_refused_whole(self, mapped: Mapped) -> None:
        await mapped.world.sign(quota=3)
        await mapped.login("sanne")
        assert await mapped.ask("sanne", "x") == [name_of(root_of("sanne")), None]
        with pytest.raises(AskedTooMuch):
            await mapped.ask("sanne", "x")
        assert await mapped.ask("sanne") == [name_of(root_of("sanne"))]
        with pytest.raises(AskedTooMuch):
            await mapped.ask("sanne")

    async def test_the_school_s_bound_counts_for_all_its_take_overs(self, mapped: Mapped) -> None:
        mapped.asked_per_school = 1
        assert await mapped.ask("x") == [None]
        with pytest.raises(AskedTooMuch):
            await mapped.ask("y")

    @pytest.mark.parametrize(
        ("stated", "told"),
        [
            ([an_eck_id("a"), an_eck_id("a")], "line 2 is that of line 1 again"),
            ([an_eck_id("a"), an_eck_id("A")[:-1]], "line 2 is malformed"),
            (["1100417"], "line 1 is malformed"),
            (["", " "], "it is empty"),
        ],
    )
    async def test_a_list_that_cannot_be_used_costs_nothing(
        self, mapped: Mapped, stated: list[str], told: str
    ) -> None:
        with pytest.raises(ListUnusable) as refused:
            await mapped.mapping.answer(
                stated, school=VUURVOGEL, supplier=REKENRIJK, registry=mapped.world.registry
            )
        assert refused.value.subject == told
        assert mapped.world.store.asked == {}


class TestWhoIsAnswered:
    async def test_others_and_unknown_ones_all_the_same(self, mapped: Mapped) -> None:
        """Of another school, listed but of another school, unknown: one answer."""
        await mapped.login("elsewhere", school=REGENBOOG)
        await mapped.login("listed-elsewhere", school=REGENBOOG)
        await mapped.sign_list("listed-elsewhere")
        rows = dict(mapped.register.rows)
        assert await mapped.ask("elsewhere", "listed-elsewhere", "unknown") == [None] * 3
        assert mapped.register.rows == rows

    async def test_whoever_is_asked_about_costs_the_same(
        self, mapped: Mapped, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Unknown, of another school, waiting and answered: counted in look-ups and derivations."""
        await mapped.login("elsewhere", school=REGENBOOG)
        await mapped.login("waiting")
        await change_here(mapped, "waiting", held_since=TODAY)
        await mapped.login("ours")
        await mapped.ask("ours")  # the first answer about somebody is written down
        counted: list[str] = []

        def counting(name: str, real: Any) -> Any:
            def call(*args: Any, **named: Any) -> Any:
                counted.append(name)
                return real(*args, **named)

            return call

        for holder, name in (
            (takeover_mapping, "derive_pseudonym"),
            (takeover_mapping, "look_up"),
            (MemoryLists, "find"),
            (MemoryRegister, "find"),
            (MemoryRegister, "apply"),
        ):
            monkeypatch.setattr(holder, name, counting(name, getattr(holder, name)))
        costs = []
        for each in ("unknown", "elsewhere", "waiting", "ours"):
            counted.clear()
            answered = await mapped.ask(each)
            assert (answered != [None]) is (each == "ours")
            costs.append(sorted(counted))
        assert costs == [["derive_pseudonym", "find", "find", "look_up"]] * 4

    async def test_one_school_s_list_is_not_another_s(self, mapped: Mapped) -> None:
        await mapped.sign_list("new", school=REGENBOOG)
        assert await mapped.ask("new") == [None]

    async def test_who_waits_to_be_confirmed_is_not_answered(self, mapped: Mapped) -> None:
        await mapped.login("sanne", school=REGENBOOG)
        await mapped.login("sanne")
        await change_here(mapped, "sanne", held_since=TODAY)
        assert await mapped.ask("sanne") == [None]
        await change_here(mapped, "sanne", held_since=TODAY, confirmed=True)
        assert await mapped.ask("sanne") == [name_of(root_of("sanne"))]

    async def test_a_joined_account_is_the_one_that_is_answered(self, mapped: Mapped) -> None:
        before = await mapped.login(local="1")
        joined = await mapped.login("sanne", "1")
        assert joined.root == before.root == local_of("1")
        assert await mapped.ask("sanne") == [name_of(local_of("1"))]

    async def test_nothing_is_learned_about_another_supplier(self, mapped: Mapped) -> None:
        await mapped.login("sanne")
        (answered,) = await mapped.ask("sanne")
        assert answered != name_of(root_of("sanne"), SupplierId("taaltuin"))

    async def test_the_answer_is_noted_with_the_person(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        await mapped.ask("new")
        root = root_of("new")
        record = (await find_records((root,), register=mapped.register, keys=KEYS))[root]
        assert record.suppliers.keys() == {REKENRIJK}
        rows = dict(mapped.register.rows)
        await mapped.ask("new")
        assert mapped.register.rows == rows

    async def test_many_at_once(self, mapped: Mapped) -> None:
        mapped.asked_per_school = 1000
        names = [f"pupil {each}" for each in range(450)]
        await mapped.sign_list(*names[::2])
        done: list[int] = []
        answers = await mapped.mapping.answer(
            [an_eck_id(each) for each in names],
            school=VUURVOGEL,
            supplier=REKENRIJK,
            registry=mapped.world.registry,
            progress=done.append,
        )
        assert done == [200, 200, 50]
        expected = [
            name_of(root_of(each)) if index % 2 == 0 else None for index, each in enumerate(names)
        ]
        assert [pseudonym for _, pseudonym in answers] == expected


async def change_here(mapped: Mapped, name: str, **changes: Any) -> None:
    presented = Presented(Population.PUPIL, eck_id=root_of(name), local=None)
    found = await look_up(presented, register=mapped.register, keys=KEYS)
    record = found.records.eck_id
    assert record is not None
    here = replace(record.seen[VUURVOGEL], **changes)
    changed = replace(record, seen={**record.seen, VUURVOGEL: here})
    assert await store_changes(
        [Change(root_of(name), changed)],
        found.rows,
        register=mapped.register,
        keys=KEYS,
        random=mapped.random,
    )

    async def test_not_who_was_erased_with_an_account_that_others_may_have_had(
        self, mapped: Mapped
    ) -> None:
        """A login has to make a fresh account first."""
        await mapped.sign_list("sanne", "daan")
        mapped.register.rows[derive_tag(KEYS, root_of("sanne"))] = CLOSED_ROW
        assert await mapped.ask("sanne", "daan") == [None, name_of(root_of("daan"))]
        opened = await mapped.login("sanne")
        assert opened.root != root_of("sanne")
        assert await mapped.ask("sanne") == [name_of(opened.root)]


class TestPromises:
    """A pupil of whom nobody stated anything yet, and the school's own number meanwhile."""

    async def test_the_first_login_opens_what_was_answered(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        (answered,) = await mapped.ask("new")
        arrived = await mapped.login("new", "7")
        assert name_of(arrived.root) == answered
        assert PersonEvent.FIRST_SEEN in arrived.events
        assert (await mapped.login("new")).root == (await mapped.login(local="7")).root
        assert await mapped.ask("new") == [answered]

    async def test_a_number_that_has_an_account_is_bound_to_it(self, mapped: Mapped) -> None:
        """Without the promise the ECK iD would open the number's account (rule 9)."""
        before = await mapped.login(local="7")
        await mapped.sign_list("new")
        (answered,) = await mapped.ask("new")
        arrived = await mapped.login("new", "7")
        assert name_of(arrived.root) == answered != name_of(before.root)
        assert PersonEvent.ACCOUNTS_JOINED in arrived.events
        assert (await mapped.login(local="7")).root == arrived.root
        record = (await find_records((root_of("new"),), register=mapped.register, keys=KEYS))[
            root_of("new")
        ]
        assert [each.root for each in record.former] == [before.root]

    async def test_a_number_that_comes_after_the_answer_as_well(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        (answered,) = await mapped.ask("new")
        await mapped.login(local="7")
        assert name_of((await mapped.login("new", "7")).root) == answered

    async def test_at_another_school_it_says_nothing(self, mapped: Mapped) -> None:
        """Who lists all ECK iDs that they know moves nobody's account elsewhere."""
        before = await mapped.login(local="9", school=REGENBOOG)
        await mapped.sign_list("theirs")
        (answered,) = await mapped.ask("theirs")
        arrived = await mapped.login("theirs", "9", school=REGENBOOG)
        assert arrived.root == before.root
        assert PersonEvent.JOINED_HERE in arrived.events
        assert await mapped.ask("theirs") == [None]
        # And if the pupil ever comes here, the promise is kept.
        for day in range(1, 40):
            await mapped.login("theirs", "9", school=REGENBOOG, days=day)
        here = await mapped.login("theirs", days=41)
        assert name_of(here.root) == answered
        assert (await mapped.login("theirs", days=42)).root == here.root
        there = await mapped.login("theirs", school=REGENBOOG, days=42)
        assert there.root == before.root

    async def test_without_a_promise_a_mature_join_goes_along(self, mapped: Mapped) -> None:
        before = await mapped.login(local="9", school=REGENBOOG)
        for day in range(40):
            await mapped.login("theirs", "9", school=REGENBOOG, days=day)
        assert (await mapped.login("theirs", days=41)).root == before.root

    async def test_a_promise_at_another_school_leaves_a_third_one_alone(
        self, mapped: Mapped
    ) -> None:
        await mapped.sign_list("new")
        await mapped.ask("new")
        await mapped.login("new", school=REGENBOOG)
        arrived = await mapped.login("new", school=SchoolId("kompas"))
        assert arrived.root == root_of("new")

    async def test_a_login_that_comes_in_between_is_asked(self, mapped: Mapped) -> None:
        """The row is written or the answer is not given: the join was first, so it counts."""
        await mapped.login(local="7")
        await mapped.sign_list("new")

        async def log_in() -> object:
            return await mapped.login("new", "7")

        mapped.register.overtaken_by = log_in
        assert await mapped.ask("new") == [name_of(local_of("7"))]

    async def test_an_answer_that_comes_in_between_counts(self, mapped: Mapped) -> None:
        await mapped.login(local="7")
        await mapped.sign_list("new")
        answers: list[str | None] = []

        async def ask() -> object:
            answers.extend(await mapped.ask("new"))
            return answers

        mapped.register.overtaken_by = ask
        arrived = await mapped.login("new", "7")
        assert answers == [name_of(arrived.root)] == [name_of(root_of("new"))]


class TestFaults:
    async def test_a_register_that_is_down_answers_nothing(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        mapped.register.down = True
        with pytest.raises(RegisterUnavailable):
            await mapped.ask("new")

    async def test_lists_that_are_down_answer_nothing(self, mapped: Mapped) -> None:
        mapped.lists.down = True
        with pytest.raises(TakeoversUnavailable):
            await mapped.ask("new")

    async def test_a_register_that_never_converges_is_told(self, mapped: Mapped) -> None:
        await mapped.sign_list("new")
        never = NeverMine(mapped.register)
        mapped.register = never
        with pytest.raises(RegisterUnavailable) as refused:
            await mapped.ask("new")
        assert refused.value.check == "check_register_converges"
        assert never.tried == MAX_ATTEMPTS


class NeverMine(MemoryRegister):
    """A register in which somebody else is always first."""

    def __init__(self, inner: MemoryRegister) -> None:
        super().__init__()
        self.rows = inner.rows
        self.tried = 0

    async def apply(self, writes: Any, counts: Any = ()) -> bool:
        self.tried += 1
        return False
