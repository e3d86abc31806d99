"""What is hashed and multiplied for whom: person roots and pseudonyms.

    person root   R = k_root * H(label || lp(what names the person))
    pseudonym     P = scalar(pairwise key, "schuilnaam/supplier/v1", supplier) * R

Every input of a party is hashed into the group before one of our factors touches it, so no party
can hand in a value that already carries a factor and have the factors meet: a pseudonym stated as
an ECK iD gives a person unrelated to the pseudonym's. Host names, URL prefixes, BRINs, client ids
and entity ids are never input; texts are UTF-8 as received, never normalised, trimmed or
lower-cased, because two people may differ in just that.

The numbers frozen here are those of `tests/vectors/pseudonyms.json`.
"""

import hmac
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from typing import NewType

from broker.domain.ids import SchoolId, SupplierId, is_slug
from broker.domain.refusals import Refusal, WhoseTask
from broker.pseudonyms.group import (
    Element,
    InvalidElement,
    Scalar,
    multiply,
    parse_element,
    reduce_to_scalar,
)
from broker.pseudonyms.oprf import hash_to_group

PersonRoot = NewType("PersonRoot", Element)
"""The group element that stands for one person in one education sector. Never leaves the broker."""

Pseudonym = NewType("Pseudonym", str)
"""What a supplier gets as `sub`, persistent NameID and pairwise-id: 53 characters `[a-z2-7]`."""

EckIdBytes = NewType("EckIdBytes", bytes)
"""The 64 bytes of an ECK iD, opaque to the broker, without its URI's host and path."""

KEY_LENGTH_BYTES = 32
ECKID_LENGTH_BYTES = 64  # 128 hexadecimal digits
ECKID_URI_LENGTH_MAX = 1024  # characters; the national service's are 154 long
PSEUDONYM_LENGTH = 53  # characters: the epoch's letter, and base32 of 32 bytes

_PART_LENGTH_MAX_BYTES = 2**16 - 1
_ROOT_LABEL = b"schuilnaam/root/v1"
_ECKID_LABEL = b"schuilnaam/eckid/v1"
_LOCAL_LABEL = b"schuilnaam/local/v1"
_LOCAL_STAFF_LABEL = b"schuilnaam/local-staff/v1"
_APART_LABEL = b"schuilnaam/apart/v1"
_ANEW_LABEL = b"schuilnaam/anew/v1"
_SUPPLIER_LABEL = b"schuilnaam/supplier/v1"
_HKDF_EMPTY_SALT = bytes(64)  # RFC 5869 2.2: as many zeros as the hash is long
_ECKID_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]*/([0-9a-f]{128})")
_PSEUDONYM = re.compile(r"[a-z][a-z2-7]{52}")
_EPOCH_LETTER = re.compile(r"[a-z]")


class EckIdUnusable(Refusal):
    """The school stated an ECK iD that is no URI ending in `/` and 128 lower-case hex digits."""

    code = "E-PSEUDONYM-1"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an ECK iD that is not in the agreed form."
    remedy = "The school must send the ECK iD exactly as it got it. Please tell your school."


class IdentifierNotDerivable(Refusal):
    """The school stated an identifier that is blank, too long, or no Unicode text."""

    code = "E-PSEUDONYM-2"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login sent an identifier from which no pseudonym can be made."
    remedy = "The school must send the number or name under which it knows you. Please tell it."


class InvalidPart(ValueError):  # noqa: N818 -- named as InvalidElement and InvalidScalar are
    """A part of an input that is too long, or text that has no UTF-8. Never carries the part."""


class InvalidKey(ValueError):  # noqa: N818
    """Key material that is not 32 bytes, or an epoch that is not one letter `[a-z]`."""


