"""The demo's parties against each other, in process: no sockets, no broker."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from broker.demo.keys import KeyPair, write_rsa_pair
from broker.demo.peers import PeerDocument


class KnownDocument(PeerDocument):
    """A document that is there without fetching."""

    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__("http://nobody.invalid/")
        self._known = text

    async def read(self) -> str:
        return self._known()


@pytest.fixture(scope="session")
def rsa_pairs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, KeyPair]:
    folder: Path = tmp_path_factory.mktemp("keys")
    return {
        purpose: write_rsa_pair(folder, purpose=purpose, owner="test")
        for purpose in ("school", "supplier", "encryption")
    }
