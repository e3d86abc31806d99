"""`broker transfer`, and what two persons decide about one person with `broker person`."""

import asyncio
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import click

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.keys.keys_on_disk import load_keys
from broker.commands.operators import (
    ask_identifier,
    file_argument,
    hand_over,
    open_desk,
    open_register,
    person,
    read_signer,
    refuse_if_there,
    saying_what_was_refused,
    signer_options,
    slug,
)
from broker.commands.problems import config_option
from broker.domain.attributes import Population
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.operators.two_persons import Action, PreparedAction
from broker.flow.persons.arrival_budgets import budget_of
from broker.flow.persons.person_anew import plan_begin_anew
from broker.flow.persons.person_changes import PlannedChange, PlanPorts, plan_change
from broker.flow.persons.person_join_plan import plan_join
from broker.flow.persons.person_objection import plan_objection
from broker.flow.persons.person_plans import (
    Deciding,
    OpenedPerson,
    Plan,
    plan_confirmation,
    plan_protection,
    plan_split,
)
from broker.flow.persons.person_records import Presented
from broker.flow.persons.person_withdrawal import plan_withdrawal
from broker.flow.persons.register import derive_register_keys, derive_tag
from broker.flow.persons.transfer_notice import first_day_told, notice_of
from broker.person_settings import arrival_rules_of
from broker.pseudonyms.derivation import RootKey, root_apart

Planner = Callable[..., Plan]


@click.group()
def transfer() -> None:
    """Pupils who change school: what both schools are told, and what they say of it."""


def change_command(
    group: click.Group,
    name: str,
    action: Action,
    plan: Planner,
    tells: str,
    *,
    both: bool = False,
    options: Callable[[Callable[..., None]], Callable[..., None]] = lambda command: command,
) -> None:
    """Add a command that prepares a decision about one person, and shows its plan.

    Args:
        options: adds further ones, which the plan takes by name.
    """

    @group.command(name, help=tells)
    @config_option
    @click.argument("school", type=slug)
    @signer_options(required=True)
    @click.option(
        "--output", type=file_argument, required=True, help="Where the prepared action goes."
    )
    @options
    def command(
        config_folder: Path,
        school: str,
        signer: str,
        key_file: Path,
        output: Path,
        **wished: object,
    ) -> None:
        with saying_what_was_refused():
            loaded, desk = open_desk(config_folder)
            keys = load_keys(loaded.keys_folder)
            by = read_signer(signer, key_file)
            refuse_if_there(output)
            ask = ask_both if both else ask_one
            presented = ask(SchoolId(school), keys.root)
            register_keys = derive_register_keys(keys.register)
            deciding = Deciding(
                school=SchoolId(school),
                today=day_of(desk.clock()),
                settled_after_days=loaded.settings.transfers.settled_days,
                tag_of=lambda root: derive_tag(register_keys, root),
                fresh_account=lambda root, at: root_apart(root, at, key=keys.root),
            )

            async def prepare() -> tuple[PreparedAction, PlannedChange]:
                register = open_register(loaded)
                ports = PlanPorts(register, register_keys, secrets.token_bytes)

                def decide(opened: OpenedPerson) -> Plan:
                    return plan(opened, by=deciding, **wished)

                try:
                    return await desk.prepare_change(
                        action,
                        school=SchoolId(school),
                        by=by,
                        plan=lambda: plan_change(presented, decide, ports=ports),
                    )
                finally:
                    await register.close()

            prepared, planned = asyncio.run(prepare())
            if both:  # whether the two belong together is for two persons to know
                click.echo("It is carried out, or refused, once another operator confirms.")
            else:
                click.echo("This would happen:")
                for line in planned.plan.lines:
                    click.echo(f"- {line}")
            hand_over(prepared, output)


def ask_one(school: SchoolId, key: RootKey) -> Presented:
    """Return the pupil whose number, or ECK iD, is typed unseen."""
    stated = ask_identifier(staff=False)
    return present_stated(stated, school=school, population=Population.PUPIL, key=key)


def ask_both(school: SchoolId, key: RootKey) -> Presented:
    """Return the pupil whose number and ECK iD are typed unseen, or are two lines of input."""
    if sys.stdin.isatty():
        number = str(click.prompt("Pupil number", hide_input=True, err=True))
        eck_id = str(click.prompt("ECK iD", hide_input=True, err=True))
    else:
        number = sys.stdin.readline().rstrip("\r\n")
        eck_id = sys.stdin.readline().rstrip("\r\n")
    if "://" not in eck_id or "://" in number or not number.strip():
        raise click.UsageError("State the pupil's number first, and the ECK iD second.")
    of_number = present_stated(number, school=school, population=Population.PUPIL, key=key)
    of_eck_id = present_stated(eck_id, school=school, population=Population.PUPIL, key=key)
    return Presented(Population.PUPIL, eck_id=of_eck_id.eck_id, local=of_number.local)


