"""Derivation: the golden vectors, and the laws that make them what a pseudonym must be."""

import hashlib
import hmac
import unicodedata

import pytest
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import assume, given
from hypothesis import strategies as st

from broker.domain.ids import SchoolId, SupplierId
from broker.pseudonyms import derivation, group
from broker.pseudonyms.derivation import (
    EckIdBytes,
    EckIdUnusable,
    IdentifierNotDerivable,
    InvalidKey,
    InvalidPart,
    InvalidPseudonym,
    PersonRoot,
    derive_pseudonym,
    load_pseudonym_key,
    load_root_key,
    lp,
    parse_eckid,
    parse_pseudonym,
    root_anew,
    root_apart,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
    scalar,
)
from broker.pseudonyms.epochs import select_key
from broker.pseudonyms.group import Element, InvalidElement, multiply
from broker.pseudonyms.oprf import hash_to_group
from tests.pseudonyms.vectors import GOLDEN, PAIRWISE_KEYS, ROOT_KEY, root_of

KEY_A = select_key(PAIRWISE_KEYS, pinned="a")
KEY_B = select_key(PAIRWISE_KEYS, pinned="b")
SCHOOL = SchoolId("vuurvogel")
SUPPLIER = SupplierId("rekenrijk")
HEX128 = "5889fc51565c5488833c42cb2b724c67107bb250be8ed99c881c89632adc37b0" * 2

slugs = st.text("ab09", min_size=1, max_size=4)
identifiers = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    str.strip
)
people = st.one_of(
    st.tuples(st.just("eckid"), st.binary(min_size=64, max_size=64)),
    st.tuples(st.sampled_from(["local", "local-staff"]), slugs, identifiers),
)


def root_of_person(person):
    if person[0] == "eckid":
        return root_from_eckid(person[1], key=ROOT_KEY)
    derive = {"local": root_from_local, "local-staff": root_from_local_staff}[person[0]]
    return derive(SchoolId(person[1]), person[2], key=ROOT_KEY)


# The frozen numbers


@pytest.mark.parametrize("row", GOLDEN["roots"])
def test_golden_roots(row):
    assert root_of(row).hex() == row["root_hex"]


@pytest.mark.parametrize("row", GOLDEN["pseudonyms"], ids=lambda row: row["pseudonym"][:6])
def test_golden_pseudonyms(row):
    key = select_key(PAIRWISE_KEYS, pinned=row["epoch"])
    found = derive_pseudonym(root_of(row), supplier=row["supplier"], key=key)
    assert found == row["pseudonym"]
    point = parse_pseudonym(row["pseudonym"])
    assert point.epoch == row["epoch"]
    assert derivation.encode_pseudonym(point) == row["pseudonym"]


def test_the_golden_vectors_hold_no_two_equal_people():
    assert len({row["root_hex"] for row in GOLDEN["roots"]}) == len(GOLDEN["roots"]) == 9
    assert len({row["pseudonym"] for row in GOLDEN["pseudonyms"]}) == 54


# Equal pseudonym if and only if equal person and supplier


@given(people, people, slugs, slugs)
def test_equal_pseudonym_iff_equal_person_and_supplier(one, other, supplier, other_supplier):
    left = derive_pseudonym(root_of_person(one), supplier=SupplierId(supplier), key=KEY_A)
    right = derive_pseudonym(root_of_person(other), supplier=SupplierId(other_supplier), key=KEY_A)
    again = derive_pseudonym(root_of_person(one), supplier=SupplierId(supplier), key=KEY_A)
    assert left == again
    assert (left == right) == ((one, supplier) == (other, other_supplier))


@given(people, slugs)
def test_rotation_moves_a_pseudonym_without_knowing_anybody(person, supplier):
    """new = (k'/k) * old: the reason for a group."""
    root = root_of_person(person)
    old, new = (
        parse_pseudonym(derive_pseudonym(root, supplier=SupplierId(supplier), key=key))
        for key in (KEY_A, KEY_B)
    )
    k, k_new = (derivation.supplier_scalar(SupplierId(supplier), key=key) for key in (KEY_A, KEY_B))
    factor = group.multiply_scalars(k_new, group.invert(k))
    assert group.multiply(factor, old.element) == new.element
    assert (old.epoch, new.epoch) == ("a", "b")


def test_another_root_key_makes_everybody_a_stranger():
    other = load_root_key(b"\x01" * 32)
    eckid = EckIdBytes(b"e" * 64)
    assert root_from_eckid(eckid, key=other) != root_from_eckid(eckid, key=ROOT_KEY)


def test_what_is_not_the_person_is_no_input():
    """Host and path of the ECK iD, and how often one derives, change nothing."""
    addresses = ["https://ketenid.nl/201703/", "https://elsewhere.example:8443/a/b?c=/", "urn:x:/"]
    roots = {root_from_eckid(parse_eckid(each + HEX128), key=ROOT_KEY) for each in addresses}
    assert len(roots) == 1


