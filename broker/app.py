"""The composition root: the only place where settings, keys and adapters meet the flows."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from broker.about_us import about_us_of
from broker.adapters.calls.http_fetch import Fetcher
from broker.adapters.calls.party_keys import PublishedKeys, SchoolEndpoints
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.keys.keys_watch import KeysWatch, look_at_folder
from broker.adapters.keys.school_secrets import read_client_secret
from broker.adapters.watching.logs import AuditLines, report_keys
from broker.adapters.watching.metadata_watch import keep_showing_sources
from broker.adapters.watching.metrics import Metrics, keep_looking
from broker.adapters.watching.watched_ports import WatchedLoginStore, WatchedReceipts
from broker.adapters.xml.xml_security import LxmlSecurity
from broker.asked_requests import AskedTools, prepare_asked, wire_asked
from broker.browser_sessions import (
    wire_announcements,
    wire_logout,
    wire_questions,
    wire_sessions,
)
from broker.callers import certificate_hop_of, certificate_support_of, wire_callers
from broker.console import wire_console
from broker.console_pupils import wire_pupil_desks
from broker.flow.at_school import SchoolAddresses
from broker.flow.enrolment.enrolments import EnrolmentRules, SchoolLists
from broker.flow.held_state.browser_steps import BrowserSteps
from broker.flow.held_state.sealed_state import SealedState
from broker.flow.login import LoginFlow
from broker.flow.persons.login_tally import LoginTally
from broker.flow.persons.person_joins import JoinRules
from broker.flow.ports import Clock, Random
from broker.flow.release import ReleaseDesk, ReleasePorts
from broker.flow.school_side import SchoolSide
from broker.flow.sessions.id_token_hints import IdTokenHints
from broker.flow.sessions.logout_courier import LogoutCourier
from broker.flow.shielding.shields import Shielding
from broker.keys_in_force import KeysInForce
from broker.login_counting import keep_counting
from broker.own_pages import wire_me
from broker.person_settings import arrival_rules_of, school_alarms_of
from broker.programs import (
    ProgramTools,
    wire_api_access,
    wire_back_channel,
    wire_conversion,
    wire_lists,
    wire_mapping,
    wire_notices,
)
from broker.resources import (
    ReadyKeys,
    Resources,
    open_resources,
    ready_changed_keys,
    ready_keys,
)
from broker.school_trials import wire_login_tests, wire_own_logins, wire_volunteers
from broker.settings import LoadedSettings
from broker.supplier_answers import wire_suppliers
from broker.web.cookies import Cookies
from broker.web.own_documents import OwnAddresses, build_documents
from broker.web.rendering import Pages, load_pages
from broker.web.site import build_site
from broker.web.site_in_force import SiteInForce
from broker.web.wiring import Health, Web

SECONDS_A_DAY = 24 * 60 * 60


def build_broker(
    loaded: LoadedSettings,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    random: Random = secrets.token_bytes,
    ca_file: Path | None = None,
    metrics: Metrics | None = None,
) -> SiteInForce:
    """Return the broker as an application; its life span opens and closes what it holds.

    Keys that change while it runs are put in force by exchanging everything that works with them.

    Args:
        clock, random: those of the machine, unless a test brings its own.
        ca_file: certificate authorities for calls to schools; the system's by default.
        metrics: where to count; nobody sees those of a broker that gets none.

    Raises:
        KeysUnusable, DatabasesLost, RegistryUnreadable, SettingsProblem, OSError: it cannot
            start; each says what to do.
    """
    issuer, metrics = loaded.settings.issuer, Metrics() if metrics is None else metrics
    folder_seen, now = look_at_folder(loaded.keys_folder), clock()
    ready = ready_keys(load_keys(loaded.keys_folder), now)
    resources = open_resources(loaded, ready, clock=clock, random=random)
    fetcher = Fetcher(
        allowed_hosts=loaded.settings.fetch_allowed_hosts,
        timeout_seconds=loaded.settings.limits.school_call_seconds,
        ca_file=None if ca_file is None else str(ca_file),
    )
    published = PublishedKeys(fetcher)
    courier = LogoutCourier(fetcher, audit=AuditLines())
    parts = Parts(
        loaded=loaded,
        resources=resources,
        fetcher=fetcher,
        published=published,
        asked=prepare_asked(loaded.settings, resources.snapshots, fetcher, published, clock),
        health=Health(
            (
                ("registry", lambda: resources.snapshots.healthy),
                ("register", lambda: resources.register.healthy),
                ("receipts", lambda: resources.receipts.healthy),
                ("store", lambda: resources.store.healthy),
            )
        ),
        metrics=metrics,
        xml=LxmlSecurity(),
        pages=load_pages(),
        audit=AuditLines(),
        clock=clock,
        random=random,
        tally=LoginTally(),
        courier=courier,
    )

    @contextlib.asynccontextmanager
    async def life_span(_: object) -> AsyncIterator[None]:
        looking = keep_looking(
            metrics,
            version=lambda: resources.snapshots.registry.version,
            healthy=lambda: {name: is_well() for name, is_well in parts.health.checks},
            dates=lambda: ready.dates,
            clock=clock,
        )
        watching = watch.watch(poll_seconds=resources.poll_seconds)
        counting = keep_counting(
            parts.tally,
            register=resources.register,
            counts=SqliteSchoolCounts(loaded.data_folder / "register.db"),
            alarms=school_alarms_of(loaded.settings, resources.snapshots),
            audit=parts.audit,
            clock=clock,
            show=metrics.schools_told_of,
        )
        showing = keep_showing_sources(metrics, read=resources.metadata.standing, clock=clock)
        async with resources.running(clock, looking, watching, counting, showing):
            try:
                yield
            finally:
                await courier.close()
                await fetcher.close()

    first = build_site(wire(parts, ready.in_force), life_span=life_span)
    app = SiteInForce(first, health=parts.health)

    def put_in_force(changed: ReadyKeys) -> None:
        nonlocal ready
        ready = changed
        resources.follow(changed, issuer=issuer)
        app.site = build_site(wire(parts, changed.in_force))

    watch = KeysWatch(
        ready.keys,
        folder_seen=folder_seen,
        started_at=now,
        clock=clock,
        prepare=partial(ready_changed_keys, loaded, ready.keys),
        put_in_force=put_in_force,
        report=report_keys,
    )
    return app


@dataclass(frozen=True, slots=True)
class Parts:
    """What the flows work with besides keys; it stays while those change."""

    loaded: LoadedSettings
    resources: Resources
    fetcher: Fetcher
    published: PublishedKeys
    asked: AskedTools
    health: Health
    metrics: Metrics
    xml: LxmlSecurity
    pages: Pages
    audit: AuditLines
    clock: Clock
    random: Random
    tally: LoginTally
    courier: LogoutCourier


def wire(parts: Parts, keys: KeysInForce) -> Web:
    """Return the flows, wired with the keys of one moment."""
    settings, resources = parts.loaded.settings, parts.resources
    xml, audit, clock, random = parts.xml, parts.audit, parts.clock, parts.random
    snapshots, register, receipts = resources.snapshots, resources.register, resources.receipts
    addresses, flow_keys = OwnAddresses(settings.issuer), keys.flow
    state = SealedState(
        WatchedLoginStore(resources.store, answered=parts.metrics.store_answered),
        storage_keys=keys.storage,
        issuer=settings.issuer,
        random=random,
    )
    sessions = wire_sessions(settings, state)
    suppliers = wire_suppliers(settings, state, sessions, keys=flow_keys, xml=xml, random=random)
    join_rules = JoinRules(
        mature_after_days=settings.joining.mature_days,
        mature_after_login_days=settings.joining.mature_login_days,
    )
    rules = EnrolmentRules(
        believed_days=settings.enrolment.believed_days,
        vanishing_percent=settings.enrolment.vanishing_percent,
    )
    lists = SchoolLists(resources.enrolments, flow_keys.enrolment, rules)
    watched_receipts = WatchedReceipts(receipts, appended=parts.metrics.receipt_appended)
    desk = ReleaseDesk(
        ReleasePorts(
            register=register,
            receipts=watched_receipts,
            keys=flow_keys,
            join_rules=join_rules,
            arrival_rules=arrival_rules_of(settings),
            tally=parts.tally,
            lists=lists,
            shielding=Shielding(resources.shields, flow_keys.shields, random),
            suppliers=suppliers,
            takeover_lists=resources.takeover_lists,
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
            parts.fetcher,
            published=parts.published,
            read_secret=partial(read_client_secret, parts.loaded.keys_folder),
        ),
        keys=flow_keys,
        xml=xml,
        clock=clock,
        random=random,
    )
    callers = wire_callers(
        settings, keys, snapshots=snapshots, state=state, client_keys=parts.asked.client_keys
    )
    asked = wire_asked(parts.asked, issuer=settings.issuer, state=state, callers=callers)
    tools = ProgramTools(audit=audit, clock=clock, random=random)
    back_channel = wire_back_channel(
        settings, resources, flow_keys, tools, callers, state=state, receipts=watched_receipts
    )
    me = wire_me(parts.loaded, resources, flow_keys, tools, join_rules, state=state, lists=lists)
    return Web(
        issuer=settings.issuer,
        sso_url=addresses.sso_url,
        authorization=asked.authorization,
        pushed=asked.pushed,
        login=LoginFlow(
            snapshots=snapshots,
            steps=BrowserSteps(state, random=random),
            sessions=sessions,
            hints=IdTokenHints(issuer=settings.issuer, keys=flow_keys.token),
            schools=schools,
            suppliers=suppliers,
            desk=desk,
            audit=audit,
            clock=clock,
            random=random,
        ),
        logout=wire_logout(
            settings, state, flow_keys, xml, snapshots=snapshots, courier=parts.courier, tools=tools
        ),
        announcements=wire_announcements(parts.loaded, snapshots, state, tools),
        session_questions=wire_questions(settings, sessions, snapshots, tools),
        volunteers=wire_volunteers(
            parts.loaded, resources, flow_keys, tools, schools, state=state, rules=join_rules
        ),
        login_tests=wire_login_tests(
            parts.loaded, resources, flow_keys, tools, schools, state=state, lists=lists
        ),
        own_logins=wire_own_logins(resources, flow_keys, tools, schools, state=state, lists=lists),
        console=wire_console(
            *(parts.loaded, flow_keys, tools),
            state=state,
            snapshots=snapshots,
            visits=me.visits,
            pupils=wire_pupil_desks(
                *(parts.loaded, resources, flow_keys, tools), lists=lists, rules=join_rules
            ),
        ),
        me=me,
        token=back_channel.tokens,
        token_status=back_channel.status,
        mapping=wire_mapping(settings, resources, flow_keys, tools),
        notices=wire_notices(parts.loaded),
        conversion=wire_conversion(settings, resources, flow_keys, tools),
        api=wire_api_access(resources, tools, callers, state=state),
        senders=callers.senders,
        certificate_hop=certificate_hop_of(settings.certificates),
        lists=wire_lists(settings, resources, flow_keys, tools, rules=rules),
        snapshots=snapshots,
        xml=xml,
        pages=parts.pages,
        cookies=Cookies(
            secure=urlsplit(settings.issuer).scheme == "https",
            remembered_school_seconds=settings.times.remembered_school_days * SECONDS_A_DAY,
        ),
        cookie_keys=keys.cookie,
        documents=build_documents(
            addresses,
            keys=flow_keys,
            xml=xml,
            about=about_us_of(settings),
            certificates=certificate_support_of(settings.certificates),
            front_channel_logout=settings.sessions.front_channel_logout,
            service_documentation=settings.service_documentation,
        ),
        health=parts.health,
        audit=audit,
        watch=parts.metrics,
        clock=clock,
        random=random,
        max_body_bytes=settings.limits.body_bytes,
        max_api_body_bytes=settings.limits.api_body_bytes,
        max_requests=settings.limits.requests_at_once,
        logout_stop_seconds=settings.sessions.logout_stop_seconds,
    )
