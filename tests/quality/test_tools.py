"""Imports run one way, types hold, lint and format are clean: the tools' own verdicts."""

import pytest

from tests.quality.sources import run_tool


@pytest.mark.parametrize(
    "command",
    [
        ("lint-imports", "--no-cache"),
        ("mypy",),
        ("ruff", "check", "--no-cache", "broker", "tests"),
        ("ruff", "format", "--no-cache", "--check", "broker", "tests"),
    ],
    ids=["imports", "types", "lint", "format"],
)
def test_finds_nothing(command: tuple[str, ...]) -> None:
    result = run_tool(*command)
    assert result.returncode == 0, result.stdout + result.stderr
