"""Of which class somebody is who comes by the login that a school leaves class by class."""

from datetime import date

from broker.domain.attributes import AttributeName
from broker.domain.federation import SchoolIdp
from broker.domain.identity import StatedLogin, identity_at
from broker.domain.registry import Registry
from broker.domain.switches import SwitchStage
from broker.flow.enrolment.enrolments import SchoolLists, find_enrolment

CLASS = AttributeName("nlEduPersonUnit")


async def find_classes(
    stated: StatedLogin, idp: SchoolIdp, *, registry: Registry, lists: SchoolLists, today: date
) -> tuple[str, ...]:
    """Return the classes that a login states; where it states none, those of its school's list.

    The list is looked up only while classes of this school leave this login.

    Args:
        today: in the Netherlands.

    Raises:
        Refusal: of `identity_at`; it would refuse this login a moment later.
        RegisterUnavailable: the list cannot be read.
    """
    told = stated.attributes.get(CLASS, ())
    if told or len(stated.schools) > 1:
        return told
    (school,) = stated.schools
    step = registry.step_in_force(school, today=today)
    if step is None or step.stage is not SwitchStage.CLASSES or step.from_idp != idp.id:
        return ()
    identity = identity_at(stated, school, schools=registry.schools_of(idp))
    record = await find_enrolment(identity, lists=lists, today=today)
    return () if record is None else record.groups
