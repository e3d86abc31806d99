"""Bundles and shares of today open for good; one that was sealed otherwise does not."""

import json
from base64 import b64decode
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from msgspec import structs

from broker.adapters.keys.key_backup import check_bundle_whole
from broker.adapters.keys.key_bundle import (
    BUNDLE_BYTES_MAX,
    KeyBundle,
    SealedBundle,
    open_bundle,
    read_bundle,
    seal_bundle,
)
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.key_shares import PlacedShare, combine_shares
from broker.adapters.keys.share_files import Ceremony, read_share_file
from tests.vectors.make_key_backup import FILES, VECTOR

SECRET = bytes(32)
BUNDLE = KeyBundle(program="1", files={"root/root.hex": b"only-in-here"}, golden={}, checks={})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with the bundle and the shares of a former version."""
    vector = json.loads(VECTOR.read_text())
    (tmp_path / "bundle").write_bytes(b64decode(vector["bundle"]))
    for index, text in enumerate(vector["shares"]):
        share = tmp_path / f"share-{index}"
        share.touch(0o600)
        share.write_text(text)
    return tmp_path


def a_sealed_bundle(folder: Path) -> SealedBundle:
    sealed = seal_bundle(
        BUNDLE, secret=SECRET, ceremony=Ceremony("0000", "2026-11-27", 1, 1), nonce=bytes(12)
    )
    (folder / "bundle").write_bytes(sealed)
    return read_bundle(folder / "bundle")


def test_what_was_kept_on_paper_opens_for_good(kept: Path) -> None:
    shares = sorted(kept.glob("share-*"))
    assert len(shares) == 3
    sealed = read_bundle(kept / "bundle")
    for pair in combinations(shares, 2):
        placed = [PlacedShare(each, read_share_file(each).share) for each in pair]
        bundle = open_bundle(sealed, secret=combine_shares(placed))
        assert bundle.files == FILES
        check_bundle_whole(bundle, place=sealed.file)


def test_a_share_may_come_from_another_system_s_editor(kept: Path) -> None:
    share = kept / "share-0"
    as_written = read_share_file(share)
    share.write_bytes(share.read_bytes().replace(b"\n", b"\r\n"))
    assert read_share_file(share) == as_written


def test_a_bundle_opens_with_its_secret_alone(tmp_path: Path) -> None:
    sealed = a_sealed_bundle(tmp_path)
    assert open_bundle(sealed, secret=SECRET) == BUNDLE
    for spoilt, secret in (
        (sealed, b"x" * 32),
        (replace(sealed, bound=sealed.bound.replace(b"2026", b"2027")), SECRET),
        (replace(sealed, ciphertext=sealed.ciphertext[:-1] + b"x"), SECRET),
        (replace(sealed, header=structs.replace(sealed.header, initial=bytes(11))), SECRET),
    ):
        with pytest.raises(KeyProblem, match="does not open with these shares"):
            open_bundle(spoilt, secret=secret)


def test_a_file_without_end_is_no_bundle(tmp_path: Path) -> None:
    sealed = a_sealed_bundle(tmp_path)
    sealed.file.write_bytes(sealed.file.read_bytes() + bytes(BUNDLE_BYTES_MAX))
    with pytest.raises(KeyProblem, match="is no bundle"):
        read_bundle(sealed.file)


def test_nothing_secret_shows_in_a_repr(tmp_path: Path) -> None:
    sealed = a_sealed_bundle(tmp_path)
    shown = repr(sealed) + repr(open_bundle(sealed, secret=SECRET))
    assert "root/root.hex" in shown
    assert "only-in-here" not in shown
    assert "ciphertext" not in shown