class InvalidPseudonym(ValueError):  # noqa: N818
    """A text that is no pseudonym in its one canonical form. Never carries the text."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """`k_root`, ready for use. It does not rotate; without it every pupil is a stranger."""

    scalar: Scalar = field(repr=False)


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """One epoch of the pairwise key, ready for use.

    Attributes:
        epoch: its letter, `[a-z]`; the first character of every pseudonym made with it.
        extracted: HKDF's pseudorandom key. A supplier's scalar is 2 us from here, next to 45 us
            for the multiplication, so scalars are not kept: less to steal, nothing to bound.
    """

    epoch: str
    extracted: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PseudonymPoint:
    """A pseudonym taken apart, for rotation and look-up."""

    epoch: str
    element: Element = field(repr=False)


def lp(*parts: bytes | str) -> bytes:
    """Return the parts, each preceded by its length in 2 bytes, big-endian: injective.

    Args:
        parts: bytes, or text that is encoded in UTF-8 as it is.

    Raises:
        InvalidPart: a part is longer than 65535 bytes, or text with a lone surrogate.

    >>> lp("ab", "c") == lp("a", "bc"), lp("Zoë").hex()
    (False, '00045a6fc3ab')
    """
    framed = b""
    for part in parts:
        encoded = part if isinstance(part, bytes) else _encode_text(part)
        if len(encoded) > _PART_LENGTH_MAX_BYTES:
            raise InvalidPart("a part is longer than 65535 bytes")
        framed += len(encoded).to_bytes(2, "big") + encoded
    return framed


def _encode_text(text: str) -> bytes:
    """Encode in UTF-8; outside the handler, since the codec's own error holds the whole text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    raise InvalidPart("a text holds a lone surrogate")


def extract_key(key: bytes) -> bytes:
    """Return HKDF-Extract of SHA-512 with empty salt (RFC 5869 2.2): 64 bytes.

    Raises:
        InvalidKey: `key` is not 32 bytes.
    """
    if type(key) is not bytes or len(key) != KEY_LENGTH_BYTES:
        raise InvalidKey("a key is 32 bytes")
    return hmac.digest(_HKDF_EMPTY_SALT, key, "sha512")


def expand_to_scalar(extracted: bytes, label: bytes, *parts: bytes | str) -> Scalar:
    """Return 64 bytes of HKDF-Expand with info = label || lp(parts), modulo the order.

    64 bytes are one block of SHA-512, so the expansion is one HMAC (RFC 5869 2.3).
    """
    block = hmac.digest(extracted, label + lp(*parts) + b"\x01", "sha512")
    return reduce_to_scalar(block)


def scalar(key: bytes, label: bytes, *parts: bytes | str) -> Scalar:
    """Return `scalar(key, label, parts...)`: HKDF-SHA-512, little-endian, modulo the order.

    Raises:
        InvalidKey: `key` is not 32 bytes.
        InvalidPart: a part is too long or no text.
        InvalidScalar: the result is zero.
    """
    return expand_to_scalar(extract_key(key), label, *parts)


def load_root_key(key: bytes) -> RootKey:
    """Return the root key of 32 secret bytes.

    Raises:
        InvalidKey: `key` is not 32 bytes.
    """
    return RootKey(scalar=scalar(key, _ROOT_LABEL))


def load_pseudonym_key(key: bytes, *, epoch: str) -> PseudonymKey:
    """Return one epoch's key of 32 secret bytes.

    Raises:
        InvalidKey: `key` is not 32 bytes, or `epoch` is not one letter `[a-z]`.
    """
    if not _EPOCH_LETTER.fullmatch(epoch):
        raise InvalidKey("an epoch is one letter a to z")
    return PseudonymKey(epoch=epoch, extracted=extract_key(key))


def parse_eckid(uri: str) -> EckIdBytes:
    """Return the 64 bytes of an ECK iD; host and path prefix are dropped.

    When the national service changed its host name, ids that hung on the URI all changed.

    Raises:
        EckIdUnusable: no URI that ends in `/` and 128 lower-case hexadecimal digits.

    >>> parse_eckid("https://ketenid.nl/201703/" + "5f" * 64) == b"_" * 64
    True
    """
    match = _ECKID_URI.fullmatch(uri) if len(uri) <= ECKID_URI_LENGTH_MAX else None
    if match is None:
        raise EckIdUnusable("check_eckid_form", subject="eckId")
    eckid = bytes.fromhex(match[1])
    if not any(eckid):  # a placeholder, which would make one person of all who got it
        raise EckIdUnusable("check_eckid_no_placeholder", subject="eckId")
    return EckIdBytes(eckid)


def root_from_eckid(eckid_bytes: bytes, *, key: RootKey) -> PersonRoot:
    """Return the root of a pupil with an ECK iD, whatever service made it; about 60 us.

    Args:
        eckid_bytes: 64 bytes of `parse_eckid`, opaque.
        key: the broker's root key.

    Raises:
        EckIdUnusable: not 64 bytes.
    """
    if len(eckid_bytes) != ECKID_LENGTH_BYTES:
        raise EckIdUnusable("check_eckid_length", subject="eckId")
    return _root(_ECKID_LABEL, eckid_bytes, key=key)


