"""A school's number and an ECK iD are made one by two persons, whoever saw the ECK iD.

What the number opened is left behind for what the ECK iD opens; the suppliers that knew it are
told (rule 11 of `broker.flow.persons.person_rules`, which asks nobody, but only where the ECK iD
was at that school alone). Nothing merges two ECK iDs: what would is refused.
"""

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.persons.announcements import tells
from broker.flow.persons.person_joins import bind_onward, leave_behind
from broker.flow.persons.person_plan_refusals import AliasRefused, BothNeeded, NothingToDecide
from broker.flow.persons.person_plans import Deciding, OpenedPerson, Plan, is_at
from broker.flow.persons.person_records import Change, SeenAt


def plan_join(person: OpenedPerson, *, by: Deciding) -> Plan:
    """Return what makes a number's own account and an ECK iD's one, whoever saw the ECK iD.

    Raises:
        BothNeeded: one of them is not known at this school.
        AliasRefused: the number is bound to another ECK iD, or the two lead to each other.
        NothingToDecide: they are one already.
    """
    eck_root, eck, local_root, local = person.eck_root, person.eck, person.local_root, person.local
    if eck_root is None or eck is None or local_root is None or local is None:
        raise BothNeeded("check_both_known")
    if not (is_at(eck, by.school) and is_at(local, by.school)):
        raise BothNeeded("check_both_known_here")
    if local.bound_to == eck_root:
        raise NothingToDecide("check_not_joined_yet")
    if local.bound_to is not None or eck.bound_to is not None or eck_root == local_root:
        raise AliasRefused("check_no_two_eck_ids")
    if any(seen.account in (local_root, local.account) for seen in eck.seen.values()):
        raise AliasRefused("check_no_cycle")
    tag = by.tag_of(local_root)
    here = eck.seen[by.school]
    left = leave_behind(eck, local, account=here.account, told_at=by.school)
    bound = replace(
        local,
        account=here.account,
        salt=eck.salt,
        seen={by.school: replace(local.seen[by.school], account=here.account)},
        bound_to=eck_root,
        held_by=eck_root,
        suppliers={},
    )
    onward = bind_onward(eck_root, bound, person.found)
    # Erasing must find the number at another school, and a fresh account, as well.
    tags = (tag, *local.seen[by.school].aliases, *(person.found.onward_tag for _ in onward))
    here = replace(here, aliases=tuple(dict.fromkeys((*here.aliases, *tags))))
    seen = _together(left.seen | {by.school: here}, {*tags})
    told = sum(tells(each, local.account) for each in left.suppliers.values())
    return Plan(
        changes=(
            Change(eck_root, replace(left, seen=seen)),
            Change(local_root, bound),
            *(Change(root, there) for root, _, there in onward),
        ),
        lines=(
            "Number and ECK iD open the ECK iD's account from now on.",
            f"Suppliers that are told of the other account, at this pupil's next login: {told}.",
        ),
    )


def _together(seen: Mapping[SchoolId, SeenAt], tags: Collection[bytes]) -> dict[SchoolId, SeenAt]:
    """Return where an ECK iD was without what was said of a number staying apart from it."""
    return {
        school: replace(each, apart=tuple(tag for tag in each.apart if tag not in tags))
        for school, each in seen.items()
    }
