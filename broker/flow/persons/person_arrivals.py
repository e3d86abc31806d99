"""A known pupil arrives at a school that is new to the pupil: holds, confirmation, objection.

Nothing cryptographic stops a school from stating an ECK iD that it once learned. So an arrival is
*held*: the pupil is let in, within the school's budget (`broker.flow.persons.arrival_budgets`),
and the hold ends when the pupil logs in at a school of before as well, when a school confirms, or
when some days pass without objection. A school of before may object for as long as it is not
settled and afterwards too: the arrival then opens a fresh account at the new school, and nothing
else.

Of a protected pupil nothing opens at the new school before a school of before confirmed, and no
days confirm anything; the pupil may do so by logging in there from the very page that says so: a
login of the daily kind would let in whoever waits for it.

Which side is which: a school may confirm or object to arrivals that are later than its own. One
that is itself held, or was objected to, may do neither.
"""

from datetime import date, timedelta

from msgspec.structs import replace

from broker.domain.ids import SchoolId
from broker.flow.persons.person_records import Login, PersonRecord, SeenAt


def first_seen(account: bytes, login: Login, *, held: bool = False) -> SeenAt:
    """Return what an identifier is at a school from its first login there on."""
    return SeenAt(
        account=account,
        since_year=login.school_year,
        last_year=login.school_year,
        held_since=login.today if held else None,
    )


def touch(record: PersonRecord, login: Login) -> PersonRecord:
    """Return the record with this school year: what retention goes by."""
    year, here = login.school_year, record.seen.get(login.school)
    if here is not None and (here.last_year is None or here.last_year < year):
        seen = {**record.seen, login.school: replace(here, last_year=year)}
        record = replace(record, seen=seen)
    if record.school_year >= year:
        return record
    return replace(record, school_year=year)


def schools_that_count(record: PersonRecord) -> frozenset[SchoolId]:
    """Return the schools of a person, without those to which another school objected."""
    return frozenset(school for school, seen in record.seen.items() if not seen.objected)


def is_contested(record: PersonRecord) -> bool:
    """Tell whether a pupil began anew at a school, and nobody objected to that school."""
    return any(seen.begun_anew and not seen.objected for seen in record.seen.values())


def is_settled(seen: SeenAt, *, protected: bool, today: date, after_days: int) -> bool:
    """Tell whether nothing about this school waits for a confirmation any more."""
    if seen.objected:
        return False
    if seen.held_since is None or seen.confirmed:
        return True
    return not protected and today >= seen.held_since + timedelta(days=after_days)


def waits(record: PersonRecord, school: SchoolId) -> bool:
    """Tell whether a protected pupil may not be let in at a school yet."""
    here = record.seen[school]
    return (
        record.protected and here.held_since is not None and not (here.confirmed or here.objected)
    )


def later_arrivals(
    record: PersonRecord, school: SchoolId, *, today: date, after_days: int
) -> frozenset[SchoolId]:
    """Return at which schools the pupil arrived later than at this one, which has a say in it.

    None for a school that is itself held or was objected to.
    """
    own = record.seen.get(school)
    if own is None or not is_settled(
        own, protected=record.protected, today=today, after_days=after_days
    ):
        return frozenset()
    return frozenset(
        other
        for other, seen in record.seen.items()
        if other != school
        and seen.held_since is not None
        and (own.held_since is None or own.held_since < seen.held_since)
    )


def confirm_arrivals(record: PersonRecord, schools: frozenset[SchoolId]) -> PersonRecord:
    """Return the record with arrivals at these schools confirmed; what was objected to stays so."""
    seen = {
        school: replace(each, confirmed=True)
        if school in schools and each.held_since is not None and not each.objected
        else each
        for school, each in record.seen.items()
    }
    return record if seen == record.seen else replace(record, seen=seen)


def confirm_by_login(record: PersonRecord, login: Login) -> PersonRecord:
    """Return the record after a login at a school that is not new: arrivals since are confirmed.

    Of a protected pupil only by the login that the page of the arrival led to, and that arrival
    alone: another school may state the pupil at the same time, and wait for just that.
    """
    later = later_arrivals(
        record, login.school, today=login.today, after_days=login.settled_after_days
    )
    return confirm_arrivals(record, later & {login.confirms} if record.protected else later)
