"""The strict group: what is invalid is refused before and after every operation."""

import subprocess
import sys

import pytest
import rbcl
from hypothesis import given
from hypothesis import strategies as st

from broker.pseudonyms import group
from broker.pseudonyms.group import Element, InvalidElement, InvalidScalar, Scalar

ONE = Scalar((1).to_bytes(32, "little"))
MINUS_ONE = Scalar((group.ORDER - 1).to_bytes(32, "little"))
GENERATOR = Element(  # RFC 9496 A.1
    bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
)

# RFC 9496 A.2, some of each kind; what libsodium would let pass; forms that are no 32 bytes at all
BAD_ELEMENTS = {
    "identity": bytes(32),
    "identity, top bit": bytes.fromhex("00" * 31 + "80"),
    "generator, top bit": GENERATOR[:31] + bytes([GENERATOR[31] | 0x80]),
    "non-canonical 1": bytes.fromhex("00" + "ff" * 31),
    "non-canonical 2": bytes.fromhex("ff" * 31 + "7f"),
    "non-canonical 3": bytes.fromhex("f3" + "ff" * 30 + "7f"),
    "non-canonical 4": bytes.fromhex("ed" + "ff" * 30 + "7f"),
    "negative 1": bytes.fromhex("01" + "00" * 31),
    "negative 2": bytes.fromhex("01" + "ff" * 30 + "7f"),
    "non-square": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
    "negative xy": bytes.fromhex(
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"
    ),
    "s = -1": bytes.fromhex("ec" + "ff" * 30 + "7f"),
    "too short": GENERATOR[:31],
    "too long": GENERATOR + b"\x00",
    "empty": b"",
    "no bytes": bytearray(GENERATOR),
    "text": "e2f2",
}
BAD_SCALARS = {
    "zero": bytes(32),
    "order": group.ORDER.to_bytes(32, "little"),
    "order + 1": (group.ORDER + 1).to_bytes(32, "little"),
    "top bit": ONE[:31] + b"\x80",
    "too short": ONE[:31],
    "too long": ONE + b"\x00",
    "no bytes": bytearray(ONE),
    "text": "1",
}

scalars = st.integers(1, group.ORDER - 1).map(lambda each: Scalar(each.to_bytes(32, "little")))
elements = st.binary(min_size=64, max_size=64).filter(any).map(group.map_to_element)


@pytest.mark.parametrize("name", BAD_ELEMENTS)
@pytest.mark.parametrize(
    "operation",
    [
        group.parse_element,
        lambda bad: group.multiply(ONE, bad),
        lambda bad: group.add(bad, GENERATOR),
        lambda bad: group.add(GENERATOR, bad),
    ],
    ids=["parse", "multiply", "add left", "add right"],
)
def test_every_operation_refuses_what_is_no_element(name, operation):
    with pytest.raises(InvalidElement):
        operation(BAD_ELEMENTS[name])
    operation(GENERATOR)


@pytest.mark.parametrize("name", BAD_SCALARS)
@pytest.mark.parametrize(
    "operation",
    [
        group.parse_scalar,
        group.multiply_generator,
        group.invert,
        lambda bad: group.multiply(bad, GENERATOR),
        lambda bad: group.multiply_scalars(bad, ONE),
        lambda bad: group.multiply_scalars(ONE, bad),
        lambda bad: group.subtract_scalars(bad, MINUS_ONE),
        lambda bad: group.subtract_scalars(MINUS_ONE, bad),
    ],
    ids=["parse", "generator", "invert", "multiply", "left", "right", "from", "subtrahend"],
)
def test_every_operation_refuses_what_is_no_scalar(name, operation):
    with pytest.raises(InvalidScalar):
        operation(BAD_SCALARS[name])
    operation(Scalar((5).to_bytes(32, "little")))


