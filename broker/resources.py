"""What a broker opens at its start, looks after while it serves, and closes at its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import datetime

from broker.adapters.databases.data_folder import DataFolder
from broker.adapters.databases.receipts import SqliteReceiptLog, make_heads_on_schedule
from broker.adapters.databases.sql_enrolments import SqliteEnrolments
from broker.adapters.databases.sql_metadata import SqliteMetadata
from broker.adapters.databases.sql_quotas import SqliteQuotas
from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_register_rows import SqliteRegisterRows
from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_requests import SqliteRequests
from broker.adapters.databases.sql_rotations import SqliteRotations
from broker.adapters.databases.sql_shields import SqliteShields
from broker.adapters.databases.sql_supplier_counts import SqliteSupplierCounts
from broker.adapters.databases.sql_takeover_lists import SqliteTakeoverLists
from broker.adapters.databases.sql_takeovers import SqliteTakeovers
from broker.adapters.keys.key_dates import KeyDates, find_key_dates
from broker.adapters.keys.key_facts import read_key_facts
from broker.adapters.keys.keys_on_disk import BrokerKeys
from broker.adapters.keys.keys_standing import check_epochs_stay, find_standing
from broker.adapters.watching.logs import report_registry
from broker.domain.dutch_days import day_of
from broker.domain.takeover_refusals import TakeoversUnavailable
from broker.flow.federation.snapshots import RegistryInForce
from broker.flow.persons.register import RegisterUnavailable
from broker.flow.ports import Clock, Random
from broker.flow.receipts.receipts import ReceiptsUnavailable
from broker.flow.takeover.takeover_lists import forget_closed
from broker.keys_in_force import KeysInForce, read_keys_in_force
from broker.settings import LoadedSettings
from broker.store_choice import OpenedStore, change_mark, mark_keys, open_login_store
from broker.web.edge import note_fault

TAG_BYTES = 32  # of the register's rows; zeros name nobody
DAY_SECONDS = 24 * 60 * 60
STORE_CHECK_SECONDS = 1
"""How often a Redis is looked at; `/health/ready` follows at most this, and a time-out, later."""


@dataclass(frozen=True, slots=True)
class ReadyKeys:
    """Keys of one moment, ready to be put in force."""

    keys: BrokerKeys = field(repr=False)
    in_force: KeysInForce = field(repr=False)
    dates: KeyDates


@dataclass(frozen=True, slots=True)
class Resources:
    """What is opened at the start and closed at the end."""

    store: OpenedStore
    snapshots: RegistryInForce
    register: SqlitePersonRegister
    quotas: SqliteQuotas
    rotations: SqliteRotations
    supplier_counts: SqliteSupplierCounts
    metadata: SqliteMetadata
    takeovers: SqliteTakeovers
    takeover_lists: SqliteTakeoverLists
    enrolments: SqliteEnrolments
    shields: SqliteShields
    requests: SqliteRequests
    receipts: SqliteReceiptLog
    epochs: set[str]
    poll_seconds: float
    head_seconds: int

    @contextlib.asynccontextmanager
    async def running(
        self, clock: Clock, *others: Coroutine[object, object, None]
    ) -> AsyncIterator[None]:
        """Watch registry and login store, sign heads, and do the others, while the broker serves.

        All of them run until they are cancelled.
        """
        tasks = (
            asyncio.create_task(
                make_heads_on_schedule(self.receipts, every_seconds=self.head_seconds, clock=clock)
            ),
            asyncio.create_task(self.snapshots.watch(poll_seconds=self.poll_seconds)),
            asyncio.create_task(self.store.watch(every_seconds=STORE_CHECK_SECONDS)),
            asyncio.create_task(self._look_again()),
            asyncio.create_task(self._forget_closed_lists(clock)),
            *map(asyncio.create_task, others),
        )
        for task in tasks:
            task.add_done_callback(_tell_fault)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.receipts.close()
            await self.register.close()
            await self.quotas.close()
            await self.takeover_lists.close()
            await self.enrolments.close()
            await self.shields.close()
            await self.requests.close()
            await self.store.close()

    def open_rows(self) -> contextlib.closing[SqliteRegisterRows]:
        """Open the register for one conversion."""
        return contextlib.closing(SqliteRegisterRows(self.supplier_counts.path))

    def follow(self, ready: ReadyKeys, *, issuer: str) -> None:
        """Go on with other keys: an epoch may have been added, and the store's mark changed."""
        self.epochs.clear()
        self.epochs.update(ready.keys.pairwise.by_letter)
        change_mark(self.store, mark_keys(issuer, ready.keys, ready.in_force))

    async def _forget_closed_lists(self, clock: Clock) -> None:
        """Delete the lists of take-overs that ended: at the start, and every day."""
        while True:
            takeovers, today = self.snapshots.registry.takeovers.values(), day_of(clock())
            with contextlib.suppress(TakeoversUnavailable):  # tomorrow then
                await forget_closed(self.takeover_lists, takeovers, today=today)
            await asyncio.sleep(DAY_SECONDS)

    async def _look_again(self) -> None:
        """Ask what failed whether it is well again: no login may come to find out."""
        while True:
            await asyncio.sleep(STORE_CHECK_SECONDS)
            with contextlib.suppress(ReceiptsUnavailable, RegisterUnavailable):
                if not self.register.healthy:
                    await self.register.find([bytes(TAG_BYTES)])
                if not self.receipts.healthy:
                    await self.receipts.probe()


