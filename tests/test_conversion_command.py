"""`broker pseudonyms convert`: a list in, a list out, whole or not at all."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.adapters.conversion_files import LINE_BYTES_MAX
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands import conversion
from broker.demo.addresses import DEMO_PORTS
from broker.demo.federation import write_federation
from broker.domain.ids import SupplierId
from broker.flow.persons.register import derive_register_keys
from broker.pseudonyms.derivation import derive_pseudonym
from tests.builders_saml import NOW
from tests.known_persons import KnownRow, known_persons, store_rows

ADDRESSES = {party: f"http://localhost:{port}" for party, port in DEMO_PORTS.items()}
REKENRIJK, TAALTUIN = SupplierId("rekenrijk"), SupplierId("taaltuin")
PERSONS = 2500  # more than two batches


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A broker with persons whom RekenRijk knows, and its window to epoch b open."""
    folder = tmp_path_factory.mktemp("prepared")
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    write_federation(folder, ADDRESSES)
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    invoke(folder, "apply", str(folder / "federation"))
    invoke(folder, "keys init", "--next-epoch")
    invoke(folder, "pseudonyms rotate", "--supplier", "rekenrijk")
    keys = load_keys(folder / "keys")
    people = list(
        known_persons(
            PERSONS,
            supplier=REKENRIJK,
            key=keys.pairwise.by_letter["a"],
            keys=derive_register_keys(keys.register),
        )
    )
    store_rows(folder / "data/register.db", [row for _, row in people])
    return SimpleNamespace(folder=folder, people=people, pairwise=keys.pairwise.by_letter)


def invoke(folder: Path, command: str, *rest: str, given: str | bytes = "") -> Result:
    arguments = [*command.split(), "--config", str(folder), *rest]
    return CliRunner().invoke(main, arguments, input=given)


def convert(
    world: SimpleNamespace, tmp_path: Path, given: str | bytes, *, supplier: str = "rekenrijk"
) -> Result:
    output = str(tmp_path / "out.tsv")
    more = ("--supplier", supplier, "--output", output, "-")
    return invoke(world.folder, "pseudonyms convert", *more, given=given)


def answers(tmp_path: Path) -> list[list[str]]:
    return [each.split("\t") for each in (tmp_path / "out.tsv").read_text().splitlines()]


def new_name(world: SimpleNamespace, row: KnownRow) -> str:
    return derive_pseudonym(row.root, supplier=REKENRIJK, key=world.pairwise["b"])


def test_a_whole_list_is_converted_in_order(world: SimpleNamespace, tmp_path: Path) -> None:
    asked = tmp_path / "in.txt"
    asked.write_text("".join(f"{name}\n" for name, _ in world.people))
    output = tmp_path / "out.tsv"
    options = ("--supplier", "rekenrijk", "--output", str(output), str(asked))
    done = invoke(world.folder, "pseudonyms convert", *options)
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"\nconverted: {PERSONS}\n")
    assert answers(tmp_path) == [[name, new_name(world, row)] for name, row in world.people]
    assert output.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    counts = SqliteSupplierCounts(world.folder / "data/register.db").read(REKENRIJK)
    assert counts.converted == {"b": PERSONS}
    assert f"converted in bulk:      {PERSONS}" in status(world)


def status(world: SimpleNamespace) -> str:
    return invoke(world.folder, "pseudonyms status", "--supplier", "rekenrijk").output


def test_each_line_is_told_why_it_is_not(world: SimpleNamespace, tmp_path: Path) -> None:
    (name, row), (other, other_row) = world.people[:2]
    theirs = derive_pseudonym(row.root, supplier=TAALTUIN, key=world.pairwise["a"])
    new = new_name(world, row)
    lines = [name, theirs, name, new, name.upper(), "x\ty", "é", "", "z" * 999, f"{other}\r"]
    done = convert(world, tmp_path, "\n".join(lines))
    assert done.exit_code == 1
    assert answers(tmp_path) == [
        [name, new],
        [theirs, "unknown"],
        [name, "refused: doubled"],
        [new, "refused: other-epoch"],
        [name.upper(), "refused: malformed"],
        ["?", "refused: malformed"],
        ["?", "refused: malformed"],
        ["?", "refused: malformed"],
        [other, new_name(world, other_row)],
    ]
    assert "malformed: 4" in done.output
    assert name not in done.output


def test_a_line_without_end_is_cut_off(world: SimpleNamespace, tmp_path: Path) -> None:
    name, row = world.people[0]
    done = convert(world, tmp_path, b"z" * LINE_BYTES_MAX * 3 + b"\n" + name.encode())
    assert done.exit_code == 1
    assert answers(tmp_path) == [["?", "refused: malformed"], [name, new_name(world, row)]]
    (tmp_path / "out.tsv").unlink()
    assert convert(world, tmp_path, b"z" * LINE_BYTES_MAX * 3).exit_code == 1


def test_an_empty_list_is_an_empty_list(world: SimpleNamespace, tmp_path: Path) -> None:
    assert convert(world, tmp_path, "").exit_code == 0
    assert answers(tmp_path) == []


def test_without_a_window_nothing_is_converted(world: SimpleNamespace, tmp_path: Path) -> None:
    refused = convert(world, tmp_path, world.people[0][0], supplier="taaltuin")
    assert (refused.exit_code, "E-ROTATION-3" in refused.output) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_written_over(world: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "out.tsv").write_text("mine")
    refused = convert(world, tmp_path, world.people[0][0])
    assert refused.exit_code == 1
    assert "is there already" in refused.output
    assert (tmp_path / "out.tsv").read_text() == "mine"


def test_a_window_that_is_turned_meanwhile_hands_out_nothing(
    world: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = status(world)
    looked = conversion.check_window_stays

    def turned(*of: object) -> None:
        invoke(world.folder, "pseudonyms rollback", "--supplier", "rekenrijk")
        looked(*of)  # type: ignore[arg-type]

    monkeypatch.setattr(conversion, "check_window_stays", turned)
    refused = convert(world, tmp_path, world.people[0][0])
    assert (refused.exit_code, "E-ROTATION-7" in refused.output) == (1, True)
    assert list(tmp_path.iterdir()) == []
    invoke(world.folder, "pseudonyms rollback", "--supplier", "rekenrijk")
    assert status(world) == before


def test_turned_back_it_converts_the_other_way(world: SimpleNamespace, tmp_path: Path) -> None:
    invoke(world.folder, "pseudonyms rollback", "--supplier", "rekenrijk")
    name, row = world.people[0]
    done = convert(world, tmp_path, f"{new_name(world, row)}\n{name}\n")
    assert answers(tmp_path) == [
        [new_name(world, row), name],
        [name, "refused: other-epoch"],
    ]
    assert done.exit_code == 1
    counts = SqliteSupplierCounts(world.folder / "data/register.db").read(REKENRIJK)
    assert sum(counts.converted.values()) < PERSONS
    invoke(world.folder, "pseudonyms rollback", "--supplier", "rekenrijk")
