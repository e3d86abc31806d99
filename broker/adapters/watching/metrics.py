"""Metrics for Prometheus: what happens, how long it takes, and what will need somebody soon.

Every label is known beforehand, so that the number of series has a bound: no school, no supplier,
nothing of a person. The README's table tells each metric. With several workers each writes into
files of one folder (`PROMETHEUS_MULTIPROC_DIR`, set before this module is loaded), and
`worker_metrics` adds them up; `multiprocess_mode` says how.
"""

import asyncio
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from broker.adapters.keys.key_dates import KeyDates
from broker.domain.refusals import every_refusal
from broker.domain.tolerances import Tolerance
from broker.flow.following.trail import LoginStep, Outcome, Trail
from broker.flow.persons.school_counts import CountKind
from broker.flow.ports import Clock

STEP_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
STORE_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)

STORE_ANSWERS: Mapping[str, tuple[str, ...]] = {
    "put": ("done", "claimed-before", "taken-before", "unsure"),
    "take": ("done", "taken-before", "claimed-before", "absent", "unsure"),
    "get": ("done", "absent", "unsure"),
    "get_all": ("done", "unsure"),
    "delete": ("done", "unsure"),
}
"""What the login store can answer to each operation (`broker.flow.held_state.login_store`)."""

RECEIPT_ANSWERS = ("done", "failed")
PROTOCOLS = ("oidc", "saml", "unknown")
OTHER_STEP = "none"
COMPONENTS = ("registry", "register", "receipts", "store")
ROTATING = ("token", "saml-signing", "saml-decryption", "storage", "cookie")
"""Purposes of keys that are replaced now and then."""
CERTIFIED = ("saml-signing", "saml-decryption")
LOOK_SECONDS = 5
"""How often what is looked at rather than counted is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is looked at every few seconds rather than counted.

    Attributes:
        registry_loaded_at: when the version in force came into force here, seconds since 1970.
        healthy: component -> whether it is well.
        keys_made_at: purpose -> when the oldest key in use was made, seconds since 1970.
        certificates_end_at: purpose -> the first end of a certificate, seconds since 1970.
    """

    registry_version: int
    registry_loaded_at: float
    healthy: Mapping[str, bool]
    keys_made_at: Mapping[str, float]
    certificates_end_at: Mapping[str, float]


