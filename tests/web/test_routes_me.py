"""`/me` over HTTP: who looks, on whose device, and what is left behind."""

import json
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from zlib import decompress

from lxml import html
from msgspec.structs import replace as renamed

from broker.domain.attributes import Population
from broker.domain.ids import SchoolId, SupplierId
from broker.flow.parents.parent_codes import ParentRules
from broker.flow.persons.person_erasure import erase_person
from broker.flow.persons.persons import present_roots
from tests.web.broker_site import Answer, Browser, Site, fields_of
from tests.web.me_visitors import VUURVOGEL, letter_about, share, visit_as

WORDS = {"accept-language": "en"}


def leave(browser: Browser, **fields: str) -> Answer:
    page = browser.get("/me", headers=WORDS)
    return browser.post("/me/leave", fields_of(page, "/me/leave") | fields, headers=WORDS)


def test_who_is_not_logged_in_chooses_a_school_and_goes_to_its_login(site: Site) -> None:
    browser = site.visit()
    page = browser.get("/me", headers=WORDS)
    assert page.status == 200
    assert "Choose your school" in page.response.text
    found = browser.get("/me?q=kompas", headers=WORDS).response.text
    assert "Het Kompas" in found
    assert "Vuurvogel" not in found
    begun = browser.post("/me/login", fields_of(page, "/me/login") | {"school": "kompas"})
    assert begun.status == 303
    assert [each for each in browser.cookies if each.startswith("me-login.")]
    assert "rekenrijk" not in begun.response.headers["location"]


def test_school_of_several_logins_asks_by_which(site: Site) -> None:
    browser = site.visit()
    registry = site.web.snapshots.registry
    idps = registry.idps_of_school[SchoolId("vuurvogel")]
    other = registry.idps_of_school[SchoolId("kompas")]
    changed = replace(
        registry, idps_of_school={**registry.idps_of_school, SchoolId("vuurvogel"): (*idps, *other)}
    )
    with site.having(changed):
        form = fields_of(browser.get("/me"), "/me/login") | {"school": "vuurvogel"}
        asked = browser.post("/me/login", form)
        assert asked.response.headers["location"] == "/me?school=vuurvogel"
        page = browser.get("/me?school=vuurvogel", headers=WORDS)
        assert "has several logins" in page.response.text
        form = fields_of(page, "/me/login") | {"idp": other[0].id}
        assert browser.post("/me/login", form).status == 303


def test_form_of_elsewhere_begins_nothing(site: Site) -> None:
    browser = site.visit()
    form = fields_of(browser.get("/me"), "/me/login") | {"school": "kompas"}
    assert browser.post("/me/login", form | {"csrf": "x"}).refused == ["check_csrf_token"]
    assert browser.post("/me/login", form | {"school": "nobody"}).refused == [
        "check_school_enabled"
    ]
    assert browser.post("/me/login", form).status == 303


def test_pupil_sees_supplier_names_days_and_pseudonym(site: Site) -> None:
    share(site, "me-1", names=("eduPersonAffiliation", "givenName"))
    browser = visit_as(site, "me-1")
    page = browser.get("/me", headers=WORDS)
    text = page.response.text
    assert "Hi <bdi>Sanne</bdi>! This is shared about you" in text
    assert "your first name" in text
    assert "RekenRijk" in text
    assert page.response.headers["cache-control"] == "no-store"
    assert page.response.headers["refresh"].endswith(";url=/me")
    saved = browser.get("/me/download").response
    assert saved.headers["content-disposition"] == 'attachment; filename="schuilnaam.json"'
    (receipt,) = json.loads(saved.content)["receipts"]
    assert receipt["pseudonym"] in text
    assert receipt["shared"] == ["eduPersonAffiliation", "givenName"]
    assert receipt["not_shared"] == {"sn": "not-declared"}
    assert saved.headers["cache-control"] == "no-store"


