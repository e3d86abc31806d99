"""Four ways to begin a choice, from nothing but the pseudonym to all that names a person. Pure.

A way is where a page begins; what is signed is what somebody saw and ticked.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from broker.domain.attributes import (
    AFFILIATION,
    BRANCH_ID,
    GIVEN_NAME,
    HOME_ORGANIZATION,
    HOME_ORGANIZATION_ID,
    MEMBERSHIP,
    VOCABULARY,
    AttributeName,
    Population,
)
from broker.domain.decision_outline import Choice
from broker.domain.sheet_documents import AttributeDocument


class Preset(StrEnum):
    """A way to begin."""

    ANONYMOUS = "anonymous"
    PSEUDONYMOUS = "pseudonymous"
    FIRST_NAME = "first-name"
    PERSONALISED = "personalised"


_NAMES_NOBODY = frozenset({AFFILIATION, HOME_ORGANIZATION_ID, HOME_ORGANIZATION, BRANCH_ID,
                           MEMBERSHIP})  # fmt: skip


# What identifies a pupil across suppliers is never a preset: it is ticked on purpose.
_ALLOWS: Mapping[Preset, frozenset[AttributeName]] = MappingProxyType(
    {
        Preset.ANONYMOUS: frozenset(),
        Preset.PSEUDONYMOUS: _NAMES_NOBODY,
        Preset.FIRST_NAME: _NAMES_NOBODY | {GIVEN_NAME},
        Preset.PERSONALISED: frozenset(
            name for name, each in VOCABULARY.items() if not each.restricted
        ),
    }
)


def preset_allows(preset: Preset) -> frozenset[AttributeName]:
    """Return what a preset approves where it is asked.

    >>> sorted(preset_allows(Preset.ANONYMOUS)), "eckId" in preset_allows(Preset.PERSONALISED)
    ([], False)
    """
    return _ALLOWS[preset]


def preset_choice(preset: Preset, asked: Iterable[AttributeDocument]) -> Choice:
    """Return what a preset approves of what a supplier asks."""
    allows = preset_allows(preset)
    of: dict[Population, set[AttributeName]] = {each: set() for each in Population}
    for each in asked:
        if AttributeName(each.name) in allows:
            for population in each.populations:
                of[population].add(AttributeName(each.name))
    return Choice(pupils=frozenset(of[Population.PUPIL]), staff=frozenset(of[Population.STAFF]))


def required_choice(asked: Iterable[AttributeDocument]) -> Choice:
    """Return no more than what the service does not work without."""
    needed = tuple(each for each in asked if each.required)
    names: dict[Population, frozenset[AttributeName]] = {
        population: frozenset(
            AttributeName(each.name) for each in needed if population in each.populations
        )
        for population in Population
    }
    return Choice(pupils=names[Population.PUPIL], staff=names[Population.STAFF])
