"""What may be told of keys: which there are, since when, for how long. Nothing secret. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.flow.key_plans.key_schedule import KeyState

EXPIRY_ALARM = timedelta(days=60)
"""Before a certificate ends: a summer holiday, and partners who answer slowly."""

LASTS = "lasts"
"""What a key does that never rotates."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One key of ours.

    Attributes:
        file: in the keys folder.
        purpose: name of its folder.
        kind: an algorithm of tokens, `RSA` or `32 bytes`.
        key_id: by which partners see it, or its letter; "" where it has no name.
        made_at: when its file was made; a file that was restored counts from then.
        state: a `KeyState`, or `LASTS`.
        changes_at: when that state changes next; None when it is not planned.
        expires_at: when its certificate ends; None without one.
    """

    file: str
    purpose: str
    kind: str
    key_id: str
    made_at: datetime
    state: str
    changes_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate in the registered metadata of a partner.

    Attributes:
        document: of whom, as `identity_providers/<id>` or `relying_parties/<id>`.
        only: whether it is the partner's only one for its purpose.
    """

    document: str
    purpose: str
    expires_at: datetime
    only: bool


def find_expiring(keys: Iterable[KeyFacts], *, now: datetime) -> list[KeyFacts]:
    """Return our keys whose certificates end soon, or ended, and are still shown to partners."""
    return [
        each
        for each in keys
        if each.expires_at is not None
        and each.expires_at <= now + EXPIRY_ALARM
        and each.state in (KeyState.IN_USE, KeyState.PUBLISHED)
    ]


def find_expiring_of_partners(
    certificates: Iterable[CertificateFacts], *, now: datetime
) -> list[CertificateFacts]:
    """Return partners' only certificates that end soon: they are about to change keys.

    We judge keys by the registered metadata and not by dates, so nothing breaks at that moment; but
    partners change their keys then, and that would break their logins if we did not hear of it.
    """
    return [each for each in certificates if each.only and each.expires_at <= now + EXPIRY_ALARM]
