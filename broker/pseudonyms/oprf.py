"""RFC 9497: oblivious pseudorandom functions with the suite ristretto255-SHA512.

Modes OPRF and VOPRF; POPRF is not needed. Names are those of the RFC, in Python's case; randomness
comes in as an argument. The derivations use `hash_to_group` alone; the number service evaluates
blinded requests and proves that it used its published key.

Divergences: our scalars are never zero, so a proof with a zero in it is refused (RFC 9497 would
read it; an honest prover meets one with a chance of 2^-252); a sum that is the identity is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import reduce
from hashlib import sha512

from broker.pseudonyms.group import (
    SCALAR_LENGTH_BYTES,
    Element,
    InvalidElement,
    InvalidScalar,
    Scalar,
    add,
    invert,
    map_to_element,
    multiply,
    multiply_generator,
    multiply_scalars,
    parse_element,
    parse_scalar,
    reduce_to_scalar,
    subtract_scalars,
)

SUITE = b"ristretto255-SHA512"  # RFC 9497 4.1
MAX_PART_LENGTH_BYTES = 2**16 - 1  # RFC 9497 1.2: lengths are written in two bytes
BATCH_SIZE_MAX = 2**16 - 1  # RFC 9497 2.2.1: the index is written in two bytes
_EXPANDED_LENGTH_BYTES = 64
_BLOCK_LENGTH_BYTES = 128  # s_in_bytes of SHA-512, RFC 9380 5.3.1
_DST_LENGTH_MAX_BYTES = 255  # RFC 9380 5.3.3


class Mode(IntEnum):
    """RFC 9497 3.1."""

    OPRF = 0x00
    VOPRF = 0x01


class InvalidProof(ValueError):  # noqa: N818 -- the word of the RFC is "verify"
    """A proof that does not show that the evaluator used the key of the published public key."""


class InputTooLong(ValueError):  # noqa: N818
    """An input, or a batch, whose length does not fit into two bytes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """RFC 9497 2.2: 64 bytes on the wire, `c` then `s`."""

    c: Scalar = field(repr=False)
    s: Scalar = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Server's key pair (RFC 9497 3.2)."""

    sk: Scalar = field(repr=False)
    pk: Element


def encode_proof(proof: Proof) -> bytes:
    """Return the 64 bytes of a proof."""
    return proof.c + proof.s


def parse_proof(unverified_bytes: bytes) -> Proof:
    """Return the proof in 64 bytes.

    Raises:
        InvalidProof: another length, or a part that is no scalar.
    """
    try:
        return Proof(
            c=parse_scalar(unverified_bytes[:SCALAR_LENGTH_BYTES]),
            s=parse_scalar(unverified_bytes[SCALAR_LENGTH_BYTES:]),
        )
    except InvalidScalar as reason:
        raise InvalidProof("a proof is two scalars in 64 bytes") from reason


def create_context_string(mode: Mode) -> bytes:
    """Return the context of `mode` (RFC 9497 3.1).

    >>> create_context_string(Mode.VOPRF)
    b'OPRFV1-\\x01-ristretto255-SHA512'
    """
    return b"OPRFV1-" + mode.to_bytes(1, "big") + b"-" + SUITE


_HASH_TO_GROUP_DST = {mode: b"HashToGroup-" + create_context_string(mode) for mode in Mode}


def expand_message_xmd(msg: bytes, dst: bytes) -> bytes:
    """Return 64 bytes by expand_message_xmd with SHA-512 (RFC 9380 5.3.1).

    One output block is all that this suite needs.

    Raises:
        InputTooLong: `dst` is longer than 255 bytes.
    """
    if len(dst) > _DST_LENGTH_MAX_BYTES:
        raise InputTooLong("a domain separation tag is at most 255 bytes")
    dst_prime = dst + len(dst).to_bytes(1, "big")
    l_i_b_str = _EXPANDED_LENGTH_BYTES.to_bytes(2, "big")
    b_0 = sha512(bytes(_BLOCK_LENGTH_BYTES) + msg + l_i_b_str + b"\x00" + dst_prime).digest()
    return sha512(b_0 + b"\x01" + dst_prime).digest()


def hash_to_group(msg: bytes, *, mode: Mode = Mode.VOPRF) -> Element:
    """Return H(msg) (RFC 9497 4.1), an element of unknown discrete logarithm; about 14 us.

    Raises:
        InvalidElement: the result is the identity; no such message is known.
    """
    return map_to_element(expand_message_xmd(msg, _HASH_TO_GROUP_DST[mode]))


def hash_to_scalar(msg: bytes, *, dst: bytes) -> Scalar:
    """Return HashToScalar(msg) (RFC 9497 4.1).

    Raises:
        InvalidScalar: the result is zero; no such message is known.
    """
    return reduce_to_scalar(expand_message_xmd(msg, dst))


def derive_key_pair(seed: bytes, info: bytes, *, mode: Mode) -> KeyPair:
    """Return DeriveKeyPair(seed, info) (RFC 9497 3.2.1).

    The RFC counts up when a key is zero; with a chance of 2^-252 that is refused here instead.

    Args:
        seed: 32 random bytes.
        info: public, at most 65535 bytes.
        mode: the protocol that the key is for.
    """
    dst = b"DeriveKeyPair" + create_context_string(mode)
    sk = hash_to_scalar(seed + _with_length(info) + b"\x00", dst=dst)
    return KeyPair(sk=sk, pk=multiply_generator(sk))


