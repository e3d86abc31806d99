"""What is asked without a page is answered about people of schools that agreed, and of no other.

A supplier can ask in silence who is logged in (`prompt=none`, `IsPassive`), and name a school by a
hint. Without an agreement there it must learn nothing: not by the answer, and not by the time that
it takes, which is short where a session answers, and longer by calls where the school does. So the
agreement is looked at first, and a session at any other school counts as none.
"""

from collections.abc import Iterable
from datetime import date

from broker.domain.federation import School, Supplier
from broker.domain.registry import Registry
from broker.domain.relations import find_agreement
from broker.domain.release import NoAgreement


def is_agreed_at(
    schools: Iterable[School], supplier: Supplier, *, registry: Registry, today: date
) -> bool:
    """Tell whether any of the schools has an agreement in force with a supplier.

    Args:
        today: in the Netherlands.
    """
    found = (find_agreement(registry, each, supplier.id, today) for each in schools)
    return any(each is not None and each.agreement.is_in_force(today) for each in found)


def check_agreed_when_passive(
    schools: Iterable[School], supplier: Supplier, *, registry: Registry, today: date
) -> None:
    """Refuse to tell anything of schools without an agreement; arguments as of `is_agreed_at`.

    Raises:
        NoAgreement: the supplier is told what it is told where nobody is logged in.
    """
    if not is_agreed_at(schools, supplier, registry=registry, today=today):
        raise NoAgreement("check_agreed_when_passive", subject=supplier.display_name)
