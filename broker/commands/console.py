"""`broker console`: the first people of the console, links for broken logins, and its log."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import click

from broker.adapters.databases.sql_console_audit import SqliteConsoleAudit
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_role_book import SqliteRoleBook
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.watching.logs import AuditLines
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
from broker.domain.console_roles import PLACES, LoginPlace, PlaceKind, Role
from broker.domain.ids import BoardId, SchoolId
from broker.domain.registry import Registry
from broker.domain.school_search import SchoolIndex, build_school_index
from broker.flow.console.broken_logins import BrokenLogins, LinkPorts
from broker.flow.console.invitations import PeopleDesk, PeoplePorts
from broker.flow.console.people_records import InvitationWish
from broker.flow.console.places import Place
from broker.flow.console.two_operators import CONSOLE_ACTIONS, ConsoleWork, write_invitation
from broker.flow.operators.two_persons import Action, PreparedAction
from broker.flow.persons.register import derive_register_keys
from broker.settings import LoadedSettings, load_settings
from broker.web.console.invitation_routes import link_address
from broker.web.console.people_routes import INVITATION

ROLES = sorted(each.value for each in Role if each is not Role.TEACHER)
EXIT_BROKEN = 1


@dataclass(frozen=True, slots=True)
class OneSnapshot:
    """The registry as it is now, for a command."""

    registry: Registry
    index: SchoolIndex


@click.group()
def console() -> None:
    """Who works in the console, and what was done there."""


@console.command("invite")
@config_option
@click.option("--role", type=click.Choice(ROLES), required=True, help="To which role.")
@click.option("--at", "at", type=slug, help="School, board or supplier; none for an operator.")
@click.option("--last-day", type=click.DateTime(["%Y-%m-%d"]), help="Of the role.")
@click.option("--login", type=slug, help="An ICT partner: supplier at whose login it is accepted.")
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def invite(
    config_folder: Path,
    role: str,
    at: str | None,
    last_day: datetime | None,
    login: str | None,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Prepare an invitation to a role; another operator confirms, and gets its link.

    By this the first operator gets a role, and the first administrator of a board or supplier when
    no operator has one yet.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        refuse_if_there(output)
        wish = InvitationWish(
            role=Role(role),
            place=find_place(Role(role), at or "", load_snapshot(loaded).registry),
            last_day=None if last_day is None else last_day.date(),
            login=None if login is None else LoginPlace(PlaceKind.SUPPLIER, login),
        )

        async def state() -> Mapping[str, str]:
            return write_invitation(wish)

        prepared = asyncio.run(
            desk.prepare_stated(
                Action.INVITE_TO_CONSOLE, by=read_signer(signer, key_file), state=state
            )
        )
    hand_over(prepared, output)


@console.command("link")
@config_option
@click.option("--school", type=slug, required=True, help="At which the person holds a role.")
@click.option("--person", "code", required=True, help="The person's code, as the console shows it.")
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def link(
    config_folder: Path, school: str, code: str, signer: str, key_file: Path, output: Path
) -> None:
    """Prepare a one-time link for somebody whose school's login is broken; another one confirms.

    It works once, within a quarter of an hour after that. Be sure that you know who asks.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        refuse_if_there(output)
        roles = SqliteRoleBook(registry_file(loaded))
        registry = load_snapshot(loaded).registry
        found = registry.schools.get(SchoolId(school))
        boards = (*roles.roles_at(board=found.board),) if found is not None else ()
        given = (*roles.roles_at(schools=[SchoolId(school)]), *boards)
        user = link_maker(loaded).find_person(given, code=code)

        async def state() -> Mapping[str, str]:
            return {"user": user}

        prepared = asyncio.run(
            desk.prepare_stated(
                Action.LINK_TO_CONSOLE,
                school=SchoolId(school),
                by=read_signer(signer, key_file),
                state=state,
            )
        )
    hand_over(prepared, output)


@console.command("verify")
@config_option
def verify(config_folder: Path) -> None:
    """Look whether the console's log is one chain, in which nothing was changed or left out."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        broken = SqliteConsoleAudit(registry_file(loaded)).verify()
    if broken is not None:
        click.echo(f"Entry {broken} does not follow on the one before it.", err=True)
        raise SystemExit(EXIT_BROKEN)
    click.echo("The log is one chain.")


def find_place(role: Role, at: str, registry: Registry) -> Place:
    """Return the place of a role by its id; of a privacy officer the school goes first."""
    for kind in PLACES[role]:
        there = {
            PlaceKind.SCHOOL: SchoolId(at) in registry.schools,
            PlaceKind.BOARD: BoardId(at) in {each.board for each in registry.schools.values()},
            PlaceKind.SUPPLIER: at in registry.suppliers,
            PlaceKind.FEDERATION: at == "",
        }
        if there[kind]:
            return Place(kind, at)
    raise click.UsageError(f"--at names no place of this role: {at or 'nothing'}.")


def console_work_for(
    prepared: PreparedAction, loaded: LoadedSettings, *, said: list[str]
) -> ConsoleWork | None:
    """Return what is done in the console, when a prepared action needs it.

    Args:
        said: takes what is to be told after it was done.
    """
    if prepared.body.action not in CONSOLE_ACTIONS:
        return None
    issuer = loaded.settings.issuer

    def tell(action: Action, code: str) -> None:
        is_link = action is Action.LINK_TO_CONSOLE
        invitation = f"{issuer}{INVITATION}?{urlencode({'code': code})}"
        said.append(link_address(issuer, code) if is_link else invitation)
        said.append("Give this link to that person alone. It works once, and is not shown again.")

    return ConsoleWork(
        people=PeopleDesk(
            PeoplePorts(
                snapshots=load_snapshot(loaded),
                roles=SqliteRoleBook(registry_file(loaded)),
                key=derive_register_keys(load_keys(loaded.keys_folder).register).tag,
                audit=AuditLines(),
                clock=lambda: datetime.now(UTC),
                random=secrets.token_bytes,
                invitation_days=loaded.settings.console.invitation_days,
            )
        ),
        links=link_maker(loaded),
        clock=lambda: datetime.now(UTC),
        told=tell,
    )


def link_maker(loaded: LoadedSettings) -> BrokenLogins:
    """Return what makes one-time links."""
    return BrokenLogins(
        LinkPorts(
            roles=SqliteRoleBook(registry_file(loaded)),
            key=derive_register_keys(load_keys(loaded.keys_folder).register).tag,
            audit=AuditLines(),
            clock=lambda: datetime.now(UTC),
            random=secrets.token_bytes,
        )
    )


def load_snapshot(loaded: LoadedSettings) -> OneSnapshot:
    """Return the registry in force now."""
    registry = SqliteRegistry(registry_file(loaded)).load(now=datetime.now(UTC))
    return OneSnapshot(registry, build_school_index(registry))
