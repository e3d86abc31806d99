"""A school that states many pupils whom nobody stated before is told to operators.

The bound on them is what a school can have in all, and without a head count wider than that
(`arrival_budgets`): an honest school is new as a whole on some morning. So somebody must look long
before a school that makes up pupils reaches it. It is told when those of today and of the two weeks
before are more than any intake of a year; and not again before those weeks are over, for it is the
same school that joined.
"""

from collections.abc import Callable
from datetime import date

from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.login_tally import SchoolAlarm, days_before, sum_of
from broker.flow.persons.school_counts import Counted, CountKind


def first_stated_alarm(
    rules: ArrivalRules, *, pupils_of: Callable[[SchoolId], int | None]
) -> SchoolAlarm:
    """Return the alarm of a school that states many.

    Args:
        pupils_of: returns a school's head count.
    """
    return SchoolAlarm(
        CountKind.FIRST_ALARMED,
        "many-pupils-stated-first",
        lambda school, counted, today: stated_many(
            counted, pupils=pupils_of(school), today=today, rules=rules
        ),
    )


def stated_many(counted: Counted, *, pupils: int | None, today: date, rules: ArrivalRules) -> bool:
    """Tell whether a school stated many pupils first, and that was not told yet.

    Args:
        counted: from two weeks before today on.
        pupils: head count.
    """
    days = [today, *days_before(today)]
    if sum_of(counted, days[1:], CountKind.FIRST_ALARMED):
        return False
    return sum_of(counted, days, CountKind.FIRST) > many_of(pupils, rules=rules)


def many_of(pupils: int | None, *, rules: ArrivalRules) -> int:
    """Return beyond how many it is told.

    >>> many_of(900, rules=ArrivalRules()), many_of(20, rules=ArrivalRules())
    (360, 30)
    >>> many_of(None, rules=ArrivalRules())
    200
    """
    if pupils is None:
        return rules.first_told_without_count
    return max(rules.first_minimum, pupils * rules.first_told_percent // 100)
