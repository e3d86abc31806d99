"""`broker pseudonyms`: rotate the key behind one supplier's pseudonyms, and convert in bulk.

One operator may do all of it: while a window is open nobody is lost whichever way it is turned,
what is closed too early is found again by rotating back, and no step shows who anybody is.
"""

from pathlib import Path

import click

from broker.commands.conversion import convert
from broker.commands.operators import saying_what_was_refused
from broker.commands.problems import config_option
from broker.commands.rotation_desk import counts_of, open_desk, open_loaded, supplier_option
from broker.domain.ids import SupplierId
from broker.flow.rotation.rotations import RotationStatus

IN_FORCE = "In force within 2 seconds."
NEWEST = "newest"


@click.group()
def pseudonyms() -> None:
    """Rotate the key behind a supplier's pseudonyms, and convert them in bulk."""


@pseudonyms.command("rotate")
@config_option
@supplier_option
@click.option(
    "--to",
    "epoch",
    default=NEWEST,
    show_default=True,
    metavar="EPOCH",
    help="Letter of the epoch, as `broker keys list` shows them, or newest.",
)
def rotate(config_folder: Path, supplier: str, epoch: str) -> None:
    """Let a supplier's pseudonyms come from another key from now on.

    Opens a window: with each login the supplier gets its new pseudonym, and the one of before as
    `previous_sub`. `status` tells how far it is, `rollback` turns it back, `close` ends it.
    """
    with saying_what_was_refused():
        loaded, keys = open_loaded(config_folder)
        letter = keys.pairwise.newest if epoch == NEWEST else epoch
        state = open_desk(loaded, keys).rotate(SupplierId(supplier), letter=letter)
    window = state.window
    if window is not None:
        click.echo(f"{supplier}: from epoch {window.from_epoch} to {window.to_epoch}. {IN_FORCE}")


@pseudonyms.command("rollback")
@config_option
@supplier_option
def rollback(config_folder: Path, supplier: str) -> None:
    """Turn an open window back: the pseudonym of before is in use again.

    The other one is told as `previous_sub`, so accounts that were converted already are found too.
    Once more, and it goes on as before.
    """
    with saying_what_was_refused():
        loaded, keys = open_loaded(config_folder)
        state = open_desk(loaded, keys).turn_back(SupplierId(supplier))
    click.echo(f"{supplier}: epoch {state.pinned} is in use again. {IN_FORCE}")


@pseudonyms.command("close")
@config_option
@supplier_option
@click.option(
    "--leave-stragglers",
    is_flag=True,
    help="Also while accounts may still be kept under the other pseudonym.",
)
def close(config_folder: Path, supplier: str, leave_stragglers: bool) -> None:
    """End a window: nobody is told the other pseudonym any more.

    Whoever the supplier did not rename then starts anew there; a rotation back finds them again.
    """
    with saying_what_was_refused():
        loaded, keys = open_loaded(config_folder)
        state = open_desk(loaded, keys).close(
            SupplierId(supplier), counts=counts_of(loaded), leave_stragglers=leave_stragglers
        )
    click.echo(f"{supplier}: closed, at epoch {state.pinned}. {IN_FORCE}")


@pseudonyms.command("status")
@config_option
@supplier_option
def status(config_folder: Path, supplier: str) -> None:
    """Show which key a supplier's pseudonyms come from, and how far its window is: counts."""
    with saying_what_was_refused():
        loaded, keys = open_loaded(config_folder)
        desk = open_desk(loaded, keys)
        found = desk.progress(SupplierId(supplier), counts=counts_of(loaded))
    for line in describe(found):
        click.echo(line)


def describe(found: RotationStatus) -> list[str]:
    """Return what `status` says."""
    state, window, progress = found.state, found.state.window, found.progress
    if window is None or progress is None:
        return [
            f"{state.supplier}: epoch {state.pinned}, no rotation under way",
            f"persons known:          {found.known}",
        ]
    way = "turned back to" if window.turned_back else "to"
    return [
        f"{state.supplier}: rotation {way} epoch {window.epoch}, from {window.previous_epoch}",
        f"persons known:          {progress.known}",
        f"logged in since:        {progress.seen}",
        f"converted in bulk:      {progress.converted}",
        f"stragglers:             {progress.stragglers}",
    ]


pseudonyms.add_command(convert)
