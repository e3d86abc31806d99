"""What `broker check` warns of about schools: no head count, no processor agreement, agreements
that end soon, logins that name people by different attributes or live by an exception, ELOs whose
key is not here, far fewer ECK iDs than before, and many pupils whom nobody stated before."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from broker.adapters.databases.sql_registry import SqliteRegistry
from broker.adapters.databases.sql_school_counts import SqliteSchoolCounts
from broker.adapters.keys.school_secrets import read_announcement_keys
from broker.domain.dutch_days import day_of
from broker.domain.federation import School, State
from broker.domain.registry import Registry
from broker.flow.decisions.decision_reading import ENDS_SOON_DAYS, ends_soon
from broker.flow.federation.continuity import warn_of_identifiers
from broker.flow.federation.documents import Problem
from broker.flow.first_party.announced_schools import find_registered_keys
from broker.flow.persons.arrival_budgets import ArrivalRules
from broker.flow.persons.login_tally import schools_told_of
from broker.flow.persons.school_counts import CountKind
from broker.person_settings import arrival_rules_of
from broker.settings import LoadedSettings

TOLD_DAYS = 1
TOLD_OF = {
    CountKind.SHARE_ALARMED: (
        "states far fewer ECK iDs than in the weeks before.",
        "Ask the school what changed in its login.",
    ),
    CountKind.FIRST_ALARMED: (
        "stated many pupils whom no school stated before, in two weeks.",
        "If it did not join just now, ask it why; if it cannot say, disable it.",
    ),
}


def warn_of_schools(loaded: LoadedSettings) -> Iterator[Problem]:
    """Yield a warning for each school of production without head count, and for what was told."""
    registry = SqliteRegistry(loaded.data_folder / "registry.db").load()
    yield from warn_of_head_counts(
        registry.schools.values(), rules=arrival_rules_of(loaded.settings)
    )
    yield from warn_of_processor_agreements(registry)
    yield from warn_of_ending_agreements(registry, today=day_of(datetime.now(UTC)))
    yield from warn_of_logins(registry)
    yield from warn_of_exceptions(registry, today=day_of(datetime.now(UTC)))
    yield from warn_of_announcement_keys(registry, keys_folder=loaded.keys_folder)
    register = loaded.data_folder / "register.db"
    since = day_of(datetime.now(UTC)) - timedelta(days=TOLD_DAYS)
    with suppress(sqlite3.Error, OSError):  # made or upgraded when the broker starts
        counted = dict(SqliteSchoolCounts(register).read_all(since=since))
        for kind, (told, remedy) in TOLD_OF.items():
            for school in schools_told_of(kind, counted, since=since):
                yield Problem(f"schools/{school}", "-", told, remedy)


def warn_of_head_counts(schools: Iterable[object], *, rules: ArrivalRules) -> Iterator[Problem]:
    """Yield a warning for each school of production without head count; says what that means.

    Args:
        schools: records of a registry or a change; those of other kinds say nothing.
    """
    for each in schools:
        if (
            isinstance(each, School)
            and each.state is State.PRODUCTION
            and each.enabled
            and each.pupils is None
        ):
            yield Problem(
                f"schools/{each.id}",
                "pupils",
                f"is missing. So only {rules.daily_minimum} pupils of other schools may come a day "
                f"(in the season {rules.daily_minimum * rules.season_factor}), and when somebody "
                f"makes up pupils there, nothing stops it below {rules.first_without_count}.",
                "Write the published head count.",
            )


def warn_of_processor_agreements(registry: Registry) -> Iterator[Problem]:
    """Yield a warning for each school of production without processor agreement with us."""
    for each in registry.schools.values():
        is_live = each.state is State.PRODUCTION and each.enabled
        if is_live and each.processor_agreement is None:
            yield Problem(
                f"schools/{each.id}",
                "processor_agreement",
                "is missing: the school is live, and its board has not signed with us. Nobody can "
                "sign a decision there.",
                "Let the board sign, and write the day.",
            )


def warn_of_ending_agreements(registry: Registry, *, today: date) -> Iterator[Problem]:
    """Yield one warning for all agreements that end soon, with the first of them."""
    found = sorted(
        (each.last_day, f"{each.school or each.board}/{each.supplier}")
        for agreements in (registry.school_agreements, registry.board_agreements)
        for each in agreements.values()
        if each.last_day is not None and ends_soon(each, today)
    )
    if found:
        day, parties = found[0]
        yield Problem(
            "agreements",
            "until",
            f"comes within {ENDS_SOON_DAYS} days for {len(found)} agreements, first for {parties} "
            f"on {day}: from then on nobody logs in by it.",
            "The console lists them for each school; let the school decide anew.",
        )


def warn_of_logins(registry: Registry) -> Iterator[Problem]:
    """Yield a warning for each school of which two logins name people by different attributes."""
    logins = [each for each in registry.idps.values() if each.enabled]
    yield from warn_of_identifiers(
        (school, each.identifier) for each in logins for school in each.schools
    )


def warn_of_exceptions(registry: Registry, *, today: date) -> Iterator[Problem]:
    """Yield a warning for each exception of a login, as long as its document has it."""
    for idp in registry.idps.values():
        for index, each in enumerate(idp.exceptions):
            ended = each.last_day < today
            yield Problem(
                f"identity_providers/{idp.id}",
                f"exception[{index}]",
                f"{each.name} {'has ended on' if ended else 'is tolerated until'} {each.last_day}: "
                f"{each.reason.removesuffix('.')}.",
                "What needs it is refused now. Remove it."
                if ended
                else "Have the school's login corrected, and remove it.",
            )


def warn_of_announcement_keys(registry: Registry, *, keys_folder: Path) -> Iterator[Problem]:
    """Yield a warning for each login whose ELO may announce, with a key that is not here."""
    for idp in registry.idps.values():
        if idp.announcing is None:
            continue
        written = read_announcement_keys(keys_folder, idp.id)
        if len(find_registered_keys(idp.announcing, written)) < len(idp.announcing.key_hashes):
            yield Problem(
                f"identity_providers/{idp.id}",
                "announcement.key_hashes",
                "names a key that is not here, so what is announced with it ends at a page.",
                f"Put it into schools/{idp.id}.announcement in the folder of keys, readable by the "
                "broker alone, or remove its hash.",
            )
