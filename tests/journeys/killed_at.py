"""A `broker` that is killed at a commit.

A kill at a moment of the clock meets whatever the machine is at. Here the process ends itself by
SIGKILL, just before or just after SQLite commits to a named table; which one, says a file that
the test puts there (`KILL_AT`), and which is gone when it happened. Nothing else is changed.
"""

import os
import signal
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

VARIABLE = "KILL_AT"
BEFORE, AFTER = "before", "after"
WISH = "wish"


def write_wish(file: Path, *, database: str, table: str, moment: str) -> None:
    """Ask for a kill at the next commit that wrote to a table.

    Args:
        database: file name.
        moment: `BEFORE` or `AFTER`.
    """
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(f"{database} {table} {moment}")
    unfinished.rename(file)


class WatchedConnection(sqlite3.Connection):
    """A connection that looks for a wish at each commit."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._written: list[str] = []

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement, unless this is where it ends."""
        self._written = [] if sql.startswith("BEGIN") else [*self._written, sql]
        moment = self._moment() if sql == "COMMIT" else None
        if moment == BEFORE:
            _end()
        cursor = super().execute(sql, *parameters)
        if moment == AFTER:
            _end()
        return cursor

    def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement for many."""
        self._written.append(sql)
        return super().executemany(sql, *parameters)

    def _moment(self) -> str | None:
        file = Path(os.environ[VARIABLE])
        if not file.exists():
            return None
        database, table, moment = file.read_text().split()
        (opened, *_) = (row[2] for row in super().execute("PRAGMA database_list").fetchall())
        words = ("INSERT INTO", "UPDATE", "DELETE FROM")
        wrote = any(f"{each} {table}" in sql for each in words for sql in self._written)
        if Path(opened).name != database or not wrote:
            return None
        file.unlink()
        return moment


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which each Python is watched; the wish is `folder / "wish"`.

    A broker starts its workers as programs of their own: each looks for `sitecustomize` first.
    """
    (folder / "sitecustomize.py").write_text(
        "from tests.journeys.killed_at import watch\n\nwatch()\n"
    )
    path = os.pathsep.join((str(folder), str(Path(__file__).parents[2])))
    return {VARIABLE: str(folder / WISH), "PYTHONPATH": path}


def watch() -> None:
    """Have all connections of this process watched."""
    sqlite3.connect = partial(sqlite3.connect, factory=WatchedConnection)  # type: ignore[misc]
