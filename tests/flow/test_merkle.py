"""RFC 9162 trees: the streamed root is the recursive one, and paths lead where they say."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.flow.receipts.merkle import (
    WrongPath,
    audit_paths,
    check_audit_path,
    hash_leaf,
    merkle_root,
)

LEAVES = [hash_leaf(bytes([index])) for index in range(40)]


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = recursive_root(leaves[:k]), recursive_root(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(40))
def test_root_is_the_one_of_the_rfc(size: int) -> None:
    assert merkle_root(iter(LEAVES[:size])) == (size, recursive_root(LEAVES[:size]))


@pytest.mark.parametrize("size", range(1, 40))
def test_every_path_leads_to_the_root(size: int) -> None:
    root = recursive_root(LEAVES[:size])
    paths = audit_paths(iter(LEAVES[:size]), indexes=range(size), size=size)
    for index in range(size):
        check_audit_path(LEAVES[index], paths[index], index=index, size=size, expected_root=root)


@given(st.integers(1, 40), st.data())
def test_a_path_proves_one_leaf_at_one_place(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = recursive_root(LEAVES[:size])
    paths = audit_paths(iter(LEAVES[:size]), indexes={index}, size=size)
    other = data.draw(st.integers(0, 39).filter(lambda each: each != index))
    with pytest.raises(WrongPath):
        check_audit_path(LEAVES[other], paths[index], index=index, size=size, expected_root=root)
    with pytest.raises(WrongPath):
        check_audit_path(LEAVES[index], paths[index], index=other, size=size, expected_root=root)


def test_path_of_another_length_is_refused() -> None:
    root = recursive_root(LEAVES[:5])
    path = audit_paths(LEAVES[:5], indexes=[2], size=5)[2]
    check_audit_path(LEAVES[2], path, index=2, size=5, expected_root=root)
    for wrong in (path[:-1], (*path, bytes(32))):
        with pytest.raises(WrongPath):
            check_audit_path(LEAVES[2], wrong, index=2, size=5, expected_root=root)


def test_path_to_no_leaf_is_refused() -> None:
    assert audit_paths(LEAVES[:3], indexes=[], size=3) == {}
    with pytest.raises(ValueError, match="no such leaf"):
        audit_paths(LEAVES[:3], indexes=[3], size=3)
    with pytest.raises(ValueError, match="fewer leaves"):
        audit_paths(LEAVES[:3], indexes=[0], size=4)
