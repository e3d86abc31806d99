"""`broker rehearse` and `broker switch`, as people and scripts use them."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.operators_on_disk import OperatorsOnDisk, make_operator_key
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.demo.people import made_up_eck_id
from broker.domain.ids import SchoolId
from broker.domain.switches import SwitchStage
from tests.builders_saml import NOW
from tests.flow.operators import ANNA, BEA, registered_as

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
PAIR = ("vuurvogel", "--from", "vuurvogel", "--to", "leerplein")
FINE = "from_number;from_eck_id;to_number;to_eck_id\n1;;1;\n2;;2;\n"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with keys and the demo's documents in force, made once: keys take time."""
    folder = tmp_path_factory.mktemp("prepared")
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    write_federation(folder, ADDRESSES)
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    logins = folder / "federation/identity_providers"
    known = (logins / "kompas.toml").read_text()
    assert tomllib.loads(known)["issuer"] == ADDRESSES["kompas"]  # type: ignore[index]
    new = known.replace('"kompas"', '"leerplein"').replace(
        ADDRESSES["kompas"], "http://localhost:8099"
    )  # type: ignore[index]
    new = new.replace('schools = ["leerplein"]', 'schools = ["vuurvogel"]')
    (logins / "leerplein.toml").write_text("rehearsal_only = true\n" + new)
    run = ["apply", "--config", str(folder), str(folder / "federation")]
    result = CliRunner().invoke(main, run)
    assert result.exit_code == 0, result.output
    for each in (ANNA, BEA):
        OperatorsOnDisk(folder).add(registered_as(each))
        make_operator_key(folder / f"{each.name}.key", each.key)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "config"))


@pytest.fixture
def run(folder: Path) -> Run:
    def call(command: str, *arguments: str | Path, **how: object) -> Result:
        words = [command, "--config", str(folder), *map(str, arguments)]
        return CliRunner().invoke(main, words, **how)  # type: ignore[arg-type]

    return call


def a_list(folder: Path, content: str | bytes) -> Path:
    file = folder / "list.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def signer(folder: Path, name: str) -> tuple[str | Path, ...]:
    return ("--as", name, "--key", folder / f"{name}.key")


def prepared_look(run: Run, folder: Path, content: str | bytes) -> Result:
    """Let Anna prepare that a list is looked up."""
    (folder / "look.json").unlink(missing_ok=True)
    given = ("--list", a_list(folder, content), *signer(folder, "anna"))
    return run("rehearse", *PAIR, *given, "--output", folder / "look.json")


def look(run: Run, folder: Path, content: str | bytes) -> Result:
    """Let Anna prepare, and Bea confirm, that a list is looked up."""
    made = prepared_look(run, folder, content)
    assert made.exit_code == 0, made.output
    lines = [each for each in str(content).splitlines()[1:] if each]
    assert made.stdout.startswith(f"{len(lines)} lines of vuurvogel.\nPrepared in")
    how = ("--list", folder / "list.csv", *signer(folder, "bea"))
    return run("confirm", folder / "look.json", *how)


def step_of(folder: Path) -> str | None:
    steps = SqliteRegistry(folder / "data/registry.db").load().switches.get(SchoolId("vuurvogel"))
    return steps[-1].stage.value if steps else None


def test_rehearsed_switched_and_back(run: Run, folder: Path) -> None:
    assert run("rehearse", *PAIR, "--report").exit_code == 1
    listed = look(run, folder, FINE)
    assert listed.exit_code == 0, listed.output
    assert "list: 0 same, 0 changed, 2 unknown" in listed.output
    by_class = run("switch", *PAIR, "--class", "groep 7b", "--class", "groep 6a")
    assert by_class.exit_code == 0, by_class.output
    assert "classes groep 7b, groep 6a log in by leerplein" in by_class.output
    assert step_of(folder) == SwitchStage.CLASSES
    assert run("switch", *PAIR, "--all").exit_code == 0
    assert step_of(folder) == SwitchStage.ALL
    assert run("switch", "vuurvogel", "--rollback").exit_code == 0
    assert step_of(folder) is None
    history = run("switch", "vuurvogel", "--history").output
    assert [line.split("  ")[2].partition(":")[0] for line in history.splitlines()] == [
        "classes (groep 7b, groep 6a)",
        "all",
        "back",
    ]


