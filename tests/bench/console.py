"""`console`: what deciding and looking cost with all schools and agreements there are.

No logins. Flows alone, over a registry with 7,000 schools, 500 suppliers and 200,000 agreements;
and what a worker does to follow it. Times are of one process on a machine that does other things
too: the best of several counts.
"""

import asyncio
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from broker.adapters.databases.sql_decisions import SqliteDecisions
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.console import console_compiler
from broker.domain.attributes import AttributeName
from broker.domain.console_roles import ConsoleUserId, HeldRole, PlaceKind, Role
from broker.domain.decision_outline import Choice
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.audit import AuditEvent
from broker.flow.console.actors import Actor, ActorKind
from broker.flow.decisions.decision_desk import DecisionDesk
from broker.flow.decisions.decision_reading import DecisionReader
from broker.flow.decisions.decision_signing import DecisionPorts
from broker.flow.decisions.decision_types import Decider, Draft
from broker.flow.federation.snapshots import RegistryInForce
from tests.bench.figures import Line
from tests.bench.progress import Bar
from tests.bench.world import FOLDER, prepare_world

SCHOOLS, AGREEMENTS, SUPPLIERS = 7_000, 200_000, 500
TIMES = 9
BOARD = "stichting-meetlat"
MANY_SCHOOLS, MANY_SERVICES = 22, 60
DAY = timedelta(days=1)


class Unheard:
    """An `AuditLog` that nobody reads."""

    def record(self, event: AuditEvent) -> None:
        """Forget it."""


def bench_console(bar: Bar) -> Iterator[Line]:
    """Measure in a world of its own."""
    folder = FOLDER.with_name("bench-console")
    advance = bar("console", 3)
    prepare_world(folder, schools=SCHOOLS, agreements=AGREEMENTS, suppliers=SUPPLIERS)
    advance()
    path = folder / "data" / "registry.db"
    try:
        yield {**asyncio.run(_measure(path, advance)), **_worker_memory(path)}
    finally:
        shutil.rmtree(folder)


async def _measure(path: Path, advance: Callable[[], None]) -> Line:
    began = perf_counter()
    worker = _worker(path)
    first_load = perf_counter() - began
    advance()
    desk = _desk(path, worker)
    registry = worker.registry
    school = next(each for each in registry.schools if each.startswith("school-"))
    supplier = next(each for each in registry.suppliers if each != "bench")
    actor = _actor()
    reloads, signs, prepares = [], [], []
    for step in range(TIMES):
        draft = _draft(desk, actor, school, supplier, step)
        began = perf_counter()
        prepared = await desk.prepare(actor, draft)
        prepares.append(perf_counter() - began)
        began = perf_counter()
        await desk.sign(actor, prepared.number, revision=prepared.revision)
        signs.append(perf_counter() - began)
        began = perf_counter()
        await worker.refresh()
        reloads.append(perf_counter() - began)
    advance()
    at = {"unverified_school": school}
    many = await _many(desk, actor, worker)
    return {
        "bench": "console",
        "schools": len(worker.registry.schools),
        "suppliers": len(worker.registry.suppliers),
        "agreements": len(worker.registry.school_agreements),
        "first_load_seconds": round(first_load, 2),
        "reload_ms_after_a_decision": _ms(reloads),
        "prepare_ms": _ms(prepares),
        "sign_ms": _ms(signs),
        "catalogue_ms": _ms(_times(lambda: desk.catalogue(actor, **at))),
        "catalogue_ms_of_board": _ms(_times(lambda: desk.catalogue(actor, unverified_board=BOARD))),
        "look_ms": _ms(_times(lambda: desk.look(actor, **at, unverified_supplier=supplier))),
        "look_ms_of_board": _ms(
            _times(lambda: desk.look(actor, unverified_board=BOARD, unverified_supplier=supplier))
        ),
        **many,
    }


async def _many(desk: DecisionDesk, actor: Actor, worker: RegistryInForce) -> Line:
    """Prepare and sign a board's list: so many schools times so many services."""
    registry = worker.registry
    schools = [each for each in registry.schools if each.startswith("school-")][:MANY_SCHOOLS]
    services = [each for each in registry.suppliers if each != "bench"][-MANY_SERVICES:]
    drafts = [_draft(desk, actor, school, each, 1_000) for school in schools for each in services]
    began = perf_counter()
    batch = await desk.prepare_many(actor, drafts)
    prepared = perf_counter() - began
    revisions = {each.number: each.revision for each in batch.prepared}
    began = perf_counter()
    signed = await desk.sign_many(actor, batch.batch, revisions=revisions)
    seconds = perf_counter() - began
    began = perf_counter()
    await worker.refresh()
    return {
        "decisions_at_once": len(signed),
        "prepare_many_seconds": round(prepared, 2),
        "sign_many_seconds": round(seconds, 2),
        "reload_ms_after_many": round((perf_counter() - began) * 1000, 1),
    }


def _worker(path: Path) -> RegistryInForce:
    return RegistryInForce(
        SqliteRegistry(path),
        epochs=_AnyEpoch(),
        report=lambda event, version, why: None,
        clock=lambda: datetime.now(UTC),
    )


def _worker_memory(path: Path) -> Line:
    """Return what the registry takes in a process of its own, without the rest of a worker."""
    with get_context("spawn").Pool(1) as pool:
        before, after = pool.apply(_load_and_tell, (path,))
    return {"registry_mb": round(after - before, 1)}


def _load_and_tell(path: Path) -> tuple[float, float]:
    before = _resident_mb()
    worker = _worker(path)
    gc.collect()
    return before, _resident_mb() if worker.registry.schools else 0.0


def _desk(path: Path, worker: RegistryInForce) -> DecisionDesk:
    store = SqliteDecisions(path)
    reader = DecisionReader(store, worker, lambda: datetime.now(UTC))
    return DecisionDesk(DecisionPorts(reader, store, console_compiler(), Unheard(), os.urandom))


def _actor() -> Actor:
    held = tuple(HeldRole(each, PlaceKind.BOARD, BOARD) for each in (Role.BOARD_ADMIN, Role.SIGNER))
    now = datetime.now(UTC)
    return Actor(ConsoleUserId("bench"), ActorKind.PERSON, held, now, may_sign_until=now + DAY)


def _draft(
    desk: DecisionDesk, actor: Actor, school: SchoolId, supplier: SupplierId, step: int
) -> Draft:
    view = desk.look(actor, unverified_school=school, unverified_supplier=supplier)
    asked = frozenset(AttributeName(each.name) for each in view.document.attribute)
    return Draft(
        decider=Decider(school=school),
        supplier=supplier,
        choice=Choice(pupils=asked, staff=asked),
        from_day=date(2024, 8, 1),
        until=date(2030, 7, 31) + step * DAY,
        sheet=0 if view.document.sheet is None else view.document.sheet.version,
        based_on=view.version,
    )


class _AnyEpoch:
    """There is a key of every epoch."""

    def __contains__(self, letter: object) -> bool:
        return True


def _times(look: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(TIMES):
        began = perf_counter()
        look()
        found.append(perf_counter() - began)
    return found


def _ms(seconds: list[float]) -> float:
    return round(min(seconds) * 1000, 1)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
