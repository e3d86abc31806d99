"""How many pupils who are known elsewhere a school may let in: by the day, and in all.

A school that states other schools' pupils by the hundred is stopped by its own size. Above the
budget the newcomer alone waits; everybody who is known there goes on. What counts towards "in all"
is every pupil who logged in there in the school year, known or new.

Pupils whom *nobody* stated before count in a budget of their own: a school that makes up whom it
has would else be the first to state other schools' pupils, and so share their accounts. It has a
bound in all and none by the day, since a school may join on any morning with everybody new: what
stops a school that lies is that it never has more than it can have. Without a head count that is
what no school reaches, so `broker.flow.persons.first_stated` tells operators long before. Beyond
it, who is known at the school by number goes on by the number alone, as if no ECK iD was stated
(`without_eck_id`); who is not waits.

The page tells a school that lies whether it may let in one more, and with that whether an ECK iD is
known elsewhere: pupils known elsewhere have the smaller budget. Both wait on the same page, after
the same steps. What bounds such tries:

- An ECK iD that *is* known elsewhere spends the day's budget of arrivals, and then one of the day's
  waiting pupils. Once `WAITS_A_DAY` newcomers waited, nobody new comes in on that day, known
  elsewhere or not: of no more than that many ECK iDs a day anybody learns that they are known.
- An ECK iD that is *not* spends one of the pupils whom nobody stated, and no day or year gives it
  back before the next school year: with a head count of no more than the school can have anybody
  learns that they are unknown. Without one that is wide, and is told.
"""

from dataclasses import dataclass
from datetime import date

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.persons.person_records import FoundRecords, Login, Presented, Resolved
from broker.flow.persons.school_counts import Count, CountKind, year_day

WAITS_A_DAY = 30
"""Newcomers at one school; at least, or four times those of whom it may let in a day. Each counts
once a day for each worker, however often the pupil tries (`waiting_pupils`)."""

WAITS_FACTOR = 4


class ArrivalsSpent(Refusal):
    """Too many pupils came to this school who are new there: this one waits.

    Attributes:
        schools_of_before: where this pupil is known; for the alarm, never for a page.
    """

    code = "E-PERSON-4"
    whose_task = WhoseTask.SCHOOL
    what = (
        "Your school has had so many new pupils that we let no more in today. You did nothing "
        "wrong, and nothing of yours is lost."
    )
    remedy = (
        "Try again tomorrow. If it still does not work then, the school must tell us how many "
        "pupils it has. Please tell your school."
    )
    http_status = 403
    oauth_error = "access_denied"

    schools_of_before: frozenset[SchoolId] = frozenset()


class ArrivalWaits(Refusal):
    """A protected pupil: nothing opens at the new school before a school of before confirmed.

    Attributes:
        school: at which the arrival waits.
    """

    code = "E-PERSON-5"
    whose_task = WhoseTask.SCHOOL
    what = (
        "You are new at this school, and both your schools must say so before you can go on here. "
        "Your work is still there."
    )
    remedy = (
        "Log in at your old school now with the button below, or ask your old school to confirm "
        "that you changed schools. Then log in here again."
    )
    http_status = 403
    oauth_error = "access_denied"
    may_retry = True

    school: SchoolId | None = None


@dataclass(frozen=True, slots=True)
class ArrivalRules:
    """The numbers of the settings' table `transfers`."""

    daily_minimum: int = 5
    daily_percent: int = 2
    season_factor: int = 3
    season_first_month: int = 8
    season_last_month: int = 10
    total_percent: int = 115
    first_minimum: int = 30
    first_without_count: int = 50_000
    first_told_percent: int = 40
    first_told_without_count: int = 200
    settled_after_days: int = 14
    told_days: int = 365


@dataclass(frozen=True, slots=True)
class ArrivalBudget:
    """How many may come to one school.

    Attributes:
        a_day: known elsewhere, each day.
        in_all: pupils of the school year with which it may still take one; None without a head
            count, where only the daily minimum counts.
        settled_after_days: without objection an arrival is settled then.
        first_in_all: pupils of the school year whom nobody stated before.
    """

    a_day: int
    in_all: int | None
    settled_after_days: int = 14
    first_in_all: int = 50_000


