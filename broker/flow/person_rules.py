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
| 3 | E | known, new at this school | E; a mature join's account (see 9) | E: pinned here |
| 4 | L | known | what L's row says: L, or its E's account here | - |
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

9: the join holds at its school alone until it is mature: 30 days and 5 login days during which no
other school stated E, or until it is confirmed. From then on a school that is new to E opens the
joined account too, unless the pupil already has one there (12): then E stands for itself.
10, 14: two ECK iDs are never merged: a number that comes with another ECK iD was issued anew, or
the pupil changed sector. The old E keeps its account, the new one gets its own.
12: day by day E's account and, without E, L's: two accounts that a person must join by hand.
Once a school year each presented row is written again, which is what retention goes by.

The worst outcome is a fresh account. What these rules cannot know: a number that is issued anew
to a pupil before any ECK iD came with it opens its former owner's account, because to us it is
the same number; and a school that states a pupil's ECK iD for one of its own pupils for a month,
before any other school did, is taken to be that pupil's school (events tell both).
"""

from dataclasses import dataclass

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.person_records import (
    Change,
    FormerAccount,
    FoundRecords,
    Join,
    Login,
    PersonEvent,
    PersonRecord,
    Presented,
    Resolved,
    SeenAt,
    as_root,
)
from broker.pseudonyms.derivation import PersonRoot

MAX_ALIASES = 16  # numbers of one pupil at one school: no school can swell a row without end

_Replaced = tuple[PersonRoot, PersonRecord | None, PersonRecord]
"""Root, what was found under it, what it shall be."""


class EckIdMissing(Refusal):
    code = "E-PERSON-1"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login did not send your ECK iD, and we do not know you yet without it."
    remedy = "The school must let its login send the ECK iD. Please tell your school."
    http_status = 403
    oauth_error = "access_denied"


class TooManyNumbers(Refusal):
    """To go on without binding the number would let it open its former owner's account."""

    code = "E-PERSON-3"
    whose_task = WhoseTask.SCHOOL
    what = "Your school's login has sent too many different numbers for you."
    remedy = "A pupil keeps one number at a school. Please tell your school."
    http_status = 403
    oauth_error = "access_denied"


@dataclass(frozen=True, slots=True)
class JoinRules:
    """When a join is mature."""

    mature_after_days: int = 30
    mature_after_login_days: int = 5


def resolve_person(
    presented: Presented, found: FoundRecords, *, login: Login, rules: JoinRules
) -> Resolved:
    """Return which account a login opens, by the table above.

    Args:
        found: what the register holds under the presented roots.

    Raises:
        EckIdMissing: rule 6.
        TooManyNumbers: `MAX_ALIASES` other numbers of this school are bound to this ECK iD.
    """
    if presented.eck_id is None:
        (root,) = presented.roots
        return _resolve_local_alone(root, presented.population, found.local, login)
    if presented.local is None:
        return _resolve_eck_id_alone(presented.eck_id, found.eck_id, login, rules)
    return _resolve_both(presented.eck_id, presented.local, found, login, rules)


def confirm_join(record: PersonRecord) -> PersonRecord:
    """Return the record with its join mature: confirmed by the school's feed or by people.

    Schools that saw the ECK iD before keep what is pinned there.
    """
    if record.join is None:
        return record
    return replace(record, join=replace(record.join, mature=True))


def _resolve_local_alone(
    root: PersonRoot, population: Population, known: PersonRecord | None, login: Login
) -> Resolved:
    """Rules 4, 5, 6 and 16."""
    if known is not None:
        return _resolved(known, login, _changes((root, known, _touch(known, login))))
    if login.eck_id_required and population is Population.PUPIL:
        raise EckIdMissing("check_eck_id_stated_or_known")
    record = _first(root, population, login)
    return _resolved(record, login, (Change(root, record),), (PersonEvent.FIRST_SEEN,))


