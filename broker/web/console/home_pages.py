"""The first page of the console, and the one that says who is logged in."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRole:
    """A role in words: `words` is a message id, `place_name` the name of the place or ""."""

    words: str
    place_name: str
    last_day: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLine:
    """Work that waits: `words` is a message id."""

    words: str
    path: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Where everybody begins."""

    template: ClassVar[str] = "console/home.html"
    roles: tuple[ShownRole, ...]
    waiting: tuple[WaitingLine, ...] = ()
