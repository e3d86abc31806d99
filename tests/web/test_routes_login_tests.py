"""The test page over HTTP: forms of our own, one step at a time, and nothing in a frame."""

from tests.web.broker_site import Answer, Browser, Site, fields_of

TEST_PAGE = "/saml/sp/test"


def begin(browser: Browser, **changes: str) -> Answer:
    page = browser.get(f"{TEST_PAGE}?school=vuurvogel")
    return browser.post(TEST_PAGE, fields_of(page, TEST_PAGE) | {"idp": "vuurvogel"} | changes)


def test_a_school_is_found_by_its_name(site: Site) -> None:
    browser = site.visit()
    assert f"{TEST_PAGE}?school=vuurvogel" in browser.get(f"{TEST_PAGE}?q=vuurvogel").response.text
    assert f"{TEST_PAGE}?school=" not in browser.get(f"{TEST_PAGE}?q=zzz").response.text


def test_a_test_leads_to_the_login_and_binds_itself_to_the_browser(site: Site) -> None:
    browser = site.visit()
    begun = begin(browser, supplier="rekenrijk")
    assert begun.status == 303
    assert "rekenrijk" not in begun.response.headers["location"].lower()
    assert [each for each in browser.cookies if each.startswith("login-test.")]
    assert [each for each in browser.cookies if each.startswith("login.")] == []


def test_two_tests_leave_one_step(site: Site) -> None:
    browser = site.visit()
    for _ in range(2):
        begin(browser)
    assert len([each for each in browser.cookies if each.startswith("login-test.")]) == 1


def test_a_foreign_form_begins_nothing(site: Site) -> None:
    browser = site.visit()
    assert begin(browser, csrf="x").refused == ["check_csrf_token"]
    assert site.visit().post(TEST_PAGE, {"school": "vuurvogel"}).refused == ["check_form_cookie"]
    assert begin(browser).status == 303


def test_an_unknown_school_or_another_one_s_login_is_refused(site: Site) -> None:
    browser = site.visit()
    assert browser.get(f"{TEST_PAGE}?school=nobody").refused == ["check_school_enabled"]
    assert begin(browser, idp="kompas").refused == ["check_login_of_school"]


def test_starts_are_counted_as_those_of_logins(site: Site) -> None:
    browser = site.visit()
    answers = [begin(browser) for _ in range(21)]
    assert {each.status for each in answers[:20]} == {303}
    assert answers[20].refused == ["check_starts_a_minute"]


def test_it_is_not_shown_inside_another_page(site: Site) -> None:
    framed = site.visit().get(f"{TEST_PAGE}?school=vuurvogel", headers={"sec-fetch-dest": "iframe"})
    assert "csrf" not in framed.response.text


def test_an_answer_that_is_none_is_told_and_is_not_kept_by_anybody(site: Site) -> None:
    browser = site.visit()
    begin(browser)
    (cookie,) = (each for each in browser.cookies if each.startswith("login-test."))
    state = cookie.removeprefix("login-test.")
    answer = browser.post("/saml/sp/acs", {"SAMLResponse": "AAAA", "RelayState": state})
    assert (answer.status, len(answer.refused)) == (200, 1)
    assert answer.response.headers["cache-control"] == "no-store"
    assert "textarea" in answer.response.text
    again = browser.post("/saml/sp/acs", {"SAMLResponse": "AAAA", "RelayState": state})
    assert again.refused == ["check_browser_binding"]