def _resolve_eck_id_alone(
    root: PersonRoot, known: PersonRecord | None, login: Login, rules: JoinRules
) -> Resolved:
    """Rules 1, 2 and 3."""
    if known is None:
        record = _first(root, Population.PUPIL, login)
        return _resolved(record, login, (Change(root, record),), (PersonEvent.FIRST_SEEN,))
    record, events = _arrive(known, login, rules, may_use_join=True)
    return _resolved(record, login, _changes((root, known, record)), events)


def _resolve_both(
    eck_root: PersonRoot, root: PersonRoot, found: FoundRecords, login: Login, rules: JoinRules
) -> Resolved:
    """Rules 7 to 15."""
    eck, local = found.eck_id, found.local
    has_own_account = local is not None and local.bound_to is None
    if eck is None:
        arrived, events = _first_beside_local(eck_root, root, local, login)
    else:
        arrived, events = _arrive(eck, login, rules, may_use_join=not has_own_account)

    seen_elsewhere = eck is not None and eck.seen.keys() != {login.school}
    if local is not None and has_own_account and seen_elsewhere:  # rule 12
        return _resolved(
            arrived,
            login,
            _changes((eck_root, eck, arrived), (root, local, _touch(local, login))),
            (*events, PersonEvent.ACCOUNTS_KEPT_APART),
        )
    bound, binding = _bind(eck_root, local, arrived, login)
    changes = _changes(
        (eck_root, eck, _with_alias(arrived, local, login)),
        (root, local, bound),
        *_forget_alias(eck_root, found, login),
    )
    return _resolved(arrived, login, changes, events + binding)


def _first(root: PersonRoot, population: Population, login: Login) -> PersonRecord:
    return PersonRecord(
        population=population,
        account=root,
        salt=login.fresh_salt,
        seen={login.school: _first_seen(root, login)},
        school_year=login.school_year,
    )


def _first_seen(account: bytes, login: Login) -> SeenAt:
    return SeenAt(account=account, since_year=login.school_year, last_year=login.school_year)


