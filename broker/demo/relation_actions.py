"""The demo's merge: De Vuurvogel and De Regenboog go on as one school, and apart again.

The same as `broker apply` with a relation and `broker apply --to` do.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_fields

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.demo.addresses import Party
from broker.demo.people import REGENBOOG, VUURVOGEL
from broker.demo.start_scenarios import NothingToDo, Text
from broker.domain.documents import (
    IdentityProviderDocument,
    Kind,
    RelationDocument,
    SchoolDocument,
)
from broker.domain.dutch_days import day_of
from broker.domain.federation import RelationKind, Sector, State
from broker.flow.federation.change import CheckedChange, Compiler, check_apply, check_return
from broker.flow.federation.discovery import FetchFailed
from broker.flow.federation.documents import StatedDocument

if TYPE_CHECKING:
    from broker.demo.actions import Stage

OLD, NEW, RELATION = (VUURVOGEL.id, REGENBOOG.id), "samenklank", "vuurvogel-regenboog"
DAYS = 300

BEGINS_AT = Party.REKENRIJK
LOG_IN = Text(
    "Log in als Sanne van De Vuurvogel en maak een opgave. Log uit, en doe het ook als Daan.",
    "Log in as Sanne of De Vuurvogel and make an exercise. Log out, and do it as Daan too.",
)
AGAIN = Text(
    "Log opnieuw in: kies De Samenklank en de inlog van De Vuurvogel, als Sanne en als Daan.",
    "Log in again: choose De Samenklank and the login of De Vuurvogel, as Sanne and as Daan.",
)
AGAIN_APART = Text("Log opnieuw in bij De Vuurvogel.", "Log in at De Vuurvogel again.")


async def merge(stage: "Stage", *, follow_seconds: float) -> Text:
    """Let both schools' logins speak for the one that they go on as."""
    store = _store(stage)
    change = check_apply(store, list(_documents(store)), prune=False, compiler=_compiler(stage))
    await _put_in_force(store, change, follow_seconds=follow_seconds)
    return Text(
        "De Vuurvogel en De Regenboog zijn vanaf vandaag De Samenklank.",
        "De Vuurvogel and De Regenboog are De Samenklank from today on.",
    )


async def apart(stage: "Stage", *, follow_seconds: float) -> Text:
    """Go back to the version before the merge."""
    store = _store(stage)
    version = store.version()
    if (Kind.RELATION, RELATION) not in store.current().documents:
        raise NothingToDo(
            Text("Er is geen fusie om terug te draaien.", "There is no merge to take back.")
        )
    while (Kind.RELATION, RELATION) in (store.documents_at(version) or {}):
        version -= 1
    change = check_return(store, version=version, compiler=_compiler(stage))
    await _put_in_force(store, change, follow_seconds=follow_seconds)
    return Text(
        f"Versie {version} van de documenten is weer van kracht: er zijn weer twee scholen.",
        f"Version {version} of the documents is in force again: there are two schools again.",
    )


def _documents(store: SqliteRegistry) -> Iterator[StatedDocument]:
    today = day_of(datetime.now(UTC))
    school = SchoolDocument(
        id=NEW,
        name="De Samenklank",
        place="Utrecht",
        brin="55EE",
        sector=Sector.PO,
        board=f"stichting-{NEW}",
        state=State.TEST,
    )
    relation = RelationDocument(
        id=RELATION,
        kind=RelationKind.MERGE,
        old=OLD,
        new=(NEW,),
        from_day=today,
        until=today + timedelta(days=DAYS),
        numbers="kept",
        numbers_of=(VUURVOGEL.id,),
    )
    yield StatedDocument(Kind.SCHOOL, school)
    yield StatedDocument(Kind.RELATION, relation)
    for stated in store.current().documents.values():
        document = stated.document
        if isinstance(document, IdentityProviderDocument) and set(document.schools) & set(OLD):
            yield replace(stated, document=with_fields(document, schools=(NEW,)))


def _store(stage: "Stage") -> SqliteRegistry:
    return SqliteRegistry(stage.loaded.data_folder / "registry.db")


async def _put_in_force(
    store: SqliteRegistry, change: CheckedChange, *, follow_seconds: float
) -> None:
    if change.plan.documents:
        store.write(change, by="demo", at=datetime.now(UTC))
        await asyncio.sleep(follow_seconds)


def _compiler(stage: "Stage") -> Compiler:
    newest = load_keys(stage.loaded.keys_folder).pairwise.newest
    return Compiler(xml=LxmlSecurity(), newest_epoch=newest, fetch=_fetch_nothing)


def _fetch_nothing(url: str) -> str:
    raise FetchFailed(f"{url}: nothing is fetched for the demo")
