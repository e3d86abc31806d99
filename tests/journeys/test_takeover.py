"""Biosfeer takes its accounts over: prepare, on, back, on, by both of its systems, over HTTP."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from lxml import html

from broker.demo import actions
from broker.demo.addresses import Party
from broker.demo.people import made_up_eck_id
from broker.demo.takeover_actions import MADE_BEFORE
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

SYSTEMS = (Party.BIOSFEER_OIDC, Party.BIOSFEER_SAML)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own: the others must not see what is changed here."""
    async with open_world() as opened:
        yield opened


def eck_id_in(received: dict[str, Any]) -> str | None:
    """Return the ECK iD that a supplier got, by either protocol."""
    claims = received["claims"]
    stated = claims.get("eck_id", claims.get("eckId"))
    return stated[0] if isinstance(stated, list) else stated


async def exercises(visitor: Visitor, party: Party) -> int:
    await visitor.visit(party)
    (shown,) = html.fromstring(visitor.page.content).xpath("//*[@id='exercises']")
    return int(shown.text_content())


async def test_prepare_on_back_on(
    world: World, browsers: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "FOLLOW_SECONDS", 0)  # `until` waits instead
    operator, made = browsers(), 0

    async def press(action: str) -> None:
        await operator.visit(Party.START_PAGE, "/", lang="en")
        await operator.press("action", action)
        assert operator.is_at(Party.START_PAGE)

    async def log_in(party: Party) -> tuple[Visitor, dict[str, Any]]:
        visitor = browsers()
        return visitor, await visitor.log_in(party, "vuurvogel", "sanne")

    async def work_at_both(*, with_eck_id: bool) -> set[str]:
        nonlocal made
        subjects = set()
        for party in SYSTEMS:

            async def followed(party: Party = party) -> tuple[Visitor, dict[str, Any]] | None:
                visitor = browsers()
                await visitor.try_to_log_in(party, "vuurvogel", "sanne")
                received = await visitor.received(party)
                if "error" in received:
                    return None  # the state changed while this very login was under way
                there = eck_id_in(received) == made_up_eck_id("sanne")
                return (visitor, received) if there is with_eck_id else None

            visitor, received = await until(followed)
            await visitor.client.post(visitor.addresses[party] + "/work")
            made += 1
            subjects.add(received["subject"])
        return subjects

    _, at_first = await log_in(Party.BIOSFEER_OIDC)
    assert eck_id_in(at_first) is None
    await press("takeover-on")
    assert "E-TAKEOVER-1" in operator.text
    names = {at_first["subject"]}
    for action, with_eck_id in (
        ("takeover-prepare", True),
        ("takeover-on", False),
        ("takeover-back", True),
        ("takeover-on", False),
    ):
        await press(action)
        names |= await work_at_both(with_eck_id=with_eck_id)
    assert len(names) == 1
    visitor, _ = await log_in(Party.BIOSFEER_SAML)
    assert await exercises(visitor, Party.BIOSFEER_SAML) == MADE_BEFORE + made
    await press("takeover-on")
    assert "E-TAKEOVER-3" in operator.text
