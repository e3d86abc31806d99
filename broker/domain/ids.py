"""Identifiers, each a type of its own so that one can never be passed for another."""

import re
from typing import NewType

SchoolId = NewType("SchoolId", str)
"""Permanent slug of a school document; an input of pseudonyms, so never reused or renamed."""

BoardId = NewType("BoardId", str)
"""Slug of a school board (bevoegd gezag)."""

SchoolIdpId = NewType("SchoolIdpId", str)
"""Slug of an identity-provider document: one login of one or more schools."""

SupplierId = NewType("SupplierId", str)
"""Permanent slug of a supplier; a pseudonym belongs to a supplier, so never reused or renamed."""

RelyingPartyId = NewType("RelyingPartyId", str)
"""Slug of one registered system of a supplier."""

Brin = NewType("Brin", str)
"""BRIN4 (`11AA`) of an institution or BRIN6 (`11AA00`) of a location, upper case."""

SLUG_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")
"""Lower-case letters, digits and inner hyphens, 1 to 64 characters."""

BRIN_PATTERN = re.compile(r"[0-9]{2}[A-Z]{2}(?:[0-9]{2})?\Z")
"""Source: DUO; four characters for the institution, two digits more for a location."""


BRIN6_CHARS = 6


def is_slug(text: str) -> bool:
    """Tell whether `text` can be the permanent id of a document.

    >>> is_slug("rekenrijk"), is_slug("Reken Rijk"), is_slug("")
    (True, False, False)
    """
    return SLUG_PATTERN.match(text) is not None


def is_brin(text: str) -> bool:
    """Tell whether `text` is a BRIN4 or BRIN6.

    >>> is_brin("11AA"), is_brin("11AA00"), is_brin("11aa")
    (True, True, False)
    """
    return BRIN_PATTERN.match(text) is not None
