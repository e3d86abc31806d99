"""The transport as an answer sees it that is sent while the peer may still be sending."""

import asyncio
from typing import Protocol


class Lingerer(Protocol):
    """A connection that ends its own side first."""

    transport: asyncio.Transport

    def linger(self) -> None:
        """End our side, and throw away what still comes."""


class LingeringTransport:
    """Writes as its connection does, and does not close before the peer had time to read."""

    def __init__(self, connection: Lingerer) -> None:
        self._connection = connection

    def write(self, data: bytes) -> None:
        """Send."""
        self._connection.transport.write(data)

    def close(self) -> None:
        """Have the connection linger."""
        self._connection.linger()

    def is_closing(self) -> bool:
        """Tell whether nothing can be sent any more."""
        return self._connection.transport.is_closing()
