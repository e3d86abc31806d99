"""Two hundred thousand agreements in some twenty megabytes: packed, and unpacked one at a time.

As objects in a dictionary they would take ten times as much in every worker. Packed, a look-up
costs a few microseconds whatever their number.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from broker.domain.federation import Agreement

Side = TypeVar("Side", bound=str)
Other = TypeVar("Other", bound=str)

_DECODER = msgspec.msgpack.Decoder(Agreement)


class PackedAgreements(Mapping[tuple[Side, Other], Agreement]):
    """Agreements by who signed them and their supplier.

    Args:
        packed: (`signer/supplier`, its record in msgpack), in order of the first.

    Raises:
        ValueError: they are not in order.
    """

    def __init__(self, packed: Iterable[tuple[str, bytes]]) -> None:
        keys: list[bytes] = []
        records: list[bytes] = []
        key_ends, record_ends = array("Q", [0]), array("Q", [0])
        for key, record in packed:
            encoded = key.encode()
            if keys and encoded <= keys[-1]:
                raise ValueError("the agreements are not in order of their keys")
            keys.append(encoded)
            records.append(record)
            key_ends.append(key_ends[-1] + len(encoded))
            record_ends.append(record_ends[-1] + len(record))
        self._keys = b"".join(keys)
        self._records = b"".join(records)
        self._key_ends, self._record_ends = key_ends, record_ends

    def __len__(self) -> int:
        return len(self._key_ends) - 1

    def __getitem__(self, key: tuple[Side, Other]) -> Agreement:
        wanted = "/".join(key).encode()
        index = bisect_left(range(len(self)), wanted, key=self._key_at)
        if index == len(self) or self._key_at(index) != wanted:
            raise KeyError(key)
        begin, end = self._record_ends[index : index + 2]
        return _DECODER.decode(self._records[begin:end])

    def __iter__(self) -> Iterator[tuple[Side, Other]]:
        for index in range(len(self)):
            side, _, other = self._key_at(index).decode().partition("/")
            yield side, other  # type: ignore[misc] -- the types are names for str

    def _key_at(self, index: int) -> bytes:
        begin, end = self._key_ends[index : index + 2]
        return self._keys[begin:end]
