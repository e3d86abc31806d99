"""The key behind a supplier's pseudonyms is rotated while pupils log in: all work is kept."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lxml import html

from broker.demo import actions
from broker.demo.addresses import Party
from tests.journeys.commands import run_broker, run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor, new_visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own: the others must not see what is changed here."""
    async with open_world() as opened:
        yield opened


def told(received: dict[str, Any]) -> str | None:
    """Return what a supplier reads as `previous_sub`, by either protocol."""
    stated = received["claims"].get("previous_sub")
    return stated[0] if isinstance(stated, list) else stated


async def exercises(visitor: Visitor, party: Party) -> int:
    """Return how much work a supplier shows."""
    await visitor.visit(party)
    (shown,) = html.fromstring(visitor.page.content).xpath("//*[@id='exercises']")
    return int(shown.text_content())


async def work(visitor: Visitor, party: Party) -> None:
    """Make an exercise."""
    visitor.page = await visitor.client.post(visitor.addresses[party] + "/work")


async def until_followed(
    log_in: Callable[[], Awaitable[dict[str, Any]]], *, epoch: str, announces: bool
) -> dict[str, Any]:
    """Log in until the broker follows, and return what was received then."""

    async def followed() -> dict[str, Any] | None:
        received = await log_in()
        if received["subject"][0] != epoch or (told(received) is not None) is not announces:
            return None
        return received

    found: dict[str, Any] = await until(followed)
    return found


async def test_the_start_page_rotates_turns_back_and_closes(
    world: World, browsers: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "FOLLOW_SECONDS", 0)  # `until` waits instead
    operator = browsers()

    async def log_in() -> dict[str, Any]:
        return await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")

    async def press(action: str) -> None:
        await operator.visit(Party.START_PAGE, "/", lang="en")
        await operator.press("action", action)
        assert operator.is_at(Party.START_PAGE)

    pupil = browsers()
    before = await pupil.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    await work(pupil, Party.REKENRIJK)
    await press("turn-back")
    assert "E-ROTATION-3" in operator.text
    await press("rotate-key")
    assert "epoch b now" in operator.text
    within = await until_followed(log_in, epoch="b", announces=True)
    assert told(within) == before["subject"]
    await press("rotate-key")
    assert "E-ROTATION-2" in operator.text
    later = browsers()
    await later.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert await exercises(later, Party.REKENRIJK) == 1
    await press("turn-back")
    back = await until_followed(log_in, epoch="a", announces=True)
    assert (back["subject"], told(back)) == (before["subject"], within["subject"])
    await press("close-window")
    closed = await until_followed(log_in, epoch="a", announces=False)
    assert closed["subject"] == before["subject"]
    last = browsers()
    await last.log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    assert await exercises(last, Party.REKENRIJK) == 1


async def test_buttons_are_not_pressed_from_elsewhere(world: World, visitor: Visitor) -> None:
    url = visitor.addresses[Party.START_PAGE] + "/actions/"
    elsewhere = {"sec-fetch-site": "cross-site"}
    answer = await visitor.client.post(url + "close-window", headers=elsewhere)
    assert answer.status_code == 404
    assert (await visitor.client.post(url + "nothing")).status_code == 404


async def test_a_leaked_key_is_answered_by_the_runbook(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    """The steps of keys/README.md, with logins by both protocols all the while."""
    async with open_world() as world, contextlib.AsyncExitStack() as stack:

        def browser() -> Visitor:
            visitor = new_visitor(world.at)
            stack.push_async_callback(visitor.client.aclose)
            return visitor

        suppliers = {
            Party.REKENRIJK: "rekenrijk",
            Party.TAALTUIN: "taaltuin",
            Party.BIOSFEER_OIDC: "biosfeer",
        }
        of = ("--config", world.folder)
        before = {}
        for party in suppliers:
            pupil = browser()
            before[party] = await pupil.log_in(party, "vuurvogel", "sanne")
            await work(pupil, party)
        await run_broker("keys", "init", *of, "--next-epoch")
        for supplier in suppliers.values():
            await run_program("pseudonyms", "rotate", *of, "--supplier", supplier)
        for party, supplier in suppliers.items():
            log_in = partial(log_in_anew, browser, party)
            within = await until_followed(log_in, epoch="b", announces=True)
            assert told(within) == before[party]["subject"]
            asked, answers = tmp_path / f"{supplier}.txt", tmp_path / f"{supplier}.tsv"
            asked.write_text(before[party]["subject"] + "\n")
            of_supplier = (*of, "--supplier", supplier)
            await run_program("pseudonyms", "convert", *of_supplier, "--output", answers, asked)
            line = f"{before[party]['subject']}\t{within['subject']}\n"
            assert answers.read_text() == line
            status = await run_program("pseudonyms", "status", *of_supplier)
            assert "stragglers:             0" in status
            await run_program("pseudonyms", "close", *of_supplier)
        await run_broker("keys", "remove", *of, "--yes", "pairwise/a.hex")
        for party in suppliers:
            log_in = partial(log_in_anew, browser, party)
            await until_followed(log_in, epoch="b", announces=False)
            pupil = browser()
            await pupil.log_in(party, "vuurvogel", "sanne")
            assert await exercises(pupil, party) == 1
        assert "No problem found." in await run_broker("check", *of)


async def log_in_anew(browser: Callable[[], Visitor], party: Party) -> dict[str, Any]:
    """Log in as Sanne with a fresh browser."""
    received: dict[str, Any] = await browser().log_in(party, "vuurvogel", "sanne")
    return received
