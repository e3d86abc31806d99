"""By which names a supplier knows the person who logs in: the pseudonym, and the one of before.

One `previous_sub` at a time. While a rotation of the supplier is open it tells the same account
under the other epoch, for everybody: who the supplier knows already is known to nobody but the
supplier, which may have renamed its accounts in bulk, and a name that it does not know changes
nothing there. Otherwise it tells another account of the same person, when the register says so
(`KnownPerson.previous`). Either is derived for this very supplier, by the same steps as the
pseudonym itself, so it can be nobody else's.
"""

from dataclasses import dataclass, field

from broker.domain.federation import Supplier
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.persons.persons import KnownPerson
from broker.pseudonyms.derivation import Pseudonym, derive_pseudonym
from broker.pseudonyms.epochs import PairwiseKeys, select_key


class PseudonymsRotated(Refusal):
    """The supplier's epoch moved while a page was waiting: the name would be that of before."""

    code = "E-LOGIN-15"
    whose_task = WhoseTask.PUPIL
    what = "While you were waiting, we changed the name by which this material knows you."
    remedy = "Try again. You keep your work."
    may_retry = True


@dataclass(frozen=True, slots=True)
class SupplierNames:
    """What one supplier calls one person.

    Attributes:
        pseudonym: what goes out as `sub` or NameID.
        previous: what goes out as `previous_sub`, if anything does; never equal to `pseudonym`.
    """

    pseudonym: Pseudonym = field(repr=False)
    previous: Pseudonym | None = field(default=None, repr=False)

    @property
    def every(self) -> tuple[Pseudonym, ...]:
        """Return both, or the one that there is."""
        return (self.pseudonym,) if self.previous is None else (self.pseudonym, self.previous)


def name_person(person: KnownPerson, *, supplier: Supplier, keys: PairwiseKeys) -> SupplierNames:
    """Return by which names this supplier knows a person.

    Raises:
        EpochKeyMissing: the pinned epoch, or that of before, has no key.
    """
    key = select_key(keys, pinned=supplier.epoch)
    root, other_key = person.previous, key
    if supplier.previous_epoch is not None:
        root, other_key = person.root, select_key(keys, pinned=supplier.previous_epoch)
    pseudonym = derive_pseudonym(person.root, supplier=supplier.id, key=key)
    if root is None:
        return SupplierNames(pseudonym)
    previous = derive_pseudonym(root, supplier=supplier.id, key=other_key)
    return SupplierNames(pseudonym, previous if previous != pseudonym else None)


def epoch_of(pseudonym: Pseudonym | None) -> str:
    """Return the letter of a pseudonym's epoch, or "" for none (transient)."""
    return "" if pseudonym is None else pseudonym[0]


def check_epoch_unchanged(pseudonym: Pseudonym | None, *, supplier: Supplier) -> None:
    """Refuse to hand over a name of an epoch that the supplier left since it was derived.

    The supplier may have renamed its accounts meanwhile; without `previous_sub` the old name would
    make a fresh account there.

    Raises:
        PseudonymsRotated: try again.
    """
    if pseudonym is not None and epoch_of(pseudonym) != supplier.epoch:
        raise PseudonymsRotated("check_epoch_unchanged")