def test_a_switch_that_nobody_rehearsed_is_refused(run: Run, folder: Path) -> None:
    refused = run("switch", *PAIR, "--all")
    assert (refused.exit_code, "E-SWITCH-7" in refused.output) == (1, True)
    assert step_of(folder) is None


SHARED = "from_number;to_number;to_eck_id\n1;7;\n2;7;\n"


def test_two_persons_may_decide_despite_changes(run: Run, folder: Path, tmp_path: Path) -> None:
    looked = look(run, folder, SHARED)
    assert (looked.exit_code, "lines 2, 3 - two persons would share" in looked.output) == (0, True)
    assert "A switch would be refused" in looked.output
    assert run("rehearse", *PAIR, "--report").exit_code == 1
    refused = run("switch", *PAIR, "--all")
    assert (refused.exit_code, "E-SWITCH-8" in refused.output) == (1, True)
    prepared = tmp_path / "switch.json"
    anna, bea = signer(folder, "anna"), signer(folder, "bea")
    assert run("switch", *PAIR, "--all", "--despite-changes").exit_code == 2
    made = run("switch", *PAIR, "--all", "--despite-changes", *anna, "--output", prepared)
    assert made.exit_code == 0, made.output
    assert step_of(folder) is None
    assert run("confirm", prepared, *anna).exit_code == 1
    assert run("confirm", prepared, *bea).exit_code == 0
    assert step_of(folder) == SwitchStage.ALL


def test_a_rehearsal_while_a_switch_runs_is_refused_by_name(run: Run, folder: Path) -> None:
    look(run, folder, FINE)
    assert run("switch", *PAIR, "--all", "--on", "2999-08-01").exit_code == 0
    for refused in (prepared_look(run, folder, FINE), run("rehearse", *PAIR, "--volunteers")):
        assert (refused.exit_code, "E-SWITCH-5" in refused.output) == (1, True)
        assert "changing to the login leerplein" in refused.output
    assert run("rehearse", *PAIR, "--report").exit_code == 0


def test_volunteers_are_let_in_and_out(run: Run, folder: Path) -> None:
    opened = run("rehearse", *PAIR, "--volunteers")
    assert "http://localhost:8000/rehearsal?school=vuurvogel" in opened.output
    assert step_of(folder) == SwitchStage.REHEARSAL
    assert run("rehearse", *PAIR, "--close").exit_code == 0
    assert step_of(folder) is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nobody", "--from", "vuurvogel", "--to", "leerplein"), "E-SWITCH-1"),
        (("vuurvogel", "--from", "vuurvogel", "--to", "nobody"), "E-SWITCH-1"),
        (("vuurvogel", "--from", "vuurvogel", "--to", "kompas"), "E-SWITCH-2"),
        (("vuurvogel", "--from", "vuurvogel", "--to", "vuurvogel"), "E-SWITCH-3"),
        (("vuurvogel", "--from", "leerplein", "--to", "vuurvogel"), "E-SWITCH-3"),
    ],
)
@pytest.mark.parametrize("command", [("rehearse", "--volunteers"), ("switch", "--all")])
def test_logins_that_are_not_the_schools_own(
    run: Run, folder: Path, command: tuple[str, str], arguments: tuple[str, ...], code: str
) -> None:
    refused = run(command[0], *arguments, command[1])
    assert (refused.exit_code, code in refused.output) == (1, True), refused.output
    assert step_of(folder) is None


