"""Membership: at which school a person is, as what, and since which school year.

Apart from who somebody is: a pupil who changes school stays the same pseudonym and becomes another
membership. The broker states it itself, from the school that logged in, the role that it stated
and the register; it goes out like any attribute, when the supplier declares it and the school
approves it. It tells nothing finer than school, role and school year: no location, class or day.
"""

from collections.abc import Mapping

from broker.domain.attributes import MEMBERSHIP, AttributeName, Population
from broker.domain.federation import School, Supplier
from broker.domain.identity import Identity
from broker.domain.release import ReleaseDecision, restate_released

_ROLES: Mapping[Population, str] = {Population.PUPIL: "student", Population.STAFF: "employee"}
"""The words of eduPersonAffiliation."""


def state_membership(
    identity: Identity, *, school: School, supplier: Supplier
) -> Mapping[AttributeName, tuple[str, ...]]:
    """Return what a login states, with the membership for a supplier that declares it.

    What no supplier asks for is not stated: it would stand in every receipt as withheld. A login
    without role states none either.
    """
    declared = any(each.name == MEMBERSHIP for each in supplier.attributes)
    if not declared or identity.population is None:
        return identity.attributes
    return {**identity.attributes, MEMBERSHIP: (membership_of(school, identity.population),)}


def membership_of(school: School, population: Population, since_year: int | None = None) -> str:
    """Return a membership as text: role, `@`, BRIN4, and since which school year.

    The form is that of eduPersonScopedAffiliation with one parameter, so that it is one text in
    SAML and in OpenID Connect. The institution's BRIN always: its location is an attribute of its
    own.

    Args:
        since_year: in which the school year began; None when nobody knows.

    >>> from broker.domain.ids import Brin
    >>> from broker.domain.federation import Sector, State
    >>> school = School(id="kompas", name="", place="", brin=Brin("22BB"), sector=Sector.VO,
    ...                 board="b", state=State.TEST)
    >>> membership_of(school, Population.PUPIL, 2026)
    'student@22BB;since=2026-2027'
    """
    since = "" if since_year is None else f";since={since_year}-{since_year + 1}"
    return f"{_ROLES[population]}@{school.brin}{since}"


def date_membership(
    decision: ReleaseDecision,
    *,
    school: School,
    population: Population,
    since_year: int | None,
) -> ReleaseDecision:
    """Return a decision whose released membership tells since when: the register knows, later.

    Args:
        since_year: as of `membership_of`.
    """
    if all(each.name != MEMBERSHIP for each in decision.released):
        return decision
    dated = membership_of(school, population, since_year)
    return restate_released(decision, MEMBERSHIP, (dated,))
