"""`broker serve` and `broker demo`: the broker as a server, alone or among its demo parties."""

import asyncio
import gc
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import click
import uvicorn

from broker.commands.metrics_port import metrics_at_their_port
from broker.commands.problems import (
    config_option,
    refuse,
    saying_what_is_wrong,
    store_problem,
)
from broker.flow.federation.documents import FederationProblems, Problem
from broker.settings import LoadedSettings, load_settings
from broker.store_choice import find_store_problem

DEMO_FOLDER = Path("var/demo")
STOP_WITHIN_SECONDS = 10
COLLECT_AFTER = (50_000, 20, 50)
"""Objects that are new, and younger rounds, before the collector looks (`gc.set_threshold`)."""


@click.command()
@config_option
def serve(config_folder: Path) -> None:
    """Run the broker: one worker, until it is told to stop.

    In front of it stands a proxy that ends TLS; without one, name server.tls_certificate and
    server.tls_key in the settings.
    """
    with ExitStack() as opened:
        with saying_what_is_wrong():
            loaded = load_settings(config_folder, environment=os.environ)
            start_logs(loaded)
            for wrong in find_tls_problems(loaded):
                refuse([wrong])
            listener = opened.enter_context(closing(open_listener(loaded)))
            # Only here: the server's side of the program costs a second to load.
            from broker.adapters.metrics import Metrics
            from broker.app import build_broker

            # What only somebody can change stops the start; a Redis that is down may come back.
            found = find_store_problem(loaded)
            if found is not None and found.misconfigured:
                refuse([store_problem(found)])
            metrics = Metrics()
            broker = build_broker(loaded, metrics=metrics)
            opened.enter_context(metrics_at_their_port(loaded, metrics.expose))
            server = uvicorn.Server(server_config(loaded, broker))
        spare_the_collector()
        server.run(sockets=[listener])


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


def spare_the_collector() -> None:
    """Keep Python's cycle collector from walking the whole registry again and again.

    What is there at the start lives for good, and a login leaves few cycles behind; measured, a
    login costs a tenth less.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def start_logs(loaded: LoadedSettings) -> None:
    """Send logs where the settings say."""
    from broker.adapters.logs import configure_logs

    file = loaded.settings.logging.file
    configure_logs(
        level=loaded.settings.logging.level,
        file=None if file is None else loaded.config_folder / file,
    )


def find_tls_problems(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield why the certificate and key that the settings name cannot be used, if they cannot."""
    server = loaded.settings.server
    if server.tls_certificate is None or server.tls_key is None:
        return
    certificate, key = (
        loaded.config_folder / each for each in (server.tls_certificate, server.tls_key)
    )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:
        yield Problem(
            str(loaded.config_folder / "broker.toml"),
            "server.tls_certificate",
            f"cannot be used with its key: {error.strerror or error}.",
            "Name PEM files that belong together; the key without passphrase.",
        )


def open_listener(loaded: LoadedSettings) -> socket.socket:
    """Return a socket on the address of the settings, that does not listen yet.

    Raises:
        FederationProblems: the address is in use, or not this machine's.
    """
    host, port = loaded.settings.server.host, loaded.settings.server.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        problem = Problem(
            str(loaded.config_folder / "broker.toml"),
            "server.port",
            f"{host} {port} cannot be listened on: {error.strerror or error}.",
            "Stop what listens there, or state another server.host or server.port.",
        )
        raise FederationProblems([problem]) from error
    return listener


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
