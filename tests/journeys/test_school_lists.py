"""A school with a login that sends `sub` and mail alone: its list, by command and by API."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey

from broker.demo import people
from broker.demo.addresses import Party
from broker.demo.oidc_school import public_jwks
from broker.demo.toml_writer import write_toml
from tests.journeys.commands import apply, run_program
from tests.journeys.conftest import OpenWorld, World
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

PROGRAM, PROGRAM_KEY = "vuurvogel-las", ECKey.generate_key("P-256", {"kid": "las"})
GOOGLE = "kompas"
"""The login of Het Kompas also serves De Vuurvogel here, and says of nobody who that is."""

(NOOR,) = (each for each in people.PEOPLE if each.id == "noor")
SANNE = next(each for each in people.PEOPLE if each.id == "sanne")
SUB = NOOR.attributes["uid"][0]
"""What the demo's provider states as `sub` of the one who types Noor's name."""

NOTHING = {name: "" for name in NOOR.attributes if name != "mail"}
HEADER = "login;eck_id;number;role;branch;groups;until;protected"
(ECK_ID,), (NUMBER,) = SANNE.attributes["eckId"], SANNE.attributes["employeeNumber"]
LISTED = f"{SUB};{ECK_ID};{NUMBER};pupil;11AA00;7B;;"
SCHOOL = people.VUURVOGEL.id
SUPPLIERS = (Party.REKENRIJK, Party.TAALTUIN)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(open_world: OpenWorld) -> AsyncIterator[World]:
    """A world in which a school has two logins and a program of its own."""
    async with open_world() as opened:
        federation = opened.folder / "federation"
        idp = federation / f"identity_providers/{GOOGLE}.toml"
        text = idp.read_text().replace(f'schools = ["{GOOGLE}"]', f'schools = ["{SCHOOL}"]')
        text = text.replace('school_from = "attribute"', 'school_from = "fixed"')
        idp.write_text('login_identifier = "sub"\n' + text)
        school = federation / f"schools/{SCHOOL}.toml"
        program = {
            "id": PROGRAM,
            "purposes": ["enrolment"],
            "jwks": public_jwks(PROGRAM_KEY),
        }
        written = write_toml({"api_client": [program]}, comment="A program of this school.")
        school.write_text(school.read_text() + written)
        await apply(opened, idp, school)
        yield opened


async def ask_token(client: httpx2.AsyncClient, world: World) -> httpx2.Response:
    issuer, now = world.at[Party.BROKER], int(time.time())
    claims = {
        "iss": PROGRAM,
        "sub": PROGRAM,
        "aud": issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(),
    }
    assertion = jwt.encode({"alg": "ES256", "kid": "las"}, claims, PROGRAM_KEY)
    form = {
        "grant_type": "client_credentials",
        "scope": "enrolment",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    return await client.post(f"{issuer}/oidc/token", data=form)


async def send(
    world: World, body: str, *, to: str = SCHOOL, content_type: str = "text/csv", query: str = ""
) -> httpx2.Response:
    """Send a list as the school's program does."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        token = (await ask_token(client, world)).json()["access_token"]
        return await client.post(
            f"{world.at[Party.BROKER]}/api/enrolments/{to}{query}",
            headers={"authorization": f"Bearer {token}", "content-type": content_type},
            content=body.encode(),
        )


async def arrive_by_google(visitor: Visitor, party: Party, **stated: str) -> None:
    await visitor.open_material(party)
    await visitor.choose(SCHOOL)
    await visitor.press("idp", GOOGLE)
    await visitor.pass_on()
    await visitor.log_in_at_school("noor", **{**NOTHING, **stated})
    await visitor.go_on()


async def arrive_by_saml(visitor: Visitor, party: Party) -> Mapping[str, Any]:
    await visitor.open_material(party)
    await visitor.choose(SCHOOL)
    await visitor.press("idp", SCHOOL)
    await visitor.pass_on()
    await visitor.log_in_at_school("sanne")
    await visitor.go_on()
    return await visitor.received(party)


