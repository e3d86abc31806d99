"""The commands that the README names are the commands that there are."""

import re
from collections.abc import Iterator

import click

from broker import __main__ as command_line
from tests.quality.readme import code_of, fenced, table
from tests.quality.sources import ROOT


def leaf_commands(group: click.Group, *above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, *above, name)
            if command.invoke_without_command:
                yield " ".join((*above, name))
        elif not command.hidden:  # what one command runs is no matter of people's
            yield " ".join((*above, name))


def root_group() -> click.Group:
    groups = [each for each in vars(command_line).values() if isinstance(each, click.Group)]
    below = {id(each) for group in groups for each in group.commands.values()}
    return next(each for each in groups if id(each) not in below)


def test_commands_are_those_that_exist() -> None:
    told = {code_of(each)[0].removeprefix("broker ") for each in table("Command")}
    assert told == set(leaf_commands(root_group()))


def options_of(words: list[str]) -> set[str]:
    """Return the options of the command that these words name, and `--help`."""
    command: click.Command = root_group()
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
    return {option for each in command.params for option in each.opts} | {"--help"}


def test_used_commands_and_options_exist() -> None:
    used = re.findall(r"^(?:\.venv/bin/)?broker ([^#\n]+)", "".join(fenced("sh")), re.M)
    assert len(used) > 5
    for line in used:
        words = line.split()
        assert {each for each in words if each.startswith("--")} <= options_of(words), line


def test_commands_of_the_ceremony_exist() -> None:
    page = (ROOT / "keys/README.md").read_text()
    used = re.findall(r"^ *broker ([^#\n]+)", page, re.M)
    assert len(used) > 4
    for line in used:
        words = line.split()
        assert {each for each in words if each.startswith("--")} <= options_of(words), line


def test_told_options_exist() -> None:
    for command, (does,) in table("Command").items():
        words = code_of(command)[0].split()[1:]
        told = {each.split()[0] for each in code_of(does) if each.startswith("--")}
        assert told <= options_of(words), command
