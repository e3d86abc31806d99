"""Which of a school's own numbers belongs to which ECK iD, and when a join holds elsewhere.

The rules that `broker.flow.persons.person_rules` tells by number, as far as two identifiers meet.
"""

from dataclasses import dataclass
from functools import reduce

from msgspec.structs import replace

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.persons.announcements import announce, announcements_of, with_announcements
from broker.flow.persons.person_arrivals import first_seen, schools_that_count, touch
from broker.flow.persons.person_fresh import account_row
from broker.flow.persons.person_records import (
    Announcement,
    FormerAccount,
    FoundRecords,
    Login,
    PersonEvent,
    PersonRecord,
    SupplierSeen,
    as_root,
)
from broker.pseudonyms.derivation import PersonRoot

MAX_ALIASES = 16  # numbers of one pupil at one school: no school can swell a row without end


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


def confirm_join(record: PersonRecord) -> PersonRecord:
    """Return the record with its join mature: confirmed by the school's feed or by people.

    Schools that saw the ECK iD before keep what is pinned there.
    """
    if record.join is None:
        return record
    return replace(record, join=replace(record.join, mature=True))


def ripen_join(
    record: PersonRecord, login: Login, rules: JoinRules
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Count a login day of an immature join, and see whether it is mature now (rule 9).

    Once another school has seen the ECK iD, what it opens there is pinned and the join can only
    be confirmed.
    """
    join = record.join
    if (
        join is None
        or join.mature
        or not {
            *schools_that_count(record),
            join.school,
        }
        <= login.here
    ):
        return record, ()
    if login.today > join.last_day and join.login_days < rules.mature_after_login_days:
        join = replace(join, last_day=login.today, login_days=join.login_days + 1)
    old_enough = (login.today - join.first_day).days >= rules.mature_after_days
    if old_enough and join.login_days >= rules.mature_after_login_days:
        return replace(record, join=replace(join, mature=True)), (PersonEvent.JOIN_MATURED,)
    return replace(record, join=join), ()


def must_stay_apart(
    eck: PersonRecord | None, arrived: PersonRecord, local: PersonRecord | None, login: Login
) -> bool:
    """Tell whether two accounts are kept apart: rule 12, or two persons split them.

    Args:
        eck, arrived: of the ECK iD, before this login and after.
    """
    if were_parted(arrived, local, login):
        return True
    has_own_account = local is not None and local.bound_to is None
    return has_own_account and eck is not None and bool(schools_that_count(eck) - login.here)


def were_parted(eck: PersonRecord, local: PersonRecord | None, login: Login) -> bool:
    """Tell whether two persons split this number from this ECK iD, here or where it went on from.

    A tag is that of one number at one school, so it does not matter at which one it stands.
    """
    here = None if local is None else local.seen.get(login.school)
    tags = {login.local_tag, *(() if here is None else here.aliases)}
    return any(not tags.isdisjoint(each.apart) for each in eck.seen.values())


def bind_number(
    eck_root: PersonRoot, local: PersonRecord | None, eck: PersonRecord, login: Login
) -> tuple[PersonRecord, tuple[PersonEvent, ...]]:
    """Return the record of a school's own number, bound to an ECK iD's account here."""
    account = eck.seen[login.school].account
    if local is None:
        record = PersonRecord(
            population=Population.PUPIL,
            account=account,
            salt=eck.salt,
            seen={login.school: first_seen(account, login)},
            school_year=login.school_year,
            bound_to=eck_root,
        )
        return record, (PersonEvent.LOCAL_BOUND,)
    events: tuple[PersonEvent, ...] = ()
    if local.bound_to is None and local.account != account:
        events = (PersonEvent.ACCOUNTS_JOINED,)
    elif local.bound_to not in (None, eck_root):
        events = (PersonEvent.LOCAL_REBOUND,)
    touched = touch(local, login)
    here = touched.seen[login.school]
    if PersonEvent.LOCAL_REBOUND in events:  # who had it at a school of before is somebody else
        here = replace(here, aliases=())
    record = replace(
        touched,
        account=account,
        salt=eck.salt,
        seen={login.school: replace(here, account=account)},
        bound_to=eck_root,
        held_by=eck_root if local.bound_to is None else local.held_by,
        suppliers={},  # they stand with the ECK iD from now on
        # What another ECK iD's person has read is no business of this one.
        notices={} if PersonEvent.LOCAL_REBOUND in events else local.notices,
        # Where it went on to from here is the former owner's.
        carried_to=None if PersonEvent.LOCAL_REBOUND in events else local.carried_to,
    )
    return record, events


def know_number(
    eck: PersonRecord,
    local: PersonRecord | None,
    login: Login,
    *,
    before: tuple[bytes, ...] = (),
) -> PersonRecord:
    """Return an ECK iD's record that knows the number's row, and an account that it leaves behind.

    Without the tag erasure would miss the row; without the former account's salt a join could
    not be undone (rule 11).

    Args:
        before: tags of the number's rows at schools of before.

    Raises:
        TooManyNumbers: `MAX_ALIASES` other numbers of this school are bound to this ECK iD.
    """
    here = eck.seen[login.school]
    if local is not None and local.bound_to is None and local.account != here.account:
        eck = leave_behind(eck, local, account=here.account, told_at=login.school)
    new = tuple(tag for tag in (login.local_tag, *before) if tag not in here.aliases)
    if not new:
        return eck
    if len(here.aliases) + len(here.ways) + len(new) > MAX_ALIASES:
        raise TooManyNumbers("check_numbers_of_one_pupil_bounded")
    here = replace(here, aliases=(*here.aliases, *new))
    return replace(eck, seen={**eck.seen, login.school: here})


def leave_behind(
    eck: PersonRecord, local: PersonRecord, *, account: bytes, told_at: SchoolId
) -> PersonRecord:
    """Return an ECK iD's record that leaves the account of a number behind (rule 11).

    The suppliers that knew that account, and no others, are to be told of it.

    Args:
        account: that the ECK iD opens where the two met; it is told beside this one alone.
        told_at: the school on whose word they are one. Told elsewhere too, a school that states
            other schools' pupils could have its own numbers' accounts merged into theirs.
    """
    former = FormerAccount(root=local.account, salt=local.salt)
    left = Announcement(previous=local.account, beside=account, told_at=told_at)
    told: dict[SupplierId, SupplierSeen] = {
        supplier: announce(
            # What is to be told beside the account that is left, is so beside this one.
            reduce(
                announce,
                (replace(each, beside=account) for each in reversed(announcements_of(seen))),
                eck.suppliers.get(supplier, with_announcements(seen, ())),
            ),
            left,
        )
        for supplier, seen in local.suppliers.items()
    }
    return replace(
        eck,
        former=(*eck.former, former),
        suppliers={**eck.suppliers, **told},
        protected=eck.protected or local.protected,
    )


def forget_number(
    eck_root: PersonRoot, found: FoundRecords, login: Login
) -> tuple[tuple[PersonRoot, PersonRecord | None, PersonRecord], ...]:
    """Rules 10 and 14: erasing the number's former person must not erase the new one's row.

    Nor must erasing the new one hide whose the number's account is: where it is the former
    person's, that is written down once more, beside the number's row.

    Returns:
        root, what was found under it and what it shall be: of the former ECK iD, of its number
        at a school that went on for this one, and of the way to it; or nothing.
    """
    local, bound = found.local, found.bound
    if local is None or local.bound_to in (None, eck_root) or bound is None:
        return ()
    former = as_root(local.bound_to)
    without = _without_alias(bound, login.local_tag)
    parted: list[tuple[PersonRoot, PersonRecord | None, PersonRecord]] = []
    way = found.way
    known_at = [at for at, each in bound.seen.items() if login.local_tag in each.aliases]
    if way is not None and local.held_by == former and known_at:
        here = without.seen[known_at[0]]
        here = replace(here, ways=tuple(dict.fromkeys((*here.ways, way.tag))))
        without = replace(without, seen={**without.seen, known_at[0]: here})
        leads = account_row(former, bound, account=way.root).record
        parted.append((way.root, way.record, leads))
    parted.append((former, bound, without))
    if found.onward is not None and local.carried_to is not None:
        onward = found.onward
        parted.append((as_root(local.carried_to), onward, _without_alias(onward, login.local_tag)))
    return tuple(parted)


def _without_alias(record: PersonRecord, forgotten: bytes) -> PersonRecord:
    seen = {
        school: replace(each, aliases=tuple(tag for tag in each.aliases if tag != forgotten))
        for school, each in record.seen.items()
    }
    return replace(record, seen=seen)


def bind_onward(
    eck_root: PersonRoot, bound: PersonRecord, found: FoundRecords
) -> tuple[tuple[PersonRoot, PersonRecord, PersonRecord], ...]:
    """Bind a number as well at the school that went on for this one, once that is over.

    There it opens the account that is left behind here. Unbound, erasing the ECK iD would leave
    that row, and whoever has the number next would open that account if the schools meet again.

    Args:
        bound: the number's record here, now that it is bound to the ECK iD.

    Returns:
        as `forget_number`.
    """
    local, onward = found.local, found.onward
    if local is None or onward is None or local.carried_to is None:
        return ()
    if local.bound_to is not None or onward.bound_to is not None:
        return ()
    seen = {at: replace(each, account=bound.account) for at, each in onward.seen.items()}
    there = replace(
        onward,
        account=bound.account,
        salt=bound.salt,
        seen=seen,
        bound_to=eck_root,
        held_by=eck_root,
        suppliers={},
    )
    return ((as_root(local.carried_to), onward, there),)
