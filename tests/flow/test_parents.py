"""Letters to parents: made once, opened by their code alone, and what trying tells."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import pytest

from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.console.console_audit import ConsoleEntry
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.me.me_refusals import MeClosed
from broker.flow.parents.letter_desk import LetterDesk
from broker.flow.parents.letters import (
    MAX_PUPILS,
    LettersMade,
    LettersMadeAlready,
    LettersNotPossible,
    LetterStanding,
    LetterWish,
    ListedPupil,
    standing_of,
)
from broker.flow.parents.parent_codes import (
    CodeNotOpen,
    NewLetter,
    ParentCode,
    TooManyCodes,
    make_code,
    parse_code,
)
from broker.flow.persons.persons import present_roots
from broker.flow.refusals import StoreUnavailable
from tests.flow.login_parties import BIOSFEER_OIDC, REKENRIJK
from tests.flow.login_world import DAAN, SANNE, LoginWorld
from tests.flow.me_desk import MeDesk
from tests.flow.memory_letters import MemoryLetters

NUMBER = SANNE.attributes["employeeNumber"][0]
OTHER = DAAN.attributes["employeeNumber"][0]
SCHOOL = "vuurvogel"


class WrittenAudit:
    """`ConsoleAudit` over a list."""

    def __init__(self) -> None:
        self.entries: list[ConsoleEntry] = []

    async def record(self, *entries: ConsoleEntry) -> None:
        self.entries += entries


def an_actor(place: str = SCHOOL, role: Role = Role.SCHOOL_ADMIN) -> Actor:
    held = (HeldRole(role, PlaceKind.SCHOOL, place),)
    world = LoginWorld()
    return Actor(ConsoleUserId("a" * 32), ActorKind.PERSON, held, world.now)


class School:
    """A school that makes letters, and the parents who get them."""

    def __init__(self, letters: MemoryLetters | None = None) -> None:
        self.letters = letters or MemoryLetters()
        self.desk = MeDesk(letters=self.letters)
        self.audit = WrittenAudit()
        self.forms = 0

    @property
    def letter_desk(self) -> LetterDesk:
        world = self.desk.world
        return LetterDesk(
            snapshots=world.snapshots,
            state=world.state,
            book=self.letters,
            keys=world.keys,
            audit=self.audit,  # type: ignore[arg-type]
            clock=world.clock,
            random=world.random,
        )

    @property
    def today(self) -> date:
        return self.desk.world.now.date()

    def wish(self, *numbers: str, **changes: object) -> LetterWish:
        self.forms += 1
        fields: dict[str, object] = {
            "pupils": tuple(map(ListedPupil, numbers or (NUMBER,))),
            "households": 1,
            "last_day": self.today + timedelta(days=100),
            "once": True,
            "form": f"form-{self.forms}",
        }
        return LetterWish(**{**fields, **changes})  # type: ignore[arg-type]

    async def make(self, *numbers: str, **changes: object) -> LettersMade:
        return await self.letter_desk.make(an_actor(), SCHOOL, self.wish(*numbers, **changes))

    async def code(self, **changes: object) -> str:
        (letter,) = (await self.make(**changes)).letters
        return " ".join(letter.code.groups)

    async def look(self, code: str) -> list[str]:
        """Get in by a code, and return the suppliers that a parent sees."""
        visits = self.desk.visits
        opened = await visits.open(await self.desk.parents.enter(code))
        visit = await visits.find(opened.handle.text)
        return [each.supplier for each in (await visits.show(visit, unverified_year="")).shares]


@pytest.fixture
def school() -> School:
    return School()


async def test_parent_sees_what_went_through_this_school_alone(school: School) -> None:
    await school.desk.world.log_in(REKENRIJK)
    assert await school.look(await school.code()) == ["rekenrijk"]


async def test_letter_about_a_pupil_who_was_never_seen_shows_nothing(school: School) -> None:
    assert await school.look(await school.code()) == []


@pytest.mark.parametrize("written", ["upper", "dashes", "run together"])
async def test_code_may_be_typed_in_many_ways(school: School, written: str) -> None:
    code = await school.code()
    typed = {
        "upper": code.upper(),
        "dashes": code.replace(" ", "-") + ".",
        "run together": code.replace(" ", ""),
    }
    assert await school.look(typed[written]) == []


@pytest.mark.parametrize("code", ["", "bad", "bad " * 9 + "b", "aaa " * 9, "\u0131" * 27, "1" * 27])
async def test_what_is_no_code_opens_nothing(school: School, code: str) -> None:
    with pytest.raises(CodeNotOpen):
        await school.desk.parents.enter(code)
    assert await school.look(await school.code()) == []


async def test_part_of_a_code_opens_nothing_and_wrong_ones_are_answered_alike(
    school: School,
) -> None:
    code = parse_code(await school.code())
    wrong_rest = code.finding + "bad" * 6
    unknown = "fag" * 3 + "bad" * 6
    answers = set()
    for tried in (wrong_rest, unknown):
        with pytest.raises(CodeNotOpen) as refused:
            await school.desk.parents.enter(tried)
        answers.add((refused.value.code, refused.value.what, refused.value.http_status))
    assert len(answers) == 1
    assert await school.look(code.letters) == []


async def test_tries_are_bounded_over_all_workers(school: School) -> None:
    code = parse_code(await school.code())
    wrong = code.finding + "bad" * 6
    workers = [school.desk.parents, school.desk.parents]
    for index in range(10):
        with pytest.raises(CodeNotOpen):
            await workers[index % 2].enter(wrong)
    for tried in (wrong, code.letters):
        with pytest.raises(TooManyCodes):
            await workers[1].enter(tried)
    school.desk.world.wait(hours=1)
    assert await school.look(code.letters) == []


async def test_many_at_once_never_get_more_tries(school: School) -> None:
    code = parse_code(await school.code())
    wrong = code.finding + "bad" * 6
    tries = [school.desk.parents.enter(wrong) for _ in range(25)]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, CodeNotOpen) for each in told) == 10
    assert sum(isinstance(each, TooManyCodes) for each in told) == 15


async def test_letter_opens_once(school: School) -> None:
    code = await school.code()
    assert await school.look(code) == []
    with pytest.raises(CodeNotOpen):
        await school.look(code)


async def test_letter_that_the_school_lets_open_often_does_three_times_a_day(
    school: School,
) -> None:
    code = await school.code(once=False)
    for _ in range(3):
        await school.look(code)
    with pytest.raises(CodeNotOpen):
        await school.look(code)
    school.desk.wait_days(1)
    await school.look(code)
    (letter,) = school.letters.rows.values()
    assert (letter.uses, letter.used_on) == (4, school.today)


async def test_letter_ends_on_its_last_day(school: School) -> None:
    code = await school.code(once=False, last_day=school.today + timedelta(days=1))
    school.desk.wait_days(1)
    await school.look(code)
    school.desk.wait_days(1)
    with pytest.raises(CodeNotOpen):
        await school.look(code)


async def test_withdrawn_letter_ends_the_session_too(school: School) -> None:
    code, other = await school.code(), await school.code()
    opened = await school.desk.visits.open(await school.desk.parents.enter(code))
    handle = opened.handle.text
    await school.desk.visits.find(handle)
    (batch, _) = (each.batch for each in school.letters.rows.values())
    assert await school.letter_desk.withdraw_batch(an_actor(), SCHOOL, batch) == 1
    assert await school.letter_desk.withdraw_batch(an_actor(), SCHOOL, "") == 0
    with pytest.raises(MeClosed):
        await school.desk.visits.find(handle)
    school.letters.rows.clear()
    with pytest.raises(CodeNotOpen):
        await school.look(other)


async def test_number_that_is_issued_anew_opens_nothing_of_the_next_pupil(school: School) -> None:
    """A letter was written about one pupil; the number's next owner is another one."""
    world = school.desk.world
    await world.log_in(REKENRIJK)
    code = await school.code(once=False)
    assert await school.look(code) == ["rekenrijk"]
    next_owner = SANNE.attributes["eckId"][0][:-4] + "0000"
    await world.log_in(BIOSFEER_OIDC, stated={"eckId": (next_owner,)})
    with pytest.raises(CodeNotOpen):
        await school.look(code)


