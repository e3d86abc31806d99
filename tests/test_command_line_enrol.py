"""`broker enrol`, as an operator types it: what it says, and that it says nothing of anybody."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.keys.keys_on_disk import load_keys
from broker.demo.addresses import Party
from broker.demo.run import prepare_world
from tests.web.broker_site import PLACES

ECK_ID = "https://ketenid.nl/201703/" + "ab" * 64
SUB = "108293746501928374650"
HEADER = "login,eck_id,branch"
LISTED = f"{HEADER}\n{SUB},{ECK_ID},11AA00\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("enrol") / "world"
    prepare_world(folder, PLACES | {Party.BROKER: "http://localhost:1"})
    (folder / "broker.toml").write_text('issuer = "http://localhost:1"\n')
    return folder


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Commands configure logs for their process, onto a stream that ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def folder(made: Path) -> Path:
    """A broker that knows schools, and no list yet."""
    DataFolder(made / "data", made / "keys", load_keys(made / "keys")).open()
    with closing(sqlite3.connect(made / "data/register.db")) as connection:
        for table in ("enrolments", "enrolment_feeds"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
    return made


def enrol(folder: Path, text: str | bytes, *more: str, school: str = "vuurvogel") -> Result:
    file = folder.parent / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(main, ["enrol", "--config", str(folder), school, str(file), *more])


def events(result: Result) -> list[dict[str, Any]]:
    lines = [each for each in result.stderr.splitlines() if each.startswith("{")]
    return [json.loads(each) for each in lines]


def resting(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "data/register.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM enrolments").fetchone()
    return int(count)


def test_a_plan_then_the_list(folder: Path) -> None:
    planned = enrol(folder, LISTED, "--dry-run")
    assert planned.exit_code == 0
    assert "1 new, 0 changed, 0 unchanged, 0 gone" in planned.stdout
    assert resting(folder) == 0
    done = enrol(folder, LISTED)
    assert (done.exit_code, resting(folder)) == (0, 1)
    assert done.stdout.endswith("In force.\n")
    again = enrol(folder, LISTED)
    assert "nothing changed but the day" in again.stdout
    for each in (planned, done, again):
        assert SUB not in each.output
        assert ECK_ID not in each.output


def test_who_is_somebody_else_is_refused_and_not_counted(folder: Path) -> None:
    """A made-up list would else tell one operator which login and ECK iD belong together."""
    enrol(folder, LISTED)
    other, of_nobody = LISTED.replace("ab", "ac"), LISTED.replace(SUB, "x" + SUB)
    refused = enrol(folder, other)
    assert refused.exit_code == 1
    assert refused.stdout.startswith("1 listed, 1 rest now: more than the settings allow")
    assert "E-ENROLMENT-3" in refused.stderr
    for allowed in ((), ("--allow-vanishing",)):
        seen = {enrol(folder, each, "--dry-run", *allowed).stdout for each in (other, of_nobody)}
        assert len(seen) == 1
    assert enrol(folder, other, "--allow-vanishing").exit_code == 0


def test_lines_that_cannot_be_used_are_named(folder: Path) -> None:
    refused = enrol(folder, f"{LISTED}2,nonsense,11AA00\n{SUB},{ECK_ID},\n")
    assert refused.exit_code == 1
    assert "line 3: eck_id is not in the agreed form" in refused.stderr
    assert "line 4: login stands in line 2 as well" in refused.stderr
    assert "E-ENROLMENT-2" in refused.stderr
    assert "nonsense" not in refused.output
    assert resting(folder) == 0


def test_many_of_them_are_counted(folder: Path) -> None:
    rows = "".join(f"{each},x{each},\n" for each in range(105))
    refused = enrol(folder, f"{HEADER}\n{rows}")
    assert "... and 5 more" in refused.stderr


@pytest.mark.parametrize("text", [b"", b"\xff", b"sub\nx"])
def test_what_is_no_list_is_refused(folder: Path, text: bytes) -> None:
    refused = enrol(folder, text)
    assert refused.exit_code == 1
    assert "E-ENROLMENT-1" in refused.stderr


def test_a_list_has_a_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_LIMITS__API_BODY_BYTES", "100")
    refused = enrol(folder, LISTED)
    assert refused.exit_code == 1
    assert "E-ENROLMENT-1" in refused.stderr


def test_a_school_is_known(folder: Path) -> None:
    refused = enrol(folder, LISTED, school="nowhere")
    assert refused.exit_code == 1
    assert "is no school in force" in refused.stderr
    assert enrol(folder, LISTED, school="regenboog").exit_code == 1  # another school's location
    assert enrol(folder, LISTED).exit_code == 0


def test_each_leaves_one_event(folder: Path) -> None:
    texts = (LISTED, f"{HEADER}\n", f"{HEADER}\n1,x,\n", LISTED)
    told = [events(enrol(folder, text)) for text in texts]
    assert [len(each) for each in told] == [1, 1, 1, 1]
    (done,), (vanished,), (refused,), _ = told
    assert (done["event"], done["school"]) == ("enrolled", "vuurvogel")
    assert (vanished["event"], vanished["check"]) == ("refused", "check_vanishing_bounded")
    assert (refused["event"], refused["check"]) == ("refused", "check_lines")
    assert events(enrol(folder, LISTED, "--dry-run")) == []
