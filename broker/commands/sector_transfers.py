"""`broker transfer`: a pupil goes to another education sector and keeps the work at a supplier."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from broker.adapters.keys.keys_on_disk import BrokerKeys, load_keys
from broker.commands.operators import (
    file_argument,
    hand_over,
    open_desk,
    open_register,
    read_signer,
    refuse_if_there,
    saying_what_was_refused,
    signer_options,
    slug,
)
from broker.commands.problems import config_option
from broker.commands.transfer_desk import transfer_desk
from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.operator_actions import present_stated
from broker.flow.operators.two_persons import Action, PreparedAction
from broker.flow.persons.person_records import Presented
from broker.flow.transfers.transfer_offers import TransferCode, group_code


@click.command("offer")
@config_option
@click.option("--school", type=slug, required=True, help="The school that the pupil leaves.")
@click.option("--supplier", type=slug, required=True, help="Who may join both accounts.")
@click.option(
    "--until",
    "last_day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The last day on which it can be accepted and is told.",
)
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def offer(
    config_folder: Path,
    school: str,
    supplier: str,
    last_day: datetime,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Offer one pupil's account at SUPPLIER to the school of the next sector.

    Asks for the pupil's number at this school or ECK iD: hidden, or from standard input, never as
    an argument. Prints a code for the pupil to take along; it works once, and as soon as another
    operator has confirmed. The new school sees neither number nor ECK iD.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        keys, by = load_keys(loaded.keys_folder), read_signer(signer, key_file)
        refuse_if_there(output)
        presented = _present(_ask("Pupil number or ECK iD"), school=school, keys=keys)
        codes: list[TransferCode] = []

        async def prepare() -> PreparedAction:
            register = open_register(loaded)
            transfers = transfer_desk(loaded, keys, register)

            async def state() -> Mapping[str, str]:
                code, confirmed = await transfers.offer(
                    presented,
                    school=SchoolId(school),
                    supplier=SupplierId(supplier),
                    last_day=last_day.date(),
                )
                codes.append(code)
                return confirmed

            try:
                return await desk.prepare_stated(
                    Action.OFFER_TRANSFER, school=SchoolId(school), by=by, state=state
                )
            finally:
                await register.close()

        prepared = asyncio.run(prepare())
        click.echo(f"Code for the pupil: {group_code(codes[0])}")
        hand_over(prepared, output)


@click.command("accept")
@config_option
@click.option("--school", type=slug, required=True, help="The school that the pupil goes to.")
@click.option("--supplier", type=slug, required=True, help="Who may join both accounts.")
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def accept(
    config_folder: Path, school: str, supplier: str, signer: str, key_file: Path, output: Path
) -> None:
    """Accept the account that a school of the sector before offered.

    Asks for the code, and for the pupil's number at this school or new ECK iD: hidden, or as two
    lines of standard input. The pupil has logged in at this school before. Once another operator
    has confirmed, the pupil's next logins at SUPPLIER tell it the pseudonym of before
    (`previous_sub`), until the last day that the old school named.
    """
    with saying_what_was_refused():
        loaded, desk = open_desk(config_folder)
        keys, by = load_keys(loaded.keys_folder), read_signer(signer, key_file)
        refuse_if_there(output)
        code = _ask("Code")
        presented = _present(_ask("Pupil number or ECK iD"), school=school, keys=keys)

        async def prepare() -> PreparedAction:
            register = open_register(loaded)
            transfers = transfer_desk(loaded, keys, register)

            async def state() -> Mapping[str, str]:
                return await transfers.accept(
                    code, presented, school=SchoolId(school), supplier=SupplierId(supplier)
                )

            try:
                return await desk.prepare_stated(
                    Action.ACCEPT_TRANSFER, school=SchoolId(school), by=by, state=state
                )
            finally:
                await register.close()

        hand_over(asyncio.run(prepare()), output)


def _present(stated: str, *, school: str, keys: BrokerKeys) -> Presented:
    return present_stated(
        stated, school=SchoolId(school), population=Population.PUPIL, key=keys.root
    )


def _ask(what: str) -> str:
    """Return what is typed, unseen and twice, or the next line of standard input."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if not given.strip():
            raise click.UsageError(f"Standard input holds no line for: {what}.")
        return given
    return str(click.prompt(what, hide_input=True, confirmation_prompt=True, err=True))
