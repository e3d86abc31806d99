"""An ECK iD that a supplier was told about before anybody logged in with it: the promise is kept.

The mapping of a take-over (`broker.flow.takeover.takeover_mapping`) answers for pupils whom a
school signed for and of whom no login stated anything yet. The answer is the ECK iD's own account,
and it rests in the ECK iD's row: `promised` names the school, `seen` is empty. What the first
login makes of it:

| Login | Does |
|---|---|
| at a school that was promised | the ECK iD is pinned there with its own account |
| at another school | as if nothing rested: a promise binds at its own school alone |
| at a promised school, after others | rule 3 without the join: its own account |

Pinned, as if that school had stated it before: a number that has an account of its own is then
bound to the ECK iD (rule 11), where it would else have made the ECK iD open it (rule 9).
Pure, and beside `person_rules` rather than in it: for who was never mapped, nothing of this runs.
"""

from collections.abc import Callable
from dataclasses import replace as with_fields

from msgspec.structs import replace

from broker.flow.persons.person_joins import JoinRules
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    SeenAt,
    as_root,
)
from broker.flow.persons.person_rules import resolve_person
from broker.pseudonyms.derivation import PersonRoot


def resolve_with_promise(
    presented: Presented, found: FoundRecords, *, login: Login, rules: JoinRules
) -> Resolved:
    """Return which account a login opens: `resolve_person`, with promises kept.

    Raises:
        Refusal: as `resolve_person`.
    """
    known, root = found.eck_id, presented.eck_id
    if known is None or root is None or not known.promised:
        return resolve_person(presented, found, login=login, rules=rules)
    here = login.school in known.promised
    if known.seen:
        if not here or login.school in known.seen:
            return resolve_person(presented, found, login=login, rules=rules)
        without = with_fields(found, eck_id=replace(known, join=None))
        resolved = resolve_person(presented, without, login=login, rules=rules)
        return _with_record(resolved, root, known, lambda each: replace(each, join=known.join))
    if here:
        pinned = replace(known, seen={login.school: _pinned(as_root(known.account), login)})
        resolved = resolve_person(
            presented, with_fields(found, eck_id=pinned), login=login, rules=rules
        )
        first = with_fields(resolved, events=(PersonEvent.FIRST_SEEN, *resolved.events))
        return _with_record(first, root, pinned, lambda each: each)
    resolved = resolve_person(presented, with_fields(found, eck_id=None), login=login, rules=rules)
    return _with_record(resolved, root, known, lambda each: _remembering(each, known))


def _pinned(account: PersonRoot, login: Login) -> SeenAt:
    return SeenAt(account=account, since_year=login.school_year, last_year=login.school_year)


def _remembering(record: PersonRecord, known: PersonRecord) -> PersonRecord:
    """Return the first record of an ECK iD, with what was promised elsewhere and who was told."""
    return replace(
        record,
        promised=known.promised,
        suppliers={**known.suppliers, **record.suppliers},
    )


def _with_record(
    resolved: Resolved,
    root: PersonRoot,
    known: PersonRecord,
    change: Callable[[PersonRecord], PersonRecord],
) -> Resolved:
    """Return what to store, the ECK iD's row changed as well, which was seen for the first time."""
    written = {each.root: each.record for each in resolved.changes}
    own = Change(root, change(written.get(root, known)))
    others = tuple(each for each in resolved.changes if each.root != root)
    return with_fields(resolved, changes=(own, *others))
