"""The forms of single values in federation documents, and the base of their tables."""

from typing import Annotated

import msgspec
from msgspec import Meta

from broker.domain.ids import BRIN_PATTERN, SLUG_PATTERN

Slug = Annotated[str, Meta(pattern=f"^{SLUG_PATTERN.pattern}")]
BrinText = Annotated[str, Meta(pattern=f"^{BRIN_PATTERN.pattern}")]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Url = Annotated[str, Meta(pattern=r"^https?://[^\s]+\Z", max_length=2000)]
RedirectUri = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+\Z", max_length=2000)]
SecretHash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]  # hex SHA-256
EntityId = Annotated[str, Meta(min_length=1, max_length=1024)]  # SAML core 8.3.6


class Document(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of every table of a document. Written out, it holds what differs from the defaults."""
