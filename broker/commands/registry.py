"""`broker check` and `broker apply`: the registry, from documents to what is in force."""

import getpass
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from broker.adapters.calls.discovery_fetch import make_fetch
from broker.adapters.calls.metadata_fetch import make_ask
from broker.adapters.databases.data_folder import DataFolder, find_open_files
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.federation_files import open_documents
from broker.adapters.keys.key_facts import read_certificate_facts, read_key_facts
from broker.adapters.keys.keys_on_disk import BrokerKeys, KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import find_standing
from broker.adapters.terminal import show_plan, show_progress, show_warnings
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.commands.going_live import warn_of_going_live
from broker.commands.key_rotation import warn_of_expiry
from broker.commands.listening import find_tls_problems
from broker.commands.metadata_warnings import warn_of_metadata
from broker.commands.problems import (
    config_option,
    key_problems,
    loss_problem,
    saying_what_is_wrong,
    store_problem,
)
from broker.commands.relying_parties import describe_relying_parties
from broker.commands.school_warnings import warn_of_head_counts, warn_of_schools
from broker.commands.token_algorithms import find_missing_algorithms
from broker.domain.federation import Supplier
from broker.flow.federation.change import (
    Compiler,
    FederationStore,
    NothingApplied,
    check_apply,
    check_return,
)
from broker.flow.federation.documents import FederationProblems, Problem, read_documents
from broker.flow.federation.source_reading import SourceAccess
from broker.flow.key_plans.key_facts import find_expiring_of_partners
from broker.person_settings import arrival_rules_of
from broker.pseudonyms.epochs import PairwiseKeys
from broker.settings import LoadedSettings, load_settings
from broker.store_choice import find_store_problem

EPOCH_BEFORE_KEYS = "a"
"""What `check` takes for the newest epoch while the keys cannot be used: `keys init` makes it."""


@click.command()
@config_option
def check(config_folder: Path) -> None:
    """Find what keeps the broker from working: file, key, problem, remedy.

    Looks at the settings, the login store, the keys, the registry, the epochs that suppliers are
    pinned to, and at the documents in the configuration's folder `federation`, as `apply` would.
    Tells by which profile each relying party is served. Changes nothing.
    """
    with saying_what_is_wrong():
        problems = find_problems(load_settings(config_folder, environment=os.environ))
        if problems:
            raise FederationProblems(problems)
    click.echo("No problem found.")


def find_problems(loaded: LoadedSettings) -> list[Problem]:
    """Return what is wrong with the login store, the keys, the registry and the documents."""
    problems = [*find_tls_problems(loaded), *find_store_problems(loaded)]
    pairwise: PairwiseKeys | None = None
    keys: BrokerKeys | None = None
    try:
        keys = load_keys(loaded.keys_folder)
        pairwise = keys.pairwise
        problems += map(loss_problem, data_folder_of(loaded, keys).find_losses())
        now = datetime.now(UTC)
        facts = read_key_facts(keys, find_standing(keys, now=now), now=now)
        show_warnings(warn_of_expiry(facts, now=now), console=Console(stderr=True))
    except KeysUnusable as found:
        problems += key_problems(found)
    problems += find_open_data(loaded)
    store = open_registry(loaded)
    if pairwise is not None:
        problems += find_lost_epochs(store, pairwise)
    if not store.current().documents:
        told = "nothing is in force yet, so nobody can log in."
        nothing = Problem("registry", "-", told, "Run `broker apply`.")
        show_warnings([nothing], console=Console(stderr=True))
    if registry_file(loaded).exists():
        show_warnings(warn_of_partners(loaded), console=Console(stderr=True))
        show_warnings(warn_of_schools(loaded), console=Console(stderr=True))
        show_warnings(warn_of_metadata(loaded), console=Console(stderr=True))
        if pairwise is not None:
            problems += find_lost_windows(loaded, pairwise)
        if keys is not None:
            problems += find_missing_algorithms(loaded, keys)
    stated: list[object] = []
    if registry_file(loaded).exists():
        stated += SqliteRegistry(registry_file(loaded)).load().suppliers.values()
    folder = loaded.config_folder / "federation"
    if folder.is_dir():
        compiler = make_compiler(loaded, epoch=pairwise.newest if pairwise else EPOCH_BEFORE_KEYS)
        try:
            change = check_apply(
                store, read_documents(open_documents([folder])), prune=False, compiler=compiler
            )
            waiting = warn_of_waiting(folder, len(change.plan.documents))
            show_warnings([*change.warnings, *waiting], console=Console(stderr=True))
            stated += (each.record for each in change.put)
        except FederationProblems as found:
            problems += found.problems
    for line in describe_relying_parties(each for each in stated if isinstance(each, Supplier)):
        click.echo(line)
    return problems


def warn_of_waiting(folder: Path, count: int) -> Iterator[Problem]:
    """Yield a warning when documents were written and not applied: `serve` does not read them."""
    if count:
        told = f"holds {count} documents that are not in force as they stand there."
        yield Problem(str(folder), "-", told, "Run `broker apply`.")


