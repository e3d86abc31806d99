"""`broker trace`: what became of the login that a reference belongs to, for whoever is called.

It shows names and verdicts: no value of a pupil stands in a log, so none can stand here.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from broker.adapters.watching.log_files import Told, Traced, find_log_files, open_logs, size_of
from broker.commands.problems import config_option, refuse, saying_what_is_wrong
from broker.flow.federation.documents import Problem
from broker.settings import SettingsProblem, load_settings

STANDARD_INPUT = "-"
TIMES_READ = 2


@click.command()
@config_option
@click.argument("words", nargs=-1, required=True, metavar="REFERENCE")
@click.option(
    "--log",
    "logs",
    multiple=True,
    help="File with log lines; may be repeated, and - is standard input. "
    "By default logging.file of the settings, with its rotated files.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
def trace(
    config_folder: Path, words: tuple[str, ...], logs: tuple[str, ...], as_json: bool
) -> None:
    """Show the login that a REFERENCE belongs to: its steps, checks and verdicts, no values.

    The reference stands on the page that the pupil saw, in two groups of four letters: write it as
    one word or as two. For lines in the journal:
    journalctl -u broker -o cat | broker trace --log - REFERENCE
    """
    reference = "".join("".join(words).split()).lower()
    with saying_what_is_wrong():
        paths = _find_files(config_folder, logs)
        standard_input = sys.stdin.buffer if STANDARD_INPUT in logs else None
        with (
            open_logs(paths, standard_input=standard_input) as source,
            _progress(None if standard_input else size_of(paths)) as told,
        ):
            traced = source.trace(reference, told=told)
    _tell(traced, reference, as_json=as_json)


def _find_files(config_folder: Path, logs: tuple[str, ...]) -> list[Path]:
    if logs:
        return [Path(each) for each in logs if each != STANDARD_INPUT]
    loaded = load_settings(config_folder, environment=os.environ)
    file = loaded.settings.logging.file
    if file is None:
        raise SettingsProblem(
            str(config_folder / "broker.toml"),
            "logging.file",
            "is not set, so the log is wherever standard error goes.",
            "Name the file with --log FILE, or - for standard input.",
        )
    return find_log_files(loaded.config_folder / file)


def _tell(traced: Traced, reference: str, *, as_json: bool) -> None:
    from broker.commands.trace_words import show_stories, tell_refusals

    errors = Console(stderr=True)
    if traced.damaged:
        errors.print(f"{traced.damaged} of {traced.lines} lines are damaged or not the broker's.")
    if not traced.stories:
        refuse(
            [
                Problem(
                    "log",
                    "-",
                    f"no line of {traced.lines} has the reference {reference}.",
                    "Let it be spelled again; it has 8 letters. Or name older logs with --log.",
                )
            ]
        )
    if as_json:
        told = {
            "reference": reference,
            "stories": traced.stories,
            "refusals": tell_refusals(traced.stories),
            "lines": traced.lines,
            "damaged": traced.damaged,
        }
        click.echo(msgspec.json.encode(told))
    else:
        show_stories(traced.stories, console=Console())


@contextmanager
def _progress(size_bytes: int | None) -> Iterator[Told]:
    """Show a bar on standard error that goes away at the end."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        total = None if size_bytes is None else size_bytes * TIMES_READ
        task = progress.add_task("reading the log", total=total)
        yield lambda count: progress.advance(task, count)
