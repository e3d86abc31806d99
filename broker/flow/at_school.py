"""Somebody who was sent to a school's login, whatever for: what was asked, and what must fit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class Asked(Protocol):
    """What is asked of a school's login, whoever asks."""

    @property
    def force_login(self) -> bool: ...
    @property
    def passive(self) -> bool: ...
    @property
    def max_age_seconds(self) -> int | None: ...


class AtSchool(Protocol):
    """What the answer of a school's login must fit; see `PendingLogin`."""

    @property
    def request(self) -> Asked: ...
    @property
    def request_id(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def code_verifier(self) -> str: ...
    @property
    def sent_at(self) -> datetime: ...
    @property
    def force_login(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """How a browser was sent to a school's login; the fields of `PendingLogin`."""

    request_id: str
    sent_at: datetime
    force_login: bool
    nonce: str = field(default="", repr=False)
    code_verifier: str = field(default="", repr=False)
