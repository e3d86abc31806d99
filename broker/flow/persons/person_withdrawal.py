"""An objection is taken back: by the school that objected, or by one of before it.

An objection hits every school that stated the pupil later, the right one as well. Taking it back
is a confirmation, of all of them again: no school names another one. Who that would let in too
much has to be objected to anew, which opens an account that nobody used yet.

What was said by a school that is shut out itself goes first and alone: so a school that objects to
one that lied can then let in whom that one objected to, and the liar stays out.

Not by a school between the two: it may be who lied, and was to be shut out. Nor by the school that
was objected to: its own pupil may begin anew (`broker.flow.persons.person_anew`).

Which school objected is kept since this can be taken back; an objection of before that stays.
"""

from broker.domain.ids import SchoolId
from broker.flow.persons.person_arrivals import later_arrivals
from broker.flow.persons.person_given_back import give_back, given_back_lines, name_schools
from broker.flow.persons.person_plan_refusals import NothingToDecide
from broker.flow.persons.person_plans import Deciding, OpenedPerson, Plan, eck_id_of
from broker.flow.persons.person_records import Change, PersonRecord


def plan_withdrawal(person: OpenedPerson, *, by: Deciding) -> Plan:
    """Return what takes back the objections of a school, and of those after it.

    Raises:
        PersonNotKnown: this school never stated this pupil's ECK iD, or was objected to itself.
        NothingToDecide: no objection stands that this school may take back.
    """
    root, record = eck_id_of(person, by.school)
    later = later_arrivals(record, by.school, today=by.today, after_days=by.settled_after_days)
    schools = frozenset(each for each in later if _may_take_back(record, each, by=by.school))
    if not schools:
        raise NothingToDecide("check_objection_to_take_back")
    schools = _by_who_is_shut_out(record, schools) or schools
    changed = give_back(record, schools, by=by.school)
    return Plan(
        changes=(Change(root, changed),),
        lines=(
            f"The objection to {name_schools(len(schools))} is taken back: that is confirmed.",
            "If it is more than you know of, do not confirm it: nobody can tell which is which.",
            *given_back_lines(record, changed, schools),
            "At this school nothing changes.",
        ),
    )


def _by_who_is_shut_out(record: PersonRecord, schools: frozenset[SchoolId]) -> frozenset[SchoolId]:
    objectors = {each: record.seen[each].objected_by for each in schools}
    return frozenset(
        each for each, by in objectors.items() if by is not None and record.seen[by].objected
    )


def _may_take_back(record: PersonRecord, school: SchoolId, *, by: SchoolId) -> bool:
    there = record.seen[school]
    if not there.objected or there.objected_by is None:
        return False
    own, objector = record.seen[by].held_since, record.seen[there.objected_by].held_since
    if by == there.objected_by or own is None:
        return True
    return objector is not None and own < objector
