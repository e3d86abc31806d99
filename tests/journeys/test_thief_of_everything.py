"""All databases and all keys together open nothing but what the promise "little to steal" admits.

A world with logins, a school's list, take-overs with lists, a rotation with its conversions, a
transfer to another sector and volunteers of a change of login is stolen while it runs; the thief
of `tests.journeys.thief` then tries everything.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from broker.__main__ import main
from broker.adapters.operators_on_disk import OperatorsOnDisk, make_operator_key
from broker.demo.addresses import Party
from broker.demo.people import PEOPLE, made_up_eck_id
from broker.demo.takeover_actions import approve_eck_id
from broker.flow.held_state.framing import FORMAT_1, NONCE_BYTES, PADDING_BYTES
from tests.flow.operators import ANNA, BEA, registered_as
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.loot import DATABASES, Loot, columns_of_kind, steal
from tests.journeys.test_switching import PAIR, rehearse_as_volunteer
from tests.journeys.thief import Thief
from tests.journeys.visitor import Visitor, new_visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

NUMBERS = {each.id: each.attributes["employeeNumber"][0] for each in PEOPLE}
SANNE, NOOR, NEVER_CAME = (made_up_eck_id(each) for each in ("sanne", "noor", "new pupil"))
LOGINS = {"sanne": "104216677300018844231", "daan": "117730090055518844232"}
"""What a school's list calls them: 21 digits, as a large provider's `sub`."""

JOURNEYS = (
    (Party.REKENRIJK, "vuurvogel", "sanne"),
    (Party.BIOSFEER_SAML, "vuurvogel", "sanne"),
    (Party.TAALTUIN, "regenboog", "sanne"),
    (Party.REKENRIJK, "vuurvogel", "daan"),
    (Party.TAALTUIN, "vuurvogel", "els"),
    (Party.REKENRIJK, "kompas", "noor"),
    (Party.BIOSFEER_OIDC, "kompas", "noor"),
)
OF_PERSONS = ("persons", "enrolments", "takeover_tags", "transfers", "receipts")

ADMITTED_TEXT = re.compile(r"[a-z0-9-]*(/[a-z0-9-]+)*")
"""What stands plainly in the databases that know persons: slugs, days, letters, empty."""


SET_UP_BY = {"demo", "the demo"}
"""Who gave the first roles and wrote the first draft of the demo: no person."""


@dataclass(frozen=True, slots=True)
class Stolen:
    """What was stolen, and what suppliers know that the thief may know too."""

    loot: Loot
    pseudonyms: dict[tuple[Party, str, str], str]


async def typed(*arguments: str | Path, lines: str) -> str:
    """Run `broker ...` with lines typed, and return what it said."""
    result = await asyncio.to_thread(CliRunner().invoke, main, [*map(str, arguments)], input=lines)
    assert result.exit_code == 0, result.output
    return result.output


class Happenings:
    """Everything that makes something rest, in one world."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.config = ("--config", world.folder)

    def signer(self, name: str) -> tuple[str | Path, ...]:
        return "--as", name, "--key", self.world.folder / f"{name}.key"

    def written(self, name: str, *lines: str) -> Path:
        file = self.folder / name
        file.write_text("\n".join(lines) + "\n")
        return file

    async def confirm(self, file: Path) -> None:
        await run_broker("confirm", file, *self.config, *self.signer("bea"))

    async def log_in(self) -> dict[tuple[Party, str, str], str]:
        found = {}
        for each in JOURNEYS:
            visitor = new_visitor(self.world.at)
            async with visitor.client:
                found[each] = (await visitor.log_in(*each))["subject"]
        return found

    async def enrol(self) -> None:
        lines = [
            "login;eck_id;number;groups",
            f"{LOGINS['sanne']};{SANNE};{NUMBERS['sanne']};7B",
            f"{LOGINS['daan']};;{NUMBERS['daan']};7B",
        ]
        await run_broker("enrol", *self.config, "vuurvogel", self.written("list.csv", *lines))

    async def take_over(self, school: str) -> None:
        of, pupils = (school, "biosfeer"), self.written("pupils.txt", SANNE, NEVER_CAME)
        output = self.folder / f"sign-{school}.json"
        await run_broker(
            *("takeover", "sign", *self.config, *of, "--document", self.written("signed", "Yes.")),
            *("--pupils", pupils, "--quota", "9", "--until", f"{in_days(60)}"),
            *(*self.signer("anna"), "--output", output),
        )
        await self.confirm(output)
        await run_broker("takeover", "pupils", *self.config, *of, pupils)

    async def map_and_pilot(self) -> None:
        of = ("vuurvogel", "biosfeer")
        pilot = self.written("pilot.txt", SANNE, NUMBERS["daan"])
        await run_broker("takeover", "set", *self.config, *of, "prepare")
        await self.by_two("pilot", *of, pilot)
        asked = self.written("asked.txt", SANNE, NEVER_CAME)
        answer = self.folder / "answer.csv"
        await self.by_two("map", *of, asked, more=("--output", answer))

    async def by_two(
        self,
        command: str,
        school: str,
        supplier: str,
        file: Path,
        *,
        more: tuple[str | Path, ...] = (),
    ) -> None:
        output = self.folder / f"{command}.json"
        given = (school, supplier, file, *self.signer("anna"), "--output", output)
        await run_broker("takeover", command, *self.config, *given)
        await run_broker(
            "confirm", output, *self.config, *self.signer("bea"), "--list", file, *more
        )

    async def rotate(self, *pseudonyms: str) -> None:
        of = (*self.config, "--supplier", "rekenrijk")
        await run_broker("keys", "init", *self.config, "--next-epoch")
        await run_broker("pseudonyms", "rotate", *of)
        known, output = self.written("known.txt", *pseudonyms), self.folder / "converted.txt"
        await run_broker("pseudonyms", "convert", *of, known, "--output", output)

    async def transfer(self) -> None:
        offer, accept = self.folder / "offer.json", self.folder / "accept.json"
        of = (*self.config, "--supplier", "biosfeer", *self.signer("anna"))
        last_day = ("--until", f"{in_days(60)}")
        said = await typed(
            *("transfer", "offer", *of, "--school", "vuurvogel", *last_day, "--output", offer),
            lines=f"{SANNE}\n",
        )
        found = re.search(r"Code for the pupil: (\S+)", said)
        assert found
        await self.confirm(offer)
        await typed(
            *("transfer", "accept", *of, "--school", "kompas", "--output", accept),
            lines=f"{found[1]}\n{NOOR}\n",
        )

    async def rehearse(self) -> None:
        await run_broker("rehearse", *self.config, *PAIR, "--volunteers")

        async def is_open() -> bool:
            visitor = new_visitor(self.world.at)
            async with visitor.client:
                await visitor.visit(Party.BROKER, "/rehearsal", school="vuurvogel")
                return visitor.shows("rehearse")

        await until(is_open)
        visitor: Visitor = new_visitor(self.world.at)
        async with visitor.client:
            await rehearse_as_volunteer(visitor, "sanne")


