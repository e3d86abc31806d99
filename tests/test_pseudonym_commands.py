"""`broker pseudonyms` and the next epoch's key, as operators type them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_init import init_keys
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.domain.ids import SupplierId
from tests.builders_saml import NOW

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
REKENRIJK = SupplierId("rekenrijk")

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with keys and the demo's documents in force, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    write_federation(folder, ADDRESSES)
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    federation = str(folder / "federation")
    CliRunner().invoke(main, ["apply", "--config", str(folder), federation])
    return folder


@pytest.fixture
def config(tmp_path: Path, prepared: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(prepared, tmp_path / "config"))


@pytest.fixture
def run(config: Path) -> Run:
    def run_command(command: str, *rest: str) -> Result:
        return CliRunner().invoke(main, [*command.split(), "--config", str(config), *rest])

    return run_command


def in_force(config: Path) -> tuple[str, str | None]:
    supplier = SqliteRegistry(config / "data" / "registry.db").load().suppliers[REKENRIJK]
    return supplier.epoch, supplier.previous_epoch


def test_the_next_epoch_is_made_beside_the_others(run: Run, config: Path) -> None:
    first = (config / "keys/pairwise/a.hex").read_bytes()
    made = run("keys init", "--next-epoch")
    assert (made.exit_code, "pairwise/b.hex" in made.output) == (0, True)
    assert (config / "keys/pairwise/a.hex").read_bytes() == first
    assert in_force(config) == ("a", None)
    assert run("keys init").output == "Nothing to do: every key is there.\n"
    assert "pairwise/c.hex" in run("keys init", "--next-epoch").output


def test_a_letter_is_never_given_twice(run: Run, config: Path) -> None:
    run("keys init", "--next-epoch")
    run("pseudonyms status", "--supplier", "rekenrijk")  # the registry gets to know it
    (config / "keys/pairwise/b.hex").unlink()
    assert "pairwise/c.hex" in run("keys init", "--next-epoch").output


def test_after_the_last_letter_there_is_no_next_epoch(run: Run, config: Path) -> None:
    key = "ab" * 32
    (config / "keys/pairwise/z.hex").write_text(key + "\n")
    (config / "keys/pairwise/z.hex").chmod(0o600)
    refused = run("keys init", "--next-epoch")
    assert (refused.exit_code, "each letter" in refused.output) == (1, True)
    assert "Traceback" not in refused.output


def test_a_rotation_from_its_beginning_to_its_end(run: Run, config: Path) -> None:
    run("keys init", "--next-epoch")
    of = ("--supplier", "rekenrijk")
    assert "from epoch a to b" in run("pseudonyms rotate", *of).output
    assert in_force(config) == ("b", "a")
    assert "rotation to epoch b, from a" in run("pseudonyms status", *of).output
    assert "epoch a is in use again" in run("pseudonyms rollback", *of).output
    assert in_force(config) == ("a", "b")
    assert "turned back to epoch a" in run("pseudonyms status", *of).output
    assert "closed, at epoch a" in run("pseudonyms close", *of).output
    assert in_force(config) == ("a", None)
    assert "no rotation under way" in run("pseudonyms status", *of).output
    assert run("pseudonyms rotate", *of, "--to", "b").exit_code == 0


@pytest.mark.parametrize(
    ("command", "supplier", "more", "says"),
    [
        ("rotate", "rekenrijk", ("--to", "a"), "E-ROTATION-5"),
        ("rotate", "rekenrijk", (), "E-ROTATION-5"),  # there is no newer one
        ("rotate", "rekenrijk", ("--to", "q"), "E-ROTATION-4"),
        ("rotate", "nobody", (), "E-ROTATION-1: There is no supplier nobody."),
        ("rollback", "rekenrijk", (), "E-ROTATION-3"),
        ("close", "rekenrijk", (), "E-ROTATION-3"),
        ("status", "nobody", (), "E-ROTATION-1"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    run: Run, config: Path, command: str, supplier: str, more: tuple[str, ...], says: str
) -> None:
    refused = run(f"pseudonyms {command}", "--supplier", supplier, *more)
    assert (refused.exit_code, says in refused.output) == (1, True), refused.output
    assert in_force(config) == ("a", None)


def test_check_tells_of_a_window_whose_key_is_gone(run: Run, config: Path) -> None:
    run("keys init", "--next-epoch")
    run("pseudonyms rotate", "--supplier", "rekenrijk", "--to", "b")
    assert "epoch a" not in run("check").output
    (config / "keys/pairwise/a.hex").unlink()
    told = run("check")
    assert told.exit_code == 1
    assert "is in a rotation with epoch a, which has no key" in told.output


def test_a_supplier_is_named_by_its_slug(run: Run) -> None:
    assert run("pseudonyms rotate", "--supplier", "../x").exit_code == 2


def test_a_key_that_suppliers_need_stays(run: Run, config: Path) -> None:
    key = config / "keys/pairwise/a.hex"
    told = run("keys remove", "--yes", "pairwise/a.hex")
    assert (told.exit_code, "is the only one" in told.output) == (1, True)
    run("keys init", "--next-epoch")
    told = run("keys remove", "--yes", "pairwise/a.hex")
    assert "is needed for the pseudonyms of biosfeer, rekenrijk, taaltuin" in told.output
    assert run("keys remove", "--yes", "pairwise/q.hex").exit_code == 1
    for each in ("biosfeer", "rekenrijk", "taaltuin"):
        run("pseudonyms rotate", "--supplier", each)
    told = run("keys remove", "--yes", "pairwise/a.hex")  # windows are open
    assert "is needed for the pseudonyms of biosfeer, rekenrijk, taaltuin" in told.output
    for each in ("biosfeer", "rekenrijk", "taaltuin"):
        run("pseudonyms close", "--supplier", each)
    assert run("keys remove", "pairwise/a.hex").exit_code == 1  # nobody says yes
    assert key.exists()
    assert run("keys remove", "--yes", "pairwise/a.hex").exit_code == 0
    assert not key.exists()
    assert run("check").exit_code == 0, run("check").output
    assert "pairwise/c.hex" in run("keys init", "--next-epoch").output


def test_a_key_that_nobody_used_yet_may_go(run: Run, config: Path) -> None:
    run("keys init", "--next-epoch")
    assert run("keys remove", "--yes", "pairwise/b.hex").exit_code == 0
    assert in_force(config) == ("a", None)
