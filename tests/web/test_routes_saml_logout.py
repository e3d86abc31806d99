"""SAML messages about logging out over HTTP: both bindings of the browser, and SOAP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from broker.domain.saml_published import SingleLogoutService
from broker.saml_xml.elements import Element
from broker.saml_xml.instants import format_instant
from broker.saml_xml.names import BINDING_POST, BINDING_REDIRECT
from broker.web.begin import MAX_STARTS_A_MINUTE
from tests.builders_logout import a_logout_answer, a_logout_request, by_post, by_redirect, by_soap
from tests.builders_saml import SCHOOL_KEY, SUPPLIER_KEY, XML, a_registry, a_service_provider
from tests.web.broker_site import Answer, Browser, Site

OUT = "https://taaltuin.example/slo"


@pytest.fixture
def browser(secure_site: Site) -> Iterator[Browser]:
    """Return a browser of a broker that knows the supplier of the builders."""
    services = tuple(
        SingleLogoutService(binding=each, url=OUT) for each in (BINDING_REDIRECT, BINDING_POST)
    )
    registry = secure_site.web.snapshots.registry
    added = a_registry(a_service_provider(single_logout_services=services))
    with secure_site.having(
        replace(
            registry,
            suppliers={**registry.suppliers, **added.suppliers},
            relying_parties={**registry.relying_parties, **added.relying_parties},
            by_sp_entity_id=added.by_sp_entity_id,
        )
    ):
        yield secure_site.visit()


def a_request(browser: Browser, path: str = "/saml/idp/slo", **changes: Any) -> Element:
    fields = {
        "IssueInstant": format_instant(datetime.now(UTC)),
        "Destination": browser._site.issuer + path,
    }
    return a_logout_request(**{**fields, **changes})


def send(browser: Browser, message: Element, **how: Any) -> Answer:
    query = by_redirect(message, key=how.pop("key", SUPPLIER_KEY), relay_state="les-3").decode()
    return browser.get(f"/saml/idp/slo?{query}")


def test_a_request_by_redirect_is_answered_by_redirect(browser: Browser) -> None:
    begun = send(browser, a_request(browser, ID="_by-redirect"))
    assert begun.status == 303
    assert begun.response.headers["location"].startswith("/logout?logout=")
    answered = browser.get(begun.response.headers["location"])
    place = urlsplit(answered.response.headers["location"])
    assert place._replace(query="").geturl() == OUT
    query = parse_qs(place.query)
    assert query["RelayState"] == ["les-3"]
    assert set(query) == {"SAMLResponse", "RelayState", "SigAlg", "Signature"}


def test_a_request_by_post_is_answered_by_post(browser: Browser) -> None:
    form = by_post(a_request(browser, ID="_by-post"), key=SUPPLIER_KEY, relay_state="les-3")
    begun = browser.post("/saml/idp/slo", dict(form))
    page = browser.get(begun.response.headers["location"])
    (answer,) = html.fromstring(page.response.content).forms
    assert (answer.action, answer.method) == (OUT, "POST")
    assert dict(answer.form_values())["RelayState"] == "les-3"
    assert "https:" in page.policy


def test_what_is_refused_ends_on_our_page_with_a_way_to_log_out(browser: Browser) -> None:
    twice = a_request(browser, ID="_twice")
    assert send(browser, twice).status == 303
    for message, check in (
        (twice, "check_message_once"),
        (a_request(browser, "/saml/sp/slo"), "check_destination"),
        (a_logout_answer(), "check_answer_asked"),
    ):
        answer = send(browser, message)
        assert (answer.status, answer.refused) == (400, [check])
        assert 'href="/logout"' in answer.response.text


def test_so_does_one_that_cannot_be_read_or_is_not_the_sender_s(browser: Browser) -> None:
    forged = by_redirect(a_request(browser, ID="_forged"), key=SCHOOL_KEY).decode()
    for query in ("SAMLRequest=no-message", forged):
        for path in ("/saml/idp/slo", "/saml/sp/slo"):
            answer = browser.get(f"{path}?{query}")
            assert answer.status == 400
            assert 'href="/logout"' in answer.response.text
    assert 'href="/logout"' not in browser.get("/saml/idp/sso?SAMLRequest=no").response.text


def test_in_circles_it_ends(browser: Browser) -> None:
    for index in range(MAX_STARTS_A_MINUTE):
        assert send(browser, a_request(browser, ID=f"_circle-{index}")).status == 303
    assert send(browser, a_request(browser, ID="_circle")).status == 429


def test_a_picture_and_a_frame_log_nobody_out(secure_site: Site, browser: Browser) -> None:
    query = by_redirect(a_request(browser, ID="_frame"), key=SUPPLIER_KEY).decode()
    for destination, status in (("image", 403), ("iframe", 200)):
        other = secure_site.visit(**{"sec-fetch-dest": destination})
        answer = other.get(f"/saml/idp/slo?{query}")
        assert answer.status == status
        assert "logout." not in answer.response.headers.get("set-cookie", "")
    assert browser.get(f"/saml/idp/slo?{query}").status == 303


def call(browser: Browser, body: bytes, *, content_type: str = "text/xml; charset=utf-8") -> Answer:
    return browser.send(
        "POST", "/saml/idp/slo/soap", content=body, headers={"content-type": content_type}
    )


def test_by_soap_an_answer_comes_on_the_same_connection(browser: Browser) -> None:
    message = a_request(browser, "/saml/idp/slo/soap", ID="_by-soap")
    answer = call(browser, by_soap(message, key=SUPPLIER_KEY))
    assert answer.status == 200
    assert answer.response.headers["content-type"].startswith("text/xml")
    root = XML.parse_envelope(answer.response.content).root
    assert root.get("InResponseTo") == "_by-soap"


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"<a/>", "text/xml", b"E-XML-11"),
        (b"<a/>", "application/xml", b"E-HTTP-1"),
        (b"x" * 70_000, "text/xml", b"E-HTTP-2"),
    ],
)
def test_by_soap_a_refusal_is_a_fault(
    browser: Browser, body: bytes, content_type: str, code: bytes
) -> None:
    answer = call(browser, body, content_type=content_type)
    assert answer.status == 500
    assert b"<faultstring>" + code in answer.response.content
    assert len(answer.refused) == 1


def test_our_metadata_name_these_places(browser: Browser) -> None:
    for role, places in (("idp", {"slo", "slo/soap"}), ("sp", {"slo"})):
        document = browser.get(f"/saml/{role}/metadata").response.text
        root = f"{browser._site.issuer}/saml/{role}/"
        named = {each for each in ("slo", "slo/soap") if f'Location="{root}{each}"' in document}
        assert named == places
