"""What commands show at a terminal: problems, plans, progress. Texts only: no verdict is made here.

Values come from documents and are shown as they are: never read as markup.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)
from rich.table import Table
from rich.text import Text

from broker.flow.federation.documents import Problem
from broker.flow.federation.plan import Action, Plan, PlannedDocument
from broker.flow.key_plans.key_facts import KeyFacts

Item = TypeVar("Item")

MAX_LISTED = 200
"""Documents of a plan that are listed one by one; the first apply of a country has thousands."""

# xterm's control sequences: switch to the alternate screen and empty it; empty it and switch back.
_SECOND_SCREEN = "\x1b[?1049h\x1b[2J\x1b[H"
_FIRST_SCREEN = "\x1b[2J\x1b[?1049l"

_SIGNS = {
    Action.ADDED: ("+", "green"),
    Action.CHANGED: ("~", "yellow"),
    Action.REMOVED: ("-", "red"),
}


def show_problems(problems: Sequence[Problem], *, console: Console) -> None:
    """List what must be put right, each with its file, key path and remedy."""
    table = Table("file", "key", "problem", "what to do", show_lines=True)
    for each in problems:
        table.add_row(*map(Text, (each.file, each.path, each.problem, each.remedy)))
    if console.is_terminal:
        console.print(table)
    else:  # for logs and pipes: one line each, never cut
        for each in problems:
            line = f"{each.file}: {each.path}: {each.problem} {each.remedy}"
            console.print(Text(line), soft_wrap=True)


def show_plan(plan: Plan, *, console: Console) -> None:
    """List what would be added, changed and removed, each change by key."""
    for each in plan.documents[:MAX_LISTED]:
        for line in _describe(each):
            console.print(line, soft_wrap=True)
    if len(plan.documents) > MAX_LISTED:
        console.print(f"... and {len(plan.documents) - MAX_LISTED} more")
    counts = ", ".join(f"{plan.count(each)} {each}" for each in Action)
    console.print(f"{counts}, {plan.unchanged} unchanged")


def show_warnings(warnings: Iterable[Problem], *, console: Console) -> None:
    """List what may be meant, but should be seen."""
    for each in warnings:
        line = f"Warning: {each.file}: {each.path}: {each.problem} {each.remedy}"
        console.print(Text(line, style="yellow"), soft_wrap=True)


def show_keys(facts: Sequence[KeyFacts], *, console: Console) -> None:
    """List keys with what may be told of them."""
    head = ("file", "kind", "key id", "made", "state", "changes", "certificate ends")
    rows = [
        (
            each.file,
            each.kind,
            each.key_id,
            _day(each.made_at),
            each.state,
            "" if each.changes_at is None else f"{each.changes_at:%Y-%m-%d %H:%M:%S} UTC",
            _day(each.expires_at),
        )
        for each in facts
    ]
    table = Table(*head)
    for row in rows:
        table.add_row(*map(Text, row))
    if console.is_terminal and console.measure(table).maximum <= console.width:
        console.print(table)
    else:  # for narrow windows, logs and pipes: one line each, never cut
        for row in rows:
            line = "  ".join(
                f"{name} {value}" for name, value in zip(head, row, strict=True) if value
            )
            console.print(Text(line), soft_wrap=True)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


def _describe(document: PlannedDocument) -> Iterable[Text]:
    sign, style = _SIGNS[document.action]
    kind, id_ = document.key
    yield Text(f"{sign} {kind}/{id_}", style=style)
    for change in document.changes:
        before, after = (
            "absent" if value is None else value for value in (change.before, change.after)
        )
        yield Text(f"    {change.path}: {before} -> {after}")


def show_progress(items: Sequence[Item], /, *, title: str) -> Iterable[Item]:
    """Hand on the items one by one, with a bar on standard error that goes away at the end."""
    console = Console(stderr=True)
    return track(
        items,
        description=title,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def showing_bytes(title: str, *, total: int | None) -> Iterator[Callable[[int], None]]:
    """Give what is told how many bytes were done since the last call; a bar shows it.

    Args:
        total: None when nobody knows.
    """
    console = Console(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), DownloadColumn()),
        *(TransferSpeedColumn(), TimeRemainingColumn()),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        bar = bars.add_task(title, total=total)
        yield lambda done: bars.advance(bar, done)


@contextmanager
def showing_lines(title: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """Give what is told how many lines were done since the last call; a bar shows it."""
    console = Console(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        bar = bars.add_task(title, total=total)
        yield lambda done: bars.advance(bar, done)


@contextmanager
def on_a_screen_of_its_own() -> Iterator[None]:
    """Show what follows on the terminal's second screen, which leaves nothing to scroll back to."""
    if not sys.stdout.isatty():
        yield
        return
    sys.stdout.write(_SECOND_SCREEN)
    sys.stdout.flush()
    try:
        yield
    finally:
        sys.stdout.write(_FIRST_SCREEN)
        sys.stdout.flush()
