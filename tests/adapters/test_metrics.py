"""Metrics: what is counted, with labels that are known beforehand and nothing of a person."""

import asyncio
import http.client
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker.adapters.keys.key_dates import KeyDates, find_key_dates
from broker.adapters.keys.key_facts import read_key_facts
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import load_keys
from broker.adapters.keys.keys_standing import find_standing
from broker.adapters.login_store.memory import MemoryLoginStore
from broker.adapters.watching.metrics import (
    CERTIFIED,
    COMPONENTS,
    ROTATING,
    STORE_ANSWERS,
    Metrics,
    Sight,
    keep_looking,
)
from broker.adapters.watching.metrics_server import serving_metrics
from broker.adapters.watching.watched_ports import ANSWERS, WatchedLoginStore, WatchedReceipts
from broker.domain.ids import SchoolId
from broker.domain.refusals import every_refusal
from broker.flow.following.trail import LoginId, LoginStep, Outcome, Trail, following
from broker.flow.held_state.login_store import (
    Absent,
    Claim,
    ClaimedBefore,
    Locator,
    LoginStore,
    Put,
    StoreUnsure,
    TakenBefore,
)
from broker.flow.receipts.receipts import ReceiptsUnavailable, SealedReceipt
from tests.flow.fakes import FailingStore
from tests.flow.port_fakes import Faults, MemoryReceipts
from tests.quality.sources import broker_modules

Sample = tuple[str, tuple[tuple[str, str], ...]]
MOST_SERIES = 1000
"""That one broker may have, whatever the number of schools, suppliers and pupils."""

SIGHT = Sight(
    registry_version=3,
    registry_loaded_at=1000.0,
    healthy=dict.fromkeys(COMPONENTS, True),
    keys_made_at=dict.fromkeys(ROTATING, 2000.0),
    certificates_end_at=dict.fromkeys(CERTIFIED, 3000.0),
)


def samples(exposed: bytes) -> dict[Sample, float]:
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(exposed.decode())
        for each in family.samples
    }


def counted(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics.expose())[name, tuple(sorted(labels.items()))]


@pytest.fixture
def metrics() -> Metrics:
    broker_modules()
    return Metrics()


def a_locator(number: int = 1) -> Locator:
    return Locator(bytes([number]) * 32)


class TestRequests:
    def test_a_login_counts_by_protocols_and_outcome(self, metrics: Metrics) -> None:
        trail = Trail(
            login=LoginId("aaaqeayeaudaocaj"),
            supplier_protocol="oidc",
            school_protocol="saml",
            outcome=Outcome.RELEASED,
        )
        metrics.request_began()
        metrics.request_ended(trail, step=LoginStep.SCHOOL_ANSWER, seconds=0.003)
        labels = {"supplier_protocol": "oidc", "school_protocol": "saml", "outcome": "released"}
        assert counted(metrics, "schuilnaam_logins_total", **labels) == 1
        assert counted(metrics, "schuilnaam_step_seconds_count", step="school-answer") == 1
        assert counted(metrics, "schuilnaam_step_seconds_bucket", step="school-answer", le="0.005")
        assert b"aaaqeayeaudaocaj" not in metrics.expose()

    def test_a_refusal_counts_by_code_and_task(self, metrics: Metrics) -> None:
        trail = Trail(code="E-LOGIN-9", outcome=Outcome.REFUSED, supplier_protocol="oidc")
        metrics.request_ended(trail, step=LoginStep.BEGIN, seconds=0.1)
        name = "schuilnaam_refusals_total"
        assert counted(metrics, name, code="E-LOGIN-9", whose_task="broker") == 1
        labels = {"supplier_protocol": "oidc", "school_protocol": "unknown", "outcome": "refused"}
        assert counted(metrics, "schuilnaam_logins_total", **labels) == 1

    def test_what_is_no_login_is_none(self, metrics: Metrics) -> None:
        before = {k: v for k, v in samples(metrics.expose()).items() if "logins" in k[0]}
        metrics.request_ended(Trail(code="made-up", outcome=Outcome.REFUSED), step=None, seconds=1)
        after = {k: v for k, v in samples(metrics.expose()).items() if "logins" in k[0]}
        assert after == before
        assert counted(metrics, "schuilnaam_step_seconds_count", step="none") == 1

    def test_those_in_work_and_those_turned_away(self, metrics: Metrics) -> None:
        metrics.request_began()
        metrics.request_began()
        metrics.refused_busy()
        assert counted(metrics, "schuilnaam_requests_in_work") == 2
        metrics.request_ended(Trail(), step=None, seconds=0.1)
        assert counted(metrics, "schuilnaam_requests_in_work") == 1
        assert counted(metrics, "schuilnaam_requests_refused_busy_total") == 1