async def test_school_that_is_switched_off_lets_no_parent_in(school: School) -> None:
    code = await school.code()
    school.desk.world.change(SCHOOL, enabled=False)
    with pytest.raises(CodeNotOpen):
        await school.look(code)


async def test_store_that_is_down_lets_nobody_try(school: School) -> None:
    code = await school.code()
    school.desk.world.faults.start(fails_at=-1)
    with pytest.raises(StoreUnavailable):
        await school.desk.parents.enter(code)


async def test_letter_of_one_pupil_shows_nothing_of_another(school: School) -> None:
    await school.desk.world.log_in(REKENRIJK)
    made = await school.make(NUMBER, OTHER)
    seen = {each.pupil.number: await school.look(each.code.letters) for each in made.letters}
    assert seen == {NUMBER: ["rekenrijk"], OTHER: []}


async def test_two_households_get_two_codes_and_one_can_be_left_out(school: School) -> None:
    await school.letter_desk.exclude(
        an_actor(), SCHOOL, (ListedPupil(NUMBER),), household=2, on=True
    )
    made = await school.make(NUMBER, OTHER, households=2)
    assert [(each.pupil.number, each.household) for each in made.letters] == [
        (NUMBER, 1), (OTHER, 1), (OTHER, 2)
    ]  # fmt: skip
    assert made.left_out == 1
    assert len({each.code.letters for each in made.letters}) == 3


