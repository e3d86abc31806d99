"""The group ristretto255 (RFC 9496), strictly: nothing invalid goes in or comes out.

The libsodium inside rbcl 1.1.2 takes unreduced scalars, ignores the top bit of a scalar *and of a
point* (so that every element has a second encoding, against RFC 9496 4.3.1), calls the identity
valid, and returns it where an addition fails. So every function here checks all its inputs,
whatever their static type says, and refuses the identity as a result. Multiplication does not
decode its point twice: libsodium fails on all other wrong ones itself.

`Element` and `Scalar` are bytes on the wire; they come from the `parse_` functions or from an
operation. The `allow_scalar_zero` functions of rbcl are not used, and neither are its own
validations, which are lengths only.
"""

from typing import NewType

from broker.libsodium import rbcl

Element = NewType("Element", bytes)
"""32 bytes, canonical encoding of a ristretto255 element (RFC 9496 4.3.2), not the identity."""

Scalar = NewType("Scalar", bytes)
"""32 bytes, little-endian integer from 1 to `ORDER` - 1 (RFC 9497 4.1). A secret, mostly."""

ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 9496 4
ELEMENT_LENGTH_BYTES = 32  # Ne, RFC 9497 4.1
SCALAR_LENGTH_BYTES = 32  # Ns, RFC 9497 4.1
UNIFORM_LENGTH_BYTES = 64  # input of the map and of the reduction, RFC 9496 4.3.4 and 4.4

_IDENTITY = bytes(ELEMENT_LENGTH_BYTES)


class InvalidElement(ValueError):  # noqa: N818 -- the name that the specifications use
    """Bytes that encode no element of the group, or the identity. Never carries the bytes."""


class InvalidScalar(ValueError):  # noqa: N818 -- as above
    """Bytes that encode no scalar below the order, or zero. Never carries the bytes."""


def parse_element(unverified_bytes: bytes) -> Element:
    """Return the bytes as an element.

    Raises:
        InvalidElement: not 32 bytes, not canonical, not in the group, or the identity.

    >>> parse_element(bytes(32))
    Traceback (most recent call last):
    broker.pseudonyms.group.InvalidElement: no group element, or the identity
    """
    _check_element_form(unverified_bytes)
    if not rbcl.crypto_core_ristretto255_is_valid_point(unverified_bytes):
        raise InvalidElement("no group element, or the identity")
    return Element(unverified_bytes)


def parse_scalar(unverified_bytes: bytes) -> Scalar:
    """Return the bytes as a scalar.

    Raises:
        InvalidScalar: not 32 bytes, zero, or not below the order.
    """
    if type(unverified_bytes) is not bytes or len(unverified_bytes) != SCALAR_LENGTH_BYTES:
        raise InvalidScalar("a scalar is 32 bytes")
    if not 0 < int.from_bytes(unverified_bytes, "little") < ORDER:
        raise InvalidScalar("zero, or not below the order of the group")
    return Scalar(unverified_bytes)


def reduce_to_scalar(uniform_bytes: bytes) -> Scalar:
    """Return 64 uniform bytes, little-endian, modulo the order (RFC 9496 4.4).

    Raises:
        InvalidScalar: not 64 bytes, or the result is zero.
    """
    if type(uniform_bytes) is not bytes or len(uniform_bytes) != UNIFORM_LENGTH_BYTES:
        raise InvalidScalar("a scalar is reduced from 64 bytes")
    return parse_scalar(rbcl.crypto_core_ristretto255_scalar_reduce(uniform_bytes))


def map_to_element(uniform_bytes: bytes) -> Element:
    """Return the element that 64 uniform bytes map to (RFC 9496 4.3.4).

    Raises:
        InvalidElement: not 64 bytes, or the result is the identity.
    """
    if type(uniform_bytes) is not bytes or len(uniform_bytes) != UNIFORM_LENGTH_BYTES:
        raise InvalidElement("an element is mapped from 64 bytes")
    return _not_identity(rbcl.crypto_core_ristretto255_from_hash(uniform_bytes))


def multiply(scalar: Scalar, element: Element) -> Element:
    """Return `scalar * element`, about 45 us.

    Raises:
        InvalidElement: `element` is no group element, or the identity.
        InvalidScalar: `scalar` is zero or not below the order.
    """
    parse_scalar(scalar)
    _check_element_form(element)
    try:
        product: bytes = rbcl.crypto_scalarmult_ristretto255(scalar, element)
    except RuntimeError:
        product = _IDENTITY  # refused below, so that the error has no context that says more
    return _not_identity(product)


def multiply_generator(scalar: Scalar) -> Element:
    """Return `scalar * G`, G the generator (RFC 9496 4): the public key of `scalar`.

    Raises:
        InvalidScalar: `scalar` is zero or not below the order.
    """
    return _not_identity(rbcl.crypto_scalarmult_ristretto255_base(parse_scalar(scalar)))


def add(left: Element, right: Element) -> Element:
    """Return `left + right`. Proofs alone need it (RFC 9497 2.2); no derivation adds.

    Raises:
        InvalidElement: one of them is no group element, or the sum is the identity.
    """
    return _not_identity(
        rbcl.crypto_core_ristretto255_add(parse_element(left), parse_element(right))
    )


def invert(scalar: Scalar) -> Scalar:
    """Return the scalar whose product with `scalar` is 1.

    Raises:
        InvalidScalar: `scalar` is zero or not below the order.
    """
    return parse_scalar(rbcl.crypto_core_ristretto255_scalar_invert(parse_scalar(scalar)))


def multiply_scalars(left: Scalar, right: Scalar) -> Scalar:
    """Return `left * right` modulo the order.

    Raises:
        InvalidScalar: one of them is zero or not below the order.
    """
    return parse_scalar(
        rbcl.crypto_core_ristretto255_scalar_mul(parse_scalar(left), parse_scalar(right))
    )


def subtract_scalars(left: Scalar, right: Scalar) -> Scalar:
    """Return `left - right` modulo the order.

    Raises:
        InvalidScalar: one of them is zero or not below the order, or they are equal.
    """
    return parse_scalar(
        rbcl.crypto_core_ristretto255_scalar_sub(parse_scalar(left), parse_scalar(right))
    )


def _check_element_form(unverified_bytes: bytes) -> None:
    """Refuse what libsodium lets pass: another length, the top bit set, the identity."""
    if type(unverified_bytes) is not bytes or len(unverified_bytes) != ELEMENT_LENGTH_BYTES:
        raise InvalidElement("an element is 32 bytes")
    if unverified_bytes[-1] & 0x80:
        raise InvalidElement("the top bit of an element is never set")
    _not_identity(unverified_bytes)


def _not_identity(encoded: bytes) -> Element:
    if encoded == _IDENTITY:
        raise InvalidElement("no group element, or the identity")
    return Element(encoded)
