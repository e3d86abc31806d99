"""Somebody who was sent to a school's login, whatever for: what was asked, and what must fit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from broker.domain.identity import VerifiedLogin
from broker.domain.tolerances import Tolerance
from broker.flow.held_state.login_store import Claim
from broker.flow.sessions.session_records import NamedSession


class Asked(Protocol):
    """What is asked of a school's login, whoever asks."""

    @property
    def force_login(self) -> bool: ...
    @property
    def passive(self) -> bool: ...
    @property
    def max_age_seconds(self) -> int | None: ...


class NothingAsked(msgspec.Struct, frozen=True):
    """What a test or a rehearsal asks of a school's login: nothing in particular."""

    force_login: bool = False
    passive: bool = False
    max_age_seconds: int | None = None


class LevelAsked(msgspec.Struct, frozen=True):
    """What a login to our own pages asks: perhaps a new login, and perhaps a level.

    Attributes:
        levels: of `assurance.ACR_VALUES`, of which the login is to have one or a higher one.
    """

    force_login: bool = False
    passive: bool = False
    max_age_seconds: int | None = None
    levels: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class SchoolAnswer:
    """What a school stated, verified.

    Attributes:
        unreadable: names of what it stated in a form that no attribute has; counted like unknown.
        claims: one-shot values that must be used up with the next write.
        exceptions: of its document, without which the answer would have been refused.
        named: how it knows this session, where its document asks for logout.
    """

    login: VerifiedLogin
    claims: tuple[Claim, ...] = field(default=(), repr=False)
    unreadable: tuple[str, ...] = ()
    exceptions: tuple[Tolerance, ...] = ()
    named: NamedSession | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SchoolAddresses:
    """Where schools find us: our names and the places of our own that receive their answers."""

    saml_entity_id: str
    acs_url: str
    redirect_uri: str
