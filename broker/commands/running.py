"""`broker serve` and `broker demo`: the broker as a server, alone or among its demo parties."""

import asyncio
import os
from contextlib import ExitStack, closing
from pathlib import Path

import click

from broker.commands.listening import open_listener, start_logs
from broker.commands.problems import config_option, refuse, saying_what_is_wrong
from broker.commands.workers import find_start_problems, serve_alone, supervise
from broker.setting_tables import MEMORY_URL
from broker.settings import LoadedSettings, SettingsProblem, load_settings

DEMO_FOLDER = Path("var/demo")
WORKERS_VARIABLE = "BROKER_SERVER__WORKERS"


@click.command()
@config_option
@click.option("--workers", type=click.IntRange(1), help="How many; server.workers by default.")
def serve(config_folder: Path, workers: int | None) -> None:
    """Run the broker until it is told to stop.

    More workers than one need a Redis as login store. SIGTERM lets running requests finish,
    SIGHUP puts changed settings in force without a pause.

    In front of it stands a proxy that ends TLS; without one, name server.tls_certificate and
    server.tls_key in the settings.
    """

    def load() -> LoadedSettings:
        return load_for_serving(config_folder, workers=workers)

    with ExitStack() as opened, saying_what_is_wrong():
        loaded = load()
        start_logs(loaded)
        listener = opened.enter_context(closing(open_listener(loaded)))
        found = list(find_start_problems(loaded))
        if found:
            refuse(found)
        if loaded.settings.store.url == MEMORY_URL:
            serve_alone(loaded, listener)
        else:
            supervise(loaded, listener, look_again=load)


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEMO_FOLDER,
    show_default=True,
    help="Where the demo lives; every start empties it.",
)
@click.option(
    "--issuer",
    help="Address of a broker that runs elsewhere on this folder, as in docker/compose.demo.yaml.",
)
@click.option(
    "--ca-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Who vouches for the certificate of that broker.",
)
def demo(folder: Path, issuer: str | None, ca_file: Path | None) -> None:
    """Run the demo world on loopback: broker, schools and suppliers, with scenarios to click."""
    from broker.demo.addresses import PortTaken
    from broker.demo.run import NotADemoFolder, run_demo

    try:
        asyncio.run(run_demo(folder, say=click.echo, issuer=issuer, ca_file=ca_file))
    except (PortTaken, NotADemoFolder) as reason:
        raise click.ClickException(str(reason)) from None


def load_for_serving(config_folder: Path, *, workers: int | None) -> LoadedSettings:
    """Read the settings; a number of workers on the command line goes before theirs.

    Raises:
        SettingsProblem: as `load_settings`.
    """
    if workers is None:
        return load_settings(config_folder, environment=os.environ)
    try:
        return load_settings(
            config_folder, environment={**os.environ, WORKERS_VARIABLE: str(workers)}
        )
    except SettingsProblem as found:
        if found.file == WORKERS_VARIABLE:
            found.file = "--workers"
        raise