def _tell_fault(task: asyncio.Task[object]) -> None:
    """Log that something that looks after the broker has ended: nothing else would tell."""
    if not task.cancelled() and isinstance(fault := task.exception(), Exception):
        note_fault(fault)


def open_resources(
    loaded: LoadedSettings, ready: ReadyKeys, *, clock: Clock, random: Random
) -> Resources:
    """Open the databases, making and upgrading them where needed."""
    folder, keys = loaded.data_folder, ready.keys
    DataFolder(folder, loaded.keys_folder, keys).open()
    epochs = set(keys.pairwise.by_letter)
    mark = mark_keys(loaded.settings.issuer, keys, ready.in_force)
    return Resources(
        store=open_login_store(loaded, mark=mark, random=random),
        snapshots=RegistryInForce(
            SqliteRegistry(folder / "registry.db"),
            epochs=epochs,
            report=report_registry,
            clock=clock,
        ),
        register=SqlitePersonRegister(folder / "register.db"),
        quotas=SqliteQuotas(folder / "register.db"),
        rotations=SqliteRotations(folder / "registry.db"),
        supplier_counts=SqliteSupplierCounts(folder / "register.db"),
        metadata=SqliteMetadata(folder / "registry.db"),
        takeovers=SqliteTakeovers(folder / "registry.db"),
        takeover_lists=SqliteTakeoverLists(folder / "register.db"),
        enrolments=SqliteEnrolments(folder / "register.db"),
        shields=SqliteShields(folder / "register.db"),
        requests=SqliteRequests(folder / "register.db"),
        receipts=SqliteReceiptLog(folder / "receipts.db", receipt_key=keys.receipts, random=random),
        epochs=epochs,
        poll_seconds=loaded.settings.times.registry_poll_milliseconds / 1000,
        head_seconds=loaded.settings.times.receipt_head_minutes * 60,
    )


def ready_keys(keys: BrokerKeys, now: datetime) -> ReadyKeys:
    """Return keys with what is in force of them at a moment.

    Raises:
        KeysUnusable: some purpose has no key in use then.
    """
    facts = read_key_facts(keys, find_standing(keys, now=now), now=now)
    return ReadyKeys(keys, read_keys_in_force(keys, now=now), find_key_dates(facts))


def ready_changed_keys(
    loaded: LoadedSettings, before: BrokerKeys, keys: BrokerKeys, now: datetime
) -> ReadyKeys:
    """Do so for a broker that runs since `before`: epochs that were added are kept in mind.

    Raises:
        KeysUnusable: some purpose has no key in use then, an epoch is another one than once, or
            the key of one is gone that a supplier needs.
        RegistryUnreadable: nobody can tell now.
    """
    if keys.checks.keys() != before.checks.keys():
        registry = SqliteRotations(loaded.data_folder / "registry.db")
        check_epochs_stay(keys, in_use=registry.epochs_in_use())
        DataFolder(loaded.data_folder, loaded.keys_folder, keys).keep_added_keys()
    return ready_keys(keys, now)
