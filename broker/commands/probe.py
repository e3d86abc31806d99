"""`broker probe`: a made-up pupil logs in at the running broker, for monitoring."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from broker.adapters.keys.key_files import KeyProblem
from broker.commands.problems import (
    EXIT_REFUSED,
    config_option,
    key_problem,
    refuse,
    saying_what_is_wrong,
)
from broker.commands.registry import apply
from broker.settings import LOOPBACK_HOSTS, LoadedSettings, load_settings

FOLDER = "probe"


@click.group(invoke_without_command=True)
@config_option
@click.option(
    "--url",
    "address",
    metavar="URL",
    help="Where the broker is reached: the issuer's host, or loopback. The issuer by default.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="PEM of the authorities that may vouch for it; the system's by default.",
)
@click.option("--json", "as_line", is_flag=True, help="Say it as one line of JSON.")
@click.option(
    "--every", type=click.IntRange(1), metavar="SECONDS", help="Go on for ever, at this pace."
)
@click.option(
    "--textfile",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write it here, for Prometheus' node exporter.",
)
@click.option(
    "--within",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for one login.",
)
@click.pass_context
def probe(
    context: click.Context,
    config_folder: Path,
    address: str | None,
    ca_file: str | None,
    as_line: bool,
    every: int | None,
    textfile: Path | None,
    within: float,
) -> None:
    """Log a made-up pupil in at the running broker, up to inside a made-up supplier.

    Exit 0 when it works and the pupil is the same as in the first run, else 1. `broker probe init`
    makes what it needs.
    """
    if context.invoked_subcommand is not None:
        return
    # Only here: what they need of the broker costs a second to load.
    from broker.probe.parties import load_parties
    from broker.probe.report import as_json, in_words, write_textfile
    from broker.probe.run import run_probe

    with saying_what_is_wrong(), saying_key_problems():
        loaded = load_settings(config_folder, environment=os.environ)
        reached = check_address(address or loaded.settings.issuer, loaded)
        parties = load_parties(config_folder / FOLDER)
        while True:
            began = time.monotonic()
            result = asyncio.run(
                run_probe(
                    parties,
                    issuer=loaded.settings.issuer,
                    address=reached,
                    ca_file=ca_file,
                    within_seconds=within,
                    clock=lambda: datetime.now(UTC),
                )
            )
            if textfile is not None:
                write_textfile(textfile, result)
            said = as_json(result) if as_line else in_words(result)
            click.echo(said, err=not (result.ok or as_line))
            if every is None:
                break
            time.sleep(max(0.0, every - (time.monotonic() - began)))
    if not result.ok:
        raise SystemExit(EXIT_REFUSED)


@probe.command("init")
@config_option
@click.pass_context
def probe_init(context: click.Context, config_folder: Path) -> None:
    """Make the probe's school and supplier, with their keys, and put them in force.

    They live in the folder `probe`. Run it again at any time: what is there stays.
    """
    from broker.probe.parties import FEDERATION, make_parties

    with saying_what_is_wrong(), saying_key_problems():
        load_settings(config_folder, environment=os.environ)
        parties = make_parties(config_folder / FOLDER, now=datetime.now(UTC))
    context.invoke(
        apply,
        config_folder=config_folder,
        dry_run=False,
        prune=False,
        version=None,
        allow_new_pseudonyms=False,
        paths=(parties.folder / FEDERATION,),
    )


def check_address(url: str, loaded: LoadedSettings) -> str:
    """Return where the broker is reached; anywhere else than it can be is wrong usage."""
    parts, issuer = urlsplit(url), urlsplit(loaded.settings.issuer)
    try:
        known = parts.port is None or parts.port > 0
    except ValueError:
        known = False
    hosts = {*LOOPBACK_HOSTS, issuer.hostname}
    if not known or parts.scheme not in ("http", "https") or parts.hostname not in hosts:
        raise click.UsageError("--url is http:// or https://, and loopback or the issuer's host.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise click.UsageError("--url without TLS is for loopback only.")
    return url


@contextmanager
def saying_key_problems() -> Iterator[None]:
    """Say what is wrong with a key of the probe, and exit 1."""
    try:
        yield
    except KeyProblem as found:
        remedy = "Run `broker probe init`; for another key, remove this one first."
        refuse([replace(key_problem(found), remedy=remedy)])
