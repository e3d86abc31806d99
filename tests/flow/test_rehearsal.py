"""Rehearsing a change of login: what becomes of a person, and why; nothing is stored."""

import pytest
from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.federation import SchoolIdp, State
from broker.domain.ids import SchoolIdpId
from broker.domain.switches import SwitchStage
from broker.flow.operators.operator_refusals import PreparedUnreadable
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Change, Presented
from broker.flow.persons.person_rows import look_up, store_changes
from broker.flow.persons.persons import identify_person
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.switching.rehearsal import (
    DANGEROUS,
    REASONS,
    Finding,
    Oracle,
    Outcome,
    compare,
    count_outcomes,
    derive_volunteer,
    find_shared_accounts,
    outcome_of,
)
from broker.flow.switching.rehearsal_list import (
    ListLine,
    look_at_list,
    name_lines,
    present_listed,
    read_list,
)
from broker.flow.switching.switch_action import carry_out_switch, write_switch
from broker.flow.switching.switch_checks import (
    LoginPair,
    Rehearsed,
    SwitchState,
    check_may_switch,
    check_none_running,
    check_pair,
    check_rehearsed,
    find_rehearsal,
)
from broker.flow.switching.switch_refusals import (
    ListUnusable,
    LoginOfOtherSchool,
    LoginsNotTwo,
    NotRehearsed,
    PartyOfSwitchUnknown,
    RehearsalNotOpen,
    RehearsalShowsChanges,
    SwitchRunning,
    SwitchStatesDiffer,
)
from broker.pseudonyms.derivation import PersonRoot
from tests.domain.federation_records import a_login, a_school
from tests.domain.test_switches import NEW, OLD, SCHOOL, a_step, by_class
from tests.flow.memory_register import MemoryRegister
from tests.flow.register_world import FIRST_DAY, KOMPAS, VUURVOGEL, a_root
from tests.flow.test_operator_actions import KEYS, ROOT_KEY

E1, E2, L1, L2 = map(a_root, ("E:1", "E:2", "L:1", "L:2"))
ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
PUPIL, STAFF = Population.PUPIL, Population.STAFF
PAIR = LoginPair(SCHOOL, OLD.id, NEW.id)

Roots = tuple[PersonRoot | None, PersonRoot | None]


class Watched(MemoryRegister):
    """A register in which people logged in before."""

    drawn = 0

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")

    async def login(self, of: Roots, school: object = VUURVOGEL) -> None:
        await identify_person(
            a_person(of),
            register=self,
            keys=KEYS,
            school=school,  # type: ignore[arg-type]
            eck_id_required=False,
            today=FIRST_DAY,
            random=self.draw,
            rules=JoinRules(),
        )


def a_person(of: Roots, population: Population = PUPIL) -> Presented:
    return Presented(population, eck_id=of[0], local=of[1])


def an_oracle(register: MemoryRegister, *, eck_id_required: bool = False) -> Oracle:
    return Oracle(
        school=VUURVOGEL,
        eck_id_required=eck_id_required,
        register=register,
        keys=KEYS,
        rules=JoinRules(),
        today=FIRST_DAY,
    )


@pytest.mark.parametrize(
    ("known", "before", "after", "finding"),
    [
        (((None, L1),), (None, L1), (None, L1), Finding.SAME),
        (((E1, L1),), (E1, L1), (E1, L1), Finding.SAME),
        (((E1, L1),), (E1, L1), (E1, None), Finding.SAME),
        (((E1, L1),), (E1, L1), (E1, L2), Finding.SAME),
        (((E1, L1),), (E1, L1), (None, L1), Finding.SAME),
        (((None, L1),), (None, L1), (E1, L1), Finding.SAME),
        (((E1, L1),), (E1, L1), (None, L2), Finding.ECK_ID_MISSING),
        (((E1, L1),), (E1, L1), (E2, L2), Finding.OTHER_ECK_ID),
        (((E1, L1),), (E1, L1), (E2, L1), Finding.ANOTHER_ACCOUNT),
        (((None, L1),), (None, L1), (None, L2), Finding.OTHER_NUMBER),
        (((None, L1),), (None, L1), (E1, None), Finding.NUMBER_MISSING),
        (((None, L1), (None, L2)), (None, L1), (None, L2), Finding.ANOTHER_ACCOUNT),
        ((), (E1, L1), (E1, L1), Finding.NOT_KNOWN),
        ((), (E1, L1), (None, L2), Finding.NOT_KNOWN),
        (((None, L2),), (None, L1), (None, L2), Finding.ANOTHER_ACCOUNT),
    ],
)
async def test_what_becomes_of_a_person(
    known: tuple[Roots, ...], before: Roots, after: Roots, finding: Finding
) -> None:
    register = Watched()
    for each in known:
        await register.login(each)
    rows = dict(register.rows)
    oracle = an_oracle(register)
    found = compare(await oracle.foresee(a_person(before)), await oracle.foresee(a_person(after)))
    assert found is finding
    assert register.rows == rows


