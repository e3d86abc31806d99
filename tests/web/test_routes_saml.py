"""A supplier's SAML request over HTTP: begun, answered, or refused on our own page."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import html

from broker.saml_xml.elements import Element, build_element
from broker.saml_xml.instants import format_instant
from broker.web.begin import MAX_STARTS_A_MINUTE
from tests.builders_saml import (
    SUPPLIER_ACS,
    SUPPLIER_KEY,
    a_registry,
    an_authn_request,
    as_query,
    samlp,
)
from tests.builders_saml import as_form as form_of
from tests.web.broker_site import Answer, Browser, Site


@pytest.fixture
def browser(secure_site: Site) -> Iterator[Browser]:
    """Return a browser of a broker that knows the supplier of the builders."""
    registry, added = secure_site.web.snapshots.registry, a_registry()
    with secure_site.having(
        replace(
            registry,
            suppliers={**registry.suppliers, **added.suppliers},
            relying_parties={**registry.relying_parties, **added.relying_parties},
            by_sp_entity_id=added.by_sp_entity_id,
        )
    ):
        yield secure_site.visit()


def a_request(*children: Element, **changes: str | None) -> Element:
    return an_authn_request(*children, IssueInstant=format_instant(datetime.now(UTC)), **changes)


def by_redirect(browser: Browser, request: Element) -> Answer:
    return browser.get(f"/saml/idp/sso?{as_query(request, key=SUPPLIER_KEY).decode()}")


def test_a_request_by_redirect_leads_to_the_chooser(browser: Browser) -> None:
    answer = by_redirect(browser, a_request())
    assert answer.response.headers["location"].startswith("/schools?login=")
    chooser = browser.get(answer.response.headers["location"])
    assert "Taaltuin" in chooser.response.text


def test_a_request_by_post_is_one_too(browser: Browser) -> None:
    answer = browser.post("/saml/idp/sso", dict(form_of(a_request(), key=SUPPLIER_KEY)))
    assert answer.response.headers["location"].startswith("/schools?login=")


def test_what_the_supplier_must_know_is_posted_to_its_registered_place(browser: Browser) -> None:
    answer = by_redirect(browser, a_request(IsPassive="true"))
    page = html.fromstring(answer.response.content)
    assert [each.action for each in page.forms] == [SUPPLIER_ACS]
    fields = dict(page.forms[0].form_values())
    assert fields["RelayState"] == "les-3"
    assert "SAMLResponse" in fields
    assert "https:" in answer.policy
    assert answer.refused == ["check_school_known_when_passive"]


def test_a_request_that_fails_a_check_is_answered_and_names_its_relying_party(
    browser: Browser,
) -> None:
    policy = build_element(samlp("NameIDPolicy"), {"Format": "urn:x"})
    answer = by_redirect(browser, a_request(policy))
    (refused,) = [each for each in answer.lines if each["event"] == "refused"]
    assert refused["relying_party"] == "taaltuin"
    assert html.fromstring(answer.response.content).forms[0].action == SUPPLIER_ACS


def test_a_request_of_nobody_ends_on_our_page(browser: Browser) -> None:
    answer = by_redirect(browser, an_authn_request(issuer="https://nobody.example"))
    assert answer.status == 400
    assert len(answer.refused) == 1
    assert "<form" not in answer.response.text


def test_circles_are_counted_here_too(browser: Browser) -> None:
    for _ in range(MAX_STARTS_A_MINUTE):
        assert browser.get("/saml/idp/sso").status == 400
    # A refusal on our own page leads nowhere, so only what went on was counted.
    for _ in range(MAX_STARTS_A_MINUTE):
        assert by_redirect(browser, a_request(IsPassive="true")).status == 200
    assert by_redirect(browser, a_request()).refused == ["check_starts_a_minute"]
