"""While a supplier's window is open each login tells it the pseudonym and the one of before."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.ids import SchoolId
from broker.domain.relying_parties import ClaimProfile
from broker.flow.answers import Answer, ChooseSchool, Refused
from broker.flow.naming import PseudonymsRotated, name_person
from broker.flow.persons.persons import KnownPerson
from broker.flow.persons.register import StoredRow, derive_tag, open_record
from broker.flow.receipts.receipts import ReceiptContent, derive_receipt_keys, open_receipt
from broker.pseudonyms.derivation import PersonRoot, parse_eckid, root_from_eckid
from broker.pseudonyms.epochs import EpochKeyMissing
from broker.saml_xml.elements import build_element
from broker.saml_xml.names import NAMEID_TRANSIENT
from tests import builders_saml as saml
from tests.builders import a_supplier
from tests.flow.login_answers import Browser, read_at_school, welcomed
from tests.flow.login_parties import (
    BIOSFEER_OIDC,
    BIOSFEER_SAML,
    REKENRIJK,
    TAALTUIN,
    with_party,
)
from tests.flow.login_world import SANNE, LoginWorld

PARTIES = (REKENRIJK, TAALTUIN, BIOSFEER_OIDC, BIOSFEER_SAML)
"""Both protocols; two suppliers with one system, and one with two."""

PREVIOUS = "previous_sub"


def supplier_of(party: str) -> str:
    return "biosfeer" if party.startswith("biosfeer") else party


def told(claims: Any) -> str | None:
    """Return what a supplier reads as `previous_sub`."""
    stated = claims.get(PREVIOUS)
    return stated[0] if isinstance(stated, list) else stated


def sanne_root(world: LoginWorld) -> PersonRoot:
    (eck_id,) = SANNE.attributes["eckId"]
    return root_from_eckid(parse_eckid(eck_id), key=world.keys.root)


@pytest.mark.parametrize("party", PARTIES)
async def test_the_old_name_is_told_while_the_window_is_open(world: LoginWorld, party: str) -> None:
    before = await world.log_in(party)
    assert told(before.claims) is None
    supplier = supplier_of(party)
    world.change(supplier, epoch="b", previous_epoch="a")
    within = await world.log_in(party)
    assert within.subject[0] == "b"
    assert told(within.claims) == before.subject
    assert {k: v for k, v in within.claims.items() if k != PREVIOUS} == before.claims
    world.change(supplier, epoch="a", previous_epoch="b")  # turned back
    back = await world.log_in(party)
    assert (back.subject, told(back.claims)) == (before.subject, within.subject)
    world.change(supplier, epoch="b", previous_epoch=None)  # closed
    after = await world.log_in(party)
    assert (after.subject, told(after.claims)) == (within.subject, None)


@pytest.mark.parametrize("party", [REKENRIJK, BIOSFEER_OIDC])
@pytest.mark.parametrize("profile", ClaimProfile)
async def test_the_id_token_and_userinfo_tell_the_same_in_each_profile(
    world: LoginWorld, party: str, profile: ClaimProfile
) -> None:
    supplier = supplier_of(party)
    before = await world.log_in(party)
    world.put(supplier, with_party(world.records[supplier], party, claims=profile))  # type: ignore[arg-type]
    world.change(supplier, epoch="b", previous_epoch="a")
    received = await world.log_in(party)
    assert received.protocol_values[PREVIOUS] == received.claims[PREVIOUS] == before.subject


async def test_nobody_is_told_the_name_of_another_supplier(world: LoginWorld) -> None:
    before = {party: (await world.log_in(party)).subject for party in PARTIES}
    for each in ("rekenrijk", "taaltuin", "biosfeer"):
        world.change(each, epoch="b", previous_epoch="a")
    for party in PARTIES:
        received = await world.log_in(party)
        assert told(received.claims) == before[party]
    assert len(set(before.values())) == 3  # Biosfeer's two systems have one


async def test_the_rotation_of_one_supplier_changes_nothing_at_another(world: LoginWorld) -> None:
    before = await world.log_in(TAALTUIN)
    world.change("rekenrijk", epoch="b", previous_epoch="a")
    after = await world.log_in(TAALTUIN)
    assert (after.subject, after.claims) == (before.subject, before.claims)


async def test_a_transient_name_has_none_of_before(world: LoginWorld) -> None:
    world.change("taaltuin", epoch="b", previous_epoch="a")
    received = await world.receive(await arrive_unnamed(world), TAALTUIN)
    assert received.protocol_values["format"] == NAMEID_TRANSIENT
    assert told(received.claims) is None


async def arrive_unnamed(world: LoginWorld) -> Answer:
    """Log in with a request for a transient NameID."""
    browser = Browser()
    policy = build_element(saml.samlp("NameIDPolicy"), {"Format": NAMEID_TRANSIENT})
    chooser = browser.follow(await world.flow.begin(world.ask(TAALTUIN, policy)))
    assert isinstance(chooser, ChooseSchool)
    at_school = read_at_school(await world.choose(browser, chooser.login, "vuurvogel"))
    return await world.come_back(browser, at_school, SANNE)


async def test_the_receipt_names_both_epochs(world: LoginWorld) -> None:
    await world.log_in()
    world.change("rekenrijk", epoch="b", previous_epoch="a")
    await world.log_in()
    first, second = (open_sannes(world, index) for index in (0, 1))
    assert (first.epoch, first.previous_epoch) == ("a", "")
    assert (second.epoch, second.previous_epoch) == ("b", "a")


def open_sannes(world: LoginWorld, index: int) -> ReceiptContent:
    root, keys = sanne_root(world), world.keys.register
    row: StoredRow = world.register.rows[derive_tag(keys, root)]
    record = open_record(row, root=root, keys=keys)
    receipt_keys = derive_receipt_keys(
        world.keys.receipts, root=root, school=SchoolId("vuurvogel"), salt=record.salt
    )
    return open_receipt(world.receipts.kept[index], keys=receipt_keys)


class TestAPageThatWaits:
    """A supplier may have renamed its accounts while somebody looked at our page."""

    async def test_a_rotation_meanwhile_asks_for_another_try(self, world: LoginWorld) -> None:
        world.change("vuurvogel", shared_devices=True)
        browser = Browser()
        page = welcomed(await world.arrive(browser))
        world.change("rekenrijk", epoch="b", previous_epoch="a")
        answer = await world.press(browser, "go_on", page.login)
        assert isinstance(answer, Refused)
        assert isinstance(answer.refusal, PseudonymsRotated)
        assert answer.retry is not None
        assert world.receipts.kept == []

    async def test_a_window_that_closes_meanwhile_stops_nobody(self, world: LoginWorld) -> None:
        world.change("vuurvogel", shared_devices=True)
        world.change("rekenrijk", epoch="b", previous_epoch="a")
        browser = Browser()
        page = welcomed(await world.arrive(browser))
        world.change("rekenrijk", previous_epoch=None)
        received = await world.receive(await world.press(browser, "go_on", page.login))
        assert received.subject[0] == "b"


class TestNames:
    """One name of before at a time."""

    def person(self, world: LoginWorld, *, previous: PersonRoot | None = None) -> KnownPerson:
        return KnownPerson(
            root=sanne_root(world),
            salt=bytes(16),
            salts={},
            notices={},
            events=(),
            previous=previous,
        )

    def other(self, world: LoginWorld) -> PersonRoot:
        return root_from_eckid(b"x" * 64, key=world.keys.root)

    def test_another_account_of_the_person_is_told(self, world: LoginWorld) -> None:
        supplier, keys = a_supplier(epoch="a"), world.keys.pairwise
        names = name_person(
            self.person(world, previous=self.other(world)), supplier=supplier, keys=keys
        )
        other = replace(self.person(world), root=self.other(world))
        assert names.previous == name_person(other, supplier=supplier, keys=keys).pseudonym
        assert name_person(self.person(world), supplier=supplier, keys=keys).previous is None

    def test_it_waits_while_a_window_is_open(self, world: LoginWorld) -> None:
        keys = world.keys.pairwise
        open_, before = a_supplier(epoch="b", previous_epoch="a"), a_supplier(epoch="a")
        names = name_person(
            self.person(world, previous=self.other(world)), supplier=open_, keys=keys
        )
        was = name_person(self.person(world), supplier=before, keys=keys)
        assert names.previous == was.pseudonym

    def test_the_same_account_is_not_told_twice(self, world: LoginWorld) -> None:
        person = self.person(world, previous=sanne_root(world))
        names = name_person(person, supplier=a_supplier(epoch="a"), keys=world.keys.pairwise)
        assert names.previous is None

    def test_an_epoch_of_before_without_a_key_is_refused(self, world: LoginWorld) -> None:
        keys = world.keys.pairwise
        with pytest.raises(EpochKeyMissing):
            name_person(
                self.person(world), supplier=a_supplier(epoch="a", previous_epoch="z"), keys=keys
            )
        with pytest.raises(EpochKeyMissing):
            name_person(self.person(world), supplier=a_supplier(epoch="z"), keys=keys)
