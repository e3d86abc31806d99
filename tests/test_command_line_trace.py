"""`broker trace`: a login by its reference, for whoever is called."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from broker.__main__ import main
from broker.flow.following.story import LogLine
from tests.flow.test_story import REFERENCE, WHOLE, a_line

RELEASED = (
    a_line("refused", second=8, reference="dafoheko", code="E-MADE-UP-1", check="check_x"),
    a_line(
        "released",
        second=9,
        names=("givenName",),
        withheld={"sn": "not-declared", "uid": "of-a-later-release"},
        missing=("mail",),
        school="vuurvogel",
        supplier="rekenrijk",
    ),
    a_line("unknown-attributes", second=9.1, names=("x[bold]y",), school="vuurvogel"),
    a_line(second=9.2, step="school-answer", protocol="saml", verdict="released", store_trips=2),
)


def write(folder: Path, *lines: LogLine, name: str = "broker.log") -> Path:
    file = folder / name
    file.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in lines))
    return file


def run(*arguments: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["trace", *map(str, arguments)], input=given)


def test_steps_checks_and_the_refusal_in_both_languages(tmp_path: Path) -> None:
    result = run(REFERENCE, "--log", write(tmp_path, *WHOLE))
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "1. 09:30:01.000 begin begun" in said  # 07:30 UTC in summer
    assert "ended as: refused step 3 was refused: E-RELEASE-3, whose task: school 1." in said
    assert "taaltuin --SAML--> broker" in said
    assert "kompas" in said
    assert "worker broker-2/9" in said
    assert "X failed what the school approved required_released" in said
    assert ". not reached the receipt" in said
    assert f"E-RELEASE-3 reference {REFERENCE} whose task: school" in said
    assert "nl: Dit lesmateriaal werkt niet zonder givenName" in said
    assert "en: This material does not work without givenName" in said
    assert "Your school can approve it" in said


def test_what_was_released_and_withheld_by_name_with_reasons(tmp_path: Path) -> None:
    said = " ".join(run("dafoheko", "--log", write(tmp_path, *RELEASED)).output.split())
    assert "released: vuurvogel to rekenrijk released: givenName" in said
    assert "withheld: sn, the supplier does not ask for it" in said
    assert "withheld: uid, of-a-later-release" in said
    assert "missing: mail" in said
    assert "unknown-attributes x[bold]y: vuurvogel" in said  # never read as markup
    assert "E-MADE-UP-1 reference dafoheko whose task: unknown" in said
    assert "2 trips to the login store" in said


def test_for_programs(tmp_path: Path) -> None:
    result = run(REFERENCE, "--json", "--log", write(tmp_path, *WHOLE))
    told = json.loads(result.stdout)
    (story,) = told["stories"]
    assert [each["step"] for each in story["steps"]] == ["begin", "choose-school", "school-answer"]
    refusal = told["refusals"]["E-RELEASE-3"]
    assert refusal["whose_task"] == "school"
    assert refusal["what_nl"].startswith("Dit lesmateriaal werkt niet zonder givenName")
    assert (told["lines"], told["damaged"]) == (4, 0)


@pytest.mark.parametrize("code", ["E-RELEASE-1", "E-LOGIN-3"])
def test_an_agreement_is_with_the_supplier(tmp_path: Path, code: str) -> None:
    line = a_line("refused", reference=REFERENCE, code=code, check="x", supplier="taaltuin")
    said = run(REFERENCE, "--log", write(tmp_path, line)).output
    assert ("taaltuin yet" in said) == (code == "E-RELEASE-1")


def test_a_reference_as_it_is_read_out(tmp_path: Path) -> None:
    file, half = write(tmp_path, *WHOLE), len(REFERENCE) // 2
    assert run(f" {REFERENCE.upper()} ", "--log", file).exit_code == 0
    assert run(REFERENCE[:half], REFERENCE[half:], "--log", file).exit_code == 0  # as the page does
    assert run(f"{REFERENCE[:half]} {REFERENCE[half:]}", "--log", file).exit_code == 0
    assert run("--log", file).exit_code == 2


def test_an_unknown_reference_is_told(tmp_path: Path) -> None:
    result = run("bobobobo", "--log", write(tmp_path, *WHOLE))
    assert result.exit_code == 1
    assert "no line of 4 has the reference bobobobo" in result.output


def test_damaged_lines_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path, *WHOLE)
    file.write_bytes(file.read_bytes() + b"Started.\n{")
    result = run(REFERENCE, "--log", file)
    assert result.exit_code == 0
    assert "2 of 6 lines are damaged" in result.output


def test_from_standard_input_beside_a_file(tmp_path: Path) -> None:
    given = b"".join(msgspec.json.encode(each) + b"\n" for each in WHOLE[:2])
    result = run(REFERENCE, "--log", "-", "--log", write(tmp_path, *WHOLE[2:]), given=given)
    assert result.exit_code == 0
    assert result.output.count("worker ") == 3


def test_the_log_of_the_settings_with_its_rotated_files(tmp_path: Path) -> None:
    settings = 'issuer = "http://localhost:8000"\n[logging]\nfile = "broker.log"\n'
    (tmp_path / "broker.toml").write_text(settings)
    os.utime(write(tmp_path, *WHOLE[:2], name="broker.log.1"), (1, 1))
    write(tmp_path, *WHOLE[2:])
    result = run(REFERENCE, "--config", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.output.count("worker ") == 3


def test_without_a_file_it_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    result = run(REFERENCE, "--config", tmp_path)
    assert result.exit_code == 1
    assert "logging.file" in result.output


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    result = run(REFERENCE, "--log", tmp_path / "none.log")
    assert result.exit_code == 1
    assert "none.log" in " ".join(result.output.split())


def test_two_logins_of_one_reference_are_told_apart(tmp_path: Path) -> None:
    again = [msgspec.structs.replace(each, login="mfrggzdfmztwq2lk") for each in WHOLE]
    result = run(REFERENCE, "--log", write(tmp_path, *WHOLE, *again))
    assert "2 logins were given this reference" in result.output


def test_an_operators_action_names_who_did_it(tmp_path: Path) -> None:
    line = a_line(
        "action-done", login="", reference=REFERENCE, operators=("anna", "bram"), school="kompas"
    )
    result = run(REFERENCE, "--log", write(tmp_path, line))
    assert "action-done by anna, bram: kompas" in result.output
