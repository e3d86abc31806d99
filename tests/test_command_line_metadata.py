"""`broker metadata refresh` and `sources`, with a source that is a file, as operators use them."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from broker.__main__ import main
from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.watching import metadata_watch
from broker.adapters.watching.metrics import Metrics
from broker.commands.metadata_schedule import make_refresh_schedule
from broker.domain.ids import SchoolIdpId
from broker.domain.metadata_sources import SourceUpdate
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.settings import load_settings
from tests.builders_metadata_sources import FEDERATION_KEY, an_aggregate, pem_of
from tests.builders_saml import NOW, SCHOOL_ENTITY, STRANGER_KEY
from tests.builders_saml_metadata import a_key, an_idp

SCHOOL = """
id = "vuurvogel"
name = "De Vuurvogel"
place = "Utrecht"
brin = "11AA"
sector = "po"
board = "stichting"
state = "test"
"""
LOGIN = f"""
id = "vuurvogel"
schools = ["vuurvogel"]
protocol = "saml"
state = "test"
entity_id = "{SCHOOL_ENTITY}"
metadata_source = "federation"
"""
Run = Callable[..., Result]
Events = list[dict[str, Any]]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Iterator[Events]:
    """What commands write to the log."""
    monkeypatch.setattr("broker.commands.metadata_refresh.start_logs", lambda _: None)
    with capture_logs() as lines:
        yield lines  # type: ignore[misc]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with keys, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    init_keys(folder / "keys", now=NOW, issuer_name="Test")
    (folder / "broker.toml").write_text('issuer = "http://localhost:8000"\n')
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """The same, with a school's login whose metadata come from a source, in force."""
    made = Path(shutil.copytree(prepared, tmp_path / "config"))
    source = f"""
id = "federation"
state = "test"
file = "{made}/all.xml"
signing_certificates = ["federation.pem"]
"""
    for name, text in (
        ("schools/vuurvogel.toml", SCHOOL),
        ("identity_providers/vuurvogel.toml", LOGIN),
        ("metadata_sources/federation.toml", source),
        ("metadata_sources/federation.pem", pem_of(FEDERATION_KEY.certificate)),
    ):
        file = made / "federation" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    publish(made)
    words = ["apply", "--config", str(made), str(made / "federation")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    return made


@pytest.fixture
def run(folder: Path, events: Events) -> Run:
    def call(*words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(folder)])

    return call


