"""Quotas on SQLite: counts in `register.db`, shared by all workers, written on a thread."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.sqlite import insert as insert_or_add

from broker.adapters.databases.group_commit import GroupCommit
from broker.adapters.databases.sql import OpenedFile, prepare, transaction
from broker.adapters.databases.tables_register import api_quotas
from broker.flow.programs.quotas import Quota, QuotaExceeded, QuotasUnavailable

_FAULTS = (sqlite3.Error, OSError)

_added = insert_or_add(api_quotas).values(
    {name: bindparam(name) for name in ("purpose", "of", "period", "used")}
)
_sum = api_quotas.c.used + _added.excluded.used
_SPEND = prepare(
    _added.on_conflict_do_update(
        index_elements=[api_quotas.c.purpose, api_quotas.c.of, api_quotas.c.period],
        set_={"used": _sum},
        where=_sum <= bindparam("limit"),
    )
)
_FORGET = prepare(
    delete(api_quotas).where(
        api_quotas.c.purpose == bindparam("of_purpose"),
        api_quotas.c.of == bindparam("of_whom"),
        api_quotas.c.period < bindparam("before"),
    )
)


class SqliteQuotas:
    """`broker.flow.programs.quotas.QuotaLedger`.

    Args:
        path: of a database that `upgrade_database(path, "register")` made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: OpenedFile | None = None
        self._group: GroupCommit[tuple[Quota, int], bool] = GroupCommit(
            self._commit, refusal=QuotasUnavailable, expected=_FAULTS
        )

    async def spend(self, quota: Quota, amount: int) -> None:
        """Take that much of a quota, durably, or nothing.

        Raises:
            QuotaExceeded: less than that is left; nothing was taken.
            QuotasUnavailable: nobody knows whether it was taken.
        """
        if not await self._group.submit((quota, amount)):
            raise QuotaExceeded("check_quota")

    async def close(self) -> None:
        """Write what waits and close the database."""
        await self._group.close(self._close)

    def _commit(self, batch: Sequence[tuple[Quota, int]]) -> list[bool]:
        try:
            if self._opened is None:
                self._opened = OpenedFile(self._path)
            connection = self._opened.connection()
            with transaction(connection):
                return [_spend(connection, quota, amount) for quota, amount in batch]
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _spend(connection: sqlite3.Connection, quota: Quota, amount: int) -> bool:
    """Tell whether that much was left, and is taken now."""
    if amount > quota.limit:
        return False
    whose = {"of_purpose": quota.purpose, "of_whom": quota.of, "before": quota.period}
    connection.execute(_FORGET, whose)
    spent = connection.execute(
        _SPEND,
        {
            "purpose": quota.purpose,
            "of": quota.of,
            "period": quota.period,
            "used": amount,
            "limit": quota.limit,
        },
    )
    return spent.rowcount == 1