class TestStore:
    async def test_each_trip_counts_by_operation_and_answer(self, metrics: Metrics) -> None:
        inner = MemoryLoginStore(monotonic=lambda: 0.0)
        store: LoginStore = WatchedLoginStore(inner, answered=metrics.store_answered)
        claim = Claim(a_locator(2), 60)
        with following() as trail:
            await store.put([Put(a_locator(), b"x", 60)], claims=[claim])
            with pytest.raises(ClaimedBefore):
                await store.put([Put(a_locator(3), b"x", 60)], claims=[claim])
            assert await store.get(a_locator()) == b"x"
            assert await store.take(a_locator(), tombstone_ttl_seconds=60) == b"x"
            with pytest.raises(TakenBefore):
                await store.take(a_locator(), tombstone_ttl_seconds=60)
            with pytest.raises(Absent):
                await store.get(a_locator(9))
            await store.delete([a_locator(4)], tombstone_ttl_seconds=60)
        assert trail.store_trips == 7
        assert trail.store_seconds > 0
        assert self.trips(metrics) == {
            ("put", "done"): 1,
            ("put", "claimed-before"): 1,
            ("get", "done"): 1,
            ("take", "done"): 1,
            ("take", "taken-before"): 1,
            ("get", "absent"): 1,
            ("delete", "done"): 1,
        }

    async def test_one_that_is_down_is_unsure(self, metrics: Metrics) -> None:
        inner = FailingStore(MemoryLoginStore(monotonic=lambda: 0.0))
        store = WatchedLoginStore(inner, answered=metrics.store_answered)
        with pytest.raises(StoreUnsure):
            await store.get(a_locator())
        assert self.trips(metrics) == {("get", "unsure"): 1}

    async def test_one_that_hangs_and_is_given_up_is_unsure(self, metrics: Metrics) -> None:
        class Hanging(MemoryLoginStore):
            async def get(self, locator: Locator) -> bytes:
                await asyncio.Event().wait()
                raise AssertionError

        inner = Hanging(monotonic=lambda: 0.0)
        store = WatchedLoginStore(inner, answered=metrics.store_answered)
        asking = asyncio.create_task(store.get(a_locator()))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert self.trips(metrics) == {("get", "unsure"): 1}

    def test_every_answer_is_known_beforehand(self) -> None:
        assert {each for answers in STORE_ANSWERS.values() for each in answers} == {
            *ANSWERS.values(),
            "done",
            "unsure",
        }

    def trips(self, metrics: Metrics) -> Mapping[tuple[str, str], float]:
        return {
            (dict(labels)["operation"], dict(labels)["answer"]): value
            for (name, labels), value in samples(metrics.expose()).items()
            if name == "schuilnaam_store_seconds_count" and value
        }


async def test_receipts_count_by_answer(metrics: Metrics) -> None:
    faults = Faults()
    inner = MemoryReceipts(faults)
    receipts = WatchedReceipts(inner, appended=metrics.receipt_appended)
    receipt = SealedReceipt(bytes(32), b"x", SchoolId("vuurvogel"), 36)
    await receipts.append(receipt)
    faults.start(fails_at=1)
    with pytest.raises(ReceiptsUnavailable):
        await receipts.append(receipt)
    name = "schuilnaam_receipt_append_seconds_count"
    assert [counted(metrics, name, answer=each) for each in ("done", "failed")] == [1, 1]
    assert await receipts.find([bytes(32)]) == [receipt]
    assert receipts.healthy