def test_libsodium_itself_lets_a_second_encoding_pass():
    """Why the wrapper looks at the top bit. When this fails, rbcl has been mended: good."""
    twin = BAD_ELEMENTS["generator, top bit"]
    assert rbcl.crypto_core_ristretto255_is_valid_point(twin)
    assert rbcl.crypto_scalarmult_ristretto255(ONE, twin) == GENERATOR


def test_sums_and_differences_that_vanish_are_refused():
    opposite = group.multiply(MINUS_ONE, GENERATOR)
    with pytest.raises(InvalidElement):
        group.add(GENERATOR, opposite)
    with pytest.raises(InvalidScalar):
        group.subtract_scalars(ONE, ONE)
    assert group.add(group.add(GENERATOR, GENERATOR), opposite) == GENERATOR


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_uniform_bytes_of_another_length_are_refused(length):
    with pytest.raises(InvalidElement):
        group.map_to_element(b"x" * length)
    with pytest.raises(InvalidScalar):
        group.reduce_to_scalar(b"x" * length)
    assert group.map_to_element(b"x" * 64) != group.map_to_element(b"y" * 64)
    assert group.reduce_to_scalar(b"x" * 64) != group.reduce_to_scalar(b"y" * 64)


def test_uniform_bytes_that_give_identity_or_zero_are_refused():
    with pytest.raises(InvalidElement):
        group.map_to_element(bytes(64))
    for zero in (bytes(64), group.ORDER.to_bytes(64, "little")):
        with pytest.raises(InvalidScalar):
            group.reduce_to_scalar(zero)
    assert group.reduce_to_scalar((group.ORDER + 1).to_bytes(64, "little")) == ONE


def test_map_to_element_is_that_of_rfc_9496():
    """RFC 9496 A.3, the first vector."""
    uniform = bytes.fromhex(
        "5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c1"
        "4d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6"
    )
    expected = "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
    assert group.map_to_element(uniform).hex() == expected


def test_small_multiples_of_the_generator_are_those_of_rfc_9496():
    """RFC 9496 A.1: 1, 2 and 3 times the generator."""
    expected = [
        "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
        "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
        "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
    ]
    found = [group.multiply_generator(Scalar(n.to_bytes(32, "little"))).hex() for n in (1, 2, 3)]
    assert found == expected


@given(scalars, scalars, elements)
def test_multiplication_is_an_action_of_the_scalars(left, right, element):
    once = group.multiply(group.multiply_scalars(left, right), element)
    assert group.multiply(left, group.multiply(right, element)) == once
    assert group.multiply(group.invert(left), group.multiply(left, element)) == element


@given(st.integers(1, group.ORDER - 1))
def test_scalar_arithmetic_is_that_of_integers(n):
    scalar = Scalar(n.to_bytes(32, "little"))
    assert int.from_bytes(group.invert(scalar), "little") == pow(n, -1, group.ORDER)
    product = group.multiply_scalars(scalar, MINUS_ONE)
    assert int.from_bytes(product, "little") == group.ORDER - n
    assert group.subtract_scalars(scalar, product) == group.multiply_scalars(
        scalar, Scalar((2).to_bytes(32, "little"))
    )


def test_errors_never_hold_the_bytes():
    for bad in BAD_ELEMENTS.values():
        with pytest.raises(InvalidElement) as caught:
            group.multiply(ONE, bad)
        assert caught.value.__context__ is None
        assert "ff" not in repr(caught.value)
        assert "\\x" not in repr(caught.value)


def test_the_unpacked_library_is_removed(tmp_path):
    """rbcl leaves one file a process; whoever imports the group leaves none."""
    for module, left in (("rbcl", 1), ("broker.pseudonyms.group", 0)):
        folder = tmp_path / module
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", f"import {module}"],
            env={"TMPDIR": str(folder)},
            check=True,
        )
        assert len(list(folder.iterdir())) == left


def test_functions_that_allow_zero_are_not_reachable():
    assert hasattr(rbcl, "crypto_scalarmult_ristretto255_allow_scalar_zero")
    assert not [name for name in vars(group) if "allow" in name]
