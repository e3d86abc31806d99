"""Take-overs of accounts in `registry.db`: what commands change, and the counter of each quota."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, insert, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_else

from broker.adapters.databases.registry_versions import add_version
from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.tables_registry import takeover_steps, takeovers, versions
from broker.domain.dutch_days import day_of
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import Takeover, TakeoverState
from broker.domain.takeover_refusals import (
    AskedTooMuch,
    NotSignedFor,
    TakeoverEnded,
    TakeoverMoved,
    TakeoversUnavailable,
)
from broker.flow.takeover.takeovers import StoredTakeover

_of = (
    takeovers.c.school == bindparam("of_school"),
    takeovers.c.supplier == bindparam("of_supplier"),
)
_terms = (
    *(takeovers.c.school, takeovers.c.supplier, takeovers.c.state, takeovers.c.last_day),
    *(takeovers.c.quota, takeovers.c.document, takeovers.c.pupils, takeovers.c.signed_by),
)
_ALL_TERMS = prepare(select(*_terms).order_by(takeovers.c.school, takeovers.c.supplier))
_ONE = prepare(select(*_terms).where(*_of))
_COUNTS = prepare(
    select(takeovers.c.school, takeovers.c.supplier, takeovers.c.asked, takeovers.c.deleted_on)
)
_STEPS = prepare(
    select(
        takeover_steps.c.school,
        takeover_steps.c.supplier,
        takeover_steps.c.step,
        versions.c.applied_in,
    )
    .join(versions, versions.c.version == takeover_steps.c.version)
    .order_by(takeover_steps.c.version)
)
_changed: dict[str, Any] = {
    name: bindparam(name) for name in ("last_day", "quota", "document", "pupils", "signed_by")
}
_SIGN = prepare(
    insert_or_else(takeovers)
    .values(
        school=bindparam("school"),
        supplier=bindparam("supplier"),
        state=bindparam("state"),
        asked=literal_column("0"),
        **_changed,
    )
    .on_conflict_do_update(index_elements=["school", "supplier"], set_=_changed)
)
_MOVE = prepare(
    update(takeovers)
    .where(*_of, takeovers.c.state == bindparam("of_state"))
    .values(
        state=bindparam("new_state"),
        deleted_on=literal_column("NULL"),  # what was deleted may have come again
        deletion=literal_column("NULL"),
    )
)
_DELETED = prepare(
    update(takeovers)
    .where(*_of, takeovers.c.state == bindparam("of_state"))
    .values(deleted_on=bindparam("on_day"), deletion=bindparam("of_document"))
)
_ADD_STEP = prepare(insert(takeover_steps))
_ASKED_OF_SCHOOL = prepare(
    select(func.sum(takeovers.c.asked)).where(takeovers.c.school == bindparam("of_school"))
)
_RESERVE = prepare(
    update(takeovers)
    .where(*_of, takeovers.c.asked + bindparam("more") <= takeovers.c.quota)
    .values(asked=takeovers.c.asked + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class SqliteTakeovers:
    """`broker.flow.takeover.takeovers.TakeoverStore` on the registry's database.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    def all(self) -> Sequence[StoredTakeover]:
        """Return every take-over, in order of school and supplier."""
        with self._open() as connection:
            connection.execute("BEGIN")
            steps: dict[tuple[str, str], list[tuple[str, str]]] = {}
            for school, supplier, step, hour in connection.execute(_STEPS):
                steps.setdefault((school, supplier), []).append((step, hour))
            counts = {
                (school, supplier): (asked, deleted_on)
                for school, supplier, asked, deleted_on in connection.execute(_COUNTS)
            }
            return [
                StoredTakeover(
                    takeover,
                    asked=counts[takeover.school, takeover.supplier][0],
                    deleted_on=_day(counts[takeover.school, takeover.supplier][1]),
                    steps=tuple(steps.get((takeover.school, takeover.supplier), ())),
                )
                for takeover in read_takeovers(connection)
            ]

    def sign(self, takeover: Takeover, *, by: str, at: datetime) -> None:
        """Put a take-over in force, or other terms of one that has not ended; its state stays."""
        with self._changing() as connection:
            before = _read_one(connection, takeover)
            if before is not None and before.state_on(day_of(at)) is TakeoverState.CLOSED:
                raise TakeoverEnded("check_takeover_not_ended")
            connection.execute(
                _SIGN,
                {
                    "school": takeover.school,
                    "supplier": takeover.supplier,
                    "state": takeover.state.value,
                    "last_day": takeover.last_day.isoformat(),
                    "quota": takeover.quota,
                    "document": takeover.document,
                    "pupils": takeover.pupils,
                    "signed_by": takeover.signed_by,
                },
            )
            _add_step(connection, takeover, "signed", by=by, at=at)

    def move(self, takeover: Takeover, *, to: TakeoverState, by: str, at: datetime) -> None:
        """Set another state, if it is in the one that `takeover` says."""
        with self._changing() as connection:
            moved = connection.execute(_MOVE, {**_place(takeover), "new_state": to.value})
            if moved.rowcount != 1:
                raise TakeoverMoved("check_takeover_unchanged")
            _add_step(connection, takeover, to.value, by=by, at=at)

    def note_deleted(self, takeover: Takeover, *, document: bytes, by: str, at: datetime) -> None:
        """Note that the supplier confirmed to hold no ECK iD of this school."""
        with self._changing() as connection:
            noted = connection.execute(
                _DELETED,
                {
                    **_place(takeover),
                    "on_day": day_of(at).isoformat(),
                    "of_document": document,
                },
            )
            if noted.rowcount != 1:
                raise TakeoverMoved("check_takeover_unchanged")
            _add_step(connection, takeover, "deleted", by=by, at=at)

    def reserve(self, takeover: Takeover, *, count: int, per_school: int) -> None:
        """Count ECK iDs that will be asked about, durably; or refuse, and count none."""
        with self._changing() as connection:
            place: dict[str, str] = {"of_school": takeover.school}
            (asked,) = connection.execute(_ASKED_OF_SCHOOL, place).fetchone()
            if asked is None or _read_one(connection, takeover) is None:
                raise NotSignedFor("check_takeover_signed")
            if asked + count > per_school:
                raise AskedTooMuch("check_quota_of_school")
            place |= {"of_supplier": takeover.supplier}
            if connection.execute(_RESERVE, {**place, "more": count}).rowcount != 1:
                raise AskedTooMuch("check_quota_of_takeover")

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection, transaction(connection):
            yield connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(open_sqlite(self.path)) as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise TakeoversUnavailable("check_takeovers_readable") from error


