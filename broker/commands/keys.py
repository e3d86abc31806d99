"""`broker keys`: what is secret."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.databases.data_folder import read_key_checks
from broker.adapters.keys.epoch_keys import add_next_epoch
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_change import one_change_at_a_time
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import PAIRWISE_FOLDER, KeysUnusable, load_keys
from broker.commands.key_backup import keys_backup, keys_restore
from broker.commands.key_rotation import (
    FOLLOW,
    keys_add,
    keys_list,
    keys_prune,
    keys_remove,
    keys_rotate,
)
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.settings import LoadedSettings, load_settings


@click.group()
def keys() -> None:
    """The broker's keys; keys/README.md tells what each is for."""


keys.add_command(keys_backup)
keys.add_command(keys_restore)
for command in (keys_list, keys_add, keys_rotate, keys_remove, keys_prune):
    keys.add_command(command)


@keys.command("init")
@config_option
@click.option(
    "--allow-new-pseudonyms",
    is_flag=True,
    help="Make keys also where registry.db knows others, which are lost for good.",
)
@click.option(
    "--next-epoch",
    is_flag=True,
    help="Make the next epoch's pairwise key too, for `broker pseudonyms rotate`.",
)
def keys_init(config_folder: Path, allow_new_pseudonyms: bool, next_epoch: bool) -> None:
    """Make every key that is missing. Never touches one that exists.

    With --next-epoch one pairwise key more: suppliers that are applied from then on are pinned to
    it, and no pseudonym of others changes. Seal it with a new ceremony before it is used.

    After a restore of the databases, restore the keys first: a new key in the place of one that
    registry.db knows is refused.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        made = init_keys(
            loaded.keys_folder,
            now=datetime.now(UTC),
            issuer_name=loaded.settings.name,
            known=() if allow_new_pseudonyms else read_key_checks(loaded.data_folder),
        )
        if next_epoch:
            made.append(make_next_epoch(loaded))
    for file in made:
        click.echo(f"made {file}")
    if next_epoch:
        click.echo(FOLLOW)
    if not made:
        click.echo("Nothing to do: every key is there.")


def make_next_epoch(loaded: LoadedSettings) -> Path:
    """Make the next epoch's key and return its file."""
    with one_change_at_a_time(loaded.keys_folder):
        known = read_key_checks(loaded.data_folder)
        try:
            letter = add_next_epoch(load_keys(loaded.keys_folder), known=known)
        except KeyProblem as found:
            raise KeysUnusable((found,)) from None
    return loaded.keys_folder / PAIRWISE_FOLDER / f"{letter}.hex"
