"""`broker serve` and `broker demo`: the broker as a server, alone or among its demo parties."""

import asyncio
import os
import ssl
from pathlib import Path

import click
import uvicorn

from broker.commands.problems import (
    config_option,
    refuse,
    saying_what_is_wrong,
    store_problem,
)
from broker.settings import LoadedSettings, load_settings
from broker.store_choice import find_store_problem

DEMO_FOLDER = Path("var/demo")
STOP_WITHIN_SECONDS = 10


@click.command()
@config_option
def serve(config_folder: Path) -> None:
    """Run the broker: one worker, until it is told to stop.

    In front of it stands a proxy that ends TLS; without one, name server.tls_certificate and
    server.tls_key in the settings.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        # Only here: the server's side of the program costs a second to load.
        from broker.app import build_broker

        # What only somebody can change stops the start; a Redis that is down may come back.
        found = find_store_problem(loaded)
        if found is not None and found.misconfigured:
            refuse([store_problem(found)])
        broker = build_broker(loaded)
        server = uvicorn.Server(server_config(loaded, broker))
    server.run()


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEMO_FOLDER,
    show_default=True,
    help="Where the demo lives; every start empties it.",
)
def demo(folder: Path) -> None:
    """Run the demo world on loopback: broker, schools and suppliers, with scenarios to click."""
    from broker.demo.addresses import PortTaken
    from broker.demo.run import NotADemoFolder, run_demo

    try:
        asyncio.run(run_demo(folder, say=click.echo))
    except (PortTaken, NotADemoFolder) as reason:
        raise click.ClickException(str(reason)) from None


def start_logs(loaded: LoadedSettings) -> None:
    """Send logs where the settings say."""
    from broker.adapters.logs import configure_logs

    file = loaded.settings.logging.file
    configure_logs(
        level=loaded.settings.logging.level,
        file=None if file is None else loaded.config_folder / file,
    )


def server_config(loaded: LoadedSettings, broker: object) -> uvicorn.Config:
    """Return how the server listens: no access log, for paths and queries say who logs in."""
    server = loaded.settings.server
    folder = loaded.config_folder
    return uvicorn.Config(
        broker,  # type: ignore[arg-type]  # an ASGI application, which uvicorn spells otherwise
        host=server.host,
        port=server.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=STOP_WITHIN_SECONDS,
        ssl_certfile=None if server.tls_certificate is None else folder / server.tls_certificate,
        ssl_keyfile=None if server.tls_key is None else str(folder / server.tls_key),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
