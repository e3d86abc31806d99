"""Which account a login opens: the rules on joining identifiers, as a pure function.

A login presents the root of an ECK iD (E), of the school's own number (L), or both. An *account*
is the root from which pseudonyms and receipts are derived; a row says which account its root
opens. L is bound to one school by its derivation, so what is said of L holds at that school alone.
What E opens is pinned for each school at first sight there, and never moves afterwards. A school
can state any E, so nothing it states may change what E opens at another school; the one exception
is a join that grew old unseen (rules 9 and 3).

| # | Presented | Found | Opens | Written |
|---|---|---|---|---|
| 1 | E | unknown | E | E |
| 2 | E | known, seen at this school | what is pinned here | - |
| 3 | E | known, new at this school | E; a mature join's account (see 9) | E: pinned, held |
| 4 | L | known | what L's row says: L, or what its E opens here now | - |
| 5 | L | unknown | L | L |
| 6 | L | unknown, school requires ECK iDs | refused, `E-PERSON-1` | - |
| 7 | E, L | both unknown | E | E; L bound to E |
| 8 | E, L | E known, L unknown | as 2 or 3 | L bound to E |
| 9 | E, L | E unknown, L has an account | L here (*join*); E elsewhere | E joined; L bound |
| 10 | E, L | E unknown, L bound to another E' | E | E; L re-bound to E; E' forgets L |
| 11 | E, L | both have accounts, E seen here alone | as 2 | L bound; E notes L's account |
| 12 | E, L | both have accounts, E seen elsewhere | as 2 or 3, never a join's | - (kept apart) |
| 13 | E, L | E known, L bound to E | as 2 | - |
| 14 | E, L | E known, L bound to another E' | as 2 or 3 | L re-bound to E; E' forgets L |
| 15 | E, L | E's row is gone, L is still bound to E | L's account | E restored from L |
| 16 | staff | (always a root of their own kind, never E) | as 4, 5 | as 4, 5 |
| 17 | E | known, arrived at other schools since | as 2 | these arrivals confirmed |
| 18 | E, its L | protected, new at this school | refused until one of before confirmed | E: held |
| 19 | L, or E | erased before | a fresh account, and never its own root's | that one |
| 20 | L | went on to another school, and is another pupil's there | refused, `E-PERSON-1` | - |
| 21 | E | begun anew at a school, new at this one | a fresh account | E: pinned, not held |

9: the join holds at its school alone until it is mature: 30 days and 5 login days during which no
other school stated E, or until it is confirmed. From then on a school that is new to E opens the
joined account too, unless the pupil already has one there (12): then E stands for itself.
10, 14: two ECK iDs are never merged: a number that comes with another ECK iD was issued anew, or
the pupil changed sector. The old E keeps its account, the new one gets its own. Was the old one's
account L's, that stands beside L's row as well: who has L now may be erased.
11: the suppliers that knew L's account are told of it (`previous_sub`), at this school alone. An L
that went on to another school and came back is bound at both.
12: day by day E's account and, without E, L's: two accounts that people must join by hand. So
are those that two persons split.
3, 17, 18: holds and who ends them are `broker.flow.persons.person_arrivals`, how many a day may
come `broker.flow.persons.arrival_budgets`; what two identifiers do to each other is
`broker.flow.persons.person_joins`. A school that goes on for another one counts as that one:
`broker.flow.persons.successors`. Once a school year each presented row is written again, which is
what retention goes by.

19: `broker.flow.persons.person_fresh`; of E only if people had parted it from something. With an E
beside it an erased L brings no account: rules 7, 8, 12 as if L were unknown. 20: once a relation is
undone; with an ECK iD it is bound to that one (14). 21: two schools say that E is theirs, and
nobody knows which is right, until one of them objects to the other.

The worst outcome is a fresh account. What these rules cannot know: a number that is issued anew
to a pupil before any ECK iD came with it opens its former owner's account, because to us it is
the same number; and a school that states a pupil's ECK iD for one of its own pupils for a month,
before any other school did, is taken to be that pupil's school (events tell both).
"""

