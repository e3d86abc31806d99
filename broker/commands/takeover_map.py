"""`broker takeover map`: prepared by one operator, answered when another one confirms."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.operators_on_disk import write_new
from broker.adapters.terminal import showing_lines
from broker.commands.operators import file_argument, signer_options, slug
from broker.commands.problems import config_option
from broker.commands.registry import registry_file
from broker.commands.takeover import takeover
from broker.commands.takeover_lists import Opened, prepare_list, read_stated
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.operators.two_persons import Action
from broker.flow.takeover.takeover_mapping import MappingPorts, TakeoverMapping


@takeover.command("map")
@config_option
@click.argument("school", type=slug)
@click.argument("supplier", type=slug)
@click.argument("file", type=file_argument)
@signer_options(required=True)
@click.option("--output", type=file_argument, required=True, help="Where the prepared action goes.")
def map_file(
    config_folder: Path,
    school: str,
    supplier: str,
    file: Path,
    signer: str,
    key_file: Path,
    output: Path,
) -> None:
    """Prepare to turn the ECK iDs in FILE into SUPPLIER's own pseudonyms of SCHOOL's pupils.

    Another operator confirms, with the same FILE and a name for the answer. A line is an ECK iD, or
    an ECK iD, a comma and the supplier's own key of the account; the answer then has that key in
    place of the ECK iD, so that who keeps accounts under another key, like the old hub's uid, needs
    no ECK iDs. Whoever is not known at SCHOOL gets an empty pseudonym. The answer is for SUPPLIER
    alone: hand it over safely, and delete it.
    """

    def count(opened: Opened, stated: Sequence[str]) -> int:
        return mapping_of(opened).count(
            stated,
            school=SchoolId(school),
            supplier=SupplierId(supplier),
            registry=opened.registry,
        )

    prepare_list(
        Action.MAP_TAKEOVER,
        config_folder,
        (school, supplier),
        file,
        signer,
        key_file,
        output,
        count,
    )


async def map_confirmed(
    opened: Opened, names: Mapping[str, str], content: bytes, *, output: Path
) -> str:
    """Write what two operators want to be answered; return how many were."""
    stated = read_stated(content)
    with showing_lines("Mapping", total=len(stated)) as progress:
        answers = await mapping_of(opened).answer(
            stated,
            school=SchoolId(names["school"]),
            supplier=SupplierId(names["supplier"]),
            registry=opened.registry,
            progress=progress,
        )
    text = "".join(
        f"{line.key or stated[line.number - 1].strip()},{pseudonym or ''}\n"
        for line, pseudonym in answers
    )
    write_new(output, text.encode())
    answered = sum(pseudonym is not None for _, pseudonym in answers)
    return f"{len(answers)} asked, {answered} answered, in {output}."


def mapping_of(opened: Opened) -> TakeoverMapping:
    """Return what answers, over the databases of this broker."""
    return TakeoverMapping(
        ports=MappingPorts(
            register=opened.register,
            lists=opened.lists,
            keys=opened.register_keys,
            root=opened.keys.root,
            pairwise=opened.keys.pairwise,
            settled_after_days=opened.loaded.settings.transfers.settled_days,
            random=secrets.token_bytes,
        ),
        store=SqliteTakeovers(registry_file(opened.loaded)),
        asked_per_school=opened.loaded.settings.takeover.asked_per_school,
        audit=opened.audit,
        clock=lambda: datetime.now(UTC),
    )
