"""Merkle trees of RFC 9162 (section 2.1) over SHA-256, in one pass and with little memory.

Leaves come as hashes (`hash_leaf`) from an iterator, since an hour of receipts need not fit in
memory.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice


class WrongPath(Exception):  # noqa: N818 -- said of a path, like a refusal
    """An audit path does not lead from the leaf to the root."""


def hash_leaf(entry: bytes) -> bytes:
    """Return the leaf hash of an entry: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def merkle_root(leaves: Iterable[bytes]) -> tuple[int, bytes]:
    """Return how many leaves there are and the root over them.

    >>> merkle_root([])[1] == hashlib.sha256().digest()
    True
    """
    peaks: list[tuple[int, bytes]] = []  # complete subtrees, by falling size
    size = 0
    for leaf in leaves:
        size += 1
        width, node = 1, leaf
        while peaks and peaks[-1][0] == width:
            node = _hash_node(peaks.pop()[1], node)
            width *= 2
        peaks.append((width, node))
    if not peaks:
        return 0, hashlib.sha256().digest()
    root = peaks.pop()[1]
    while peaks:
        root = _hash_node(peaks.pop()[1], root)
    return size, root


def audit_paths(
    leaves: Iterable[bytes], *, indexes: Collection[int], size: int
) -> dict[int, tuple[bytes, ...]]:
    """Return what leads from each of some leaves to the root (RFC 9162 2.1.3.1), nearest first.

    Args:
        leaves: exactly `size` of them, read once.

    Raises:
        ValueError: an index is not below `size`, or there are fewer leaves.
    """
    if any(not 0 <= index < size for index in indexes):
        raise ValueError("no such leaf")
    if not indexes:
        return {}
    _, paths = _climb(iter(leaves), sorted(indexes), first=0, size=size)
    return {index: tuple(path) for index, path in paths.items()}


def check_audit_path(
    leaf: bytes, path: Sequence[bytes], *, index: int, size: int, expected_root: bytes
) -> None:
    """Hold that a leaf stands at `index` under a root (RFC 9162 2.1.3.2).

    Raises:
        WrongPath: it does not.
    """
    if not 0 <= index < size:
        raise WrongPath
    position, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise WrongPath
        if position & 1 or position == last:
            node = _hash_node(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = _hash_node(node, sibling)
        position, last = position >> 1, last >> 1
    if last or not hmac.compare_digest(node, expected_root):
        raise WrongPath


def _climb(
    leaves: Iterator[bytes], indexes: Sequence[int], *, first: int, size: int
) -> tuple[bytes, dict[int, list[bytes]]]:
    """Return the root over the next `size` leaves, `first` on, and the paths to some of them."""
    if not indexes or size == 1:
        return _take_root(leaves, size), {index: [] for index in indexes}
    left_size = 1 << ((size - 1).bit_length() - 1)  # largest power of two below `size`
    middle = first + left_size
    left, paths = _climb(leaves, [i for i in indexes if i < middle], first=first, size=left_size)
    right, right_paths = _climb(
        leaves, [i for i in indexes if i >= middle], first=middle, size=size - left_size
    )
    for path in paths.values():
        path.append(right)
    for path in right_paths.values():
        path.append(left)
    return _hash_node(left, right), paths | right_paths


def _take_root(leaves: Iterator[bytes], size: int) -> bytes:
    taken, root = merkle_root(islice(leaves, size))
    if taken != size:
        raise ValueError("fewer leaves than the size says")
    return root


def _hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
