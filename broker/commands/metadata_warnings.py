"""What `broker check` warns of about metadata from sources: looks in vain, and what ends soon."""

from collections.abc import Iterator
from datetime import UTC, datetime

from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.flow.federation.documents import Problem
from broker.flow.federation.refresh_times import Ending, find_ending
from broker.settings import LoadedSettings


def endings(loaded: LoadedSettings) -> list[Ending]:
    """Return which metadata end soon, or ended."""
    file = loaded.data_folder / "registry.db"
    _, entities = SqliteMetadata(file).standing()
    return list(find_ending(SqliteMetadata(file).sources(), entities, now=datetime.now(UTC)))


def warn_of_metadata(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield a warning for each source that fails, and for metadata that end soon."""
    for name, (_, known) in sorted(
        SqliteMetadata(loaded.data_folder / "registry.db").sources().items()
    ):
        if known is not None and known.failures:
            yield Problem(
                f"metadata_sources/{name}",
                "-",
                f"could not be read {known.failures} times in a row: {known.failure}",
                "Try `broker metadata refresh`, and see with whoever publishes it.",
            )
    for each in endings(loaded):
        yield Problem(
            f"metadata_sources/{each.source}",
            each.party or "-",
            f"has metadata that are valid until {each.ends_at:%Y-%m-%d %H:%M} UTC: then nobody "
            "logs in by them.",
            "Run `broker metadata refresh`; see config/OPERATING.md, metadata of a source.",
        )
