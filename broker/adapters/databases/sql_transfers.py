"""Transfers to another education sector, in `register.db`."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from broker.adapters.databases.sql import open_sqlite, prepare, transaction
from broker.adapters.databases.tables_register import transfers as table
from broker.domain.transfer_refusals import TransfersUnavailable
from broker.flow.transfers.transfer_offers import OfferStage, StoredOffer

KEPT_DAYS_AFTER = 365  # after its last day: until then it is told apart from one that never was

_FAULTS = (sqlite3.Error, OSError)
_FIND = prepare(
    select(
        *(table.c.tag, table.c.person_tag, table.c.sealed),
        *(table.c.last_day, table.c.stage, table.c.accepting),
    ).where(table.c.tag == bindparam("of_tag"))
)
_FORGET = prepare(delete(table).where(table.c.last_day < bindparam("before")))
_MAKE_ROOM = prepare(
    delete(table).where(
        table.c.person_tag == bindparam("of_person"),
        or_(
            table.c.stage == bindparam("prepared"),
            (table.c.stage == bindparam("offered")) & (table.c.last_day < bindparam("today")),
        ),
    )
)
_ADD = prepare(insert_or_not(table).on_conflict_do_nothing())
_CHANGE = prepare(
    update(table)
    .where(
        table.c.tag == bindparam("of_tag"),
        table.c.stage == bindparam("was_stage"),
        table.c.accepting.is_not_distinct_from(bindparam("was_accepting")),
    )
    .values(stage=bindparam("new_stage"), accepting=bindparam("new_accepting"))
)


class SqliteTransfers:
    """`broker.flow.transfers.transfer_offers.TransferOffers`. Blocks; for commands.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, tag: bytes) -> StoredOffer | None:
        """Return the transfer under a tag."""
        try:
            with closing(open_sqlite(self._path)) as connection:
                row = connection.execute(_FIND, {"of_tag": tag}).fetchone()
        except _FAULTS as fault:
            raise TransfersUnavailable("check_transfers_readable") from fault
        if row is None:
            return None
        tag, person_tag, sealed, last_day, stage, accepting = row
        return StoredOffer(
            tag=tag,
            person_tag=person_tag,
            sealed=sealed,
            last_day=date.fromisoformat(last_day),
            stage=OfferStage(stage),
            accepting=accepting,
        )

    def add(self, offer: StoredOffer, *, today: date) -> bool:
        """Store a prepared transfer, durably; False when its person has one that counts."""
        try:
            with closing(open_sqlite(self._path)) as connection, transaction(connection):
                connection.execute(
                    _FORGET, {"before": (today - timedelta(days=KEPT_DAYS_AFTER)).isoformat()}
                )
                connection.execute(
                    _MAKE_ROOM,
                    {
                        "of_person": offer.person_tag,
                        "prepared": OfferStage.PREPARED.value,
                        "offered": OfferStage.OFFERED.value,
                        "today": today.isoformat(),
                    },
                )
                added = connection.execute(
                    _ADD,
                    {
                        "tag": offer.tag,
                        "person_tag": offer.person_tag,
                        "sealed": offer.sealed,
                        "last_day": offer.last_day.isoformat(),
                        "stage": offer.stage.value,
                        "accepting": offer.accepting,
                    },
                )
                return added.rowcount == 1
        except _FAULTS as fault:
            raise TransfersUnavailable("check_transfers_writable") from fault

    def change(self, before: StoredOffer, after: StoredOffer) -> bool:
        """Store what a transfer is now, durably; False when it is not what it was before."""
        try:
            with closing(open_sqlite(self._path)) as connection, transaction(connection):
                changed = connection.execute(
                    _CHANGE,
                    {
                        "of_tag": before.tag,
                        "was_stage": before.stage.value,
                        "was_accepting": before.accepting,
                        "new_stage": after.stage.value,
                        "new_accepting": after.accepting,
                    },
                )
                return changed.rowcount == 1
        except _FAULTS as fault:
            raise TransfersUnavailable("check_transfers_writable") from fault
