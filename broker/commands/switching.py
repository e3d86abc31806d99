"""`broker rehearse` and `broker switch`: a school changes from one login to another."""

import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import click

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.sql_switches import SqliteSwitches
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.listening import start_logs
from broker.commands.operators import (
    file_argument,
    hand_over,
    open_desk,
    open_switch_desk,
    read_signer,
    refuse_if_there,
    saying_what_was_refused,
    signer_options,
    slug,
)
from broker.commands.problems import EXIT_REFUSED, config_option
from broker.commands.registry import registry_file
from broker.commands.rehearsal_lists import describe_report, prepare_look
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.switches import LoginSwitch, SwitchStage
from broker.flow.switching.rehearsal import NOT_LOOKED_AT
from broker.flow.switching.switch_checks import LoginPair
from broker.settings import LoadedSettings, load_settings

Command = Callable[..., None]


def pair_options(*, required: bool) -> Callable[[Command], Command]:
    """Return `--from` and `--to`: the two logins."""

    def add(command: Command) -> Command:
        for name, variable, text in (
            ("--to", "to_idp", "The new login, by the id of its document."),
            ("--from", "from_idp", "The login of today, by the id of its document."),
        ):
            command = click.option(
                name, variable, type=slug, required=required, metavar="IDP", help=text
            )(command)
        return command

    return add


@click.command()
@config_option
@click.argument("school", type=slug)
@pair_options(required=True)
@click.option(
    "--list",
    "list_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV of identifiers that the school exported from both systems.",
)
@click.option("--volunteers", is_flag=True, help="Let people try both logins on a page of ours.")
@click.option("--report", is_flag=True, help="Show what list and volunteers showed.")
@click.option("--close", is_flag=True, help="Let nobody try any more.")
@signer_options(required=False)
@click.option("--output", type=file_argument, help="Where the prepared action goes.")
def rehearse(
    config_folder: Path,
    school: str,
    from_idp: str,
    to_idp: str,
    list_file: Path | None,
    volunteers: bool,
    report: bool,
    close: bool,
    signer: str | None,
    key_file: Path | None,
    output: Path | None,
) -> None:
    """Find who keeps the same account by another login of SCHOOL, before anybody switches.

    Nothing changes at suppliers and none is asked. The CSV (UTF-8; separated by ; , or tabs) has a
    line of names first, then one person a line, as each login would state them: from_number,
    from_eck_id, from_sub, from_profile_id, from_real_id, and the same with to_; besides role
    (student when absent) and brin. What becomes of its lines tells who is who, so it is prepared,
    with --as, --key and --output, and another operator confirms with the same list, who is told
    numbers of lines. It is read and never kept. Exit code 1 of --report: a switch would be refused.
    """
    if sum((list_file is not None, volunteers, report, close)) != 1:
        raise click.UsageError("Name one of --list FILE, --volunteers, --report and --close.")
    pair = LoginPair(SchoolId(school), SchoolIdpId(from_idp), SchoolIdpId(to_idp))
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        open_registry_of(loaded)
        desk = open_switch_desk(loaded)
        if volunteers:
            desk.open_rehearsal(pair)
            click.echo(f"Volunteers go to {loaded.settings.issuer}/rehearsal?school={school}")
            click.echo(NOT_LOOKED_AT)
        elif close:
            desk.roll_back(pair.school)
            click.echo("Closed: nobody tries out a login any more. What was found is kept.")
        elif list_file is not None:
            if signer is None or key_file is None or output is None:
                raise click.UsageError("--list needs --as, --key and --output.")
            prepare_look(config_folder, pair, list_file, signer, key_file, output)
        else:
            told, is_fine = describe_report(desk.store.read(pair.school, pair), pair, desk=desk)
            click.echo("\n".join(told))
            if not is_fine:
                sys.exit(EXIT_REFUSED)


def open_registry_of(loaded: LoadedSettings) -> None:
    """Bring the registry up to date where needed."""
    DataFolder(loaded.data_folder, loaded.keys_folder, load_keys(loaded.keys_folder)).open()