def test_decision_says_what_the_school_let_out(site: Site) -> None:
    share(site, "me-2")
    browser = visit_as(site, "me-2")
    page = html.fromstring(browser.get("/me", headers=WORDS).response.content)
    (link,) = [each.get("href") for each in page.iter("a") if "/me/decision" in each.get("href")]
    decision = browser.get(link, headers=WORDS)
    assert decision.status == 200
    assert "may know" in decision.response.text
    missing = browser.get("/me/decision?supplier=rekenrijk&version=99", headers=WORDS)
    assert (missing.status, missing.refused) == (404, ["check_decision_known"])
    huge = browser.get(f"/me/decision?supplier=rekenrijk&version={'9' * 5000}", headers=WORDS)
    assert (huge.status, huge.refused) == (404, ["check_decision_known"])
    other = browser.get("/me/decision?school=kompas&supplier=rekenrijk&version=1", headers=WORDS)
    assert (other.status, other.refused) == (404, ["check_decision_of_own_school"])
    nobody = site.visit()
    for address in (link, "/me/download"):
        assert nobody.get(address).response.headers["location"] == "/me"


def test_who_was_never_seen_gets_a_calm_page(site: Site) -> None:
    page = visit_as(site, "me-nobody").get("/me", headers=WORDS)
    assert "there is nothing to see here, and that is fine" in page.response.text
    assert "download" not in page.response.text


def test_parent_reads_that_it_is_about_the_child(site: Site) -> None:
    share(site, "me-3")
    page = visit_as(site, "me-3", visitor="parent", first_name="").get("/me", headers=WORDS)
    assert "What is shared about your child" in page.response.text


def test_older_school_years_are_a_page_away(site: Site) -> None:
    now = site.web.clock()
    share(site, "me-4", supplier="biosfeer", at=now - timedelta(days=400))
    share(site, "me-4")
    browser = visit_as(site, "me-4")
    newest = browser.get("/me", headers=WORDS).response.text
    assert "RekenRijk" in newest
    assert "Biosfeer" not in newest
    older = (now - timedelta(days=400)).year - ((now - timedelta(days=400)).month < 8)
    assert f"/me?year={older}" in newest
    assert "Biosfeer" in browser.get(f"/me?year={older}", headers=WORDS).response.text


def test_leaving_closes_and_the_back_button_finds_nothing(site: Site) -> None:
    share(site, "me-5")
    browser = visit_as(site, "me-5")
    handle = browser.cookies["me"]
    left = leave(browser)
    assert (left.status, left.response.headers["location"]) == (303, "/me/closed")
    assert "You are done" in browser.get("/me/closed", headers=WORDS).response.text
    browser.cookies.set("me", handle)
    again = browser.get("/me", headers=WORDS).response.text
    assert "Choose your school" in again
    assert "The page was closed" in again


def test_page_that_was_left_closes_soon_unless_somebody_comes_back(site: Site) -> None:
    browser = visit_as(site, "me-6")
    page = browser.get("/me", headers=WORDS)
    assert leave(browser, soon="yes").status == 204
    form = fields_of(page, "/me/leave")
    assert browser.post("/me/leave", form | {"stay": "yes"}).status == 204
    assert "Hi <bdi>Sanne</bdi>" in browser.get("/me", headers=WORDS).response.text


def test_two_pupils_after_another_never_mix(site: Site) -> None:
    share(site, "me-7", supplier="rekenrijk")
    share(site, "me-8", supplier="biosfeer")
    browser = visit_as(site, "me-7")
    first = browser.get("/me", headers=WORDS)
    old_handle = browser.cookies["me"]
    visit_as(site, "me-8", browser=browser, first_name="Daan")
    second = browser.get("/me", headers=WORDS).response.text
    assert "Biosfeer" in second
    assert "RekenRijk" not in second
    foreign = browser.post("/me/leave", fields_of(first, "/me/leave"))
    assert foreign.refused == ["check_csrf_token"]
    assert browser.cookies["me"] != old_handle


def test_logging_in_anew_ends_who_looked_before(site: Site) -> None:
    browser = visit_as(site, "me-9")
    handle = browser.cookies["me"]
    away = leave(browser, **{"not-me": "vuurvogel"})
    assert away.status == 303
    assert "ForceAuthn" in site_request(away)
    browser.cookies.set("me", handle)
    assert "Choose your school" in browser.get("/me", headers=WORDS).response.text