def find_store_problems(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield what is wrong with the Redis that the settings name, if they name one."""
    found = find_store_problem(loaded)
    if found is not None:
        yield store_problem(found)


def find_open_data(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield each database, and their folder, that others than its owner may use."""
    for file, mode in find_open_files(loaded.data_folder):
        yield Problem(
            str(file),
            "-",
            f"is open to others than its owner (mode {mode:04o}).",
            f"Run `chmod {'700' if file.is_dir() else '600'} {file}`.",
        )


def warn_of_partners(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield a warning for each partner whose only certificate ends soon."""
    now, registry = datetime.now(UTC), SqliteRegistry(registry_file(loaded)).load()
    for each in find_expiring_of_partners(read_certificate_facts(registry), now=now):
        yield Problem(
            "registry",
            each.document,
            f"has a {each.purpose} certificate that ends on {each.expires_at:%Y-%m-%d}.",
            "Ask the partner for metadata with the next one before it changes.",
        )


def find_lost_epochs(store: FederationStore, pairwise: PairwiseKeys) -> Iterator[Problem]:
    """Yield a problem for each supplier whose pseudonyms nobody could make."""
    for supplier, epoch in sorted(store.current().pins.items()):
        if epoch not in pairwise:
            yield Problem(
                "registry",
                f"suppliers/{supplier}",
                f"is pinned to epoch {epoch}, which has no key.",
                f"Restore pairwise/{epoch}.hex from the backup.",
            )


def find_lost_windows(loaded: LoadedSettings, pairwise: PairwiseKeys) -> Iterator[Problem]:
    """Yield a problem for each supplier whose names of before nobody could tell it."""
    for each in SqliteRegistry(registry_file(loaded)).load().suppliers.values():
        if each.previous_epoch is not None and each.previous_epoch not in pairwise:
            yield Problem(
                "registry",
                f"suppliers/{each.id}",
                f"is in a rotation with epoch {each.previous_epoch}, which has no key.",
                f"Restore pairwise/{each.previous_epoch}.hex from the backup.",
            )


@click.command()
@config_option
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--prune", is_flag=True, help="Remove what is in force and in no PATH.")
@click.option(
    "--to",
    "version",
    type=click.IntRange(min=1),
    metavar="VERSION",
    help="Go back to the documents of a version; without PATH.",
)
@click.option(
    "--allow-new-pseudonyms",
    is_flag=True,
    help="Do also what makes strangers of people who are known.",
)
@click.argument(
    "paths", nargs=-1, metavar="[PATH]...", type=click.Path(exists=True, path_type=Path)
)
def apply(
    config_folder: Path,
    dry_run: bool,
    prune: bool,
    version: int | None,
    allow_new_pseudonyms: bool,
    paths: tuple[Path, ...],
) -> None:
    """Put federation documents in force: schools, logins, suppliers, agreements.

    PATH is a TOML file or a folder of them. What they state is added or replaces what has the same
    id; all of it or nothing. Running it twice changes nothing. A running broker follows within two
    seconds.
    """
    if (version is None) != bool(paths):
        raise click.UsageError("Name a PATH to apply, or --to VERSION to go back.")
    if version is not None and prune:
        raise click.UsageError("--to brings a whole version back: --prune has no meaning.")
    console = Console()
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        keys = load_keys(loaded.keys_folder)
        compiler = replace(
            make_compiler(loaded, epoch=keys.pairwise.newest),
            allow_new_pseudonyms=allow_new_pseudonyms,
        )
        data = data_folder_of(loaded, keys)
        data.check_nothing_lost()
        store = open_registry(loaded) if dry_run else make_registry(loaded, data)
        if version is None:
            documents = read_documents(open_documents(paths))
            if not documents:  # with --prune, a mistyped folder would switch everybody off
                raise FederationProblems(
                    Problem(str(each), "-", "holds no document.", "Name another file or folder.")
                    for each in paths
                )
            change = check_apply(store, documents, prune=prune, compiler=compiler)
        else:
            change = check_return(store, version=version, compiler=compiler)
        show_plan(change.plan, console=console)
        counts = warn_of_head_counts(
            (each.record for each in change.put), rules=arrival_rules_of(loaded.settings)
        )
        going = warn_of_going_live(loaded, keys, change)
        show_warnings([*change.warnings, *counts, *going], console=console)
        if dry_run:
            console.print("Dry run: nothing was changed.")
        elif not change.plan.documents:
            console.print(f"Nothing to do: version {change.base} is in force.")
        else:
            new = store.write(change, by=system_account(), at=datetime.now(UTC))
            console.print(f"Version {new} is in force.")


def make_compiler(loaded: LoadedSettings, *, epoch: str) -> Compiler:
    """Return what compiling documents needs."""
    return Compiler(
        xml=LxmlSecurity(),
        newest_epoch=epoch,
        fetch=make_fetch(
            allowed_hosts=loaded.settings.fetch_allowed_hosts,
            timeout_seconds=loaded.settings.limits.school_call_seconds,
        ),
        progress=show_progress,
        today=datetime.now(UTC).date(),
        sources=SourceAccess(
            make_ask(allowed_hosts=loaded.settings.fetch_allowed_hosts), datetime.now(UTC)
        ),
    )


def registry_file(loaded: LoadedSettings) -> Path:
    """Return where the registry is."""
    return loaded.data_folder / "registry.db"


def open_registry(loaded: LoadedSettings) -> FederationStore:
    """Return the registry to read from; an empty one when nothing was applied yet."""
    file = registry_file(loaded)
    return SqliteRegistry(file) if file.exists() else NothingApplied()


def data_folder_of(loaded: LoadedSettings, keys: BrokerKeys) -> DataFolder:
    """Return the databases with the keys that they need."""
    return DataFolder(loaded.data_folder, loaded.keys_folder, keys)


def make_registry(loaded: LoadedSettings, data: DataFolder) -> FederationStore:
    """Return the registry, made or brought up to date where needed."""
    data.open_registry()
    return SqliteRegistry(registry_file(loaded))


def system_account() -> str:
    """Return who runs this command, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"
