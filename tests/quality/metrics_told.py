"""The metrics that the code has: name as it is asked for -> type and labels."""

from collections.abc import Iterator
from functools import cache

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from broker.adapters.serving.worker_metrics import WorkerMetrics
from broker.adapters.watching.metrics import Metrics
from broker.adapters.watching.probe_metrics import ProbeMetrics
from tests.quality.sources import broker_modules

Told = dict[str, tuple[str, tuple[str, ...]]]


@cache
def metrics_in_code() -> Told:
    """Return every metric of ours."""
    broker_modules()
    of_workers = WorkerMetrics()
    of_workers.close()
    registries = (Metrics().registry, of_workers.own, ProbeMetrics().registry)
    return dict(each for registry in registries for each in _metrics(registry))


def _metrics(registry: CollectorRegistry) -> Iterator[tuple[str, tuple[str, tuple[str, ...]]]]:
    for each in list(registry._collector_to_names):
        if isinstance(each, MetricWrapperBase):
            name = each._name + ("_total" if each._type == "counter" else "")
            yield name, (each._type, tuple(each._labelnames))