ECK = made_up_eck_id("sanne")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "lacks the column"),
        ("from_number;to_number;name\n1;1;Sanne\n", "unknown one"),
        ("from_number;to_number;bsn\n1;1;999996708\n", "PGNs"),
        ("from_number;from_number;to_number\n1;1;1\n", "column twice"),
        ("from_number;to_sub\n1;1\n", "lacks the column to_number"),
        ("from_number;to_number\n", "no lines"),
        ("from_number;to_number\n1;1\n2\n", "lines 3 have more or fewer fields"),
        ("from_number;to_number;brin\n1;1;11AA\n2;2;22BB\n", "lines 3 are of another school"),
        ("from_number;to_number\n1;1\n2;2\n1;3\n", "lines 4 name a person who stands before"),
        ('from_number;to_number\n"1;1\n', "no CSV"),
        (b"from_number;to_number\n\xff;1\n", "no UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_whole(
    run: Run, folder: Path, content: str | bytes, told: str
) -> None:
    refused = prepared_look(run, folder, content)
    if "stands before" in told:  # which lines are one person's, only two learn
        assert (refused.exit_code, told in refused.output) == (0, False)
        refused = look(run, folder, content)
    assert (refused.exit_code, "E-SWITCH-10" in refused.output) == (1, True), refused.output
    assert told in refused.output
    assert not {"Sanne", "999996708", ECK} & set(refused.output.split())
    report = run("rehearse", *PAIR, "--report").output.splitlines()
    assert "list: nothing yet" in report
    assert report[-1].startswith("Not looked at: how many new pupils may come")


def test_what_would_be_refused_at_a_login_is_told_by_line(run: Run, folder: Path) -> None:
    content = f"from_number,to_number,to_eck_id\n1,1,{ECK[:-1]}\n-,2,\n3,-,\n4,4,{ECK}\n"
    looked = look(run, folder, content)
    assert looked.exit_code == 0
    assert "lines 2, 4 - what the new login states would be refused (not-usable)" in looked.output
    assert "lines 3 - what the old login states is refused today already" in looked.output
    assert ECK not in looked.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("rehearse", *PAIR),
        ("rehearse", *PAIR, "--report", "--close"),
        ("rehearse", *PAIR, "--list", __file__),
        ("switch", *PAIR),
        ("switch", *PAIR, "--all", "--class", "7b"),
        ("switch", "vuurvogel", "--all"),
        ("switch", *PAIR, "--rollback"),
    ],
)
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_nothing_to_take_back_or_to_end(run: Run) -> None:
    for how in ("--rollback", "--done"):
        refused = run("switch", "vuurvogel", how)
        assert (refused.exit_code, "E-SWITCH-6" in refused.output) == (1, True)
    assert "No step" in run("switch", "vuurvogel", "--history").output


def test_a_switch_ends_when_the_documents_say_the_same(run: Run, folder: Path) -> None:
    look(run, folder, FINE)
    run("switch", *PAIR, "--all")
    assert "E-SWITCH-9" in run("switch", "vuurvogel", "--done").output
    logins = folder / "federation/identity_providers"
    new, old = logins / "leerplein.toml", logins / "vuurvogel.toml"
    new.write_text(new.read_text().replace("rehearsal_only = true\n", ""))
    run("apply", folder / "federation")
    assert "E-SWITCH-9" in run("switch", "vuurvogel", "--done").output
    old.write_text("enabled = false\n" + old.read_text())
    run("apply", folder / "federation")
    ended = run("switch", "vuurvogel", "--done")
    assert ended.exit_code == 0, ended.output
    assert step_of(folder) is None
    assert "list: nothing yet" in run("rehearse", *PAIR, "--report").output


def test_a_day_that_is_over(run: Run, folder: Path) -> None:
    look(run, folder, FINE)
    refused = run("switch", *PAIR, "--all", "--on", "2020-01-01")
    assert (refused.exit_code, "E-SWITCH-13" in refused.output) == (1, True)
