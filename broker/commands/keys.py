"""`broker keys` and `broker metadata`: what is secret, and what is published of it."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.databases.data_folder import read_key_checks
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.commands.key_backup import keys_backup, keys_restore
from broker.commands.key_rotation import keys_list, keys_prune, keys_remove, keys_rotate
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.settings import load_settings


@click.group()
def keys() -> None:
    """The broker's keys; keys/README.md tells what each is for."""


keys.add_command(keys_backup)
keys.add_command(keys_restore)
for command in (keys_list, keys_rotate, keys_remove, keys_prune):
    keys.add_command(command)


@keys.command("init")
@config_option
@click.option(
    "--allow-new-pseudonyms",
    is_flag=True,
    help="Make keys also where registry.db knows others, which are lost for good.",
)
def keys_init(config_folder: Path, allow_new_pseudonyms: bool) -> None:
    """Make every key that is missing. Never touches one that exists.

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
    for file in made:
        click.echo(f"made {file}")
    if not made:
        click.echo("Nothing to do: every key is there.")


@click.command()
@config_option
@click.option(
    "--role",
    type=click.Choice(["sp", "idp"]),
    required=True,
    help="sp: for schools. idp: for suppliers.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file instead.",
)
def metadata(config_folder: Path, role: str, output: Path | None) -> None:
    """Print our SAML metadata, signed, as the broker publishes it."""
    # Only here: the server's side of the program costs a second to load.
    from broker.keys_in_force import read_keys_in_force
    from broker.web.documents import OwnAddresses, build_documents

    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        now = datetime.now(UTC)
        published = build_documents(
            OwnAddresses(loaded.settings.issuer),
            keys=read_keys_in_force(load_keys(loaded.keys_folder), now=now).flow,
            xml=LxmlSecurity(),
            random=secrets.token_bytes,
        )
        build = published.saml_sp_metadata if role == "sp" else published.saml_idp_metadata
        document = build(now)
        if output is None:
            click.echo(document)
        else:
            output.write_bytes(document)
