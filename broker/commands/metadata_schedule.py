"""Wires the schedule by which `broker serve` has sources of metadata asked again."""

import os
import random
import sys
from datetime import UTC, datetime

from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.adapters.serving.refresh_schedule import RefreshSchedule
from broker.flow.federation.refresh_times import find_due
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.settings import LoadedSettings


def make_refresh_schedule(loaded: LoadedSettings) -> RefreshSchedule:
    """Return what runs beside the workers of `serve`, in one process alone."""
    known = SqliteMetadata(loaded.data_folder / "registry.db")

    def is_due() -> bool:
        now = datetime.now(UTC)
        try:
            return bool(find_due(known.sources(), now=now))
        except RegistryUnreadable:
            return False  # the workers' health says so

    return RefreshSchedule(
        is_due=is_due,
        command=(
            *(sys.executable, "-m", "broker", "metadata", "refresh", "--due"),
            *("--config", str(loaded.config_folder)),
        ),
        environment=os.environ,
        draw=random.random,
    )
