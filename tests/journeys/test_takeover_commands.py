"""A take-over by commands and by the API, beside a running broker: from signature to report."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from click.testing import CliRunner
from joserfc import jwt

from broker.__main__ import main
from broker.adapters.operators_on_disk import OperatorsOnDisk, make_operator_key
from broker.demo.addresses import Party
from broker.demo.people import made_up_eck_id
from broker.demo.takeover_actions import approve_eck_id
from tests.flow.operators import ANNA, BEA, registered_as
from tests.journeys.commands import run_broker
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor
from tests.journeys.waiting import until

pytestmark = pytest.mark.servers

SANNE, UNKNOWN, NEW = (made_up_eck_id(each) for each in ("sanne", "nobody", "new pupil"))
OURS = ("vuurvogel", "biosfeer")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world of its own, with two operators and an agreement that lets ECK iDs out."""
    async with open_world() as opened:
        for each in (ANNA, BEA):
            OperatorsOnDisk(opened.folder).add(registered_as(each))
            make_operator_key(opened.folder / f"{each.name}.key", each.key)
        until_day = datetime.now(UTC).date() + timedelta(days=200)
        approve_eck_id(opened.prepared.stage, until=until_day)
        with pytest.MonkeyPatch.context() as patch:  # the logs of this process are those of all
            for module in ("operators", "takeover", "takeover_lists"):
                patch.setattr(f"broker.commands.{module}.start_logs", lambda _loaded: None)
            yield opened


async def takeover(world: World, command: str, *arguments: str | Path) -> str:
    return await run_broker("takeover", command, "--config", world.folder, *arguments)


async def refused(world: World, *arguments: str | Path) -> str:
    """Run a command that is refused, and return what it said."""
    words = [*map(str, ("takeover", arguments[0], "--config", world.folder, *arguments[1:]))]
    result = await asyncio.to_thread(CliRunner().invoke, main, words)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), result.output
    return result.output


async def sign(world: World, tmp_path: Path, **changes: str | Path) -> None:
    document, output = tmp_path / "signed.txt", tmp_path / f"{secrets.token_hex(4)}.json"
    document.write_text("De Vuurvogel agrees.")
    last_day = datetime.now(UTC) + timedelta(days=60)
    given: dict[str, str | Path] = {
        "document": document,
        "until": f"{last_day:%Y-%m-%d}",
        "quota": "20",
        "as": "anna",
        "key": world.folder / "anna.key",
        "output": output,
        **changes,
    }
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    await takeover(world, "sign", *OURS, *options)
    await run_broker(
        *("confirm", output, "--config", world.folder),
        *("--as", "bea", "--key", world.folder / "bea.key"),
    )


async def by_two(
    world: World, tmp_path: Path, command: str, asked: Path, answer: Path | None = None
) -> str:
    """Let Anna prepare what is done with a list, and Bea confirm it; return what was told."""
    output = tmp_path / f"{secrets.token_hex(4)}.json"
    anna = ("--as", "anna", "--key", world.folder / "anna.key", "--output", output)
    told = await takeover(world, command, *OURS, asked, *anna)
    stated = asked.read_text().split(",")[0]
    for each in (told, output.read_text()):  # how many lines, and nothing that belongs to one
        assert stated not in each
        assert f"{len(asked.read_text().splitlines())}" in each
    return await run_broker(
        *("confirm", output, "--config", world.folder, "--list", asked),
        *("--as", "bea", "--key", world.folder / "bea.key"),
        *(() if answer is None else ("--output", answer)),
    )


