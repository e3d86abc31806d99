"""The commands that the README names are the commands that there are."""

import re
from collections.abc import Iterator

import click

from broker import __main__ as command_line
from tests.quality.readme import code_of, readme, table


def leaf_commands(group: click.Group, *above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, *above, name)
        else:
            yield " ".join((*above, name))


def root_group() -> click.Group:
    groups = [each for each in vars(command_line).values() if isinstance(each, click.Group)]
    below = {id(each) for group in groups for each in group.commands.values()}
    return next(each for each in groups if id(each) not in below)


def test_commands_are_those_that_exist() -> None:
    told = {code_of(each)[0].removeprefix("broker ") for each in table("Command")}
    assert told == set(leaf_commands(root_group()))


def test_used_commands_and_options_exist() -> None:
    used = re.findall(r"\.venv/bin/broker (\w+)((?: --[\w-]+)*)", readme())
    assert used
    for name, _ in used:
        assert name in root_group().commands
    apply = root_group().commands["apply"]
    options = {option for each in apply.params for option in each.opts}
    assert {"--config", "--dry-run", "--to"} <= options
