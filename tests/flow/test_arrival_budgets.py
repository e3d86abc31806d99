"""How many pupils of other schools may come: within, above, at both sides, and for all workers."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from broker.demo.people import made_up_eck_id
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import (
    SMALLEST_BUDGET,
    WAITS_A_DAY,
    WAITS_FACTOR,
    ArrivalBudget,
    ArrivalRules,
    ArrivalsSpent,
    ArrivalWaits,
    budget_of,
)
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Change, PersonEvent, Presented
from broker.flow.persons.person_rows import find_records, store_changes
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import RegisterKeys, derive_register_keys, derive_tag
from broker.flow.persons.school_counts import CountKind, year_day
from broker.pseudonyms.derivation import PersonRoot, parse_eckid, root_from_eckid
from tests.flow.login_answers import Browser, read_at_school, refused
from tests.flow.login_parties import REKENRIJK
from tests.flow.login_world import NOOR, SANNE, SANNE_ELSEWHERE, LoginWorld
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, REGENBOOG, VUURVOGEL, a_root

KEYS = derive_register_keys(bytes(range(32)))


async def login(
    register: MemoryRegister,
    eck_id: str | None,
    local: str | None = None,
    *,
    school: SchoolId = REGENBOOG,
    budget: ArrivalBudget = SMALLEST_BUDGET,
    today: date = FIRST_DAY,
    population: Population = Population.PUPIL,
) -> KnownPerson:
    return await identify_person(
        Presented(
            population,
            eck_id=None if eck_id is None else a_root(f"E:{eck_id}"),
            local=None if local is None else a_root(f"L:{school}:{local}"),
        ),
        register=register,
        keys=KEYS,
        school=school,
        eck_id_required=False,
        today=today,
        random=bytes,
        rules=JoinRules(),
        budget=budget,
        visit=Visit("rekenrijk", "a"),  # type: ignore[arg-type]
    )


async def known_at_vuurvogel(register: MemoryRegister, count: int) -> list[str]:
    pupils = [f"pupil {each}" for each in range(count)]
    for each in pupils:
        await login(register, each, school=VUURVOGEL)
    return pupils


async def protect(register: MemoryRegister, root: PersonRoot, *, keys: RegisterKeys = KEYS) -> None:
    record = (await find_records((root,), register=register, keys=keys))[root]
    assert await store_changes(
        [Change(root, replace(record, protected=True))],
        {root: register.rows[derive_tag(keys, root)]},
        register=register,
        keys=keys,
        random=bytes,
    )


def count(register: MemoryRegister, kind: CountKind, school: SchoolId = REGENBOOG) -> int:
    day = year_day(FIRST_DAY) if kind is CountKind.PUPILS else FIRST_DAY
    return register.counts.get((school, day, kind), 0)


async def test_within_the_budget_pupils_come_and_above_it_the_newcomer_alone_waits() -> None:
    register = MemoryRegister()
    pupils = await known_at_vuurvogel(register, 7)
    for each in pupils[:5]:
        await login(register, each, "n" + each)
    rows = dict(register.rows)
    with pytest.raises(ArrivalsSpent) as spent:
        await login(register, pupils[5])
    assert (spent.value.code, spent.value.whose_task) == ("E-PERSON-4", "school")
    assert spent.value.schools_of_before == {VUURVOGEL}
    assert register.rows == rows, "nothing of who waits is stored"
    await login(register, pupils[0])
    await login(register, "new everywhere")
    await login(register, None, "own number")
    await login(register, pupils[5], school=VUURVOGEL)
    assert count(register, CountKind.ARRIVED) == 5
    assert count(register, CountKind.LEFT, VUURVOGEL) == 5
    assert count(register, CountKind.PUPILS) == 7
    await login(register, pupils[5], today=date(2026, 9, 8))


async def test_known_pupil_counts_nothing_again() -> None:
    register = MemoryRegister()
    await login(register, "a", "1")
    before = dict(register.counts)
    written = register.written
    await login(register, "a", "1")
    assert (register.counts, register.written) == (before, written)
    await login(register, "a", "1", today=date(2027, 9, 1))
    assert register.counts[REGENBOOG, date(2027, 8, 1), CountKind.PUPILS] == 1


async def test_nor_when_a_clock_was_a_year_ahead_and_was_set_right() -> None:
    register = MemoryRegister()
    await login(register, "a", "1", today=date(2027, 8, 1))
    before = dict(register.counts)
    for _ in range(3):
        await login(register, "a", "1")
    assert register.counts == before


async def test_number_that_came_before_spares_no_budget() -> None:
    register = MemoryRegister()
    [pupil] = await known_at_vuurvogel(register, 1)
    await login(register, None, "1")
    with pytest.raises(ArrivalsSpent):
        await login(register, pupil, "1", budget=ArrivalBudget(a_day=0, in_all=None))
    await login(register, pupil, "1", budget=ArrivalBudget(a_day=1, in_all=1))
    assert count(register, CountKind.PUPILS) == 1


async def test_in_all_a_school_takes_no_more_than_its_size_allows() -> None:
    register = MemoryRegister()
    pupils = await known_at_vuurvogel(register, 2)
    small = ArrivalBudget(a_day=100, in_all=3)
    await login(register, "own 1", budget=small)
    await login(register, "own 2", budget=small)
    await login(register, pupils[0], budget=small)
    with pytest.raises(ArrivalsSpent):
        await login(register, pupils[1], budget=small)
    await login(register, "own 3", budget=small)


FIRST_THREE = ArrivalBudget(a_day=5, in_all=None, first_in_all=3)


async def test_pupils_whom_nobody_stated_have_a_budget_of_their_own() -> None:
    register = MemoryRegister()
    for each in ("a", "b", "c"):
        await login(register, each, "n" + each, budget=FIRST_THREE)
    rows = dict(register.rows)
    tomorrow = FIRST_DAY + timedelta(days=1)
    for day in (FIRST_DAY, tomorrow):
        with pytest.raises(ArrivalsSpent) as spent:
            await login(register, "d", "nd", budget=FIRST_THREE, today=day)
        assert spent.value.schools_of_before == frozenset()
    assert register.rows == rows, "nothing of who waits is stored"
    await login(register, "a", "na", budget=FIRST_THREE)
    await login(register, None, "only a number", budget=FIRST_THREE)
    await login(register, "known", school=VUURVOGEL)
    await login(register, "known", budget=FIRST_THREE)
    await login(register, "d", budget=FIRST_THREE, today=date(2027, 9, 1))


FEBRUARY = date(2027, 2, 1)
"""A Monday outside the season."""


@pytest.mark.parametrize(("everybody", "pupils"), [(900, None), (1200, 1200)])
async def test_school_that_joins_in_february_logs_in_everybody_on_one_morning(
    everybody: int, pupils: int | None
) -> None:
    register = MemoryRegister()
    budget = budget_of(pupils, rules=ArrivalRules(), today=FEBRUARY)
    for each in range(everybody):
        await login(register, f"{each}", f"n{each}", budget=budget, today=FEBRUARY)
    assert register.counts[REGENBOOG, FEBRUARY, CountKind.FIRST] == everybody


async def test_school_that_makes_up_pupils_is_stopped_at_what_it_can_have() -> None:
    register = MemoryRegister()
    today, let_in = FEBRUARY, 0
    for each in range(200):  # by the day, by the week: patience gives it no more
        today += timedelta(days=each % 2)
        budget = budget_of(100, rules=ArrivalRules(), today=today)
        try:
            await login(register, f"{each}", budget=budget, today=today)
        except ArrivalsSpent:
            continue
        let_in += 1
    assert let_in == 115
    honest = budget_of(400, rules=ArrivalRules(), today=today)
    await login(register, "150", budget=honest, school=VUURVOGEL, today=today)


async def test_by_the_day_many_tries_tell_little_of_who_is_known_elsewhere() -> None:
    """However wide the bound in all: of no more ECK iDs than may come and may wait."""
    register = MemoryRegister()
    tried = [f"learnt {each}" for each in range(300)]
    for each in tried[::2]:
        await login(register, each, school=VUURVOGEL)
    budget = budget_of(None, rules=ArrivalRules(), today=FIRST_DAY)
    for each in tried:
        try:
            await login(register, each, budget=budget)
        except ArrivalsSpent:
            key = (REGENBOOG, FIRST_DAY, CountKind.WAITED)
            register.counts[key] = register.counts.get(key, 0) + 1
    came = count(register, CountKind.ARRIVED)
    assert came == budget.a_day
    unknown = register.counts[REGENBOOG, FIRST_DAY, CountKind.FIRST]
    assert unknown <= came + max(WAITS_A_DAY, WAITS_FACTOR * budget.a_day) + 1


async def test_above_it_whom_the_school_knows_goes_on_by_the_number() -> None:
    register = MemoryRegister()
    by_number = (await login(register, None, "1")).root
    bound = (await login(register, "b", "2")).root
    none = ArrivalBudget(a_day=5, in_all=None, first_in_all=0)
    person = await login(register, "a", "1", budget=none)
    assert person.root == by_number
    assert person.events == (PersonEvent.ECK_ID_PUT_OFF,)
    with pytest.raises(ArrivalsSpent):  # issued anew: the number leads to somebody else
        await login(register, "a", "2", budget=none)
    assert (await login(register, None, "2")).root == bound
    assert PersonEvent.JOINED_HERE in (await login(register, "a", "1")).events


async def test_once_many_wait_nobody_new_comes_in_that_day() -> None:
    """A school that lies would learn of each ECK iD whether it is known elsewhere."""
    register = MemoryRegister()
    [known] = await known_at_vuurvogel(register, 1)
    spent = ArrivalBudget(a_day=0, in_all=None)
    for each in range(31):
        await login(register, f"new {each}", budget=spent)
        with pytest.raises(ArrivalsSpent):
            await login(register, known, budget=spent)
        key = (REGENBOOG, FIRST_DAY, CountKind.WAITED)
        register.counts[key] = register.counts.get(key, 0) + 1
    with pytest.raises(ArrivalsSpent):
        await login(register, "new", budget=spent)
    await login(register, "new 0", budget=spent)
    await login(register, "new", budget=spent, today=FIRST_DAY + timedelta(days=1))


@pytest.mark.parametrize("today", [date(2026, 8, 31), FEBRUARY])
def test_no_day_is_too_short_for_everybody(today: date) -> None:
    rules = ArrivalRules()
    for pupils in (1, 20, 400, 3000, 30_000):
        assert budget_of(pupils, rules=rules, today=today).first_in_all >= pupils
    assert budget_of(400, rules=rules, today=today).first_in_all == 460
    assert budget_of(20, rules=rules, today=today).first_in_all == 30
    assert budget_of(None, rules=rules, today=today).first_in_all == 50_000


async def test_whole_login_whose_eck_id_is_put_off_is_told() -> None:
    world = LoginWorld()
    await world.log_in(REKENRIJK, SANNE, stated={"eckId": ()})
    today = day_of(world.now)
    world.register.counts[VUURVOGEL, year_day(today), CountKind.FIRST_IN_YEAR] = 50_000
    assert (await world.log_in(REKENRIJK, SANNE)).subject
    assert "eck-id-put-off" in world.audit.actions()
    assert ("arrivals-over-budget", VUURVOGEL) in [
        (each.action, each.school) for each in world.audit.events
    ]


async def test_two_workers_never_overspend() -> None:
    register = MemoryRegister()
    pupils = await known_at_vuurvogel(register, 2)

    async def other_worker() -> None:
        await login(register, pupils[1], budget=ArrivalBudget(a_day=1, in_all=None))

    register.overtaken_by = other_worker
    with pytest.raises(ArrivalsSpent):
        await login(register, pupils[0], budget=ArrivalBudget(a_day=1, in_all=None))
    assert count(register, CountKind.ARRIVED) == 1


async def test_staff_count_for_nothing() -> None:
    register = MemoryRegister()
    await login(register, None, "els", population=Population.STAFF)
    assert register.counts == {}


async def test_protected_pupil_waits_spends_nothing_and_no_supplier_is_noted() -> None:
    register = MemoryRegister()
    [pupil] = await known_at_vuurvogel(register, 1)
    root = a_root(f"E:{pupil}")
    await protect(register, root)
    for _ in range(2):
        with pytest.raises(ArrivalWaits) as waits:
            await login(register, pupil, "1")
        assert (waits.value.code, waits.value.may_retry) == ("E-PERSON-5", True)
    assert count(register, CountKind.ARRIVED) == 0
    assert (await login(register, pupil, school=VUURVOGEL)).root == root


def test_budget_follows_size_and_season() -> None:
    rules = ArrivalRules()
    november, september = date(2026, 11, 3), date(2026, 9, 3)
    assert budget_of(None, rules=rules, today=november) == SMALLEST_BUDGET
    assert budget_of(100, rules=rules, today=november).a_day == 5
    assert budget_of(1000, rules=rules, today=november).a_day == 20
    assert budget_of(1000, rules=rules, today=september).a_day == 60
    assert budget_of(1000, rules=rules, today=september).in_all == 1150


async def test_whole_login_above_the_budget_ends_on_a_page_and_alarms_both_sides_once() -> None:
    world = LoginWorld()
    await world.log_in(REKENRIJK, SANNE)
    today = day_of(world.now)
    world.register.counts[REGENBOOG, today, CountKind.ARRIVED] = 100
    for _ in range(2):
        page = refused(await world.arrive(Browser(), SANNE_ELSEWHERE))
        assert page.refusal.code == "E-PERSON-4"
    events = [(each.action, each.school) for each in world.audit.events]
    assert events.count(("arrivals-over-budget", REGENBOOG)) == 1
    assert events.count(("pupils-stated-elsewhere", VUURVOGEL)) == 1
    assert world.register.counts[REGENBOOG, today, CountKind.WAITED] == 1, "once a pupil"
    assert (await world.log_in(REKENRIJK, SANNE)).subject
    world.wait(days=1)
    assert (await world.log_in(REKENRIJK, SANNE_ELSEWHERE)).subject


async def test_who_waits_and_presses_again_keeps_nobody_out() -> None:
    world = LoginWorld()
    await world.log_in(REKENRIJK, SANNE)
    today = day_of(world.now)
    world.register.counts[REGENBOOG, today, CountKind.ARRIVED] = 100
    for _ in range(WAITS_A_DAY + 1):
        assert refused(await world.arrive(Browser(), SANNE_ELSEWHERE)).refusal.code == "E-PERSON-4"
    new = {"eckId": (made_up_eck_id("new everywhere"),)}
    assert (await world.log_in(REKENRIJK, SANNE_ELSEWHERE, stated=new)).subject
    world.wait(days=1)
    world.register.counts[REGENBOOG, day_of(world.now), CountKind.ARRIVED] = 100
    refused(await world.arrive(Browser(), SANNE_ELSEWHERE))
    assert world.register.counts[REGENBOOG, day_of(world.now), CountKind.WAITED] == 1


async def test_each_school_is_told_of_once_a_day_whoever_waits() -> None:
    world = LoginWorld()
    other = {"eckId": (made_up_eck_id("also of vuurvogel"),)}
    for stated in ({}, other):
        await world.log_in(REKENRIJK, SANNE, stated=stated)
    today = day_of(world.now)
    world.register.counts[REGENBOOG, today, CountKind.ARRIVED] = 100
    for stated in ({}, other):
        refused(await world.arrive(Browser(), SANNE_ELSEWHERE, stated=stated))
    assert world.register.counts[REGENBOOG, today, CountKind.WAITED] == 2
    actions = world.audit.actions()
    assert actions.count("arrivals-over-budget") == actions.count("pupils-stated-elsewhere") == 1


async def test_who_could_not_be_counted_is_counted_the_next_time() -> None:
    world = LoginWorld()
    await world.log_in(REKENRIJK, SANNE)
    today = day_of(world.now)
    world.register.counts[REGENBOOG, today, CountKind.ARRIVED] = 100

    async def break_down() -> None:
        world.register.down = True

    world.register.overtaken_by = break_down
    assert refused(await world.arrive(Browser(), SANNE_ELSEWHERE)).refusal.code != "E-PERSON-4"
    world.register.down = False
    assert refused(await world.arrive(Browser(), SANNE_ELSEWHERE)).refusal.code == "E-PERSON-4"
    assert world.register.counts[REGENBOOG, today, CountKind.WAITED] == 1


async def test_whole_login_of_a_protected_pupil_is_confirmed_from_the_page_that_says_so() -> None:
    world = LoginWorld()
    subject = (await world.log_in(REKENRIJK, SANNE)).subject
    eck_id = parse_eckid(SANNE.attributes["eckId"][0])
    await protect(
        world.register,
        root_from_eckid(eck_id, key=world.keys.root),
        keys=world.keys.register,
    )
    browser = Browser()
    page = refused(await world.arrive(browser, SANNE_ELSEWHERE))
    assert (page.refusal.code, page.retry_school) == ("E-PERSON-5", "")
    assert (await world.log_in(REKENRIJK, SANNE)).subject == subject
    assert refused(await world.arrive(Browser(), SANNE_ELSEWHERE)).refusal.code == "E-PERSON-5"

    assert page.retry is not None
    chosen = await world.choose(browser, page.retry.name, SANNE.school.id)
    await world.come_back(browser, read_at_school(chosen), SANNE)
    assert "arrival-confirmed" in world.audit.actions()
    assert (await world.log_in(REKENRIJK, SANNE_ELSEWHERE)).subject == subject


async def test_oidc_school_s_login_confirms_as_well() -> None:
    world = LoginWorld()
    eck_id = root_from_eckid(parse_eckid(NOOR.attributes["eckId"][0]), key=world.keys.root)
    await world.log_in(REKENRIJK, NOOR)
    await protect(world.register, eck_id, keys=world.keys.register)
    browser = Browser()
    stated = {"eckId": NOOR.attributes["eckId"]}
    page = refused(await world.arrive(browser, SANNE, stated=stated))
    assert page.retry is not None
    chosen = await world.choose(browser, page.retry.name, NOOR.school.id)
    await world.come_back(browser, read_at_school(chosen), NOOR)
    assert "arrival-confirmed" in world.audit.actions()
