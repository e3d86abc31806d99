"""From a supplier's pseudonym of one epoch to that of another, by way of the person's root.

    R = k_old^-1 * P        P' = k_new * R        with the factors k of this one supplier

Nobody but the broker ever has a factor, or k_new / k_old: with that quotient a supplier could turn
any element into another one, registered or not. The root lets the register say whether the person
is one that this supplier knows; a pseudonym of another supplier leads to a root that nobody has.
"""

from dataclasses import dataclass, field

from broker.domain.ids import SupplierId
from broker.pseudonyms.derivation import (
    PersonRoot,
    Pseudonym,
    PseudonymKey,
    PseudonymPoint,
    encode_pseudonym,
    parse_pseudonym,
    supplier_scalar,
)
from broker.pseudonyms.group import Scalar, invert, multiply


class OtherEpoch(ValueError):  # noqa: N818 -- named as the other refusals are
    """A pseudonym of another epoch than the one that is left. Never carries the pseudonym."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Converts one supplier's pseudonyms from one epoch to another.

    Attributes:
        from_epoch, to_epoch: letters.
        to_root: inverse of the supplier's factor in the epoch that is left; a secret.
        from_root: the supplier's factor in the other one; a secret.
    """

    supplier: SupplierId
    from_epoch: str
    to_epoch: str
    to_root: Scalar = field(repr=False)
    from_root: Scalar = field(repr=False)


def make_conversion(
    supplier: SupplierId, *, left: PseudonymKey, entered: PseudonymKey
) -> Conversion:
    """Return what converts a supplier's pseudonyms.

    Raises:
        InvalidPart: `supplier` is no slug.
    """
    return Conversion(
        supplier=supplier,
        from_epoch=left.epoch,
        to_epoch=entered.epoch,
        to_root=invert(supplier_scalar(supplier, key=left)),
        from_root=supplier_scalar(supplier, key=entered),
    )


def find_root(unverified_text: str, *, conversion: Conversion) -> PersonRoot:
    """Return the root that a text leads to, whether or not anybody has it; about 60 us.

    Raises:
        InvalidPseudonym: not a pseudonym in its one form.
        OtherEpoch: not of the epoch that is left.
    """
    point = parse_pseudonym(unverified_text)
    if point.epoch != conversion.from_epoch:
        raise OtherEpoch("not of the epoch that is left")
    return PersonRoot(multiply(conversion.to_root, point.element))


def name_root(root: PersonRoot, *, conversion: Conversion) -> Pseudonym:
    """Return the pseudonym of a root in the epoch that is entered; about 50 us.

    Raises:
        InvalidElement: `root` is no group element.
    """
    element = multiply(conversion.from_root, root)
    return encode_pseudonym(PseudonymPoint(epoch=conversion.to_epoch, element=element))
