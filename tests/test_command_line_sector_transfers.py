"""`broker transfer`, as four people type it, over real files and the demo's federation."""

import asyncio
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import DEMO_PORTS
from broker.demo.people import PEOPLE, Person
from broker.demo.run import prepare_world
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_suppliers import Visit
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import derive_register_keys

SANNE, NOOR = PEOPLE[0], PEOPLE[3]
BIOSFEER = SupplierId("biosfeer")
SOON = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m-%d}"


@dataclass
class Installation:
    """The demo's broker at rest, with two operators."""

    folder: Path
    here: Path
    data: Path = Path()

    def set_up(self) -> None:
        places = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
        loaded = prepare_world(self.folder, places, settings={"logging": {}}).loaded
        self.data = loaded.data_folder
        DataFolder(self.data, loaded.keys_folder, load_keys(loaded.keys_folder)).open()
        for name in ("anna", "bea"):
            made = self.run("operator", "keygen", str(self.here / f"{name}.key"), config=False)
            (self.here / f"{name}.pem").write_text(made.stdout)
            added = self.run("operator", "add", name, str(self.here / f"{name}.pem"))
            assert added.exit_code == 0, added.output

    def run(self, *arguments: str, typed: str | None = None, config: bool = True) -> Result:
        of = ("--config", str(self.folder)) if config else ()
        return CliRunner().invoke(main, [*arguments, *of], input=typed)

    def as_(self, name: str) -> tuple[str, ...]:
        return "--as", name, "--key", str(self.here / f"{name}.key")

    def offer(self, *, typed: str = SANNE.attributes["eckId"][0], until: str = SOON) -> Result:
        return self.run(
            *("transfer", "offer", "--school", "vuurvogel", "--supplier", BIOSFEER),
            *("--until", until, *self.as_("anna"), "--output", str(self.here / "offer.json")),
            typed=f"{typed}\n",
        )

    def accept(self, code: str, *, typed: str = NOOR.attributes["eckId"][0]) -> Result:
        return self.run(
            *("transfer", "accept", "--school", "kompas", "--supplier", BIOSFEER),
            *(*self.as_("anna"), "--output", str(self.here / "accept.json")),
            typed=f"{code}\n{typed}\n",
        )

    def confirm(self, file: str, by: str = "bea") -> Result:
        return self.run("confirm", str(self.here / file), *self.as_(by))

    def log_in(self, person: Person, supplier: str = BIOSFEER) -> KnownPerson:
        return asyncio.run(self._log_in(person, SupplierId(supplier)))

    async def _log_in(self, person: Person, supplier: SupplierId) -> KnownPerson:
        keys = load_keys(self.folder / "keys")
        register = SqlitePersonRegister(self.data / "register.db")
        school = SchoolId(person.school.id)
        try:
            return await identify_person(
                present_stated(
                    person.attributes["eckId"][0],
                    school=school,
                    population=Population.PUPIL,
                    key=keys.root,
                ),
                register=register,
                keys=derive_register_keys(keys.register),
                school=school,
                eck_id_required=False,
                today=day_of(datetime.now(UTC)),
                random=secrets.token_bytes,
                rules=JoinRules(),
                visit=Visit(supplier, "a"),
            )
        finally:
            await register.close()


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "demo", tmp_path)
    made.set_up()
    yield made
    structlog.reset_defaults()


def code_in(result: Result) -> str:
    assert result.exit_code == 0, result.output
    found = re.search(r"^Code for the pupil: ([a-z2-7-]{39})$", result.stdout, re.M)
    assert found
    return found[1]


def test_the_supplier_is_told_of_the_account_of_before(at: Installation) -> None:
    old = at.log_in(SANNE)
    at.log_in(NOOR, "rekenrijk")
    code = code_in(at.offer())
    assert at.accept(code).exit_code == 1  # nobody confirmed the offer yet
    assert at.confirm("offer.json").exit_code == 0
    assert at.accept(code).exit_code == 0
    assert at.log_in(NOOR).previous is None
    assert at.confirm("accept.json").exit_code == 0
    assert at.log_in(NOOR).previous == old.root
    assert at.log_in(NOOR, "rekenrijk").previous is None


def test_nothing_that_names_a_pupil_is_shown_or_written(at: Installation) -> None:
    at.log_in(SANNE)
    at.log_in(NOOR)
    offered = at.offer()
    at.confirm("offer.json")
    accepted = at.accept(code_in(offered))
    shown = [offered.output, accepted.output]
    shown += [(at.here / each).read_text() for each in ("offer.json", "accept.json")]
    hidden = (*SANNE.attributes["eckId"], *NOOR.attributes["eckId"])
    assert [each for each in hidden if any(each in text for text in shown)] == []
    assert "vuurvogel" not in accepted.output + (at.here / "accept.json").read_text()


def test_one_person_alone_does_nothing(at: Installation) -> None:
    at.log_in(SANNE)
    at.log_in(NOOR)
    code = code_in(at.offer())
    assert "E-OPERATOR-6" in at.confirm("offer.json", by="anna").output
    assert "E-SECTOR-1" in at.accept(code).output


def test_a_code_works_once(at: Installation) -> None:
    at.log_in(SANNE)
    at.log_in(NOOR)
    code = code_in(at.offer())
    for file in ("offer.json", "accept.json"):
        if file == "accept.json":
            assert at.accept(code).exit_code == 0
        assert at.confirm(file).exit_code == 0
    (at.here / "accept.json").unlink()
    again = at.accept(code)
    assert (again.exit_code, "E-SECTOR-2" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("typed", "until", "told"),
    [
        (SANNE.attributes["eckId"][0], "2020-01-01", "E-SECTOR-11"),
        (NOOR.attributes["eckId"][0], SOON, "E-OPERATOR-12"),
        ("", SOON, "Standard input holds no line"),
    ],
)
def test_what_cannot_be_offered_is_refused_by_name(
    at: Installation, typed: str, until: str, told: str
) -> None:
    at.log_in(SANNE)
    refused = at.offer(typed=typed, until=until)
    assert refused.exit_code in {1, 2}
    assert told in refused.output
    assert not (at.here / "offer.json").exists()
