"""`broker metadata`: what partners are told of our two SAML roles."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.saml_xml.keys import verification_key
from broker.settings import Settings, load_settings


@click.group(invoke_without_command=True)
@config_option
@click.option(
    "--role", type=click.Choice(["sp", "idp"]), help="sp: for schools. idp: for suppliers."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file instead.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Also read it back as a partner does, and say what partners will miss in it.",
)
@click.pass_context
def metadata(
    context: click.Context, config_folder: Path, role: str | None, output: Path | None, check: bool
) -> None:
    """Print our SAML metadata, signed, as the broker publishes it.

    The commands below are about the metadata of others.
    """
    if context.invoked_subcommand is not None:
        return
    if role is None:
        raise click.UsageError("Name a --role, or one of the commands.")
    # Only here: the server's side of the program costs a second to load.
    from broker.about_us import about_us_of
    from broker.keys_in_force import read_keys_in_force
    from broker.web.own_documents import OwnAddresses, build_documents

    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        now, xml = datetime.now(UTC), LxmlSecurity()
        keys = read_keys_in_force(load_keys(loaded.keys_folder), now=now).flow
        published = build_documents(
            OwnAddresses(loaded.settings.issuer),
            keys=keys,
            xml=xml,
            about=about_us_of(loaded.settings),
        )
        build = published.saml_sp_metadata if role == "sp" else published.saml_idp_metadata
        document = build(now).content
        if output is None:
            click.echo(document)
        else:
            output.write_bytes(document)
    if check:
        signer = verification_key(keys.saml_signing.certificate)
        root = xml.verify(xml.parse_metadata(document).root, keys=[signer]).root
        click.echo(
            f"Valid by the schema, signed by the key in use, until {root.get('validUntil')}.",
            err=True,
        )
        for gap in find_gaps(loaded.settings, role=role):
            click.echo(gap, err=True)


def find_gaps(settings: Settings, *, role: str) -> Iterator[str]:
    """Yield each setting that partners will miss, and why; none stops a login."""
    about = settings.about
    wanted = {
        "logo": "partners' pages show no picture of us (saml2int MD09)",
        "information_url_nl": "who wonders what we are finds no page",
        "privacy_url_nl": "people at school find no privacy statement (saml2int MD09)",
        "organization": "partners do not read who runs the broker",
        "organization_url": "partners do not read who runs the broker",
        "technical_mail": "partners' administrators know no address of ours",
        "support_mail": "helpdesks of partners know no address of ours",
        "security_mail": "who finds a leak knows no address of ours",
        "error_url": "suppliers have no page of ours for who was not let in (saml2int MD12)",
    }
    only = {"sp": {"error_url"}, "idp": {"privacy_url_nl"}}[role]
    for name, why in wanted.items():
        if name not in only and getattr(about, name) is None:
            yield f"about.{name}: is not stated: {why}."
