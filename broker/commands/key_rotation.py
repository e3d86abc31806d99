"""`broker keys list|add|rotate|remove|prune`: keys that follow each other under running logins."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.keys.epoch_keys import check_epoch_unused, remove_epoch
from broker.adapters.keys.key_facts import read_key_facts
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_change import (
    KeyChange,
    carry_out,
    one_change_at_a_time,
    plan_addition,
    plan_emergency_removal,
    plan_pruning,
    plan_rotation,
)
from broker.adapters.keys.keys_init import TOKEN_ALGORITHMS
from broker.adapters.keys.keys_on_disk import PAIRWISE_FOLDER, BrokerKeys, KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import find_standing
from broker.adapters.terminal import show_keys, show_warnings
from broker.commands.problems import config_option, saying_what_is_wrong
from broker.flow.federation.documents import Problem
from broker.flow.key_plans.key_facts import EXPIRY_ALARM, KeyFacts, find_expiring
from broker.flow.key_plans.key_purposes import ROTATING, TOKEN
from broker.flow.key_plans.key_schedule import RotatingPurpose, RotationUnderWay
from broker.settings import load_settings

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"([0-9]{1,6})([smhd])")
FOLLOW = "Running brokers follow within 2 seconds."


class Length(click.ParamType[timedelta]):
    """A length of time, as 90s, 5m, 1h or 7d."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the length that was typed."""
        found = _LENGTH.fullmatch(str(value))
        if found is None:
            self.fail("write a number with s, m, h or d, as 90s or 7d", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command("list")
@config_option
def keys_list(config_folder: Path) -> None:
    """Show every key: what it is for, its state, and when that changes. Nothing secret."""
    with saying_what_is_wrong():
        keys, now = (
            load_keys(load_settings(config_folder, environment=os.environ).keys_folder),
            _now(),
        )
        facts = read_key_facts(keys, find_standing(keys, now=now), now=now)
    show_keys(facts, console=Console())
    show_warnings(warn_of_expiry(facts, now=now), console=Console(stderr=True))


@click.command("add")
@config_option
@click.argument("algorithm", type=click.Choice(TOKEN_ALGORITHMS))
def keys_add(config_folder: Path, algorithm: str) -> None:
    """Add a key for signing tokens with another algorithm, as PS256 or EdDSA.

    It is published at once. A relying party gets tokens of it once its document says
    `id_token_algorithm` or `userinfo_algorithm` so.
    """
    with _changing(config_folder) as (keys, _):
        find_standing(keys, now=_now())
        change = plan_addition(keys, algorithm, now=_now())
        carry_out(change, folder=keys.folder)
    click.echo(f"+ {change.made[0].file}: published now, for {algorithm}. {FOLLOW}")
    lead = _length(ROTATING[TOKEN].lead)
    click.echo(f"Wait {lead} before a document names it, so that every supplier knows it.")


@click.command("rotate")
@config_option
@click.argument("purpose", type=click.Choice(sorted(ROTATING)))
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option(
    "--lead",
    type=Length(),
    help="Use the new key after this time instead, as 90s, 5m, 1h or 14d.",
)
def keys_rotate(config_folder: Path, purpose: str, dry_run: bool, lead: timedelta | None) -> None:
    """Let the keys of a purpose be followed by new ones, under running logins.

    A new key is published now, used once everybody knows it, and the old one is accepted until
    nothing is left that was made with it. `broker keys prune` then deletes it.
    """
    rotating = ROTATING[purpose]
    with _changing(config_folder) as (keys, issuer_name):
        now = _now()
        find_standing(keys, now=now)
        try:
            change = plan_rotation(
                keys,
                rotating,
                now=now,
                lead=rotating.lead if lead is None else lead,
                issuer_name=issuer_name,
            )
        except RotationUnderWay as found:
            raise KeyProblem(
                keys.folder / found.file,
                f"is published already, and will be in use from {_at(found.used_from)}",
                "wait until then, or remove it first",
            ) from None
        for line in describe_rotation(change, rotating, dry_run=dry_run):
            click.echo(line)
        if lead is not None and lead < rotating.lead:
            click.echo(
                f"Shorter than {_length(rotating.lead)}, in which {rotating.lead_why}: "
                "until then, logins may fail."
            )
        if dry_run:
            click.echo("Dry run: nothing was changed.")
            return
        carry_out(change, folder=keys.folder)
    click.echo(FOLLOW)


@click.command("remove")
@config_option
@click.argument("file")
@click.option("--yes", is_flag=True, help="Do not ask.")
def keys_remove(config_folder: Path, file: str, yes: bool) -> None:
    """Remove a key at once, because it leaked; a new one takes its place if it was in use.

    FILE is named as `broker keys list` does, like storage/a.hex. Keys that last cannot be removed,
    but for a pairwise key that no supplier needs any more, after a rotation of each.
    """
    if file.startswith(f"{PAIRWISE_FOLDER}/"):
        remove_pairwise(config_folder, file, yes=yes)
        return
    with _changing(config_folder) as (keys, issuer_name):
        change = plan_emergency_removal(keys, file, now=_now(), issuer_name=issuer_name)
        for line in describe_removal(change, file):
            click.echo(line)
        if not yes:
            click.confirm("Remove it?", abort=True)
        carry_out(change, folder=keys.folder)
    click.echo(f"Removed. {FOLLOW} Remove it from backups and copies too.")


def remove_pairwise(config_folder: Path, file: str, *, yes: bool) -> None:
    """Delete the key of an epoch that no supplier's pseudonyms come from."""
    letter = Path(file).stem
    with _changing(config_folder) as (keys, _):
        loaded = load_settings(config_folder, environment=os.environ)
        registry = loaded.data_folder / "registry.db"
        in_use = SqliteRotations(registry).epochs_in_use() if registry.exists() else {}
        check_epoch_unused(keys, letter, in_use=in_use)
        click.echo(f"- {file}: deleted now, for good")
        click.echo(
            "Accounts that a supplier still keeps under its pseudonyms are never found again."
        )
        if not yes:
            click.confirm("Remove it?", abort=True)
        remove_epoch(keys, letter)
    click.echo(f"Removed. {FOLLOW} Make a new ceremony, and destroy the bundles of before.")


@click.command("prune")
@config_option
@click.option("--dry-run", is_flag=True, help="Show the files and change nothing.")
def keys_prune(config_folder: Path, dry_run: bool) -> None:
    """Delete keys that are retired: nothing is left that they are good for."""
    with _changing(config_folder) as (keys, _):
        change = plan_pruning(keys, find_standing(keys, now=_now()))
        for file in change.removed:
            click.echo(f"- {file}")
        if not change.removed:
            click.echo("Nothing to do: no key is retired.")
        elif dry_run:
            click.echo("Dry run: nothing was changed.")
        if not dry_run:
            carry_out(change, folder=keys.folder)


@contextmanager
def _changing(config_folder: Path) -> Iterator[tuple[BrokerKeys, str]]:
    """Give the keys to a command that changes them, and our name for certificates."""
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        try:
            with one_change_at_a_time(loaded.keys_folder):
                yield load_keys(loaded.keys_folder), loaded.settings.name
        except KeyProblem as found:
            raise KeysUnusable((found,)) from None


def describe_rotation(
    change: KeyChange, purpose: RotatingPurpose, *, dry_run: bool
) -> Iterator[str]:
    """Yield what a rotation does, and when."""
    for new in change.made:
        times = change.schedule[new.file]
        name = f"a new {new.file.partition('-')[0]} key" if dry_run else new.file
        if times.used_from is not None:
            yield f"+ {name}: published now, in use from {_at(times.used_from)}"
    yield f"  until then {purpose.lead_why}"
    new_files = {new.file for new in change.made}
    for file, times in sorted(change.schedule.items()):
        if file.startswith(f"{purpose.name}/") and file not in new_files and times.retired_from:
            yield f"- {file}: retired from {_at(times.retired_from)}"


def describe_removal(change: KeyChange, file: str) -> Iterator[str]:
    """Yield what an emergency removal does, and what it costs."""
    yield f"- {file}: deleted now"
    made = {new.file for new in change.made}
    for each in change.in_use_at_once:
        yield f"+ {each}: in use now{'' if each in made else ', earlier than planned'}"
    if change.in_use_at_once:
        yield f"It is in use: {ROTATING[file.partition('/')[0]].loss}."
    else:
        yield "It is not in use: only what was made with it before is not honoured any more."


def warn_of_expiry(facts: tuple[KeyFacts, ...], *, now: datetime) -> Iterator[Problem]:
    """Yield a warning for each certificate of ours that ends soon."""
    for each in find_expiring(facts, now=now):
        if each.expires_at is not None:
            ends = "ended" if each.expires_at <= now else "ends"
            yield Problem(
                each.file,
                "-",
                f"has a certificate that {ends} at {_at(each.expires_at)}.",
                f"Run `broker keys rotate {each.purpose}`; you are told {EXPIRY_ALARM.days} days "
                "before.",
            )


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _length(length: timedelta) -> str:
    for unit in ("days", "hours", "minutes"):
        count = length / timedelta(**{unit: 1})
        if count >= 1:
            break
    return f"{count:g} {unit if count != 1 else unit[:-1]}"
