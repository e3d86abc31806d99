"""Instants of SAML messages: `xs:dateTime` in UTC (SAML core 1.3.3).

A time without zone is refused rather than guessed at. SAML asks for UTC; an offset is accepted,
since it names the same instant and some programs write one.
"""

import re
from datetime import UTC, datetime

from broker.saml_xml.refusals import MessageUnreadable

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,12})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)",
    re.ASCII,
)


def parse_instant(text: str) -> datetime:
    """Return the instant that `text` names, aware and in UTC; digits below 1 us are cut off.

    >>> parse_instant("2026-03-01T09:30:00.5+01:00").isoformat()
    '2026-03-01T08:30:00.500000+00:00'

    Raises:
        MessageUnreadable: not an `xs:dateTime` with zone, or outside the years 1 to 9999.
    """
    if _INSTANT.fullmatch(text) is None:
        raise MessageUnreadable("instant")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MessageUnreadable("instant") from None


def format_instant(instant: datetime) -> str:
    """Return `instant` as SAML writes it, in whole seconds, rounded down.

    >>> format_instant(datetime(2026, 3, 1, 8, 30, tzinfo=UTC))
    '2026-03-01T08:30:00Z'

    Raises:
        ValueError: `instant` is naive; a mistake of ours.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
