"""Steps of schools from one login to another, and what rehearsals showed, in `registry.db`.

A step is decided and stored in one transaction, and adds a version that running brokers follow.
What a rehearsal counts changes nothing that a login reads, so it adds none.
"""

import asyncio
import sqlite3
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_replace

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.registry_versions import add_version
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.tables_registry import (
    documents,
    login_switches,
    rehearsed_lists,
    rehearsed_logins,
)
from broker.domain.documents import Kind
from broker.domain.federation import School, SchoolIdp
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.domain.switches import (
    LoginSwitch,
    Switches,
    SwitchStage,
    find_running,
    gather_switches,
)
from broker.flow.switching.rehearsal import Counts, Finding
from broker.flow.switching.switch_checks import LoginPair, Rehearsed, SwitchState
from broker.flow.switching.switching import Decide, PastStep

Record = TypeVar("Record", School, SchoolIdp)

_UNREADABLE = (msgspec.MsgspecError, ValueError)

_steps = login_switches.c
_STEPS = select(
    *(_steps.school, _steps.from_idp, _steps.to_idp, _steps.stage, _steps.classes),
    *(_steps.first_day, _steps.since, _steps.taken_by, _steps.version),
).order_by(_steps.number)
_ALL_STEPS = prepare(_STEPS)
_STEPS_OF = prepare(_STEPS.where(_steps.school == bindparam("of_school")))
_ADD_STEP = prepare(
    insert(login_switches).values(
        {
            each.name: bindparam(each.name)
            for each in login_switches.columns
            if each.name != "number"
        }
    )
)
_DOCUMENT = prepare(
    select(documents.c.compiled).where(
        documents.c.kind == bindparam("of_kind"),
        documents.c.id == bindparam("of_id"),
        documents.c.last_version.is_(None),
    )
)


_PAIR = ("school", "from_idp", "to_idp")


def _of_pair(table: Table) -> list[ColumnElement[bool]]:
    return [table.c[each] == bindparam(f"of_{each}") for each in _PAIR]


_LISTED = prepare(select(rehearsed_lists.c.counts).where(*_of_pair(rehearsed_lists)))
_TRIED = prepare(
    select(rehearsed_logins.c.finding, func.count())
    .where(*_of_pair(rehearsed_logins))
    .group_by(rehearsed_logins.c.finding)
)
_KEEP_LIST = prepare(insert_or_replace(rehearsed_lists).prefix_with("OR REPLACE"))
_KEEP_LOGIN = prepare(insert_or_replace(rehearsed_logins).prefix_with("OR REPLACE"))
_FORGET = [
    prepare(delete(each).where(*_of_pair(each))) for each in (rehearsed_lists, rehearsed_logins)
]


def read_switches(connection: sqlite3.Connection) -> Switches:
    """Return the steps of all schools that still count."""
    return gather_switches(_step_of(row) for row in connection.execute(_ALL_STEPS))


