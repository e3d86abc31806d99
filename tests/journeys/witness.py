"""A witness at every party's door: what came in, what went out, and what the login store was given.

It looks on and changes nothing. The search for telling values reads what it wrote down.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from broker.adapters.login_store.memory import MemoryLoginStore
from broker.adapters.watching.metrics import Metrics
from broker.demo.addresses import Party
from broker.flow.federation.snapshots import RegistryInForce
from broker.flow.held_state.login_store import Claim, Put

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True)
class Exchange:
    """One request to a party and its answer, as they travelled."""

    party: Party
    path: str
    query: bytes
    asked_headers: Headers
    asked_body: bytes = b""
    status: int = 0
    told_headers: Headers = ()
    told_body: bytes = b""

    @property
    def url(self) -> bytes:
        return self.path.encode() + b"?" + self.query

    @property
    def asked(self) -> bytes:
        """Everything that came in."""
        return b"\n".join((self.url, *map(b": ".join, self.asked_headers), self.asked_body))

    @property
    def told(self) -> bytes:
        """Everything that went out."""
        return b"\n".join((*map(b": ".join, self.told_headers), self.told_body))


@dataclass(slots=True)
class Witness:
    """What was seen of one world.

    Attributes:
        stored: every record and locator that the login store was ever given.
        logs: files to which the world's logs go.
        metrics: of each broker.
        registries: what each broker has in force.
    """

    folder: Path
    exchanges: list[Exchange] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)
    metrics: list[Metrics] = field(default_factory=list)
    registries: list[RegistryInForce] = field(default_factory=list)

    def at(self, *parties: Party) -> Iterator[Exchange]:
        """Return what happened at these parties."""
        return (each for each in self.exchanges if each.party in parties)

    def stand_at(self, party: Party, app: ASGIApp) -> ASGIApp:
        """Return the party's application, watched."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            seen = Exchange(party, scope["path"], scope["query_string"], scope["headers"])
            self.exchanges.append(seen)

            async def note_asked() -> Message:
                message = await receive()
                seen.asked_body += message.get("body", b"")
                return message

            async def note_told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    seen.status, seen.told_headers = message["status"], list(message["headers"])
                seen.told_body += message.get("body", b"")
                await send(message)

            await app(scope, note_asked, note_told)

        return watched

    def open_registry(self, *of: Any, **settings: Any) -> RegistryInForce:
        """Return a registry that is kept up to date, and can be looked at here."""
        opened = RegistryInForce(*of, **settings)
        self.registries.append(opened)
        return opened

    def make_store(self, **settings: object) -> MemoryLoginStore:
        """Return a login store whose every record is written down here."""
        stored = self.stored

        class WatchedStore(MemoryLoginStore):
            async def put(self, puts: Sequence[Put], *, claims: Sequence[Claim] = ()) -> None:
                stored.extend(part for each in puts for part in (each.locator, each.sealed))
                stored.extend(each.locator for each in claims)
                await super().put(puts, claims=claims)

        return WatchedStore(**settings)  # type: ignore[arg-type]
