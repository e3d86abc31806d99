"""What is left before a school goes live: for `broker ready`, and for `broker apply`.

`apply` warns of it and refuses nothing: whether a school is in production, its document states.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

from broker.adapters.databases.sql_login_tests import SqliteLoginTests
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.keys.key_facts import read_certificate_facts, read_key_facts
from broker.adapters.keys.keys_on_disk import BrokerKeys
from broker.adapters.keys.keys_standing import find_standing
from broker.commands.metadata_warnings import endings
from broker.domain.agreements import Agreement
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, SchoolIdp, State, Supplier
from broker.domain.ids import SchoolId
from broker.domain.registry import Registry, build_registry
from broker.flow.federation.change import CheckedChange, Record
from broker.flow.federation.documents import Problem
from broker.flow.federation.refresh_times import Ending
from broker.flow.federation.snapshots import RegistryUnreadable
from broker.flow.key_plans.key_facts import find_expiring, find_expiring_of_partners
from broker.flow.login_tests.readiness import LastTests, SchoolFacts, list_lines
from broker.settings import LoadedSettings

MAX_LOOKED_AT = 20
"""Schools that go live at once, of which `apply` says what is left."""


def gather_facts(
    loaded: LoadedSettings, keys: BrokerKeys, registry: Registry, school: School
) -> SchoolFacts:
    """Return what the list of a school is made of."""
    now = datetime.now(UTC)
    own = read_key_facts(keys, find_standing(keys, now=now), now=now)
    return SchoolFacts(
        school=school,
        registry=registry,
        last_tests=_last_tests(loaded, school.id),
        ending_certificates=find_expiring_of_partners(read_certificate_facts(registry), now=now),
        ending_metadata=_ending_metadata(loaded),
        ending_keys=find_expiring(own, now=now),
        today=day_of(now),
    )


def warn_of_going_live(
    loaded: LoadedSettings, keys: BrokerKeys, change: CheckedChange
) -> Iterator[Problem]:
    """Yield a warning for each school that a change brings to production with something left."""
    file = loaded.data_folder / "registry.db"
    before = SqliteRegistry(file).load() if file.exists() else _NOTHING
    after = _registry_after(before, change)
    going = [
        each.record
        for each in change.put
        if isinstance(each.record, School)
        and each.record.state is State.PRODUCTION
        and not _was_live(before, each.record)
    ]
    if len(going) > MAX_LOOKED_AT:
        told = f"{len(going)} schools go to production."
        yield Problem("schools", "state", told, "Run `broker ready SCHOOL` for each of them.")
        return
    for school in going:
        left = [
            each.item
            for each in list_lines(gather_facts(loaded, keys, after, school))
            if not each.is_ready
        ]
        if left:
            yield Problem(
                f"schools/{school.id}",
                "state",
                f"goes to production with lines of its go-live list left: {', '.join(left)}.",
                f"Run `broker ready {school.id}`.",
            )


_NOTHING = build_registry(0, schools=(), idps=(), suppliers=(), agreements=())


def _was_live(before: Registry, school: School) -> bool:
    known = before.schools.get(school.id)
    return known is not None and known.state is State.PRODUCTION


def _registry_after(before: Registry, change: CheckedChange) -> Registry:
    """Return the registry as a change makes it; what it removes does not count here."""
    stated: list[Record] = [*before.schools.values(), *before.idps.values()]
    stated += before.suppliers.values()
    stated += (*before.school_agreements.values(), *before.board_agreements.values())
    stated += (each.record for each in change.put)
    records = {_key_of(each): each for each in stated}
    held = list(records.values())
    return build_registry(
        before.version,
        schools=[each for each in held if isinstance(each, School)],
        idps=[each for each in held if isinstance(each, SchoolIdp)],
        suppliers=[each for each in held if isinstance(each, Supplier)],
        agreements=[each for each in held if isinstance(each, Agreement)],
        relations={
            id(each): each for into in before.relations_into.values() for each in into
        }.values(),
    )


def _key_of(record: Record) -> tuple[object, ...]:
    if isinstance(record, Agreement):
        return (record.school, record.board, record.supplier)
    return (type(record), record.id)


def _ending_metadata(loaded: LoadedSettings) -> list[Ending]:
    try:
        return endings(loaded)
    except (RegistryUnreadable, sqlite3.Error):  # as of `_last_tests`: there is no source yet
        return []


def _last_tests(loaded: LoadedSettings, school: SchoolId) -> LastTests:
    try:
        return SqliteLoginTests(loaded.data_folder / "registry.db").last_tests(school)
    except RegistryUnreadable:  # not made yet, or not upgraded: then nobody tested
        return {}
