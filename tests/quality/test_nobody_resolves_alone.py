"""Every command that takes a list, or asks who somebody is: two persons, or why one may."""

from collections.abc import Iterator

import click
import pytest

from broker.__main__ import main

TWO_PERSONS = {
    "takeover map",
    "takeover pilot",
    "rehearse",  # --list alone; `tests/test_command_line_switching.py` holds that it needs the rest
    "person erase",
    "person protect",
    "person unprotect",
    "person split",
    "person undo-join",
    "person begin-anew",
    "person join",
    "transfer object",
    "transfer confirm",
    "transfer withdraw",
    "transfer offer",
    "transfer accept",
    "console invite",
    "console link",
}
ALONE = {
    "enrol": "counts alone, and none of a list that lets too many vanish",
    "takeover pupils": "ECK iDs alone, of the very list that two operators signed for",
    "pseudonyms convert": "pseudonyms of one supplier for pseudonyms of that supplier",
    "relations rehearse": "counts of numbers that ever logged in",
    "trace": "names of attributes and verdicts",
    "receipts verify": "places in a chain",
}
NO_LIST_OF_PERSONS = {
    *("backup", "restore", "confirm", "apply", "probe", "takeover sign", "takeover deleted"),
    *("operator keygen", "operator add", "keys restore", "keys backup", "relations import"),
    *("switch", "demo", "serve", "health", "receipts head", "start-link"),
}
"""Their files are keys, documents, backups, posters and what was signed."""


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        full = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, full)
        else:
            yield full, command


COMMANDS = dict(leaves(main))


def names_of(command: click.Command) -> set[str]:
    return {str(each.name) for each in command.params}


def test_every_command_that_takes_a_file_is_thought_of() -> None:
    takes_file = {
        name
        for name, command in COMMANDS.items()
        for each in command.params
        if isinstance(each.type, click.Path) and each.name not in {"config_folder", "output"}
    }
    assert takes_file - TWO_PERSONS - ALONE.keys() - NO_LIST_OF_PERSONS == set()
    assert (TWO_PERSONS | ALONE.keys()) <= COMMANDS.keys()


@pytest.mark.parametrize("name", sorted(TWO_PERSONS))
def test_they_are_prepared_by_a_signer(name: str) -> None:
    assert {"signer", "key_file", "output"} <= names_of(COMMANDS[name])