SMALLEST_BUDGET = ArrivalBudget(a_day=5, in_all=None)
"""Of a school without head count, outside the season, by the settings' defaults."""


def budget_of(pupils: int | None, *, rules: ArrivalRules, today: date) -> ArrivalBudget:
    """Return the budget of a school with that many pupils.

    >>> budget_of(400, rules=ArrivalRules(), today=date(2026, 11, 3))
    ArrivalBudget(a_day=8, in_all=460, settled_after_days=14, first_in_all=460)
    >>> budget_of(400, rules=ArrivalRules(), today=date(2026, 9, 3))
    ArrivalBudget(a_day=24, in_all=460, settled_after_days=14, first_in_all=460)
    >>> budget_of(None, rules=ArrivalRules(), today=date(2026, 11, 3))
    ArrivalBudget(a_day=5, in_all=None, settled_after_days=14, first_in_all=50000)
    """
    known = 0 if pupils is None else pupils
    a_day = max(rules.daily_minimum, known * rules.daily_percent // 100)
    in_all = None if pupils is None else pupils * rules.total_percent // 100
    if rules.season_first_month <= today.month <= rules.season_last_month:
        a_day *= rules.season_factor
    first_in_all = rules.first_without_count if in_all is None else in_all
    return ArrivalBudget(
        a_day,
        in_all,
        rules.settled_after_days,
        first_in_all=max(rules.first_minimum, first_in_all),
    )


def counts_of(
    presented: Presented,
    found: FoundRecords,
    resolved: Resolved,
    *,
    login: Login,
    budget: ArrivalBudget,
) -> tuple[Count, ...]:
    """Return what a login adds to the counts; an arrival counts also when its number came before.

    Nothing when the pupil came here this school year already, or in one to come by a clock that was
    wrong, and of a protected pupil who waits.
    """
    if presented.population is not Population.PUPIL or resolved.waits:
        return ()
    here = (each.seen.get(login.school) for each in (found.eck_id, found.local) if each is not None)
    counted = any(
        seen is not None and seen.last_year is not None and seen.last_year >= login.school_year
        for seen in here
    )
    day = year_day(login.today)
    if not resolved.arrived_from:
        pupils = () if counted else (Count(login.school, day, CountKind.PUPILS),)
        return (*pupils, *_first_stated(presented, found, login=login, budget=budget))
    return (
        Count(login.school, login.today, CountKind.ARRIVED, at_most=budget.a_day),
        Count(login.school, day, CountKind.PUPILS, add=int(not counted), at_most=budget.in_all),
        *(Count(school, login.today, CountKind.LEFT) for school in sorted(resolved.arrived_from)),
    )


def _first_stated(
    presented: Presented, found: FoundRecords, *, login: Login, budget: ArrivalBudget
) -> tuple[Count, ...]:
    """Return what is counted of an ECK iD that nobody stated before; nothing of any other."""
    if presented.eck_id is None or (found.eck_id is not None and found.eck_id.seen):
        return ()
    waits = max(WAITS_A_DAY, WAITS_FACTOR * budget.a_day)
    year = year_day(login.today)
    return (
        Count(login.school, login.today, CountKind.FIRST),
        Count(login.school, year, CountKind.FIRST_IN_YEAR, at_most=budget.first_in_all),
        Count(login.school, login.today, CountKind.WAITED, add=0, at_most=waits),
    )


def without_eck_id(presented: Presented, found: FoundRecords) -> Presented | None:
    """Return what a login presents without an ECK iD that is beyond the budget: the number alone
    when it is known here and bound to no ECK iD; None when this newcomer waits."""
    local = found.local
    if presented.eck_id is None or (found.eck_id is not None and found.eck_id.seen):
        return None
    if local is None or local.bound_to is not None:
        return None
    return Presented(presented.population, eck_id=None, local=presented.local)
