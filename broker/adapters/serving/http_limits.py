"""What one worker takes in over HTTP, and the connections that are open, by what they wait for.

A limit on connections that turned newcomers away would let a crowd of silent ones shut out every
pupil. So the newcomer is let in and the one that has waited longest goes: first of those that
never sent a whole request, then of those that are kept open between two.
"""

from dataclasses import dataclass
from typing import Protocol

API_PREFIX = b"/api/"

LINE_OVERHEAD_BYTES = 4  # ": " and the line break
FIRST_LINE_OVERHEAD_BYTES = 64  # method, version, and line breaks before them


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Of one body: its bytes, and the seconds until it is complete."""

    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one worker takes in.

    Attributes:
        address_bytes: of path and query.
        headers, header_bytes: their number; of names and values together.
        head_seconds: until a head is complete.
        body_bytes, body_seconds: of a body, and until it is complete.
        api_body_bytes, api_body_seconds: the same below `/api/`, where programs send lists.
        keep_alive_seconds: that an idle connection stays open: longer than the proxy keeps it.
        drain_seconds: that idle connections stay open when the worker stops: longer likewise.
        connections: open at once.
    """

    address_bytes: int
    headers: int
    header_bytes: int
    head_seconds: float
    body_bytes: int
    body_seconds: float
    api_body_bytes: int
    api_body_seconds: float
    keep_alive_seconds: float
    drain_seconds: float
    connections: int

    def of_body(self, address: bytes) -> BodyLimits:
        """Return what a body at this address may be."""
        if address.startswith(API_PREFIX):
            return BodyLimits(self.api_body_bytes, self.api_body_seconds)
        return BodyLimits(self.body_bytes, self.body_seconds)

    @property
    def head_bytes(self) -> int:
        """Of a head as it comes, with all that stands between names and values."""
        between = LINE_OVERHEAD_BYTES * self.headers + FIRST_LINE_OVERHEAD_BYTES
        return self.address_bytes + self.header_bytes + between


class Idler(Protocol):
    """A connection that may be asked to go."""

    def make_room(self) -> None:
        """Close now; nothing of an answer is lost."""


class OpenConnections:
    """At most `limit` connections, and whether the worker is about to stop."""

    def __init__(self, limit: int) -> None:
        self.draining = False
        self._limit = limit
        self._count = 0
        self._without_request: dict[Idler, None] = {}
        self._between_requests: dict[Idler, None] = {}

    def open(self, newcomer: Idler) -> bool:
        """Take one in; False when all others are being answered, so that it must go itself."""
        self._count += 1
        if self._count > self._limit:
            oldest = next(iter(self._without_request or self._between_requests), None)
            if oldest is None:
                return False
            self.begin(oldest)
            oldest.make_room()
        self._without_request[newcomer] = None
        return True

    def begin(self, each: Idler) -> None:
        """Note that it is answered, or leaves: it is not asked to make room."""
        self._without_request.pop(each, None)
        self._between_requests.pop(each, None)

    def wait_for_head(self, each: Idler) -> None:
        """Note that it has sent a part of its next request."""
        if self._between_requests.pop(each, self) is None:
            self._without_request[each] = None

    def rest(self, each: Idler) -> None:
        """Note that it was answered, and is kept open."""
        self._between_requests[each] = None

    def close(self, each: Idler) -> None:
        """Note that it is gone."""
        self.begin(each)
        self._count -= 1
