"""`broker relations`: schools that merge, split or get another BRIN, before they are applied."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.federation_files import open_documents
from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys
from broker.adapters.terminal import show_progress
from broker.commands.operators import open_register, slug
from broker.commands.problems import EXIT_REFUSED, config_option, refuse, saying_what_is_wrong
from broker.commands.registry import (
    data_folder_of,
    make_compiler,
    open_registry,
    registry_file,
)
from broker.domain.attributes import Population
from broker.domain.documents import DocumentProblem
from broker.domain.dutch_days import day_of
from broker.domain.federation import Relation, State
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry
from broker.flow.federation.change import check_apply
from broker.flow.federation.documents import FederationProblems, Problem, read_documents
from broker.flow.federation.relation_import import (
    MAX_TRANSITIONS_BYTES,
    WORDS,
    Proposals,
    read_transitions,
    write_proposal,
)
from broker.flow.federation.relation_rehearsal import (
    MAX_NUMBERS_BYTES,
    Becomes,
    Lists,
    NumbersForeseen,
    Rehearsal,
    SupplierForeseen,
    read_numbers,
    registry_after,
    rehearse_numbers,
    rehearse_relation,
)
from broker.flow.persons.register import derive_register_keys
from broker.flow.persons.school_counts import CountKind, year_day
from broker.settings import LoadedSettings, load_settings

MAX_LINES_TOLD = 10

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def relations() -> None:
    """Schools that merge, split or get another BRIN: see before you apply."""


@relations.command("import")
@config_option
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the proposed documents.",
)
@click.option(
    "--state",
    type=click.Choice([each.value for each in State]),
    default=State.PRODUCTION.value,
    show_default=True,
    help="Of the schools that are meant.",
)
@click.argument("file", type=existing_file)
def relations_import(config_folder: Path, folder: Path, state: str, file: Path) -> None:
    """Propose relations from the ministry's file of transitions (OVERGANGEN_<date>.csv).

    Writes a document for each change among schools that are in the registry, and says what it left
    out and why. Puts nothing in force, and writes over no file.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        content = read_bounded(file, most_bytes=MAX_TRANSITIONS_BYTES)
        try:
            found = read_transitions(
                content,
                registry=load_registry(loaded),
                state=State(state),
                today=day_of(datetime.now(UTC)),
            )
        except DocumentProblem as problem:
            refuse([Problem(str(file), problem.path, problem.problem, problem.remedy)])
            return
        files = {folder / f"{each.id}.toml": each for each in found.proposals}
        there = [each for each in files if each.exists()]
        if there:
            remedy = "Apply it or move it away."
            refuse([Problem(str(each), "-", "is there already.", remedy) for each in there])
        folder.mkdir(parents=True, exist_ok=True)
        for path, proposal in files.items():
            path.write_text(write_proposal(proposal, file=file.name), encoding="utf-8")
            schools = f"{', '.join(proposal.old)} -> {', '.join(proposal.new)}"
            click.echo(f"{proposal.kind} on {proposal.first_day}: {schools}: {path}")
    show_skipped(found)
    click.echo(f"{len(files)} proposed. Next: broker relations rehearse DOCUMENT")


def show_skipped(found: Proposals) -> None:
    """Say which lines of a file propose nothing, and why."""
    for why, lines in found.skipped.items():
        told = ", ".join(map(str, lines[:MAX_LINES_TOLD]))
        more = ", ..." if len(lines) > MAX_LINES_TOLD else ""
        click.echo(f"{len(lines)} lines {WORDS[why]}: {told}{more}")


@relations.command("rehearse")
@config_option
@click.option(
    "--numbers",
    "lists",
    multiple=True,
    metavar="SCHOOL=FILE",
    help="The numbers that an old school gave out, one a line; read and forgotten.",
)
@click.option("--staff", is_flag=True, help="The numbers are those of staff.")
@click.argument("document", type=existing_file)
def relations_rehearse(
    config_folder: Path, lists: Sequence[str], staff: bool, document: Path
) -> None:
    """Show what the relations in DOCUMENT would change, and change nothing.

    Which agreements are carried, what goes out no more, which BRINs may be stated, and with
    --numbers how many pupils keep their work by their number alone. Exits 1 when it could not be
    applied, or when numbers collide that the document calls distinct.
    """
    population = Population.STAFF if staff else Population.PUPIL
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        keys = load_keys(loaded.keys_folder)
        change = check_apply(
            open_registry(loaded),
            read_documents(open_documents([document])),
            prune=False,
            compiler=make_compiler(loaded, epoch=keys.pairwise.newest),
        )
        numbers = read_lists(lists)
        registry = registry_after(load_registry(loaded), change)
        found = [each.record for each in change.put if isinstance(each.record, Relation)]
        collide = False
        for relation in found:
            rehearsal = rehearse_relation(
                relation, registry=registry, today=day_of(datetime.now(UTC))
            )
            show_rehearsal(rehearsal)
            show_pupils(relation.old, loaded, keys)
            if numbers:
                counts = look_up_numbers(
                    rehearsal, Lists(numbers, population), registry, loaded, keys
                )
                show_numbers(counts)
                collide = collide or (counts.collide > 0 and len(relation.numbers_of) > 1)
    if not found:
        click.echo("Nothing to rehearse: its relations are in force as they stand there.")
    if collide:
        click.echo(
            "Refused: numbers of several schools go on, and some were given out by two of them. "
            "Name the one school whose numbers go on in numbers_of.",
            err=True,
        )
        sys.exit(EXIT_REFUSED)