@dataclass(frozen=True, slots=True)
class SqliteSwitches:
    """`SwitchStore` on a SQLite database.

    Every method raises `RegistryUnreadable` when the database cannot be read or written.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def take_step(
        self, school: SchoolId, pair: LoginPair | None, decide: Decide, *, by: str, at: datetime
    ) -> LoginSwitch:
        """Decide on what is there, and store the step, in one transaction; brokers follow.

        Raises:
            Refusal: of `decide`; then nothing was stored.
        """
        with self._opened() as connection, transaction(connection):
            step = decide(_read(connection, school, pair))
            note = f"{step.stage} {step.school}: {step.from_idp} to {step.to_idp}"
            version = add_version(connection, note=note, by=by, at=at, changed=1)
            connection.execute(_ADD_STEP, _row_of(step, by=by, version=version))
            if step.stage is SwitchStage.DONE:
                for statement in _FORGET:
                    connection.execute(statement, _named(step.school, step.from_idp, step.to_idp))
            return step

    def read(self, school: SchoolId, pair: LoginPair | None) -> SwitchState:
        """Return how far a school is."""
        with self._opened() as connection:
            return _read(connection, school, pair)

    def history(self, school: SchoolId) -> tuple[PastStep, ...]:
        """Return every step that was ever taken, oldest first."""
        with self._opened() as connection:
            rows = connection.execute(_STEPS_OF, {"of_school": school})
            return tuple(PastStep(_step_of(row), by=row[7], version=row[8]) for row in rows)

    def keep_list(self, pair: LoginPair, counts: Counts, *, at: datetime) -> None:
        """Keep what a list showed, in place of what the one before showed."""
        row = {
            **_plain(pair),
            "looked_in": f"{at.astimezone(UTC):%Y-%m-%dT%HZ}",
            "counts": msgspec.json.encode(dict(counts)).decode(),
        }
        with self._opened() as connection:
            connection.execute(_KEEP_LIST, row)

    def keep_login(self, pair: LoginPair, volunteer: bytes, finding: Finding) -> None:
        """Keep what one volunteer found; twice counts once, and the last time counts."""
        row = {**_plain(pair), "volunteer": volunteer, "finding": finding.value}
        with self._opened() as connection:
            connection.execute(_KEEP_LOGIN, row)

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)


@dataclass(frozen=True, slots=True)
class SqliteRehearsalLog:
    """`RehearsalLog` on the same database, for a worker: a command that writes holds up no login.

    Args:
        path: as of `SqliteSwitches`.
    """

    path: Path

    async def keep_login(self, pair: LoginPair, volunteer: bytes, finding: Finding) -> None:
        """See `SqliteSwitches.keep_login`."""
        await asyncio.to_thread(SqliteSwitches(self.path).keep_login, pair, volunteer, finding)


def _read(connection: sqlite3.Connection, school: SchoolId, pair: LoginPair | None) -> SwitchState:
    rows = connection.execute(_STEPS_OF, {"of_school": school})
    steps = gather_switches(_step_of(row) for row in rows).get(school, ())
    running = find_running(steps)
    if pair is None and running is not None:
        pair = LoginPair(school, running.from_idp, running.to_idp)
    names = () if pair is None else (pair.from_idp, pair.to_idp)
    idps = {each: _record(connection, Kind.IDENTITY_PROVIDER, each, SchoolIdp) for each in names}
    return SwitchState(
        school=_record(connection, Kind.SCHOOL, school, School),
        idps={SchoolIdpId(each): found for each, found in idps.items() if found is not None},
        steps=steps,
        rehearsed=Rehearsed() if pair is None else _rehearsed(connection, pair),
    )


def _record(
    connection: sqlite3.Connection, kind: Kind, of_id: str, type_: type[Record]
) -> Record | None:
    row = connection.execute(_DOCUMENT, {"of_kind": kind, "of_id": of_id}).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=type_)


def _rehearsed(connection: sqlite3.Connection, pair: LoginPair) -> Rehearsed:
    of = _named(pair.school, pair.from_idp, pair.to_idp)
    listed = connection.execute(_LISTED, of).fetchone()
    tried = connection.execute(_TRIED, of)
    return Rehearsed(
        listed={} if listed is None else msgspec.json.decode(listed[0], type=dict[Finding, int]),
        volunteers=Counter({Finding(finding): count for finding, count in tried}),
    )


def _plain(pair: LoginPair) -> dict[str, object]:
    return {"school": pair.school, "from_idp": pair.from_idp, "to_idp": pair.to_idp}


def _named(*values: str) -> dict[str, str]:
    return {f"of_{name}": value for name, value in zip(_PAIR, values, strict=True)}


def _step_of(row: tuple[str, ...]) -> LoginSwitch:
    school, from_idp, to_idp, stage, classes, first_day, since = row[:7]
    return LoginSwitch(
        school=SchoolId(school),
        from_idp=SchoolIdpId(from_idp),
        to_idp=SchoolIdpId(to_idp),
        stage=SwitchStage(stage),
        classes=msgspec.json.decode(classes, type=tuple[str, ...]),
        first_day=date.fromisoformat(first_day),
        since=datetime.fromisoformat(since),
    )


def _row_of(step: LoginSwitch, *, by: str, version: int) -> dict[str, object]:
    return {
        "school": step.school,
        "from_idp": step.from_idp,
        "to_idp": step.to_idp,
        "stage": step.stage.value,
        "classes": msgspec.json.encode(step.classes).decode(),
        "first_day": step.first_day.isoformat(),
        "since": step.since.astimezone(UTC).isoformat(timespec="milliseconds"),
        "taken_by": by,
        "version": version,
    }