def blind(private_input: bytes, *, blind: Scalar, mode: Mode) -> Element:
    """Return the blinded element of an input (RFC 9497 3.3.1); `blind` is random, used once."""
    return multiply(blind, hash_to_group(private_input, mode=mode))


def blind_evaluate(sk: Scalar, blinded_element: Element) -> Element:
    """Return the evaluated element, without proof (RFC 9497 3.3.1)."""
    return multiply(sk, blinded_element)


def blind_evaluate_with_proof(
    keys: KeyPair, blinded_elements: Sequence[Element], *, r: Scalar
) -> tuple[tuple[Element, ...], Proof]:
    """Return the evaluated elements and one proof for all of them (RFC 9497 3.3.2).

    Args:
        keys: the server's.
        blinded_elements: 1 to 65535.
        r: random, used once; using it twice reveals the key.

    Raises:
        InvalidElement: one of them is no group element.
        InputTooLong: more than 65535 elements, or none.
    """
    evaluated = tuple(multiply(keys.sk, each) for each in blinded_elements)
    weights = _composite_weights(keys.pk, blinded_elements, evaluated)
    m = _weighted_sum(weights, blinded_elements)
    z = multiply(keys.sk, m)
    t2 = multiply_generator(r)
    t3 = multiply(r, m)
    c = _challenge(keys.pk, m, z, t2, t3)
    s = subtract_scalars(r, multiply_scalars(c, keys.sk))
    return evaluated, Proof(c=c, s=s)


def verify_proof(
    proof: Proof,
    *,
    expected_pk: Element,
    blinded_elements: Sequence[Element],
    evaluated_elements: Sequence[Element],
) -> None:
    """Check that all elements were evaluated with the key of `expected_pk` (RFC 9497 2.2.2).

    Raises:
        InvalidProof: they were not, or something in it is no element or scalar.
        InputTooLong: more than 65535 elements, or none.
    """
    try:
        weights = _composite_weights(expected_pk, blinded_elements, evaluated_elements)
        m = _weighted_sum(weights, blinded_elements)
        z = _weighted_sum(weights, evaluated_elements)
        t2 = add(multiply_generator(proof.s), multiply(proof.c, expected_pk))
        t3 = add(multiply(proof.s, m), multiply(proof.c, z))
    except (InvalidElement, InvalidScalar) as reason:
        raise InvalidProof("the proof holds something that is no element or scalar") from reason
    if _challenge(expected_pk, m, z, t2, t3) != proof.c:
        raise InvalidProof("the elements were not evaluated with the expected key")


def unblind(evaluated_element: Element, *, blind: Scalar) -> Element:
    """Return `sk * H(input)` from the evaluated element (RFC 9497 3.3.1, first step of Finalize).

    In mode VOPRF only after `verify_proof`.
    """
    return multiply(invert(blind), evaluated_element)


def finalize(private_input: bytes, *, blind: Scalar, evaluated_element: Element) -> bytes:
    """Return the 64 bytes of output (RFC 9497 3.3.1); in mode VOPRF after `verify_proof`.

    Raises:
        InputTooLong: the input is longer than 65535 bytes.
        InvalidElement: `evaluated_element` is no group element.
    """
    return _output(private_input, unblind(evaluated_element, blind=blind))


def evaluate(sk: Scalar, private_input: bytes, *, mode: Mode) -> bytes:
    """Return the 64 bytes of output, by one who knows key and input (RFC 9497 3.3.1)."""
    return _output(private_input, multiply(sk, hash_to_group(private_input, mode=mode)))


def _output(private_input: bytes, issued: Element) -> bytes:
    return sha512(_with_length(private_input) + _with_length(issued) + b"Finalize").digest()


def _composite_weights(
    pk: Element, blinded_elements: Sequence[Element], evaluated_elements: Sequence[Element]
) -> list[Scalar]:
    """Return the weights d_i of ComputeComposites (RFC 9497 2.2.1)."""
    if len(blinded_elements) != len(evaluated_elements):
        raise InvalidProof("as many evaluated elements as blinded ones are expected")
    if not 0 < len(blinded_elements) <= BATCH_SIZE_MAX:
        raise InputTooLong("a batch holds 1 to 65535 elements")
    context = create_context_string(Mode.VOPRF)
    seed = sha512(_with_length(parse_element(pk)) + _with_length(b"Seed-" + context)).digest()
    weights: list[Scalar] = []
    for index, (c, d) in enumerate(zip(blinded_elements, evaluated_elements, strict=True)):
        transcript = _with_length(seed) + index.to_bytes(2, "big")
        transcript += _with_length(c) + _with_length(d) + b"Composite"
        weights.append(hash_to_scalar(transcript, dst=b"HashToScalar-" + context))
    return weights


def _weighted_sum(weights: Sequence[Scalar], elements: Sequence[Element]) -> Element:
    return reduce(add, map(multiply, weights, elements))


def _challenge(pk: Element, m: Element, z: Element, t2: Element, t3: Element) -> Scalar:
    """Return the Fiat-Shamir challenge of a proof (RFC 9497 2.2.1)."""
    transcript = b"".join(_with_length(each) for each in (pk, m, z, t2, t3)) + b"Challenge"
    return hash_to_scalar(transcript, dst=b"HashToScalar-" + create_context_string(Mode.VOPRF))


def _with_length(part: bytes) -> bytes:
    if len(part) > MAX_PART_LENGTH_BYTES:
        raise InputTooLong("an input is at most 65535 bytes")
    return len(part).to_bytes(2, "big") + part