def site_request(away: Answer) -> str:
    """Return the request that a redirect carries to the school."""
    query = parse_qs(urlsplit(away.response.headers["location"]).query)
    return decompress(b64decode(query["SAMLRequest"][0]), -15).decode()


def test_form_without_a_session_is_refused(site: Site) -> None:
    assert site.visit().post("/me/leave", {"csrf": "x"}).refused == ["check_me_session"]


def test_it_is_not_shown_inside_another_page(site: Site) -> None:
    share(site, "me-10")
    browser = visit_as(site, "me-10")
    for address in ("/me", "/me/decision?supplier=rekenrijk&version=1"):
        framed = browser.get(address, headers={"sec-fetch-dest": "iframe"})
        assert "Sanne" not in framed.response.text


def test_names_of_suppliers_are_no_markup(site: Site) -> None:
    share(site, "me-11")
    registry = site.web.snapshots.registry
    evil = "<script>alert(1)</script>\u202e"
    supplier = next(each for each in registry.suppliers.values() if each.id == "rekenrijk")
    suppliers = {**registry.suppliers, supplier.id: renamed(supplier, display_name=evil)}
    with site.having(replace(registry, suppliers=suppliers)):
        text = visit_as(site, "me-11", first_name=evil).get("/me", headers=WORDS).response.text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;alert" in text


def test_the_log_says_nothing_of_the_person(site: Site) -> None:
    share(site, "me-12")
    browser = visit_as(site, "me-12")
    lines = [
        *browser.get("/me").lines,
        *browser.get("/me/download").lines,
        *leave(browser).lines,
    ]
    assert lines
    told = repr(lines)
    for word in ("Sanne", "me-12", "rekenrijk", browser.cookies.get("me") or "no handle"):
        assert word not in told


def test_on_https_the_cookie_is_bound_to_the_host(secure_site: Site) -> None:
    browser = secure_site.visit()
    form = fields_of(browser.get("/me"), "/me/login") | {"school": "kompas"}
    begun = browser.post("/me/login", form)
    cookies = [
        value for name, value in begun.response.headers.multi_items() if name == "set-cookie"
    ]
    (cookie,) = [each for each in cookies if each.startswith("__Host-me=")]
    for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert word in cookie


def ask(browser: Browser, **fields: str) -> Answer:
    page = browser.get("/me/ask", headers=WORDS)
    return browser.post("/me/ask", fields_of(page, "/me/ask") | fields, headers=WORDS)


def test_pupil_objects_sees_the_deadline_and_takes_it_back(site: Site) -> None:
    share(site, "me-20")
    browser = visit_as(site, "me-20")
    offered = browser.get("/me/ask?supplier=rekenrijk", headers=WORDS).response.text
    assert '<option value="rekenrijk" selected>' in offered
    filed = ask(browser, kind="objection", supplier="rekenrijk", attribute="givenName")
    assert filed.response.headers["location"] == "/me#asked"
    ask(browser, kind="objection", supplier="rekenrijk", attribute="givenName")  # twice is one
    page = browser.get("/me", headers=WORDS)
    assert page.response.text.count("Your school is thinking about it") == 1
    assert "28 days left" in page.response.text
    parent = visit_as(site, "me-20", visitor="parent").get("/me", headers=WORDS)
    assert "Your school is thinking about it" in parent.response.text
    assert "Your school is thinking" not in visit_as(site, "me-21").get("/me").response.text
    stranger = visit_as(site, "me-21")
    form = fields_of(page, "/me/withdraw")
    own = fields_of(stranger.get("/me", headers=WORDS), "/me/leave")
    request_id = button_of(page)
    assert stranger.post("/me/withdraw", own | {"id": request_id}).refused == [
        "check_request_is_own"
    ]
    back = browser.post("/me/withdraw", form | {"id": request_id})
    assert back.status == 303
    assert "Taken back" in browser.get("/me", headers=WORDS).response.text


