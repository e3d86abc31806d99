"""Security floors of what we build on: what is installed, what is declared, what is locked."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.quality.sources import ROOT

FLOORS = {
    "authlib": "1.9.9",
    "joserfc": "1.8.0",
    "starlette": "1.6.0",
    "h11": "0.16.0",
    "python-multipart": "0.0.31",
    "jinja2": "3.1.6",
    "cryptography": "46.0.7",
    "lxml": "6.1.3",
    "signxml": "5.2.0",
    "pysaml2": "7.5.5",
}
"""Below these, something that we rely on is broken or open."""

NOT_WANTED = ("python-jose", "python3-saml", "pyxmlsecurity")
"""Unkept, or with a history of accepting what it should refuse."""


def declared() -> dict[str, Requirement]:
    """Return everything that pyproject.toml asks for, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return {canonical(each.name): each for each in found}


def locked() -> dict[str, Version]:
    pins = re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / "requirements.lock").read_text(), re.M)
    return {canonical(name): Version(pin) for name, pin in pins}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_is_kept(name: str, floor: str) -> None:
    assert Version(version(name)) >= Version(floor)
    assert locked()[name] >= Version(floor)
    lower_bounds = [
        Version(each.version) for each in declared()[name].specifier if each.operator == ">="
    ]
    assert max(lower_bounds) >= Version(floor)


def test_everything_declared_has_a_floor_and_is_locked() -> None:
    for name, requirement in declared().items():
        assert any(each.operator == ">=" for each in requirement.specifier), name
        assert requirement.specifier.contains(locked()[name]), name


@pytest.mark.parametrize("name", NOT_WANTED)
def test_is_not_there(name: str) -> None:
    assert name not in locked()
    with pytest.raises(PackageNotFoundError):
        version(name)
