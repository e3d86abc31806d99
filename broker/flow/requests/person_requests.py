"""What a pupil or parent asks of the school, how it rests, and where.

An objection (GDPR 21), a correction (16) or an erasure (17) is a request: the school's privacy
officer decides it within a deadline. It says what it is about by choices from lists and never in
free words, for words of a pupil are what we must not keep. So does the officer's answer.

    who     = the tags of `broker.flow.shielding.shield_records`, one for each root
    subject = seal(request subject key, JSON of `RequestSubject`, bound to id and school)
    same    = mac(request subject key, "schuilnaam/request-same/v1", a tag, kind, supplier,
              attribute)

Whose a request is stands nowhere readable. The school finds the pupil by the request's short code,
which the pupil or parent passes on, or by holding its own list of numbers beside its requests
(`broker.flow.requests.matching`). A thief of the database sees how many requests of which kind a
school got, and when; with all keys also about which supplier; and whose one is, only of persons
whose ECK iD or school number he knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NewType, Protocol

import msgspec

from broker.domain.attributes import AttributeName
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.held_state.framing import mac, seal, unseal
from broker.flow.persons.person_records import Stored
from broker.flow.shielding.shield_records import ShieldKeys
from broker.pseudonyms.derivation import lp

RequestId = NewType("RequestId", str)
"""Short code that a pupil can pass on to the school: twice 8 speakable letters; names nobody."""

MAX_OPEN_REQUESTS = 5
"""Of one person at one school; whoever has more to say, says it to the school."""

KEPT_DAYS = 365
"""For so long a request is kept that was decided and has no effect any more."""


class RequestKind(StrEnum):
    """What is asked."""

    OBJECTION = "objection"
    """Not to go to one supplier any more, or without one attribute."""
    CORRECTION = "correction"
    """What the school states is wrong."""
    ERASURE = "erasure"
    """To be forgotten, at one supplier or here."""


class RequestState(StrEnum):
    """How far a request is."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """By who filed it; or granted, and taken back since."""


class Grounds(StrEnum):
    """Why it was decided so; from a list, so that no words about a pupil are kept."""

    AS_ASKED = "as-asked"
    NEEDED_FOR_LESSONS = "needed-for-lessons"
    LAW_REQUIRES = "law-requires"
    IS_CORRECT = "is-correct"
    NOT_OURS = "not-ours"
    TALKED_IT_OVER = "talked-it-over"


class TooManyRequests(Refusal):
    code = "E-PUPIL-1"
    whose_task = WhoseTask.PUPIL
    what = "You have asked your school several things already, and it has not answered them yet."
    remedy = "Please wait for the answers, or take one of your requests back first."
    http_status = 409


class RequestNotThere(Refusal):
    code = "E-PUPIL-2"
    whose_task = WhoseTask.PUPIL
    what = "There is no such request here."
    remedy = "Go back to the list of requests and choose one."
    http_status = 404


class RequestChanged(Refusal):
    code = "E-PUPIL-3"
    whose_task = WhoseTask.PUPIL
    what = "This request was decided or taken back meanwhile. Nothing was changed."
    remedy = "Go back to the list of requests to see how it stands now."
    http_status = 409


class RequestNotPossible(Refusal):
    code = "E-PUPIL-4"
    whose_task = WhoseTask.PUPIL
    what = "This cannot be asked or answered so."
    remedy = "Go back and choose from the lists on the page."
    http_status = 400


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """One request; it names nobody.

    Attributes:
        supplier: that it is about; None: all of them, or the school itself.
        attribute: that it is about; None: all.
        deadline: last day on which the school may decide.
        blocks: an objection that holds until it is decided, for the school's document says so.
        by_parent: who asked was a parent.
        decided_on, grounds: None while it is open, or when it was taken back before.
    """

    id: RequestId
    kind: RequestKind
    school: SchoolId
    supplier: SupplierId | None
    attribute: AttributeName | None
    filed_on: date
    deadline: date
    blocks: bool
    state: RequestState
    by_parent: bool
    decided_on: date | None = None
    grounds: Grounds | None = None

    def days_left(self, today: date) -> int:
        """Return how many days are left to decide; below zero it is overdue."""
        return (self.deadline - today).days


class RequestSubject(Stored, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request is about, as it rests sealed."""

    supplier: SupplierId | None = None
    attribute: AttributeName | None = None
    by_parent: bool = False


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One request as it rests."""

    id: RequestId
    school: SchoolId
    kind: RequestKind
    state: RequestState
    filed_on: date
    deadline: date
    blocks: bool
    subject: bytes = field(repr=False)
    decided_on: date | None = None
    grounds: Grounds | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """A request to be stored.

    Attributes:
        same: by which the same request is known again while it is open.
        persons: tags of who asks.
        shields: tag and sealed row of what an objection takes away, once and as long as its state
            says so.
        most_open: requests that one person may have open.
    """

    request: StoredRequest
    same: bytes = field(repr=False)
    persons: tuple[bytes, ...] = field(repr=False)
    shields: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    most_open: int = MAX_OPEN_REQUESTS


@dataclass(frozen=True, slots=True)
class RequestMove:
    """A request that shall be in another state.

    Attributes:
        before: in which it must be.
    """

    id: RequestId
    school: SchoolId
    before: RequestState
    after: RequestState
    on: date
    grounds: Grounds | None = None


class RequestBook(Protocol):
    """Where requests rest. Knows no person."""

    async def file(self, filing: Filing) -> RequestId:
        """Store a request durably and return its id; that of the same one if that is open.

        Removes what was decided more than `KEPT_DAYS` before.

        Raises:
            TooManyRequests: nothing was stored.
            RegisterUnavailable: nobody knows whether it is stored.
        """
        ...

    async def of_persons(self, tags: Sequence[bytes]) -> Sequence[StoredRequest]:
        """Return the requests of somebody at one school, newest first.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...

    async def of_school(self, school: SchoolId) -> Sequence[StoredRequest]:
        """Return the requests at a school, those with the first deadline first.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...

    async def persons_of(self, school: SchoolId) -> Mapping[bytes, Sequence[RequestId]]:
        """Return which requests at a school each tag has.

        Raises:
            RegisterUnavailable: they cannot be read.
        """
        ...

    async def move(self, move: RequestMove) -> bool:
        """Put a request in another state, durably; False when it is not as expected.

        Raises:
            RegisterUnavailable: nobody knows whether it is.
        """
        ...


def seal_subject(
    subject: RequestSubject, *, of: RequestId, school: SchoolId, keys: ShieldKeys, nonce: bytes
) -> bytes:
    """Return what a request is about as it will rest."""
    return seal(keys.subject, subject, nonce=nonce, bound_to=lp(of, school))


def read_request(stored: StoredRequest, *, keys: ShieldKeys) -> PersonRequest:
    """Return a request with what it is about.

    Raises:
        UnreadableRecord: another key, or changed.
    """
    plain = unseal(keys.subject, stored.subject, bound_to=lp(stored.id, stored.school))
    subject = msgspec.json.decode(plain, type=RequestSubject)
    return PersonRequest(
        id=stored.id,
        kind=stored.kind,
        school=stored.school,
        supplier=subject.supplier,
        attribute=subject.attribute,
        filed_on=stored.filed_on,
        deadline=stored.deadline,
        blocks=stored.blocks,
        state=stored.state,
        by_parent=subject.by_parent,
        decided_on=stored.decided_on,
        grounds=stored.grounds,
    )


def mark_same(
    tag: bytes,
    kind: RequestKind,
    supplier: SupplierId | None,
    attribute: AttributeName | None,
    *,
    keys: ShieldKeys,
) -> bytes:
    """Return by which a request is known again that says the same: 32 bytes."""
    told = (kind.value, supplier or "", attribute or "")
    return mac(keys.subject, b"schuilnaam/request-same/v1", tag, *told)
