"""What a receipt says, how it rests, and who can find and open it."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.domain.attributes import AttributeName
from broker.domain.ids import RelyingPartyId, SchoolId, SupplierId
from broker.domain.release import Released, ReleaseDecision, Withheld, WithheldBecause
from broker.flow.held_state.framing import UnreadableRecord, derive_key, seal
from broker.flow.receipts.receipt_chain import (
    HeadRange,
    derive_chain_keys,
    extend_chain,
    leaf_of,
    sign_head,
    start_chain,
)
from broker.flow.receipts.receipts import (
    ReceiptContent,
    SealedReceipt,
    build_receipt,
    derive_locator,
    derive_receipt_keys,
    locate_receipts,
    open_receipt,
    read_receipts,
    seal_receipt,
    week_of,
)
from broker.pseudonyms.derivation import PersonRoot, lp
from broker.pseudonyms.group import Element

KEY, SALT, NONCE = bytes(range(32)), bytes(16), bytes(12)
ROOT = PersonRoot(Element(bytes(range(64, 96))))
SCHOOL, SUPPLIER = SchoolId("vuurvogel"), SupplierId("rekenrijk")
NOW = datetime(2026, 9, 7, 8, 13, 59, tzinfo=UTC)
DECISION = ReleaseDecision(
    school=SCHOOL,
    supplier=SUPPLIER,
    agreement_version=3,
    released=(
        Released(AttributeName("sn"), ("de Vries",)),
        Released(AttributeName("givenName"), ("Sanne",)),
    ),
    withheld=(
        Withheld(AttributeName("uid"), WithheldBecause.NOT_DECLARED),
        Withheld(AttributeName("mail"), WithheldBecause.NOT_APPROVED),
    ),
    missing=(),
)


def a_receipt(**changes: object) -> ReceiptContent:
    made = build_receipt(DECISION, relying_party=RelyingPartyId("web"), epoch="a", now=NOW)
    return msgspec.structs.replace(made, **changes)


def keys_for(root: PersonRoot = ROOT, school: SchoolId = SCHOOL, salt: bytes = SALT):
    return derive_receipt_keys(KEY, root=root, school=school, salt=salt)


class ListLog:
    """A `ReceiptLog` that keeps receipts in a list."""

    healthy = True

    def __init__(self) -> None:
        self.kept: list[SealedReceipt] = []

    async def append(self, receipt: SealedReceipt) -> None:
        self.kept.append(receipt)

    async def find(self, locators: list[bytes]) -> list[SealedReceipt]:
        return [each for each in self.kept if each.locator in locators]


def test_receipt_names_attributes_and_holds_no_value() -> None:
    receipt = a_receipt()
    assert receipt.released == ("givenName", "sn")
    assert [(each.name, each.reason) for each in receipt.withheld] == [
        ("mail", "not-approved"),
        ("uid", "not-declared"),
    ]
    stored = msgspec.json.encode(receipt).decode()
    assert "Sanne" not in stored
    assert "de Vries" not in stored


def test_time_is_floored_to_five_minutes() -> None:
    assert a_receipt().at == int(datetime(2026, 9, 7, 8, 10, tzinfo=UTC).timestamp())


def test_week_is_of_the_iso_year() -> None:
    assert week_of(date(2027, 1, 1)) == 202653


def test_receipt_opens_with_its_keys_and_with_no_others() -> None:
    sealed = seal_receipt(a_receipt(), keys=keys_for(), nonce=NONCE)
    assert open_receipt(sealed, keys=keys_for()) == a_receipt()
    other_root = PersonRoot(Element(bytes(32)))
    for wrong in (
        keys_for(root=other_root),
        keys_for(school=SchoolId("kompas")),
        keys_for(salt=bytes([1]) * 16),
    ):
        with pytest.raises(UnreadableRecord):
            open_receipt(sealed, keys=wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"locator": bytes(32)},
        {"school": SchoolId("kompas")},
        {"week": 202638},
        {"ciphertext": b""},
        {"ciphertext": b"\x02" + bytes(40)},
    ],
)
def test_receipt_that_was_moved_or_changed_does_not_open(change: dict[str, object]) -> None:
    sealed = seal_receipt(a_receipt(), keys=keys_for(), nonce=NONCE)
    with pytest.raises(UnreadableRecord):
        open_receipt(replace(sealed, **change), keys=keys_for())


def test_sealed_bytes_of_another_shape_do_not_open() -> None:
    class Other(msgspec.Struct):
        name: str

    sealed = seal_receipt(a_receipt(), keys=keys_for(), nonce=NONCE)
    place = lp(sealed.locator, SCHOOL, sealed.week.to_bytes(4, "big"))
    other = seal(keys_for().seal, Other("Sanne"), nonce=NONCE, bound_to=place)
    with pytest.raises(UnreadableRecord) as refused:
        open_receipt(replace(sealed, ciphertext=other), keys=keys_for())
    assert refused.value.__context__ is None


def test_length_tells_nothing_of_a_few_attributes() -> None:
    few, many = a_receipt(released=()), a_receipt(released=("givenName", "sn", "mail"))
    lengths = {
        len(seal_receipt(each, keys=keys_for(), nonce=NONCE).ciphertext) for each in (few, many)
    }
    assert len(lengths) == 1


def test_keys_and_receipts_do_not_show_themselves() -> None:
    sealed = seal_receipt(a_receipt(), keys=keys_for(), nonce=NONCE)
    shown = repr((sealed, keys_for()))
    assert "locator" not in shown
    assert "\\x" not in shown


def test_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_key(bytes(31), b"label")


@given(st.integers(0, 255), st.integers(0, 255), st.sampled_from([202636, 202637]))
def test_locators_meet_only_for_one_person_week_and_supplier(a: int, b: int, week: int) -> None:
    first = derive_locator(keys_for(salt=bytes([a]) * 16), week=202637, supplier=SUPPLIER)
    second = derive_locator(keys_for(salt=bytes([b]) * 16), week=week, supplier=SUPPLIER)
    assert (first == second) == ((a, 202637) == (b, week))


async def test_person_reads_own_receipts_of_all_schools_and_suppliers() -> None:
    log = ListLog()
    kompas, biosfeer = SchoolId("kompas"), SupplierId("biosfeer")
    later = a_receipt(school=kompas, at=a_receipt().at + 7 * 86400)
    await log.append(seal_receipt(later, keys=keys_for(school=kompas), nonce=NONCE))
    await log.append(seal_receipt(a_receipt(), keys=keys_for(), nonce=NONCE))
    await log.append(
        seal_receipt(a_receipt(supplier=biosfeer), keys=keys_for(), nonce=bytes([1]) * 12)
    )
    stranger = keys_for(root=PersonRoot(Element(bytes(32))))
    await log.append(seal_receipt(a_receipt(), keys=stranger, nonce=NONCE))
    located = locate_receipts(
        KEY,
        root=ROOT,
        salt=SALT,
        schools=[SCHOOL, kompas],
        suppliers=[SUPPLIER, biosfeer],
        weeks=[202637, 202638],
    )
    read = await read_receipts(log, located)
    assert read == [a_receipt(), a_receipt(supplier=biosfeer), later]
    without_the_salt = locate_receipts(
        KEY,
        root=ROOT,
        salt=bytes([7]) * 16,
        schools=[SCHOOL, kompas],
        suppliers=[SUPPLIER, biosfeer],
        weeks=[202637, 202638],
    )
    assert await read_receipts(log, without_the_salt) == []


def test_format_is_frozen() -> None:
    vector = json.loads((Path(__file__).parents[1] / "vectors/receipts.json").read_text())
    key, writer = bytes.fromhex(vector["receipt_key"]), bytes.fromhex(vector["writer"])
    root = PersonRoot(Element(bytes.fromhex(vector["root"])))
    content = msgspec.convert(vector["content"], ReceiptContent)
    keys = derive_receipt_keys(
        key, root=root, school=content.school, salt=bytes.fromhex(vector["salt"])
    )
    sealed = seal_receipt(content, keys=keys, nonce=bytes.fromhex(vector["nonce"]))
    assert (sealed.week, sealed.locator.hex()) == (vector["week"], vector["locator"])
    assert sealed.ciphertext.hex() == vector["ciphertext"]

    chain_keys = derive_chain_keys(key)
    [line], tip = extend_chain(
        start_chain(writer, keys=chain_keys), [sealed], heads=0, keys=chain_keys
    )
    leaf = leaf_of(writer, 1, sealed)
    assert leaf.hex() == vector["leaf"]
    assert (line.link.hex(), tip.tag.hex()) == (vector["link"], vector["tip"])
    head = sign_head(
        previous=None,
        ranges=(HeadRange(writer, 0, 1),),
        leaves=[leaf],
        now=datetime.fromtimestamp(content.at, tz=UTC),
        keys=chain_keys,
    )
    assert head.body.decode() == vector["head_body"]
    assert head.signature.hex() == vector["head_signature"]
    assert chain_keys.head_public_key.hex() == vector["head_public_key"]
