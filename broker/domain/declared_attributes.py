"""What a supplier asks for, as logins know it."""

import msgspec

from broker.domain.attributes import AttributeName, Population


class DeclaredAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """What a supplier asks for, with its reason in words for parents.

    Attributes:
        required_since: version of the sheet since which it is required; an agreement that was
            signed on an earlier one goes on without it. 0: since ever.
        asked_since: version of the sheet since which it is asked of a population; an agreement
            that was signed on an earlier one approved nothing of these people. Absent: since ever.
    """

    name: AttributeName
    purpose: str
    required: bool = False
    required_since: int = 0
    populations: tuple[Population, ...] = (Population.PUPIL, Population.STAFF)
    asked_since: dict[Population, int] = msgspec.field(default_factory=dict)

    def is_new_since(self, sheet: int, population: Population | None) -> bool:
        """Tell whether this is asked of such a person only since a later version of the sheet.

        Args:
            sheet: version that was read when the agreement was signed.
            population: None when the login states no role: then it counts when it does of anybody.

        >>> declared = DeclaredAttribute(name="sn", purpose="-", asked_since={Population.PUPIL: 2})
        >>> declared.is_new_since(1, Population.PUPIL), declared.is_new_since(1, Population.STAFF)
        (True, False)
        """
        of = self.populations if population is None else (population,)
        return any(self.asked_since.get(each, 0) > sheet for each in of)

    def is_required_since(self, sheet: int, population: Population | None) -> bool:
        """Tell whether it was required already on the version that an agreement was signed on.

        >>> declared = DeclaredAttribute(name="sn", purpose="-", required=True, required_since=2)
        >>> declared.is_required_since(1, None), declared.is_required_since(2, None)
        (False, True)
        """
        waits = self.required_since > sheet or self.is_new_since(sheet, population)
        return self.required and not waits
