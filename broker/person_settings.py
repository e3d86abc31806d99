"""The settings' numbers as the flows' rules on persons take them."""

from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.eck_id_share import ShareRules
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
        settled_after_days=stated.settled_days,
        told_days=stated.previous_sub_days,
    )


def share_rules_of(settings: Settings) -> ShareRules:
    """Return the settings' numbers for a drop of a school's share of logins with ECK iD."""
    stated = settings.joining
    return ShareRules(
        least_logins=stated.share_least_logins, dropped_percent=stated.share_dropped_percent
    )
