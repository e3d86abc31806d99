"""What is told of keys and certificates, and when it is an alarm."""

from datetime import UTC, datetime, timedelta

import pytest

from broker.flow.key_plans.key_facts import (
    EXPIRY_ALARM,
    LASTS,
    CertificateFacts,
    KeyFacts,
    find_expiring,
    find_expiring_of_partners,
)
from broker.flow.key_plans.key_schedule import KeyState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "ends_in", "alarm"),
    [
        (KeyState.IN_USE, EXPIRY_ALARM, True),
        (KeyState.IN_USE, EXPIRY_ALARM + SECOND, False),
        (KeyState.IN_USE, -SECOND, True),
        (KeyState.PUBLISHED, EXPIRY_ALARM, True),
        (KeyState.ACCEPTED, -SECOND, False),  # nobody is shown it as ours any more
        (KeyState.RETIRED, -SECOND, False),
        (KeyState.IN_USE, None, False),
        (LASTS, None, False),
    ],
)
def test_our_certificates(state: str, ends_in: timedelta | None, alarm: bool) -> None:
    ends = None if ends_in is None else NOW + ends_in
    key = KeyFacts("saml-signing/a.pem", "saml-signing", "RSA", "ab", NOW, state, expires_at=ends)
    assert find_expiring([key], now=NOW) == [key] * alarm


@pytest.mark.parametrize(
    ("only", "ends_in", "alarm"),
    [
        (True, EXPIRY_ALARM, True),
        (True, EXPIRY_ALARM + SECOND, False),
        (False, EXPIRY_ALARM, False),  # its successor is registered already
    ],
)
def test_partners_certificates(only: bool, ends_in: timedelta, alarm: bool) -> None:
    found = CertificateFacts("identity_providers/kompas", "signing", NOW + ends_in, only=only)
    assert find_expiring_of_partners([found], now=NOW) == [found] * alarm