async def test_accounts_that_are_kept_apart() -> None:
    register = Watched()
    await register.login((None, L1))
    await register.login((E1, None), KOMPAS)
    oracle = an_oracle(register)
    before, after = (
        await oracle.foresee(a_person((None, L1))),
        await oracle.foresee(a_person((E1, L1))),
    )
    assert compare(before, after) is Finding.KEPT_APART


async def change_row(register: Watched, root: PersonRoot, **changes: object) -> None:
    found = await look_up(a_person((root, None)), register=register, keys=KEYS)
    record = found.records.eck_id
    assert record is not None
    assert await store_changes(
        (Change(root, replace(record, **changes)),),
        found.rows,
        register=register,
        keys=KEYS,
        random=register.draw,
    )


async def test_a_protected_pupil_of_another_school_would_wait() -> None:
    register = Watched()
    await register.login((None, L1))
    await register.login((E1, None), KOMPAS)
    await change_row(register, E1, protected=True)
    oracle = an_oracle(register)
    before, after, both = [
        await oracle.foresee(a_person(each)) for each in ((None, L1), (E1, L1), (E1, None))
    ]
    assert compare(before, after) is Finding.WOULD_WAIT
    assert outcome_of(Finding.WOULD_WAIT) is Outcome.CHANGED
    assert compare(both, after) is Finding.SAME  # by either login: the change does nothing


async def test_what_a_take_over_promised_is_foreseen() -> None:
    """Without the promise the ECK iD would open the number's account (rule 9)."""
    register = Watched()
    await register.login((None, L1))
    await register.login((E1, None))
    await change_row(register, E1, promised=(VUURVOGEL,), seen={})
    oracle = an_oracle(register)
    before, after = [await oracle.foresee(a_person(each)) for each in ((None, L1), (E1, L1))]
    assert after is not None
    assert after.account == E1
    assert compare(before, after) is Finding.ANOTHER_ACCOUNT


async def test_a_login_that_would_be_refused() -> None:
    register = Watched()
    oracle = an_oracle(register, eck_id_required=True)
    refused, fine = (
        await oracle.foresee(a_person((None, L1))),
        await oracle.foresee(a_person((E1, L1))),
    )
    assert refused is None
    assert compare(fine, refused) is Finding.NOT_USABLE
    assert compare(refused, fine) is Finding.NOT_USABLE_TODAY


async def test_a_pupil_who_becomes_staff() -> None:
    oracle = an_oracle(Watched())
    pupil = await oracle.foresee(a_person((None, L1)))
    staff = await oracle.foresee(a_person((None, L1), STAFF))
    assert compare(pupil, staff) is Finding.OTHER_ROLE


async def test_a_register_that_is_down_says_nothing() -> None:
    class Down(MemoryRegister):
        async def find(self, tags: object) -> object:  # type: ignore[override]
            raise RegisterUnavailable("check_readable")

    with pytest.raises(RegisterUnavailable):
        await an_oracle(Down()).foresee(a_person((E1, None)))


def test_every_finding_is_counted_and_worded() -> None:
    assert set(REASONS) == set(Finding)
    assert {outcome_of(each) for each in DANGEROUS} == {Outcome.CHANGED}
    counts = count_outcomes(dict.fromkeys(Finding, 1))
    assert (counts[Outcome.SAME], counts[Outcome.UNKNOWN]) == (1, 2)
    assert sum(counts.values()) == len(Finding)


