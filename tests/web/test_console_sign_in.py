"""Logging in to the console over HTTP, once more for signing, and out."""

from broker.domain.assurance import LOW, MULTI_FACTOR
from tests.web.broker_site import Answer, Browser, Site, query_of
from tests.web.console_seats import SCHOOL_ADMIN, form_of, seat

SIGN_IN = "/console/sign-in"
IN_ENGLISH = {"accept-language": "en"}


def begin(browser: Browser, back: str = "/console", **changes: str) -> Answer:
    page = browser.get(SIGN_IN, params={"back": back, "q": "vuurvogel"}, headers=IN_ENGLISH)
    return browser.post(
        SIGN_IN, form_of(page, SIGN_IN) | {"login": "school/vuurvogel/vuurvogel"} | changes
    )


def test_a_school_is_found_and_its_login_opened(site: Site) -> None:
    browser = site.visit()
    page = browser.get(f"{SIGN_IN}?q=vuurvogel", headers=IN_ENGLISH)
    assert 'value="school/vuurvogel/vuurvogel"' in page.response.text
    begun = begin(browser)
    assert begun.status == 303
    assert [each for each in browser.cookies if each.startswith("console-login.")]


def test_a_login_of_elsewhere_or_of_nothing_is_refused(site: Site) -> None:
    for login in ("school/vuurvogel/kompas", "school/nobody/x", "board/x/y", "x", "", "supplier/x"):
        begun = begin(site.visit(), login=login)
        assert begun.status == 403, login
        assert begun.refused, login
    assert begin(site.visit()).status == 303


def test_a_foreign_form_begins_nothing(site: Site) -> None:
    assert begin(site.visit(), csrf="x").refused == ["check_csrf_token"]
    assert site.visit().post(SIGN_IN, {"login": "x"}).refused == ["check_form_cookie"]
    assert begin(site.visit()).status == 303


def test_it_is_not_shown_inside_another_page(site: Site) -> None:
    framed = site.visit().get(SIGN_IN, headers={"sec-fetch-dest": "iframe"})
    assert "csrf" not in framed.response.text


def test_an_answer_that_is_none_opens_nothing(site: Site) -> None:
    browser = site.visit()
    begin(browser)
    (cookie,) = (each for each in browser.cookies if each.startswith("console-login."))
    state = cookie.removeprefix("console-login.")
    answer = browser.post("/saml/sp/acs", {"SAMLResponse": "AAAA", "RelayState": state})
    assert (answer.status, len(answer.refused)) == (400, 1)
    assert "console" not in browser.cookies
    again = browser.post("/saml/sp/acs", {"SAMLResponse": "AAAA", "RelayState": state})
    assert again.refused == ["check_login_step"]


def test_who_signs_out_is_out_in_every_tab(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    kept = dict(seated.browser.cookies)
    out = seated.post("/console/me", "/console/sign-out")
    assert "signed out" in out.response.text
    other = site.visit()
    for name, value in kept.items():
        other.cookies.set(name, value)
    assert other.get("/console").status == 303


def test_signing_out_takes_a_form_of_this_session(site: Site) -> None:
    seated, other = seat(site, SCHOOL_ADMIN), seat(site, SCHOOL_ADMIN)
    stolen = form_of(other.get("/console/me"), "/console/sign-out")
    answer = seated.browser.post("/console/sign-out", stolen)
    assert answer.refused == ["check_csrf_token"]
    assert seated.get("/console").status == 200


def test_a_form_of_a_session_that_is_over_changes_nothing(site: Site) -> None:
    answer = site.visit().post("/console/sign-out", {"csrf": "x"})
    assert (answer.status, answer.refused) == (403, ["check_console_session"])


def test_who_am_i_names_the_place_and_no_person(site: Site) -> None:
    page = seat(site, SCHOOL_ADMIN).get("/console/me").response.text
    assert "De Vuurvogel" in page
    assert "Yes, your login is safe and new enough" in page
    weak = seat(site, SCHOOL_ADMIN, level=LOW).get("/console/me").response.text
    assert "After you log in once more" in weak


def test_a_step_up_asks_the_login_anew(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN, level=MULTI_FACTOR, is_forced=False)
    begun = seated.post("/console/step-up?back=/console/me", "/console/step-up")
    assert begun.status == 303
    assert begun.response.headers["location"].startswith("http://localhost:")
    assert "SAMLRequest" in query_of(begun)


def test_a_step_up_leads_back_to_our_own_pages_alone(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    for back in ("https://evil.example/console", "//evil.example/console", "/console\\evil", "/x"):
        page = seated.browser.get("/console/step-up", params={"back": back})
        assert form_of(page, "/console/step-up")["back"] == "/console", back
    page = seated.get("/console/step-up?back=/console/me")
    assert form_of(page, "/console/step-up")["back"] == "/console/me"