class TestLooking:
    def test_what_was_found_is_shown(self, metrics: Metrics) -> None:
        metrics.look(SIGHT)
        assert counted(metrics, "schuilnaam_registry_version") == 3
        assert counted(metrics, "schuilnaam_registry_loaded_timestamp_seconds") == 1000
        assert counted(metrics, "schuilnaam_healthy", component="store") == 1
        assert counted(metrics, "schuilnaam_key_made_timestamp_seconds", purpose="token") == 2000
        name = "schuilnaam_certificate_end_timestamp_seconds"
        assert counted(metrics, name, purpose="saml-signing") == 3000

    async def test_it_is_looked_at_again(
        self, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("broker.adapters.watching.metrics.LOOK_SECONDS", 0)
        now, version, healthy = datetime(2026, 9, 1, tzinfo=UTC), 1, True
        looking = asyncio.create_task(
            keep_looking(
                metrics,
                version=lambda: version,
                healthy=lambda: {"store": healthy},
                dates=lambda: KeyDates({}, {}),
                clock=lambda: now,
            )
        )
        loaded = "schuilnaam_registry_loaded_timestamp_seconds"
        for _ in range(3):
            await asyncio.sleep(0)
        first, now = now, now + timedelta(hours=1)
        for _ in range(3):
            await asyncio.sleep(0)
        assert counted(metrics, loaded) == first.timestamp()  # the same version is no news
        version, healthy = 2, False
        for _ in range(3):
            await asyncio.sleep(0)
        assert counted(metrics, loaded) == now.timestamp()
        assert counted(metrics, "schuilnaam_healthy", component="store") == 0
        looking.cancel()

    def test_dates_of_keys(self, tmp_path: Path) -> None:
        now = datetime.now(UTC)
        init_keys(tmp_path, now=now, issuer_name="Schuilnaam")
        keys = load_keys(tmp_path)
        dates = find_key_dates(read_key_facts(keys, find_standing(keys, now=now), now=now))
        assert set(dates.made_at) == set(ROTATING)
        assert set(dates.ends_at) == set(CERTIFIED)
        assert all(abs(each - now.timestamp()) < 600 for each in dates.made_at.values())
        assert all(each > now.timestamp() + 300 * 86400 for each in dates.ends_at.values())


class TestLabels:
    def test_the_number_of_series_has_a_bound(self, metrics: Metrics) -> None:
        """All are there from the start, so whatever happens adds none."""
        metrics.look(SIGHT)
        before = set(samples(metrics.expose()))
        assert len(before) < MOST_SERIES
        for outcome in Outcome:
            for step in (*LoginStep, None):
                for code in ("", "made-up", *(each.code for each in every_refusal())):
                    trail = Trail(
                        relying_party="rekenrijk",
                        idp="vuurvogel",
                        supplier_protocol="saml",
                        outcome=outcome,
                        code=code,
                    )
                    metrics.request_ended(trail, step=step, seconds=0.1)
        for operation, answers in STORE_ANSWERS.items():
            for answer in answers:
                metrics.store_answered(operation, answer, 0.1)
        assert set(samples(metrics.expose())) == before

    def test_no_party_stands_in_them(self, metrics: Metrics) -> None:
        trail = Trail(relying_party="rekenrijk", idp="vuurvogel", reference="befoheko")
        metrics.request_ended(trail, step=LoginStep.BEGIN, seconds=0.1)
        assert not re.search(rb"rekenrijk|vuurvogel|befoheko", metrics.expose())


class TestServing:
    def ask(self, port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def test_metrics_and_nothing_else(self, metrics: Metrics) -> None:
        with serving_metrics(metrics.expose, host="127.0.0.1", port=0) as port:
            status, body = self.ask(port, "/metrics")
            assert status == 200
            assert samples(body).keys() == samples(metrics.expose()).keys()
            assert self.ask(port, "/metrics?x=1")[0] == 200
            assert self.ask(port, "/")[0] == 404
            assert self.ask(port, "/schools")[0] == 404
            assert self.ask(port, "/metrics", "POST")[0] == 501

    def test_the_port_is_free_again_afterwards(self) -> None:
        with serving_metrics(lambda: b"x 1\n", host="127.0.0.1", port=0) as port:
            second = serving_metrics(lambda: b"", host="127.0.0.1", port=port)
            with pytest.raises(OSError, match="in use"):
                second.__enter__()
        with serving_metrics(lambda: b"x 1\n", host="127.0.0.1", port=port):
            assert self.ask(port, "/metrics") == (200, b"x 1\n")