def test_an_account_of_two() -> None:
    assert find_shared_accounts([(L1, L2), (L1, L2)]) == set()
    assert find_shared_accounts([(L1, E1), (L2, E1), (E2, E2)]) == {E1}


async def test_a_volunteer_counts_once_in_each_rehearsal() -> None:
    found = await an_oracle(Watched()).foresee(a_person((E1, None)))
    assert found is not None
    tags = {
        derive_volunteer(KEYS, found, school=SCHOOL, from_idp=old, to_idp=new)
        for old, new in (("old", "new"), ("old", "new"), ("new", "old"))
    }
    assert len(tags) == 2


# The list ---------------------------------------------------------------------------------------


def lines_of(content: str, *idps: SchoolIdp) -> list[ListLine]:
    return read_list(content.encode(), school=a_school(), idps=idps or (OLD, NEW))


async def look(content: str, register: MemoryRegister) -> dict[Finding, list[int]]:
    found = await look_at_list(
        lines_of(content), idps=(OLD, NEW), oracle=an_oracle(register), key=ROOT_KEY
    )
    assert sum(found.counts.values()) == len(content.splitlines()) - 1
    return {finding: list(lines) for finding, lines in found.lines.items()}


async def test_a_list_is_told_by_line() -> None:
    register = Watched()
    for number in ("1", "2", "3"):
        presented = present_listed(
            lines_of(f"from_number,to_number\n{number},1\n")[0].before,
            idp=OLD,
            school=SCHOOL,
            key=ROOT_KEY,
        )
        assert presented is not None
        await register.login((presented.eck_id, presented.local))
    content = "from_number;to_number;role;brin\n1;1;;11aa\n2;22;;\n3;1;student;\n4;4;Employee;\n"
    assert await look(content, register) == {
        Finding.ACCOUNT_OF_TWO: [2, 4],
        Finding.OTHER_NUMBER: [3],
        Finding.NOT_KNOWN: [5],
    }


async def test_a_person_who_stands_there_twice() -> None:
    content = f"from_eck_id\tfrom_number\tto_number\n{ECK_ID}\t1\t1\n{ECK_ID}\t2\t2\n\t-\t3\n"
    with pytest.raises(ListUnusable, match="lines 3 name a person who stands before"):
        await look(content, Watched())


def test_a_list_needs_what_identifies() -> None:
    by_uid = a_login(id="new", identifier="uid")
    with pytest.raises(ListUnusable, match="lacks the column to_sub"):
        lines_of("from_number,to_number\n1,1\n", OLD, by_uid)
    assert lines_of("from_number,to_sub\n1,1\n", OLD, by_uid)
    assert lines_of(f"from_number,to_eck_id\n1,{ECK_ID}\n", OLD, by_uid)


def test_a_list_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.flow.switching.rehearsal_list.MAX_LIST_BYTES", 20)
    with pytest.raises(ListUnusable, match="too large"):
        lines_of("from_number,to_number\n1,1\n")
    monkeypatch.setattr("broker.flow.switching.rehearsal_list.MAX_LIST_BYTES", 2000)
    monkeypatch.setattr("broker.flow.switching.rehearsal_list.MAX_LIST_LINES", 1)
    with pytest.raises(ListUnusable, match="too many"):
        lines_of("from_number,to_number\n1,1\n2,2\n")


async def test_a_list_of_which_all_stay() -> None:
    register = Watched()
    content = "from_number,to_number\n1,1\n"
    presented = present_listed(lines_of(content)[0].after, idp=NEW, school=SCHOOL, key=ROOT_KEY)
    assert presented is not None
    await register.login((presented.eck_id, presented.local))
    assert await look(content, register) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"from_number\xff", "no UTF-8"),
        (b'from_number,to_number\n"1,1', "lines 2 are no CSV"),
        (b"from_number,to_number,bsn\n1,1,1\n", "PGNs"),
        (b"from_number,to_number,name\n1,1,x\n", "unknown one"),
    ],
)
def test_what_is_no_list(content: bytes, told: str) -> None:
    with pytest.raises(ListUnusable, match=told):
        read_list(content, school=a_school(), idps=(OLD, NEW))


