"""`broker health`: asks a running broker on this machine how it is; for containers and scripts."""

import http.client
import json
import os
import ssl
from pathlib import Path

import click

from broker.commands.problems import EXIT_REFUSED, config_option, saying_what_is_wrong
from broker.settings import LoadedSettings, load_settings

WITHIN_SECONDS = 3
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- where to ask, not to listen
"""Who listens everywhere is asked on loopback."""


@click.command()
@config_option
@click.option("--live", is_flag=True, help="Ask only whether the process runs.")
def health(config_folder: Path, *, live: bool) -> None:
    """Ask the running broker whether somebody can log in; exit 1 when not."""
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
    try:
        status, told = ask_health(loaded, "live" if live else "ready")
    except (OSError, http.client.HTTPException, ValueError):
        click.echo("no answer")
        raise SystemExit(EXIT_REFUSED) from None
    click.echo(" ".join([str(told["status"]), *told.get("failing", ())]))
    if status != http.client.OK:
        raise SystemExit(EXIT_REFUSED)


def ask_health(loaded: LoadedSettings, which: str) -> tuple[int, dict[str, list[str]]]:
    """Return HTTP status and answer of `/health/<which>` of the broker that has these settings.

    Raises:
        OSError, HTTPException, ValueError: nobody answers there, or not as a broker does.
    """
    server = loaded.settings.server
    host = ANY_ADDRESS.get(server.host, server.host)
    connection = http.client.HTTPConnection(host, server.port, timeout=WITHIN_SECONDS)
    if server.tls_certificate is not None:
        # Its certificate names the issuer, not this machine: it is compared as a whole instead.
        trust = ssl.create_default_context(
            cafile=str(loaded.config_folder / server.tls_certificate)
        )
        trust.check_hostname = False
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        connection = http.client.HTTPSConnection(
            host, server.port, timeout=WITHIN_SECONDS, context=trust
        )
    try:
        connection.request("GET", f"/health/{which}")
        answer = connection.getresponse()
        told = json.loads(answer.read())
    finally:
        connection.close()
    if not isinstance(told, dict) or "status" not in told:
        raise ValueError("this is no broker's answer")
    return answer.status, told
