"""How many tests of a school's login ended how on a day, in `registry.db`.

A worker counts, and a command reads. It changes nothing that a login reads, so it adds no version.
"""

import asyncio
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from broker.adapters.databases.registry_file import open_registry
from broker.adapters.databases.sql import prepare, transaction
from broker.adapters.databases.tables_registry import login_tests
from broker.domain.ids import SchoolId, SchoolIdpId
from broker.flow.login_tests.login_tests import LoginTestOutcome
from broker.flow.login_tests.readiness import LastTests

KEPT_DAYS = 400
"""Since the day of a test; older ones tell nothing of a login as it is today."""

_UNREADABLE = (ValueError,)

_rows = login_tests.c
_count = insert(login_tests).values(
    {each.name: bindparam(each.name) for each in login_tests.columns}
)
_COUNT = prepare(
    _count.on_conflict_do_update(
        index_elements=[_rows.school, _rows.idp, _rows.day, _rows.outcome],
        set_={"count": _rows["count"] + _count.excluded["count"]},
    )
)
_FORGET = prepare(
    delete(login_tests).where(
        _rows.school == bindparam("of_school"), _rows.day < bindparam("before")
    )
)
_LAST = prepare(
    select(_rows.idp, _rows.outcome, func.max(_rows.day))
    .where(_rows.school == bindparam("of_school"))
    .group_by(_rows.idp, _rows.outcome)
)


@dataclass(frozen=True, slots=True)
class SqliteLoginTests:
    """`LoginTestLog` on a SQLite database.

    Args:
        path: of a database that `upgrade_database(path, "registry")` made.
    """

    path: Path

    async def keep(
        self, school: SchoolId, idp: SchoolIdpId, outcome: LoginTestOutcome, day: date
    ) -> None:
        """Count one more; a command that writes holds up no login.

        Raises:
            RegistryUnreadable: it is not counted.
        """
        await asyncio.to_thread(self._keep, school, idp, outcome, day)

    def _keep(
        self, school: SchoolId, idp: SchoolIdpId, outcome: LoginTestOutcome, day: date
    ) -> None:
        row = {
            "school": school,
            "idp": idp,
            "day": day.isoformat(),
            "outcome": outcome.value,
            "count": 1,
        }
        before = (day - timedelta(days=KEPT_DAYS)).isoformat()
        with self._opened() as connection, transaction(connection):
            connection.execute(_COUNT, row)
            connection.execute(_FORGET, {"of_school": school, "before": before})

    def last_tests(self, school: SchoolId) -> LastTests:
        """Return the last day of each outcome at each login of a school.

        Raises:
            RegistryUnreadable: it cannot be read.
        """
        with self._opened() as connection:
            return {
                (SchoolIdpId(idp), LoginTestOutcome(outcome)): date.fromisoformat(day)
                for idp, outcome, day in connection.execute(_LAST, {"of_school": school})
            }

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_registry(self.path, unreadable=_UNREADABLE)
