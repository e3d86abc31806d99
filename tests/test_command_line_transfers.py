"""`broker transfer`, and what two persons decide with `broker person`, as operators run them."""

import asyncio
import secrets
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import Result

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.keys.keys_on_disk import load_keys
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.persons.arrival_budgets import ArrivalWaits
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import Presented
from broker.flow.persons.persons import identify_person
from broker.flow.persons.register import derive_register_keys
from tests.test_command_line_operators import Installation, broker, empty, pristine

__all__ = ["broker", "empty", "pristine"]  # fixtures

ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
OTHER_ECK_ID = "https://ketenid.nl/201703/" + "cd" * 64
HERE, THERE = SchoolId("vuurvogel"), SchoolId("regenboog")


def login(broker: Installation, school: SchoolId, *stated: str, day: date | None = None) -> str:
    """Log a pupil in with what is stated, and return the account, in hexadecimal digits."""

    async def at_once() -> str:
        keys = load_keys(broker.folder / "keys")
        roots = [
            present_stated(each, school=school, population=Population.PUPIL, key=keys.root)
            for each in stated
        ]
        register = SqlitePersonRegister(broker.folder / "data" / "register.db")
        try:
            known = await identify_person(
                Presented(
                    Population.PUPIL,
                    eck_id=next((each.eck_id for each in roots if each.eck_id), None),
                    local=next((each.local for each in roots if each.local), None),
                ),
                register=register,
                keys=derive_register_keys(keys.register),
                school=school,
                eck_id_required=False,
                today=day or day_of(datetime.now(UTC)),
                random=secrets.token_bytes,
                rules=JoinRules(),
            )
        finally:
            await register.close()
        return known.root.hex()

    return asyncio.run(at_once())


def decide(broker: Installation, *command: str, typed: str) -> Result:
    output = broker.here / "decided.json"
    output.unlink(missing_ok=True)
    return broker.run(*command, *broker.as_("anna"), "--output", output, typed=typed)


def done(broker: Installation, *command: str, typed: str) -> str:
    """Prepare and confirm, and return what the first command showed."""
    prepared = decide(broker, *command, typed=typed)
    assert prepared.exit_code == 0, prepared.output
    confirmed = broker.confirm("decided.json")
    assert confirmed.exit_code == 0, confirmed.output
    return prepared.stdout


@pytest.fixture
def moved(broker: Installation) -> Installation:
    """A pupil of vuurvogel whom regenboog states since today."""
    before = day_of(datetime.now(UTC)) - timedelta(days=3)
    login(broker, HERE, ECK_ID, "1", day=before)
    login(broker, THERE, ECK_ID, "9")
    return broker


def test_objection_of_the_school_of_before(moved: Installation) -> None:
    shown = done(moved, "transfer", "object", HERE, typed="1\n")
    assert "1 other school" in shown
    assert "regenboog" not in shown
    assert login(moved, HERE, ECK_ID, "1") != login(moved, THERE, ECK_ID, "9")
    assert ECK_ID[-20:] not in (moved.here / "decided.json").read_text()
    again = decide(moved, "transfer", "object", HERE, typed="1\n")
    assert (again.exit_code, "E-TRANSFER-1" in again.stderr) == (1, True)


def test_objection_to_one_of_several_by_the_day(moved: Installation) -> None:
    today = day_of(datetime.now(UTC))
    yesterday = today - timedelta(days=1)
    own = login(moved, HERE, ECK_ID, "1")
    login(moved, "kompas", ECK_ID, "5", day=yesterday)
    nothing = decide(moved, "transfer", "object", HERE, "--arrived", "2020-01-01", typed="1\n")
    assert (nothing.exit_code, "E-TRANSFER-1" in nothing.stderr) == (1, True)
    both = decide(moved, "transfer", "object", HERE, typed="1\n").stdout
    assert (
        f"2 other schools stated this pupil after this one did, first on {yesterday}, {today}."
        in both
    )
    shown = done(moved, "transfer", "object", HERE, "--arrived", str(yesterday), typed="1\n")
    assert f"1 other school stated this pupil after this one did, first on {yesterday}." in shown
    assert "1 other school stated this pupil on other days" in shown
    assert login(moved, THERE, ECK_ID, "9") == own != login(moved, "kompas", ECK_ID, "5")


