"""The commands for operators and receipts, as two people type them, over real files."""

import asyncio
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.receipts import SqliteReceiptLog
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.keys.keys_on_disk import load_keys
from broker.domain.attributes import Population
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.flow.held_state.framing import NONCE_BYTES
from broker.flow.operators.operator_actions import present_stated
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import KnownPerson, identify_person
from broker.flow.persons.register import derive_register_keys
from broker.flow.receipts.receipts import (
    ReceiptContent,
    derive_receipt_keys,
    locate_receipts,
    read_receipts,
    seal_receipt,
    week_of,
)
from broker.pseudonyms.derivation import root_anew

SCHOOL, SUPPLIER = SchoolId("vuurvogel"), SupplierId("rekenrijk")
NUMBER, ECK_ID = "20210042", "https://ketenid.nl/201703/" + "ab" * 64
TODAY = date(2026, 9, 7)
AT = int(datetime(2026, 9, 7, 8, 10, tzinfo=UTC).timestamp())


@dataclass
class Installation:
    """A broker's folder, and the people who work with it."""

    folder: Path
    here: Path

    def set_up(self) -> None:
        """Make keys and databases, as a first start does."""
        self.folder.mkdir()
        (self.folder / "broker.toml").write_text('issuer = "https://broker.example"\n')
        assert self.run("keys", "init").exit_code == 0
        (self.folder / "data").mkdir(mode=0o700)
        keys = self.folder / "keys"
        DataFolder(self.folder / "data", keys, load_keys(keys)).open()

    def run(self, *arguments: str | Path, typed: str | None = None) -> Result:
        command = [*map(str, arguments)]
        if command[:2] != ["operator", "keygen"]:
            command += ["--config", str(self.folder)]
        return CliRunner().invoke(main, command, input=typed)

    def key(self, name: str) -> Path:
        return self.here / f"{name}.key"

    def make_key(self, name: str) -> Path:
        """Make a key and return the file with its public half."""
        made = self.run("operator", "keygen", self.key(name))
        assert made.exit_code == 0, made.output
        public = self.here / f"{name}.pem"
        public.write_text(made.stdout)
        public.chmod(0o644)
        return public

    def add(self, name: str, **options: str | Path) -> Result:
        return self.run("operator", "add", name, self.make_key(name), *spelled(options))

    def as_(self, name: str) -> tuple[str | Path, ...]:
        return ("--as", name, "--key", self.key(name))

    def erase(self, typed: str, *more: str, by: str = "anna", output: str = "erase.json") -> Result:
        return self.run(
            *("person", "erase", "--school", SCHOOL, *self.as_(by), *more),
            *("--output", self.here / output),
            typed=typed,
        )

    def confirm(self, output: str = "erase.json", by: str = "bea") -> Result:
        return self.run("confirm", self.here / output, *self.as_(by))

    @property
    def receipts(self) -> Path:
        return self.folder / "data" / "receipts.db"

    def login(self, stated: str = NUMBER, *, releases: int = 3) -> KnownPerson:
        """Log a pupil in, with a receipt for each release, and a head over them."""
        return asyncio.run(self._login(stated, releases))

    async def _login(self, stated: str, releases: int) -> KnownPerson:
        keys = load_keys(self.folder / "keys")
        register = SqlitePersonRegister(self.folder / "data" / "register.db")
        log = SqliteReceiptLog(self.receipts, receipt_key=keys.receipts, random=secrets.token_bytes)
        known = await identify_person(
            self.presented(stated),
            register=register,
            keys=derive_register_keys(keys.register),
            school=SCHOOL,
            eck_id_required=False,
            today=TODAY,
            random=secrets.token_bytes,
            rules=JoinRules(),
            anew=partial(root_anew, key=keys.root),
        )
        sealing = derive_receipt_keys(
            keys.receipts, root=known.root, school=SCHOOL, salt=known.salt
        )
        for _ in range(releases):
            await log.append(
                seal_receipt(a_receipt(), keys=sealing, nonce=secrets.token_bytes(NONCE_BYTES))
            )
        await log.make_head(now=datetime(2026, 9, 7, 9, tzinfo=UTC))
        await log.close()
        await register.close()
        return known

    def presented(self, stated: str) -> Presented:
        keys = load_keys(self.folder / "keys")
        return present_stated(stated, school=SCHOOL, population=Population.PUPIL, key=keys.root)

    def receipts_of(self, known: KnownPerson) -> list[ReceiptContent]:
        """Return what opens with what a person's register row holds."""

        async def read() -> list[ReceiptContent]:
            key = load_keys(self.folder / "keys").receipts
            log = SqliteReceiptLog(self.receipts, receipt_key=key, random=secrets.token_bytes)
            found = await read_receipts(
                log,
                locate_receipts(
                    key,
                    root=known.root,
                    salt=known.salt,
                    schools=[SCHOOL],
                    suppliers=[SUPPLIER],
                    weeks=[week_of(TODAY)],
                ),
            )
            await log.close()
            return found

        return asyncio.run(read())

    def tamper(self, *statements: str) -> None:
        """Change the log as somebody with the file would."""
        with closing(sqlite3.connect(self.receipts)) as connection, connection:
            for statement in statements:
                assert connection.execute(statement).rowcount > 0


