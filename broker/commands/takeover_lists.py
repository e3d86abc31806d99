"""`broker takeover status`, `pupils`, `pilot` and `map`: what is about lists of pupils.

Lists come in files, never on the command line; plans and refusals show counts and line numbers.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.keys.keys_on_disk import BrokerKeys
from broker.adapters.operators_on_disk import write_new
from broker.adapters.terminal import showing_lines
from broker.adapters.watching.logs import AuditLines
from broker.commands.listening import start_logs
from broker.commands.operators import (
    file_argument,
    refuse_if_there,
    saying_what_was_refused,
    slug,
)
from broker.commands.problems import config_option
from broker.commands.registry import registry_file
from broker.commands.takeover import (
    describe_steps,
    digest_of,
    open_databases,
    show_rows,
    takeover,
)
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.persons.register import RegisterKeys, derive_register_keys
from broker.flow.release import day_of
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping
from broker.flow.takeover.takeover_pilot import ListDesk, ListPlan
from broker.flow.takeover.takeovers import noting_refusals
from broker.pseudonyms.derivation import Pseudonym
from broker.settings import LoadedSettings, load_settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Opened:
    """What these commands work with, while a command runs."""

    loaded: LoadedSettings
    keys: BrokerKeys
    register_keys: RegisterKeys
    registry: Registry
    register: SqlitePersonRegister
    lists: SqliteTakeoverLists
    audit: AuditLines


@takeover.command("status")
@config_option
def status(config_folder: Path) -> None:
    """Show every take-over: its state, where it can go, its last day, what was asked, the pilot."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)

        async def count(opened: Opened) -> list[tuple[str, ...]]:
            counts, now = await opened.lists.counts(), datetime.now(UTC)
            rows: list[tuple[str, ...]] = []
            for each in SqliteTakeovers(registry_file(loaded)).all():
                of = (each.takeover.school, each.takeover.supplier)
                listed, _ = counts.get(ListOf(ListKind.PUPILS, *of), (0, 0))
                pilot, arrived = counts.get(ListOf(ListKind.PILOT, *of), (0, 0))
                last_step, last_hour = each.steps[-1]
                rows.append(
                    (
                        *of,
                        each.takeover.state_on(day_of(now)).value,
                        describe_steps(each, now=now),
                        each.takeover.last_day.isoformat(),
                        f"{each.asked} of {each.takeover.quota}",
                        str(listed),
                        f"{arrived} of {pilot}",
                        f"{last_step} {last_hour}",
                    )
                )
            return rows

        rows = run(loaded, count)
    head = ("school", "supplier", "state", "can go to", "last day", "asked", "listed")
    show_rows((*head, "pilot arrived", "last step"), rows)
    if not rows:
        click.echo("No school signed for a take-over yet.")


@takeover.command("pupils")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("file", type=file_argument)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
def pupils(config_folder: Path, school: str, supplier: str, file: Path, dry_run: bool) -> None:
    """Take in the list of pupils that SCHOOL signed with its take-over: an ECK iD a line.

    With it the mapping also answers for pupils who never logged in yet. FILE must be the one whose
    digest was signed. It replaces the list of before.
    """
    add_list(ListKind.PUPILS, config_folder, school, supplier, file, dry_run=dry_run)


@takeover.command("pilot")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("file", type=file_argument)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
def pilot(config_folder: Path, school: str, supplier: str, file: Path, dry_run: bool) -> None:
    """Put pupils on the pilot: an ECK iD or a pupil number a line.

    While the state is `pilot`, `status` counts who of them arrived at SUPPLIER. It replaces the
    list of before.
    """
    add_list(ListKind.PILOT, config_folder, school, supplier, file, dry_run=dry_run)


