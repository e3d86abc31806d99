"""What `broker check` warns of about schools: no head count, logins that name people by different
attributes, and far fewer ECK iDs than before."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.domain.dutch_days import day_of
from broker.domain.federation import State
from broker.domain.registry import Registry
from broker.flow.federation.continuity import warn_of_identifiers
from broker.flow.federation.documents import Problem
from broker.flow.persons.eck_id_share import dropped_schools
from broker.settings import LoadedSettings

TOLD_DAYS = 1


def warn_of_schools(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield a warning for each school of production without head count, and each told drop."""
    registry = SqliteRegistry(loaded.data_folder / "registry.db").load()
    for school in registry.schools.values():
        if school.state is State.PRODUCTION and school.enabled and school.pupils is None:
            yield Problem(
                f"schools/{school.id}",
                "pupils",
                "is missing, so few pupils of other schools may come a day.",
                "Write the published head count.",
            )
    yield from warn_of_logins(registry)
    register = loaded.data_folder / "register.db"
    since = day_of(datetime.now(UTC)) - timedelta(days=TOLD_DAYS)
    with suppress(sqlite3.Error, OSError):  # made or upgraded when the broker starts
        counted = dict(SqliteSchoolCounts(register).read_all(since=since))
        for dropped in dropped_schools(counted, since=since):
            yield Problem(
                f"schools/{dropped}",
                "-",
                "states far fewer ECK iDs than in the weeks before.",
                "Ask the school what changed in its login.",
            )


def warn_of_logins(registry: Registry) -> Iterator[Problem]:
    """Yield a warning for each school of which two logins name people by different attributes."""
    logins = [each for each in registry.idps.values() if each.enabled]
    yield from warn_of_identifiers(
        (school, each.identifier) for each in logins for school in each.schools
    )