def listed(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / f"{secrets.token_hex(4)}.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


async def ask(world: World, *eck_ids: str, school: str = "vuurvogel") -> tuple[int, Any]:
    """Ask by the API, as Biosfeer's program."""
    issuer, settings = world.at[Party.BROKER], world.prepared.federation.biosfeer_oidc
    seconds = int(time.time())
    claims = {"iss": settings.client_id, "sub": settings.client_id, "aud": issuer}
    claims |= {"iat": seconds, "exp": seconds + 60, "jti": secrets.token_urlsafe(16)}
    header = {"alg": "ES256", "kid": settings.key.kid}
    async with httpx2.AsyncClient(base_url=issuer, trust_env=False) as client:
        token = await client.post(
            "/oidc/token",
            data={
                "grant_type": "client_credentials",
                "scope": "takeover",
                "client_id": settings.client_id,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": jwt.encode(header, claims, settings.key),
            },
        )
        answer = await client.post(
            "/api/takeover/map",
            json={"school": school, "eck_ids": eck_ids},
            headers={"authorization": f"Bearer {token.json()['access_token']}"},
        )
    return answer.status_code, answer.json()


async def let_in(browsers: Callable[[], Visitor]) -> dict[str, Any] | None:
    """Log Sanne in; None when the agreement changed amid that, and a page asks to try again."""
    visitor = browsers()
    await visitor.try_to_log_in(Party.BIOSFEER_SAML, "vuurvogel", "sanne")
    if visitor.is_at(Party.BIOSFEER_SAML):
        return await visitor.received(Party.BIOSFEER_SAML)
    assert "E-LOGIN-12" in visitor.text
    return None


async def test_from_the_signature_to_the_report(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path
) -> None:
    async def log_in() -> dict[str, Any]:
        return await browsers().log_in(Party.BIOSFEER_SAML, "vuurvogel", "sanne")

    sanne = (await until(partial(let_in, browsers)))["subject"]
    assert "E-TAKEOVER-1" in await refused(world, "set", *OURS, "prepare")
    assert (await ask(world, SANNE))[0] == 403

    pupils = listed(tmp_path, SANNE, NEW)
    await sign(world, tmp_path, pupils=pupils)
    assert "none" in await takeover(world, "status")
    assert "E-TAKEOVER-3" in await refused(world, "set", *OURS, "on")
    assert "none -> prepare" in await takeover(world, "set", *OURS, "prepare")

    async def open_now() -> tuple[int, Any] | None:
        status, told = await ask(world, SANNE, UNKNOWN)
        return (status, told) if status == 200 else None

    assert (await until(open_now))[1] == {"pseudonyms": [sanne, None]}
    assert (await ask(world, SANNE, school="kompas"))[1]["code"] == "E-TAKEOVER-1"
    status, told = await ask(world, SANNE, SANNE)
    assert (status, told["code"]) == (400, "E-TAKEOVER-8")
    assert SANNE not in str(told)

    # With the signed list it answers for a pupil who never logged in; by file, under a key of
    # the supplier's own.
    said = await refused(world, "pupils", *OURS, listed(tmp_path, UNKNOWN))
    assert "E-TAKEOVER-10" in said
    assert "2 new" in await takeover(world, "pupils", *OURS, pupils)
    output = tmp_path / "answer.csv"
    asked = listed(tmp_path, f"{SANNE},uid-of-sanne", NEW, UNKNOWN)
    said = await by_two(world, tmp_path, "map", asked, output)
    assert said.startswith("3 asked, 2 answered")
    answered = dict(line.split(",") for line in output.read_text().splitlines())
    assert answered["uid-of-sanne"] == sanne
    assert answered[UNKNOWN] == ""
    assert len(answered[NEW]) == 53
    assert output.stat().st_mode & 0o077 == 0
    assert (await ask(world, NEW))[1] == {"pseudonyms": [answered[NEW]]}

    # A pilot, then on: nothing but the pseudonym.
    assert "1 new" in await by_two(world, tmp_path, "pilot", listed(tmp_path, SANNE))
    await takeover(world, "set", *OURS, "pilot")

    async def arrived() -> bool | None:
        assert (await log_in())["subject"] == sanne
        return "1 of 1" in await takeover(world, "status") or None

    assert await until(arrived)
    await takeover(world, "set", *OURS, "on")

    async def alone() -> bool | None:
        return "eckId" not in (await log_in())["claims"] or None

    assert await until(alone)
    assert "never confirmed" in await takeover(world, "report")
    confirmed = listed(tmp_path, "We hold none.")
    await takeover(world, "deleted", *OURS, "--document", confirmed)
    assert "0 suppliers may still hold ECK iDs" in await takeover(world, "report")
    await takeover(world, "set", *OURS, "back")
    assert "1 suppliers may still hold" in await takeover(world, "report")
    assert "E-TAKEOVER-3" in await refused(world, "deleted", *OURS, "--document", confirmed)

    # What is left of the quota, and not one more.
    many = [made_up_eck_id(f"guess {each}") for each in range(20)]
    status, told = await ask(world, *many)
    assert (status, told["code"]) == (429, "E-TAKEOVER-6")
    assert "6 of 20" in await takeover(world, "status")
