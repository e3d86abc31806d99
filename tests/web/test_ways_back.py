"""A login that is lost: the page leads back to where it began, and to nowhere else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import html
from msgspec import structs

from broker.domain.ids import RelyingPartyId
from broker.domain.registry import Registry
from broker.web.cookies import MAX_LOGINS_AT_ONCE
from tests.web.broker_site import OIDC_REQUEST, Answer, Browser, Site, fields_of

STATE = "s" * 22
LOST = "A" * 43
REKENRIJK = RelyingPartyId("rekenrijk")


def links_of(answer: Answer) -> list[tuple[str, str]]:
    """Return address and text of the links on the page."""
    page: Any = html.fromstring(answer.response.content)
    (main,) = page.iter("main")
    return [(each.get("href"), each.text_content().strip()) for each in main.iter("a")]


def lost(browser: Browser, value: str, path: str = f"/schools?login={STATE}") -> Answer:
    """Come back with a cookie whose record is gone, as after a restart."""
    answer = browser.get(
        path, headers={"Cookie": f"login.{STATE}={value}", "Accept-Language": "en"}
    )
    assert answer.status == 400
    assert "E-LOGIN-1" in answer.response.text
    return answer


def way_back_of(site: Site) -> list[tuple[str, str]]:
    start_url = site.web.snapshots.registry.relying_parties[REKENRIJK].start_url
    assert start_url
    return [(start_url, "Back to RekenRijk")]


@pytest.mark.parametrize(
    "path", [f"/schools?login={STATE}", f"/oidc/callback?code=c&state={STATE}"]
)
def test_a_lost_step_leads_back_to_where_it_began(site: Site, browser: Browser, path: str) -> None:
    assert links_of(lost(browser, f"{LOST}.rekenrijk.1", path)) == way_back_of(site)


def test_so_does_a_lost_step_that_comes_by_post(site: Site, browser: Browser) -> None:
    answer = browser.post(
        "/saml/sp/acs",
        {"SAMLResponse": "PHg+", "RelayState": STATE},
        headers={"Cookie": f"login.{STATE}={LOST}.rekenrijk.1", "Accept-Language": "en"},
    )
    assert answer.refused == ["check_login_step"]
    assert links_of(answer) == way_back_of(site)


def test_so_does_a_step_that_was_used(site: Site) -> None:
    browser = site.visit(**{"accept-language": "en"})
    address = f"/oidc/callback?code=c&state={browser.go_to_school('kompas')}"
    kept = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    browser.get(address)
    again = site.visit(**{"accept-language": "en", "cookie": kept}).get(address)
    assert "E-LOGIN-2" in again.response.text
    assert links_of(again) == way_back_of(site)


def test_what_a_browser_holds_is_set_by_the_login(site: Site, browser: Browser) -> None:
    fields = fields_of(browser.choose())
    assert browser.cookies[f"login.{fields['login']}"].partition(".")[2].startswith("rekenrijk")


@pytest.mark.parametrize("made_up", ["nobody", "toString", "https://evil.example/", "a b", "", "é"])
def test_a_made_up_name_leads_nowhere(browser: Browser, made_up: str) -> None:
    cookie = f"login.{STATE}={LOST}.{made_up}.1".encode()
    answer = browser.get(f"/schools?login={STATE}", headers={b"Cookie": cookie})
    assert "E-LOGIN-1" in answer.response.text
    assert links_of(answer) == []


def test_without_a_cookie_the_page_has_its_text_only(browser: Browser) -> None:
    answer = browser.get(f"/schools?login={STATE}")
    assert answer.refused == ["check_browser_binding"]
    assert links_of(answer) == []


def test_a_login_of_now_stays_whatever_was_left(site: Site, browser: Browser) -> None:
    """Twelve left tabs, in a jar that names the newest first; then eleven starts more."""
    now = int(site.web.clock().timestamp())
    fields = fields_of(browser.choose())
    for n in range(MAX_LOGINS_AT_ONCE):
        value = f"{'A' * 43}.rekenrijk.{now - 60 - n}"
        browser.cookies.set(f"login.{n:022}", value, domain="localhost.local")
    for _ in range(MAX_LOGINS_AT_ONCE - 1):
        browser.begin()
    assert browser.post("/schools", fields | {"school": "kompas"}).status == 303
    assert f"login.{0:022}" not in browser.cookies


def switched_off(registry: Registry) -> Registry:
    found = registry.relying_parties[REKENRIJK]
    return replace(
        registry,
        relying_parties={
            **registry.relying_parties,
            REKENRIJK: structs.replace(found, enabled=False),
        },
    )


def supplier_switched_off(registry: Registry) -> Registry:
    supplier = registry.relying_parties[REKENRIJK].supplier
    found = registry.suppliers[supplier]
    return replace(
        registry, suppliers={**registry.suppliers, supplier: structs.replace(found, enabled=False)}
    )


def without_start_page(registry: Registry) -> Registry:
    found = registry.relying_parties[REKENRIJK]
    return replace(
        registry,
        relying_parties={
            **registry.relying_parties,
            REKENRIJK: structs.replace(found, start_url=""),
        },
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_gets_no_answer_leads_back_to_who_asked(site: Site, method: str) -> None:
    """A way back where the registered start page is known; never to what was asked."""
    browser = site.visit(**{"accept-language": "en"})
    asked = OIDC_REQUEST | {"redirect_uri": "https://evil.example/"}
    how: Any = {"params": asked} if method == "GET" else {"data": asked}
    answer = browser.send(method, "/oidc/authorize", **how)
    assert "E-OIDC-5" in answer.response.text
    assert links_of(answer) == way_back_of(site)


@pytest.mark.parametrize("client_id", ["nobody", "", "https://evil.example/"])
def test_who_is_not_known_leads_nowhere(browser: Browser, client_id: str) -> None:
    answer = browser.begin(client_id=client_id)
    assert "E-OIDC-4" in answer.response.text
    assert links_of(answer) == []


def test_nor_do_two_who_ask_at_once(browser: Browser) -> None:
    answer = browser.get("/oidc/authorize?client_id=rekenrijk&client_id=biosfeer")
    assert answer.status == 400
    assert links_of(answer) == []


def test_a_logout_that_is_wrong_leads_back_too(site: Site) -> None:
    asked = {"client_id": "rekenrijk", "post_logout_redirect_uri": "https://evil.example/"}
    browser = site.visit(**{"accept-language": "en"})
    answer = browser.get("/oidc/end-session", params=asked)
    assert answer.status == 400
    assert way_back_of(site)[0] in links_of(answer)
    assert "evil.example" not in answer.response.text


@pytest.mark.parametrize("change", [switched_off, supplier_switched_off])
def test_a_system_that_is_switched_off_is_no_way_back_from_its_own_request(
    site: Site, browser: Browser, change: Callable[[Registry], Registry]
) -> None:
    with site.having(change(site.web.snapshots.registry)):
        assert links_of(browser.begin(redirect_uri="https://evil.example/")) == []


@pytest.mark.parametrize("change", [switched_off, supplier_switched_off, without_start_page])
def test_where_nothing_is_open_no_page_leads(
    site: Site, browser: Browser, change: Callable[[Registry], Registry]
) -> None:
    with site.having(change(site.web.snapshots.registry)):
        assert links_of(lost(browser, f"{LOST}.rekenrijk.1")) == []
    assert links_of(lost(browser, f"{LOST}.rekenrijk.1")) == way_back_of(site)