def publish(
    folder: Path, *, days: float = 7, key: object = FEDERATION_KEY, **changes: object
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    document = an_aggregate(an_idp(**changes), valid_until=until, key=key)  # type: ignore[arg-type]
    (folder / "all.xml").write_bytes(document)


def certificates(folder: Path) -> object:
    registry = SqliteRegistry(folder / "data/registry.db").load()
    return registry.idps[SchoolIdpId("vuurvogel")].endpoints.signing_certificates  # type: ignore[union-attr]


def test_a_dry_run_shows_and_changes_nothing(run: Run, folder: Path) -> None:
    before = certificates(folder)
    publish(folder, keys=(a_key(STRANGER_KEY.certificate),))
    result = run("metadata", "refresh", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "~ identity_providers/vuurvogel" in result.output
    assert f"signing key: absent -> sha256 {STRANGER_KEY.verification.key_id[:16]}" in result.output
    assert "federation: dry run, nothing was changed." in result.output
    assert certificates(folder) == before


def test_changed_keys_are_in_force_and_told(run: Run, folder: Path, events: Events) -> None:
    publish(folder, keys=(a_key(STRANGER_KEY.certificate),))
    result = run("metadata", "refresh", "federation")
    assert result.exit_code == 0, result.output
    assert "federation: version 2 is in force." in result.output
    assert certificates(folder) == (STRANGER_KEY.certificate,)
    told = {each["event"]: each for each in events}
    assert told["metadata-keys-changed"]["document"] == "identity_providers/vuurvogel"
    assert told["metadata-refreshed"]["counts"] == {"registered": 1, "changed": 1, "absent": 0}
    again = run("metadata", "refresh")
    assert "federation: nothing changed." in again.output


def test_nothing_is_due_yet(run: Run, folder: Path) -> None:
    publish(folder, keys=(a_key(STRANGER_KEY.certificate),))
    result = run("metadata", "refresh", "--due")
    assert (result.exit_code, result.output) == (0, "")


def test_what_cannot_be_used_changes_nothing_and_is_told(
    run: Run, folder: Path, events: Events
) -> None:
    before = certificates(folder)
    publish(folder, key=STRANGER_KEY, keys=(a_key(STRANGER_KEY.certificate),))
    result = run("metadata", "refresh")
    assert result.exit_code == 1
    assert "not signed by a key that its document pins" in result.output
    assert certificates(folder) == before
    told = {each["event"] for each in events}
    assert {"metadata-refused", "metadata-failed"} <= told
    assert "failures 1" in run("metadata", "sources").output
    assert "could not be read 1 times in a row" in run("check").output


def test_a_source_that_lost_its_parties_needs_somebody_who_agrees(
    run: Run, folder: Path, events: Events
) -> None:
    publish(folder, entity_id="https://login.elders.example")
    refused = run("metadata", "refresh")
    assert refused.exit_code == 1
    assert "no longer describes 1 of 1" in refused.output
    assert run("metadata", "refresh", "--accept-loss").exit_code == 0
    assert "metadata-party-absent" in {each["event"] for each in events}


def test_metadata_that_end_soon_are_told(run: Run, folder: Path, events: Events) -> None:
    assert "has metadata that are valid until" not in run("check").output
    publish(folder, days=1)
    assert run("metadata", "refresh").exit_code == 0
    assert "metadata-ends-soon" in {each["event"] for each in events}
    assert "has metadata that are valid until" in run("check").output


def test_a_source_that_is_not_in_force(run: Run) -> None:
    result = run("metadata", "refresh", "elsewhere")
    assert result.exit_code == 1
    assert "metadata_sources/elsewhere: -: is not in force." in result.output


def test_sources_are_listed(run: Run) -> None:
    result = run("metadata", "sources")
    assert result.exit_code == 0
    assert result.output.startswith("federation: valid until ")


def test_our_own_metadata_need_a_role(folder: Path) -> None:
    own = ["metadata", "--config", str(folder)]
    assert CliRunner().invoke(main, own).exit_code == 2
    assert "<md:EntityDescriptor" in CliRunner().invoke(main, [*own, "--role", "sp"]).output


async def test_the_schedule_of_a_broker_that_serves(folder: Path) -> None:
    schedule = make_refresh_schedule(load_settings(folder, environment={}))
    assert not schedule._is_due()
    publish(folder, keys=(a_key(STRANGER_KEY.certificate),))
    path = folder / "data/registry.db"
    source, standing = SqliteMetadata(path).sources()["federation"]
    assert standing is not None
    long_ago = datetime.now(UTC) - timedelta(hours=source.refresh_hours)
    SqliteMetadata(path).keep(SourceUpdate("federation", replace(standing, looked_at=long_ago)))
    assert schedule._is_due()
    await schedule.refresh()
    assert certificates(folder) == (STRANGER_KEY.certificate,)
    assert not schedule._is_due()
    path.unlink()
    assert not schedule._is_due()


async def test_metrics_show_how_sources_fare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, known = Metrics(), SqliteMetadata(folder / "data/registry.db")
    monkeypatch.setattr(metadata_watch, "SHOW_SECONDS", 0)
    shown = asyncio.Event()
    looks = iter([None, known.standing()])

    def read() -> Any:
        found = next(looks, None)
        if found is None:
            raise RegistryUnreadable("for now")
        return found

    def show(*, failing: int, end_at: float) -> None:
        really_show(failing=failing, end_at=end_at)
        shown.set()

    really_show = metrics.metadata_sources
    monkeypatch.setattr(metrics, "metadata_sources", show)
    task = asyncio.create_task(
        metadata_watch.keep_showing_sources(metrics, read=read, clock=lambda: datetime.now(UTC))
    )
    await shown.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    until = known.standing()[0]["federation"].valid_until
    assert until is not None
    lines = metrics.expose().decode().splitlines()
    assert "schuilnaam_metadata_sources_failing 0.0" in lines
    end = "schuilnaam_metadata_end_timestamp_seconds "
    (told,) = (float(each.removeprefix(end)) for each in lines if each.startswith(end))
    assert told == until.timestamp()