@pytest.mark.parametrize("line", [f"{'9' * 2000},", ",", f"1,{ECK_ID[:-1]}", "null,"])
def test_what_no_login_may_state(line: str) -> None:
    (read,) = lines_of(f"from_number,from_eck_id,to_number\n{line},1\n")
    assert present_listed(read.before, idp=OLD, school=SCHOOL, key=ROOT_KEY) is None


def test_many_lines_are_not_all_told() -> None:
    assert name_lines(range(1, 23), "x").endswith("19, 20 and 2 more x")


# The switch -------------------------------------------------------------------------------------


def a_state(*steps: object, **changes: object) -> SwitchState:
    values = {
        "school": a_school(),
        "idps": {OLD.id: OLD, NEW.id: NEW},
        "steps": steps,
        "rehearsed": Rehearsed(),
    }
    return SwitchState(**(values | changes))  # type: ignore[arg-type]


def test_two_logins_of_one_school() -> None:
    check_pair(a_state(), PAIR)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"school": None}, PartyOfSwitchUnknown),
        ({"school": a_school(enabled=False)}, PartyOfSwitchUnknown),
        ({"idps": {OLD.id: OLD}}, PartyOfSwitchUnknown),
        ({"idps": {OLD.id: OLD, NEW.id: a_login(enabled=False)}}, PartyOfSwitchUnknown),
        ({"idps": {OLD.id: OLD, NEW.id: a_login("kompas")}}, LoginOfOtherSchool),
        ({"idps": {OLD.id: OLD, NEW.id: a_login(state=State.PRODUCTION)}}, SwitchStatesDiffer),
    ],
)
def test_two_logins_that_do_not_fit(changes: dict[str, object], refusal: type) -> None:
    with pytest.raises(refusal):
        check_pair(a_state(**changes), PAIR)


@pytest.mark.parametrize("names", [(OLD.id, OLD.id), (NEW.id, OLD.id)])
def test_from_a_login_that_is_offered_to_another(names: tuple[SchoolIdpId, SchoolIdpId]) -> None:
    with pytest.raises(LoginsNotTwo):
        check_pair(a_state(), LoginPair(SCHOOL, *names))


def test_one_switch_at_a_time() -> None:
    check_may_switch(a_state(by_class()), PAIR)
    check_none_running(a_state(a_step(SwitchStage.REHEARSAL)))
    third = a_step(to_idp=SchoolIdpId("third"))
    with pytest.raises(SwitchRunning):
        check_may_switch(a_state(third), PAIR)
    with pytest.raises(SwitchRunning):
        check_none_running(a_state(third))


@pytest.mark.parametrize(
    ("listed", "volunteers", "refusal"),
    [
        ({}, {}, NotRehearsed),
        ({Finding.SAME: 98, Finding.OTHER_NUMBER: 2}, {}, RehearsalShowsChanges),
        ({Finding.SAME: 99}, {Finding.OTHER_NUMBER: 1}, RehearsalShowsChanges),
        ({Finding.SAME: 9999, Finding.ANOTHER_ACCOUNT: 1}, {}, RehearsalShowsChanges),
    ],
)
def test_a_rehearsal_that_does_not_do(
    listed: dict[Finding, int], volunteers: dict[Finding, int], refusal: type
) -> None:
    with pytest.raises(refusal):
        check_rehearsed(Rehearsed(listed, volunteers), most_changed_percent=1)


def test_a_rehearsal_that_does() -> None:
    found = Rehearsed({Finding.SAME: 99, Finding.OTHER_NUMBER: 1}, {Finding.NOT_KNOWN: 3})
    check_rehearsed(found, most_changed_percent=1)


def test_volunteers_come_while_a_rehearsal_is_open() -> None:
    opened = a_step(SwitchStage.REHEARSAL)
    assert find_rehearsal((opened,)) == opened
    for steps in ((), (opened, by_class())):
        with pytest.raises(RehearsalNotOpen):
            find_rehearsal(steps)


@pytest.mark.parametrize("changes", [{"classes": "7b"}, {"on": "soon"}, {"from": None}])
def test_an_action_that_names_no_switch(changes: dict[str, str | None]) -> None:
    stated = {**write_switch(PAIR, classes=(), first_day=None), **changes}
    given = {name: value for name, value in stated.items() if value is not None}
    with pytest.raises(PreparedUnreadable):
        carry_out_switch(given, switches=None)  # type: ignore[arg-type]
