"""What a run of the probe found, for people, for scripts and for Prometheus."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from broker.probe.login import STEPS

TEXTFILE_MODE = 0o644  # the node exporter reads it, as another account; nothing in it is secret


class SeenPseudonym(StrEnum):
    """How the pseudonym compares with that of the first run."""

    FIRST = "first"
    SAME = "same"
    CHANGED = "changed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One run.

    Attributes:
        milliseconds: by step, of those that ran.
        step, problem, remedy: of a run that failed; else empty.
    """

    at: datetime
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    pseudonym: SeenPseudonym = SeenPseudonym.NONE
    step: str = ""
    problem: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether the pupil ended inside the supplier, as the same one as before."""
        return not self.problem

    @property
    def total(self) -> float:
        """Milliseconds of all steps."""
        return round(sum(self.milliseconds.values()), 1)


def in_words(result: ProbeResult) -> str:
    """Return a run as a line for people."""
    steps = ", ".join(f"{name} {took:g}" for name, took in result.milliseconds.items())
    if result.ok:
        first = (
            " The first run: its pseudonym is written down."
            if result.pseudonym is SeenPseudonym.FIRST
            else ""
        )
        return f"ok: {result.total:g} ms ({steps}).{first}"
    return f"FAILED at {result.step}: {result.problem} {result.remedy}"


def as_json(result: ProbeResult) -> str:
    """Return a run as one line of JSON."""
    told: dict[str, object] = {
        "ok": result.ok,
        "at": result.at.isoformat(timespec="seconds"),
        "pseudonym": result.pseudonym,
        "total_milliseconds": result.total,
        "milliseconds": dict(result.milliseconds),
    }
    if not result.ok:
        told |= {"step": result.step, "problem": result.problem, "remedy": result.remedy}
    return json.dumps(told)


def as_metrics(result: ProbeResult) -> str:
    """Return a run in Prometheus' text format, for the textfile collector of the node exporter.

    Every series is there after every run, so that an alert needs no `absent` but for the file.
    """
    lines = [
        "# HELP schuilnaam_probe_success 1 if the last run of the probe ended inside the supplier.",
        "# TYPE schuilnaam_probe_success gauge",
        f"schuilnaam_probe_success {int(result.ok)}",
        "# HELP schuilnaam_probe_pseudonym_changed 1 if the pupil got another pseudonym.",
        "# TYPE schuilnaam_probe_pseudonym_changed gauge",
        f"schuilnaam_probe_pseudonym_changed {int(result.pseudonym is SeenPseudonym.CHANGED)}",
        "# HELP schuilnaam_probe_timestamp_seconds When the last run ended.",
        "# TYPE schuilnaam_probe_timestamp_seconds gauge",
        f"schuilnaam_probe_timestamp_seconds {int(result.at.timestamp())}",
        "# HELP schuilnaam_probe_step_seconds Time of each step of the last run; 0: did not run.",
        "# TYPE schuilnaam_probe_step_seconds gauge",
        *(
            f'schuilnaam_probe_step_seconds{{step="{step}"}} '
            f"{result.milliseconds.get(step, 0.0) / 1000:.4f}"
            for step in STEPS
        ),
    ]
    return "\n".join(lines) + "\n"


def write_textfile(file: Path, result: ProbeResult) -> None:
    """Replace the file in one step: whoever reads it never sees half a run.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = file.parent / f".{file.name}.{secrets.token_hex(8)}"
    try:
        unfinished.write_text(as_metrics(result))
        unfinished.chmod(TEXTFILE_MODE)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
