"""Where `/start` leads, for each kind of system, and whom it sends nowhere."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from broker.domain.attributes import AttributeName, Population
from broker.domain.federation import State
from broker.domain.ids import SupplierId
from broker.domain.refusals import Refusal
from broker.domain.registry import build_registry
from broker.domain.release import AgreementNotInForce, NoAgreement
from broker.domain.relying_parties import AssertionConsumerService, SamlServiceProvider
from broker.domain.school_search import build_school_index
from broker.flow.start_links import (
    NAMES_SCHOOL,
    Start,
    StartHasNoPlace,
    StartLink,
    StartTargetForeign,
    StartUnknown,
    find_start,
)
from tests.builders import (
    a_declaration,
    a_relying_party,
    a_school,
    a_school_idp,
    a_supplier,
    an_agreement,
)

ISSUER = "https://broker.example"
ENTITY_ID = "https://broker.example/saml/idp/metadata"
TODAY = date(2026, 9, 1)
LESSON = "https://rekenrijk.example/les/3"
PLACES = ("https://rekenrijk.example/les/",)
SAML = SamlServiceProvider(
    entity_id="https://rekenrijk.example/saml",
    assertion_consumer_services=(
        AssertionConsumerService(url="https://rekenrijk.example/acs", index=0),
    ),
)


def start(
    *,
    party: dict[str, Any] | None = None,
    supplier: dict[str, Any] | None = None,
    agreement: dict[str, Any] | None = None,
    **link: Any,
) -> Start:
    stated = {"start_targets": PLACES, **(party or {})}
    registry = build_registry(
        1,
        schools=[a_school()],
        idps=[a_school_idp()],
        suppliers=[
            a_supplier(relying_parties=(a_relying_party(**stated),), **(supplier or {})),
        ],
        agreements=[an_agreement(**(agreement or {}))],
    )
    return find_start(
        StartLink(**{"relying_party": "rekenrijk", **link}),
        index=build_school_index(registry),
        issuer=ISSUER,
        idp_entity_id=ENTITY_ID,
        today=TODAY,
    )


def asked(found: Start) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(found.url)
    return parts._replace(query="").geturl(), parse_qs(parts.query)


def test_a_client_is_asked_to_begin() -> None:
    begins_at = {"initiate_login_uri": "https://rekenrijk.example/login?from=us"}
    found = start(party=begins_at, school="11AA", target=LESSON)
    assert asked(found) == (
        "https://rekenrijk.example/login",
        {"from": ["us"], "iss": [ISSUER], "target_link_uri": [LESSON]},
    )
    bare = {"initiate_login_uri": "https://rekenrijk.example/login"}
    assert asked(start(party=bare))[1] == {"iss": [ISSUER]}


@pytest.mark.parametrize("name", sorted(NAMES_SCHOOL))
def test_the_supplier_hears_of_the_school_only_as_at_each_login(name: AttributeName) -> None:
    party = {"initiate_login_uri": "https://rekenrijk.example/login"}
    declared = {"attributes": (a_declaration(name),)}
    approved = {"approved": frozenset({name})}
    told = start(party=party, supplier=declared, agreement=approved, school="11AA")
    assert asked(told)[1] == {"iss": [ISSUER], "login_hint": ["vuurvogel"]}
    of_staff = {"attributes": (a_declaration(name, populations=(Population.STAFF,)),)}
    for withheld in (
        start(party=party, supplier=declared, school="11AA"),
        start(party=party, supplier=of_staff, agreement=approved, school="11AA"),
        start(party=party, agreement=approved, school="11AA"),
    ):
        assert asked(withheld)[1] == {"iss": [ISSUER]}
        assert withheld.school is not None


def test_a_service_provider_is_asked_in_its_own_words() -> None:
    party = {"protocol": SAML, "initiate_login_uri": "https://rekenrijk.example/Login"}
    found = start(party=party, school="vuurvogel", target=LESSON)
    assert asked(found) == (
        "https://rekenrijk.example/Login",
        {"entityID": [ENTITY_ID], "target": [LESSON]},
    )
    assert found.school is not None


@pytest.mark.parametrize("protocol", [{}, {"protocol": SAML}])
def test_any_other_one_is_opened_where_its_page_is(protocol: dict[str, Any]) -> None:
    assert start(party=protocol).url == "https://rekenrijk.example/"
    assert start(party=protocol, target=LESSON).url == LESSON


@pytest.mark.parametrize("school", ["vuurvogel", "11AA", "de-lerares@11aa"])
def test_a_school_is_known_by_any_hint(school: str) -> None:
    found = start(school=school)
    assert found.school is not None
    assert found.school.id == "vuurvogel"


@pytest.mark.parametrize("school", ["", "99ZZ", "de-linde.example"])
def test_a_school_that_we_do_not_know_is_left_to_the_chooser(school: str) -> None:
    assert start(school=school).school is None


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"relying_party": "nobody"}, StartUnknown),
        ({"relying_party": ""}, StartUnknown),
        ({"party": {"enabled": False}}, StartUnknown),
        ({"supplier": {"enabled": False}}, StartUnknown),
        ({"target": "https://evil.example/les/3"}, StartTargetForeign),
        ({"target": LESSON, "party": {"start_targets": ()}}, StartTargetForeign),
        ({"party": {"start_url": ""}}, StartHasNoPlace),
        ({"school": "vuurvogel", "agreement": {"supplier": SupplierId("other")}}, NoAgreement),
        (
            {"school": "vuurvogel", "agreement": {"last_day": date(2026, 8, 31)}},
            AgreementNotInForce,
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(
    changes: dict[str, Any], refused: type[Refusal]
) -> None:
    with pytest.raises(refused):
        start(**changes)


def test_schools_of_a_test_and_suppliers_in_production_never_meet() -> None:
    assert start(school="vuurvogel", supplier={"state": State.PRODUCTION}).school is None


def test_a_link_writes_what_it_says() -> None:
    link = StartLink(relying_party="a", school="b c", target="https://d.example/?e=f&g")
    assert parse_qs(link.build_query()) == {
        "rp": ["a"],
        "school": ["b c"],
        "target": ["https://d.example/?e=f&g"],
    }