def test_parent_sees_no_request_about_a_supplier_that_the_school_hides(site: Site) -> None:
    share(site, "me-23")
    child = visit_as(site, "me-23")
    ask(child, kind="objection", supplier="rekenrijk")
    ask(child, kind="correction", supplier="")
    rules, words = site.web.me.visits._ports.letters, "Your school is thinking about it"
    before = rules.rules(VUURVOGEL)
    for hidden, count in ((frozenset({SupplierId("rekenrijk")}), 1), (before.hidden, 2)):
        site.run(rules.set_rules(VUURVOGEL, ParentRules(hidden=hidden)))
        parent = visit_as(site, "me-23", visitor="parent").get("/me", headers=WORDS).response.text
        assert parent.count(words) == count
        assert child.get("/me", headers=WORDS).response.text.count(words) == 2
    site.run(rules.set_rules(VUURVOGEL, before))


def button_of(page: Answer) -> str:
    """Return the id that the button of a request takes back."""
    (found,) = html.fromstring(page.response.content).xpath("//button[@name='id']/@value")
    return str(found)


def test_objection_names_a_supplier_and_the_form_says_so(site: Site) -> None:
    share(site, "me-22")
    browser = visit_as(site, "me-22")
    again = ask(browser, kind="objection", supplier="")
    assert again.status == 422
    assert "Choose the maker of learning material that you mean." in again.response.text
    assert ask(browser, kind="correction", supplier="").status == 303
    for wrong in ({"kind": "x"}, {"kind": "erasure", "supplier": "nobody"}):
        assert ask(browser, **wrong).status == 400
    assert site.visit().get("/me/ask").response.headers["location"] == "/me"
    framed = browser.get("/me/ask", headers={"sec-fetch-dest": "iframe"})
    assert "csrf" not in framed.response.text


def test_parent_opens_what_was_shared_by_the_code_of_a_letter(site: Site) -> None:
    share(site, "me-30")
    code = letter_about(site, "me-30")
    browser = site.visit()
    page = browser.get("/me/parent", headers=WORDS)
    assert "The code of the letter" in page.response.text
    form = fields_of(page, "/me/parent")
    wrong = browser.post("/me/parent", form | {"code": "bad " * 9}, headers=WORDS)
    assert wrong.status == 403
    assert "This code opens nothing, or not any more." in wrong.response.text
    foreign = browser.post("/me/parent", form | {"code": code, "csrf": "x"})
    assert foreign.refused == ["check_csrf_token"]
    opened = browser.post("/me/parent", form | {"code": code.upper()})
    assert (opened.status, opened.response.headers["location"]) == (303, "/me")
    shown = browser.get("/me", headers=WORDS).response.text
    assert "What is shared about your child" in shown
    assert "RekenRijk" in shown
    assert code.split()[3] not in repr(opened.lines)
    again = browser.post("/me/parent", form | {"code": code}, headers=WORDS)
    assert again.status == 403
    assert "Choose your school" in browser.get("/me", headers=WORDS).response.text
    seen = visit_as(site, "me-30").get("/me", headers=WORDS).response.text
    assert "somebody looked with it 1 time." in seen
    framed = browser.get("/me/parent", headers={"sec-fetch-dest": "iframe"})
    assert "csrf" not in framed.response.text


def test_nothing_opens_any_more_after_an_erasure(site: Site) -> None:
    share(site, "me-31")
    code = letter_about(site, "me-31")
    browser = visit_as(site, "me-31")
    ports = site.web.me.visits._ports
    presented = present_roots(
        SchoolId("vuurvogel"),
        population=Population.PUPIL,
        number="me-31",
        eck_id=None,
        key=ports.keys.root,
    )
    assert "RekenRijk" in browser.get("/me", headers=WORDS).response.text
    erased = erase_person(presented, register=ports.register, keys=ports.keys.register)
    assert site.run(erased) == 1
    assert "that is fine" in browser.get("/me", headers=WORDS).response.text
    parent = site.visit()
    form = fields_of(parent.get("/me/parent"), "/me/parent") | {"code": code}
    assert parent.post("/me/parent", form).status == 403
