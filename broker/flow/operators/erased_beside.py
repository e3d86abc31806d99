"""What rests of a person beside the rows of the register, by keyed tags, to be erased with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from broker.domain.ids import SchoolId
from broker.flow.enrolment.enrolment_records import EnrolmentKeys, derive_person_tag
from broker.flow.persons.person_erasure import FoundPerson
from broker.flow.persons.register import RegisterKeys
from broker.flow.shielding.shield_records import ShieldKeys, derive_shield_tag
from broker.flow.takeover.takeover_lists import ListOf, derive_list_tag
from broker.flow.transfers.transfer_offers import derive_transfer_person_tag


@dataclass(frozen=True, slots=True)
class BesideRows:
    """By what a person is found beside the register.

    Attributes:
        lists: of take-overs, on which the person may stand.
        school: at which the person was named; it may have shielded whom it never let log in.
    """

    keys: RegisterKeys = field(repr=False)
    enrolment: EnrolmentKeys = field(repr=False)
    shields: ShieldKeys = field(repr=False)
    school: SchoolId
    lists: Sequence[ListOf] = ()

    def tags(self, found: FoundPerson) -> Iterator[bytes]:
        """Yield every tag under which something may rest.

        A list of a school that never stated this person is not looked at: that school says by its
        next one who is there.
        """
        for root in found.roots:
            for of in self.lists:
                if of.school in found.schools:
                    yield derive_list_tag(self.keys, of, root)
            for school in found.schools:
                yield derive_person_tag(self.enrolment, school, root)
            for school in {*found.schools, self.school}:
                yield derive_shield_tag(self.shields, school, root)
            for supplier in found.suppliers:
                yield derive_transfer_person_tag(self.keys, root, supplier)