def test_objection_is_taken_back(moved: Installation) -> None:
    nothing = decide(moved, "transfer", "withdraw", HERE, typed="1\n")
    assert (nothing.exit_code, "E-TRANSFER-1" in nothing.stderr) == (1, True)
    own = login(moved, HERE, ECK_ID, "1")
    done(moved, "transfer", "object", HERE, typed="1\n")
    assert login(moved, THERE, ECK_ID, "9") != own
    shown = done(moved, "transfer", "withdraw", HERE, typed="1\n")
    assert "opens again what it opened before: 1." in shown
    assert "regenboog" not in shown
    assert login(moved, THERE, ECK_ID, "9") == own


def test_objection_by_the_new_school_is_refused(moved: Installation) -> None:
    refused = decide(moved, "transfer", "object", THERE, typed="9\n")
    assert (refused.exit_code, "E-TRANSFER-1" in refused.stderr) == (1, True)
    assert not (moved.here / "decided.json").exists()


def test_who_came_later_begins_anew(moved: Installation) -> None:
    own = login(moved, HERE, ECK_ID, "1")
    assert login(moved, THERE, "9") == own
    done(moved, "person", "begin-anew", THERE, typed="9\n")
    assert login(moved, HERE, ECK_ID, "1") == own
    fresh = {login(moved, THERE, *each) for each in ((ECK_ID, "9"), ("9",), (ECK_ID,))}
    assert len(fresh) == 1
    assert own not in fresh


def test_confirmation(moved: Installation) -> None:
    done(moved, "transfer", "confirm", HERE, typed="1\n")
    again = decide(moved, "transfer", "confirm", HERE, typed="1\n")
    assert (again.exit_code, "E-TRANSFER-1" in again.stderr) == (1, True)


def test_protected_pupil_waits_until_the_school_of_before_confirms(broker: Installation) -> None:
    account = login(broker, HERE, ECK_ID, "1")
    done(broker, "person", "protect", HERE, typed="1\n")
    with pytest.raises(ArrivalWaits):
        login(broker, THERE, ECK_ID, "9", day=day_of(datetime.now(UTC)) + timedelta(days=1))
    refused = decide(broker, "transfer", "confirm", THERE, typed=ECK_ID + "\n")
    assert "E-TRANSFER-2" in refused.stderr
    done(broker, "transfer", "confirm", HERE, typed="1\n")
    assert login(broker, THERE, ECK_ID, "9") == account
    done(broker, "person", "unprotect", HERE, typed="1\n")


def test_join_split_and_undo(broker: Installation) -> None:
    own = login(broker, HERE, "1")
    login(broker, THERE, ECK_ID)
    eck = login(broker, HERE, ECK_ID, "1")
    assert own != eck
    shown = done(broker, "person", "join", HERE, typed=f"1\n{ECK_ID}\n")
    assert "Suppliers" not in shown
    assert login(broker, HERE, "1") == eck
    done(broker, "person", "undo-join", HERE, typed="1\n")
    assert login(broker, HERE, "1") == own
    login(broker, HERE, OTHER_ECK_ID, "2")
    prepared = decide(broker, "person", "join", HERE, typed=f"2\n{ECK_ID}\n")
    assert prepared.stdout.splitlines()[0] == shown.splitlines()[0], "nobody learns it alone"
    assert "E-TRANSFER-3" in broker.confirm("decided.json").stderr
    done(broker, "person", "split", HERE, typed="2\n")
    assert login(broker, HERE, "2") != login(broker, HERE, OTHER_ECK_ID, "2")


@pytest.mark.parametrize("typed", ["1\n2\n", f"{ECK_ID}\n1\n", "\n"])
def test_join_needs_a_number_and_an_eck_id(broker: Installation, typed: str) -> None:
    assert decide(broker, "person", "join", HERE, typed=typed).exit_code == 2


def test_list_of_a_school_that_is_not_there(broker: Installation) -> None:
    shown = broker.run("transfer", "list", "nowhere")
    assert (shown.exit_code, "no school nowhere" in shown.output) == (2, True)
