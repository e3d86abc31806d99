"""The demo's take-over: De Vuurvogel lets Biosfeer's accounts go over from the ECK iD.

What the school signs and what its agreement says is put in force at the first step, as `broker
apply` and `broker takeover sign` do; then `broker takeover set`.
"""

import asyncio
import secrets
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.federation_files import open_documents
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.watching.logs import AuditLines
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.demo.addresses import Party
from broker.demo.start_scenarios import Text
from broker.demo.toml_writer import Table, write_toml
from broker.domain.attributes import ECK_ID
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.takeover import Takeover, TakeoverState
from broker.flow.federation.change import Compiler, check_apply
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.documents import read_documents
from broker.flow.takeover.takeovers import (
    TakeoverBounds,
    TakeoverDesk,
    TakeoverSigning,
    write_terms,
)

if TYPE_CHECKING:
    from broker.demo.actions import Stage

VUURVOGEL, BIOSFEER = SchoolId("vuurvogel"), SupplierId("biosfeer")
STATE_WORDS: Mapping[TakeoverState, Text] = {
    TakeoverState.NONE: Text("nog niet begonnen", "not begun"),
    TakeoverState.PREPARE: Text("voorbereiden", "prepare"),
    TakeoverState.PILOT: Text("proef", "pilot"),
    TakeoverState.ON: Text("aan", "on"),
    TakeoverState.BACK: Text("teruggezet", "back"),
    TakeoverState.CLOSED: Text("afgesloten", "closed"),
}
DAYS = 90
"""From the signing to the last day."""
MADE_BEFORE = 12
"""Exercises of each pupil in Biosfeer's accounts of before."""


async def prepare_takeover(stage: "Stage", *, follow_seconds: float) -> Text:
    """Let De Vuurvogel approve the ECK iD and sign, and begin."""
    now = datetime.now(UTC)
    registry = SqliteRegistry(stage.loaded.data_folder / "registry.db")
    if (VUURVOGEL, BIOSFEER) not in registry.load().takeovers:
        approve_eck_id(stage, until=now.date() + timedelta(days=DAYS))
        _sign(stage, now=now)
    return await _move(stage, TakeoverState.PREPARE, follow_seconds=follow_seconds)


async def switch_on(stage: "Stage", *, follow_seconds: float) -> Text:
    """Let the pseudonym go alone."""
    return await _move(stage, TakeoverState.ON, follow_seconds=follow_seconds)


async def go_back(stage: "Stage", *, follow_seconds: float) -> Text:
    """Let the ECK iD go out again."""
    return await _move(stage, TakeoverState.BACK, follow_seconds=follow_seconds)


async def _move(stage: "Stage", to: TakeoverState, *, follow_seconds: float) -> Text:
    file = stage.loaded.data_folder / "registry.db"
    before = TakeoverDesk(
        registry=SqliteRegistry(file).load(),
        store=SqliteTakeovers(file),
        audit=AuditLines(),
        clock=lambda: datetime.now(UTC),
        random=secrets.token_bytes,
        by="demo",
    ).set_state(VUURVOGEL, BIOSFEER, to)
    await asyncio.sleep(follow_seconds)
    was, now = STATE_WORDS[before], STATE_WORDS[to]
    return Text(
        f"De overgang van De Vuurvogel bij Biosfeer ging van “{was.nl}” naar “{now.nl}”.",
        f"The take-over of De Vuurvogel at Biosfeer went from “{was.en}” to “{now.en}”.",
    )


def say_step(subject: str) -> Text:
    """Return a step of a take-over in words; anything else as it is.

    >>> say_step("none -> on").nl
    'nog niet begonnen -> aan'
    """
    states = subject.split(" -> ")
    if not set(states) <= set(STATE_WORDS):
        return Text(subject, subject)
    words = [STATE_WORDS[TakeoverState(each)] for each in states]
    return Text(" -> ".join(each.nl for each in words), " -> ".join(each.en for each in words))


def approve_eck_id(stage: "Stage", *, until: date) -> None:
    """Put documents in force by which Biosfeer may ask for the ECK iD, and the school allows it."""
    folder = stage.loaded.config_folder / "federation"
    supplier = folder / "suppliers/biosfeer.toml"
    agreement = folder / "agreements/vuurvogel-biosfeer.toml"
    purpose = "Je werk van voor de overgang terugvinden."
    declared: Table = {"name": str(ECK_ID), "purpose": purpose, "populations": ["pupil"]}
    asks = _read(supplier)
    _write(
        supplier,
        {
            **asks,
            "eck_id_entitled": True,
            "attribute": [*asks["attribute"], declared],
            "sheet": {**asks["sheet"], "version": asks["sheet"]["version"] + 1},
        },
    )
    agreed = _read(agreement)
    _write(
        agreement,
        {
            **agreed,
            "version": agreed["version"] + 1,
            "until": until,
            "approved": [*agreed["approved"], str(ECK_ID)],
        },
    )
    store = SqliteRegistry(stage.loaded.data_folder / "registry.db")
    change = check_apply(
        store,
        read_documents(open_documents([supplier, agreement])),
        prune=False,
        compiler=Compiler(
            xml=LxmlSecurity(),
            newest_epoch=load_keys(stage.loaded.keys_folder).pairwise.newest,
            fetch=_fetch_nothing,
        ),
    )
    store.write(change, by="demo", at=datetime.now(UTC))


def _sign(stage: "Stage", *, now: datetime) -> None:
    """Put the school's signature in force; outside the demo two operators do so."""
    file = stage.loaded.data_folder / "registry.db"
    bounds = stage.loaded.settings.takeover
    terms = Takeover(
        school=VUURVOGEL,
        supplier=BIOSFEER,
        last_day=now.date() + timedelta(days=DAYS),
        quota=100,
        document=bytes(32),
        signed_by="",
    )
    TakeoverSigning(
        registry=SqliteRegistry(file).load(),
        store=SqliteTakeovers(file),
        bounds=TakeoverBounds(
            longest_days=bounds.longest_days, asked_per_school=bounds.asked_per_school
        ),
    ).carry_out(write_terms(terms), by=("demo", "demo"), now=now)


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text())


def _write(file: Path, table: Table) -> None:
    file.write_text(write_toml(table, comment="Demo world: changed by the start page."))


def _fetch_nothing(url: str) -> str:
    raise FetchFailed(url)


LOG_IN = Text(
    "Log bij Biosfeer in als Sanne van De Vuurvogel.",
    "Log in at Biosfeer as Sanne of De Vuurvogel.",
)
AGAIN = Text(
    "Log uit bij Biosfeer en log opnieuw in als Sanne, gewoon of via SAML.",
    "Log out of Biosfeer and log in as Sanne again, plainly or by SAML.",
)
BEGINS_AT = Party.BIOSFEER_OIDC