def add_list(
    kind: ListKind, config_folder: Path, school: str, supplier: str, file: Path, *, dry_run: bool
) -> None:
    """Read a list, show the plan, and put it in place of the one of before."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        stated, digest = read_stated(file), digest_of(file)

        async def add(opened: Opened) -> ListPlan:
            desk = ListDesk(
                registry=opened.registry,
                lists=opened.lists,
                register=opened.register,
                register_keys=opened.register_keys,
                root=opened.keys.root,
                audit=opened.audit,
                clock=lambda: datetime.now(UTC),
                random=secrets.token_bytes,
            )
            of = ListOf(kind, SchoolId(school), SupplierId(supplier))
            return await desk.put(of, stated, digest=digest, dry_run=dry_run)

        plan = run(loaded, add)
    click.echo(
        f"{len(plan.tags)} pupils: {plan.new} new, {plan.kept} already listed,"
        f" {plan.removed} not listed any more."
    )
    if dry_run:
        click.echo("Dry run: nothing was changed.")


@takeover.command("map")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("file", type=file_argument)
@click.option("--output", type=file_argument, required=True, help="Where the answer goes.")
def map_file(config_folder: Path, school: str, supplier: str, file: Path, output: Path) -> None:
    """Turn the ECK iDs in FILE into SUPPLIER's own pseudonyms of SCHOOL's pupils.

    A line is an ECK iD, or an ECK iD, a comma and the supplier's own key of the account; the answer
    then has that key in place of the ECK iD, so that who keeps accounts under another key, like the
    old hub's uid, needs no ECK iDs. Whoever is not known at SCHOOL gets an empty pseudonym. The
    answer is for SUPPLIER alone: hand it over safely, and delete it.
    """
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        refuse_if_there(output)
        stated = read_stated(file)

        async def answer(opened: Opened) -> list[tuple[str, Pseudonym | None]]:
            mapping = mapping_of(opened)
            with (
                noting_refusals(
                    opened.audit,
                    opened.registry,
                    SchoolId(school),
                    SupplierId(supplier),
                    random=secrets.token_bytes,
                ),
                showing_lines("Mapping", total=len(stated)) as progress,
            ):
                answers = await mapping.answer(
                    stated,
                    school=SchoolId(school),
                    supplier=SupplierId(supplier),
                    registry=opened.registry,
                    progress=progress,
                )
            return [
                (line.key or stated[line.number - 1].strip(), pseudonym)
                for line, pseudonym in answers
            ]

        rows = run(loaded, answer)
        text = "".join(f"{key},{pseudonym or ''}\n" for key, pseudonym in rows)
        write_new(output, text.encode())
    answered = sum(pseudonym is not None for _, pseudonym in rows)
    click.echo(f"{len(rows)} asked, {answered} answered, in {output}.")


def mapping_of(opened: Opened) -> TakeoverMapping:
    """Return what answers, over the databases of this broker."""
    return TakeoverMapping(
        ports=MappingPorts(
            register=opened.register,
            lists=opened.lists,
            keys=opened.register_keys,
            root=opened.keys.root,
            pairwise=opened.keys.pairwise,
            settled_after_days=opened.loaded.settings.transfers.settled_days,
            random=secrets.token_bytes,
        ),
        store=SqliteTakeovers(registry_file(opened.loaded)),
        asked_per_school=opened.loaded.settings.takeover.asked_per_school,
        audit=opened.audit,
        clock=lambda: datetime.now(UTC),
    )


def run(loaded: LoadedSettings, work: Callable[[Opened], Awaitable[Result]]) -> Result:
    """Do something over this broker's databases, and close them."""
    keys = open_databases(loaded)

    async def working() -> Result:
        register = SqlitePersonRegister(loaded.data_folder / "register.db")
        lists = SqliteTakeoverLists(loaded.data_folder / "register.db")
        try:
            return await work(
                Opened(
                    loaded=loaded,
                    keys=keys,
                    register_keys=derive_register_keys(keys.register),
                    registry=SqliteRegistry(registry_file(loaded)).load(),
                    register=register,
                    lists=lists,
                    audit=AuditLines(),
                )
            )
        finally:
            await lists.close()
            await register.close()

    return asyncio.run(working())


def read_stated(file: Path) -> Sequence[str]:
    """Return the lines of a file; what is no text is malformed, as a line."""
    return file.read_text(encoding="utf-8", errors="replace").splitlines()
