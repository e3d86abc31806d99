"""Which day it is: agreements, switches and relations begin at midnight in the Netherlands."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

NETHERLANDS = ZoneInfo("Europe/Amsterdam")


def day_of(now: datetime) -> date:
    """Return the day in the Netherlands.

    >>> from datetime import UTC
    >>> day_of(datetime(2026, 7, 31, 22, 30, tzinfo=UTC))
    datetime.date(2026, 8, 1)
    """
    return now.astimezone(NETHERLANDS).date()