def spelled(options: dict[str, str | Path]) -> list[str | Path]:
    return [part for name, value in options.items() for part in (f"--{name.strip('_')}", value)]


def a_receipt() -> ReceiptContent:
    return ReceiptContent(
        school=SCHOOL,
        supplier=SUPPLIER,
        relying_party=RelyingPartyId("rekenrijk"),
        agreement_version=1,
        epoch="a",
        at=AT,
        released=("givenName",),
        withheld=(),
    )


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that each test copies: making keys takes its time."""
    here = tmp_path_factory.mktemp("pristine")
    Installation(here / "config", here).set_up()
    return here


@pytest.fixture
def empty(pristine: Path, tmp_path: Path) -> Iterator[Installation]:
    """A broker without operators."""
    shutil.copytree(pristine, tmp_path, dirs_exist_ok=True)
    yield Installation(tmp_path / "config", tmp_path)
    structlog.reset_defaults()


@pytest.fixture
def broker(empty: Installation) -> Installation:
    """A broker with two operators."""
    assert empty.add("anna").exit_code == 0
    assert empty.add("bea").exit_code == 0
    return empty


def test_keygen_makes_a_private_file_once_and_prints_the_public_half(empty: Installation) -> None:
    public = empty.make_key("anna")
    assert empty.key("anna").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" in empty.key("anna").read_text()
    assert "PRIVATE" not in public.read_text()
    before = empty.key("anna").read_bytes()
    again = empty.run("operator", "keygen", empty.key("anna"))
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert empty.key("anna").read_bytes() == before


def test_the_first_two_operators_are_added_at_once(empty: Installation) -> None:
    assert "No operators yet" in empty.run("operator", "list").output
    assert empty.add("anna").exit_code == empty.add("bea").exit_code == 0
    listed = empty.run("operator", "list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["anna", "bea"]


def test_the_third_operator_takes_two(broker: Installation) -> None:
    alone = broker.add("cas")
    assert (alone.exit_code, "E-OPERATOR-11" in alone.stderr) == (1, True)
    broker.key("cas").unlink()
    output = broker.here / "cas.json"
    options = {"as_": "anna", "key": broker.key("anna"), "output": output}
    prepared = broker.add("cas", **options)
    assert prepared.exit_code == 0, prepared.output
    assert "cas" not in broker.run("operator", "list").stdout
    assert output.stat().st_mode & 0o777 == 0o600
    confirmed = broker.confirm("cas.json")
    assert confirmed.exit_code == 0, confirmed.output
    assert "operator-add" in confirmed.stdout
    assert "cas" in broker.run("operator", "list").stdout


def test_options_that_belong_together_are_wrong_usage_alone(broker: Installation) -> None:
    assert broker.add("cas", as_="anna").exit_code == 2
    assert broker.run("operator", "add", "../cas", broker.key("anna")).exit_code == 2


def test_what_is_no_public_key_is_said(empty: Installation) -> None:
    empty.make_key("anna")
    said = empty.run("operator", "add", "anna", empty.key("anna"))
    assert said.exit_code == 1
    assert "holds no Ed25519 public key" in " ".join(said.stderr.split())


def test_operators_that_cannot_be_trusted_stop_everything(broker: Installation) -> None:
    (broker.folder / "operators" / "anna.pem").chmod(0o666)
    said = broker.run("operator", "list")
    assert said.exit_code == 1
    assert "E-OPERATOR-14" in said.stderr
    assert "can be changed by others" in " ".join(said.stderr.split())


@pytest.mark.parametrize("typed", [NUMBER, ECK_ID])
def test_a_person_is_erased_by_two(broker: Installation, typed: str) -> None:
    before = broker.login(typed)
    other = broker.login("20210043")
    assert len(broker.receipts_of(before)) == 3
    prepared = broker.erase(f"{typed}\n")
    assert prepared.exit_code == 0, prepared.output
    document = (broker.here / "erase.json").read_text()
    assert typed.rpartition("/")[2] not in document + prepared.output
    assert json.loads(document)["body"]["action"] == "person-erase"

    confirmed = broker.confirm()
    assert confirmed.exit_code == 0, confirmed.output
    assert "prepared by anna, confirmed by bea" in confirmed.stdout

    verified = broker.run("receipts", "verify")
    assert (verified.exit_code, verified.stdout.split()[0]) == (0, "6")
    after = broker.login(typed, releases=1)
    assert after.salt != before.salt
    assert (after.root == before.root) is (typed == ECK_ID)  # a number may be the next pupil's
    assert len(broker.receipts_of(after)) == 1  # of those before, nothing is found any more
    assert len(broker.receipts_of(other)) == 3
    assert broker.run("receipts", "verify").exit_code == 0


def test_the_trace_of_an_erasure_names_operators_and_no_person(broker: Installation) -> None:
    broker.login()
    said = broker.erase(f"{NUMBER}\n").stderr + broker.confirm().stderr
    events = [json.loads(line) for line in said.splitlines()]
    assert [each["event"] for each in events] == [
        *("action-prepared", "action-confirmed", "action-done"),
    ]
    assert events[-1]["operators"] == ["anna", "bea"]
    (trace,) = (broker.folder / "data" / "used-actions").iterdir()
    assert trace.stem == events[0]["reference"] == events[2]["reference"]
    assert NUMBER not in said + trace.read_text()


@pytest.mark.parametrize("typed", ["", " \n"])
def test_no_number_is_told_as_such(broker: Installation, typed: str) -> None:
    told = broker.erase(typed)
    assert (told.exit_code, "holds no number" in told.output) == (2, True)


def test_one_person_alone_erases_nobody(broker: Installation) -> None:
    known = broker.login()
    assert broker.erase(NUMBER).exit_code == 0
    alone = broker.confirm(by="anna")
    assert (alone.exit_code, "E-OPERATOR-6" in alone.stderr) == (1, True)
    assert broker.login(releases=0).salt == known.salt
    assert broker.confirm(by="bea").exit_code == 0
    assert broker.login(releases=0).salt != known.salt


def test_a_confirmed_action_works_once(broker: Installation) -> None:
    broker.login()
    assert broker.erase(NUMBER).exit_code == 0
    assert broker.confirm().exit_code == 0
    known = broker.login()
    again = broker.confirm()
    assert (again.exit_code, "E-OPERATOR-8" in again.stderr) == (1, True)
    assert broker.login(releases=0).salt == known.salt


def test_nothing_is_prepared_for_a_stranger(broker: Installation) -> None:
    broker.login()
    said = broker.erase("20210099\n")
    assert (said.exit_code, "E-OPERATOR-12" in said.stderr) == (1, True)
    assert not (broker.here / "erase.json").exists()
    assert broker.erase(NUMBER, "--staff").exit_code == 1
    assert broker.erase(NUMBER).exit_code == 0


def test_an_identifier_that_is_none_is_refused(broker: Installation) -> None:
    assert "E-PSEUDONYM-2" in broker.erase("9" * 70_000).stderr
    assert "E-PSEUDONYM-1" in broker.erase(ECK_ID[:-1]).stderr


def test_nothing_is_written_over(broker: Installation) -> None:
    broker.login()
    assert broker.erase(NUMBER, output="bea.key").exit_code == 1
    assert "PRIVATE" in broker.key("bea").read_text()


def test_a_file_that_is_no_prepared_action_is_refused(broker: Installation) -> None:
    (broker.here / "erase.json").write_text("{}")
    said = broker.confirm()
    assert (said.exit_code, "E-OPERATOR-1:" in said.stderr) == (1, True)
    (broker.here / "erase.json").unlink()
    assert broker.confirm().exit_code == 1


def test_at_a_terminal_the_identifier_is_typed_unseen_and_twice(
    broker: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def prompt(text: str, **how: object) -> str:
        asked.append({"text": text, **how})
        return NUMBER

    broker.login()
    monkeypatch.setattr("broker.commands.operators.click.prompt", prompt)
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True)
    assert broker.erase("").exit_code == 0
    assert broker.erase("", "--staff", output="staff.json").exit_code == 1
    assert [each.pop("text") for each in asked] == ["Pupil number or ECK iD", "Staff number"]
    assert all(each["hide_input"] and each["confirmation_prompt"] for each in asked)


def test_an_untouched_log_verifies(broker: Installation) -> None:
    broker.login()
    said = broker.run("receipts", "verify")
    assert said.exit_code == 0
    assert said.stdout == "3 receipts of 1 writers under 1 heads: all as they were written.\n"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE receipts SET ciphertext = x'00' WHERE {line} 2"], ["line-changed", "line 2"]),
        (["UPDATE receipts SET school = 'kompas' WHERE {line} 1"], ["line-changed", "line 1"]),
        (["DELETE FROM receipts WHERE {line} 2"], ["line-removed", "line 2"]),
        (["DELETE FROM receipts WHERE {line} 3"], ["tail-cut-off", "line 3"]),
        (
            [
                "UPDATE receipts SET sequence = 9 WHERE {line} 1",
                "UPDATE receipts SET sequence = 1 WHERE {line} 2",
                "UPDATE receipts SET sequence = 2 WHERE {line} 9",
            ],
            ["line-changed", "line 1", "line 2"],
        ),
    ],
)
def test_a_log_that_was_tampered_with_is_told_by_writer_and_line(
    broker: Installation, statements: list[str], found: list[str]
) -> None:
    broker.login()
    broker.login("20210043")
    with closing(sqlite3.connect(broker.receipts)) as connection:
        writer = connection.execute("SELECT min(writer) FROM receipt_writers").fetchone()[0].hex()
    line = f"writer = x'{writer}' AND sequence ="
    broker.tamper(*(each.format(line=line) for each in statements))
    said = broker.run("receipts", "verify")
    assert said.exit_code == 1
    assert [each for each in (*found, f"writer {writer}") if each not in said.stderr] == []
    assert said.stdout == ""


def test_a_head_that_was_removed_is_told(broker: Installation) -> None:
    broker.login()
    broker.login("20210043")  # its tip vouches for the head before
    broker.tamper("DELETE FROM receipt_heads")
    said = broker.run("receipts", "verify")
    assert (said.exit_code, "head-removed: head 1" in said.stderr) == (1, True)


def test_a_log_put_back_as_it_was_shows_against_a_kept_head(broker: Installation) -> None:
    broker.login()
    earlier = broker.receipts.read_bytes()
    broker.login("20210043")
    kept = broker.here / "kept.json"
    assert broker.run("receipts", "head", "--output", kept).exit_code == 0
    assert broker.run("receipts", "verify", "--head", kept).exit_code == 0
    broker.receipts.write_bytes(earlier)
    assert broker.run("receipts", "verify").exit_code == 0
    said = broker.run("receipts", "verify", "--head", kept)
    assert said.exit_code == 1
    assert said.stderr.startswith("put-back: head 2\nThis log is an earlier one than the one under")


def test_heads_are_printed_with_the_key_to_check_them(broker: Installation) -> None:
    broker.login()
    broker.login("20210043")
    newest = json.loads(broker.run("receipts", "head").stdout)
    both = json.loads(broker.run("receipts", "head", "--count", "5").stdout)
    assert [each["number"] for each in newest["heads"]] == [2]
    assert [each["number"] for each in both["heads"]] == [1, 2]
    assert newest["public_key"] == both["public_key"]


def test_without_a_log_or_heads_the_commands_say_so(broker: Installation) -> None:
    assert "holds no head yet" in broker.run("receipts", "head").stderr
    broker.receipts.write_bytes(b"no database" * 500)
    for command in ("head", "verify"):
        said = broker.run("receipts", command)
        assert (said.exit_code, "cannot be read" in said.stderr) == (1, True)
    broker.receipts.unlink()
    for command in ("head", "verify"):
        said = broker.run("receipts", command)
        assert (said.exit_code, "is not there" in said.stderr) == (1, True)


def test_a_file_without_heads_is_refused(broker: Installation) -> None:
    broker.login()
    (broker.here / "kept.json").write_text("{}")
    said = broker.run("receipts", "verify", "--head", broker.here / "kept.json")
    assert (said.exit_code, "holds no heads" in said.stderr) == (1, True)