async def test_both_logins_reach_the_same_accounts(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path
) -> None:
    by_saml = [(await arrive_by_saml(browsers(), each))["subject"] for each in SUPPLIERS]
    stranger = browsers()
    await arrive_by_google(stranger, Party.REKENRIJK)
    assert "E-IDENTITY-4" in stranger.text

    file = tmp_path / "list.csv"
    file.write_text(f"{HEADER}\n{LISTED}\n")
    plan = await run_program("enrol", "--config", world.folder, SCHOOL, file, "--dry-run")
    assert "1 new, 0 changed, 0 unchanged, 0 gone" in plan
    assert "nothing was changed" in plan
    said = await run_program("enrol", "--config", world.folder, SCHOOL, file)
    assert "In force" in said
    assert SUB not in plan + said

    by_google = []
    for each in SUPPLIERS:
        visitor = browsers()
        await arrive_by_google(visitor, each)
        received = await visitor.received(each)
        by_google.append(received["subject"])
    assert by_google == by_saml
    assert received["claims"]["eduPersonAffiliation"] == ["student"]


async def test_by_api_the_same_list_changes_nothing(world: World) -> None:
    answer = await send(world, f"{HEADER}\n{LISTED}\n", query="?dry_run=true")
    assert answer.json() == {
        "status": "planned",
        "new": 0,
        "changed": 0,
        "unchanged": 1,
        "gone": 0,
        "confirms_moves": False,
    }
    row = dict(zip(HEADER.split(";"), LISTED.split(";"), strict=True))
    answer = await send(world, json.dumps(row) + "\n", content_type="application/x-ndjson")
    assert (answer.status_code, answer.json()["status"]) == (200, "in-force")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("changes", "status", "code", "line"),
    [
        ({"body": "sub;name\na;b"}, 400, "E-ENROLMENT-1", None),
        ({"body": f"{HEADER}\n{LISTED}\n{LISTED}"}, 400, "E-ENROLMENT-2", 3),
        ({"body": f"{HEADER}\n1;no-eck-id;;;;;;"}, 400, "E-ENROLMENT-2", 2),
        ({"body": f"{HEADER}\n1;;7;;22BB00;;;"}, 400, "E-ENROLMENT-2", 2),
        ({"body": f"{HEADER}\n"}, 409, "E-ENROLMENT-3", None),
        ({"to": "kompas"}, 403, "E-API-3", None),
        ({"content_type": "application/pdf"}, 400, "E-API-4", None),
        ({"query": "?dry_run=maybe"}, 400, "E-API-4", None),
        ({"body": "x" * (16 * 1024 * 1024 + 1)}, 413, "E-API-7", None),
    ],
)
async def test_what_cannot_be_taken_over_is_named(
    world: World, changes: dict[str, str], status: int, code: str, line: int | None
) -> None:
    answer = await send(world, **{"body": f"{HEADER}\n{LISTED}\n", **changes})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code)
    assert [each["line"] for each in told.get("lines", [])] == ([] if line is None else [line])
    assert SUB not in answer.text
    sound = await send(world, f"{HEADER}\n{LISTED}\n")
    assert (sound.status_code, sound.json()["unchanged"]) == (200, 1)


async def test_a_login_that_disagrees_with_the_list_is_a_page(
    world: World, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    await arrive_by_google(visitor, Party.REKENRIJK, eckId=NOOR.attributes["eckId"][0])
    assert "E-ENROLMENT-5" in visitor.text
    assert "error" in await visitor.received(Party.REKENRIJK)


async def test_who_vanished_is_a_stranger_again(
    world: World, browsers: Callable[[], Visitor], tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{HEADER}\n")
    said = await run_program("enrol", "--config", world.folder, SCHOOL, file, "--allow-vanishing")
    assert "0 listed, 1 rest now" in said
    assert said.rstrip().endswith("In force.")
    visitor = browsers()
    await arrive_by_google(visitor, Party.REKENRIJK)
    assert "E-IDENTITY-4" in visitor.text
