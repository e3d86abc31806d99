"""`broker rehearse --list`: prepared by one operator, looked up when another one confirms."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.terminal import show_progress
from broker.commands.operators import (
    hand_over,
    open_desk,
    open_register,
    open_switch_desk,
    read_signer,
    refuse_if_there,
)
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.operators.listed_action import digest_list, write_listed
from broker.flow.operators.two_persons import Action
from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.register import derive_register_keys
from broker.flow.switching.rehearsal import (
    NOT_LOOKED_AT,
    REASONS,
    Counts,
    Finding,
    Oracle,
    Outcome,
    count_outcomes,
    outcome_of,
)
from broker.flow.switching.rehearsal_list import (
    MAX_LIST_BYTES,
    ListLine,
    ListReport,
    look_at_list,
    name_lines,
    read_list,
)
from broker.flow.switching.switch_checks import LoginPair, SwitchState, check_rehearsed
from broker.flow.switching.switch_refusals import SwitchRefusal
from broker.flow.switching.switching import SwitchDesk
from broker.settings import LoadedSettings

NAMES = frozenset({"school", "from", "to"})
"""What the prepared action says of whose list it is."""


def prepare_look(
    config_folder: Path,
    pair: LoginPair,
    list_file: Path,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Prepare to look a list up; tell how many lines it has."""
    loaded, desk = open_desk(config_folder)
    by = read_signer(signer, key_file)
    refuse_if_there(output)
    content = read_bounded(list_file)
    keys = derive_register_keys(load_keys(loaded.keys_folder).register)

    async def state() -> Mapping[str, str]:
        lines = read_lines(open_switch_desk(loaded).check_may_rehearse(pair), pair, content)
        return write_listed(
            {"school": pair.school, "from": pair.from_idp, "to": pair.to_idp},
            lines=len(lines),
            digest=digest_list(content, keys=keys),
        )

    prepared = asyncio.run(
        desk.prepare_stated(Action.REHEARSE_LIST, school=pair.school, by=by, state=state)
    )
    click.echo(f"{prepared.body.parameters['lines']} lines of {pair.school}.")
    hand_over(prepared, output, more=" --list FILE")


def read_bounded(file: Path) -> bytes:
    """Return a list's bytes, of one that is too large a byte too many."""
    with file.open("rb") as opened:
        return opened.read(MAX_LIST_BYTES + 1)


def read_lines(state: SwitchState, pair: LoginPair, content: bytes) -> list[ListLine]:
    """Return whom a list names.

    Raises:
        ListUnusable
    """
    if state.school is None:
        raise RuntimeError("a school that was checked is there")
    idps = (state.idps[pair.from_idp], state.idps[pair.to_idp])
    return read_list(content, school=state.school, idps=idps)


async def look_confirmed(
    loaded: LoadedSettings, names: Mapping[str, str], content: bytes
) -> list[str]:
    """Look up a list that two operators want to be looked up; return what it showed.

    Raises:
        Refusal: the list, or the change of login, cannot be rehearsed.
    """
    pair = LoginPair(
        SchoolId(names["school"]), SchoolIdpId(names["from"]), SchoolIdpId(names["to"])
    )
    desk = open_switch_desk(loaded)
    found = await look(loaded, pair, desk.check_may_rehearse(pair), content)
    desk.keep_list(pair, found.counts)
    report, _ = describe_report(desk.store.read(pair.school, pair), pair, desk=desk)
    return [*describe_lines(found), *report]


async def look(
    loaded: LoadedSettings, pair: LoginPair, state: SwitchState, content: bytes
) -> ListReport:
    """Return what a list shows; reads the person register and writes nothing."""
    lines = read_lines(state, pair, content)
    keys, now = load_keys(loaded.keys_folder), datetime.now(UTC)
    register = open_register(loaded)
    joining = loaded.settings.joining
    try:
        oracle = Oracle(
            school=pair.school,
            eck_id_required=state.school is not None and state.school.eck_id_required,
            register=register,
            keys=derive_register_keys(keys.register),
            rules=JoinRules(
                mature_after_days=joining.mature_days,
                mature_after_login_days=joining.mature_login_days,
            ),
            today=day_of(now),
        )
        idps = (state.idps[pair.from_idp], state.idps[pair.to_idp])
        shown = show_progress(lines, title="Looking")
        return await look_at_list(shown, idps=idps, oracle=oracle, key=keys.root)
    finally:
        await register.close()


def describe_lines(found: ListReport) -> Iterable[str]:
    """Say which lines do not stay as they are; never what they say."""
    for finding, lines in found.lines.items():
        yield name_lines(lines, f"- {REASONS[finding]} ({finding})")


def describe_report(
    state: SwitchState, pair: LoginPair, *, desk: SwitchDesk
) -> tuple[list[str], bool]:
    """Return what is known of a change of login, and whether a switch would go on."""
    told: list[str] = []
    old, new = state.idps.get(pair.from_idp), state.idps.get(pair.to_idp)
    if old is not None and new is not None and old.identifier != new.identifier:
        told.append(
            f"Mind: {old.id} names people by {old.identifier}, {new.id} by {new.identifier}: "
            "who has no ECK iD becomes a stranger, unless the two are equal."
        )
    told += describe_counts("list", state.rehearsed.listed)
    told += describe_counts("volunteers", state.rehearsed.volunteers)
    try:
        check_rehearsed(state.rehearsed, most_changed_percent=desk.most_changed_percent)
    except SwitchRefusal as refusal:
        return [*told, f"A switch would be refused: {refusal.what}", NOT_LOOKED_AT], False
    return [*told, NOT_LOOKED_AT], True


def describe_counts(what: str, counts: Counts) -> Iterable[str]:
    """Say how many stay the same, change or are unknown, and why."""
    if not counts:
        yield f"{what}: nothing yet"
        return
    totals = count_outcomes(counts)
    yield f"{what}: {', '.join(f'{totals[each]} {each}' for each in Outcome)}"
    for finding in Finding:
        if counts.get(finding, 0) and finding is not Finding.SAME:
            yield f"  {counts[finding]} {outcome_of(finding)}: {REASONS[finding]} ({finding})"
