"""Somebody else's login in the pupil's browser, and the pupil's login in somebody else's."""

import pytest

from tests.web.broker_site import Browser, Site, fields_of

STEPS = [
    ("POST", "/schools"),
    ("POST", "/schools/forget"),
    ("POST", "/login/continue"),
    ("POST", "/login/not-me"),
]


def is_friendly_refusal(answer: object) -> bool:
    status, refused = answer.status, answer.refused  # type: ignore[attr-defined]
    text = answer.response.text  # type: ignore[attr-defined]
    return status == 400 and refused == ["check_browser_binding"] and "E-LOGIN-1" in text


@pytest.mark.parametrize(("method", "path"), STEPS)
def test_a_step_of_another_browser_goes_no_further(site: Site, method: str, path: str) -> None:
    fields = fields_of(site.visit().choose())
    answer = site.visit().send(method, path, data=fields | {"school": "kompas"})
    assert is_friendly_refusal(answer)


def test_the_chooser_of_another_browser_is_not_shown(site: Site) -> None:
    attacker, victim = site.visit(), site.visit()
    address = attacker.begin().response.headers["location"]
    assert is_friendly_refusal(victim.get(address))
    assert attacker.get(address).status == 200


def test_the_schools_answer_in_another_browser_is_refused(site: Site) -> None:
    attacker = site.visit()
    state = attacker.go_to_school("kompas")
    address = f"/oidc/callback?code=c&state={state}"
    assert is_friendly_refusal(site.visit().get(address))
    own = attacker.get(address)  # which is taken, and then fails at a school that is not there
    assert own.refused == ["check_school_answers"]


@pytest.mark.parametrize("relay_state", ["", "x", "A" * 22, "../" * 7, "é" * 22])
def test_a_response_without_a_login_of_this_browser(browser: Browser, relay_state: str) -> None:
    form = {"SAMLResponse": "PHg+", "RelayState": relay_state}
    assert is_friendly_refusal(browser.post("/saml/sp/acs", form))


def test_the_schools_answer_by_post_in_another_browser_is_refused(site: Site) -> None:
    attacker = site.visit()
    gone = attacker.post("/schools", fields_of(attacker.choose()) | {"school": "vuurvogel"})
    (name,) = [each for each in attacker.cookies if each.startswith("login.")][-1:]
    state = name.removeprefix("login.")
    assert state in gone.response.headers["location"]
    form = {"SAMLResponse": "PHg+", "RelayState": state}
    assert is_friendly_refusal(site.visit().post("/saml/sp/acs", form))
    assert attacker.post("/saml/sp/acs", form).refused not in ([], ["check_browser_binding"])


def test_a_step_is_answered_once(site: Site) -> None:
    browser = site.visit()
    address = f"/oidc/callback?code=c&state={browser.go_to_school('kompas')}"
    kept = dict(browser.cookies)
    browser.get(address)
    again = site.visit().get(
        address, headers={"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}
    )
    assert "E-LOGIN-2" in again.response.text


@pytest.mark.parametrize("twice", ["{own}; {planted}", "{planted}; {own}"])
def test_a_tossed_cookie_ends_the_login_and_does_not_replace_it(site: Site, twice: str) -> None:
    """A second cookie of the name, set from another port of this host (plain http only)."""
    attacker, victim = site.visit(), site.visit()
    address = attacker.begin().response.headers["location"]
    login = address.partition("login=")[2]
    planted = f"login.{login}={attacker.cookies[f'login.{login}']}"
    tossed = twice.format(own=f"login.{login}={'A' * 43}.rekenrijk.1", planted=planted)
    assert is_friendly_refusal(victim.get(address, headers={"Cookie": tossed}))


def test_on_https_a_cookie_needs_the_prefix_that_no_other_host_can_set(secure_site: Site) -> None:
    attacker, victim = secure_site.visit(), secure_site.visit()
    address = attacker.begin().response.headers["location"]
    login = address.partition("login=")[2]
    value = attacker.cookies[f"__Host-login.{login}"]
    assert is_friendly_refusal(victim.get(address, headers={"Cookie": f"login.{login}={value}"}))
    assert attacker.get(address).status == 200


def test_each_step_has_a_handle_of_its_own(browser: Browser) -> None:
    chooser = browser.choose()
    before = {value for name, value in browser.cookies.items() if name.startswith("login.")}
    browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
    after = [value for name, value in browser.cookies.items() if name.startswith("login.")]
    assert len(after) == len(set(after)) == 2
    assert before < set(after)


def test_a_handle_is_in_no_address_and_on_no_page(browser: Browser) -> None:
    chooser = browser.choose()
    gone = browser.post("/schools", fields_of(chooser) | {"school": "kompas"})
    shown = chooser.response.text + gone.response.headers["location"] + str(chooser.response.url)
    handles = [value for name, value in browser.cookies.items() if name.startswith("login.")]
    assert len(handles) == 2
    assert not any(each in shown for each in handles)
