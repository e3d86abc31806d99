"""`broker operator` and `broker person`, and what commands for two persons share."""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.operators_on_disk import (
    OperatorsOnDisk,
    UsedActionsOnDisk,
    make_operator_key,
    public_pem,
    read_operator_key,
    read_public_key,
    write_new,
)
from broker.adapters.watching.logs import AuditLines
from broker.commands.listening import start_logs
from broker.commands.problems import (
    EXIT_REFUSED,
    config_option,
    key_problem,
    refuse,
    saying_what_is_wrong,
)
from broker.commands.registry import registry_file, system_account
from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, is_slug
from broker.domain.refusals import Refusal
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys
from broker.flow.federation.documents import Problem
from broker.flow.operators.erased_beside import BesideRows
from broker.flow.operators.operator_actions import OperatorDesk, present_stated
from broker.flow.operators.operators import Operator, OperatorName, Signer
from broker.flow.operators.two_persons import (
    PreparedAction,
    encode_prepared,
)
from broker.flow.persons.register import derive_register_keys
from broker.flow.shielding.shield_records import derive_shield_keys
from broker.flow.switching.switching import SwitchDesk
from broker.flow.takeover.takeovers import TakeoverBounds, TakeoverSigning
from broker.settings import LoadedSettings, load_settings


def slug(value: str) -> str:
    """Return a name of lower-case letters, digits and inner hyphens, or end with a usage error."""
    if not is_slug(value):
        raise click.BadParameter("use lower-case letters, digits and inner hyphens.")
    return value


file_argument = click.Path(dir_okay=False, path_type=Path)


def signer_options(*, required: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return `--as` and `--key`: who is at work."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for name, variable, kind, text in (
            ("--key", "key_file", file_argument, "Your private key."),
            ("--as", "signer", slug, "Your name as an operator."),
        ):
            command = click.option(name, variable, type=kind, required=required, help=text)(command)
        return command

    return add


@click.group()
def operator() -> None:
    """Who may do what needs two persons: one prepares, another confirms."""


@operator.command("keygen")
@click.argument("file", type=file_argument)
def keygen(file: Path) -> None:
    """Make a signing key in FILE, for you alone, and print its public half.

    Keep FILE with yourself, not on the broker's machine: whoever can read it is you.
    """
    key = Ed25519PrivateKey.generate()
    with saying_what_is_wrong():
        refuse_if_there(file)
        make_operator_key(file, key)
    click.echo(public_pem(key.public_key()).decode(), nl=False)


@operator.command("add")
@config_option
@click.argument("name", type=slug)
@click.argument("public_key_file", type=file_argument)
@signer_options(required=False)
@click.option("--output", type=file_argument, help="Where the prepared action goes.")
def operator_add(
    config_folder: Path,
    name: str,
    public_key_file: Path,
    signer: str | None,
    key_file: Path | None,
    output: Path | None,
) -> None:
    """Register the operator NAME with a public key.

    The first two are added at once. From then on it is prepared, with --as, --key and --output, and
    another operator confirms.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        new = Operator(OperatorName(name), read_public_key(public_key_file))
        if signer is None and key_file is None and output is None:
            desk.add_first_operator(new)
            click.echo(f"{name} is an operator of {loaded.settings.issuer} now.")
            return
        if signer is None or key_file is None or output is None:
            raise click.UsageError("--as, --key and --output belong together.")
        refuse_if_there(output)
        prepared = desk.prepare_operator(new, by=read_signer(signer, key_file))
        hand_over(prepared, output)


@operator.command("list")
@config_option
def operator_list(config_folder: Path) -> None:
    """Show who the operators are."""
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        registered = OperatorsOnDisk(loaded.config_folder).registered()
    for name in sorted(registered):
        click.echo(f"{name}  {registered[name].public_key.hex()}")
    if not registered:
        click.echo("No operators yet: add the first two with `broker operator add`.")


@click.group()
def person() -> None:
    """What the broker keeps of one person."""


@person.command("erase")
@config_option
@click.option("--school", type=slug, required=True, help="The school that asks for it.")
@click.option("--staff", is_flag=True, help="The number is that of a member of staff.")
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def person_erase(
    config_folder: Path, school: str, staff: bool, signer: str, key_file: Path, output: Path
) -> None:
    """Prepare the erasing of a person; another operator confirms.

    Asks for the school's own number of a pupil or member of staff, or for a pupil's ECK iD: hidden,
    or from standard input, never as an argument. The prepared action does not hold it. With an ECK
    iD, or a number that is bound to one, everything at all schools goes. Suppliers keep what they
    have. A later login finds nothing of before: by the number alone it opens a fresh account, with
    the ECK iD that one's own.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        keys = load_keys(loaded.keys_folder)
        by = read_signer(signer, key_file)
        refuse_if_there(output)
        presented = present_stated(
            ask_identifier(staff=staff),
            school=SchoolId(school),
            population=Population.STAFF if staff else Population.PUPIL,
            key=keys.root,
        )

        async def prepare() -> PreparedAction:
            register = open_register(loaded)
            lists = SqliteTakeoverLists(loaded.data_folder / "register.db")
            try:
                return await desk.prepare_erasure(
                    presented,
                    school=SchoolId(school),
                    by=by,
                    register=register,
                    keys=derive_register_keys(keys.register),
                    beside=BesideRows(
                        keys=derive_register_keys(keys.register),
                        enrolment=derive_enrolment_keys(keys.register),
                        shields=derive_shield_keys(keys.register),
                        school=SchoolId(school),
                        lists=tuple(await lists.counts()),
                    ).tags,
                )
            finally:
                await lists.close()
                await register.close()

        hand_over(asyncio.run(prepare()), output)


