"""The demo's rotation: RekenRijk's pseudonyms get another key, which is turned back or closed.

The same as `broker pseudonyms` does.
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from broker.adapters.databases.data_folder import read_key_checks
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.adapters.keys.epoch_keys import add_next_epoch
from broker.adapters.keys.keys_change import one_change_at_a_time
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.watching.logs import AuditLines
from broker.demo.start_scenarios import Text
from broker.domain.ids import SupplierId
from broker.flow.rotation.rotations import RotationDesk

if TYPE_CHECKING:
    from broker.demo.actions import Stage

REKENRIJK = SupplierId("rekenrijk")

LOG_IN = Text(
    "Log in als Sanne van De Vuurvogel en maak een opgave.",
    "Log in as Sanne of De Vuurvogel and make an exercise.",
)
AGAIN = Text(
    "Log uit bij RekenRijk en log opnieuw in als Sanne.",
    "Log out of RekenRijk and log in as Sanne again.",
)


async def rotate_key(stage: "Stage", *, follow_seconds: float) -> Text:
    """Make the next epoch's key and open RekenRijk's window to it."""
    keys = load_keys(stage.loaded.keys_folder)
    rotation = SqliteRotations(stage.loaded.data_folder / "registry.db").read(REKENRIJK)
    letter = keys.pairwise.newest
    if rotation.window is None and letter == rotation.pinned:
        with one_change_at_a_time(keys.folder):
            letter = add_next_epoch(keys, known=read_key_checks(stage.loaded.data_folder))
        await asyncio.sleep(follow_seconds)
    _desk(stage).rotate(REKENRIJK, letter=letter)
    await asyncio.sleep(follow_seconds)
    return Text(
        f"Pseudoniemen van RekenRijk komen nu uit epoche {letter};"
        " bij elke inlog krijgt het ook het pseudoniem van daarvoor.",
        f"RekenRijk's pseudonyms come from epoch {letter} now;"
        " with each login it gets the one of before as well.",
    )


async def turn_back(stage: "Stage", *, follow_seconds: float) -> Text:
    """Turn RekenRijk's window back."""
    state = _desk(stage).turn_back(REKENRIJK)
    await asyncio.sleep(follow_seconds)
    return Text(
        f"Pseudoniemen van RekenRijk komen weer uit epoche {state.pinned}.",
        f"RekenRijk's pseudonyms come from epoch {state.pinned} again.",
    )


async def close_window(stage: "Stage", *, follow_seconds: float) -> Text:
    """Close RekenRijk's window."""
    counts = SqliteSupplierCounts(stage.loaded.data_folder / "register.db")
    state = _desk(stage).close(REKENRIJK, counts=counts, leave_stragglers=True)
    await asyncio.sleep(follow_seconds)
    return Text(
        f"RekenRijk krijgt alleen nog pseudoniemen uit epoche {state.pinned}.",
        f"RekenRijk gets pseudonyms of epoch {state.pinned} alone.",
    )


def _desk(stage: "Stage") -> RotationDesk:
    return RotationDesk(
        store=SqliteRotations(stage.loaded.data_folder / "registry.db"),
        keys=load_keys(stage.loaded.keys_folder).pairwise,
        audit=AuditLines(),
        by="demo",
        clock=lambda: datetime.now(UTC),
    )
