"""What is tolerated of one school's login for a while, by exception (`[[exception]]`).

Each has an end and a reason, belongs to one login, and shows as a warning as long as it stands
there. None reaches any other school.
"""

from datetime import date
from enum import StrEnum

import msgspec


class Tolerance(StrEnum):
    """What may be tolerated of one school's SAML login, until a day that its document states."""

    SHA1_SIGNATURES = "sha1-signatures"
    """RSA signatures over SHA-1, and SHA-1 digests in them."""
    AES_CBC = "aes-cbc"
    """Encryption by AES-CBC, inside of what is signed."""
    NO_NAME_ID = "no-name-id"
    """A subject without NameID: who it is follows from attributes."""


class IdpException(msgspec.Struct, frozen=True, kw_only=True):
    """One tolerance, as the document of a login states it (`[[exception]]`).

    Attributes:
        last_day: up to and including this day, in the Netherlands.
        reason: in words, for operators.
    """

    name: Tolerance
    last_day: date
    reason: str
