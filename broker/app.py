"""The composition root: the only place where settings, keys and adapters meet the flows."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from broker.adapters.data_folder import DataFolder
from broker.adapters.http_fetch import Fetcher
from broker.adapters.key_dates import read_key_dates
from broker.adapters.key_files import KeyProblem, read_safely
from broker.adapters.keys_on_disk import BrokerKeys, SamlKey, TokenKey, load_keys
from broker.adapters.logs import AuditLines, report_registry
from broker.adapters.metrics import Metrics, keep_looking
from broker.adapters.party_keys import PublishedKeys, RegisteredClientKeys, SchoolEndpoints
from broker.adapters.receipts import SqliteReceiptLog, make_heads_on_schedule
from broker.adapters.sql_register import SqlitePersonRegister
from broker.adapters.sql_registry import SqliteRegistry
from broker.adapters.watched_ports import WatchedLoginStore, WatchedReceipts
from broker.adapters.xml_security import LxmlSecurity
from broker.domain.ids import SchoolIdpId
from broker.flow.browser_steps import BrowserSteps
from broker.flow.federation.snapshots import RegistryInForce
from broker.flow.login import LoginFlow
from broker.flow.person_rules import JoinRules
from broker.flow.ports import Clock, FlowKeys, Random
from broker.flow.receipts import ReceiptsUnavailable
from broker.flow.register import RegisterUnavailable, derive_register_keys
from broker.flow.release import ReleaseDesk, ReleasePorts
from broker.flow.school_side import SchoolAddresses, SchoolSide
from broker.flow.sealed_state import SealedState
from broker.flow.supplier_side import SupplierSide
from broker.flow.token import TokenFlow
from broker.jose.keys import SigningKey as TokenSigningKey
from broker.jose.keys import read_signing_key
from broker.oidc_op.discovery import Endpoints
from broker.oidc_op.jwks import TokenKeys
from broker.saml_xml.keys import DecryptionKey, SigningKey, decryption_key, signing_key
from broker.settings import LoadedSettings
from broker.store_choice import OpenedStore, open_login_store
from broker.web.cookies import Cookies
from broker.web.documents import OwnAddresses, build_documents
from broker.web.edge import Edge
from broker.web.pages import load_pages
from broker.web.site import build_site
from broker.web.wiring import Health, Web

SECONDS_A_DAY = 24 * 60 * 60
TAG_BYTES = 32  # of the register's rows; zeros name nobody
STORE_CHECK_SECONDS = 1
"""How often a Redis is looked at; `/health/ready` follows at most this, and a time-out, later."""


def build_broker(
    loaded: LoadedSettings,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    random: Random = secrets.token_bytes,
    ca_file: Path | None = None,
    metrics: Metrics | None = None,
) -> Edge:
    """Return the broker as an application; its life span opens and closes what it holds.

    Args:
        clock, random: those of the machine, unless a test brings its own.
        ca_file: certificate authorities for calls to schools; the system's by default.
        metrics: where to count; nobody sees those of a broker that gets none.

    Raises:
        KeysUnusable, DatabasesLost, RegistryUnreadable, SettingsProblem, OSError: it cannot
            start; each says what to do.
    """
    settings, keys = loaded.settings, load_keys(loaded.keys_folder)
    addresses, xml = OwnAddresses(settings.issuer), LxmlSecurity()
    flow_keys, audit = read_flow_keys(keys), AuditLines()
    resources = open_resources(loaded, keys=keys, random=random)
    snapshots, register, receipts = resources.snapshots, resources.register, resources.receipts
    metrics = Metrics() if metrics is None else metrics
    dates = read_key_dates(loaded.keys_folder, keys)
    fetcher = Fetcher(
        allowed_hosts=settings.fetch_allowed_hosts,
        timeout_seconds=settings.limits.school_call_seconds,
        ca_file=None if ca_file is None else str(ca_file),
    )
    published = PublishedKeys(fetcher)
    state = SealedState(
        WatchedLoginStore(resources.store, answered=metrics.store_answered),
        storage_key=keys.storage,
        issuer=settings.issuer,
        random=random,
    )
    suppliers = SupplierSide(
        issuer=settings.issuer,
        saml_entity_id=addresses.idp_entity_id,
        state=state,
        keys=flow_keys,
        xml=xml,
        random=random,
    )
    desk = ReleaseDesk(
        ReleasePorts(
            register=register,
            receipts=WatchedReceipts(receipts, appended=metrics.receipt_appended),
            keys=flow_keys,
            join_rules=JoinRules(
                mature_after_days=settings.joining.mature_days,
                mature_after_login_days=settings.joining.mature_login_days,
            ),
            suppliers=suppliers,
            audit=audit,
            random=random,
        )
    )
    schools = SchoolSide(
        addresses=SchoolAddresses(
            saml_entity_id=addresses.sp_entity_id,
            acs_url=addresses.acs_url,
            redirect_uri=addresses.redirect_uri,
        ),
        state=state,
        calls=SchoolEndpoints(
            fetcher, published=published, read_secret=partial(read_client_secret, loaded)
        ),
        keys=flow_keys,
        xml=xml,
        clock=clock,
        random=random,
    )
    health = Health(
        (
            ("registry", lambda: snapshots.healthy),
            ("register", lambda: register.healthy),
            ("receipts", lambda: receipts.healthy),
            ("store", lambda: resources.store.healthy),
        )
    )
    web = Web(
        issuer=settings.issuer,
        sso_url=addresses.sso_url,
        login=LoginFlow(
            snapshots=snapshots,
            steps=BrowserSteps(state, random=random),
            schools=schools,
            suppliers=suppliers,
            desk=desk,
            audit=audit,
            clock=clock,
            random=random,
        ),
        token=TokenFlow(
            issuer=settings.issuer,
            token_endpoint=Endpoints(settings.issuer).token,
            snapshots=snapshots,
            state=state,
            client_keys=RegisteredClientKeys(published),
            keys=flow_keys,
            audit=audit,
            clock=clock,
            random=random,
        ),
        snapshots=snapshots,
        xml=xml,
        pages=load_pages(),
        cookies=Cookies(
            secure=urlsplit(settings.issuer).scheme == "https",
            remembered_school_seconds=settings.times.remembered_school_days * SECONDS_A_DAY,
        ),
        cookie_key=keys.cookie,
        documents=build_documents(addresses, keys=flow_keys, xml=xml, random=random),
        health=health,
        audit=audit,
        watch=metrics,
        clock=clock,
        random=random,
        max_body_bytes=settings.limits.body_bytes,
    )

    @contextlib.asynccontextmanager
    async def life_span(_: object) -> AsyncIterator[None]:
        async with resources.running(clock):
            looking = asyncio.create_task(
                keep_looking(
                    metrics,
                    version=lambda: snapshots.registry.version,
                    healthy=lambda: {name: is_well() for name, is_well in health.checks},
                    dates=lambda: dates,
                    clock=clock,
                )
            )
            try:
                yield
            finally:
                looking.cancel()
                await fetcher.close()

    return build_site(web, life_span=life_span)


@dataclass(frozen=True, slots=True)
class Resources:
    """What is opened at the start and closed at the end."""

    store: OpenedStore
    snapshots: RegistryInForce
    register: SqlitePersonRegister
    receipts: SqliteReceiptLog
    poll_seconds: float
    head_seconds: int

    @contextlib.asynccontextmanager
    async def running(self, clock: Clock) -> AsyncIterator[None]:
        """Watch registry and login store, and sign receipt heads, while the broker serves."""
        tasks = (
            asyncio.create_task(
                make_heads_on_schedule(self.receipts, every_seconds=self.head_seconds, clock=clock)
            ),
            asyncio.create_task(self.snapshots.watch(poll_seconds=self.poll_seconds)),
            asyncio.create_task(self.store.watch(every_seconds=STORE_CHECK_SECONDS)),
            asyncio.create_task(self._look_again()),
        )
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.receipts.close()
            await self.register.close()
            await self.store.close()

    async def _look_again(self) -> None:
        """Ask what failed whether it is well again: no login may come to find out."""
        while True:
            await asyncio.sleep(STORE_CHECK_SECONDS)
            with contextlib.suppress(ReceiptsUnavailable, RegisterUnavailable):
                if not self.register.healthy:
                    await self.register.find([bytes(TAG_BYTES)])
                if not self.receipts.healthy:
                    await self.receipts.probe()


def open_resources(loaded: LoadedSettings, *, keys: BrokerKeys, random: Random) -> Resources:
    """Open the databases, making and upgrading them where needed."""
    folder = loaded.data_folder
    DataFolder(folder, loaded.keys_folder, keys).open()
    return Resources(
        store=open_login_store(loaded, keys=keys, random=random),
        snapshots=RegistryInForce(
            SqliteRegistry(folder / "registry.db"),
            epochs=keys.pairwise.by_letter,
            report=report_registry,
        ),
        register=SqlitePersonRegister(folder / "register.db"),
        receipts=SqliteReceiptLog(folder / "receipts.db", receipt_key=keys.receipts, random=random),
        poll_seconds=loaded.settings.times.registry_poll_milliseconds / 1000,
        head_seconds=loaded.settings.times.receipt_head_minutes * 60,
    )


def read_flow_keys(keys: BrokerKeys) -> FlowKeys:
    """Return the keys in the forms that the flows work with."""
    return FlowKeys(
        root=keys.root,
        pairwise=keys.pairwise,
        register=derive_register_keys(keys.register),
        receipts=keys.receipts,
        token=TokenKeys(active=tuple(map(_token_key, keys.token))),
        saml_signing=_saml_signing_key(keys.saml_signing[0]),
        saml_decryption=tuple(map(_saml_decryption_key, keys.saml_decryption)),
    )


def read_client_secret(loaded: LoadedSettings, idp: SchoolIdpId) -> str | None:
    """Return our secret at a school's provider: `keys/schools/<identity provider>.secret`.

    Read when it is used, so that a school that is applied while we run needs no restart.
    """
    file = loaded.keys_folder / "schools" / f"{idp}.secret"
    try:
        return read_safely(file, root=loaded.keys_folder).decode().strip()
    except (KeyProblem, UnicodeDecodeError):
        return None  # the school's token endpoint is then not asked at all


def _token_key(key: TokenKey) -> TokenSigningKey:
    return read_signing_key(
        key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def _saml_signing_key(key: SamlKey) -> SigningKey:
    return signing_key(key.private_key, key.certificate.public_bytes(Encoding.DER))


def _saml_decryption_key(key: SamlKey) -> DecryptionKey:
    return decryption_key(key.private_key, key.certificate.public_bytes(Encoding.DER))
