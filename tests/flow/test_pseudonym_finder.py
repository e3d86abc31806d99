"""The school's own key to its pupils: for itself, of its own pupils, and for nobody else."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from broker.demo.people import Person
from broker.domain.console_roles import Role
from broker.domain.csv_reading import CsvFaulty, CsvTooLarge, CsvUnreadable
from broker.domain.ids import SupplierId
from broker.flow.console.actors import Actor
from broker.flow.console.console_refusals import NotAllowed
from broker.flow.own_pupils import pupil_lists
from broker.flow.own_pupils.pseudonym_finder import (
    FoundPupil,
    FoundState,
    LookedUpTooMuch,
    Reason,
    ReasonMissing,
    SupplierNotOfSchool,
)
from broker.flow.own_pupils.pupil_lists import ListedPupil, read_pseudonyms, read_pupils
from broker.flow.persons.person_reading import PersonReader
from broker.flow.persons.person_rules import EckIdMissing
from broker.flow.persons.register import RegisterUnavailable
from broker.pseudonyms.derivation import parse_eckid, root_from_eckid
from tests.flow.feeding import feed
from tests.flow.login_answers import Browser, refused
from tests.flow.login_world import DAAN, NOOR, SANNE, SANNE_ELSEWHERE, LoginWorld
from tests.flow.pupils_office import (
    ADMIN,
    OFFICER,
    STRANGERS,
    Office,
    listed,
    number_of,
    somebody,
)
from tests.flow.test_arrival_budgets import protect

REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")
FOUND, NOT_SEEN, NOT_YOURS = FoundState


@pytest.fixture
def office(world: LoginWorld) -> Office:
    return Office(world)


async def pause() -> None:
    await asyncio.sleep(0)


async def find(
    office: Office,
    rows: Sequence[ListedPupil],
    *,
    actor: Actor = ADMIN,
    school: str = "vuurvogel",
    supplier: SupplierId = REKENRIJK,
    reason: Reason | None = Reason.RESULTS,
) -> tuple[FoundPupil, ...]:
    return await office.finder.find(
        *(actor, rows),
        school=office.school(school),
        supplier=supplier,
        reason=reason,
        pause=pause,
    )


async def find_one(office: Office, person: Person = SANNE, **asked: object) -> FoundPupil:
    (found,) = await find(office, listed(number_of(person)), **asked)  # type: ignore[arg-type]
    return found


class TestOwnPupils:
    async def test_each_has_the_pseudonym_that_the_supplier_got(
        self, office: Office, world: LoginWorld
    ) -> None:
        sanne, daan = await world.log_in(), await world.log_in(person=DAAN)
        rows = listed(number_of(SANNE), number_of(DAAN), "999")
        found = await find(office, rows)
        assert [each.pseudonym for each in found] == [sanne.subject, daan.subject, None]
        assert [each.state for each in found] == [FOUND, FOUND, NOT_SEEN]
        assert [each.is_known for each in found] == [True, True, False]
        elsewhere = await find_one(office, supplier=TAALTUIN)
        assert elsewhere.pseudonym not in (None, sanne.subject)
        assert not elsewhere.is_known

    async def test_whose_a_pseudonym_is(self, office: Office, world: LoginWorld) -> None:
        await world.log_in()
        daan = await world.log_in(person=DAAN)
        rows = listed(number_of(SANNE), number_of(DAAN))
        found = await office.finder.find_whose(
            *(ADMIN, [daan.subject, "nonsense"], rows),
            school=office.school(),
            supplier=REKENRIJK,
            reason=Reason.HELP,
            pause=pause,
        )
        assert [each.listed for each in found] == [rows[1]]

    async def test_both_names_while_the_suppliers_keys_rotate(
        self, office: Office, world: LoginWorld
    ) -> None:
        before = await world.log_in()
        world.change("rekenrijk", epoch="b", previous_epoch="a")
        found = await find_one(office)
        assert found.previous == before.subject
        assert found.pseudonym == (await world.log_in()).subject

    async def test_a_pupil_who_came_from_elsewhere_has_the_account_of_before(
        self, office: Office, world: LoginWorld
    ) -> None:
        there = await world.log_in(person=SANNE_ELSEWHERE, school="regenboog")
        assert (await world.log_in()).subject == there.subject
        assert (await find_one(office)).pseudonym == there.subject

    async def test_a_protected_pupil_who_waits_has_none(
        self, office: Office, world: LoginWorld
    ) -> None:
        await world.log_in(person=SANNE_ELSEWHERE, school="regenboog")
        eck_id = root_from_eckid(parse_eckid(SANNE.attributes["eckId"][0]), key=world.keys.root)
        await protect(world.register, eck_id, keys=world.keys.register)
        refused(await world.arrive(Browser()))
        assert (await find_one(office)).state is NOT_SEEN


class TestNobodyElse:
    @pytest.mark.parametrize("actor", [OFFICER, *STRANGERS])
    async def test_finds_anybody(self, office: Office, world: LoginWorld, actor: Actor) -> None:
        await world.log_in()
        with pytest.raises(NotAllowed):
            await find(office, listed(number_of(SANNE)), actor=actor)
        with pytest.raises(NotAllowed):
            office.finder.suppliers_of(actor, office.school())
        assert not office.quotas.used
        assert not office.entries.entries

    async def test_another_school_finds_nobody_by_number_or_eck_id(
        self, office: Office, world: LoginWorld
    ) -> None:
        await world.log_in()
        other = somebody(Role.SCHOOL_ADMIN, school="regenboog")
        rows = listed(number_of(SANNE), SANNE.attributes["eckId"][0])
        found = await find(office, rows, actor=other, school="regenboog")
        assert {each.state for each in found} == {NOT_SEEN}

    async def test_nobody_finds_by_an_eck_id_at_the_own_school_either(
        self, office: Office, world: LoginWorld
    ) -> None:
        await world.log_in()
        (found,) = await find(office, listed(SANNE.attributes["eckId"][0]))
        assert found.state is NOT_SEEN


class TestTeachers:
    @pytest.fixture
    async def office(self, world: LoginWorld) -> Office:
        await feed(world, {"login": "noor", "number": number_of(NOOR), "groups": "2A|2B"})
        await world.log_in(person=NOOR, school="kompas")
        return Office(world)

    @pytest.mark.parametrize(
        ("groups", "identifier", "state"),
        [
            (("2A",), "noor", FOUND),
            (("3C", "2B"), "noor", FOUND),
            (("3C",), "noor", NOT_YOURS),
            ((), "noor", NOT_YOURS),
            (("2A",), number_of(NOOR), NOT_YOURS),  # of a number no list says the group
            (("2A",), "", NOT_YOURS),
        ],
    )
    async def test_find_pupils_of_their_own_groups_by_the_schools_list(
        self, office: Office, groups: tuple[str, ...], identifier: str, state: FoundState
    ) -> None:
        teacher = somebody(Role.TEACHER, school="kompas", groups=groups)
        (found,) = await find(office, listed(identifier), actor=teacher, school="kompas")
        assert found.state is state
        assert (found.pseudonym is None) is (state is not FOUND)

    async def test_who_holds_another_role_too_finds_by_that(self, office: Office) -> None:
        both = somebody(Role.TEACHER, Role.SCHOOL_ADMIN, school="kompas")
        (found,) = await find(office, listed(number_of(NOOR)), actor=both, school="kompas")
        assert found.state is FOUND

    async def test_of_another_school_find_nobody(self, office: Office) -> None:
        teacher = somebody(Role.TEACHER, school="vuurvogel", groups=("2A",))
        with pytest.raises(NotAllowed):
            await find(office, listed("noor"), actor=teacher, school="kompas")

    async def test_spend_a_quota_of_their_own(self, world: LoginWorld, office: Office) -> None:
        office = Office(world, lines_a_day=1)
        teacher = somebody(Role.TEACHER, school="kompas", groups=("2A",))
        admin = somebody(Role.SCHOOL_ADMIN, school="kompas")
        await find(office, listed("noor"), actor=teacher, school="kompas")
        with pytest.raises(LookedUpTooMuch):
            await find(office, listed("noor"), actor=teacher, school="kompas")
        assert await find(office, listed("noor"), actor=admin, school="kompas")


class TestWithin:
    async def test_a_reason(self, office: Office) -> None:
        with pytest.raises(ReasonMissing):
            await find_one(office, reason=None)

    async def test_an_agreement(self, office: Office, world: LoginWorld) -> None:
        known = office.finder.suppliers_of(ADMIN, office.school())
        assert REKENRIJK in {each.id for each in known}
        world.put("vuurvogel/rekenrijk", None)
        for supplier in (REKENRIJK, SupplierId("unknown")):
            with pytest.raises(SupplierNotOfSchool):
                await find_one(office, supplier=supplier)

    async def test_a_quota_and_who_reads_lists_again_and_again_pays_for_it(
        self, world: LoginWorld
    ) -> None:
        office = Office(world, lines_a_day=3)
        rows = listed("1", "2")
        await find(office, rows)
        with pytest.raises(LookedUpTooMuch):
            await find(office, rows)
        world.wait(days=1)
        assert await find(office, rows)

    async def test_an_audit_of_counts(self, office: Office) -> None:
        await find_one(office, reason=Reason.RIGHTS)
        entry = office.entries.last
        assert (entry.action, entry.supplier, entry.school) == (
            *("pseudonyms-found", REKENRIJK),
            "vuurvogel",
        )
        assert json.loads(entry.after) == {"reason": "rights", "lines": 1}
        assert office.world.audit.last.counts == (("lines", 1),)

    async def test_nothing_is_told_when_the_register_is_down(
        self, office: Office, world: LoginWorld
    ) -> None:
        await world.log_in()
        for each in range(1, 4):
            world.faults.start(fails_at=each)
            with pytest.raises(RegisterUnavailable):
                await find_one(office)

    async def test_logins_go_between_the_lines(self, office: Office) -> None:
        paused = []

        async def count() -> None:
            paused.append(1)

        await office.finder.find(
            *(ADMIN, listed("1", "2", "3")),
            school=office.school(),
            supplier=REKENRIJK,
            reason=Reason.RESULTS,
            pause=count,
        )
        assert len(paused) == 3


class TestLists:
    def test_by_number_login_or_both(self) -> None:
        uploaded = b"Leerlingnummer;Groep;Gebruikersnaam\n1;7B;a\n;7B;b\n3;7B;\n;7B;\n"
        found = read_pupils(uploaded=uploaded, pasted="")
        assert [(each.line, each.identifiers) for each in found] == [
            *((2, ("1", "a")), (3, ("b",))),
            (4, ("3",)),
        ]

    def test_pasted_lines(self) -> None:
        found = read_pupils(uploaded=b"", pasted="1\r\n\r\n 2 \n")
        assert [(each.line, each.shown) for each in found] == [(1, "1"), (3, "2")]
        assert read_pseudonyms(" a\n\nb\na") == ("a", "b")

    @pytest.mark.parametrize(
        ("uploaded", "pasted", "refusal"),
        [
            (b"", "", CsvUnreadable),
            (b"", "x" * 129, CsvUnreadable),
            (b"name\nSanne\n", "", CsvUnreadable),
            (b"Leerlingnummer\n\n", "", CsvUnreadable),
            (b"Leerlingnummer;Groep\n1\n", "", CsvFaulty),
            (b"\x89PNG\x00", "", CsvUnreadable),
        ],
    )
    def test_what_is_no_list(self, uploaded: bytes, pasted: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            read_pupils(uploaded=uploaded, pasted=pasted)

    def test_what_is_too_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pupil_lists, "MAX_LINES", 2)
        with pytest.raises(CsvTooLarge):
            read_pupils(uploaded=b"", pasted="1\n2\n3")
        with pytest.raises(CsvTooLarge):
            read_pupils(uploaded=b"number\n1\n2\n3\n", pasted="")
        with pytest.raises(CsvTooLarge):
            read_pseudonyms("a\nb\nc")


class TestByTheList:
    @pytest.mark.parametrize("protected", [False, True])
    async def test_a_pupil_listed_by_eck_id_who_may_have_to_wait(
        self, office: Office, world: LoginWorld, protected: bool
    ) -> None:
        there = await world.log_in(person=SANNE_ELSEWHERE, school="regenboog")
        eck_id = SANNE.attributes["eckId"][0]
        if protected:
            root = root_from_eckid(parse_eckid(eck_id), key=world.keys.root)
            await protect(world.register, root, keys=world.keys.register)
            refused(await world.arrive(Browser()))
        else:
            await world.log_in()
        await feed(world, {"login": "sanne", "eck_id": eck_id}, school="vuurvogel")
        (found,) = await find(office, listed("sanne"))
        assert found.pseudonym == (None if protected else there.subject)

    async def test_who_would_be_refused_has_none(
        self, office: Office, world: LoginWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await world.log_in()
        assert (await find_one(office)).state is FOUND

        async def refuses(*_: object, **__: object) -> None:
            raise EckIdMissing("check_eck_id_stated_or_known")

        monkeypatch.setattr(PersonReader, "read", refuses)
        assert (await find_one(office)).state is NOT_SEEN

    async def test_what_is_no_identifier_is_nobodys(self, office: Office) -> None:
        (found,) = await find(office, listed(" "))
        assert found.state is NOT_SEEN