class Metrics:
    """`flow.following.trail.Watch`, and what adapters report; one for each broker of a process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        of = self.registry
        logins = Counter(
            "schuilnaam_logins",
            "Logins by what became of them; one login can be begun, refused and then released.",
            ("supplier_protocol", "school_protocol", "outcome"),
            registry=of,
        )
        refusals = Counter(
            "schuilnaam_refusals",
            "Refusals by code and by whose task they are.",
            ("code", "whose_task"),
            registry=of,
        )
        exceptions = Counter(
            "schuilnaam_exceptions_needed",
            "Answers of schools that only an exception of their login's document let through.",
            ("exception",),
            registry=of,
        )
        steps = Histogram(
            "schuilnaam_step_seconds",
            "Time of a request by the step of a login that it takes.",
            ("step",),
            buckets=STEP_SECONDS,
            registry=of,
        )
        store = Histogram(
            "schuilnaam_store_seconds",
            "Time of one trip to the login store.",
            ("operation", "answer"),
            buckets=STORE_SECONDS,
            registry=of,
        )
        receipts = Histogram(
            "schuilnaam_receipt_append_seconds",
            "Time until a receipt is durable.",
            ("answer",),
            buckets=STORE_SECONDS,
            registry=of,
        )
        self._in_work = _gauge(
            "schuilnaam_requests_in_work", "Requests in work.", of, mode="livesum"
        )
        self._busy = Counter(
            "schuilnaam_requests_refused_busy",
            "Requests turned away because too many are in work.",
            registry=of,
        )
        self._version = _gauge(
            "schuilnaam_registry_version", "Version of the registry in force.", of
        )
        self._loaded_at = _gauge(
            "schuilnaam_registry_loaded_timestamp_seconds",
            "When the registry in force was loaded.",
            of,
        )
        self._healthy = _gauge(
            "schuilnaam_healthy", "1 while a component is well.", of, labels=("component",)
        )
        self._keys_made_at = _gauge(
            "schuilnaam_key_made_timestamp_seconds",
            "When the oldest key of a purpose was made.",
            of,
            labels=("purpose",),
        )
        self._certificates_end_at = _gauge(
            "schuilnaam_certificate_end_timestamp_seconds",
            "When the first of our certificates of a purpose ends.",
            of,
            labels=("purpose",),
        )
        self._schools_told_of = {
            CountKind.SHARE_ALARMED: _gauge(
                "schuilnaam_schools_with_dropped_eck_id_share",
                "Schools of which a drop of the share of logins with ECK iD was told since "
                "yesterday.",
                of,
                mode="livemax",
            ),
            CountKind.FIRST_ALARMED: _gauge(
                "schuilnaam_schools_with_many_pupils_stated_first",
                "Schools of which it was told since yesterday that they stated many pupils first.",
                of,
                mode="livemax",
            ),
        }
        self._failing_sources = _gauge(
            "schuilnaam_metadata_sources_failing",
            "Sources of SAML metadata that could not be read when they were asked last.",
            of,
            mode="livemax",
        )
        self._metadata_end_at = _gauge(
            "schuilnaam_metadata_end_timestamp_seconds",
            "When metadata of a source end first; 0 where no party comes from a source.",
            of,
        )
        build = _gauge(
            "schuilnaam_build_info",
            "Which program runs.",
            of,
            mode="livemax",
            labels=("version", "python"),
        )
        build.labels(_own_version(), platform.python_version()).set(1)
        ProcessCollector(registry=of)
        # Every series is there from the start: a rate needs a first value, and a look-up costs.
        self._logins = {
            (supplier, school, outcome): logins.labels(supplier, school, outcome.value)
            for supplier in PROTOCOLS
            for school in PROTOCOLS
            for outcome in Outcome
            if outcome
        }
        self._refusals = {
            each.code: refusals.labels(each.code, each.whose_task.value) for each in every_refusal()
        }
        self._steps = {each: steps.labels(each.value) for each in LoginStep}
        self._other = steps.labels(OTHER_STEP)
        self._exceptions = {each.value: exceptions.labels(each.value) for each in Tolerance}
        self._store = {
            (operation, answer): store.labels(operation, answer)
            for operation, answers in STORE_ANSWERS.items()
            for answer in answers
        }
        self._receipts = {each: receipts.labels(each) for each in RECEIPT_ANSWERS}

    def request_began(self) -> None:
        """Count one more request in work."""
        self._in_work.inc()

    def request_ended(self, trail: Trail, *, step: LoginStep | None, seconds: float) -> None:
        """Count a request as done, and what it did to its login."""
        self._in_work.dec()
        (self._other if step is None else self._steps[step]).observe(seconds)
        if trail.code in self._refusals:
            self._refusals[trail.code].inc()
        for each in trail.exceptions:
            self._exceptions[each].inc()
        if trail.outcome and step is not None:
            supplier, school = trail.supplier_protocol, trail.school_protocol
            self._logins[supplier or "unknown", school or "unknown", trail.outcome].inc()

    def refused_busy(self) -> None:
        """Count a request that was turned away because too many are in work."""
        self._busy.inc()

    def store_answered(self, operation: str, answer: str, seconds: float) -> None:
        """Count one trip to the login store; both names are of `STORE_ANSWERS`."""
        self._store[operation, answer].observe(seconds)

    def receipt_appended(self, answer: str, seconds: float) -> None:
        """Count one receipt; the answer is of `RECEIPT_ANSWERS`."""
        self._receipts[answer].observe(seconds)

    def schools_told_of(self, kind: CountKind, schools: int) -> None:
        """Show of how many schools an alarm was told lately."""
        self._schools_told_of[kind].set(schools)

    def metadata_sources(self, *, failing: int, end_at: float) -> None:
        """Show how sources of metadata fare."""
        self._failing_sources.set(failing)
        self._metadata_end_at.set(end_at)

    def look(self, sight: Sight) -> None:
        """Show what was found."""
        self._version.set(sight.registry_version)
        self._loaded_at.set(sight.registry_loaded_at)
        for gauge, found in (
            (self._healthy, sight.healthy),
            (self._keys_made_at, sight.keys_made_at),
            (self._certificates_end_at, sight.certificates_end_at),
        ):
            for name, value in found.items():
                gauge.labels(name).set(float(value))

    def expose(self) -> bytes:
        """Return what a scrape of this process alone gets."""
        return generate_latest(self.registry)


async def keep_looking(
    metrics: Metrics,
    *,
    version: Callable[[], int],
    healthy: Callable[[], Mapping[str, bool]],
    dates: Callable[[], KeyDates],
    clock: Clock,
) -> None:
    """Show every few seconds what is looked at rather than counted, until cancelled."""
    seen, loaded_at = 0, 0.0
    while True:
        if version() != seen:
            seen, loaded_at = version(), clock().timestamp()
        found = dates()
        metrics.look(
            Sight(
                registry_version=seen,
                registry_loaded_at=loaded_at,
                healthy=healthy(),
                keys_made_at=found.made_at,
                certificates_end_at=found.ends_at,
            )
        )
        await asyncio.sleep(LOOK_SECONDS)


def _gauge(
    name: str,
    tells: str,
    registry: CollectorRegistry,
    *,
    mode: str = "livemin",
    labels: Iterable[str] = (),
) -> Gauge:
    """Return a gauge; of several workers the one that is worst off counts unless `mode` differs."""
    return Gauge(name, tells, labels, registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]


def _own_version() -> str:
    try:
        return version("schuilnaam")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"
