"""The settings' numbers as the flows' rules on persons take them."""

from broker.domain.ids import SchoolId
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.eck_id_share import ShareRules, share_alarm
from broker.flow.persons.first_stated import first_stated_alarm
from broker.flow.persons.login_tally import SchoolAlarm
from broker.flow.ports import Snapshots
from broker.settings import Settings


def arrival_rules_of(settings: Settings) -> ArrivalRules:
    """Return the settings' numbers for pupils who arrive from other schools."""
    stated = settings.transfers
    return ArrivalRules(
        daily_minimum=stated.daily_minimum,
        daily_percent=stated.daily_percent,
        season_factor=stated.season_factor,
        season_first_month=stated.season_first_month,
        season_last_month=stated.season_last_month,
        total_percent=stated.total_percent,
        first_minimum=stated.first_minimum,
        first_without_count=stated.first_without_count,
        first_told_percent=stated.first_told_percent,
        first_told_without_count=stated.first_told_without_count,
        settled_after_days=stated.settled_days,
        told_days=stated.previous_sub_days,
    )


def share_rules_of(settings: Settings) -> ShareRules:
    """Return the settings' numbers for a drop of a school's share of logins with ECK iD."""
    stated = settings.joining
    return ShareRules(
        least_logins=stated.share_least_logins, dropped_percent=stated.share_dropped_percent
    )


def school_alarms_of(settings: Settings, snapshots: Snapshots) -> tuple[SchoolAlarm, ...]:
    """Return what operators are told of schools from the counts of their logins."""

    def pupils_of(school: SchoolId) -> int | None:
        known = snapshots.registry.schools.get(school)
        return None if known is None else known.pupils

    return (
        share_alarm(share_rules_of(settings)),
        first_stated_alarm(arrival_rules_of(settings), pupils_of=pupils_of),
    )
