"""`broker pseudonyms convert`: a list of a supplier's pseudonyms, for the supplier to rename by."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from broker.adapters.conversion_files import (
    NOTED_BYTES,
    answer_line,
    noting_later,
    read_lines,
    whole_file,
)
from broker.adapters.conversion_workers import convert_lines, place_of
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.terminal import showing_bytes
from broker.adapters.watching.logs import AuditLines
from broker.commands.operators import saying_what_was_refused
from broker.commands.problems import EXIT_REFUSED, config_option
from broker.commands.rotation_desk import counts_of, open_loaded, supplier_option
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.flow.audit import note_refusal
from broker.flow.rotation.conversion import REFUSED, audit_conversion, kind_of
from broker.flow.rotation.rotation_refusals import WindowMoved
from broker.flow.rotation.rotations import RotationWindow, check_window_open
from broker.settings import LoadedSettings

file_argument = click.Path(dir_okay=False, path_type=Path)
STANDARD_INPUT = Path("-")


@click.command("convert")
@config_option
@supplier_option
@click.option("--output", type=file_argument, required=True, help="Where the answers go.")
@click.argument("file", type=file_argument)
def convert(config_folder: Path, supplier: str, output: Path, file: Path) -> None:
    """Convert a supplier's pseudonyms of before to those in use, while its window is open.

    FILE holds one pseudonym a line; `-` is standard input. OUTPUT gets a line for each, in order:
    the pseudonym, a tab, and its new one, or `unknown`, or `refused:` and why. It appears when it
    is whole. Only persons whom this supplier knows are converted. After `rollback` it converts the
    other way.
    """
    audit = AuditLines()
    with saying_what_was_refused():
        loaded, _ = open_loaded(config_folder)
        rotations = SqliteRotations(loaded.data_folder / "registry.db")
        try:
            window = check_window_open(rotations.read(SupplierId(supplier)))
            tally = convert_file(loaded, window, file=file, output=output)
        except Refusal as refusal:
            note_refusal(audit, refusal, reference="", supplier=SupplierId(supplier))
            raise
    audit_conversion(audit, supplier=window.supplier, tally=tally)
    for what, count in sorted(tally.items()):
        click.echo(f"{what}: {count}")
    if any(tally[each] for each in REFUSED):
        click.echo(f"Lines that begin with what was refused say why in {output}.", err=True)
        sys.exit(EXIT_REFUSED)


def convert_file(
    loaded: LoadedSettings, window: RotationWindow, *, file: Path, output: Path
) -> Counter[str]:
    """Write the answers to a list, and note who was converted; return how many of which kind.

    Raises:
        WindowMoved: the window was turned or closed meanwhile; nothing was handed out.
        RegisterUnavailable: the register cannot be read, or noting failed after handing out.
    """
    place = place_of(
        window, keys_folder=loaded.keys_folder, register=loaded.data_folder / "register.db"
    )
    tally: Counter[str] = Counter()
    with noting_later(loaded.data_folder) as noted:
        with opened(file) as asked, whole_file(output) as answers:
            total = 0 if file == STANDARD_INPUT else file.stat().st_size
            with showing_bytes("Converting", total=total or None) as advance:
                for done in convert_lines(read_lines(asked), place=place):
                    for line, answer in zip(done.lines, done.batch.answers, strict=True):
                        answers.write(answer_line(line, answer))
                        tally[kind_of(answer)] += 1
                    noted.add(done.batch.converted)
                    advance(sum(map(len, done.lines)) + len(done.lines))
            check_window_stays(loaded, window)
        counts = counts_of(loaded)
        with showing_bytes("Noting", total=noted.count * NOTED_BYTES) as advance:
            for some in noted.read():
                counts.note_converted(window.supplier, some, epoch=window.epoch)
                advance(len(some) * NOTED_BYTES)
    return tally


@contextmanager
def opened(file: Path) -> Iterator[BinaryIO]:
    """Give the list to read."""
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with file.open("rb") as list_file:
        yield list_file


def check_window_stays(loaded: LoadedSettings, window: RotationWindow) -> None:
    """Hold that the window is as it was.

    Raises:
        WindowMoved: it was turned back or closed.
    """
    rotations = SqliteRotations(loaded.data_folder / "registry.db")
    if rotations.read(window.supplier).window != window:
        raise WindowMoved("check_window_stays", subject=window.supplier)
