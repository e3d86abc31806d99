"""The doors of the console over HTTP: in by a session alone, and in a tab of its own."""

from broker.flow.console.console_audit import ConsoleEntry
from tests.web.broker_site import Site
from tests.web.console_seats import SCHOOL_ADMIN, seat


def test_who_is_not_logged_in_is_sent_to_the_sign_in_and_back(site: Site) -> None:
    answer = site.visit().get("/console?lang=en")
    assert answer.status == 303
    assert answer.response.headers["location"] == "/console/sign-in?back=%2Fconsole%3Flang%3Den"


def test_the_first_page_greets_and_names_the_roles(site: Site) -> None:
    page = seat(site, SCHOOL_ADMIN).get("/console")
    assert page.status == 200
    assert "school administrator" in page.response.text
    assert "De Vuurvogel" in page.response.text
    assert page.response.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.policy


def test_it_is_not_shown_inside_another_page(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    framed = seated.browser.get("/console", headers={"sec-fetch-dest": "iframe"})
    assert "De Vuurvogel" not in framed.response.text


def test_a_made_up_session_opens_nothing(site: Site) -> None:
    browser = site.visit()
    browser.cookies.set("console", "A" * 43)
    assert browser.get("/console").status == 303


def test_a_role_that_is_withdrawn_is_gone_with_the_next_page(site: Site) -> None:
    seated = seat(site, SCHOOL_ADMIN)
    assert "school administrator" in seated.get("/console").response.text
    roles = site.web.console.roles
    (given,) = roles.roles_of(seated.user)
    entry = an_entry(at=site.web.clock())
    assert site.run(roles.withdraw(given.number, at=entry.at, by="a test", entry=entry))
    assert "school administrator" not in seated.get("/console").response.text


def an_entry(**changes: object) -> ConsoleEntry:
    stated: dict[str, object] = {"actor": "a" * 32, "role": None, "action": "tested"}
    return ConsoleEntry(**(stated | changes))  # type: ignore[arg-type]