async def test_pupil_of_whom_no_letters_are_made(school: School) -> None:
    """One of sixteen who asked for it: letters of before open nothing, and no new ones are made."""
    pupils = (ListedPupil(NUMBER),)
    code = await school.code(once=False)
    await school.look(code)
    await school.letter_desk.exclude(an_actor(), SCHOOL, pupils, household=0, on=True)
    with pytest.raises(CodeNotOpen):
        await school.look(code)
    assert (await school.make()).letters == ()
    (found,) = school.letter_desk.find(an_actor(), SCHOOL, pupils)
    assert found.excluded == (0,)
    assert [standing_of(each, school.today) for each in found.letters] == [LetterStanding.WITHDRAWN]
    await school.letter_desk.exclude(an_actor(), SCHOOL, pupils, household=0, on=False)
    assert await school.look(await school.code()) == []


async def test_household_that_is_excluded_does_not_get_in_by_an_old_letter(school: School) -> None:
    code = await school.code(once=False)
    (letter,) = school.letters.rows.values()
    school.letters.left_out[letter.person] = {1}
    with pytest.raises(CodeNotOpen):
        await school.look(code)
    school.letters.left_out[letter.person] = {2}
    assert await school.look(code) == []


async def test_supplier_that_the_school_hides_is_not_shown_to_parents(school: School) -> None:
    world = school.desk.world
    await world.log_in(REKENRIJK)
    await world.log_in(BIOSFEER_OIDC)
    await school.letter_desk.set_rules(
        an_actor(), SCHOOL, hidden=("biosfeer", "nobody"), pupils_see=True
    )
    assert school.letters.rules(SchoolId(SCHOOL)).hidden == {SupplierId("biosfeer")}
    assert await school.look(await school.code()) == ["rekenrijk"]
    own = await school.desk.look()
    assert sorted(each.supplier for each in own.shares) == ["biosfeer", "rekenrijk"]


async def test_pupil_sees_that_letters_were_made_unless_the_school_says_no(school: School) -> None:
    code = await school.code()
    await school.look(code)
    visits = school.desk.visits
    visit = await visits.find(await school.desk.open())
    (seen,) = visits.letters_about(visit)
    assert (seen.uses, seen.issued_on) == (1, school.today)
    by_eck_id = await visits.find(await school.desk.open(number=False))
    assert visits.letters_about(by_eck_id) == ()
    await school.letter_desk.set_rules(an_actor(), SCHOOL, hidden=(), pupils_see=False)
    assert visits.letters_about(visit) == ()
    parent = await visits.find((await visits.open(await school.desk.parents.enter(
        await school.code()))).handle.text)  # fmt: skip
    assert visits.letters_about(parent) == ()


async def test_school_sees_what_became_of_its_letters(school: School) -> None:
    code = await school.code()
    await school.make(OTHER, once=False, last_day=school.today)
    _, batches, rules = school.letter_desk.look(an_actor(), SCHOOL)
    assert [(each.letters, each.used, each.withdrawn) for each in batches] == [(1, 0, 0)] * 2
    assert rules.pupils_see
    await school.look(code)
    pupils = (ListedPupil(NUMBER), ListedPupil(OTHER), ListedPupil("nobody"))
    found = school.letter_desk.find(an_actor(), SCHOOL, pupils)
    assert [[standing_of(letter, school.today) for letter in each.letters] for each in found] == [
        [LetterStanding.USED], [LetterStanding.NEW], []
    ]  # fmt: skip
    late = school.today + timedelta(days=1)
    assert standing_of(found[1].letters[0], late) is LetterStanding.EXPIRED


