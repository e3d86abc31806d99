"""`broker relations`: what it proposes and foresees, and that it changes nothing."""

from pathlib import Path

import pytest

from broker.adapters.databases.sql_registry import SqliteRegistry
from tests.test_command_line import Run, config, federation_of, prepared, run

__all__ = ["config", "prepared", "run"]

NEW_SCHOOL = """
[[school]]
id = "samenklank"
name = "Samenklank"
place = "Utrecht"
brin = "55EE"
sector = "po"
board = "samenklank"
state = "test"

"""
MERGE = """
[[relation]]
id = "merge"
kind = "merge"
old = ["vuurvogel", "regenboog"]
new = ["samenklank"]
from = 2026-08-01
until = 2028-07-31
"""
TRANSITIONS = """"NR_ADMIN_VAN","NR_ADMIN_NAAR","DT_OVERGANG","IND_VOLLEDIG"
"11AA","55EE","01-08-2030","J"
"33CC","55EE","01-08-2030","J"
"00AA","00BB","01-08-2030","J"
"""


@pytest.fixture
def merge(config: Path, run: Run) -> Path:
    file = config / "merge.toml"
    file.write_text(NEW_SCHOOL + MERGE)
    assert run("apply", federation_of(config)).exit_code == 0
    return file


def version(config: Path) -> int:
    return SqliteRegistry(config / "data/registry.db").version()


def test_a_rehearsal_tells_what_is_carried_and_lost(config: Path, run: Run, merge: Path) -> None:
    shown = run("relations rehearse", str(merge))
    assert shown.exit_code == 0, shown.output
    assert "samenklank, taaltuin: carried from vuurvogel version 1, regenboog version 1" in (
        shown.output
    )
    assert "samenklank may still state 11AA, 33CC until 2028-07-31" in shown.output
    assert "numbers are new" in shown.output
    assert "vuurvogel: 0 pupils logged in this school year" in shown.output
    assert version(config) == 1


def test_a_rehearsal_with_lists_counts(config: Path, run: Run, merge: Path) -> None:
    (config / "a.txt").write_text("1\n2\n")
    (config / "b.txt").write_text("2\n3\n")
    lists = [f"--numbers=vuurvogel={config / 'a.txt'}", f"--numbers=regenboog={config / 'b.txt'}"]
    shown = run("relations rehearse", str(merge), *lists)
    assert shown.exit_code == 0
    assert "3 numbers: 0 keep" in shown.output
    assert "1 collide, 2 are not known yet" in shown.output
    kept = 'numbers = "kept"\ndistinct_numbers = true\n'
    merge.write_text(merge.read_text() + kept)
    shown = run("relations rehearse", str(merge), *lists)
    assert shown.exit_code == 1
    assert "given out by two of them" in shown.output
    assert version(config) == 1


def test_what_cannot_be_applied_cannot_be_rehearsed(config: Path, run: Run, merge: Path) -> None:
    merge.write_text(MERGE)
    shown = run("relations rehearse", str(merge))
    assert shown.exit_code == 1
    assert "relation[0].new[0]" in shown.output
    assert run("relations rehearse", str(merge), "--numbers=x").exit_code != 0


def test_one_that_is_in_force_is_nothing_to_rehearse(run: Run, merge: Path) -> None:
    assert run("apply", str(merge)).exit_code == 0
    assert "Nothing to rehearse" in run("relations rehearse", str(merge)).output


def test_numbers_name_a_school_and_a_file(run: Run, merge: Path) -> None:
    shown = run("relations rehearse", str(merge), "--numbers", "vuurvogel")
    assert (shown.exit_code, "SCHOOL=FILE" in shown.output) == (2, True)


def test_an_import_proposes_and_applies_nothing(config: Path, run: Run, merge: Path) -> None:
    school = config / "school.toml"
    school.write_text(NEW_SCHOOL)
    assert run("apply", str(school)).exit_code == 0
    file = config / "OVERGANGEN.csv"
    file.write_text(TRANSITIONS)
    folder = config / "proposed"
    shown = run("relations import", str(file), "--to", str(folder), "--state", "test")
    assert shown.exit_code == 0, shown.output
    assert "1 lines are about schools that are not in the registry: 4" in shown.output
    (proposed,) = folder.iterdir()
    assert version(config) == 2
    again = run("relations import", str(file), "--to", str(folder), "--state", "test")
    assert again.exit_code == 1
    assert "is there already" in again.output
    assert run("relations rehearse", str(proposed)).exit_code == 0
    assert run("apply", str(proposed)).exit_code == 0
    assert version(config) == 3


def test_another_file_is_refused(config: Path, run: Run, merge: Path) -> None:
    file = config / "other.csv"
    file.write_text("a,b\n1,2\n")
    shown = run("relations import", str(file), "--to", str(config / "proposed"))
    assert shown.exit_code == 1
    assert "NR_ADMIN_VAN" in shown.output
    assert not (config / "proposed").exists()


def test_without_a_registry_there_is_nothing_to_compare(config: Path, run: Run) -> None:
    file = config / "OVERGANGEN.csv"
    file.write_text(TRANSITIONS)
    shown = run("relations import", str(file), "--to", str(config / "proposed"))
    assert (shown.exit_code, "nothing is in force yet" in shown.output) == (1, True)
