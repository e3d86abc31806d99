"""How many pupils who are known elsewhere a school may let in: by the day, and in all.

A school that states other schools' pupils by the hundred is stopped by its own size. Above the
budget the newcomer alone waits; everybody who is known there goes on. What counts towards "in all"
is every pupil who logged in there in the school year, known or new.
"""

from dataclasses import dataclass
from datetime import date

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId
from broker.domain.refusals import Refusal, WhoseTask
from broker.flow.persons.person_records import FoundRecords, Login, Presented, Resolved
from broker.flow.persons.school_counts import Count, CountKind, year_day


class ArrivalsSpent(Refusal):
    """Too many pupils of other schools came to this school: this one waits.

    Attributes:
        schools_of_before: where this pupil is known; for the alarm, never for a page.
    """

    code = "E-PERSON-4"
    whose_task = WhoseTask.SCHOOL
    what = (
        "Your new school has had so many new pupils from other schools that we let no more in "
        "today. You did nothing wrong, and your work is still there."
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
    """

    a_day: int
    in_all: int | None
    settled_after_days: int = 14


SMALLEST_BUDGET = ArrivalBudget(a_day=5, in_all=None)
"""Of a school without head count, outside the season, by the settings' defaults."""


def budget_of(pupils: int | None, *, rules: ArrivalRules, today: date) -> ArrivalBudget:
    """Return the budget of a school with that many pupils.

    >>> budget_of(400, rules=ArrivalRules(), today=date(2026, 11, 3))
    ArrivalBudget(a_day=8, in_all=460, settled_after_days=14)
    >>> budget_of(400, rules=ArrivalRules(), today=date(2026, 9, 3))
    ArrivalBudget(a_day=24, in_all=460, settled_after_days=14)
    >>> budget_of(None, rules=ArrivalRules(), today=date(2026, 11, 3))
    ArrivalBudget(a_day=5, in_all=None, settled_after_days=14)
    """
    known = 0 if pupils is None else pupils
    a_day = max(rules.daily_minimum, known * rules.daily_percent // 100)
    if rules.season_first_month <= today.month <= rules.season_last_month:
        a_day *= rules.season_factor
    in_all = None if pupils is None else pupils * rules.total_percent // 100
    return ArrivalBudget(a_day, in_all, rules.settled_after_days)


def counts_of(
    presented: Presented,
    found: FoundRecords,
    resolved: Resolved,
    *,
    login: Login,
    budget: ArrivalBudget,
) -> tuple[Count, ...]:
    """Return what a login adds to the counts; an arrival counts also when its number came before.

    Nothing when the pupil came here this school year already, and of a protected pupil who waits.
    """
    if presented.population is not Population.PUPIL or resolved.waits:
        return ()
    here = (each.seen.get(login.school) for each in (found.eck_id, found.local) if each is not None)
    counted = any(seen is not None and seen.last_year == login.school_year for seen in here)
    day = year_day(login.today)
    if not resolved.arrived_from:
        return () if counted else (Count(login.school, day, CountKind.PUPILS),)
    return (
        Count(login.school, login.today, CountKind.ARRIVED, at_most=budget.a_day),
        Count(login.school, day, CountKind.PUPILS, add=int(not counted), at_most=budget.in_all),
        *(Count(school, login.today, CountKind.LEFT) for school in sorted(resolved.arrived_from)),
    )
