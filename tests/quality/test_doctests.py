"""The examples in docstrings run."""

import doctest
from importlib import import_module

import pytest

from tests.quality.sources import module_names

PURE = ("domain", "pseudonyms", "jose", "saml_xml", "oidc_op", "oidc_rp", "saml_idp", "saml_sp")


@pytest.mark.parametrize("name", module_names())
def test_examples_run(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    pure = [import_module(each) for each in module_names() if each.split(".")[1] in PURE]
    assert sum(len(test.examples) for each in pure for test in finder.find(each)) > 20