def read_takeovers(connection: sqlite3.Connection) -> Iterator[Takeover]:
    """Yield what workers load of every take-over."""
    return map(_takeover, connection.execute(_ALL_TERMS))


def _read_one(connection: sqlite3.Connection, of: Takeover) -> Takeover | None:
    place = {"of_school": of.school, "of_supplier": of.supplier}
    row = connection.execute(_ONE, place).fetchone()
    return None if row is None else _takeover(row)


def _takeover(row: tuple[str, str, str, str, int, bytes, bytes, str]) -> Takeover:
    school, supplier, state, last_day, quota, document, pupils, signed_by = row
    return Takeover(
        school=SchoolId(school),
        supplier=SupplierId(supplier),
        state=TakeoverState(state),
        last_day=date.fromisoformat(last_day),
        quota=quota,
        document=document,
        pupils=pupils,
        signed_by=signed_by,
    )


def _place(takeover: Takeover) -> dict[str, str]:
    return {
        "of_school": takeover.school,
        "of_supplier": takeover.supplier,
        "of_state": takeover.state.value,
    }


def _add_step(
    connection: sqlite3.Connection, takeover: Takeover, step: str, *, by: str, at: datetime
) -> None:
    """Note what was done, in a version of its own: all workers load it within two seconds."""
    note = f"takeover {takeover.school} {takeover.supplier} {step}"
    version = add_version(connection, note=note, by=by, at=at)
    connection.execute(
        _ADD_STEP,
        {
            "version": version,
            "school": takeover.school,
            "supplier": takeover.supplier,
            "step": step,
        },
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
