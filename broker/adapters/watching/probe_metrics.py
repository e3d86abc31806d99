"""What `broker probe` found, as a file that node_exporter's textfile collector shows Prometheus."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile


class ProbeMetrics:
    """The result of one probe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._success = Gauge(
            "schuilnaam_probe_success",
            "1 when a made-up pupil could log in.",
            registry=self.registry,
        )
        self._seconds = Gauge(
            "schuilnaam_probe_seconds", "How long that took.", registry=self.registry
        )
        self._changed = Gauge(
            "schuilnaam_probe_pseudonym_changed",
            "1 when that pupil got another pseudonym than in the first run.",
            registry=self.registry,
        )
        self._at = Gauge(
            "schuilnaam_probe_timestamp_seconds", "When that was.", registry=self.registry
        )

    def write(
        self, file: Path, *, succeeded: bool, pseudonym_changed: bool, seconds: float, at: float
    ) -> None:
        """Put the result in the place of the one before; readers never see half of it.

        Args:
            at: seconds since 1970.

        Raises:
            OSError: the file cannot be written.
        """
        self._success.set(succeeded)
        self._changed.set(pseudonym_changed)
        self._seconds.set(seconds)
        self._at.set(at)
        write_to_textfile(str(file), self.registry)
