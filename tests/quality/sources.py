"""The project's own files, as the quality tests read them."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType

import broker

ROOT = Path(__file__).parents[2]
BROKER = ROOT / "broker"
BESIDE_PYTHON = Path(sys.executable).parent
"""Where the tools of this environment are."""

NOT_IMPORTED = ("broker.__main__", "broker.adapters.databases.migrations")
"""Run as a program; and loaded by Alembic in a context of its own."""


@cache
def parsed_files() -> dict[str, ast.Module]:
    """Return every Python file of the broker, parsed, by its path below the project."""
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text())
        for file in sorted(BROKER.rglob("*.py"))
    }


@cache
def module_names() -> tuple[str, ...]:
    """Return the name of every module of the broker that can be imported."""
    found = sorted(each.name for each in walk_packages(broker.__path__, "broker."))
    return tuple(each for each in found if not each.startswith(NOT_IMPORTED))


def broker_modules() -> tuple[ModuleType, ...]:
    """Return every module of the broker, imported."""
    return tuple(importlib.import_module(each) for each in module_names())


def own_classes() -> Iterator[type]:
    """Yield each class of the broker once, where it was made."""
    for module in broker_modules():
        for found in vars(module).values():
            if isinstance(found, type) and found.__module__ == module.__name__:
                yield found


@cache
def tracked_texts() -> dict[str, str]:
    """Return the text of every file that git tracks or would add, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [ROOT / each for each in listed.split("\0") if each]
    return {
        file.relative_to(ROOT).as_posix(): file.read_text(errors="replace")
        for file in files
        if file.is_file()
    }


def run_tool(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in the project's folder."""
    program, *arguments = command
    return subprocess.run(
        [BESIDE_PYTHON / program, *arguments],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
