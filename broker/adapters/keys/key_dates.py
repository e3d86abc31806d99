"""When the keys in use were made, and when their certificates end: for metrics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker.flow.key_plans.key_facts import KeyFacts
from broker.flow.key_plans.key_schedule import KeyState


@dataclass(frozen=True, slots=True)
class KeyDates:
    """By purpose, in seconds since 1970.

    Attributes:
        made_at: of the oldest key in use; a file that was restored counts from then.
        ends_at: of the certificate that ends first, of the keys in use.
    """

    made_at: Mapping[str, float]
    ends_at: Mapping[str, float]


def find_key_dates(facts: Iterable[KeyFacts]) -> KeyDates:
    """Return the dates of the keys in use."""
    made_at: dict[str, float] = {}
    ends_at: dict[str, float] = {}
    for each in facts:
        if each.state == KeyState.IN_USE:
            made = each.made_at.timestamp()
            made_at[each.purpose] = min(made, made_at.get(each.purpose, made))
            if each.expires_at is not None:
                ends_at[each.purpose] = each.expires_at.timestamp()
    return KeyDates(made_at, ends_at)
