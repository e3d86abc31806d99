"""`broker secret`: a new secret for a supplier's system, shown once."""

import os
import secrets
from pathlib import Path

import click

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.domain.ids import RelyingPartyId
from broker.domain.relying_parties import OidcClient
from broker.oidc_op.client_secrets import hash_client_secret
from broker.oidc_op.profiles import find_profile
from broker.settings import LoadedSettings, load_settings

SECRET_BYTES = 32  # 256 bits, so that a fast hash of it is enough
WITH_SECRET = frozenset({"client_secret_basic", "client_secret_post"})


@click.command("secret")
@config_option
@click.argument("relying_party")
def secret(config_folder: Path, relying_party: str) -> None:
    """Make a secret for RELYING_PARTY, show it once, and the line for its supplier's document.

    Only the hash is kept, and nothing changes until that line is applied. Where the system has a
    secret already, both are good until the new one moves up to client_secret_hash.
    """
    with saying_what_is_wrong():
        known = find_client(load_settings(config_folder, environment=os.environ), relying_party)
    if known is not None and WITH_SECRET.isdisjoint(
        find_profile(known.profile).authentication_methods
    ):
        raise click.ClickException(
            f"{relying_party}: profile {known.profile} allows no secret. Use private_key_jwt, or"
            " another profile."
        )
    made = secrets.token_urlsafe(SECRET_BYTES)
    has_one = known is not None and known.secret_hash is not None
    key = "next_client_secret_hash" if has_one else "client_secret_hash"
    click.echo(f"For the supplier, over a channel that you trust; it is not shown again:\n{made}")
    click.echo(f'\nFor {relying_party} in the document:\n{key} = "{hash_client_secret(made)}"')
    if has_one:
        told = "Once the supplier uses it, write it as client_secret_hash and remove this line."
        click.echo(f"Apply it. Both secrets are good then. {told}")


def find_client(loaded: LoadedSettings, relying_party: str) -> OidcClient | None:
    """Return the client in force; None when nobody of that name is registered yet."""
    file = loaded.data_folder / "registry.db"
    if not file.exists():
        return None
    party = SqliteRegistry(file).load().relying_parties.get(RelyingPartyId(relying_party))
    if party is None:
        return None
    if not isinstance(party.protocol, OidcClient):
        raise click.ClickException(f"{relying_party} speaks SAML, and has no secret.")
    return party.protocol
