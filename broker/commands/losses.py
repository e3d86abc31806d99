"""`broker accept-loss`: go on without a key or database that is lost for good."""

import os
from pathlib import Path

import click
from rich.console import Console

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.terminal import show_problems
from broker.commands.problems import config_option, loss_problem, refuse, saying_what_is_wrong
from broker.flow.federation.documents import Problem
from broker.settings import load_settings


@click.command("accept-loss")
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("name")
def accept_loss(config_folder: Path, yes: bool, name: str) -> None:
    """Go on without what is lost for good: NAME as `broker check` tells it.

    NAME is a database (register.db) or a key (root/root.hex). What is there now, or a new
    database, takes its place; keys/README.md tells what each loss costs.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        data = DataFolder(loaded.data_folder, loaded.keys_folder, load_keys(loaded.keys_folder))
        losses = {each.name: each for each in data.find_losses()}
        if name not in losses:
            told = ", ".join(losses) or "nothing is"
            refuse([Problem(name, "-", "is not lost.", f"Lost: {told}.")])
        show_problems([loss_problem(losses[name])], console=Console(stderr=True))
        if not yes:
            click.confirm("Pupils may become strangers to suppliers, for good. Go on?", abort=True)
        data.accept(losses[name])
    click.echo(f"From now on the broker goes on without the former {name}.")
