"""How much a caller may ask for, over all workers and restarts: counts, and nothing else.

A quota is spent before the work is done, all or nothing, so that two workers never give twice.
What failed after that was spent all the same: who guesses pays for guesses.
"""

from dataclasses import dataclass
from typing import Protocol

from broker.domain.refusals import Refusal, WhoseTask


class QuotaExceeded(Refusal):
    code = "E-API-5"
    whose_task = WhoseTask.SUPPLIER
    what = "A program asked for more than it may in this time."
    remedy = "Whoever runs that program must wait, or agree on a larger number with us."
    http_status = 429


class QuotasUnavailable(Refusal):
    code = "E-API-6"
    whose_task = WhoseTask.BROKER
    what = "We could not count what a program asked for, so nothing was done."
    remedy = "This is our fault and we have been told. Please try again in a few minutes."
    http_status = 503
    oauth_error = "temporarily_unavailable"
    may_retry = True


@dataclass(frozen=True, slots=True)
class Quota:
    """One count.

    Attributes:
        purpose: what is counted, like `takeover`; a slug.
        of: whose it is, like a school, or `school/supplier`; never of a person.
        period: `""` for good, else an ISO day or month: counts of earlier periods are deleted.
        limit: at most this much in one period.
    """

    purpose: str
    of: str
    period: str
    limit: int


class QuotaLedger(Protocol):
    """Where counts rest."""

    async def spend(self, quota: Quota, amount: int) -> None:
        """Take that much of a quota, durably, or nothing.

        Raises:
            QuotaExceeded: less than that is left; nothing was taken.
            QuotasUnavailable: nobody knows whether it was taken.
        """
        ...
