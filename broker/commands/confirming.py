"""`broker confirm`: the second of two persons carries out what the first one prepared."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import click

from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.console import console_work_for
from broker.commands.operators import (
    file_argument,
    open_desk,
    open_register,
    open_switch_desk,
    read_signer,
    refuse_if_there,
    saying_what_was_refused,
    signer_options,
    signing_of,
)
from broker.commands.problems import config_option
from broker.commands.rehearsal_lists import NAMES, look_confirmed
from broker.commands.takeover_lists import list_confirmed, opened_databases
from broker.commands.takeover_map import map_confirmed
from broker.commands.transfer_desk import transfer_desk_for
from broker.flow.operators.listed_action import LISTED_ACTIONS, ListWork, digest_list
from broker.flow.operators.two_persons import (
    PREPARED_BYTES_MAX,
    Action,
    PreparedAction,
    parse_prepared,
)
from broker.flow.persons.register import derive_register_keys
from broker.settings import LoadedSettings


@click.command()
@config_option
@click.argument("file", type=file_argument)
@signer_options(required=True)
@click.option("--list", "list_file", type=file_argument, help="The list that was prepared.")
@click.option("--output", type=file_argument, help="Where the answer of `takeover map` goes.")
def confirm(
    config_folder: Path,
    file: Path,
    signer: str,
    key_file: Path,
    list_file: Path | None,
    output: Path | None,
) -> None:
    """Carry out what another operator prepared in FILE.

    What was prepared with a list needs the same list here.
    """
    said: list[str] = []
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        with file.open("rb") as opened:
            prepared = parse_prepared(opened.read(PREPARED_BYTES_MAX + 1))
        by = read_signer(signer, key_file)
        check_given(prepared, list_file=list_file, output=output)

        async def carry_out() -> None:
            register = open_register(loaded)
            try:
                signs = prepared.body.action == Action.SIGN_TAKEOVER
                signing = signing_of(loaded) if signs else None
                await desk.confirm(
                    prepared,
                    by=by,
                    register=register,
                    signing=signing,
                    switches=open_switch_desk(loaded),
                    transfers=transfer_desk_for(prepared, loaded, register),
                    listed=list_work_for(prepared, loaded, list_file, output, said=said)
                    or console_work_for(prepared, loaded, said=said),
                )
            finally:
                await register.close()

        asyncio.run(carry_out())
    for line in said:
        click.echo(line)
    body = prepared.body
    click.echo(f"Done: {body.action}, prepared by {body.prepared_by}, confirmed by {signer}.")


def check_given(prepared: PreparedAction, *, list_file: Path | None, output: Path | None) -> None:
    """Hold that what the action needs is there, before it is used up, and nothing else."""
    action = prepared.body.action
    if (list_file is not None) != (action in LISTED_ACTIONS):
        raise click.UsageError(f"--list is for what was prepared with a list; this is {action}.")
    if (output is not None) != (action == Action.MAP_TAKEOVER):
        raise click.UsageError(f"--output is for the answer of `takeover map`; this is {action}.")
    if output is not None:
        refuse_if_there(output)


def list_work_for(
    prepared: PreparedAction,
    loaded: LoadedSettings,
    list_file: Path | None,
    output: Path | None,
    *,
    said: list[str],
) -> ListWork | None:
    """Return what is done with a list, when a prepared action needs one.

    Args:
        said: takes what is to be told after it was done.
    """
    if list_file is None:
        return None
    content = list_file.read_bytes()
    rehearses = prepared.body.action == Action.REHEARSE_LIST

    async def work(names: Mapping[str, str]) -> None:
        if rehearses:
            said.extend(await look_confirmed(loaded, names, content))
            return
        async with opened_databases(loaded) as opened:
            if output is not None:
                said.append(await map_confirmed(opened, names, content, output=output))
            else:
                said.append(await list_confirmed(opened, names, content))

    keys = derive_register_keys(load_keys(loaded.keys_folder).register)
    return ListWork(
        digest=digest_list(content, keys=keys),
        names=NAMES if rehearses else frozenset({"school", "supplier"}),
        work=work,
    )