from dataclasses import replace as with_fields

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.persons.person_arrivals import (
    confirm_by_login,
    first_seen,
    is_contested,
    touch,
    waits,
)
from broker.flow.persons.person_fresh import account_row, first_record
from broker.flow.persons.person_joins import (
    JoinRules,
    bind_number,
    bind_onward,
    forget_number,
    know_number,
    must_stay_apart,
    ripen_join,
)
from broker.flow.persons.person_records import (
    Change,
    FoundRecords,
    Join,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    as_root,
)
from broker.pseudonyms.derivation import PersonRoot

_Replaced = tuple[PersonRoot, PersonRecord | None, PersonRecord]
"""Root, what was found under it, what it shall be."""


class EckIdMissing(Refusal):
    code = "E-PERSON-1"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login did not send your ECK iD, and we do not know you yet without it."
    remedy = "The school must let its login send the ECK iD. Please tell your school."
    http_status = 403
    oauth_error = "access_denied"


def resolve_person(
    presented: Presented, found: FoundRecords, *, login: Login, rules: JoinRules
) -> Resolved:
    """Return which account a login opens, by the table above.

    Args:
        found: what the register holds under the presented roots.

    Raises:
        EckIdMissing: rules 6 and 20.
        TooManyNumbers: `MAX_ALIASES` other numbers of this school are bound to this ECK iD.
    """
    if presented.eck_id is None:
        (root,) = presented.roots
        return _resolve_local_alone(root, presented.population, found, login)
    if presented.local is None:
        return _resolve_eck_id_alone(presented.eck_id, found, login, rules)
    return _resolve_both(presented.eck_id, presented.local, found, login, rules)


def _resolve_local_alone(
    root: PersonRoot, population: Population, found: FoundRecords, login: Login
) -> Resolved:
    """Rules 4, 5, 6, 16 and 18."""
    known, bound = found.local, found.bound
    if found.reissued:
        raise EckIdMissing("check_number_not_reissued")
    if known is not None:
        resolved = _resolved(known, login, _changes((root, known, touch(known, login))))
        if bound is None or login.school not in bound.seen:
            return resolved
        # An objection or a split may have moved the pin since this number was bound.
        account = as_root(bound.seen[login.school].account)
        return with_fields(resolved, account=account, waits=waits(bound, login.school))
    if login.eck_id_required and population is Population.PUPIL:
        raise EckIdMissing("check_eck_id_stated_or_known")
    return _resolve_first(root, population, found, login)


def _resolve_first(
    root: PersonRoot, population: Population, found: FoundRecords, login: Login
) -> Resolved:
    """Return what the first login by one identifier opens: its own account, or a fresh one."""
    record = first_record(root, population, found, login)
    events = _first_events(record)
    changes = (Change(root, record), *_fresh_rows(root, record, events, login))
    return _resolved(record, login, changes, events)


def _resolve_eck_id_alone(
    root: PersonRoot, found: FoundRecords, login: Login, rules: JoinRules
) -> Resolved:
    """Rules 1, 2 and 3."""
    known = found.eck_id
    if known is None:
        return _resolve_first(root, Population.PUPIL, found, login)
    record, events = _arrive(root, known, login, rules, may_use_join=True)
    changes = (*_changes((root, known, record)), *_fresh_rows(root, record, events, login))
    return _resolved(record, login, changes, events)


def _resolve_both(
    eck_root: PersonRoot, root: PersonRoot, found: FoundRecords, login: Login, rules: JoinRules
) -> Resolved:
    """Rules 7 to 15."""
    eck, local = found.eck_id, found.local
    has_own_account = local is not None and local.bound_to is None
    if eck is None:
        arrived, events = _first_beside_local(eck_root, root, found, login)
    else:
        arrived, events = _arrive(eck_root, eck, login, rules, may_use_join=not has_own_account)
    fresh_rows = _fresh_rows(eck_root, arrived, events, login)

    if waits(arrived, login.school):  # rule 18: nothing else of this login holds
        return _resolved(arrived, login, _changes((eck_root, eck, arrived)), events)
    if must_stay_apart(eck, arrived, local, login):  # rule 12
        if local is None:
            local_changes = _resolve_first(root, Population.PUPIL, found, login).changes
        else:
            local_changes = _changes((root, local, touch(local, login)))
        return _resolved(
            arrived,
            login,
            (*_changes((eck_root, eck, arrived)), *fresh_rows, *local_changes),
            (*events, PersonEvent.ACCOUNTS_KEPT_APART),
        )
    bound, binding = bind_number(eck_root, local, arrived, login)
    if root in found.closed:  # in case the two are parted one day
        bound = replace(bound, own=login.fresh_account(root).root)
    onward = bind_onward(eck_root, bound, found)
    before = (*bound.seen[login.school].aliases, *(found.onward_tag for _ in onward))
    changes = _changes(
        (eck_root, eck, know_number(arrived, local, login, before=before)),
        (root, local, bound),
        *onward,
        *forget_number(eck_root, found, login),
    )
    return _resolved(arrived, login, (*changes, *fresh_rows), events + binding)


