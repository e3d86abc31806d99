"""A school whose pupil shares an account with whom another school stated first: it begins anew.

Objection is for a school of before. Who came later has no say in what the other school does, and
does not need one: at its own school the ECK iD opens a fresh account from then on. Whoever used the
shared one keeps that, and learns nothing. Also when the first school protected the pupil: the fresh
account is nobody else's, so nothing waits. A third school opens a fresh account as well (rule 21 of
`person_rules`): which of the two the pupil comes from, nobody can tell.

A school to which another one objected may do so too: the account that opens there since is whoever
it stated then, and the one who comes now may be another pupil.
"""

from msgspec.structs import replace

from broker.flow.operators.operator_refusals import PersonNotKnown
from broker.flow.persons.person_plan_refusals import NothingToDecide
from broker.flow.persons.person_plans import Deciding, OpenedPerson, Plan, open_fresh
from broker.flow.persons.person_records import Change


def plan_begin_anew(person: OpenedPerson, *, by: Deciding) -> Plan:
    """Return what lets a pupil begin anew at one school, and at that school alone.

    Raises:
        PersonNotKnown: this school never stated this pupil's ECK iD.
        NothingToDecide: no other school opens the same account.
    """
    root, record = person.eck_root, person.eck
    if root is None or record is None or by.school not in record.seen:
        raise PersonNotKnown("check_person_known")
    here = record.seen[by.school]
    shared = here.account
    if not here.objected and all(
        each.account != shared for at, each in record.seen.items() if at != by.school
    ):
        raise NothingToDecide("check_account_shared")
    here, fresh = open_fresh(root, record, by.school, by=by)
    settled = here.held_since is not None and not here.objected
    # What it opened before an objection is not given back: this school said whose it is not.
    here = replace(here, begun_anew=True, confirmed=settled, before=None)
    seen = {**record.seen, by.school: here}
    return Plan(
        changes=(Change(root, replace(record, seen=seen)), fresh),
        lines=(
            "At this school the pupil opens a fresh account from now on, and no work of before.",
            "At other schools nothing changes, and no supplier is told.",
            "A school that is new to the pupil later opens a fresh account too.",
        ),
    )
