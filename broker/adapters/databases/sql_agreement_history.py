"""What agreements said once: every form rests in the registry for good."""

import asyncio
from dataclasses import dataclass

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.domain.documents import AgreementDocument, Kind
from broker.domain.ids import BoardId, SchoolId, SupplierId, is_slug


@dataclass(frozen=True, slots=True)
class SqliteAgreementHistory:
    """`broker.flow.me.me_visits.AgreementHistory` on a SQLite database."""

    registry: SqliteRegistry

    async def find(
        self, *, school: SchoolId, board: BoardId, supplier: SupplierId, version: int
    ) -> tuple[AgreementDocument, ...]:
        """Return what has this version: the school's own, the board's, or one of each.

        Raises:
            RegistryUnreadable: it cannot be read.
        """
        return await asyncio.to_thread(self._find, school, board, supplier, version)

    def _find(
        self, school: SchoolId, board: BoardId, supplier: SupplierId, version: int
    ) -> tuple[AgreementDocument, ...]:
        if not is_slug(supplier):
            return ()
        keys = [
            (Kind.AGREEMENT, f"school/{school}/{supplier}"),
            (Kind.AGREEMENT, f"board/{board}/{supplier}"),
        ]
        stated = (each.document for each in self.registry.ever_stated(keys))
        return tuple(
            each
            for each in stated
            if isinstance(each, AgreementDocument) and each.version == version
        )
