"""Transfers at rest: one contract, on SQLite and in memory; and what SQLite adds."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from broker.adapters.databases.sql_register import SqlitePersonRegister
from broker.adapters.databases.sql_transfers import SqliteTransfers
from broker.adapters.databases.sql_upgrade import upgrade_database
from broker.domain.transfer_refusals import TransfersUnavailable
from broker.flow.transfers.transfer_offers import OfferStage, StoredOffer, TransferOffers
from tests.flow.memory_transfers import MemoryOffers

TODAY = date(2026, 9, 7)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "register.db"
    upgrade_database(made, "register")
    return made


@pytest.fixture(params=["memory", "sqlite"])
def offers(request: pytest.FixtureRequest, path: Path) -> TransferOffers:
    return MemoryOffers() if request.param == "memory" else SqliteTransfers(path)


def an_offer(name: bytes = b"a", *, person: bytes = b"p", days: int = 30) -> StoredOffer:
    return StoredOffer(
        tag=name * 32,
        person_tag=person * 32,
        sealed=b"sealed",
        last_day=TODAY + days * DAY,
        stage=OfferStage.PREPARED,
    )


def put_in_force(offers: TransferOffers, offer: StoredOffer) -> StoredOffer:
    offered = replace(offer, stage=OfferStage.OFFERED)
    assert offers.change(offer, offered)
    return offered


def test_what_was_added_is_found(offers: TransferOffers) -> None:
    assert offers.find(b"a" * 32) is None
    assert offers.add(an_offer(), today=TODAY)
    assert offers.find(b"a" * 32) == an_offer()


async def test_who_is_erased_leaves_theirs(path: Path) -> None:
    offers, register = SqliteTransfers(path), SqlitePersonRegister(path)
    offers.add(an_offer(), today=TODAY)
    offers.add(an_offer(b"b", person=b"q"), today=TODAY)
    assert await register.erase({b"p" * 32: b""}) == 0
    await register.close()
    assert offers.find(b"a" * 32) is None
    assert offers.find(b"b" * 32)


def test_each_person_has_one(offers: TransferOffers) -> None:
    offers.add(an_offer(), today=TODAY)
    put_in_force(offers, an_offer())
    assert not offers.add(an_offer(b"b"), today=TODAY)
    assert offers.find(b"b" * 32) is None
    assert offers.add(an_offer(b"b", person=b"q"), today=TODAY)


def test_one_that_was_only_prepared_gives_way(offers: TransferOffers) -> None:
    offers.add(an_offer(), today=TODAY)
    assert offers.add(an_offer(b"b"), today=TODAY)
    assert offers.find(b"a" * 32) is None


def test_one_that_is_over_gives_way_and_a_used_one_does_not(offers: TransferOffers) -> None:
    offers.add(an_offer(days=1), today=TODAY)
    offered = put_in_force(offers, an_offer(days=1))
    assert not offers.add(an_offer(b"b"), today=TODAY + DAY)
    assert offers.add(an_offer(b"b"), today=TODAY + 2 * DAY)
    assert offers.find(offered.tag) is None
    second = put_in_force(offers, an_offer(b"b"))
    assert offers.change(second, replace(second, stage=OfferStage.USED))
    assert not offers.add(an_offer(b"c"), today=TODAY + 300 * DAY)
    assert offers.find(b"b" * 32) is not None
    assert offers.add(an_offer(b"c", days=900), today=TODAY + 400 * DAY)
    assert offers.find(b"b" * 32) is None


def test_changes_what_is_as_expected_alone(offers: TransferOffers) -> None:
    offers.add(an_offer(), today=TODAY)
    offered = put_in_force(offers, an_offer())
    accepting = replace(offered, accepting=b"somebody")
    assert offers.change(offered, accepting)
    assert not offers.change(offered, replace(offered, stage=OfferStage.USED))
    used = replace(accepting, stage=OfferStage.USED, accepting=None)
    assert offers.change(accepting, used)
    assert offers.find(used.tag) == used
    assert not offers.change(an_offer(b"z"), used)


def test_a_database_that_is_none_is_unavailable(tmp_path: Path) -> None:
    broken = tmp_path / "register.db"
    broken.write_bytes(b"no database at all" * 100)
    offers = SqliteTransfers(broken)
    with pytest.raises(TransfersUnavailable):
        offers.find(b"a" * 32)
    with pytest.raises(TransfersUnavailable):
        offers.add(an_offer(), today=TODAY)
    with pytest.raises(TransfersUnavailable):
        offers.change(an_offer(), an_offer())