# lp


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_lp_is_injective(one, other):
    assert (lp(*one) == lp(*other)) == (one == other)


@given(st.binary(min_size=1, max_size=12), st.data())
def test_lp_tells_where_a_string_was_split(whole, data):
    cuts = st.integers(0, len(whole))
    one, other = data.draw(cuts), data.draw(cuts)
    assume(one != other)
    assert lp(whole[:one], whole[one:]) != lp(whole[:other], whole[other:])
    assert lp(whole) != lp(whole[:one], whole[one:])


def test_lp_writes_lengths_in_two_bytes_big_endian():
    assert lp(b"a" * 258, "") == b"\x01\x02" + b"a" * 258 + b"\x00\x00"
    assert lp() == b""


def test_lp_refuses_longer_parts():
    assert len(lp(b"x" * 65535)) == 65537
    with pytest.raises(InvalidPart):
        lp(b"x" * 65536)
    assert len(lp("ë" * 32767)) == 65536
    with pytest.raises(InvalidPart):
        lp("ë" * 32768)


def test_lp_refuses_text_that_has_no_utf8_without_telling_it():
    with pytest.raises(InvalidPart) as caught:
        lp("geheim\ud800")
    assert caught.value.__context__ is None
    assert "geheim" not in repr(caught.value)


# scalar


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=20), st.lists(st.binary()))
def test_scalar_is_hkdf_modulo_the_order(key, label, parts):
    """Against the HKDF of the cryptography library (RFC 5869)."""
    okm = HKDF(SHA512(), length=64, salt=None, info=label + lp(*parts)).derive(key)
    expected = int.from_bytes(okm, "little") % group.ORDER
    assert int.from_bytes(scalar(key, label, *parts), "little") == expected


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33, "k" * 32, bytearray(32)])
def test_a_key_is_32_bytes(key):
    for use in (
        lambda: scalar(key, b""),
        lambda: load_root_key(key),
        lambda: load_pseudonym_key(key, epoch="a"),
    ):
        with pytest.raises(InvalidKey):
            use()
    assert load_pseudonym_key(b"k" * 32, epoch="a").epoch == "a"


@pytest.mark.parametrize("epoch", ["", "A", "1", "aa", "a\n", "é"])
def test_an_epoch_is_one_letter(epoch):
    with pytest.raises(InvalidKey):
        load_pseudonym_key(b"k" * 32, epoch=epoch)
    for letter in "az":
        assert load_pseudonym_key(b"k" * 32, epoch=letter).epoch == letter


# People


def test_a_pupil_and_a_teacher_with_one_number_are_two():
    pupil = root_from_local(SCHOOL, "140136", key=ROOT_KEY)
    assert pupil != root_from_local_staff(SCHOOL, "140136", key=ROOT_KEY)


def test_unicode_is_compared_as_sent():
    forms = ["Zoë", unicodedata.normalize("NFD", "Zoë"), "ZOË", "zoë", "Zoë ", " Zoë", "Zoë\u200b"]
    assert len({root_from_local(SCHOOL, each, key=ROOT_KEY) for each in forms}) == len(forms)


@pytest.mark.parametrize("identifier", ["", " ", "\t\n", "\u00a0\u2003", "x" * 65536, "a\udfff"])
def test_identifier_not_derivable(identifier):
    for derive in (root_from_local, root_from_local_staff):
        with pytest.raises(IdentifierNotDerivable) as caught:
            derive(SCHOOL, identifier, key=ROOT_KEY)
        assert caught.value.check.startswith("check_identifier_")
        assert derive(SCHOOL, "x" * 65535, key=ROOT_KEY)


@pytest.mark.parametrize("slug", ["", "Vuurvogel", "vuurvogel.example", "https://a", "a b", "-a"])
def test_hosts_and_addresses_are_never_input(slug):
    with pytest.raises(InvalidPart):
        root_from_local(SchoolId(slug), "140136", key=ROOT_KEY)
    root = root_from_local(SCHOOL, "140136", key=ROOT_KEY)
    with pytest.raises(InvalidPart):
        derive_pseudonym(root, supplier=SupplierId(slug), key=KEY_A)
    assert derive_pseudonym(root, supplier=SUPPLIER, key=KEY_A)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_an_eckid_is_64_bytes(length):
    with pytest.raises(EckIdUnusable):
        root_from_eckid(EckIdBytes(b"e" * length), key=ROOT_KEY)
    assert root_from_eckid(EckIdBytes(b"e" * 64), key=ROOT_KEY)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        HEX128,
        "/" + HEX128,
        "https://ketenid.nl/201703/",
        "https://ketenid.nl/201703/" + HEX128.upper(),
        "https://ketenid.nl/201703/" + HEX128[1:],
        "https://ketenid.nl/201703/" + HEX128 + "0",
        "https://ketenid.nl/201703/0" + HEX128,
        "https://ketenid.nl/201703/" + HEX128 + "/",
        "https://ketenid.nl/201703/" + HEX128 + "\n",
        " https://ketenid.nl/201703/" + HEX128,
        "https://ketenid.nl/\n/" + HEX128,
        "https://ketenid.nl/201703/" + "g" * 128,
        "https://ketenid.nl/201703/" + "٣" * 128,
        "https://ketenid.nl/" + "a" * 1000 + "/" + HEX128,
    ],
)
def test_eckid_not_in_form(uri):
    with pytest.raises(EckIdUnusable) as caught:
        parse_eckid(uri)
    assert HEX128 not in repr(caught.value)
    assert HEX128 not in str(caught.value)
    assert parse_eckid("https://ketenid.nl/201703/" + HEX128) == bytes.fromhex(HEX128)


