"""What a run of the probe found, for people, for scripts and for Prometheus."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from broker.adapters.watching.probe_metrics import ProbeMetrics


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
        seen: whether its pseudonym is that of before.
        step, problem, remedy: of a run that failed; else empty.
    """

    at: datetime
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    seen: SeenPseudonym = SeenPseudonym.NONE
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
            if result.seen is SeenPseudonym.FIRST
            else ""
        )
        return f"ok: {result.total:g} ms ({steps}).{first}"
    return f"FAILED at {result.step}: {result.problem} {result.remedy}"


def as_json(result: ProbeResult) -> str:
    """Return a run as one line of JSON."""
    told: dict[str, object] = {
        "ok": result.ok,
        "at": result.at.isoformat(timespec="seconds"),
        "pseudonym": result.seen,
        "total_milliseconds": result.total,
        "milliseconds": dict(result.milliseconds),
    }
    if not result.ok:
        told |= {"step": result.step, "problem": result.problem, "remedy": result.remedy}
    return json.dumps(told)


def write_textfile(file: Path, result: ProbeResult) -> None:
    """Write a run down for Prometheus.

    Raises:
        OSError: it cannot be written.
    """
    ProbeMetrics().write(
        file,
        succeeded=result.ok,
        pseudonym_changed=result.seen is SeenPseudonym.CHANGED,
        seconds=result.total / 1000,
        at=result.at.timestamp(),
    )
