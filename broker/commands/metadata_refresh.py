"""`broker metadata refresh` and `broker metadata sources`: SAML metadata that others sign."""

import os
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.terminal import show_plan, show_warnings
from broker.adapters.watching.logs import AuditLines, report_metadata
from broker.commands.listening import start_logs
from broker.commands.metadata_warnings import endings
from broker.commands.problems import config_option, refuse, saying_what_is_wrong
from broker.commands.registry import (
    data_folder_of,
    make_compiler,
    registry_file,
    system_account,
)
from broker.domain.metadata_sources import SourceUpdate
from broker.flow.audit import AuditEvent
from broker.flow.federation.change import Compiler
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.federation.refresh import Refresh, SourceRefused, check_refresh, fail
from broker.flow.federation.refresh_times import due_at, find_due
from broker.settings import LoadedSettings, load_settings

BY_ITSELF = "broker"
"""Who changed the registry, when nobody did."""


@click.command("refresh")
@config_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--due", is_flag=True, help="Only sources whose turn it is; for the broker itself.")
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Take over also what loses parties, or no longer asks for signatures.",
)
@click.option(
    "--all-again", is_flag=True, help="Ask for everything, also where nothing is said to be new."
)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
def metadata_refresh(
    config_folder: Path,
    dry_run: bool,
    due: bool,
    accept_loss: bool,
    all_again: bool,
    sources: tuple[str, ...],
) -> None:
    """Ask sources of metadata again, and put in force what changed: keys, places, names.

    SOURCE is the id of a document in `metadata_sources`; all of them by default. Each source comes
    in force whole or not at all, and then what it had stays. A running broker does this by itself.
    """
    console = Console()
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        keys = load_keys(loaded.keys_folder)
        data = data_folder_of(loaded, keys)
        data.check_nothing_lost()
        data.open_registry()
        known = SqliteMetadata(registry_file(loaded)).sources()
        check_known(sources, known)
        names = sources or (find_due(known, now=datetime.now(UTC)) if due else sorted(known))
        compiler = make_compiler(loaded, epoch=keys.pairwise.newest)
        refused = []
        for name in names:
            try:
                found = look_at(
                    loaded,
                    name,
                    compiler,
                    accept_loss=accept_loss,
                    all_again=all_again,
                    keeps=not dry_run,
                )
            except SourceRefused as why:
                refused.append(why.problem)
                continue
            show_plan(found.change.plan, console=console)
            show_warnings(found.change.warnings, console=console)
            if dry_run:
                console.print(f"{name}: dry run, nothing was changed.")
            else:
                put_in_force(loaded, name, found, console=console, by_itself=due)
        if not dry_run:
            tell_ending(loaded)
        if refused:
            refuse(refused)


def check_known(sources: Sequence[str], known: Container[str]) -> None:
    """Refuse names of sources that no document has.

    Raises:
        FederationProblems: with each of them.
    """
    lacking = [each for each in sources if each not in known]
    if lacking:
        raise FederationProblems(
            Problem(f"metadata_sources/{each}", "-", "is not in force.", "Run `broker apply`.")
            for each in lacking
        )


def look_at(
    loaded: LoadedSettings,
    name: str,
    compiler: Compiler,
    *,
    accept_loss: bool,
    all_again: bool,
    keeps: bool,
) -> Refresh:
    """Return what a source would change; a look in vain is kept in mind.

    Raises:
        SourceRefused: nothing of it can be taken over.
    """
    store = SqliteRegistry(registry_file(loaded))
    current, access = store.current(), compiler.sources
    if access is None:
        raise TypeError("a compiler without sources")
    try:
        return check_refresh(
            current,
            store.records(),
            source_id=name,
            access=access,
            compiler=compiler,
            accept_loss=accept_loss,
            all_again=all_again,
        )
    except SourceRefused as why:
        standing = fail(current.sources.get(name), why, access=access)
        if keeps:
            if standing is not None:
                SqliteMetadata(store.path).keep(SourceUpdate(name, standing))
            AuditLines().record(AuditEvent(action="metadata-refused", source=name))
            report_metadata("metadata-failed", source=name, reason=why.problem.problem)
        raise


def put_in_force(
    loaded: LoadedSettings, name: str, found: Refresh, *, console: Console, by_itself: bool
) -> None:
    """Keep what a look found, and tell what changed."""
    store, change = SqliteRegistry(registry_file(loaded)), found.change
    changed = len(change.plan.documents)
    if found.adds_version:
        by = BY_ITSELF if by_itself else system_account()
        version = store.write(change, by=by, at=datetime.now(UTC))
        console.print(f"{name}: version {version} is in force.")
    else:
        for update in change.sources:
            SqliteMetadata(store.path).keep(update)
        console.print(f"{name}: nothing changed.")
    counts = ("registered", found.registered), ("changed", changed), ("absent", len(found.absent))
    AuditLines().record(AuditEvent(action="metadata-refreshed", source=name, counts=counts))
    for kind, id_ in found.keys_changed:
        report_metadata("metadata-keys-changed", source=name, document=f"{kind}/{id_}")
    for each in found.absent:
        report_metadata("metadata-party-absent", source=name, entity_id=each.entity_id)


def tell_ending(loaded: LoadedSettings) -> None:
    """Write down which metadata end soon."""
    for each in endings(loaded):
        report_metadata(
            "metadata-ends-soon",
            source=each.source,
            entity_id=each.party,
            ends_at=f"{each.ends_at:%Y-%m-%dT%H:%MZ}",
        )


@click.command("sources")
@config_option
def metadata_sources(config_folder: Path) -> None:
    """List the sources of metadata: until when they are valid, and how the last look went."""
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        known = SqliteMetadata(registry_file(loaded)).sources()
    for name, (source, standing) in sorted(known.items()):
        if standing is None:
            click.echo(f"{name}: never read")
            continue
        until = standing.valid_until
        valid = "each party has its own" if until is None else f"{until:%Y-%m-%d %H:%M} UTC"
        click.echo(
            f"{name}: valid until {valid}, confirmed {standing.confirmed_at:%Y-%m-%d %H:%M} UTC, "
            f"next look {due_at(source, standing):%Y-%m-%d %H:%M} UTC, "
            f"failures {standing.failures}"
        )
        if standing.failure:
            click.echo(f"    {standing.failure}")
