"""Membership: what the broker itself states of school, role and school year."""

import re

import pytest
from msgspec.structs import replace

from broker.domain.attributes import MEMBERSHIP, AttributeName, Population
from broker.domain.identity import VerifiedLogin, read_identity
from broker.domain.ids import Brin
from broker.domain.membership import date_membership, membership_of, state_membership
from broker.domain.release import ReleaseDecision, decide_release
from tests.builders import (
    a_declaration,
    a_school,
    a_supplier,
    a_verified_login,
    an_agreement,
    an_identity,
)
from tests.domain.test_identity import identify

ASKING = a_supplier(attributes=(a_declaration("schoolMembership"), a_declaration("givenName")))
SCHOOL = a_school(branch=Brin("11AA01"))


def decide(*, approved: bool) -> ReleaseDecision:
    names = {AttributeName("givenName")} | ({MEMBERSHIP} if approved else set())
    identity = an_identity()
    return decide_release(
        supplier=ASKING,
        school=SCHOOL.id,
        agreement=an_agreement(approved=frozenset(names)),
        population=identity.population,
        stated=state_membership(identity, school=SCHOOL, supplier=ASKING),
        today=an_agreement().first_day,
    )


@pytest.mark.parametrize(
    ("population", "since_year", "expected"),
    [
        (Population.PUPIL, 2026, "student@11AA;since=2026-2027"),
        (Population.STAFF, 2025, "employee@11AA;since=2025-2026"),
        (Population.PUPIL, None, "student@11AA"),
    ],
)
def test_tells_role_institution_and_school_year_and_nothing_finer(
    population: Population, since_year: int | None, expected: str
) -> None:
    assert membership_of(SCHOOL, population, since_year) == expected


def test_is_stated_to_who_declares_it() -> None:
    stated = state_membership(an_identity(), school=SCHOOL, supplier=ASKING)
    assert stated == {**an_identity().attributes, MEMBERSHIP: ("student@11AA",)}


def test_is_not_stated_to_who_does_not() -> None:
    assert MEMBERSHIP not in state_membership(an_identity(), school=SCHOOL, supplier=a_supplier())


def test_is_not_stated_without_a_role() -> None:
    nobody_knows = an_identity(population=None)
    assert MEMBERSHIP not in state_membership(nobody_knows, school=SCHOOL, supplier=ASKING)


def test_goes_out_when_the_school_approves_and_is_dated_by_the_register() -> None:
    decision = decide(approved=True)
    dated = date_membership(decision, school=SCHOOL, population=Population.PUPIL, since_year=2025)
    values = {each.name: each.values for each in dated.released}
    assert values[MEMBERSHIP] == ("student@11AA;since=2025-2026",)
    assert [each.name for each in dated.released] == [each.name for each in decision.released]
    assert dated.withheld == decision.withheld


def test_is_withheld_by_default_and_then_not_dated() -> None:
    decision = decide(approved=False)
    assert {each.name: each.reason for each in decision.withheld}[MEMBERSHIP] == "not-approved"
    dated = date_membership(decision, school=SCHOOL, population=Population.PUPIL, since_year=2025)
    assert dated is decision


@pytest.mark.parametrize("name", ["schoolMembership", "school_membership"])
def test_what_a_school_sends_under_this_name_is_not_believed(name: str) -> None:
    identity = identify(**{name: "employee@99ZZ"})
    assert MEMBERSHIP not in identity.attributes
    assert identity.unknown == (name,)


def test_a_mapping_cannot_fill_it() -> None:
    login = a_verified_login(shoeSize="employee@99ZZ")
    mapped = {**login.idp.attributes, "shoeSize": "schoolMembership"}
    changed = VerifiedLogin(
        replace(login.idp, attributes=mapped), login.attributes, login.authenticated_at
    )
    identity = read_identity(changed, schools={SCHOOL.id: SCHOOL})
    assert MEMBERSHIP not in identity.attributes


def test_looks_like_a_scoped_affiliation() -> None:
    text = membership_of(SCHOOL, Population.PUPIL, 2026)
    assert re.fullmatch(r"[a-z]+@[0-9]{2}[A-Z]{2};since=[0-9]{4}-[0-9]{4}", text)
