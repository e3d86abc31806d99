"""The result of a probe, as Prometheus reads it."""

from pathlib import Path

from broker.adapters.watching.probe_metrics import ProbeMetrics
from tests.adapters.test_metrics import samples


def test_the_newest_result_stands_in_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "schuilnaam.prom"
    for succeeded in (True, False):
        ProbeMetrics().write(
            file, succeeded=succeeded, pseudonym_changed=not succeeded, seconds=1.5, at=1000.0
        )
        assert samples(file.read_bytes()) == {
            ("schuilnaam_probe_success", ()): succeeded,
            ("schuilnaam_probe_pseudonym_changed", ()): not succeeded,
            ("schuilnaam_probe_seconds", ()): 1.5,
            ("schuilnaam_probe_timestamp_seconds", ()): 1000.0,
        }
    assert list(tmp_path.iterdir()) == [file]