def _first_events(record: PersonRecord) -> tuple[PersonEvent, ...]:
    fresh = (PersonEvent.FRESH_ACCOUNT,) if record.own is not None else ()
    return (PersonEvent.FIRST_SEEN, *fresh)


def _fresh_rows(
    root: PersonRoot, record: PersonRecord, events: tuple[PersonEvent, ...], login: Login
) -> tuple[Change, ...]:
    """Return the row of the account that an identifier opens here, when this login made it."""
    if PersonEvent.FRESH_ACCOUNT not in events:
        return ()
    return (account_row(root, record, account=as_root(record.seen[login.school].account)),)


def _first_beside_local(
    eck_root: PersonRoot, root: PersonRoot, found: FoundRecords, login: Login
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return the first record of an ECK iD that came with a school's own number."""
    local = found.local
    fresh = first_record(eck_root, Population.PUPIL, found, login)
    if local is None or local.bound_to not in (None, eck_root):  # rules 7 and 10
        return fresh, _first_events(fresh)
    if fresh.own is not None:  # people parted it from something once, and it was erased
        here = replace(fresh.seen[login.school], apart=(login.local_tag,))
        return replace(fresh, seen={login.school: here}), _first_events(fresh)
    record = replace(  # rules 9 and 15: the work that is there stays the pupil's
        fresh,
        salt=local.salt,
        seen={login.school: first_seen(local.account, login)},
        notices=local.notices,
        suppliers=local.suppliers,
        protected=local.protected,
    )
    if local.account != eck_root:
        join = Join(
            school=login.school,
            account=local.account,
            first_day=login.today,
            last_day=login.today,
            login_days=1,
        )
        return replace(record, join=join), (PersonEvent.JOINED_HERE,)
    return record, (PersonEvent.FIRST_SEEN,)


def _arrive(
    root: PersonRoot, record: PersonRecord, login: Login, rules: JoinRules, *, may_use_join: bool
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return an ECK iD's record after a login at this school, pinned here (rules 2, 3 and 17)."""
    record = touch(record, login)
    if login.school in record.seen:
        confirmed = confirm_by_login(record, login)
        ripened, events = ripen_join(confirmed, login, rules)
        if confirmed != record:
            events = (PersonEvent.ARRIVAL_CONFIRMED, *events)
        return ripened, events
    if is_contested(record):  # rule 21
        fresh = login.fresh_account(root)
        here = replace(
            first_seen(fresh.root, login, held=True), aliases=(fresh.tag,), confirmed=True
        )
        return (
            replace(record, seen={**record.seen, login.school: here}),
            (PersonEvent.NEW_SCHOOL, PersonEvent.FRESH_ACCOUNT),
        )
    account = record.account
    events = (PersonEvent.NEW_SCHOOL,)
    join = record.join
    if join is not None and join.mature and may_use_join:
        account = join.account
        events = (PersonEvent.NEW_SCHOOL, PersonEvent.MATURE_JOIN_APPLIED)
    seen = {**record.seen, login.school: first_seen(account, login, held=True)}
    return replace(record, seen=seen), events


def _changes(*replaced: _Replaced) -> tuple[Change, ...]:
    """Return what is new or other than it was; a known person with nothing new costs no write."""
    return tuple(Change(root, after) for root, before, after in replaced if before != after)


def _resolved(
    record: PersonRecord,
    login: Login,
    changes: tuple[Change, ...] = (),
    events: tuple[PersonEvent, ...] = (),
) -> Resolved:
    here = record.seen[login.school]
    return Resolved(
        account=as_root(here.account),
        salt=record.salt,
        changes=changes,
        events=events,
        waits=waits(record, login.school),
        arrived_from=frozenset(record.seen) - {login.school}
        if PersonEvent.NEW_SCHOOL in events
        else frozenset(),
    )
