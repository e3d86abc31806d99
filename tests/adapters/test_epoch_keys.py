"""The key of an epoch may go from a running broker when no supplier needs it, and only then."""

from pathlib import Path

import pytest

from broker.adapters.keys.epoch_keys import add_next_epoch, check_epoch_unused, remove_epoch
from broker.adapters.keys.key_files import KeyProblem
from broker.adapters.keys.keys_init import init_keys
from broker.adapters.keys.keys_on_disk import BrokerKeys, KeysUnusable, load_keys
from broker.adapters.keys.keys_standing import check_epochs_stay, check_keys_stay
from tests.builders_saml import NOW


@pytest.fixture
def keys(tmp_path: Path) -> BrokerKeys:
    """Keys of the epochs a and b."""
    init_keys(tmp_path / "keys", now=NOW, issuer_name="Test")
    add_next_epoch(load_keys(tmp_path / "keys"), known=())
    return load_keys(tmp_path / "keys")


def test_a_key_that_nobody_needs_is_forgotten(keys: BrokerKeys) -> None:
    check_epoch_unused(keys, "a", in_use={"b": ("rekenrijk",)})
    remove_epoch(keys, "a")
    left = load_keys(keys.folder)
    check_keys_stay(left, before=keys)
    check_epochs_stay(left, in_use={"b"})
    assert set(left.pairwise.by_letter) == {"b"}
    assert add_next_epoch(left, known=()) == "c"


def test_a_key_that_somebody_needs_is_missed(keys: BrokerKeys) -> None:
    with pytest.raises(KeyProblem, match="rekenrijk"):
        check_epoch_unused(keys, "a", in_use={"a": ("rekenrijk",)})
    remove_epoch(keys, "a")
    with pytest.raises(KeysUnusable, match=r"a\.hex"):
        check_epochs_stay(load_keys(keys.folder), in_use={"a", "b"})
    check_epochs_stay(keys, in_use={"a", "b"})


def test_a_name_that_was_given_meanwhile_is_not_written_over(keys: BrokerKeys) -> None:
    assert add_next_epoch(keys, known=()) == "c"
    with pytest.raises(KeyProblem, match="is there already"):
        add_next_epoch(keys, known=())
