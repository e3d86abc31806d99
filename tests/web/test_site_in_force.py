"""Keys that change while a broker runs: what is in force, and what is under way meanwhile."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.types import Receive, Scope, Send

from broker.__main__ import main
from broker.web.site_in_force import SiteInForce
from tests.web.broker_site import Site, a_scope, fields_of, running_site

GIVE_UP_SECONDS = 60  # only a fault takes so long


@pytest.fixture
def site(tmp_path: Path) -> Any:
    with running_site(tmp_path / "site") as running:
        yield running


def until(site: Site, happened: Callable[[], bool]) -> None:
    """Let the broker look at its keys until something happened."""

    async def wait() -> None:
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while not happened():
                await asyncio.sleep(0.01)

    site.run(wait())


def keys(folder: Path, *arguments: str) -> None:
    ended = CliRunner().invoke(main, ["keys", *arguments, "--config", str(folder)])
    assert ended.exit_code == 0, ended.output


def test_a_form_of_before_is_taken_after_a_rotation(site: Site, tmp_path: Path) -> None:
    browser = site.visit()
    form = fields_of(browser.choose())
    before = site.web
    keys(tmp_path / "site", "rotate", "cookie", "--lead", "0s")
    keys(tmp_path / "site", "rotate", "storage", "--lead", "0s")
    until(site, lambda: len(site.web.cookie_keys) == 2 and site.web is not before)
    until(site, lambda: site.web.login._steps._state._in_use.letter == "a")
    assert browser.post("/schools", form | {"school": "kompas"}).status == 303
    fresh = fields_of(site.visit().choose())
    assert fresh["csrf"] != form["csrf"]


def test_an_epoch_that_is_added_is_taken_in(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    file = folder / "keys/pairwise/b.hex"
    file.touch(mode=0o600)
    file.write_text("ab" * 32)
    until(site, lambda: "b" in site.web.snapshots._epochs)  # type: ignore[attr-defined]
    with closing(sqlite3.connect(folder / "data/registry.db")) as registry:
        kept = {name for (name,) in registry.execute("SELECT key FROM key_checks")}
    assert "pairwise/b.hex" in kept


def test_another_lasting_key_changes_nothing(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    before = site.web
    root = folder / "keys/root/root.hex"
    good = root.read_text()
    root.write_text("ab" * 32)
    keys_watched = folder / "keys/cookie/a.hex"
    keys_watched.touch(mode=0o600)
    keys_watched.write_text("cd" * 32)
    answer = site.visit().get("/health/ready")
    assert answer.status == 200
    assert site.web is before
    root.write_text(good)
    until(site, lambda: len(site.web.cookie_keys) == 2)


async def test_a_request_ends_at_the_site_that_it_came_to() -> None:
    said: list[str] = []
    go_on = asyncio.Event()

    def a_site(name: str) -> Any:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await go_on.wait()
            said.append(f"{name} {scope['type']}")

        return app

    async def nothing(*_: Any) -> Any:
        return None

    app = SiteInForce(a_site("first"), health=None)  # type: ignore[arg-type]
    under_way = asyncio.create_task(app(a_scope(), nothing, nothing))
    await asyncio.sleep(0)
    app.site = a_site("second")
    go_on.set()
    await under_way
    await app(a_scope(), nothing, nothing)
    await app({"type": "lifespan"}, nothing, nothing)
    assert said == ["first http", "second http", "first lifespan"]