async def test_same_form_makes_letters_once(school: School) -> None:
    wish = school.wish()
    await school.letter_desk.make(an_actor(), SCHOOL, wish)
    with pytest.raises(LettersMadeAlready):
        await school.letter_desk.make(an_actor(), SCHOOL, wish)
    assert len(school.letters.rows) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"pupils": ()},
        {"pupils": tuple(map(ListedPupil, map(str, range(MAX_PUPILS + 1))))},
        {"pupils": (ListedPupil("  "),)},
        {"households": 3},
        {"last_day": date(2026, 3, 1)},
        {"last_day": date(2030, 1, 1)},
    ],
)
async def test_letters_that_cannot_be_made(school: School, changes: dict[str, object]) -> None:
    with pytest.raises(LettersNotPossible):
        await school.make(**changes)
    assert school.letters.rows == {}
    assert school.audit.entries == []
    assert len((await school.make()).letters) == 1


@pytest.mark.parametrize(
    ("actor", "place"),
    [
        (an_actor("kompas"), SCHOOL),
        (an_actor(), "kompas"),
        (an_actor(), "nowhere"),
        (an_actor(role=Role.ICT_PARTNER), SCHOOL),
        (an_actor(role=Role.PRIVACY_OFFICER), SCHOOL),
    ],
)
async def test_only_who_may_at_this_school_makes_letters(
    school: School, actor: Actor, place: str
) -> None:
    desk, pupils = school.letter_desk, (ListedPupil(NUMBER),)
    with pytest.raises(NotAllowed):
        desk.look(actor, place)
    with pytest.raises(NotAllowed):
        desk.find(actor, place, pupils)
    for doing in (
        desk.make(actor, place, school.wish()),
        desk.withdraw_batch(actor, place, "x"),
        desk.exclude(actor, place, pupils, household=0, on=True),
        desk.set_rules(actor, place, hidden=(), pupils_see=False),
    ):
        with pytest.raises(NotAllowed):
            await doing
    assert school.letters.rows == {}
    assert len((await school.make()).letters) == 1


async def test_audit_holds_counts_and_nobody(school: School) -> None:
    await school.make(NUMBER, OTHER)
    await school.letter_desk.exclude(
        an_actor(), SCHOOL, (ListedPupil(NUMBER),), household=0, on=True
    )
    told = repr(school.audit.entries)
    assert NUMBER not in told
    assert OTHER not in told
    assert [each.action for each in school.audit.entries] == ["letters-made", "letters-excluded"]
    assert '"letters":2' in school.audit.entries[0].after


class CollidingLetters(MemoryLetters):
    """Says once that the first letter's place is taken."""

    refused = 1

    async def add(self, letters: Sequence[NewLetter]) -> Collection[bytes]:
        if self.refused:
            self.refused = 0
            await super().add(letters[1:])
            return [letters[0].tag]
        return await super().add(letters)


async def test_letter_whose_code_begins_like_another_one_gets_a_new_code() -> None:
    school = School(CollidingLetters())
    made = await school.make(NUMBER, OTHER)
    assert len(school.letters.rows) == 2
    for each in made.letters:
        assert await school.look(each.code.letters) == []


async def test_nothing_that_rests_tells_code_or_number(school: School) -> None:
    made = await school.make(NUMBER, OTHER)
    rest = repr(school.letters.rows) + repr(
        [vars_of(each) for each in school.letters.rows.values()]
    )
    for letter in made.letters:
        assert letter.code.letters not in rest
        assert letter.code.letters not in repr(made)
        assert letter.pupil.number not in rest
    presented = present_roots(
        SchoolId(SCHOOL), population=None, number=None, eck_id=SANNE.attributes["eckId"][0],
        key=school.desk.world.keys.root,
    )  # fmt: skip
    assert repr(presented.eck_id) not in rest


def vars_of(row: object) -> list[object]:
    return [getattr(row, name) for name in type(row).__slots__]  # type: ignore[attr-defined]


def test_codes_hold_no_bad_words() -> None:
    drawn = iter([bytes([4, 0]), *[bytes([0, 0])] * 9])  # "gab" would be fine; "bab" nine times
    code = make_code(lambda size: next(drawn))
    assert len(code.groups) == 9
    unlucky = iter([bytes([1 | 3 << 4, 8]), *[bytes([0, 0])] * 9])  # "dom" is drawn anew
    assert make_code(lambda size: next(unlucky)) == ParentCode("bab" * 9)
