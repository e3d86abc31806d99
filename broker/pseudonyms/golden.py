"""Golden pseudonyms: what the keys make of persons who do not exist.

They are computed when the keys are backed up and again when they are put back. So a key that is
another one, a damaged library or a program that derives otherwise is found before anything serves.
Made of the real keys, they rest sealed beside them; nothing of a real person follows from them.
"""

import hashlib
from collections.abc import Mapping

from broker.domain.ids import SchoolId, SupplierId
from broker.pseudonyms.derivation import (
    EckIdBytes,
    PersonRoot,
    RootKey,
    derive_pseudonym,
    root_from_eckid,
    root_from_local,
    root_from_local_staff,
)
from broker.pseudonyms.epochs import PairwiseKeys

GOLDEN_SUPPLIERS = (SupplierId("golden-supplier-one"), SupplierId("golden-supplier-two"))

_SCHOOL = SchoolId("golden-school")
_ECK_IDS = ("one", "two")
_LOCAL_IDENTIFIERS = ("20260001", "Zoë")
_STAFF_IDENTIFIER = "20260001"  # a member of staff is another person than a pupil of this number


def derive_golden(*, root: RootKey, pairwise: PairwiseKeys) -> dict[str, str]:
    """Return the golden pseudonyms of each epoch: `<letter>/<supplier>/<person>` -> pseudonym."""
    persons = dict(_golden_persons(root))
    return {
        f"{letter}/{supplier}/{person}": derive_pseudonym(of, supplier=supplier, key=key)
        for letter, key in pairwise.by_letter.items()
        for supplier in GOLDEN_SUPPLIERS
        for person, of in persons.items()
    }


def find_wrong_golden(
    expected: Mapping[str, str], *, root: RootKey, pairwise: PairwiseKeys
) -> tuple[str, ...]:
    """Return the names of golden pseudonyms that come out otherwise, are missing or too many."""
    made = derive_golden(root=root, pairwise=pairwise)
    names = sorted(expected.keys() | made.keys())
    return tuple(name for name in names if expected.get(name) != made.get(name))


def _golden_persons(root: RootKey) -> list[tuple[str, PersonRoot]]:
    eck_ids = (
        (name, EckIdBytes(hashlib.sha512(b"schuilnaam/golden/" + name.encode()).digest()))
        for name in _ECK_IDS
    )
    return [
        *((f"eck-id-{name}", root_from_eckid(each, key=root)) for name, each in eck_ids),
        *(
            (f"local-{index}", root_from_local(_SCHOOL, each, key=root))
            for index, each in enumerate(_LOCAL_IDENTIFIERS, 1)
        ),
        ("staff", root_from_local_staff(_SCHOOL, _STAFF_IDENTIFIER, key=root)),
    ]
