"""What was done in the console, for who may read it."""

from dataclasses import dataclass, field
from typing import ClassVar

from broker.web.console.people_pages import PlaceChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One action: `before` and `after` are settings, in JSON or ""."""

    number: int
    at: str
    who: str = field(repr=False)
    role: str
    action: str
    where: str
    before: str = ""
    after: str = ""
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLogPage:
    """The log of a place, some entries of it."""

    template: ClassVar[str] = "console/audit.html"
    place: str
    place_name: str
    places: tuple[PlaceChoice, ...]
    rows: tuple[AuditRow, ...]
    query: str = field(default="", repr=False)
    first: int = 0
    last: int = 0
    total: int = 0
    previous_url: str = field(default="", repr=False)
    next_url: str = field(default="", repr=False)
