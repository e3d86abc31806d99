"""`broker enrol SCHOOL FILE.csv`: an operator takes over a school's list of who is there."""

import asyncio
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from broker.adapters.databases.sql_enrolments import SqliteEnrolments
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.terminal import showing_lines
from broker.adapters.watching.logs import AuditLines
from broker.commands.listening import start_logs
from broker.commands.operators import open_register, saying_what_was_refused
from broker.commands.problems import config_option
from broker.commands.registry import registry_file
from broker.domain.dutch_days import day_of
from broker.domain.enrolment import FeedRefused
from broker.domain.enrolment_file import FeedUnreadable, read_csv
from broker.domain.federation import School
from broker.domain.ids import Brin, SchoolId
from broker.domain.refusals import Refusal
from broker.domain.relations import former_brins, number_schools
from broker.flow.audit import AuditLog, note_refusal
from broker.flow.enrolment.enrolment_feed import (
    EnrolmentDesk,
    FeedPlan,
    TooManyVanish,
    check_vanishing,
)
from broker.flow.enrolment.enrolment_records import derive_enrolment_keys
from broker.flow.enrolment.enrolments import EnrolmentRules
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.persons.listed_moves import ListedMoves
from broker.flow.persons.register import derive_register_keys
from broker.person_settings import arrival_rules_of
from broker.settings import LoadedSettings, load_settings


@click.command()
@config_option
@click.argument("school")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option(
    "--allow-vanishing",
    is_flag=True,
    help="Take over also a list that lets more vanish than the settings allow.",
)
def enrol(
    config_folder: Path, school: str, file: Path, dry_run: bool, allow_vanishing: bool
) -> None:
    """Take over the list of who is at SCHOOL: FILE is CSV, the whole list, UTF-8.

    Columns: login (what the login sends as its login_identifier), eck_id, number, role (pupil or
    staff), branch (BRIN6), groups (separated by |), until (last day), protected (yes or no). The
    plan is shown first; all of it is taken over or nothing. Logins follow at once.
    """
    console, audit = Console(), AuditLines()
    with saying_what_was_refused():
        loaded = load_settings(config_folder, environment=os.environ)
        start_logs(loaded)
        found, former, schools = find_school(loaded, SchoolId(school))
        try:
            plan = asyncio.run(
                take_over(
                    loaded,
                    found,
                    file,
                    former=former,
                    schools=schools,
                    audit=audit,
                    console=console,
                    dry_run=dry_run,
                    allow_vanishing=allow_vanishing,
                )
            )
        except Refusal as refusal:
            note_refusal(audit, refusal, reference="", school=found.id)
            if isinstance(refusal, FeedRefused):
                show_lines(refusal, file)
            raise
    if dry_run:
        console.print("Dry run: nothing was changed.")
    elif plan.new or plan.changed or plan.gone:
        console.print("In force.")
    else:
        console.print("In force: nothing changed but the day of the list.")


async def take_over(
    loaded: LoadedSettings,
    school: School,
    file: Path,
    *,
    former: frozenset[Brin],
    schools: frozenset[SchoolId],
    audit: AuditLog,
    console: Console,
    dry_run: bool,
    allow_vanishing: bool,
) -> FeedPlan:
    """Plan a list, show the plan, and put it in force."""
    keys = load_keys(loaded.keys_folder)
    register = open_register(loaded)
    book = SqliteEnrolments(loaded.data_folder / "register.db")
    rules = loaded.settings.enrolment
    desk = EnrolmentDesk(
        book=book,
        root=keys.root,
        keys=derive_enrolment_keys(keys.register),
        rules=EnrolmentRules(
            believed_days=rules.believed_days, vanishing_percent=rules.vanishing_percent
        ),
        audit=audit,
        random=secrets.token_bytes,
        moves=ListedMoves(
            register,
            derive_register_keys(keys.register),
            arrival_rules_of(loaded.settings),
            secrets.token_bytes,
            keys.root,
        ),
    )
    try:
        lines = read_csv(read_file(file, max_bytes=loaded.settings.limits.api_body_bytes))
        with showing_lines("Reading the list", total=len(lines)) as progress:
            plan = await desk.plan(
                lines,
                school=school,
                today=day_of(datetime.now(UTC)),
                former=former,
                number_schools=schools,
                progress=progress,
            )
        show_feed_plan(plan, rules=desk.rules, console=console)
        if not dry_run:
            await desk.put_in_force(plan, school=school, allow_vanishing=allow_vanishing)
    finally:
        await book.close()
        await register.close()
    return plan


def find_school(
    loaded: LoadedSettings, school: SchoolId
) -> tuple[School, frozenset[Brin], frozenset[SchoolId]]:
    """Return a school in force, BRINs of those that it goes on for, and whose numbers go on there.

    Raises:
        FederationProblems: there is none.
    """
    file = registry_file(loaded)
    registry = SqliteRegistry(file).load() if file.exists() else None
    if registry is None or school not in registry.schools:
        told = Problem("registry", school, "is no school in force.", "Name the id of a school.")
        raise FederationProblems([told])
    former = former_brins(registry, [school], day_of(datetime.now(UTC)))
    schools = number_schools(registry, school)
    return registry.schools[school], former.get(school, frozenset()), schools


def read_file(file: Path, *, max_bytes: int) -> bytes:
    """Return a list as it was written.

    Raises:
        FeedUnreadable: it is larger than any list.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        body = opened.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise FeedUnreadable("check_feed_size")
    return body


def show_feed_plan(plan: FeedPlan, *, rules: EnrolmentRules, console: Console) -> None:
    """Show what a list changes: counts alone.

    Of a list that lets too many vanish, not even those: how many lines of a made-up list are
    `unchanged` would tell one operator which login, number and ECK iD belong together.
    """
    try:
        check_vanishing(plan, rules=rules, allowed=False)
    except TooManyVanish:
        listed = plan.new + plan.changed + plan.unchanged
        console.print(f"{listed} listed, {plan.resting} rest now: more than the settings allow")
        console.print("would be gone, or be another person.")
        return
    console.print(", ".join(f"{count} {what}" for what, count in plan.counts().items()))
    if not plan.confirms:
        console.print("No move is confirmed: the list exceeds the school's head count, or none is")
        console.print("stated (`pupils` of its document).")
    if plan.others:
        console.print(f"Of the changed, {plan.others} logins are another person's by this list.")


def show_lines(refused: FeedRefused, file: Path) -> None:
    """Show which lines cannot be used and why; never what stands in them."""
    for each in refused.problems:
        click.echo(f"{file}: line {each.line}: {each.reason}", err=True)
    if refused.count > len(refused.problems):
        click.echo(f"... and {refused.count - len(refused.problems)} more", err=True)