def read_lists(lists: Sequence[str]) -> Mapping[SchoolId, frozenset[str]]:
    """Return the numbers of each school that is named."""
    found = {}
    for each in lists:
        school, _, file = each.partition("=")
        if not file:
            raise click.UsageError("--numbers takes SCHOOL=FILE.")
        content = read_bounded(Path(file), most_bytes=MAX_NUMBERS_BYTES)
        found[SchoolId(slug(school))] = read_numbers(content, file=file)
    return found


def look_up_numbers(
    rehearsal: Rehearsal,
    lists: Lists,
    registry: Registry,
    loaded: LoadedSettings,
    keys: BrokerKeys,
) -> NumbersForeseen:
    """Return what becomes of the numbers."""

    async def look_up() -> NumbersForeseen:
        register = open_register(loaded)
        try:
            return await rehearse_numbers(
                rehearsal.relation,
                lists,
                registry=registry,
                day=rehearsal.day,
                register=register,
                keys=derive_register_keys(keys.register),
                root_key=keys.root,
                progress=show_progress,
            )
        finally:
            await register.close()

    return asyncio.run(look_up())


def show_rehearsal(rehearsal: Rehearsal) -> None:
    """Say what a relation would change."""
    relation = rehearsal.relation
    schools = f"{', '.join(relation.old)} -> {', '.join(relation.new)}"
    click.echo(f"{relation.id}: {relation.kind}, {schools}, as on {rehearsal.day}")
    for each in rehearsal.suppliers:
        click.echo(f"  {each.school}, {each.supplier}: {describe_supplier(each)}")
    for school, brins in rehearsal.brins.items():
        until = relation.brins_last_day
        click.echo(f"  {school} may still state {', '.join(sorted(brins))} until {until}")
    if not relation.numbers_of:
        click.echo("  numbers are new: who has no ECK iD begins anew")


def show_pupils(schools: Sequence[SchoolId], loaded: LoadedSettings, keys: BrokerKeys) -> None:
    """Say how many pupils logged in this school year: counted, no row is opened."""
    data_folder_of(loaded, keys).open()
    counts = SqliteSchoolCounts(loaded.data_folder / "register.db")
    first = year_day(day_of(datetime.now(UTC)))
    for school in schools:
        pupils = counts.read(school, since=first).get((first, CountKind.PUPILS), 0)
        click.echo(f"  {school}: {pupils} pupils logged in this school year")


def describe_supplier(each: SupplierForeseen) -> str:
    """Return what becomes of a supplier, in words."""
    carried = ", ".join(f"{of.school} version {of.version}" for of in each.carried_from)
    words = {
        Becomes.OWN: "the school's own agreement",
        Becomes.BOARD: "its board's agreement",
        Becomes.CARRIED: f"carried from {carried}",
        Becomes.LOST: "no agreement any more: nobody can go there",
    }[each.becomes]
    approved = ", ".join(each.approved) or "the pseudonym alone"
    goes_out = "" if each.becomes is Becomes.LOST else f"; goes out: {approved}"
    return words + goes_out + (f"; no more: {', '.join(each.lost)}" if each.lost else "")


def show_numbers(counts: NumbersForeseen) -> None:
    """Say what becomes of the numbers, in counts."""
    click.echo(
        f"  {counts.listed} numbers: {counts.stay} keep their work by number, {counts.fresh} are "
        f"known and begin anew without an ECK iD, {counts.collide} collide, {counts.unknown} are "
        "not known yet"
    )
    click.echo(
        "  Not looked at: pupils who wait or are held, how many may come a day, promises of "
        "take-overs, and enrolment lists."
    )


def read_bounded(file: Path, *, most_bytes: int) -> bytes:
    """Return what a file holds.

    Raises:
        FederationProblems: it is larger than any such file.
    """
    with file.open("rb") as opened:
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise FederationProblems(
            [Problem(str(file), "-", "is larger than any such file.", "Name another one.")]
        )
    return content


def load_registry(loaded: LoadedSettings) -> Registry:
    """Return the registry in force.

    Raises:
        FederationProblems: nothing was applied yet.
    """
    file = registry_file(loaded)
    if not file.exists():
        raise FederationProblems(
            [Problem("registry", "-", "nothing is in force yet.", "Run `broker apply`.")]
        )
    return SqliteRegistry(file).load()