change_command(
    transfer,
    "object",
    Action.OBJECT_TRANSFER,
    lambda opened, by, arrived: plan_objection(
        opened, by=by, arrived=None if arrived is None else arrived.date()
    ),
    "Prepare SCHOOL's objection to another school's stating one of its pupils; another operator "
    "confirms. Asks for the school's own number of the pupil, unseen, or from standard input. "
    "There the pupil's ECK iD opens a fresh account from then on; here nothing changes. Of several "
    "schools the plan says on which days they first stated the pupil, and --arrived takes one day.",
    options=click.option(
        "--arrived",
        type=click.DateTime(["%Y-%m-%d"]),
        help="Only to schools that first stated the pupil on this day.",
    ),
)
change_command(
    transfer,
    "withdraw",
    Action.WITHDRAW_OBJECTION,
    plan_withdrawal,
    "Prepare that SCHOOL takes back what it, or a school after it, objected to; another operator "
    "confirms. Asks for the pupil as `object` does. There the ECK iD opens again what it opened "
    "before; what was made with the fresh account stays with the suppliers.",
)
change_command(
    transfer,
    "confirm",
    Action.CONFIRM_TRANSFER,
    plan_confirmation,
    "Prepare SCHOOL's confirmation that a pupil changed school; another operator confirms. Asks "
    "for the pupil as `object` does. Of a protected pupil a school of before must confirm.",
)
change_command(
    person,
    "protect",
    Action.PROTECT_PERSON,
    lambda opened, by: plan_protection(opened, protected=True, by=by),
    "Prepare that a pupil of SCHOOL is let in at another school only when both schools say so; "
    "another operator confirms. Asks for the pupil's number or ECK iD, unseen.",
)
change_command(
    person,
    "unprotect",
    Action.UNPROTECT_PERSON,
    lambda opened, by: plan_protection(opened, protected=False, by=by),
    "Prepare that a protected pupil of SCHOOL is one like any other; another operator confirms.",
)
change_command(
    person,
    "split",
    Action.SPLIT_PERSON,
    lambda opened, by: plan_split(opened, only_joins=False, by=by),
    "Prepare that a pupil's number at SCHOOL and the ECK iD that came with it open an account each "
    "and stay apart; another operator confirms. Asks for the number, unseen. Shows the plan.",
)
change_command(
    person,
    "undo-join",
    Action.UNDO_JOIN,
    lambda opened, by: plan_split(opened, only_joins=True, by=by),
    "Prepare that two accounts that became one at SCHOOL are two again; another operator confirms. "
    "Asks for the number, unseen. Shows the plan.",
)
change_command(
    person,
    "begin-anew",
    Action.BEGIN_ANEW,
    plan_begin_anew,
    "Prepare that a pupil of SCHOOL opens a fresh account there, because another school stated the "
    "ECK iD first and is not believed; another operator confirms. Asks for the number or ECK iD, "
    "unseen. Shows the plan.",
)
change_command(
    person,
    "join",
    Action.JOIN_PERSON,
    plan_join,
    "Prepare that a pupil's number at SCHOOL, which has an account of its own, and an ECK iD open "
    "the ECK iD's account; another operator confirms. Asks for both, unseen, or as two lines of "
    "standard input. Suppliers that knew the other account are told. What it would do, or why it "
    "cannot be, is not shown to one person alone.",
    both=True,
)


@transfer.command("list")
@config_option
@click.argument("school", type=slug)
def transfer_list(config_folder: Path, school: str) -> None:
    """Show how many pupils came to SCHOOL, left it and wait, by day; nobody is named.

    This is what both schools are told. Which pupil it is, only a school finds out that presents
    the number: see `object`.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        asyncio.run(open_register(loaded).close())
        registry = SqliteRegistry(loaded.data_folder / "registry.db").load()
        known = registry.schools.get(SchoolId(school))
        if known is None:
            raise click.UsageError(f"There is no school {school}.")
        today = day_of(desk.clock())
        counts = SqliteSchoolCounts(loaded.data_folder / "register.db").read(
            known.id, since=first_day_told(today)
        )
    budget = budget_of(known.pupils, rules=arrival_rules_of(loaded.settings), today=today)
    notice = notice_of(counts, budget=budget, today=today)
    in_all = "no bound in all, for want of a head count"
    if budget.in_all is not None:
        in_all = f"{budget.in_all} pupils a school year in all"
    click.echo(f"{school} may let in {budget.a_day} pupils of other schools today; {in_all}.")
    click.echo(f"Pupils who logged in this school year: {notice.pupils}.")
    click.echo(
        f"Pupils whom no school stated by ECK iD before: {notice.first} this school year, "
        f"of at most {budget.first_in_all}."
    )
    click.echo(f"Pupils whom this school's lists protected this school year: {notice.protected}.")
    click.echo("day         came  left  waited")
    for each in notice.days:
        click.echo(f"{each.day}  {each.came:4}  {each.left:4}  {each.waited:6}")