def open_desk(config_folder: Path) -> tuple[LoadedSettings, OperatorDesk]:
    """Return the settings, and the desk over the files of this broker."""
    loaded = load_settings(config_folder, environment=os.environ)
    start_logs(loaded)
    desk = OperatorDesk(
        issuer=loaded.settings.issuer,
        operators=OperatorsOnDisk(loaded.config_folder),
        used=UsedActionsOnDisk(loaded.data_folder),
        audit=AuditLines(),
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
        register_keys=lambda: derive_register_keys(load_keys(loaded.keys_folder).register),
    )
    return loaded, desk


def signing_of(loaded: LoadedSettings) -> TakeoverSigning:
    """Return where take-overs are put in force, over the registry of this broker."""
    file, bounds = loaded.data_folder / "registry.db", loaded.settings.takeover
    return TakeoverSigning(
        registry=SqliteRegistry(file).load(),
        store=SqliteTakeovers(file),
        bounds=TakeoverBounds(
            longest_days=bounds.longest_days, asked_per_school=bounds.asked_per_school
        ),
    )


def open_switch_desk(loaded: LoadedSettings) -> SwitchDesk:
    """Return where a school's login is changed, on this broker's registry."""
    return SwitchDesk(
        store=SqliteSwitches(registry_file(loaded)),
        most_changed_percent=loaded.settings.switching.most_changed_percent,
        audit=AuditLines(),
        by=system_account(),
        clock=lambda: datetime.now(UTC),
    )


def open_register(loaded: LoadedSettings) -> SqlitePersonRegister:
    """Return the person register, made and upgraded where needed.

    With another key, or another database, nobody would be found to erase.
    """
    DataFolder(loaded.data_folder, loaded.keys_folder, load_keys(loaded.keys_folder)).open()
    return SqlitePersonRegister(loaded.data_folder / "register.db")


def read_signer(name: str, key_file: Path) -> Signer:
    """Return who is at work."""
    return Signer(OperatorName(name), read_operator_key(key_file))


def ask_identifier(*, staff: bool) -> str:
    """Return what is typed, unseen and twice, or the first line of standard input."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if not given.strip():
            raise click.UsageError("Standard input holds no number and no ECK iD.")
        return given
    asked = "Staff number" if staff else "Pupil number or ECK iD"
    return str(click.prompt(asked, hide_input=True, confirmation_prompt=True, err=True))


def hand_over(prepared: PreparedAction, output: Path, *, more: str = "") -> None:
    """Write the prepared action, and say what is next; `more` is what that needs besides."""
    write_new(output, encode_prepared(prepared))
    until = datetime.fromtimestamp(prepared.body.expires_at, tz=UTC)
    click.echo(f"Prepared in {output}, until {until:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"Another operator runs: broker confirm {output} --as NAME --key FILE{more}")


def refuse_if_there(file: Path) -> None:
    """Never write over a file: it could be a key."""
    if file.exists():
        refuse([Problem(str(file), "-", "is there already.", "Name another file.")])


@contextmanager
def saying_what_was_refused() -> Iterator[None]:
    """Say a refusal and its remedy on standard error, and exit 1; and what else is wrong."""
    with saying_what_is_wrong():
        try:
            yield
        except KeyProblem as problem:
            refuse([key_problem(problem)])
        except Refusal as refusal:
            told = f"{refusal.what} {refusal.remedy}".replace("{subject}", refusal.subject)
            click.echo(f"{refusal.code}: {told}", err=True)
            if isinstance(refusal.__cause__, KeyProblem):
                refuse([key_problem(refusal.__cause__)])
            sys.exit(EXIT_REFUSED)
