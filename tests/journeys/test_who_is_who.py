"""The same person is the same pseudonym where it should be, and nowhere else."""

from collections.abc import Callable

import pytest

from broker.demo.addresses import Party
from broker.demo.people import SHARED_NUMBER
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.servers

Browsers = Callable[[], Visitor]

OIDC_SUPPLIER, SAML_SUPPLIER = Party.REKENRIJK, Party.TAALTUIN
SAML_SCHOOL, OIDC_SCHOOL = ("vuurvogel", "sanne"), ("kompas", "noor")


@pytest.mark.parametrize(
    ("supplier", "school", "pupil", "protocol", "claims"),
    [
        (Party.REKENRIJK, "vuurvogel", "sanne", "oidc", {"given_name": "Sanne"}),
        (Party.REKENRIJK, "kompas", "noor", "oidc", {"given_name": "Noor"}),
        (Party.TAALTUIN, "vuurvogel", "sanne", "saml", {"eduPersonAffiliation": ["student"]}),
        (
            Party.BIOSFEER_SAML,
            "kompas",
            "noor",
            "saml",
            {"givenName": ["Noor"], "eduPersonAffiliation": ["student"]},
        ),
        (
            Party.BIOSFEER_OIDC,
            "vuurvogel",
            "els",
            "oidc",
            {"given_name": "Els", "eduperson_affiliation": ["employee"]},
        ),
        (Party.REKENRIJK, "regenboog", "sanne", "oidc", {}),
        (Party.TAALTUIN, "regenboog", "sanne", "saml", {"eduPersonAffiliation": ["student"]}),
    ],
)
async def test_all_four_combinations_bring_what_was_approved_and_nothing_else(
    visitor: Visitor,
    supplier: Party,
    school: str,
    pupil: str,
    protocol: str,
    claims: dict[str, object],
) -> None:
    received = await visitor.log_in(supplier, school, pupil)
    of_the_protocol = {"sub", "iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "sid"}
    told = {
        name: value
        for name, value in received["claims"].items()
        if name not in (of_the_protocol if protocol == "oidc" else ())
    }
    assert received["protocol"] == protocol
    assert told == claims
    assert len(received["subject"]) == 53


async def test_two_suppliers_know_two_pseudonyms(browsers: Browsers) -> None:
    one = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    other = await browsers().log_in(Party.TAALTUIN, "vuurvogel", "sanne")
    third = await browsers().log_in(Party.BIOSFEER_OIDC, "vuurvogel", "sanne")
    assert len({each["subject"] for each in (one, other, third)}) == 3


async def test_one_supplier_knows_one_pseudonym_in_all_its_systems(browsers: Browsers) -> None:
    one = await browsers().log_in(Party.BIOSFEER_OIDC, "kompas", "noor")
    other = await browsers().log_in(Party.BIOSFEER_SAML, "kompas", "noor")
    assert one["subject"] == other["subject"]
    assert {one["protocol"], other["protocol"]} == {"oidc", "saml"}


async def test_a_pupil_who_changes_school_stays_the_same(browsers: Browsers) -> None:
    before = await browsers().log_in(Party.BIOSFEER_SAML, "vuurvogel", "sanne")
    after = await browsers().log_in(Party.BIOSFEER_SAML, "regenboog", "sanne")
    assert before["subject"] == after["subject"]


async def test_work_is_still_there_at_the_other_school(browsers: Browsers) -> None:
    at_first = browsers()
    await at_first.log_in(Party.BIOSFEER_SAML, "vuurvogel", "sanne")
    made = at_first.page.text.partition('id="exercises">')[2].partition("<")[0]
    await at_first.client.post(at_first.addresses[Party.BIOSFEER_SAML] + "/work")
    later = browsers()
    await later.log_in(Party.BIOSFEER_OIDC, "regenboog", "sanne")
    assert f'id="exercises">{int(made) + 1}<' in later.page.text


async def test_a_day_without_eck_id_splits_nobody(browsers: Browsers) -> None:
    with_it = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne")
    without = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "sanne", scenario="no-eck-id")
    somebody_else = await browsers().log_in(Party.REKENRIJK, "vuurvogel", "daan")
    assert with_it["subject"] == without["subject"]
    assert somebody_else["subject"] != without["subject"]


@pytest.mark.parametrize("party", [Party.REKENRIJK, Party.TAALTUIN])
async def test_a_pupil_and_a_teacher_with_one_number_are_two_persons(
    browsers: Browsers, party: Party
) -> None:
    number = {"employeeNumber": SHARED_NUMBER}
    pupil = await browsers().log_in(party, "vuurvogel", "daan", **number)
    teacher = await browsers().log_in(party, "vuurvogel", "els", **number)
    same_pupil = await browsers().log_in(party, "vuurvogel", "daan")
    assert pupil["subject"] != teacher["subject"]
    assert pupil["subject"] == same_pupil["subject"]


async def test_one_number_at_two_schools_is_two_persons(browsers: Browsers) -> None:
    number = {"employeeNumber": SHARED_NUMBER, "eckId": ""}
    here = await browsers().log_in(Party.TAALTUIN, "vuurvogel", "daan", **number)
    there = await browsers().log_in(Party.TAALTUIN, "regenboog", "sanne", **number)
    assert here["subject"] != there["subject"]