@click.command()
@config_option
@click.argument("school", type=slug)
@pair_options(required=False)
@click.option("--class", "classes", multiple=True, help="Only pupils of this class; repeatable.")
@click.option("--all", "everybody", is_flag=True, help="Everybody of the school.")
@click.option("--on", "first_day", type=click.DateTime(["%Y-%m-%d"]), help="From that day on.")
@click.option("--despite-changes", is_flag=True, help="Prepare it for a second person.")
@signer_options(required=False)
@click.option("--output", type=file_argument, help="Where the prepared action goes.")
@click.option("--rollback", is_flag=True, help="Offer the login of before again, at once.")
@click.option("--done", is_flag=True, help="End a switch that the documents say as well.")
@click.option("--history", is_flag=True, help="Show every step that was taken.")
def switch(
    config_folder: Path,
    school: str,
    from_idp: str | None,
    to_idp: str | None,
    classes: tuple[str, ...],
    everybody: bool,
    first_day: datetime | None,
    despite_changes: bool,
    signer: str | None,
    key_file: Path | None,
    output: Path | None,
    rollback: bool,
    done: bool,
    history: bool,
) -> None:
    """Bring SCHOOL from one login to another, by class or all at once, and back.

    Accounts and suppliers stay as they are: only which login is offered changes. It is refused
    while a rehearsal shows that too many would lose their account; with --despite-changes, --as,
    --key and --output it is prepared, and another operator confirms.
    """
    switching = bool(classes) or everybody
    if sum((switching, rollback, done, history)) != 1 or (classes and everybody):
        raise click.UsageError("Name --class or --all, or --rollback, --done or --history.")
    if switching != (from_idp is not None and to_idp is not None):
        raise click.UsageError("--from and --to belong to --class and --all.")
    named = SchoolId(school)
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        open_registry_of(loaded)
        start_logs(loaded)
        desk = open_switch_desk(loaded)
        if history:
            show_history(SqliteSwitches(registry_file(loaded)), named)
        elif rollback:
            say(desk.roll_back(named))
        elif done:
            say(desk.finish(named))
        elif from_idp is not None and to_idp is not None:
            pair = LoginPair(named, SchoolIdpId(from_idp), SchoolIdpId(to_idp))
            day = None if first_day is None else first_day.date()
            if not despite_changes:
                say(desk.switch(pair, classes=classes, first_day=day))
                return
            prepare(config_folder, pair, classes, day, signer, key_file, output)


def prepare(
    config_folder: Path,
    pair: LoginPair,
    classes: tuple[str, ...],
    first_day: date | None,
    signer: str | None,
    key_file: Path | None,
    output: Path | None,
) -> None:
    """Prepare a switch despite its rehearsal."""
    if signer is None or key_file is None or output is None:
        raise click.UsageError("--despite-changes needs --as, --key and --output.")
    loaded, operators = open_desk(config_folder)
    refuse_if_there(output)
    prepared = operators.prepare_switch(
        pair,
        classes=classes,
        first_day=first_day,
        by=read_signer(signer, key_file),
        switches=open_switch_desk(loaded),
    )
    hand_over(prepared, output)


def say(step: LoginSwitch) -> None:
    """Say what is offered now."""
    told = {
        SwitchStage.CLASSES: f"classes {', '.join(step.classes)} log in by {step.to_idp}",
        SwitchStage.ALL: f"everybody logs in by {step.to_idp}",
        SwitchStage.BACK: "pupils log in as the documents say, as before",
        SwitchStage.DONE: "the switch is over; the documents say the same",
        SwitchStage.REHEARSAL: "volunteers try both logins",
    }[step.stage]
    click.echo(f"{step.school}, from {step.first_day} on: {told}. In force within 2 seconds.")


def show_history(store: SqliteSwitches, school: SchoolId) -> None:
    """Show every step that was taken."""
    steps = store.history(school)
    for each in steps:
        step = each.step
        of = f" ({', '.join(step.classes)})" if step.classes else ""
        click.echo(
            f"version {each.version}  {step.since:%Y-%m-%d %H:%M} UTC  {step.stage}{of}: "
            f"{step.from_idp} to {step.to_idp}, from {step.first_day} on, by {each.by}"
        )
    if not steps:
        click.echo("No step was ever taken.")