def in_days(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stolen(
    open_world: OpenWorld, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stolen]:
    """A world to which much happened, and a copy of everything."""
    async with open_world() as world:
        for each in (ANNA, BEA):
            OperatorsOnDisk(world.folder).add(registered_as(each))
            make_operator_key(world.folder / f"{each.name}.key", each.key)
        happenings = Happenings(world, tmp_path_factory.mktemp("papers"))
        with pytest.MonkeyPatch.context() as patch:  # the logs of this process are those of all
            for module in MODULES_WITH_LOGS:
                patch.setattr(f"broker.commands.{module}.start_logs", lambda _loaded: None)
            pseudonyms = await happenings.log_in()
            # After that: nothing but pseudonyms went out, which the search for values holds.
            last_day = datetime.now(UTC).date() + timedelta(days=200)
            approve_eck_id(world.prepared.stage, until=last_day)
            await happenings.enrol()
            for school in ("vuurvogel", "regenboog"):
                await happenings.take_over(school)
            await happenings.map_and_pilot()
            await happenings.rotate(pseudonyms[JOURNEYS[0]])
            await happenings.transfer()
            await happenings.rehearse()
        yield Stolen(steal(world.folder), pseudonyms)


MODULES_WITH_LOGS = (
    *("operators", "takeover", "takeover_lists", "enrolment", "rotation_desk", "switching"),
)


def test_the_world_left_something_of_every_kind(stolen: Stolen) -> None:
    """Else what follows would prove nothing."""
    kept = stolen.loot.tables
    expected = (*OF_PERSONS, "rehearsed_logins", "converted_marks")
    assert {each: len(kept[each]) for each in expected if not kept[each]} == {}
    assert stolen.loot.column("transfers.accepting") != [None]


def test_everything_together_opens_nothing(stolen: Stolen) -> None:
    thief = Thief(stolen.loot)
    assert thief.try_everything().count == 0
    assert thief.open_by_force() == []


def test_no_value_that_rests_leads_to_another(stolen: Stolen) -> None:
    assert Thief(stolen.loot).links() == set()


def test_who_knows_an_eck_id_opens_that_pupils_rows_and_no_others(stolen: Stolen) -> None:
    """What is admitted; and the proof that this thief can open what opens."""
    thief = Thief(stolen.loot, knows=[SANNE])
    opened = thief.try_everything()
    assert {school for each in opened.persons.values() for school in each.seen} == {
        "vuurvogel",
        "regenboog",
    }
    assert len(opened.receipts) == 3
    assert (len(opened.enrolments), len(opened.transfers)) == (0, 0)
    assert ("a root", "takeover_tags.tag") in thief.links()
    assert Thief(stolen.loot, knows=[LOGINS["sanne"]]).try_everything().enrolments
    noor = Thief(stolen.loot, knows=[NOOR]).try_everything()
    assert not noor.persons.keys() & opened.persons.keys()
    assert not noor.receipts & opened.receipts


def test_who_knows_a_suppliers_pseudonym_opens_that_pupils_rows(stolen: Stolen) -> None:
    """Inherent, and stated among the risks that stay."""
    known = stolen.pseudonyms[JOURNEYS[0]]
    opened = Thief(stolen.loot, knows=[known]).try_everything()
    assert (
        opened.persons.keys() == Thief(stolen.loot, knows=[SANNE]).try_everything().persons.keys()
    )


def test_who_tries_numbers_opens_the_rows_of_who_has_one(stolen: Stolen) -> None:
    """Inherent as well: a number is short, and the risks that stay say so."""
    number = int(NUMBERS["daan"])
    tried = [str(each) for each in range(number - 10, number + 10)]
    opened = Thief(stolen.loot, knows=tried).try_everything()
    knows_sanne = Thief(stolen.loot, knows=[SANNE]).try_everything()
    assert opened.persons
    assert not opened.persons.keys() & knows_sanne.persons.keys()


def test_what_is_sealed_tells_no_length_and_what_is_plain_names_nobody(stolen: Stolen) -> None:
    for name in columns_of_kind("sealed"):
        for sealed in filter(None, stolen.loot.column(name)):
            assert sealed[:1] == FORMAT_1
            assert (len(sealed) - 1 - NONCE_BYTES - 16) % PADDING_BYTES == 0
    for name in columns_of_kind("keyed"):
        keyed = set(filter(None, stolen.loot.column(name))) - SET_UP_BY
        assert {len(each) for each in keyed} <= {16, 32}
    plain = set(columns_of_kind("plain"))
    of_persons = {
        f"{table.name}.{column.name}"
        for database in ("register.db", "receipts.db")
        for table in DATABASES[database].sorted_tables
        for column in table.columns
    }
    texts = [
        (name, each)
        for name in plain & of_persons
        for each in stolen.loot.column(name)
        if isinstance(each, str)
    ]
    assert texts
    assert [each for each in texts if ADMITTED_TEXT.fullmatch(each[1]) is None] == []
