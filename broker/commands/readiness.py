"""`broker ready`: the go-live list of a school."""

import os
import sys
from pathlib import Path

import click

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.going_live import gather_facts
from broker.commands.operators import slug
from broker.commands.problems import EXIT_REFUSED, config_option, saying_what_is_wrong
from broker.domain.ids import SchoolId
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.login_tests.readiness import ReadyLine, list_lines
from broker.settings import load_settings


@click.command()
@config_option
@click.argument("school", type=slug)
def ready(config_folder: Path, school: str) -> None:
    """Show what is left to do before SCHOOL goes live, and whose task it is.

    Looks at its documents, metadata, exceptions, agreements and head count, and at the tests of its
    login on the page /saml/sp/test. Changes nothing. Exit code 1: something is left.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        keys = load_keys(loaded.keys_folder)
        DataFolder(loaded.data_folder, loaded.keys_folder, keys).open()
        registry = SqliteRegistry(loaded.data_folder / "registry.db").load()
        found = registry.schools.get(SchoolId(school))
        if found is None:
            raise FederationProblems(
                [Problem("registry", school, "is no school in force.", "Run `broker apply` first.")]
            )
        lines = list_lines(gather_facts(loaded, keys, registry, found))
    for each in lines:
        click.echo(describe(each))
    left = sum(not each.is_ready for each in lines)
    click.echo("Ready to go live." if not left else f"{left} of {len(lines)} lines are left.")
    if left:
        sys.exit(EXIT_REFUSED)


def describe(line: ReadyLine) -> str:
    """Return a line in words.

    >>> describe(ReadyLine("head count", "200 pupils."))
    'done  head count: 200 pupils.'
    """
    if line.whose_task is None:
        return f"done  {line.item}: {line.told}"
    return f"LEFT  {line.item}: {line.told} Task of the {line.whose_task}: {line.remedy}"
