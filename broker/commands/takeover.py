"""`broker takeover`: accounts that were keyed on the ECK iD go over to pseudonyms."""

import os
import secrets
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys
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
    signing_of,
    slug,
)
from broker.commands.problems import config_option
from broker.commands.registry import registry_file, system_account
from broker.domain.documents import AgreementDocument, Kind, SupplierDocument
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import MEANINGS, Takeover, TakeoverState
from broker.flow.takeover.takeover_report import HeldKeys, find_held_keys
from broker.flow.takeover.takeovers import StoredTakeover, TakeoverDesk
from broker.settings import LoadedSettings, load_settings

SETTABLE = [each.value for each in TakeoverState if each is not TakeoverState.CLOSED]


@click.group()
def takeover() -> None:
    """Accounts keyed on the ECK iD go over to pseudonyms, for one school and supplier at a time.

    A school signs, two operators put that in force (`sign`, `confirm`), one operator moves the
    state (`set`), the supplier attaches pseudonyms at logins or asks for them (`map`), and `report`
    says who may still hold ECK iDs.
    """


@takeover.command("sign")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.option("--document", type=file_argument, required=True, help="What the school signed.")
@click.option(
    "--until",
    "last_day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The last day that it signed for; then the mapping is shut for good.",
)
@click.option("--quota", type=click.IntRange(min=1), required=True, help="ECK iDs to be asked.")
@click.option("--pupils", type=file_argument, help="The list of its pupils that it signed with it.")
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def sign(
    config_folder: Path,
    school: str,
    supplier: str,
    document: Path,
    last_day: datetime,
    quota: int,
    pupils: Path | None,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Prepare what SCHOOL signed for SUPPLIER; another operator confirms.

    Of the files only digests are kept. Other terms of a take-over that runs are signed likewise.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        by = read_signer(signer, key_file)
        refuse_if_there(output)
        terms = Takeover(
            school=SchoolId(school),
            supplier=SupplierId(supplier),
            last_day=last_day.date(),
            quota=quota,
            document=digest_of(document),
            pupils=b"" if pupils is None else digest_of(pupils),
            signed_by="",
        )
        open_databases(loaded)
        hand_over(desk.prepare_takeover(terms, by=by, signing=signing_of(loaded)), output)


@takeover.command("set")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("state", type=click.Choice(SETTABLE))
def set_state(config_folder: Path, school: str, supplier: str, state: str) -> None:
    """Move the take-over of SCHOOL's accounts at SUPPLIER; in force within two seconds.

    prepare, pilot and back: the ECK iD goes out beside the pseudonym, as the agreement lets it. on:
    the pseudonym alone. Which step leads where says `status`.
    """
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        before = desk_of(loaded).set_state(
            SchoolId(school), SupplierId(supplier), TakeoverState(state)
        )
    click.echo(f"{school} at {supplier}: {before} -> {state}.")


@takeover.command("deleted")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.option("--document", type=file_argument, required=True, help="What the supplier signed.")
def deleted(config_folder: Path, school: str, supplier: str, document: Path) -> None:
    """Note that SUPPLIER confirmed to hold no ECK iD of SCHOOL's pupils any more."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        desk_of(loaded).confirm_deleted(
            SchoolId(school), SupplierId(supplier), document=digest_of(document)
        )
    click.echo(f"{supplier} holds no ECK iDs of {school} any more, it says.")


@takeover.command("report")
@config_option
def report(config_folder: Path) -> None:
    """Say which suppliers may still hold ECK iDs, of which schools and since when."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        held = find_held(loaded)
    show_rows(
        ("school", "supplier", "since", "take-over", "asked", "deleted"),
        [
            (
                each.school,
                each.supplier,
                "-" if each.since is None else each.since.isoformat(),
                each.state or "never signed",
                str(each.asked),
                "never confirmed" if each.deleted_on is None else each.deleted_on.isoformat(),
            )
            for each in held
        ],
    )
    holding = [each for each in held if each.may_hold]
    suppliers = {each.supplier for each in holding}
    schools = {each.school for each in holding}
    click.echo(
        f"{len(suppliers)} suppliers may still hold ECK iDs of {len(schools)} schools;"
        f" {len(held) - len(holding)} of {len(held)} confirmed that they hold none."
    )


def find_held(loaded: LoadedSettings) -> list[HeldKeys]:
    """Return who may ever have got ECK iDs, by all that the registry ever said."""
    registry = SqliteRegistry(registry_file(loaded))
    open_databases(loaded)
    agreements = registry.ever_of_kind(Kind.AGREEMENT)
    suppliers = registry.ever_of_kind(Kind.SUPPLIER)
    return find_held_keys(
        (each for each in agreements if isinstance(each, AgreementDocument)),
        (each for each in suppliers if isinstance(each, SupplierDocument)),
        SqliteTakeovers(registry_file(loaded)).all(),
        registry=registry.load(),
        today=day_of(datetime.now(UTC)),
    )


def open_databases(loaded: LoadedSettings) -> BrokerKeys:
    """Bring the databases up to date, and return the keys that they were made with."""
    keys = load_keys(loaded.keys_folder)
    DataFolder(loaded.data_folder, loaded.keys_folder, keys).open()
    return keys


def desk_of(loaded: LoadedSettings) -> TakeoverDesk:
    """Return where one operator works, over the databases of this broker."""
    open_databases(loaded)
    file = registry_file(loaded)
    return TakeoverDesk(
        registry=SqliteRegistry(file).load(),
        store=SqliteTakeovers(file),
        audit=AuditLines(),
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
        by=system_account(),
    )


def digest_of(file: Path) -> bytes:
    """Return the SHA-256 of a file, by which it is known again."""
    with file.open("rb") as opened:
        digest = sha256()
        while part := opened.read(1 << 20):
            digest.update(part)
    return digest.digest()


def show_rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Show a table in a window, and a line for each row in pipes and logs, never cut."""
    console = Console()
    table = Table(*head)
    for row in rows:
        table.add_row(*map(Text, row))
    if console.is_terminal and console.measure(table).maximum <= console.width:
        console.print(table)
        return
    for row in rows:
        line = "  ".join(f"{name} {value}" for name, value in zip(head, row, strict=True))
        console.print(Text(line), soft_wrap=True)


def describe_steps(each: StoredTakeover, *, now: datetime) -> str:
    """Return where a take-over can go from here, as `set` takes it."""
    return ", ".join(MEANINGS[each.takeover.state_on(day_of(now))].next) or "-"
