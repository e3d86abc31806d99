"""For which schools a take-over counts: for who signed for it, and for who goes on for that school.

A school that merged or got another BRIN is another school here (`broker.domain.relations`). Until
it signs for a take-over of its own, what its predecessors withheld stays withheld: else the ECK iD
would come back with the new name. A mapping is not carried: the new school signs for one.
"""

from datetime import date

from broker.domain.ids import SchoolId, SupplierId
from broker.domain.registry import Registry
from broker.domain.relations import predecessors
from broker.domain.takeover import withholds_old_keys


def is_taken_over(
    registry: Registry, school: SchoolId, supplier: SupplierId, *, today: date
) -> bool:
    """Tell whether the old keys of this school's pupils stay in at this supplier.

    Args:
        today: the day in the Netherlands.
    """
    if not registry.takeovers:
        return False
    own = registry.takeovers.get((school, supplier))
    if own is not None:
        return withholds_old_keys(own, today=today)
    return any(
        withholds_old_keys(registry.takeovers.get((each, supplier)), today=today)
        for each in predecessors(registry, school, today)
    )
