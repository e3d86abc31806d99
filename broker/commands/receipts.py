"""`broker receipts`: whether the log is what was written, and what schools keep to tell later."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from broker.adapters.databases.receipt_archive import open_archive
from broker.adapters.databases.receipts import verify_receipt_database
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.operators_on_disk import write_new
from broker.commands.problems import EXIT_REFUSED, config_option, saying_what_is_wrong
from broker.flow.federation.documents import FederationProblems, Problem
from broker.flow.receipts.kept_heads import (
    KEPT_BYTES_MAX,
    KeptHeadsUnreadable,
    encode_heads,
    parse_heads,
)
from broker.flow.receipts.receipt_audit import Defect, ReceiptsTampered
from broker.flow.receipts.receipt_chain import SignedHead, derive_chain_keys
from broker.settings import LoadedSettings, load_settings

PUT_BACK_TEXT = (
    "This log is an earlier one than the one under that head, which we signed: it was put back, "
    "from a backup or by somebody. The receipts written since then are missing."
)


@click.group()
def receipts() -> None:
    """The signed records of what was released: names of attributes, never values."""


@receipts.command("verify")
@config_option
@click.option(
    "--head",
    "head_files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Heads that somebody kept; may be given several times.",
)
def receipts_verify(config_folder: Path, head_files: Sequence[Path]) -> None:
    """Find every receipt that was changed, removed, reordered or cut off; exit 1 when there is one.

    A whole log that was put back as it was earlier shows only against heads that somebody kept.
    """
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        key = load_keys(loaded.keys_folder).receipts
        kept = [head for file in head_files for head in read_kept_heads(file)]
        path = find_log(loaded)
        try:
            with open_archive(path) as archive:
                total = sum(tip.count for tip in archive.tips())
            with showing_lines(total) as progress:
                verified = verify_receipt_database(
                    path, receipt_key=key, kept_heads=kept, progress=progress
                )
        except ReceiptsTampered as found:
            for finding in found.findings:
                click.echo(str(finding), err=True)
            if any(each.defect is Defect.PUT_BACK for each in found.findings):
                click.echo(PUT_BACK_TEXT, err=True)
            sys.exit(EXIT_REFUSED)
        except sqlite3.Error as reason:
            raise log_problem(
                path, f"cannot be read: {reason}.", "Repair or restore it."
            ) from reason
    click.echo(
        f"{verified.lines} receipts of {verified.writers} writers under {verified.heads} heads: "
        "all as they were written."
    )


@receipts.command("head")
@config_option
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many of the newest; one is enough, each vouches for those before.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A new file to write."
)
def receipts_head(config_folder: Path, count: int, output: Path | None) -> None:
    """Show the newest signed heads and the key to check them with, for a school to keep."""
    with saying_what_is_wrong():
        loaded = load_settings(config_folder, environment=os.environ)
        keys = derive_chain_keys(load_keys(loaded.keys_folder).receipts)
        path = find_log(loaded)
        try:
            with open_archive(path) as archive:
                last = archive.last_head()
                heads = [] if last is None else list(archive.heads(after=last.number - count))
        except sqlite3.Error as reason:
            raise log_problem(
                path, f"cannot be read: {reason}.", "Repair or restore it."
            ) from reason
        if not heads:
            raise log_problem(path, "holds no head yet.", "The broker signs one every hour.")
        document = encode_heads(heads, public_key=keys.head_public_key)
        if output is None:
            click.echo(document, nl=False)
        else:
            write_new(output, document)
            click.echo(f"Wrote head {heads[-1].number} to {output}.")


def find_log(loaded: LoadedSettings) -> Path:
    """Return the log's file.

    Raises:
        FederationProblems: it is not there; a log that is gone is not a log without receipts.
    """
    path = loaded.data_folder / "receipts.db"
    if not path.exists():
        raise log_problem(
            path, "is not there.", "Restore it, or let the broker make its first one."
        )
    return path


def read_kept_heads(file: Path) -> Sequence[SignedHead]:
    """Return the heads in a file that somebody kept.

    Raises:
        FederationProblems: it is no such file.
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        document = opened.read(KEPT_BYTES_MAX + 1)
    try:
        return parse_heads(document).heads
    except KeptHeadsUnreadable:
        raise log_problem(
            file, "holds no heads.", "Name a file that `broker receipts head` wrote."
        ) from None


def log_problem(path: Path, problem: str, remedy: str) -> FederationProblems:
    """Return what is wrong with a file, for `saying_what_is_wrong`."""
    return FederationProblems([Problem(str(path), "-", problem, remedy)])


@contextmanager
def showing_lines(total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many lines were read, with a bar that goes away at the end."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("Reading receipts", total=total)
        yield lambda lines: bars.update(bar, completed=lines)