def _first_beside_local(
    eck_root: PersonRoot, root: PersonRoot, local: PersonRecord | None, login: Login
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return the first record of an ECK iD that came with a school's own number."""
    fresh = _first(eck_root, Population.PUPIL, login)
    if local is None or local.bound_to not in (None, eck_root):  # rules 7 and 10
        return fresh, (PersonEvent.FIRST_SEEN,)
    record = replace(  # rules 9 and 15: the work that is there stays the pupil's
        fresh,
        salt=local.salt,
        seen={login.school: _first_seen(local.account, login)},
        notices=local.notices,
        suppliers=local.suppliers,
    )
    if local.account == root:
        join = Join(
            school=login.school,
            account=root,
            first_day=login.today,
            last_day=login.today,
            login_days=1,
        )
        return replace(record, join=join), (PersonEvent.JOINED_HERE,)
    return record, (PersonEvent.FIRST_SEEN,)


def _arrive(
    record: PersonRecord, login: Login, rules: JoinRules, *, may_use_join: bool
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return an ECK iD's record after a login at this school, pinned here (rules 2 and 3)."""
    record = _touch(record, login)
    if login.school in record.seen:
        return _ripen(record, login, rules)
    account = record.account
    events: tuple[PersonEvent, ...] = (PersonEvent.NEW_SCHOOL,)
    join = record.join
    if join is not None and join.mature and may_use_join:
        account = join.account
        events = (PersonEvent.NEW_SCHOOL, PersonEvent.MATURE_JOIN_APPLIED)
    return replace(record, seen={**record.seen, login.school: _first_seen(account, login)}), events


def _ripen(
    record: PersonRecord, login: Login, rules: JoinRules
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Count a login day of an immature join, and see whether it is mature now (rule 9).

    Once another school has seen the ECK iD, what it opens there is pinned and the join can only
    be confirmed.
    """
    join = record.join
    if join is None or join.mature or record.seen.keys() != {join.school}:
        return record, ()
    if login.today > join.last_day and join.login_days < rules.mature_after_login_days:
        join = replace(join, last_day=login.today, login_days=join.login_days + 1)
    old_enough = (login.today - join.first_day).days >= rules.mature_after_days
    if old_enough and join.login_days >= rules.mature_after_login_days:
        return replace(record, join=replace(join, mature=True)), (PersonEvent.JOIN_MATURED,)
    return replace(record, join=join), ()


def _bind(
    eck_root: PersonRoot, local: PersonRecord | None, eck: PersonRecord, login: Login
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return the record of a school's own number, bound to an ECK iD's account here."""
    account = eck.seen[login.school].account
    if local is None:
        record = PersonRecord(
            population=Population.PUPIL,
            account=account,
            salt=eck.salt,
            seen={login.school: _first_seen(account, login)},
            school_year=login.school_year,
            bound_to=eck_root,
        )
        return record, (PersonEvent.LOCAL_BOUND,)
    events: tuple[PersonEvent, ...] = ()
    if local.bound_to is None and local.account != account:
        events = (PersonEvent.ACCOUNTS_JOINED,)
    elif local.bound_to not in (None, eck_root):
        events = (PersonEvent.LOCAL_REBOUND,)
    touched = _touch(local, login)
    record = replace(
        touched,
        account=account,
        salt=eck.salt,
        seen={login.school: replace(touched.seen[login.school], account=account)},
        bound_to=eck_root,
        held_by=eck_root if local.bound_to is None else local.held_by,
        suppliers={},  # they stand with the ECK iD from now on
        # What another ECK iD's person has read is no business of this one.
        notices={} if PersonEvent.LOCAL_REBOUND in events else local.notices,
    )
    return record, events


def _with_alias(eck: PersonRecord, local: PersonRecord | None, login: Login) -> PersonRecord:
    """Return an ECK iD's record that knows the number's row, and an account that it leaves behind.

    Without the tag erasure would miss the row; without the former account's salt a join could
    not be undone (rule 11).
    """
    here = eck.seen[login.school]
    if local is not None and local.bound_to is None and local.account != here.account:
        former = FormerAccount(root=local.account, salt=local.salt)
        eck = replace(eck, former=(*eck.former, former))
    if login.local_tag in here.aliases:
        return eck
    if len(here.aliases) >= MAX_ALIASES:
        raise TooManyNumbers("check_numbers_of_one_pupil_bounded")
    here = replace(here, aliases=(*here.aliases, login.local_tag))
    return replace(eck, seen={**eck.seen, login.school: here})


def _forget_alias(eck_root: PersonRoot, found: FoundRecords, login: Login) -> tuple[_Replaced, ...]:
    """Rules 10 and 14: erasing the number's former person must not erase the new one's row."""
    local, bound = found.local, found.bound
    if local is None or local.bound_to in (None, eck_root) or bound is None:
        return ()
    seen = {
        school: replace(each, aliases=tuple(tag for tag in each.aliases if tag != login.local_tag))
        for school, each in bound.seen.items()
    }
    return ((as_root(local.bound_to), bound, replace(bound, seen=seen)),)


def _touch(record: PersonRecord, login: Login) -> PersonRecord:
    """Return the record with this school year: what retention goes by."""
    year, here = login.school_year, record.seen.get(login.school)
    if here is not None and (here.last_year is None or here.last_year < year):
        seen = {**record.seen, login.school: replace(here, last_year=year)}
        record = replace(record, seen=seen)
    if record.school_year >= year:
        return record
    return replace(record, school_year=year)


def _changes(*replaced: _Replaced) -> tuple[Change, ...]:
    """Return what is new or other than it was; a known person with nothing new costs no write."""
    return tuple(Change(root, after) for root, before, after in replaced if before != after)


def _resolved(
    record: PersonRecord,
    login: Login,
    changes: tuple[Change, ...] = (),
    events: tuple[PersonEvent, ...] = (),
) -> Resolved:
    account = as_root(record.seen[login.school].account)
    return Resolved(account=account, salt=record.salt, changes=changes, events=events)
