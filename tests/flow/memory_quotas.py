"""Quotas in a dictionary."""

from broker.flow.programs.quotas import Quota, QuotaExceeded


class MemoryQuotas:
    """`broker.flow.programs.quotas.QuotaLedger`."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str, str], int] = {}

    async def spend(self, quota: Quota, amount: int) -> None:
        key = (quota.purpose, quota.of, quota.period)
        used = self.used.get(key, 0) + amount
        if used > quota.limit:
            raise QuotaExceeded("check_quota")
        self.used[key] = used