def root_from_local(school: SchoolId, identifier: str, *, key: RootKey) -> PersonRoot:
    """Return the root of a pupil without ECK iD, known by the school's own identifier.

    Args:
        school: permanent slug of the school that the login stated.
        identifier: exactly as sent.
        key: the broker's root key.

    Raises:
        IdentifierNotDerivable: blank, over 65535 bytes, or a lone surrogate.
        InvalidPart: `school` is no slug; a host name or BRIN is never input.
    """
    return _local_root(_LOCAL_LABEL, school, identifier, key=key)


def root_from_local_staff(school: SchoolId, identifier: str, *, key: RootKey) -> PersonRoot:
    """Return the root of a member of staff; a pupil with the same identifier is another person.

    Staff are always known by the school's identifier, also when the login states an ECK iD: a
    teacher's ECK iD hangs on BRIN and mail address. Arguments and errors as `root_from_local`.
    """
    return _local_root(_LOCAL_STAFF_LABEL, school, identifier, key=key)


def root_apart(root: PersonRoot, school: SchoolId, *, key: RootKey) -> PersonRoot:
    """Return the fresh account of an ECK iD at a school whose word another school contested."""
    return _root(_APART_LABEL, school, root, key=key)


def root_anew(root: PersonRoot, salt: bytes, *, key: RootKey) -> PersonRoot:
    """Return a fresh account of an identifier whose own root is not to be opened any more.

    Args:
        salt: 16 random bytes: each time another account.
    """
    return _root(_ANEW_LABEL, salt, root, key=key)


def _local_root(label: bytes, school: SchoolId, identifier: str, *, key: RootKey) -> PersonRoot:
    if not is_slug(school):
        raise InvalidPart("a school is named by the slug of its document")
    if not identifier.strip():
        raise IdentifierNotDerivable("check_identifier_not_blank")
    try:
        return _root(label, school, identifier, key=key)
    except InvalidPart as reason:
        raise IdentifierNotDerivable("check_identifier_encodable") from reason


def _root(label: bytes, *parts: bytes | str, key: RootKey) -> PersonRoot:
    return PersonRoot(multiply(key.scalar, hash_to_group(label + lp(*parts))))


def derive_pseudonym(root: PersonRoot, *, supplier: SupplierId, key: PseudonymKey) -> Pseudonym:
    """Return the pseudonym by which one supplier knows one person; about 50 us.

    The same person has the same pseudonym at every relying party of `supplier`,
    whatever school or protocol the login came through, and an unrelated one at
    every other supplier.

    Args:
        root: 32 bytes, a valid ristretto255 element (RFC 9496 4.3.1).
        supplier: the supplier's permanent identifier; never a host or client id.
        key: one epoch of the pairwise master key.

    Returns:
        53 characters `[a-z2-7]`: the epoch's letter, then base32 of 32 bytes.

    Raises:
        InvalidElement: `root` is no group element, or the identity.
        InvalidPart: `supplier` is no slug.
    """
    factor = supplier_scalar(supplier, key=key)
    return encode_pseudonym(PseudonymPoint(epoch=key.epoch, element=multiply(factor, root)))


def supplier_scalar(supplier: SupplierId, *, key: PseudonymKey) -> Scalar:
    """Return the factor of one supplier in one epoch: a secret as worthy as the key.

    Raises:
        InvalidPart: `supplier` is no slug.
    """
    if not is_slug(supplier):
        raise InvalidPart("a supplier is named by the slug of its document")
    return expand_to_scalar(key.extracted, _SUPPLIER_LABEL, supplier)


def encode_pseudonym(point: PseudonymPoint) -> Pseudonym:
    """Return the text of a pseudonym: the epoch's letter, base32 in lower case, no padding."""
    return Pseudonym(point.epoch + b32encode(point.element).decode().rstrip("=").lower())


def parse_pseudonym(text: str) -> PseudonymPoint:
    """Return epoch and element of a pseudonym that a party hands in.

    There is one text for each pseudonym: base32 leaves 4 bits over in the last character, and a
    text that sets them, or is in upper case, is refused rather than read as its twin.

    Raises:
        InvalidPseudonym: not 53 characters, not canonical, or no group element.
    """
    if not _PSEUDONYM.fullmatch(text):
        raise InvalidPseudonym("a pseudonym is 53 characters a-z and 2-7, first a letter")
    try:
        element = parse_element(b32decode(text[1:].upper() + "===="))
    except InvalidElement as reason:
        raise InvalidPseudonym("a pseudonym holds a group element") from reason
    point = PseudonymPoint(epoch=text[0], element=element)
    if encode_pseudonym(point) != text:
        raise InvalidPseudonym("a pseudonym has one form only")
    return point
