"""`broker takeover status`, `pupils` and `pilot`: what is about lists of pupils.

What `pilot` prepares is carried out by `broker confirm`. Lists come in files, never on the command
line; plans and refusals show counts and line numbers.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
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
from broker.adapters.watching.logs import AuditLines
from broker.commands.listening import start_logs
from broker.commands.operators import (
    file_argument,
    hand_over,
    open_desk,
    read_signer,
    refuse_if_there,
    saying_what_was_refused,
    signer_options,
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
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.flow.operators.listed_action import digest_list, write_listed
from broker.flow.operators.two_persons import Action
from broker.flow.persons.register import RegisterKeys, derive_register_keys
from broker.flow.takeover.takeover_lists import ListKind, ListOf
from broker.flow.takeover.takeover_pilot import ListDesk, ListPlan
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
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        stated, digest = read_stated(file.read_bytes()), digest_of(file)
        of = ListOf(ListKind.PUPILS, SchoolId(school), SupplierId(supplier))

        async def put(opened: Opened) -> ListPlan:
            desk = list_desk_of(opened)
            return await desk.put_pupils(of, stated, digest=digest, dry_run=dry_run)

        plan = run(loaded, put)
    click.echo(describe_plan(plan))
    if dry_run:
        click.echo("Dry run: nothing was changed.")


def describe_plan(plan: ListPlan) -> str:
    """Return what a list changes, in counts."""
    return (
        f"{len(plan.tags)} pupils: {plan.new} new, {plan.kept} already listed,"
        f" {plan.removed} not listed any more."
    )


@takeover.command("pilot")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("file", type=file_argument)
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def pilot(
    config_folder: Path,
    school: str,
    supplier: str,
    file: Path,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Prepare who is on the pilot: an ECK iD or a pupil number a line; another operator confirms.

    While the state is `pilot`, `status` counts who of them arrived at SUPPLIER. It replaces the
    list of before.
    """

    def count(opened: Opened, stated: Sequence[str]) -> int:
        return list_desk_of(opened).count_pilot(pilot_of(school, supplier), stated)

    prepare_list(
        Action.LIST_PILOT, config_folder, (school, supplier), file, signer, key_file, output, count
    )


def pilot_of(school: str, supplier: str) -> ListOf:
    """Return which list a pilot is."""
    return ListOf(ListKind.PILOT, SchoolId(school), SupplierId(supplier))


def prepare_list(
    action: Action,
    config_folder: Path,
    parties: tuple[str, str],
    file: Path,
    signer: str,
    key_file: Path,
    output: Path,
    count: Callable[[Opened, Sequence[str]], int],
) -> None:
    """Prepare what another operator does with a list, and tell how many lines it has."""
    school, supplier = parties
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        by = read_signer(signer, key_file)
        refuse_if_there(output)
        content = file.read_bytes()

        async def state() -> Mapping[str, str]:
            async with opened_databases(loaded) as opened:
                return write_listed(
                    {"school": school, "supplier": supplier},
                    lines=count(opened, read_stated(content)),
                    digest=digest_list(content, keys=opened.register_keys),
                )

        prepared = asyncio.run(
            desk.prepare_stated(action, school=SchoolId(school), by=by, state=state)
        )
        click.echo(f"{prepared.body.parameters['lines']} lines of {school} for {supplier}.")
        hand_over(prepared, output, more=more_to_confirm(action))


def more_to_confirm(action: Action) -> str:
    """Return what else the second operator types."""
    return " --list FILE" + (" --output ANSWER" if action is Action.MAP_TAKEOVER else "")


async def list_confirmed(opened: Opened, names: Mapping[str, str], content: bytes) -> str:
    """Put a pilot in place that two operators want; return the plan."""
    of = pilot_of(names["school"], names["supplier"])
    return describe_plan(await list_desk_of(opened).put_pilot(of, read_stated(content)))


def list_desk_of(opened: Opened) -> ListDesk:
    """Return where lists are taken in, over the databases of this broker."""
    return ListDesk(
        registry=opened.registry,
        lists=opened.lists,
        register=opened.register,
        register_keys=opened.register_keys,
        root=opened.keys.root,
        audit=opened.audit,
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
    )


def run(loaded: LoadedSettings, work: Callable[[Opened], Awaitable[Result]]) -> Result:
    """Do something over this broker's databases, and close them."""

    async def working() -> Result:
        async with opened_databases(loaded) as opened:
            return await work(opened)

    return asyncio.run(working())


@asynccontextmanager
async def opened_databases(loaded: LoadedSettings) -> AsyncIterator[Opened]:
    """Give this broker's databases, and close them."""
    keys = open_databases(loaded)
    register = SqlitePersonRegister(loaded.data_folder / "register.db")
    lists = SqliteTakeoverLists(loaded.data_folder / "register.db")
    try:
        yield Opened(
            loaded=loaded,
            keys=keys,
            register_keys=derive_register_keys(keys.register),
            registry=SqliteRegistry(registry_file(loaded)).load(),
            register=register,
            lists=lists,
            audit=AuditLines(),
        )
    finally:
        await lists.close()
        await register.close()


def read_stated(content: bytes) -> Sequence[str]:
    """Return the lines of a file; what is no text is malformed, as a line."""
    return content.decode("utf-8", errors="replace").splitlines()
