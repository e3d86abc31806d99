"""Another site sends our own forms in the pupil's browser (CSRF)."""

import pytest

from tests.web.broker_site import PLACES, Answer, Browser, Party, Site, fields_of

OURS = PLACES[Party.BROKER]

FOREIGN = [
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:1020"},
    {"Origin": OURS, "Sec-Fetch-Site": "cross-site"},
    {"Origin": OURS, "Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
]
OWN = [{}, {"Origin": OURS}, {"Origin": OURS, "Sec-Fetch-Site": "same-origin"}]

FORMS = ["choose", "forget", "remember", "forget-without-login", "continue", "not-me"]
"""Every form of ours that changes something."""

CHECKS = {"check_fetch_site", "check_origin", "check_csrf_token"}


def form_of(browser: Browser, name: str) -> tuple[str, dict[str, str]]:
    """Return address and fields of one of our forms, as our own page has them."""
    match name:
        case "choose":
            return "/schools", fields_of(browser.choose()) | {"school": "kompas"}
        case "forget":
            return "/schools/forget", fields_of(browser.choose())
        case "remember":
            return "/schools", fields_of(browser.get("/schools")) | {"school": "kompas"}
        case "forget-without-login":
            return "/schools/forget", fields_of(browser.get("/schools"))
    # The page between has no other fields; without a record behind it, it ends in E-LOGIN-1.
    return f"/login/{name}", fields_of(browser.choose())


def is_foreign(answer: Answer) -> bool:
    """Tell whether the answer is the refusal of a foreign form, and did nothing else."""
    refused = answer.status == 403 and len(answer.refused) == 1 and set(answer.refused) <= CHECKS
    assert not refused or "set-cookie" not in answer.response.headers
    return refused


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("headers", FOREIGN, ids=lambda each: "+".join(each.values()))
def test_a_form_from_elsewhere_does_nothing(
    browser: Browser, name: str, headers: dict[str, str]
) -> None:
    address, fields = form_of(browser, name)
    assert is_foreign(browser.post(address, fields, headers=headers))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("headers", OWN, ids=lambda each: "+".join(each.values()) or "none")
def test_our_own_form_is_taken(browser: Browser, name: str, headers: dict[str, str]) -> None:
    address, fields = form_of(browser, name)
    answer = browser.post(address, fields, headers=headers)
    assert not is_foreign(answer)
    if address.startswith("/schools"):
        assert answer.refused == []


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("token", ["", "0" * 32, None])
def test_without_the_browsers_words_the_token_still_decides(
    browser: Browser, name: str, token: str | None
) -> None:
    address, fields = form_of(browser, name)
    del fields["csrf"]
    fields["other"] = "x"  # a form without any field would be no form
    if token is not None:
        fields["csrf"] = token
    answer = browser.post(address, fields)
    assert is_foreign(answer)
    assert answer.refused == ["check_csrf_token"]


@pytest.mark.parametrize("name", ["remember", "forget-without-login"])
def test_the_token_of_the_attackers_own_browser_is_worth_nothing(site: Site, name: str) -> None:
    address, fields = form_of(site.visit(), name)
    victim = site.visit()
    assert victim.post(address, fields).refused == ["check_form_cookie"]
    victim.get("/schools")
    assert victim.post(address, fields).refused == ["check_csrf_token"]
    assert "school" not in victim.cookies


def test_a_token_of_one_login_does_not_move_another(browser: Browser) -> None:
    first, second = (fields_of(browser.choose()) for _ in range(2))
    mixed = {"login": first["login"], "csrf": second["csrf"], "school": "kompas"}
    assert browser.post("/schools", mixed).refused == ["check_csrf_token"]
