"""One run of the probe: a login within a time, and its pseudonym beside that of the first run."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime

from broker.probe.browser import Browser
from broker.probe.login import ProbeFailed, Timed, log_in
from broker.probe.parties import ProbeParties, keep_pseudonym, read_pseudonym
from broker.probe.report import ProbeResult, SeenPseudonym

CHANGED = "THE PSEUDONYM OF THE PROBE'S PUPIL CHANGED: every pupil may be a stranger to suppliers."
CHANGED_REMEDY = (
    "Stop the broker. Compare keys/root, keys/pairwise and register.db with the backup (`broker "
    "check`). Only if the change was meant, remove probe/pseudonym."
)


async def run_probe(
    parties: ProbeParties,
    *,
    issuer: str,
    address: str,
    ca_file: str | None,
    within_seconds: float,
    clock: Callable[[], datetime],
) -> ProbeResult:
    """Log the made-up pupil in once, and return what came of it.

    Args:
        address: scheme, host and port of the broker, or of what stands in front of it.
        within_seconds: for the whole login.

    Raises:
        KeyProblem: the pseudonym of the first run cannot be read.
        OSError: a first pseudonym cannot be written, or `ca_file` not read.
    """
    before = read_pseudonym(parties.folder)
    timed = Timed()
    try:
        async with asyncio.timeout(within_seconds):
            pseudonym = await log_in(
                Browser(issuer=issuer, address=address, ca_file=ca_file),
                parties,
                issuer=issuer,
                clock=clock,
                random=secrets.token_bytes,
                timed=timed,
            )
    except (ProbeFailed, TimeoutError) as found:
        failed = (
            found
            if isinstance(found, ProbeFailed)
            else ProbeFailed(
                timed.step,
                f"no login within {within_seconds:g} seconds.",
                "See `broker health`, and what its log says of slow steps.",
            )
        )
        return ProbeResult(
            clock(),
            timed.milliseconds,
            step=failed.step,
            problem=failed.problem,
            remedy=failed.remedy,
        )
    if before is None:
        keep_pseudonym(parties.folder, pseudonym)
        return ProbeResult(clock(), timed.milliseconds, SeenPseudonym.FIRST)
    if pseudonym != before:
        return ProbeResult(
            clock(),
            timed.milliseconds,
            SeenPseudonym.CHANGED,
            step="verify",
            problem=CHANGED,
            remedy=CHANGED_REMEDY,
        )
    return ProbeResult(clock(), timed.milliseconds, SeenPseudonym.SAME)