@pytest.mark.parametrize(
    "root", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31), b"short", b"x" * 33]
)
def test_a_root_that_is_no_element_gives_no_pseudonym(root):
    with pytest.raises(InvalidElement):
        derive_pseudonym(PersonRoot(Element(root)), supplier=SUPPLIER, key=KEY_A)


# The text of a pseudonym


@given(people, slugs)
def test_a_pseudonym_is_53_characters_and_parses_to_itself(person, supplier):
    text = derive_pseudonym(root_of_person(person), supplier=SupplierId(supplier), key=KEY_B)
    assert len(text) == derivation.PSEUDONYM_LENGTH
    assert text[0] == "b"
    assert set(text[1:]) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert derivation.encode_pseudonym(parse_pseudonym(text)) == text


GOOD = GOLDEN["pseudonyms"][0]["pseudonym"]
TWINS = [
    *(GOOD[:-1] + each for each in "rstuvwx"),  # the 4 bits that base32 leaves over
    GOOD[:-3] + "tzq",  # top bit of the point set: libsodium ignores it
]


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "a",
        GOOD + "====",
        GOOD + "\n",
        GOOD.upper(),
        "2" + GOOD[1:],
        GOOD[:20] + "0" + GOOD[21:],
        GOOD[:20] + "ſ" + GOOD[21:],
        "a" * 53,  # the identity
        "a" + "7" * 51 + "q",  # not canonical
        *TWINS,
    ],
)
def test_invalid_pseudonym(text):
    assert GOOD.endswith("rzq")
    with pytest.raises(InvalidPseudonym) as caught:
        parse_pseudonym(text)
    assert GOOD[5:30] not in repr(caught.value)
    assert parse_pseudonym(GOOD).epoch == "a"


# Secrets


def test_keys_do_not_show_themselves():
    raw = bytes(range(32))
    root_key, key = load_root_key(raw), load_pseudonym_key(raw, epoch="a")
    assert repr(root_key) == "RootKey()"
    assert repr(key) == "PseudonymKey(epoch='a')"
    assert repr(parse_pseudonym(GOOD)) == "PseudonymPoint(epoch='a')"


def test_nothing_is_derivable_from_public_values():
    """Both factors are keyed: without the keys, hashing the inputs gives no root or pseudonym."""
    root = root_from_local(SCHOOL, "140136", key=ROOT_KEY)
    label_and_parts = b"schuilnaam/local/v1" + lp("vuurvogel", "140136")
    public = derivation.hash_to_group(label_and_parts)
    assert root != public
    assert group.multiply(ROOT_KEY.scalar, public) == root
    unkeyed = hmac.digest(b"", label_and_parts, hashlib.sha512)
    assert root != group.map_to_element(unkeyed)


def test_a_placeholder_is_no_eckid():
    with pytest.raises(EckIdUnusable) as refused:
        parse_eckid("https://ketenid.nl/201703/" + "0" * 128)
    assert refused.value.check == "check_eckid_no_placeholder"
    assert parse_eckid("https://ketenid.nl/201703/" + "0" * 127 + "1")[-1] == 1


def test_root_anew_is_another_one_for_each_salt_and_frozen_in_its_formula() -> None:
    root = root_from_local(SCHOOL, "1", key=ROOT_KEY)
    anew = root_anew(root, bytes(16), key=ROOT_KEY)
    hashed = hash_to_group(b"schuilnaam/anew/v1" + lp(bytes(16), root))
    assert anew == multiply(ROOT_KEY.scalar, hashed)
    assert len({root, anew, root_anew(root, bytes([1] * 16), key=ROOT_KEY)}) == 3


def test_root_apart_is_unlike_every_other_and_frozen_in_its_formula() -> None:
    root = root_from_local(SCHOOL, "140136", key=ROOT_KEY)
    apart = root_apart(root, SCHOOL, key=ROOT_KEY)
    hashed = hash_to_group(b"schuilnaam/apart/v1" + lp(SCHOOL, root))
    assert apart == multiply(ROOT_KEY.scalar, hashed) != root
    assert apart != root_apart(apart, SCHOOL, key=ROOT_KEY)
